"""Every beat tracker keeps its contract; the own one (`pulse`) also finds, predicts, coasts and finds again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live.beats import _bar, pulse
from live.beats._network import Network
from live.beats._pointer import FRAME_RATE, TEMPI, Pointer, PointerConfig
from live.beats._spectrum import BANDS, HOP, all_levels
from live.contracts import load_plugin, plugin_names
from live.types import SAMPLE_RATE

TRACKERS = plugin_names("live.beats")
SECOND = SAMPLE_RATE
DEMO = Path(pulse.__file__).parents[1] / "audio" / "demo.ogg"


def rng():
    return np.random.default_rng(3)


def beat_times(*parts):
    """Beats of (bpm, seconds) one after the other."""
    times, start = [], 0.0
    for bpm, seconds in parts:
        times += list(start + np.arange(0.0, seconds - 0.01, 60.0 / bpm))
        start += seconds
    return np.array(times)


def drummed(times, seconds, accent=4):
    """Kick and click on each beat, quiet hats between; every `accent`th beat louder."""
    x = rng().normal(0.0, 1e-3, int(seconds * SECOND)).astype(np.float32)
    t = np.arange(4800) / SECOND
    kick = 0.6 * np.sin(2 * np.pi * 55 * t) * np.exp(-t / 0.06) + 0.2 * rng().normal(size=4800) * np.exp(-t / 0.004)
    for number, time in enumerate(times):
        at = int(time * SECOND)
        part = kick[: len(x) - at] * (1.0 if number % accent == 0 else 0.7)
        x[at : at + len(part)] += part.astype(np.float32)
    return x


def clicks(bpm, seconds):
    return drummed(beat_times((bpm, seconds)), seconds)


def states(tracker, samples, chunk=HOP):
    out = []
    for i in range(0, len(samples), chunk):
        tracker.hear(samples[i : i + chunk])
        out.append(tracker.now())
    return out


def last(samples):
    return states(pulse.open_tracker(), samples)[-1]


def phase_errors(heard, bpm, first):
    """Seconds from each predicted next beat to the nearest multiple of the (half) beat, from `first` s on."""
    period = 60.0 / bpm
    ahead = np.array([(k + 1) * HOP / SECOND + s.next_beat for k, s in enumerate(heard)])[int(first * 100) :]
    return np.abs((ahead / period + 0.5) % 1.0 - 0.5) * period


BAD_SOUNDS = {
    "silence": np.zeros(3 * SECOND),
    "dc": np.full(3 * SECOND, 0.7),
    "nan": np.full(3 * SECOND, np.nan),
    "infinite": np.where(np.arange(3 * SECOND) % 5, 0.1, np.inf),
    "huge": 1e30 * np.sign(np.sin(np.arange(3 * SECOND) / 99)),
    "denormal": np.full(3 * SECOND, 1e-42),
    "clipping": 40 * np.sin(np.arange(3 * SECOND) / 50) * (np.arange(3 * SECOND) % 24000 < 3000),
    "300 bpm": clicks(300, 3),
    "40 bpm": clicks(40, 3),
}


# ---- the contract, of every tracker ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize("chunk", [1, 7, 479, 480, 481, 800, 48_000])
def test_any_chunking_gives_the_same_states(name, chunk):
    x = clicks(120, 1.0 if chunk == 1 else 6.0)
    step = np.lcm(chunk, 800) if chunk < 800 else chunk
    whole, cut = (load_plugin("live.beats", name, "beat tracker").open_tracker() for _ in range(2))
    for i in range(0, len(x) - step + 1, step):
        whole.hear(x[i : i + step])
        for j in range(i, i + step, chunk):
            cut.hear(x[j : min(j + chunk, i + step)])
        assert whole.now() == cut.now()


@pytest.mark.parametrize("name", TRACKERS)
def test_the_future_changes_nothing_earlier(name):
    x = clicks(120, 6.0)
    y = x.copy()
    y[5 * SECOND :] = rng().normal(0, 0.3, SECOND)
    a, b = (states(load_plugin("live.beats", name, "beat tracker").open_tracker(), z) for z in (x, y))
    assert a[:500] == b[:500]


def test_the_bar_runs_on_as_steadily_as_the_beat():
    music = soundfile.read(DEMO, frames=22 * SECOND, dtype="float32")[0]
    heard = states(pulse.open_tracker(), music)[800:]
    bars, bpm = (np.array([getattr(state, name) for state in heard]) for name in ("bar_phase", "bpm"))
    off = (np.diff(bars) - HOP / SECOND * bpm[1:] / 240 + 0.5) % 1.0 - 0.5
    assert np.abs(off).max() < 0.01 and heard[-1].bar_confidence > _bar.MOST / 2


def ones(downbeats):
    """Which beat of the music is the bar's one, of the likeliest and of the bar held [2, beats]."""
    belief, held, doubt, found = _bar.PRIOR, _bar.AT_FIRST, 0, []
    for beat, activation in enumerate(downbeats):
        belief = _bar.see(_bar.next_beat(belief), activation)
        held, doubt = _bar.hold(held, doubt, belief, min(_bar.PATIENCE, beat / 2))
        found.append([(beat - _bar.read(belief, state).place) % 4 for state in (int(belief.argmax()), held)])
    return np.array(found).T


