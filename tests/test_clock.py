"""Virtual time, and the clock of samples counted."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from live.clock import HostClock, SampleClock, VirtualClock

RATE = 48_000
FRAME = 800


def reads(
    seconds: float, late: float = 0.040, drift: float = 100e-6, sizes: tuple[int, ...] = (256, 512, 1024, 2048)
) -> Iterator[tuple[int, float, float]]:
    """(samples so far, host time of the read, true time) of a card that drifts and whose reads come late."""
    random = np.random.default_rng(7)
    count, read_at = 0, 0.0
    while True:
        count += int(random.choice(sizes))
        true = count / (RATE * (1.0 + drift))
        if true > seconds:
            return
        read_at = max(true + random.uniform(0.0, late), read_at)
        yield count, read_at, true


def frame_times(clock: SampleClock, observations: Iterator[tuple[int, float, float]], after: float) -> list[float]:
    """When each feature frame was captured, told as soon as its last sample is there."""
    times, next_frame = [], FRAME
    for count, read_at, true in observations:
        clock.observe(count, read_at)
        while next_frame <= count:
            if true > after:
                times.append(clock.time_of(next_frame))
            next_frame += FRAME
    return times


def test_virtual_clock_jumps_to_deadlines_and_never_back() -> None:
    clock = VirtualClock(3.0)
    clock.sleep_until(5.0)
    clock.sleep_until(4.0)
    assert clock.now() == 5.0


def test_host_clock_does_not_wait_for_a_deadline_that_passed() -> None:
    clock = HostClock()
    before = clock.now()
    clock.sleep_until(before - 100.0)
    assert clock.now() >= before


@pytest.mark.parametrize("sizes", [(256,), (2048,), (256, 512, 1024, 2048)])
def test_bursts_late_by_40_ms_move_no_frame_interval_by_a_millisecond(sizes: tuple[int, ...]) -> None:
    times = frame_times(SampleClock(RATE), reads(120.0, sizes=sizes), after=5.0)
    assert np.abs(np.diff(times) - 1 / 60).max() < 0.001


def test_it_follows_a_drifting_card_for_an_hour() -> None:
    clock = SampleClock(RATE)
    error = [
        clock.time_of(count) - true
        for count, _, true in _observed(clock, reads(3600.0, sizes=(2048,), drift=100e-6))
        if true > 20.0
    ]
    assert max(error) - min(error) < 0.020  # without following, 100 ppm are 360 ms
    assert clock.rate == pytest.approx(RATE * (1 + 100e-6), rel=1e-3)


def _observed(
    clock: SampleClock, observations: Iterator[tuple[int, float, float]]
) -> Iterator[tuple[int, float, float]]:
    for count, read_at, true in observations:
        clock.observe(count, read_at)
        yield count, read_at, true


def test_frame_times_never_run_backwards() -> None:
    assert np.diff(frame_times(SampleClock(RATE), reads(60.0), after=0.0)).min() > 0.0


def test_one_reader_held_up_for_200_ms_moves_no_frame_by_a_millisecond() -> None:
    held = ((n, 20.2 if 20.0 < read < 20.2 else read, true) for n, read, true in reads(40.0))
    assert np.abs(np.diff(frame_times(SampleClock(RATE), held, after=5.0)) - 1 / 60).max() < 0.001


def test_a_reader_held_up_for_a_third_of_a_second_does_not_restart_it() -> None:
    held = ((n, 20.3 if 20.0 < read < 20.3 else read, true) for n, read, true in reads(40.0))
    assert np.abs(np.diff(frame_times(SampleClock(RATE), held, after=5.0)) - 1 / 60).max() < 0.001


def test_a_gap_that_stays_relocks() -> None:
    clock = SampleClock(RATE)
    shifted = ((n, read + (2.0 if true > 10.0 else 0.0), true) for n, read, true in reads(12.0))
    for count, _, true in _observed(clock, shifted):
        last = clock.time_of(count) - true
    assert 2.0 <= last < 2.060


def test_a_loss_under_the_relock_is_caught_up_without_a_jump() -> None:
    shifted = [(n, read + (0.2 if true > 10.0 else 0.0), true) for n, read, true in reads(60.0)]
    clock = SampleClock(RATE)
    times = frame_times(clock, iter(shifted), after=5.0)
    assert np.abs(np.diff(times) - 1 / 60).max() < 0.001
    count, _, true = shifted[-1]
    assert clock.time_of(count) - true == pytest.approx(0.22, abs=0.02)


def test_sample_at_is_the_inverse_of_time_of() -> None:
    clock = SampleClock(RATE)
    for count, read_at, _ in reads(3.0):
        clock.observe(count, read_at)
    assert clock.sample_at(clock.time_of(123_456.0)) == pytest.approx(123_456.0, abs=1e-3)


def test_before_any_observation_it_knows_no_time() -> None:
    clock = SampleClock(RATE)
    assert not clock.locked and math.isnan(clock.time_of(0))


def test_observing_the_same_count_twice_changes_nothing() -> None:
    clock = SampleClock(RATE)
    clock.observe(1000, 1.0)
    clock.observe(1000, 1.01)
    assert clock.time_of(1000) == 1.0
