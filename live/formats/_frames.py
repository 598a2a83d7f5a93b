"""Poses of a take as evenly spaced frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from live.errors import BadFile
from live.take import Take

LONGEST = 86_400.0
"""Seconds."""
LEFT_OUT, SPARE = 10, 36_000
"""A take may lack nine of ten poses, and ten minutes of them in a row: an hour that a few poses claim is not filled."""


def evenly(take: Take) -> NDArray[np.intp]:
    """Index of the record that stands for each frame from the first pose to the last: one left out repeats its
    predecessor. `BadFile` where the take's times make no sense."""
    since = take.time - take.time[0]
    if not (np.diff(since) >= 0).all() or not since[-1] < LONGEST:
        raise BadFile("the take's times do not rise within a day: it is damaged")
    if since[-1] * take.frame_rate > LEFT_OUT * len(since) + SPARE:
        raise BadFile(f"the take holds {len(since)} poses of {since[-1]:.0f} s: it is damaged")
    slots = np.rint(since * take.frame_rate).astype(np.intp)
    return np.searchsorted(slots, np.arange(slots[-1] + 1), side="right") - 1