def test_two_bars_must_speak_for_another_bar_before_it_is_taken():
    told = np.where(np.arange(80) % 4 == np.r_[np.full(40, 2), np.full(40, 3)], 0.9, 0.1)
    likeliest, held = ones(told)
    assert (held[10:40] == 2).all() and (held[70:] == 3).all()
    assert np.argmax(held[40:] == 3) == np.argmax(likeliest[40:] == 3) + _bar.PATIENCE


def test_a_downbeat_in_the_wrong_place_turns_no_bar_round():
    told = np.where(np.arange(80) % 4 == 2, 0.6, 0.1)
    told[40:44] = told[60:64] = (0.0, 0.0, 0.0, 1.0)
    likeliest, held = ones(told)
    assert (likeliest[12:] != 2).any() and (held[12:] == 2).all()


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize("sound", BAD_SOUNDS)
def test_bad_sound_gives_states_within_their_ranges(name, sound):
    tracker = load_plugin("live.beats", name, "beat tracker").open_tracker()
    for state in states(tracker, BAD_SOUNDS[sound].astype(np.float32), 800):
        assert 0.0 <= state.phase < 1.0 and 0.0 <= state.bar_phase < 1.0
        assert 0.0 <= state.confidence <= 1.0 and 0.0 <= state.bar_confidence <= 1.0
        assert np.isfinite(state.bpm) and state.next_beat > 0.0


@pytest.mark.parametrize("name", TRACKERS)
def test_the_count_never_falls(name):
    x = drummed(beat_times((100, 6), (150, 6)), 12.0)
    counts = [s.beat_count for s in states(load_plugin("live.beats", name, "beat tracker").open_tracker(), x)]
    assert counts == sorted(counts)


@pytest.mark.parametrize("name", TRACKERS)
def test_a_restored_tracker_goes_on_with_the_beat(name):
    x, y = clicks(120, 12.003), clicks(120, 3.0)
    first, second = (load_plugin("live.beats", name, "beat tracker").open_tracker() for _ in range(2))
    second.hear(clicks(97, 2.0))
    first.hear(x)
    second.restore(first.snapshot())
    assert second.now().beat_count == first.now().beat_count
    a, b = states(first, y)[-1], states(second, y)[-1]
    assert (b.bpm, b.next_beat) == pytest.approx((a.bpm, a.next_beat), rel=0.02)
    assert b.beat_count == a.beat_count


# ---- the own tracker ---------------------------------------------------------------------------------------------


def test_the_weights_are_those_of_the_card():
    assert hashlib.sha256(pulse.WEIGHTS.read_bytes()).hexdigest() == pulse.card()["sha256"]
    assert pulse.WEIGHTS.stat().st_size < 1_000_000


