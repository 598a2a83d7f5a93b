"""Recorded dances by how their folders are laid out. Each module offers

- `find(folder) -> list[Path]`: the dances of a folder laid out its way, none where it is laid out otherwise;
- `read(path, choice) -> Dance`: one of them; raises `BadFile` naming what is wrong.
"""
