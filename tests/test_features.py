"""The feature extractor keeps its contract: causal, block-size independent, always finite."""

import numpy as np
import pytest

from live.beats.aubio import AubioTracker
from live.contracts import FEATURE_NAMES
from live.features.extractor import GRAIN, TONE, UNVOICED_PITCH, Extractor, beat_features, pool
from live.types import HOP, SAMPLE_RATE, BeatState

RNG = np.random.default_rng(1)


def clicks(seconds=8.0, bpm=120.0):
    x = RNG.normal(0, 0.003, int(seconds * SAMPLE_RATE)).astype(np.float32)
    for beat in np.arange(0, seconds, 60 / bpm):
        i = int(beat * SAMPLE_RATE)
        x[i : i + 2000] += (RNG.normal(0, 0.4, 2000) * np.exp(-np.arange(2000) / 300))[: len(x) - i]
    return x


def run(samples, chunk=None):
    extractor = Extractor(AubioTracker())
    cuts = range(0, len(samples), chunk or len(samples))
    return [f for i in cuts for f in extractor.push(samples[i : i + (chunk or len(samples))])]


def matrix(samples, chunk=None):
    return np.array([f.values for f in run(samples, chunk)])


def column(values, name):
    return values[:, FEATURE_NAMES.index(name)]


def sine(hertz, seconds=1.0, gain=0.3):
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (gain * np.sin(2 * np.pi * hertz * t)).astype(np.float32)


def test_there_are_35_names():
    assert len(FEATURE_NAMES) == len(set(FEATURE_NAMES)) == 35


@pytest.mark.parametrize("chunk", [1, 7, 256, 799, 800, 801, 4096])
def test_any_chunking_gives_the_same_frames(chunk):
    x = clicks(1.0 if chunk == 1 else 4.0)
    assert np.array_equal(matrix(x), matrix(x, chunk))


def test_the_tracker_hears_before_the_frame_is_whole():
    class Listener(AubioTracker):
        heard = 0

        def hear(self, samples):
            self.heard += len(samples)

    listener = Listener()
    Extractor(listener).push(np.zeros(HOP - 1, np.float32))
    assert listener.heard == HOP - GRAIN


def test_pitch_and_chroma_are_known_before_the_frame_is_whole():
    x = clicks(1.0)
    y = x.copy()
    y[-GRAIN:] = 0.0
    a, b = matrix(x)[-1], matrix(y)[-1]
    assert np.array_equal(a[TONE], b[TONE]) and not np.array_equal(a[5:18], b[5:18])
    assert not np.array_equal(a[TONE], matrix(x)[-2][TONE])


def test_the_future_changes_nothing_earlier():
    x = clicks()
    y = x.copy()
    cut = 5 * SAMPLE_RATE + 333
    y[cut:] = RNG.normal(0, 0.5, len(y) - cut)
    a, b = matrix(x), matrix(y)
    assert np.array_equal(a[: cut // HOP], b[: cut // HOP])
    assert not np.array_equal(a[cut // HOP :], b[cut // HOP :])


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(96000, np.float32),
        np.full(96000, 0.7, np.float32),
        np.full(96000, np.nan, np.float32),
        np.where(np.arange(96000) % 5 == 0, np.inf, 0.1).astype(np.float32),
        np.sign(sine(60, 2.0)) * np.float32(40),
        np.full(96000, 1e-42, np.float32),
    ],
    ids=["silence", "dc", "nan", "inf", "clipping", "denormal"],
)
def test_bad_sound_gives_finite_features(samples):
    assert np.isfinite(matrix(samples)).all()


def test_silence_reads_as_documented():
    expected = np.zeros(35, np.float32)
    expected[FEATURE_NAMES.index("pitch")] = UNVOICED_PITCH
    assert np.array_equal(matrix(np.zeros(96000, np.float32))[-1], expected)


def test_dc_is_inaudible():
    assert column(matrix(np.full(96000, 0.5, np.float32)), "loudness")[-1] == 0


def test_pitch_is_log2_of_hertz():
    values = matrix(sine(440))
    assert column(values, "pitch")[-1] == pytest.approx(np.log2(440), abs=0.01)
    assert column(values, "voicing")[-1] > 0.9


def test_noise_is_unvoiced():
    values = matrix(RNG.normal(0, 0.1, 48000).astype(np.float32))
    assert column(values, "pitch")[-1] == pytest.approx(UNVOICED_PITCH)


def test_a_sounds_in_its_own_chroma():
    assert matrix(sine(440))[-1, 18:30].argmax() == 9


def test_centroid_is_in_kilohertz():
    assert column(matrix(sine(3000)), "centroid")[-1] == pytest.approx(3.0, abs=0.2)


def test_clicks_at_120_are_tracked_at_120():
    last = run(clicks(12.0))[-1].beat
    assert last.bpm == pytest.approx(120, rel=0.02)
    assert last.confidence > 0.5


def test_clicks_give_onsets_near_the_clicks():
    hits = np.flatnonzero(column(matrix(clicks(8.0)), "onset")) / 60
    distance = np.abs(hits - np.round(hits * 2) / 2)
    assert len(hits) >= 12 and np.median(distance) < 0.06


def test_beat_features_vanish_without_confidence():
    assert np.array_equal(beat_features(BeatState(phase=0.3)), np.zeros(5, np.float32))


def test_pool_keeps_the_newest_frame_and_the_strongest_onset():
    frames = np.zeros((2, 35), np.float32)
    frames[0, 2], frames[1, 3] = 1, 5
    assert pool(frames)[2] == 1 and pool(frames)[3] == 5
