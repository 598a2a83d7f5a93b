"""A loop that cannot keep up: poses are extrapolated, load is left out in the stated order, and comes back."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeGenerator, FakeOutput, Stage, performed

from live.clock import VirtualClock
from live.load import CALM, RARELY, Load, extrapolated
from live.pace import PERIOD
from live.types import FRAME_RATE


class SlowGenerator(FakeGenerator):
    """Each tick takes so many seconds while `slow` says so, a tenth where only the first dancer is awake."""

    dancers = awake = 3

    def __init__(self, clock, takes, slow=lambda: True):
        super().__init__()
        self.clock, self.takes, self.slow, self.awakes = clock, takes, slow, []

    def step(self, features, tick, state):
        self.awakes.append(self.awake)
        self.clock.time += self.takes * self.slow() * (self.awake / self.dancers)
        return super().step(features, tick, state)


def overloaded(takes, seconds, slow=lambda clock: True):
    """A stage whose generator takes so long; its third output is a picture."""
    clock = VirtualClock(1000.0)
    stage = Stage(clock=clock, outputs=[picture := FakeOutput(clock)])
    picture.picture = True
    stage.generator = stage.engine._generator = SlowGenerator(clock, takes, lambda: slow(clock))
    stage.engine.run(seconds)
    return stage, picture


def test_a_loop_in_time_extrapolates_nothing():
    assert performed(5.0).ledger.extrapolated == 0


def test_a_late_tick_is_extrapolated_and_the_poses_go_on():
    stage = performed(3.0, takes={60: 0.1})
    assert 1 <= stage.ledger.extrapolated <= 3
    assert len(stage.poses) == 180 and stage.ledger.ticks == 90
    assert stage.ledger.recoveries == []


def test_what_was_heard_meanwhile_reaches_the_next_tick():
    stage = performed(3.0, takes={60: 0.1})
    assert max(stage.features.pools) >= 4


def test_a_generator_that_is_always_too_slow_still_gives_every_pose():
    stage, _ = overloaded(0.045, 5.0)
    assert len(stage.poses) == 300
    assert max(np.diff(stage.output.sent_at)) < 4 * PERIOD


def test_load_is_left_out_in_its_order_and_told():
    stage, picture = overloaded(0.2, 8.0)
    told = [line.partition("left out: ")[2] for line in stage.ledger.recoveries if "left out" in line]
    assert told[:2] == ["pictures and rehearsals", "pictures and rehearsals, extra dancers"]
    assert len(picture.poses) < len(stage.poses) / 2
    assert 1 in stage.generator.awakes
    assert stage.ledger.recoveries[-1].endswith(f"{stage.ledger.extrapolated} late ticks were extrapolated in all")


def test_what_was_left_out_comes_back_by_itself():
    stage, picture = overloaded(0.2, 40.0, slow=lambda clock: clock.time < 1004.0)
    assert any("back again" in line for line in stage.ledger.recoveries)
    assert stage.engine._load.level == 0 and stage.generator.awake == 3
    assert np.diff([pose.sequence for pose in picture.poses[-30:]]).max() == 1


def test_a_picture_gets_one_pose_in_six_while_pictures_are_left_out():
    _, picture = overloaded(0.2, 8.0)
    left_out = [pose.sequence for pose in picture.poses[-5:]]
    assert set(np.diff(left_out)) == {RARELY}


def test_what_did_not_last_comes_back_later():
    load, waits = Load(), []
    for _ in range(3):
        while not load.slot(True):
            pass
        slots = 1
        while not load.slot(False):
            slots += 1
        waits.append(slots / FRAME_RATE)
    assert waits == pytest.approx([CALM, 2 * CALM, 4 * CALM])


def test_an_extrapolated_movement_goes_on_and_runs_out():
    raw = np.zeros((1, 2, 3), np.float32)
    raw[0, 1] = 1.0
    ways = []
    for _ in range(20):
        raw = extrapolated(raw)
        ways.append(raw[0, -1, 0])
    assert ways[0] > 1.5 and np.all(np.diff(ways) >= 0) and ways[-1] == pytest.approx(ways[-2], abs=1e-3)


def test_one_pose_a_tick_is_held():
    raw = np.ones((2, 1, 3), np.float32)
    np.testing.assert_array_equal(extrapolated(raw), raw)
