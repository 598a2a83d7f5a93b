"""Dances moved onto their beat."""

from dataclasses import replace

import numpy as np
import pytest

from live import rotation, skeleton
from live.bench import motion as measured
from live.keypoints import Keypoints
from live.train.dance import Dance
from live.train.quantise import quantised
from live.train.retarget import Motion
from live.types import FRAME_RATE

BPM = 150.0
LATE = np.random.default_rng(0).uniform(-0.15, 0.15, 60)
"""Seconds by which each move of the dance below ends before or after its beat."""


def dance() -> Dance:
    """Arms that swing from beat to beat, at rest near every beat, where `LATE` puts it."""
    t = np.arange(20 * FRAME_RATE) / FRAME_RATE
    beat = np.interp(t, np.arange(len(LATE)) * 60 / BPM + LATE, np.arange(len(LATE)))
    angle = 0.5 * np.cos(np.pi * beat)
    local = np.tile(rotation.IDENTITY, (len(t), skeleton.COUNT, 1)).astype(np.float32)
    for arm in ("leftUpperArm", "rightUpperArm"):
        local[:, skeleton.INDEX[arm], 2], local[:, skeleton.INDEX[arm], 3] = np.sin(angle / 2), np.cos(angle / 2)
    root = np.stack([0.3 * t, np.full(len(t), 0.9), 0 * t], 1).astype(np.float32)
    return Dance("swing", "swing", Motion(root, local), BPM)


def lock(motion: Motion) -> float:
    joints, _ = skeleton.forward_kinematics(*motion)
    moved = measured.motion_beats(measured.normalise(joints, FRAME_RATE))
    return measured.beat_lock(moved, np.arange(0, len(joints) / FRAME_RATE, 60 / BPM)).strength


def test_a_vague_dance_comes_onto_the_beat():
    before, after = dance().motion, quantised(dance()).motion
    assert lock(before) < 0.75 and lock(after) > 0.85


def test_nothing_is_danced_more_than_twice_as_fast_a_pass_nor_backward():
    walked = np.diff(quantised(dance()).motion.root_position[:, 0]) * FRAME_RATE / 0.3  # 1 as it was danced
    assert walked.min() > 0.2 and walked.max() < 5.0
    assert len(walked) == pytest.approx(20 * FRAME_RATE, abs=0.5 * FRAME_RATE)


def test_bad_sound_stays_with_the_motion_it_was_recorded_with():
    whole = dance()
    known = np.ones(len(whole.motion.root_position), bool)
    known[600:660] = False
    after = quantised(replace(whole, sound=known))
    where = after.motion.root_position[~after.sound, 0] / 0.3
    assert where.min() > 9.9 and where.max() < 11.1


def test_without_a_beat_or_a_body_nothing_changes():
    silent = replace(dance(), bpm=0.0)
    flat = replace(dance(), motion=Keypoints(np.zeros((60, 18, 2), np.float32), np.ones((60, 18), bool)))
    assert quantised(silent) is silent and quantised(flat) is flat


def test_a_dance_that_stands_still_stays_as_long():
    still = replace(dance(), motion=Motion(*(part[:1].repeat(300, 0) for part in dance().motion)))
    assert len(quantised(still).motion.root_position) == pytest.approx(300, abs=12)
