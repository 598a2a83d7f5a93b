"""A result: one JSON of a stated schema, and the page that shows it.

`what` was measured on which `machine` and `how` (its settings); `measures` by name as `figures.measured` tells them;
`numbers` that are no distribution; `limits` as `figures.compared` tells them; `details`, whatever else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from live import __version__, realtime
from live.errors import BadFile, Failed
from live.lab.page import page
from live.limits import MB, read_json

SCHEMA_VERSION = 2
LARGEST = 16 * MB


@dataclass(frozen=True)
class Result:
    """What a measurement found, ready for JSON."""

    what: str
    how: Mapping[str, Any]
    measures: Mapping[str, dict[str, Any]]
    limits: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=realtime.machine)


def write(result: Result, folder: Path, name: str = "") -> Path:
    """`NAME.json` and `NAME.html` in `folder` (the name is what was measured, if left out); the JSON's path."""
    values = {"schema_version": SCHEMA_VERSION, "version": __version__} | asdict(result)
    path = folder / f"{name or result.what}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(_readable(values), "utf-8")
        path.with_suffix(".html").write_text(page(values), "utf-8")
    except OSError as error:
        raise Failed(f"{folder}: cannot be written: {error.strerror}") from None
    return path


def _readable(values: dict[str, Any]) -> str:
    """JSON with numbers that belong together in one line."""
    spread = json.dumps(values, indent=1) + "\n"
    return re.sub(r"\[[-+.\deE,\sNaInfity]*\]", lambda found: " ".join(found[0].split()), spread)


def read(path: Path) -> dict[str, Any]:
    """A result's values; `BadFile` where it is none of this schema."""
    try:
        values = read_json(path, LARGEST)
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from None
    if not isinstance(values, dict) or not isinstance(values.get("measures"), dict):
        raise BadFile(f"{path}: is no result of `live bench`")
    if (version := values.get("schema_version")) != SCHEMA_VERSION:
        raise BadFile(f"{path}: is of schema {version}, this is {SCHEMA_VERSION}: measure anew")
    return values
