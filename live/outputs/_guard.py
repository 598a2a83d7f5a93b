"""The last gate before the wire: a pose with a bad number in it is counted and dropped, never sent.

Receivers trust what they read (one NaN tears a mesh apart for good), so every output asks here first. Costs about 5
microseconds: sums of squares are one BLAS call each, and carry any NaN or infinity to a single test.
"""

from __future__ import annotations

import math

import numpy as np

from live import skeleton
from live.types import Pose, Signals

UNIT_TOLERANCE = 1e-3
"""Largest difference of a quaternion's squared length from 1."""
LONGEST = 5e8
"""Seconds or counts from which on a number is taken for damage (differences of such must fit OSC's int32)."""


def body_fault(pose: Pose, dancers: int) -> str:
    """What is wrong with the numbers of the bodies, empty when nothing is."""
    if dancers < 1:
        return "the output is not open"
    quaternions = pose.local_rotations
    if quaternions.shape != (dancers, skeleton.COUNT, 4) or pose.joint_positions.shape != (dancers, skeleton.COUNT, 3):
        return f"pose of shape {quaternions.shape} where {dancers} dancers of {skeleton.COUNT} bones were opened"
    reach = float(np.vdot(pose.root_position, pose.root_position))
    reach += float(np.vdot(pose.joint_positions, pose.joint_positions))
    if not math.isfinite(reach) or not abs(pose.show_time) < LONGEST:
        return f"pose {pose.sequence} is not finite"
    off = np.einsum("nbi,nbi->nb", quaternions, quaternions) - 1.0
    if not np.vdot(off, off) < UNIT_TOLERANCE**2:  # the sum over bones, so no single one is further off; NaN fails too
        return f"pose {pose.sequence} has a quaternion that is not unit"
    return ""


def moment_fault(pose: Pose) -> str:
    """What is wrong with the times and the beat, empty when nothing is."""
    beat = pose.beat
    numbers = (pose.capture_time, pose.play_time, beat.phase, beat.bpm, beat.confidence, beat.beat_count)
    for number in (*numbers, beat.bar_phase, beat.bar_confidence, pose.level):
        if not abs(number) < LONGEST:
            return f"pose {pose.sequence} has a time or beat that is not finite"
    return ""


def signals_fault(signals: Signals) -> str:
    """What is wrong with the signals, empty when nothing is."""
    *numbers, event = signals
    age = event.age if event.number else 0.0
    good = all(abs(number) < LONGEST for number in (*numbers, event.strength, event.number, age))
    return "" if good else "a signal is not finite"
