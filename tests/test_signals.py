"""The listener keeps its contract: causal, block-size independent, finite; and it hears what it is there for."""

from __future__ import annotations

import numpy as np
import pytest

from live.features.signals import Listener
from live.types import HOP, SAMPLE_RATE, Event, Signals

SECOND = SAMPLE_RATE


def rng():
    return np.random.default_rng(5)


def beat(seconds, hiss=0.02, kick=0.6, hat=0.3, bpm=120.0, riser=0.0):
    """Kick on the beat, hat between, hiss; `riser`: hiss and hats grow by so many dB."""
    n = round(seconds * SECOND)
    x, t = rng().normal(0.0, hiss, n), np.arange(4800) / SECOND
    shots = (kick * np.sin(2 * np.pi * 55 * t) * np.exp(-t / 0.08), hat * rng().normal(size=4800) * np.exp(-t / 0.02))
    for step in range(int(seconds * bpm / 30.0)):
        at = round(step * 30.0 / bpm * SECOND)
        shot = shots[step % 2] if step % 2 or kick else 0.0 * t
        x[at : at + 4800] += shot[: n - at]
    return (x * 10.0 ** (riser * np.linspace(-1.0, 0.0, n) / 20.0)).astype(np.float32)


def heard(samples, chunk=HOP):
    """The signals after each chunk."""
    listener, out = Listener(), []
    for i in range(0, len(samples), chunk):
        listener.hear(samples[i : i + chunk])
        out.append(listener.now())
    return out


def events(samples):
    """(name, time) of everything told."""
    newest = {s.event.number: (s.event.name, (k + 1) / 60 - s.event.age) for k, s in enumerate(heard(samples))}
    return [newest[number] for number in sorted(newest) if number]


def music():
    """A beat, a passage without it, a build-up, and the beat again: changes at 10, 18 and 26 s."""
    quiet, build = beat(8.0, kick=0.0, hat=0.02), beat(8.0, kick=0.0, hat=0.4, hiss=0.1, riser=20.0)
    return np.concatenate([beat(10.0), quiet, build, beat(8.0)])


BAD = {
    "silence": np.zeros(20 * SECOND),
    "noise": rng().normal(0.0, 0.1, 20 * SECOND),
    "sine": 0.3 * np.sin(2764.0 * np.arange(20 * SECOND) / SECOND),
    "dc": np.full(20 * SECOND, 0.5),
    "nan": np.full(20 * SECOND, np.nan),
    "infinite": np.where(np.arange(20 * SECOND) % 5, 0.1, np.inf),
    "huge": 1e30 * np.sign(np.sin(np.arange(20 * SECOND) / 99)),
    "denormal": np.full(20 * SECOND, 1e-42),
    "clipping": 40.0 * beat(20.0),
}


# ---- the contract ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [7, 480, 799, 801, 48_000])
def test_any_chunking_gives_the_same_signals(chunk):
    x, cut = music()[: 20 * SECOND], Listener()
    for i in range(0, len(x), chunk):
        cut.hear(x[i : i + chunk])
    assert cut.now() == heard(x, len(x))[-1]


def test_the_future_changes_nothing_earlier():
    x = music()
    y = x.copy()
    y[20 * SECOND :] = rng().normal(0.0, 0.3, len(y) - 20 * SECOND)
    assert heard(x)[:1200] == heard(y)[:1200]


def test_a_restored_snapshot_goes_on_bit_for_bit():
    x, first, second = music(), Listener(), Listener()
    first.hear(x[: 17 * SECOND + 123])
    second.restore(first.snapshot())
    for listener in (first, second):
        listener.hear(x[17 * SECOND + 123 :])
    assert first.now() == second.now() and first.now().event.number > 1


def test_a_snapshot_is_a_copy():
    listener = Listener()
    listener.hear(beat(2.0))
    kept = listener.snapshot()["past"].copy()
    snapshot = listener.snapshot()
    listener.hear(beat(1.0))
    assert np.array_equal(snapshot["past"], kept)


@pytest.mark.parametrize("sound", BAD)
def test_what_is_no_music_gives_finite_signals_and_no_event(sound):
    for s in heard(BAD[sound].astype(np.float32)):
        assert np.isfinite(s[:-1]).all() and s.event == Event()
        assert min(s.low, s.mid, s.high, s.build) >= 0.0 and max(s.low, s.mid, s.high, s.build) <= 1.0


def test_before_any_sound_there_is_nothing():
    assert Listener().now() == Signals()


# ---- what it hears -----------------------------------------------------------------------------------------------


def test_a_steady_beat_has_no_events():
    assert events(beat(60.0)) == []


def test_bars_that_repeat_are_no_change():
    bars = np.concatenate([beat(1.5), beat(0.5, kick=0.0, hat=0.6)])
    assert events(np.tile(bars, 20)) == []


def test_a_kick_is_an_onset_in_the_low_band():
    strong = np.array([s.low for s in heard(beat(10.0))])[120:].reshape(-1, 30).max(1)
    assert (strong > 0.8).all()


def test_a_hat_is_an_onset_in_the_high_band_and_not_in_the_low():
    hats = heard(beat(10.0, kick=0.0))[120:]
    assert max(s.high for s in hats) > 0.8
    assert np.percentile([s.low for s in hats], 90) < 0.3


def test_noise_has_hardly_any_onsets():
    signals = np.array([s[:3] for s in heard(BAD["noise"].astype(np.float32))])
    assert signals.mean() < 0.05 and np.percentile(signals, 95) < 0.3


def test_the_sections_of_a_song_are_told_near_their_times():
    told = [(name, time) for name, time in events(music()) if name != "build"]
    assert [name for name, _ in told] == ["section", "section", "drop"]
    assert np.allclose([time for _, time in told], [10.0, 18.0, 26.0], atol=0.6)


def test_a_build_up_is_felt_while_it_goes_on():
    signals = heard(music())
    assert max(s.build for s in signals[24 * 60 : 26 * 60]) > 0.8
    assert max(s.build for s in signals[: 18 * 60]) < 0.3
    assert any(name == "build" for name, _ in events(music()))


def test_a_kick_that_comes_back_is_a_drop():
    assert [e[0] for e in events(np.concatenate([beat(10.0, kick=0.0), beat(5.0)]))] == ["drop"]


def test_a_break_of_silence_ends_no_section():
    assert events(np.concatenate([beat(10.0), np.zeros(3 * SECOND, np.float32), beat(10.0)])) == []


def test_energy_is_in_decibels_over_the_usual():
    signals = heard(np.concatenate([beat(20.0), 10.0 * np.float32(0.1) * beat(2.0), np.float32(0.1) * beat(2.0)]))
    assert signals[-121].energy == pytest.approx(0.0, abs=3.0)
    assert signals[-1].energy == pytest.approx(-18.0, abs=4.0)


def test_later_an_event_is_older():
    assert Signals(event=Event("drop", 0.5, 1.0, 1)).later(0.25).event.age == 1.25
