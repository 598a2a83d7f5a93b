"""Which joint of a foreign skeleton is which of our bones, from tables of names (`skeletons.toml` or one's own)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from live.errors import BadFile
from live.limits import read_toml
from live.train.aim import REQUIRED

SIDED = ("Shoulder", "UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot", "Toes")
Table = dict[str, tuple[str, ...]]
"""Our bone -> spellings of the source's joint."""


@cache
def read_tables(path: Path = Path(__file__).parent / "skeletons.toml") -> dict[str, Table]:
    """All skeletons of a TOML file; raises `BadFile` naming it."""
    try:
        return {name: _table(rows) for name, rows in read_toml(path).items()}
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadFile(f"{path}: is no table of skeletons ({error}); see live/train/skeletons.toml") from None


def _table(rows: dict[str, str | list[str]]) -> Table:
    left, right = list(rows["sides"])
    out: Table = {}
    for bone, spelled in rows.items():
        spellings = [spelled] if isinstance(spelled, str) else spelled
        if bone in SIDED:
            out[f"left{bone}"] = tuple(plain(s.replace("%", left)) for s in spellings)
            out[f"right{bone}"] = tuple(plain(s.replace("%", right)) for s in spellings)
        elif bone != "sides":
            out[bone] = tuple(plain(s) for s in spellings)
    return out


def plain(name: str) -> str:
    """A joint's name without namespace, capitals and what is no letter or digit."""
    return re.sub(r"[^a-z0-9]", "", name.rpartition(":")[2].lower())


def matched(joints: Iterable[str], tables: dict[str, Table]) -> dict[str, str]:
    """Our bone -> joint, by the skeleton that fits best; raises `BadFile` telling what that one lacks."""
    found = {plain(joint): joint for joint in joints}
    maps = {name: _found(table, found) for name, table in tables.items()}
    best = max(maps, key=lambda name: (len(maps[name].keys() & {*REQUIRED, "hips"}), len(maps[name])))
    wanted = [bone for bone in ("hips", *REQUIRED) if bone not in maps[best]]
    if wanted:
        lacks = ", ".join(tables[best][bone][0] if bone in tables[best] else bone for bone in wanted[:4])
        raise BadFile(f"unknown skeleton: nearest to '{best}', but has no {lacks}; give a table of its names (--names)")
    return maps[best]


def _found(table: Table, joints: dict[str, str]) -> dict[str, str]:
    return {bone: joints[s] for bone, spellings in table.items() for s in reversed(spellings) if s in joints}
