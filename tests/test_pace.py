"""Pose slots: one per feature frame for hours, gliding back into phase, carried on without sound."""

from __future__ import annotations

import math

import numpy as np
import pytest

from live.pace import PERIOD, PoseClock
from live.types import FRAME_RATE, HOP, SAMPLE_RATE

STEP = 0.00017
"""Seconds that nobody sees a slot move by."""


class Sound:
    """A sound card whose clock runs `drift` too fast, begun at host time `origin`."""

    def __init__(self, origin=100.0, drift=0.0):
        self.origin, self.rate = origin, SAMPLE_RATE * (1.0 + drift)
        self.lost = False

    def capture_time(self, sample):
        return math.nan if self.lost else self.origin + sample / self.rate

    def frames(self, time):
        """Feature frames whole by `time`; a fraction."""
        return (time - self.origin) * self.rate / HOP


def paced(sound, margin=0.0):
    return PoseClock(sound.capture_time, lambda: margin)


def slots(clock, count):
    return np.array([clock.next() for _ in range(count)])


@pytest.mark.parametrize("drift", [-300e-6, 85e-6, 300e-6])
def test_one_slot_is_one_frame_for_an_hour_though_the_card_drifts(drift):
    sound = Sound(drift=drift)
    clock = paced(sound)
    first = sound.frames(clock.start(200.0))
    after = np.array([sound.frames(due) for due in slots(clock, 3600 * FRAME_RATE)])
    assert np.abs(after - first - np.arange(1, len(after) + 1)).max() < 0.02


def test_a_slot_comes_the_margin_after_a_frame_is_whole():
    sound = Sound()
    clock = paced(sound, margin=0.005)
    clock.start(123.4567)
    late = sound.frames(slots(clock, 600)[-1] - 0.005)
    assert late == pytest.approx(round(late), abs=1e-6)


def test_the_first_slot_is_the_next_frame_boundary():
    clock = paced(Sound(origin=100.0))
    due = clock.start(200.004)
    assert 200.004 <= due < 200.004 + PERIOD
    assert (due - 100.0) * FRAME_RATE == pytest.approx(round((due - 100.0) * FRAME_RATE), abs=1e-6)


@pytest.mark.parametrize("jump", [0.004, -0.004, 0.0082, 1.2345])
def test_after_a_jump_slots_glide_back_into_phase(jump):
    sound = Sound()
    clock = paced(sound)
    clock.start(200.0)
    slots(clock, 60)
    sound.origin += jump
    glide = slots(clock, 5 * FRAME_RATE)
    late = sound.frames(glide[-1])
    assert late == pytest.approx(round(late), abs=1e-3)


@pytest.mark.parametrize("jump", [0.004, -0.004, 0.0082, 1.2345])
def test_no_slot_moves_visibly_while_gliding(jump):
    sound = Sound()
    clock = paced(sound)
    before = clock.start(200.0)
    sound.origin += jump
    intervals = np.diff([before, *slots(clock, 5 * FRAME_RATE)])
    assert np.abs(intervals - PERIOD).max() < STEP


def test_a_margin_that_changes_is_glided_to():
    sound, margin = Sound(), 0.0
    clock = PoseClock(sound.capture_time, lambda: margin)
    before = clock.start(200.0)
    margin = 0.006
    glide = slots(clock, 5 * FRAME_RATE)
    assert sound.frames(glide[-1] - 0.006) == pytest.approx(round(sound.frames(glide[-1] - 0.006)), abs=1e-3)
    assert np.abs(np.diff([before, *glide]) - PERIOD).max() < STEP


@pytest.mark.parametrize("unknown", [math.nan, math.inf])
def test_without_a_capture_time_the_host_clock_carries_on(unknown):
    clock = PoseClock(lambda sample: unknown, lambda: 0.0)
    due = clock.start(50.0)
    np.testing.assert_allclose(slots(clock, 600), due + PERIOD * np.arange(1, 601), rtol=0, atol=1e-9)
    assert due == 50.0


def test_a_capture_time_that_gets_lost_for_a_while_moves_no_slot_visibly():
    sound = Sound(drift=200e-6)
    clock = paced(sound)
    due = [clock.start(200.0)]
    for sound.lost in (False, True, False):
        due += slots(clock, 600).tolist()
    assert np.abs(np.diff(due) - PERIOD).max() < STEP


def test_a_stall_passes_over_the_slots_it_missed():
    clock = paced(Sound())
    due = clock.start(200.0)
    assert clock.skip_to(due + 10.5 * PERIOD) == 10
    assert clock.due == pytest.approx(due + 10 * PERIOD)


def test_nothing_is_skipped_before_the_slot_is_due():
    clock = paced(Sound())
    due = clock.start(200.0)
    assert clock.skip_to(due - 3.0) == 0 and clock.due == due
