"""How much of a file is read: nothing that somebody made up can fill the memory, hang the reader or end it.

Readers of one kind of file say how large such a file may be. What is too large, no regular file, nested too deeply or
unpacks to far more than it holds raises `BadFile` in one line; what cannot be opened raises `OSError` as ever.
"""

from __future__ import annotations

import hashlib
import json
import stat
import tomllib
import zipfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live.errors import BadFile

KB, MB, GB = 1 << 10, 1 << 20, 1 << 30
DEEPEST = 64
"""Levels of lists and tables within each other; files of the kinds that are read here have ten."""
LONGEST_LINE = 4096
"""Characters of a line of TOML: `a.a.a...` is a table in a table for every two of them, and takes the square of their
number to read."""
UNPACKED, UNPACKED_TIMES = 256 * MB, 8
"""What an archive may unpack to: so many bytes, or so many times its own size if that is more."""
LARGEST_ARCHIVE = 64 * GB
MEMBERS = 10_000
Arrays = dict[str, NDArray[Any]]


def read_bytes(path: Path, most: int) -> bytes:
    """All of a regular file of at most `most` bytes."""
    check_regular(path)
    with path.open("rb") as file:
        raw = file.read(min(most, path.stat().st_size) + 1)  # room is made for all that is asked for
    if len(raw) > most:
        raise BadFile(f"{path}: is larger than {_size(most)}, the most that is read of such a file")
    return raw


def digest(path: Path, most: int = LARGEST_ARCHIVE) -> str:
    """SHA-256 of a regular file, in hexadecimal, however much room it would take in memory."""
    check_regular(path)
    if path.stat().st_size > most:
        raise BadFile(f"{path}: is larger than {_size(most)}, the most that is read of such a file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_text(path: Path, most: int) -> str:
    """The same as text; `BadFile` where it is not UTF-8."""
    try:
        return read_bytes(path, most).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadFile(f"{path}: is not text in UTF-8: {error.reason} at byte {error.start}") from None


def read_json(path: Path, most: int) -> Any:
    """A JSON file's value; `BadFile` where it is not JSON."""
    try:
        return shallow(json.loads(read_bytes(path, most).decode("utf-8")))
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path}: is not JSON: {_told(error)}") from None


def read_toml(path: Path, most: int = 100_000) -> dict[str, Any]:
    """A TOML file's tables; `BadFile` where it is not TOML."""
    try:
        text = read_bytes(path, most).decode("utf-8")
        if max(map(len, text.splitlines()), default=0) > LONGEST_LINE:
            raise ValueError(f"a line is longer than {LONGEST_LINE} characters")
        values: dict[str, Any] = shallow(tomllib.loads(text))
        return values
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path}: is not TOML: {_told(error)}") from None


def shallow(value: Any) -> Any:
    """The value, of lists and tables; `ValueError` where they lie deeper in each other than `DEEPEST`."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return value
    raise ValueError(f"nested deeper than {DEEPEST} levels")


def _inside(outer: Any) -> Iterable[Any]:
    return outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ()


def read_arrays(path: Path, names: Collection[str] | None = None) -> Arrays:
    """The arrays of an npz file (of those `names`, else all), none of them of pickled objects; `BadFile` where one is
    missing, or what is announced is not there."""
    check_regular(path)
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            _check_archive(archive, path.stat().st_size)
            found = {name.removesuffix(".npy"): name for name in archive.namelist()}
            wanted = found.keys() if names is None else names
            if missing := [name for name in wanted if name not in found]:
                raise ValueError(f"it has no '{missing[0]}'")
            return {name: _array(archive, found[name]) for name in wanted}
    except OSError:
        raise
    except Exception as error:  # a damaged archive raises whatever it meets
        raise BadFile(f"{path}: is no whole npz file: {_told(error)}") from None


def _check_archive(archive: zipfile.ZipFile, size: int) -> None:
    members = archive.infolist()
    unpacked, most = sum(member.file_size for member in members), max(UNPACKED, UNPACKED_TIMES * size)
    if len(members) > MEMBERS or size > LARGEST_ARCHIVE or unpacked > most:
        raise ValueError(f"{len(members)} arrays that unpack to {_size(unpacked)}; {_size(most)} are the most")


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """One member. Its header is looked at before room is made for what that announces."""
    head = np.lib.format
    with archive.open(name) as file:
        version = head.read_magic(file)
        read = head.read_array_header_1_0 if version == (1, 0) else head.read_array_header_2_0
        shape, _, dtype = read(file)
    count = 1
    for side in shape:
        count *= side
    announced = count * max(1, dtype.itemsize)
    if min((0, *shape)) < 0 or announced > archive.getinfo(name).file_size:
        raise ValueError(f"{name} announces {shape} numbers, and holds fewer")
    with archive.open(name) as file:
        return np.asarray(head.read_array(file, allow_pickle=False))


def check_regular(path: Path) -> None:
    """A pipe or a device may never end."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise BadFile(f"{path}: is not a regular file")


def _size(count: int) -> str:
    for unit, name in ((GB, "GB"), (MB, "MB"), (KB, "KB")):
        if count % unit == 0:
            return f"{count // unit} {name}"
    return f"{count} bytes"


def _told(error: BaseException) -> str:
    """In one line."""
    if isinstance(error, RecursionError):
        return f"nested deeper than {DEEPEST} levels"
    return " ".join(str(error).split())[:200] or type(error).__name__
