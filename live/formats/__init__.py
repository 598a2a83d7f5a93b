"""What a take can be converted to: each module here is one format, found by the file's ending.

A plug-in has `write(take, path, dancer)`, which writes one dancer of a take.
"""
