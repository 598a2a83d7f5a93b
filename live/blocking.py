"""Who dances where, as the performer asks for it; led there a little at every pose, so that nobody jumps."""

from __future__ import annotations

from typing import Any

import numpy as np

from live.errors import Unusable
from live.glide import towards
from live.types import FRAME_RATE

WALK = 0.6
"""Metres a second at which marks move."""
ASSUMED = 120.0
"""BPM by which a canon is counted while no beat is known."""


class Blocking:
    """`radius` (m), `formation`, `spacing` (m), `dancing` and `canon` (beats, None: each their own dance) are what is
    asked for; `glide` moves `motion.staging` towards it."""

    def __init__(self, motion: Any, dancers: int, formation: str = "line", spacing: float = 1.5) -> None:
        self._motion, self._dancers = motion, dancers
        self.radius: float = motion.staging.radius
        self.formation, self.spacing, self.dancing = formation, spacing, dancers
        self.canon: float | None = None
        self._marks = motion.marks(formation, dancers, dancers, spacing)
        present = np.ones(dancers, np.float32)
        motion.staging = motion.staging._replace(marks=self._marks, present=present)
        self._arrived = True

    def ask(self, name: str, value: Any) -> None:
        """`value` for one of the attributes; `Unusable` where there are not so many dancers."""
        if name == "dancing":
            value = self._dancers if value is None else int(value)
            if value > self._dancers:
                raise Unusable(f"{value} dancers: the show has {self._dancers}")
        setattr(self, name, value)
        self._marks = self._motion.marks(self.formation, self.dancing, self._dancers, self.spacing)
        self._arrived = False

    def begin_at(self, marks: Any, present: Any, radius: float, canon: float, delay: float) -> None:
        """Begin on these marks [N], and with what is otherwise the stage of now, whatever is asked for."""
        self._motion.staging = self._motion.staging._replace(
            marks=marks, present=present, radius=radius, canon=canon, delay=delay
        )
        self._arrived = False

    def glide(self, seconds: float, bpm: float) -> None:
        """So many seconds of the way; a canon follows the tempo."""
        if self._arrived:
            return
        now = self._motion.staging
        canon, delay = self._canon(now, seconds, bpm)
        step = 0.7 * seconds
        new = now._replace(
            radius=towards(now.radius, self.radius, WALK * seconds),
            marks=_nearer(now.marks, self._marks, WALK * seconds),
            present=now.present + np.clip((np.arange(self._dancers) < self.dancing) - now.present, -step, step),
            canon=canon,
            delay=delay,
        )
        self._motion.staging = new
        same = all(np.array_equal(a, b) for a, b in zip(now, new, strict=True))
        self._arrived = same and self.canon is None

    def _canon(self, now: Any, seconds: float, bpm: float) -> tuple[float, float]:
        """The canon's share, and its delay in poses. While it has no share, the delay needs no gliding."""
        if self.canon is None:
            return towards(now.canon, 0.0, seconds), now.delay
        wanted = self.canon * 60.0 / (bpm or ASSUMED) * FRAME_RATE
        delay = towards(now.delay, wanted, 0.5 * seconds * FRAME_RATE) if now.canon > 0.0 else wanted
        return towards(now.canon, 1.0, seconds), delay


def _nearer(marks: Any, goal: Any, step: float) -> Any:
    """Marks on straight lines to the goal, all there at the same time, none by more than `step`."""
    left = goal - marks
    farthest = float(np.abs(left).max())
    return goal if farthest <= step else marks + left * np.float32(step / farthest)
