"""What a watchdog goes by: when an engine is dead, and when the next one has to wait."""

from __future__ import annotations

import math

import pytest

from live.watch import ENTERING, HOLD, HUNG, LONGEST_HOLD, SHORT_LIFE, Lives, Pulse


def looked(pulse, counts, begin=1000.0, every=0.01):
    """Times at which it takes the engine for hung, of looks that find so many poses."""
    return [round(n * every, 3) for n, count in enumerate(counts) if pulse.look(count, begin + n * every)]


def test_an_engine_that_sends_poses_never_hangs():
    assert looked(Pulse(0, 1000.0), range(1, 500)) == []


def test_an_engine_without_a_pose_is_noticed_within_a_quarter_of_a_second():
    alive = list(range(1, 101))
    noticed = looked(Pulse(0, 1000.0), alive + [100] * 100)
    assert HUNG - 1e-6 <= noticed[0] - 0.99 < 0.25


def test_the_first_pose_may_take_longer():
    noticed = looked(Pulse(5, 1000.0), [5] * 200)
    assert noticed[0] == pytest.approx(ENTERING, abs=0.02)


def test_a_watchdog_that_was_held_up_itself_blames_nobody():
    pulse = Pulse(0, 1000.0)
    assert not pulse.look(1, 1000.1)
    assert not pulse.look(1, 1003.0)
    assert not pulse.look(1, 1003.09)
    assert not pulse.look(2, 1003.18)


def test_an_engine_that_lived_long_is_followed_at_once():
    lives = Lives()
    assert [lives.ended(60.0, 1000.0 + n) for n in range(5)] == [-math.inf] * 5


def test_a_crash_loop_is_held_for_ever_longer():
    lives = Lives()
    assert [lives.ended(1.0, 0.0), lives.ended(1.0, 0.0)] == [-math.inf] * 2
    holds = [lives.ended(1.0, 0.0) for _ in range(8)]
    assert holds[:4] == [HOLD, 2 * HOLD, 4 * HOLD, 8 * HOLD] and holds[-1] == LONGEST_HOLD


def test_a_long_life_ends_a_crash_loop():
    lives = Lives()
    for _ in range(5):
        lives.ended(1.0, 0.0)
    lives.ended(SHORT_LIFE + 1.0, 0.0)
    assert [lives.ended(1.0, 0.0) for _ in range(3)] == [-math.inf, -math.inf, HOLD]
