"""The dancer's own count: steady where the tracker wavers, and soon where it is right."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.count import PATIENCE, Count, counted, danced, tempo
from live.types import BeatState

TICK = 1 / 30
ANY = (0.0, 1000.0)
WAVERING = 0.4
"""Confidence of a tracker that is not sure."""


def told(beats: float, bpm: float = 120.0, confidence: float = WAVERING, **more: float) -> BeatState:
    return BeatState(beats % 1.0, bpm, confidence, beat_count=int(beats), **more)


def listened(tracker, seconds: float, tempo_range=ANY) -> list[Count]:
    """The counts of each tick, where `tracker(t)` is what is told t seconds into the show."""
    counts = [counted(Count(), tracker(0.0), 0.0, tempo_range)]
    for tick in range(1, round(seconds / TICK)):
        counts.append(counted(counts[-1], tracker(tick * TICK), TICK, tempo_range))
    return counts


def steady(t: float) -> BeatState:
    return told(2.0 * t)


def apart(a: float, b: float) -> float:
    return abs((a - b + 0.5) % 1.0 - 0.5)


def test_nothing_is_counted_before_a_beat_is_told():
    count = counted(Count(), BeatState(), TICK, ANY)
    assert count == Count() and danced(count, BeatState(), 0.1) == BeatState()


def test_a_steady_beat_is_the_dancers_own():
    for tick, count in enumerate(listened(steady, 5.0)):
        assert apart(count.beats, 2.0 * tick * TICK) < 1e-9 and count.bpm == pytest.approx(120.0)


@pytest.mark.parametrize(
    ("aside", "since", "seconds"), [(0.5, 3.0, 0.5), (0.3, 3.0, 0.5), (-0.4, 3.0, 0.5), (0.5, 12.0, 4.0)]
)
def test_a_beat_that_jumps_aside_for_a_while_moves_no_dancer(aside, since, seconds):
    """The longer the two were in step, the longer the while."""

    def wavers(t: float) -> BeatState:
        return told(2.0 * t + (aside if since <= t < since + seconds else 0.0))

    for tick, count in enumerate(listened(wavers, since + 6.0)):
        assert apart(count.beats, 2.0 * tick * TICK) < 0.1


def test_a_beat_that_stays_aside_is_met_and_the_count_never_runs_back():
    counts = listened(lambda t: told(2.0 * t + (0.4 if t >= 3.0 else 0.0)), 12.0)
    assert apart(counts[-1].beats, 2.0 * (12.0 - TICK) + 0.4) < 0.05
    assert all(before.beats < after.beats for before, after in pairwise(counts))


@pytest.mark.parametrize("octave", [0.5, 2.0])
def test_a_tracker_that_changes_its_octave_changes_nothing(octave):
    counts = listened(lambda t: told(2.0 * t * (octave if t >= 3 else 1), 120 * (octave if t >= 3 else 1)), 6.0)
    assert {round(count.bpm) for count in counts} == {120}
    assert apart(counts[-1].beats, 2.0 * (6.0 - TICK)) < 1e-6


def test_a_tempo_at_the_end_of_the_range_keeps_its_octave():
    counts = listened(lambda t: told(1.85 * t, 111.0 + 3.0 * math.sin(9.0 * t)), 10.0, tempo_range=(112.0, 224.0))
    assert len({count.bpm > 160.0 for count in counts}) == 1


def test_a_tempo_well_beyond_the_range_is_danced_in_another_octave():
    slower = listened(lambda t: told(1.5 * t, 90.0), 1.0, tempo_range=(112.0, 224.0))
    assert slower[-1].bpm == pytest.approx(180.0)
    drifting = listened(lambda t: told(2.0 * t, 118.0 - 2.0 * t), 12.0, tempo_range=(112.0, 224.0))
    assert drifting[0].bpm == 118.0 and drifting[-1].bpm > 180.0


def test_another_tempo_is_taken_after_some_patience():
    counts = listened(lambda t: told(2.0 * t) if t < 3.0 else told(2.6 * t, 156.0), 6.0)
    waited = sum(count.bpm < 130.0 for count in counts[90:]) * TICK
    assert waited == pytest.approx(PATIENCE, abs=2 * TICK)
    assert counts[-1].bpm == pytest.approx(156.0) and apart(counts[-1].beats, 2.6 * (6.0 - TICK)) < 0.02


def test_a_tempo_told_for_a_moment_is_not_taken():
    counts = listened(lambda t: told(2.0 * t) if not 3.0 <= t < 3.5 else told(2.6 * t, 156.0), 6.0)
    assert {round(count.bpm) for count in counts} == {120}


def test_the_tempo_danced_is_told_in_the_octave_that_is_heard():
    dip = listened(lambda t: told(2.0 * t) if t < 3.0 else told(1.6 * t, 96.0), 3.5)[-1]
    assert tempo(dip, told(0.0, 96.0)) == pytest.approx(120.0)
    assert tempo(Count(7.0, 180.0), told(0.0, 90.0)) == 90.0 and tempo(Count(7.0, 100.0), told(0.0, 202.0)) == 200.0
    assert tempo(Count(), told(0.0, 90.0)) == 90.0 and tempo(Count(7.0, 100.0), BeatState()) == 0.0


def test_who_surely_knows_the_beat_is_followed_at_once():
    """In tempo at the next tick; in phase as fast as a dancer may run."""
    counts = listened(lambda t: told(2.0 * t) if t < 3.0 else told(2.6 * t, 156.0, confidence=0.9), 4.0)
    assert counts[90].bpm == 156.0 and apart(counts[90].beats, 2.6 * 3.0) < 1e-6
    moved = listened(lambda t: told(2.0 * t + (0.4 if t >= 3.0 else 0.0), confidence=0.9), 4.0)
    assert apart(moved[-1].beats, 2.0 * (4.0 - TICK) + 0.4) < 1e-6


def test_of_beats_twice_as_fast_the_nearer_is_taken():
    count = Count(beats=6.9, bpm=120.0)
    assert counted(count, told(0.9, 240.0, confidence=1.0), 0.0, ANY).beats == pytest.approx(6.95)
    assert counted(count._replace(beats=6.4), told(0.9, 240.0, confidence=1.0), 0.0, ANY).beats == pytest.approx(6.45)


def test_without_a_beat_the_count_goes_on():
    count = listened(steady, 3.0)[-1]
    assert counted(count, BeatState(), 1.0, ANY).beats == pytest.approx(count.beats + 2.0)


def test_the_dancer_is_ahead_by_the_lead():
    state = danced(Count(beats=6.9, bpm=120.0), told(6.9), 0.1)
    assert (state.phase, state.bar_phase) == (pytest.approx(0.1), pytest.approx(7.1 / 4 % 1.0))
    assert (state.beat_count, state.next_beat) == (7, pytest.approx(0.45))


@pytest.mark.parametrize("sure", [0.0, 0.01, 0.4])
def test_a_downbeat_that_may_be_wrong_turns_no_dance_round(sure):
    beat = BeatState(0.5, 120.0, 0.8, 0.3, sure, beat_count=5, beats_per_bar=3)
    state = danced(Count(5.5, 120.0), beat, 0.0)
    assert (state.bar_phase, state.bar_confidence, state.beats_per_bar) == (0.375, 0.1, 4)


@pytest.mark.parametrize("confidence", [1.0, 0.2])
def test_a_sure_downbeat_is_followed(confidence):
    beat = BeatState(0.5, 120.0, confidence, 1.5 / 3, 0.61 * confidence, beat_count=5, beats_per_bar=3)
    state = danced(Count(5.52, 120.0), beat, 0.0)
    assert (state.bar_phase, state.bar_confidence) == (pytest.approx(1.52 / 3), 0.61 * confidence)
    assert state.beats_per_bar == 3


def test_a_dance_of_its_own_metre_is_counted_in_that():
    beat = BeatState(0.5, 120.0, 1.0, 0.375, 0.9, beat_count=5, beats_per_bar=4)
    state = danced(Count(5.5, 120.0), beat, 0.0, own=3)
    assert (state.bar_phase, state.bar_confidence, state.beats_per_bar) == (pytest.approx(2.5 / 3), 0.1, 3)


def test_a_sure_bar_of_the_metre_of_the_dance_is_followed():
    beat = BeatState(0.5, 120.0, 1.0, 1.5 / 3, 0.9, beat_count=5, beats_per_bar=3)
    state = danced(Count(5.52, 120.0), beat, 0.0, own=3)
    assert (state.bar_phase, state.bar_confidence) == (pytest.approx(1.52 / 3), 0.9)


def test_a_sure_bar_is_halved_where_the_beat_is_doubled():
    beat = BeatState(0.75, 120.0, 1.0, 0.6875, 0.9, beat_count=2)
    assert danced(Count(5.5, 240.0), beat, 0.0).bar_phase == pytest.approx(0.375)


def test_a_beat_that_fades_is_danced_ever_less_surely():
    assert danced(Count(5.5, 120.0), told(5.5, confidence=0.3), 0.0).confidence == 1.0
    assert danced(Count(5.5, 120.0), told(5.5, confidence=0.01), 0.0).confidence == pytest.approx(0.2)


RANGES = st.sampled_from([ANY, (112.0, 224.0), (75.0, 150.0)])
BEATS = st.builds(
    BeatState, st.floats(0.0, 0.999), st.floats(0.0, 400.0), st.floats(0.0, 1.0), st.floats(0.0, 0.999),
    st.floats(0.0, 1.0), beat_count=st.integers(0, 9), beats_per_bar=st.sampled_from([3, 4]),
)  # fmt: skip


@given(st.lists(st.tuples(BEATS, st.floats(0.0, 2.0)), max_size=30), RANGES)
def test_whatever_is_told_a_beat_comes_out(told_ones, tempo_range):
    count = Count()
    for beat, seconds in told_ones:
        count = counted(count, beat, seconds, tempo_range)
        state = danced(count, beat, 0.05)
        assert 0.0 <= state.phase < 1.0 and 0.0 <= state.bar_phase < 1.0 and 0.0 <= state.confidence <= 1.0
        assert math.isfinite(count.beats) and count.bpm < 1000.0
