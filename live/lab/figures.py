"""From durations to what is told of them: percentiles, a histogram, the longest run of misses, the course of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from live.types import Float64

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9, "max": 100.0}
SCALES = {"ms": 1e3, "us": 1e6, "MB": 1.0}
"""Durations are given in seconds, sizes in MB."""
BINS = 60
SLICES = 400
"""Points of the course: the largest value in each slice of the time."""


def measured(
    given: Sequence[float] | Float64, unit: str = "ms", deadline: float | None = None, at: Float64 | None = None
) -> dict[str, Any]:
    """All that is told of durations (or sizes) [n], in `unit`.

    `deadline` (as given): those above it are misses. `at` [n]: when each was measured (s), for the course. Of nothing
    measured only the count is told.
    """
    values = np.asarray(given, np.float64) * SCALES[unit]
    told: dict[str, Any] = {"unit": unit, "count": len(values)}
    if not len(values):
        return told
    told |= {"mean": _short(values.mean())} | percentiles(values) | {"histogram": histogram(values)}
    if deadline is not None:
        missed = values > deadline * SCALES[unit]
        told["deadline"] = _short(deadline * SCALES[unit])
        told |= {"misses": int(missed.sum()), "longest_run_of_misses": longest_run(missed)}
    if at is not None:
        told["course"] = course(at, values)
    return told


def percentiles(values: Float64) -> dict[str, float]:
    """p50 to max of values [n >= 1]."""
    return {name: _short(np.percentile(values, share)) for name, share in PERCENTILES.items()}


def histogram(values: Float64) -> dict[str, list[float]]:
    """`BINS` bins between the smallest and the largest value: `edges` [BINS + 1] and `counts` [BINS].

    Edges are spaced evenly, or by ratio where the largest is over ten times the smallest.
    """
    low, high = float(values.min()), float(values.max())
    wide = low > 0.0 and high > 10.0 * low
    edges = np.geomspace(low, high, BINS + 1) if wide else np.linspace(low, max(high, low + 1e-9), BINS + 1)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return {"edges": [_short(edge) for edge in edges], "counts": [int(count) for count in counts]}


def longest_run(missed: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
    """How many misses [n] came one after the other at the most."""
    ends = np.flatnonzero(~np.concatenate([[False], missed, [False]]))
    return int(np.diff(ends).max() - 1)


def course(at: Float64, values: Float64) -> list[list[float]]:
    """[seconds since the first, largest value] of each slice of the time that holds any."""
    since = at - at[0]
    which = np.minimum((since / max(float(since[-1]), 1e-9) * SLICES).astype(int), SLICES - 1)
    points = []
    for one in np.unique(which):
        inside = which == one
        points.append([round(float(since[inside][0]), 3), _short(values[inside].max())])
    return points


def compared(value: float, limit: float, unit: str, least: bool = False) -> dict[str, Any]:
    """A measured value beside the limit that it must not exceed, or at `least` reach."""
    reached = value >= limit if least else value <= limit
    way = {"way": ">="} if least else {}
    return {"measured": _short(value), "limit": limit, "unit": unit, "reached": bool(reached)} | way


def _short(value: float) -> float:
    """Four figures behind the point, and at least four in all."""
    return round(float(value), 4) if abs(value) >= 1.0 else float(f"{float(value):.4g}")