def test_one_window_at_a_time_is_what_the_whole_gives():
    x, tracker = clicks(120, 1.0), pulse.open_tracker()
    levels = all_levels(np.concatenate([np.zeros(HOP // 2, np.float32), x]))
    states(tracker, x)
    assert levels.shape == (100, BANDS)
    assert np.allclose(tracker.snapshot()["levels"], levels[-2:], atol=1e-5)


def test_the_networks_remember_nothing_but_the_state_they_are_given():
    network, frame = Network(pulse.WEIGHTS), rng().random(2 * BANDS, dtype=np.float32)
    first = network.tell(frame, network.initial_state())
    network.tell(-frame, first.state)
    again = network.tell(frame, network.initial_state())
    assert again[:2] == first[:2]
    assert np.array_equal(again.tempo, first.tempo) and np.array_equal(again.state, first.state)


def test_a_belief_that_moves_keeps_its_tempo_and_comes_round_to_its_beat():
    pointer = Pointer(PointerConfig(pull=0.0, leap=0.0, steadiness=1e4))
    belief, slowest = np.zeros_like(pointer.initial()), int(pointer.periods[-1])
    first = len(belief) - slowest - 1  # the slowest tempo's positions come last
    belief[first] = 1.0  # the beat is now
    for _ in range(slowest):
        belief = pointer.move(belief)
    assert belief[first : first + 2].sum() == pytest.approx(1.0, abs=1e-4)
    assert belief.sum() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("bpm", [60, 90, 120, 150, 180])
def test_clicks_are_followed_in_their_tempo_or_an_octave_of_it(bpm):
    heard = states(pulse.open_tracker(), clicks(bpm, 12.0))
    octave = heard[-1].bpm / bpm
    assert min(abs(octave / o - 1.0) for o in (0.5, 1.0, 2.0)) < 0.03
    counted = max(bpm, heard[-1].bpm)
    assert np.median(phase_errors(heard, counted, 8.0)) < 0.035
    assert heard[-1].confidence > (0.5 if bpm > 60 else 0.1)  # slow kicks are taken in double time, half of it unheard


@pytest.mark.parametrize("sound", ["silence", "noise", "sine", "dc"])
def test_what_has_no_beat_gives_no_confidence(sound):
    t = np.arange(10 * SECOND) / SECOND
    x = {"silence": 0 * t, "noise": rng().normal(0, 0.1, len(t)), "sine": 0.3 * np.sin(2764 * t), "dc": 0 * t + 0.5}
    assert max(s.confidence for s in states(pulse.open_tracker(), x[sound].astype(np.float32))[500:]) < 0.2


def test_a_tempo_step_is_followed_within_eight_beats():
    step = 12.0  # whole beats of both tempi
    heard = states(pulse.open_tracker(), drummed(beat_times((100, step), (130, 8.0)), step + 8.0))
    after = step + 8 * 60 / 130
    assert heard[int(after * 100)].bpm == pytest.approx(130, rel=0.06)
    assert np.median(phase_errors(heard, 130, after)) < 0.035


def phase_after_a_step(**config):
    """Median phase error (s) from beat four to eight after a step from 100 to 130 BPM, on one and three of a waltz."""
    beats = beat_times((100, 14.4), (130, 8.0))
    heard = states(
        pulse.PulseTracker(config=PointerConfig(**config)), drummed(beats[np.arange(len(beats)) % 3 != 1], 22.4)
    )
    fourth, eighth = (beats * 60.0 / 130.0 for beats in (4, 8))
    return np.median(phase_errors(heard[1440 : 1440 + int(eighth * 100)], 130, fourth))


def test_where_the_quick_filter_hears_more_it_is_followed():
    patient = PointerConfig().trust
    assert phase_after_a_step() < 0.035 < phase_after_a_step(haste=patient)


def test_music_after_a_long_silence_starts_anew():
    tracker = pulse.open_tracker()
    states(tracker, clicks(120, 4.0))
    assert tracker.snapshot()["music"] > 1.0
    states(tracker, np.zeros(int((pulse.LONG + 1.0) * SECOND), np.float32))
    assert tracker.snapshot()["music"] == 0.0
    heard = states(tracker, clicks(150, 2.0))
    assert heard[-1].bpm == pytest.approx(150, rel=0.06)


def waltz_tempo(config):
    """BPM that the pointer finds where a waltz of 130 sounds on one and three, and the network senses two thirds."""
    pointer, period = Pointer(config), 60.0 * FRAME_RATE / 130.0
    belief, sensed = pointer.initial(), np.eye(len(TEMPI), dtype=np.float32)[np.abs(TEMPI - 87.0).argmin()]
    for frame in range(1200):
        beat = round(frame / period)
        sounds = abs(frame - beat * period) <= 0.5 and beat % 3 != 1
        belief = pointer.see(pointer.move(belief), 0.5 if sounds else 0.01, sensed, config.trust)
    return 60.0 * FRAME_RATE / pointer.read(belief, 0.0).period


def test_what_goes_astray_counts_against_two_thirds_of_the_tempo():
    assert waltz_tempo(PointerConfig()) == pytest.approx(130.0, rel=0.03)
    assert waltz_tempo(PointerConfig(surprise=0.0)) == pytest.approx(87.0, rel=0.05)


def test_silence_is_coasted_on_and_confidence_falls():
    x = np.concatenate([clicks(120, 10.0), np.zeros(5 * SECOND, np.float32)])
    heard = states(pulse.open_tracker(), x)
    before, early, late = heard[999], heard[1199], heard[1499]
    assert before.confidence > early.confidence > late.confidence
    assert late.bpm == pytest.approx(before.bpm, rel=0.03)
    assert late.beat_count - before.beat_count == pytest.approx(5 * before.bpm / 60, abs=1.1)


def test_a_restored_snapshot_goes_on_bit_for_bit():
    x, y = clicks(120, 5.003), clicks(97, 3.0)
    first, second = pulse.open_tracker(), pulse.open_tracker()
    first.hear(x)
    second.restore(first.snapshot())
    assert states(first, y) == states(second, y)


def test_a_snapshot_is_a_copy():
    tracker = pulse.open_tracker()
    tracker.hear(clicks(120, 2.0))
    kept = tracker.snapshot()
    belief = kept["belief"].copy()
    tracker.hear(clicks(90, 1.0))
    assert np.array_equal(kept["belief"], belief)


def test_the_next_beat_is_where_the_phase_says():
    for state in states(pulse.open_tracker(), clicks(120, 8.0))[600:]:
        assert state.next_beat == pytest.approx((1 - state.phase) * 60 / state.bpm, abs=1e-6)
