"""Values on their way to what was asked for, a little at every pose."""

from __future__ import annotations

# how fast each value goes, per second, on the way up and down
PACE = {
    "held": (10.0, 1.6),
    "neutral": (1.2, 0.7),
    "idle": (1.0, 3.0),
    "intensity": (1.5, 1.5),
    "lead": (0.2, 0.2),
    "style": (1.0, 1.0),
    "mirror": (0.8, 0.8),
    "temperature": (1.0, 1.0),
}


def towards(value: float, goal: float, step: float) -> float:
    """`value` nearer to `goal` by at most `step`."""
    return min(value + step, goal) if goal > value else max(value - step, goal)


def paced(name: str, value: float, goal: float, seconds: float) -> float:
    """`value` after so many seconds at the pace of `name`."""
    up, down = PACE[name]
    return towards(value, goal, seconds * (up if goal > value else down))
