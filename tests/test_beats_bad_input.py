"""What a stage throws at a beat tracker: no beat is believed where there is none, and music is found again after it.

Each sound plays for `LASTS` seconds, then composed music at `BPM`, whose beats are known. The bounds are those that a
dance needs, not those that a tracker reaches; what a tracker does not reach yet is listed in `NOT_YET`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import soundfile

pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")

from live.bench.track import listen
from live.contracts import load_plugin, plugin_names
from live.train import composer, spoiler
from live.types import SAMPLE_RATE

TRACKERS = plugin_names("live.beats")
HOP = 480
BPM, LASTS, MUSIC = 120.0, 12.0, 14.0
LISTENED = 5.0
"""Seconds after which a sound without a beat must not be believed."""
DOUBTFUL = 0.3
"""Confidence that it may have at the most."""
AGAIN = 5.0
"""Seconds of music after which the beat is right again, and believed."""
SURE = 0.5
"""Confidence that a dance has."""
NEAR = 0.05
"""Median error (s) of a right beat."""
SLACK = 0.04
"""Tempi that differ by less are the same."""

N = round(LASTS * SAMPLE_RATE)
T = np.arange(N) / SAMPLE_RATE


def rng():
    return np.random.default_rng(7)


def struck(bpm, sound, seconds=LASTS, accents=(1.0,)):
    """`sound` on each beat from 0.1 s on, as loud as `accents` in turn, over a little hiss."""
    n = round(seconds * SAMPLE_RATE)
    x = rng().normal(0.0, 1e-4, n)
    for number, time in enumerate(np.arange(0.1, seconds, 60.0 / bpm)):
        at = round(time * SAMPLE_RATE)
        x[at : at + len(sound)] += accents[number % len(accents)] * sound[: n - at]
    return x


def click():
    return 0.5 * rng().normal(size=480) * np.exp(-np.arange(480) / 100)


def kick():
    t = np.arange(9600) / SAMPLE_RATE
    return 0.8 * np.sin(2.0 * np.pi * 50.0 * t) * np.exp(-t / 0.08)


def thud():
    return kick() + np.pad(click(), (0, 9120))


def talk():
    return 0.1 * spoiler._band(rng().standard_normal(N, np.float32), 300, 3000) * spoiler._flutter(rng(), N, 4.0)


def applause():
    claps = spoiler._band(rng().standard_normal(N, np.float32), 800, 6000) * spoiler._claps(rng(), N)
    return 0.3 * claps / np.abs(claps).max()


@cache
def music():
    """The song that every recovery is judged by: the full band from its first bar."""
    return composer.compose(6, MUSIC, BPM, genre="house")


NO_BEAT = {
    "silence": lambda: 0.0 * T,
    "noise": lambda: rng().normal(0.0, 0.1, N),
    "sine": lambda: 0.3 * np.sin(2764.0 * T),
    "dc": lambda: 0.0 * T + 0.5,
    "nan": lambda: 0.0 * T + np.nan,
    "clipped hum": lambda: 40.0 * np.sin(314.0 * T),
    "applause": applause,
    "talk": talk,
}
BEATS = {
    "clipped music": (BPM, lambda: 40.0 * composer.compose(7, LASTS, BPM, genre="house").audio),
    "300 bpm": (300.0, lambda: struck(300.0, click())),
    "40 bpm": (40.0, lambda: struck(40.0, click())),
    "5/4": (130.0, lambda: struck(130.0, thud(), accents=(1, 0.4, 0.4, 0.7, 0.4))),
    "7/8": (220.0, lambda: struck(220.0, thud(), accents=(1, 0.3, 0.7, 0.3, 0.7, 0.3, 0.3))),
    "kick": (BPM, lambda: struck(BPM, kick())),
}  # fmt: skip
"""Sounds with beats; of 7/8 the eighths."""
SOUNDS = {**NO_BEAT, **{name: make for name, (_, make) in BEATS.items()}}
BELIEVES = "aubio takes its own regular answers for a beat"
THIRD = "aubio hears 300 BPM as 100, and lets go of it slowly"
SLOW = "40 BPM is below the slowest tempo of pulse, which counts three to a beat"
NOT_YET = {
    **{("doubt", "aubio", sound): BELIEVES for sound in ("noise", "sine", "dc", "clipped hum", "talk")},
    ("follow", "aubio", "300 bpm"): THIRD,
    ("again", "aubio", "300 bpm"): THIRD,
    ("follow", "pulse", "40 bpm"): SLOW,
}
"""(test, tracker, sound): why it fails."""


def cases(test, sounds):
    """Every tracker with every sound; what it does not reach yet is expected to fail."""

    def marks(name, sound):
        reason = NOT_YET.get((test, name, sound))
        return [pytest.mark.xfail(reason=reason, strict=False)] if reason else []

    return pytest.mark.parametrize(
        ("name", "sound"), [pytest.param(n, s, marks=marks(n, s), id=f"{n}-{s}") for n in TRACKERS for s in sounds]
    )


def opened(name):
    return load_plugin("live.beats", name, "beat tracker").open_tracker()


@cache
def heard(name, sound):
    """States after each 10 ms of the sound and of the music after it."""
    tracker, out = opened(name), []
    x = np.concatenate([SOUNDS[sound](), music().audio]).astype(np.float32)
    for i in range(0, len(x) - HOP + 1, HOP):
        tracker.hear(x[i : i + HOP])
        out.append(tracker.now())
    return out


def same_beat(states, first, bpm, start=0.0):
    """Is each of the states (10 ms apart, the first at `first` s) on the beats from `start` on, in some octave?

    The share of states with the tempo, and the median distance (s) of the next beat from a true one (of the faster
    octave, where the tracker counts that).
    """
    if not all(s.bpm for s in states):
        return 0.0, np.inf
    octaves = np.array([s.bpm / bpm for s in states])[:, None] / (0.25, 0.5, 1.0, 2.0, 4.0)
    counted = np.maximum(1.0, np.median(octaves[:, 2]).round())
    ahead = first + 0.01 * np.arange(len(states)) + [s.next_beat for s in states] - start
    period = 60.0 / bpm / counted
    off = np.abs((ahead / period + 0.5) % 1.0 - 0.5) * period
    return (np.abs(octaves - 1.0) < SLACK).any(1).mean(), float(np.median(off))


def assert_finite(states):
    for s in states:
        assert 0.0 <= s.phase < 1.0 and 0.0 <= s.bar_phase < 1.0
        assert 0.0 <= s.confidence <= 1.0 and 0.0 <= s.bar_confidence <= 1.0
        assert np.isfinite(s.bpm) and s.next_beat > 0.0


# ---- whatever comes ----------------------------------------------------------------------------------------------


@cases("finite", SOUNDS)
def test_every_state_is_within_its_range(name, sound):
    assert_finite(heard(name, sound))


@cases("doubt", NO_BEAT)
def test_no_beat_is_believed_where_there_is_none(name, sound):
    confidence = [s.confidence for s in heard(name, sound)[round(100 * LISTENED) : round(100 * LASTS)]]
    assert max(confidence) < DOUBTFUL


@cases("again", SOUNDS)
def test_music_is_found_again_after_it(name, sound):
    first = round(100 * (LASTS + AGAIN))
    states = heard(name, sound)[first:]
    tempo, off = same_beat(states, AGAIN + 0.01, BPM)
    assert tempo > 0.9 and off < NEAR
    assert np.median([s.confidence for s in states]) > DOUBTFUL


# ---- beats out of the ordinary -----------------------------------------------------------------------------------


@cases("follow", BEATS)
def test_its_beats_are_followed_in_some_octave(name, sound):
    start = 0.0 if sound == "clipped music" else 0.1
    first = round(100 * AGAIN)
    tempo, off = same_beat(heard(name, sound)[first : round(100 * LASTS)], AGAIN + 0.01, BEATS[sound][0], start)
    assert tempo > 0.9 and off < NEAR


@cases("dance", ["kick"])
def test_a_bare_kick_starts_a_dance(name, sound):
    assert max(s.confidence for s in heard(name, sound)[:100]) < DOUBTFUL
    assert np.median([s.confidence for s in heard(name, sound)[600:1200]]) > SURE


@cases("telephone", ["telephone"])
def test_a_telephone_is_heard(name, sound, tmp_path):
    import soxr

    narrow = spoiler._band(music().audio, 300, 3400)
    soundfile.write(tmp_path / "phone.wav", soxr.resample(narrow, SAMPLE_RATE, 8000), 8000)
    states = [h.beat for h in listen(tmp_path / "phone.wav", opened(name))]
    assert_finite(states)
    tempo, off = same_beat(states[round(100 * AGAIN) :], AGAIN + 0.01, BPM)
    assert tempo > 0.9 and off < NEAR
