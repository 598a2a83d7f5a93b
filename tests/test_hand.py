"""The performer's hand: honoured at once in the tempo, gliding in the phase, and invisible where it does not lie."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live.count import Count, danced
from live.errors import Unusable
from live.grip import SLEW
from live.hand import Hand
from live.types import SAMPLE_RATE, BeatState

HOP = 480


class Grid:
    """A tracker that knows beats at `bpm` from the first sample on, bars of four, and nothing until `deaf` seconds."""

    latency = 0.01

    def __init__(self, bpm=120.0, bar_confidence=0.8, confidence=0.9, deaf=0.0):
        self.bpm, self.bar_confidence, self.confidence, self.deaf = bpm, bar_confidence, confidence, deaf
        self.samples, self.shift = 0, 0.0

    def hear(self, samples):
        self.samples += len(samples)

    def now(self):
        if self.samples / SAMPLE_RATE < self.deaf:
            return BeatState()
        beats = self.samples / SAMPLE_RATE * self.bpm / 60.0 + self.shift
        count = math.floor(beats)
        period = 60.0 / self.bpm
        return BeatState(beats - count, self.bpm, self.confidence, beats / 4 % 1.0, self.bar_confidence,
                         (1 - beats + count) * period, count)  # fmt: skip


def play(hand, seconds, hop=HOP):
    """The states after every `hop` samples."""
    states = []
    for _ in range(round(seconds * SAMPLE_RATE / hop)):
        hand.hear(np.zeros(hop, np.float32))
        states.append(hand.now())
    return states


def positions(states):
    return np.array([s.beat_count + s.phase for s in states])


def off(a, b):
    """Beats between two phases."""
    return abs((a - b + 0.5) % 1.0 - 0.5)


def gentle(states):
    """True when the phase moves on in every step, at most `SLEW` faster than its tempo, and the count never falls."""
    steps, tempo = np.diff(positions(states)), np.array([s.bpm for s in states[1:]]) / 60.0 * HOP / SAMPLE_RATE
    return bool(np.all(steps > 0.0) and np.all(steps <= (1.0 + SLEW) * tempo + 1e-9))


def laid_on(act, bpm=120.0, before=2.13, after=6.0, **about):
    """A hand, and the states around `act(hand)`; the last one before it leads."""
    hand = Hand(Grid(bpm, **about))
    last = play(hand, before)[-1:]
    act(hand)
    return hand, last + play(hand, after)


ACTS = {
    "double": Hand.double,
    "half": Hand.half,
    "later": lambda hand: hand.nudge(0.2),
    "earlier": lambda hand: hand.nudge(-0.2),
    "lock": lambda hand: hand.lock(133.0),
    "downbeat": Hand.downbeat,
    "tap": Hand.tap,
}


def test_without_a_hand_the_states_are_the_trackers_own():
    hand, tracker = Hand(Grid(97.3)), Grid(97.3)
    assert play(hand, 4.0) == play(tracker, 4.0)
    assert hand.latency == tracker.latency


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_the_phase_glides_and_the_count_never_falls(act):
    _, states = laid_on(act)
    assert gentle(states)


@pytest.mark.parametrize(("act", "bpm"), [(Hand.double, 240), (Hand.half, 60), (lambda h: h.lock(133), 133)])
def test_the_tempo_is_honoured_at_once(act, bpm):
    hand = Hand(Grid(120))
    play(hand, 1.0)
    act(hand)
    assert hand.now().bpm == pytest.approx(bpm)


@pytest.mark.parametrize(("act", "factor"), [(Hand.double, 2), (Hand.half, 0.5)])
def test_doubled_and_halved_beats_fall_on_the_trackers(act, factor):
    hand, states = laid_on(act)
    beats = hand.tracker.samples / SAMPLE_RATE * 2.0
    assert off(states[-1].phase, beats * factor) < 1e-6


def test_halved_twice_and_doubled_twice_is_the_trackers_beat_again():
    def there_and_back(hand):
        for act in (hand.half, hand.half, hand.double, hand.double):
            act()

    hand, states = laid_on(there_and_back)
    assert off(states[-1].phase, hand.tracker.now().phase) < 1e-6


def test_half_a_beat_is_glided_away_within_about_a_beat():
    hand, states = laid_on(lambda hand: hand.nudge(0.24))
    after_a_beat = states[1 + round(0.5 / 0.01)]
    assert off(after_a_beat.phase, (hand.tracker.bpm / 60) * (2.13 + 0.51 - 0.24)) < 0.01


@pytest.mark.parametrize("seconds", [0.1, -0.15])
def test_a_nudge_moves_the_beats_later_by_its_seconds(seconds):
    hand, states = laid_on(lambda hand: hand.nudge(seconds))
    assert off(states[-1].phase, hand.tracker.now().phase - seconds * 2.0) < 1e-6


def test_the_next_beat_is_foretold_while_it_glides():
    _, states = laid_on(lambda hand: hand.nudge(-0.2))
    told = states[1].next_beat
    came = next(k for k, s in enumerate(states) if s.beat_count > states[1].beat_count)
    assert (came - 1) * 0.01 == pytest.approx(told, abs=0.0101)


def test_taps_say_tempo_and_beat():
    hand = Hand(Grid(deaf=1e9))
    for time in (1.0, 1.6, 2.2, 2.8):
        play(hand, time - hand._heard / SAMPLE_RATE)
        hand.tap(time)
    now = hand.now()
    assert (now.bpm, now.confidence) == (pytest.approx(100.0), pytest.approx(0.9))
    assert off(play(hand, 3.0)[-1].phase, 0.0) < 1e-3  # five beats after the last tap


def test_taps_that_arrive_late_count_for_when_they_were_made():
    hand = Hand(Grid(deaf=1e9))
    play(hand, 2.0)
    for time in (0.6, 1.1, 1.6):
        hand.tap(time)
    assert off(hand.now().phase, (2.0 - 1.6) / 0.5) < 0.01


def test_one_tap_puts_the_beat_there():
    hand = Hand(Grid(120))
    play(hand, 2.1)
    hand.tap()
    assert off(play(hand, 2.0)[-1].phase, 0.0) < 1e-6


def test_a_bouncing_tap_counts_once_and_a_pause_begins_anew():
    hand = Hand(Grid(deaf=1e9))
    play(hand, 10.0)
    for time in (1.0, 1.05, 1.5, 8.0, 8.6, 9.2):
        hand.tap(time)
    assert hand.now().bpm == pytest.approx(100.0)


def test_a_tracker_that_agrees_takes_over_from_the_taps_in_their_octave():
    hand = Hand(Grid(121.0))
    play(hand, 5.0)
    for k in range(5):
        hand.tap(2.0 + k * 0.25)  # 240 BPM
    assert hand.now().bpm == pytest.approx(240.0)
    states = play(hand, 10.0)
    assert states[-1].bpm == pytest.approx(242.0) and gentle(states)


def test_a_tracker_on_the_off_beat_stays_corrected():
    hand = Hand(Grid(120.0))
    play(hand, 4.0)
    for k in range(4):
        hand.tap(2.25 + k * 0.5)
    play(hand, 12.0)
    assert hand._grip is not None and hand._grip.bpm == 0.0
    assert off(hand.now().phase, hand.tracker.now().phase + 0.5) < 1e-3


def test_a_locked_tempo_stays_whatever_the_tracker_says():
    hand, _ = laid_on(lambda hand: hand.lock(125.0))
    hand.tracker.bpm, hand.tracker.confidence = 171.0, 0.1
    states = play(hand, 5.0)
    assert states[-1].bpm == pytest.approx(125.0) and min(s.confidence for s in states) == 0.9
    assert np.diff(positions(states)) == pytest.approx(125 / 60 * 0.01)


def test_unlocked_it_follows_the_tracker_in_the_nearest_octave():
    hand, _ = laid_on(lambda hand: hand.lock(230.0), bpm=120.0)
    hand.lock(None)
    assert play(hand, 3.0)[-1].bpm == pytest.approx(240.0)


@pytest.mark.parametrize("bpm", [0.0, -3.0, 900.0, float("nan")])
def test_a_tempo_that_nobody_dances_is_refused(bpm):
    with pytest.raises(Unusable, match="lock to 20 to 400 BPM"):
        Hand(Grid()).lock(bpm)


def test_beat_one_is_where_the_hand_says():
    hand = Hand(Grid(120, bar_confidence=0.0))
    play(hand, 2.98)  # just before beat 6
    hand.downbeat()
    states = play(hand, 8.0)
    assert states[-1].bar_confidence == pytest.approx(0.9)
    beats = (2.98 + 8.0) * 2
    assert off(states[-1].bar_phase, (beats - 6) / 4) < 1e-6


@pytest.mark.parametrize("confidence", [0.9, 0.2])
def test_a_dancer_follows_the_hands_downbeat_and_no_doubtful_one(confidence):
    hand = Hand(Grid(120, bar_confidence=0.5 * confidence, confidence=confidence))
    states = play(hand, 2.0)
    count = Count(beats=40.25, bpm=120.0)
    assert danced(count, states[-1], 0.0).bar_phase == pytest.approx(0.0625)
    hand.downbeat()
    state = play(hand, 2.0)[-1]
    assert (
        off(danced(count, state, 0.0).bar_phase, state.bar_phase) < 0.13
    )  # half a beat, by which the count may be off
    assert danced(count, state, 0.0).bar_confidence == state.bar_confidence


@pytest.mark.parametrize("beat", [4, 5, 6, 7])
def test_a_bar_that_was_known_moves_without_a_jump_and_never_back(beat):
    hand = Hand(Grid(120))
    before = play(hand, beat / 2)[-1]
    hand.downbeat()
    states = [before, *play(hand, 4.0)]
    steps = np.diff([s.bar_phase for s in states]) % 1.0
    assert steps.max() <= (0.25 + SLEW) * 0.02 + 1e-9
    assert off(states[-1].bar_phase, ((beat / 2 + 4.0) * 2 - beat) / 4) < 1e-6


def test_halved_the_bars_one_stays_a_beat():
    hand = Hand(Grid(120))
    play(hand, 2.6)
    hand.downbeat()  # beat 5
    hand.half()
    play(hand, 5.9 - 1.0)  # to beat 15, which is ten beats or five slow ones later
    assert off(hand.now().phase, 0.0) < 1e-3


def test_a_locked_beat_keeps_the_bar():
    hand, states = laid_on(lambda hand: hand.lock(120.0))
    assert states[-1].bar_confidence == pytest.approx(0.9)
    assert off(states[-1].bar_phase, hand.tracker.now().bar_phase) < 1e-3


def test_released_it_glides_back_to_the_trackers_own_state():
    hand, before = laid_on(lambda hand: (hand.double(), hand.nudge(0.07), hand.downbeat()))
    hand.release()
    states = before[-1:] + play(hand, 5.0)
    assert gentle(states)
    own, ours = hand.tracker.now(), hand.now()
    assert hand._grip is None and ours._replace(beat_count=0) == own._replace(beat_count=0)


def test_a_tracker_that_jumps_is_glided_after():
    hand, before = laid_on(Hand.double)
    hand.tracker.shift = 0.21
    assert gentle(before[-1:] + play(hand, 3.0))


def test_a_hand_on_a_tracker_that_knows_nothing_yet_waits_for_it():
    hand = Hand(Grid(120, deaf=3.0))
    hand.double()
    states = play(hand, 5.0)
    assert states[100].bpm == 0.0 and states[-1].bpm == 240.0
    assert off(states[-1].phase, hand.tracker.now().phase * 2) < 1e-6


MOVES = st.sampled_from(["double", "half", "tap", "downbeat", "release", "nudge", "lock", "unlock"])


def do(hand, move):
    if move == "nudge":
        hand.nudge(0.083)
    elif move in ("lock", "unlock"):
        hand.lock(137.0 if move == "lock" else None)
    else:
        getattr(hand, move)()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(MOVES, st.integers(1, 300)), max_size=12))
def test_whatever_the_hand_does_the_beat_runs_on(moves):
    hand = Hand(Grid(118.0))
    states = play(hand, 1.0)
    for move, steps in moves:
        do(hand, move)
        states += play(hand, steps * 0.01)
    assert gentle(states)
    assert all(0.0 <= s.phase < 1.0 and 0.0 <= s.bar_phase < 1.0 and s.next_beat >= 0.0 for s in states)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(MOVES, st.integers(1, 9000)), max_size=6), st.lists(st.integers(1, 5000), min_size=1))
def test_the_cuts_of_the_sound_change_nothing(moves, cuts):
    whole, cut = Hand(Grid(118.0)), Hand(Grid(118.0))
    k = 0
    for move, samples in moves:
        for hand in (whole, cut):
            do(hand, move)
        whole.hear(np.zeros(samples, np.float32))
        while samples:
            size = min(cuts[k % len(cuts)], samples)
            cut.hear(np.zeros(size, np.float32))
            cut.now()
            samples, k = samples - size, k + 1
    assert cut.now() == whole.now()


# ---- a beat from outside -----------------------------------------------------------------------------------------


def conducted(hand, seconds, bpm=None, begun=0.0):
    """States while a beat at `bpm`, at 0 when `begun` (s), is told at every pose; None: no beat is."""
    states = []
    for _ in range(round(seconds * 60)):
        beats = (hand._heard / SAMPLE_RATE - begun) * (bpm or 0.0) / 60.0
        told = BeatState(beats % 1.0, bpm, 0.95, beats / 4 % 1.0, 0.95, 0.0, math.floor(beats)) if bpm else None
        hand.conduct(told)
        states += play(hand, 1 / 60, 800)
    return states


def steady(states):
    """True when no pose of 800 samples goes back, or on by more than the glide allows."""
    steps, tempo = np.diff(positions(states)), np.array([s.bpm for s in states[1:]]) / 3600.0
    return bool(np.all(steps > 0.0) and np.all(steps <= (1.0 + SLEW) * tempo + 1e-9))


def test_an_outside_beat_is_glided_to_and_then_followed_exactly():
    hand = Hand(Grid(120))
    before = play(hand, 2.13, 800)[-1:]
    states = conducted(hand, 6.0, 133.0, begun=0.2)
    assert steady(before + states) and states[0].bpm == 133.0
    now = (hand._heard / SAMPLE_RATE - 0.2) * 133.0 / 60.0
    assert off(states[-1].phase, now) < 1e-6 and off(states[-1].bar_phase, now / 4) < 1e-6
    assert (states[-1].confidence, states[-1].bar_confidence) == (0.95, 0.95)


def test_when_the_outside_beat_goes_the_trackers_is_glided_back_to():
    hand = Hand(Grid(120))
    states = conducted(hand, 4.0, 133.0) + conducted(hand, 6.0)
    assert steady(states)
    assert off(states[-1].phase, hand.tracker.now().phase) < 1e-6 and hand._grip is None


def test_an_outside_beat_that_comes_and_goes_never_jumps():
    hand, states = Hand(Grid(120)), []
    for n in range(12):
        states += conducted(hand, 0.4, None if n % 2 else 90.0 + 7 * n, begun=0.1 * n)
    assert steady(states)


def test_an_outside_beat_leads_where_the_tracker_knows_none():
    hand = Hand(Grid(deaf=1e9))
    states = conducted(hand, 2.0, 100.0) + conducted(hand, 1.0)
    assert states[5].bpm == 100.0 and states[-1].bpm == 0.0


def test_the_hand_lies_on_the_outside_beat_too():
    hand = Hand(Grid(120))
    conducted(hand, 2.0, 100.0)
    hand.double()
    hand.nudge(0.05)
    states = conducted(hand, 4.0, 100.0)
    now = hand._heard / SAMPLE_RATE
    assert states[-1].bpm == 200.0 and off(states[-1].phase, (now - 0.05) * 200 / 60) < 1e-6


def test_a_tempo_that_was_locked_stays_whoever_leads():
    hand = Hand(Grid(120))
    play(hand, 1.0)
    hand.lock(90.0)
    assert {s.bpm for s in conducted(hand, 2.0, 133.0) + conducted(hand, 1.0)} == {90.0}
    hand.lock(None)
    assert conducted(hand, 1.0, 133.0)[-1].bpm == 133.0


def test_jitter_of_an_outside_beat_stays_as_small_in_what_is_shown():
    hand, chance, states = Hand(Grid(120)), np.random.default_rng(3), []
    for _ in range(600):
        beats = (hand._heard / SAMPLE_RATE + chance.uniform(-0.002, 0.002)) * 2.0
        hand.conduct(BeatState(beats % 1.0, 120.0, 0.95, beats / 4 % 1.0, 0.95, 0.0, math.floor(beats)))
        states += play(hand, 1 / 60, 800)
    assert steady(states) and np.abs(np.diff(positions(states)) - 2 / 60).max() < 0.017
