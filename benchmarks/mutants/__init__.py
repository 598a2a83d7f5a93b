"""Mutants of valid files, a module for each kind of file that `live` reads.

A module has `seeds(folder)`, the valid files that the project itself makes (called once, in an empty folder);
`mutant(seeds, rng)`, the files of one mutant by name; and `read(folder)`, everything that `live` does with such files
before and while it uses them. What is changed is the structure: fields, lengths, counts, types, order and nesting, with
checksums made right again, so that a mutant gets past whatever looks at checksums first.
"""
