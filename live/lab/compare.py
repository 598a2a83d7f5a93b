"""Two results of one kind beside each other, as ratios."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from live.errors import Unusable
from live.lab.figures import PERCENTILES
from live.lab.result import read

HEAD = ("", "figure", "A", "B", "B / A")


def compare(a: Path, b: Path) -> list[tuple[str, ...]]:
    """Rows of `HEAD` for every figure that both files hold; `Unusable` where they measure different things."""
    first, second = read(a), read(b)
    if first["what"] != second["what"]:
        raise Unusable(f"{a} measures {first['what']}, {b} {second['what']}: compare two of one kind")
    rows = list(_rows(first, second))
    if not rows:
        raise Unusable(f"{a} and {b} have no figure in common")
    return rows


def _rows(a: dict[str, Any], b: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name in [name for name in a["measures"] if name in b["measures"]]:
        one, other = a["measures"][name], b["measures"][name]
        for key in ("mean", *PERCENTILES, "misses"):
            if key in one and key in other:
                yield (name, f"{key}, {one['unit']}" if key != "misses" else key, *_cells(one[key], other[key]))
    for name in [name for name in a["numbers"] if name in b["numbers"]]:
        yield (name, "", *_cells(a["numbers"][name], b["numbers"][name]))


def _cells(a: float, b: float) -> tuple[str, str, str]:
    ratio = f"{b / a:.3f}" if a else ("1.000" if a == b else "–")
    return f"{a:.4g}", f"{b:.4g}", ratio
