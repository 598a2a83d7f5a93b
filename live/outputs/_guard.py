"""The last gate before the wire: a pose with a bad number in it is counted and dropped, never sent.

Receivers trust what they read (one NaN tears a mesh apart for good), so every output asks here first. Costs a few
microseconds: sums of squares are one BLAS call each, and carry any NaN or infinity to a single test.
"""

from __future__ import annotations

import math

import numpy as np

from live import skeleton
from live.types import Float32, Pose, Signals

UNIT_TOLERANCE = 1e-3
"""Largest difference of a quaternion's squared length from 1."""
ONES: Float32 = np.ones(4, np.float32)
LONGEST = 5e8
"""Seconds or counts from which on a number is taken for damage (differences of such must fit OSC's int32)."""


def body_fault(pose: Pose, dancers: int) -> str:
    """What is wrong with the numbers of the bodies, empty when nothing is."""
    if dancers < 1:
        return "the output is not open"
    quaternions = pose.local_rotations
    if quaternions.shape != (dancers, skeleton.COUNT, 4) or pose.joint_positions.shape != (dancers, skeleton.COUNT, 3):
        return f"pose of shape {quaternions.shape} where {dancers} dancers of {skeleton.COUNT} bones were opened"
    if not math.isfinite(_squares(pose.root_position) + _squares(pose.joint_positions)):
        return f"pose {pose.sequence} is not finite"
    if not abs(pose.show_time) < LONGEST:
        return f"pose {pose.sequence} is at no time of a show"
    if not _squares(quaternions) < 2.0 * dancers * skeleton.COUNT or not _are_unit(quaternions):
        return f"pose {pose.sequence} has a quaternion that is not unit"
    return ""


def _squares(values: Float32) -> float:
    """Their sum, NaN or infinite where one of them is, or is far beyond use."""
    return float(np.vdot(values, values))


def _are_unit(quaternions: Float32) -> bool:
    off = np.square(quaternions) @ ONES - 1.0
    return _squares(off) < UNIT_TOLERANCE**2  # the sum over bones, so no single one is further off


def moment_fault(pose: Pose) -> str:
    """What is wrong with the times and the beat, empty when nothing is."""
    beat = pose.beat
    times = math.hypot(pose.capture_time, pose.play_time, pose.level)
    numbers = math.hypot(beat.phase, beat.bpm, beat.confidence, beat.beat_count, beat.bar_phase, beat.bar_confidence)
    return "" if times + numbers < LONGEST else f"pose {pose.sequence} has a time or beat that is not finite"


def signals_fault(signals: Signals) -> str:
    """What is wrong with the signals, empty when nothing is."""
    *numbers, event = signals
    age = event.age if event.number else 0.0
    good = math.hypot(*numbers, event.strength, event.number, age) < LONGEST
    return "" if good else "a signal is not finite"
