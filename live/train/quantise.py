"""A dance's accents moved onto its beat, as a sequencer quantises notes.

Dancers are on the beat only now and then: the lock of the salsa dancers on their own grid is 0.43, and a generator that
learns from them learns to be as vague. Here the motion beats, minima of the mean joint speed, become anchors of a
smooth, rising map of time (a monotone cubic, Fritsch and Carlson 1980) that carries each to the nearest beat, where no
stretch between two anchors need be played more than `STEEPEST` times as fast or as slow.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.interpolate import PchipInterpolator

from live import skeleton
from live.bench import motion as measured
from live.train.dance import Dance
from live.train.retarget import Motion, played
from live.types import FRAME_RATE, Float64

STEEPEST = 2.0
"""How much faster or slower the dance may be played to be on the beat."""
CLOSEST = 0.05
"""Seconds between two anchors at least."""
PASSES = 2
"""A dance played faster here and slower there has its minima elsewhere, a little: done again, they lie nearer."""


def quantised(dance: Dance) -> Dance:
    """The dance with its motion beats on its own grid; as it is where it has no grid, or is made of keypoints."""
    if dance.bpm <= 0.0 or not isinstance(dance.motion, Motion):
        return dance
    motion, sound = dance.motion, dance.sound
    for _ in range(PASSES):
        at = _times(motion, dance) * FRAME_RATE
        motion = played(motion, at)
        sound = None if sound is None else sound[np.round(at).astype(int)]
    return replace(dance, motion=motion, sound=sound)


def _times(motion: Motion, dance: Dance) -> Float64:
    """For each frame to come, the second of `motion` that it shows."""
    joints, _ = skeleton.forward_kinematics(*motion)
    moved = measured.motion_beats(measured.normalise(joints, FRAME_RATE))
    beats = np.round(dance.count_at_start + moved * dance.bpm / 60.0)
    end, shown, of = (len(joints) - 1) / FRAME_RATE, [0.0], [0.0]
    for goal, source in zip((beats - dance.count_at_start) * 60.0 / dance.bpm, moved, strict=True):
        ahead, covered = goal - shown[-1], source - of[-1]
        if min(ahead, covered) > CLOSEST and 1 / STEEPEST < covered / ahead < STEEPEST:
            shown.append(float(goal))
            of.append(float(source))
    shown.append(shown[-1] + max(end - of[-1], CLOSEST))
    of.append(max(end, of[-1] + CLOSEST))
    return np.minimum(PchipInterpolator(shown, of)(np.arange(0.0, shown[-1], 1 / FRAME_RATE)), end)
