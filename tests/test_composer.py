"""The composer's promises: the beat grid is exact, a seed is a song, levels are safe, beats can be heard."""

from pathlib import Path

import numpy as np
import pytest

from live.train.composer import GENRES, compose
from live.types import SAMPLE_RATE

DEMO = Path(__file__).parents[1] / "live" / "audio" / "demo.ogg"


def _onsets(audio: np.ndarray) -> np.ndarray:
    """Rise of the log spectrum, one value every 10 ms; window k is centred on 10 (k + 1) ms."""
    frames = np.lib.stride_tricks.sliding_window_view(audio, 960)[::480] * np.hanning(960)
    spectrum = np.log1p(10 * np.abs(np.fft.rfft(frames)) / np.abs(audio).max())
    return np.maximum(np.diff(spectrum, axis=0, prepend=spectrum[:1]), 0).sum(axis=1)


def test_beats_lie_on_the_grid_of_the_start_count():
    song = compose(1, 10.0, 97.0, start_count=2.6)
    counts = 2.6 + song.beats * 97.0 / 60.0
    assert np.allclose(counts, np.arange(3, 3 + len(counts)), atol=1e-6)
    assert np.array_equal(song.downbeats, song.beats[np.round(counts) % 4 == 0])


def test_a_beat_at_the_very_start_is_counted():
    assert compose(1, 4.0, 120.0, start_count=8.0).downbeats[0] == 0.0


def test_beats_reach_to_the_end_of_the_audio():
    song = compose(2, 8.0, 120.0, start_count=0.5)
    assert len(song.beats) == 16 and len(song.audio) == 8 * SAMPLE_RATE


def test_the_same_seed_gives_the_same_audio_and_another_seed_another():
    first, same, other = (compose(seed, 5.0, 110.0).audio for seed in (3, 3, 4))
    assert np.array_equal(first, same) and not np.allclose(first, other)


@pytest.mark.parametrize("genre", GENRES)
def test_every_genre_stays_finite_and_below_the_peak(genre):
    audio = compose(5, 8.0, 128.0, genre=genre).audio
    assert audio.dtype == np.float32 and np.isfinite(audio).all() and 0.01 < np.abs(audio).max() <= 0.9


@pytest.mark.parametrize("genre", GENRES)
def test_onsets_are_stronger_on_the_beats_than_between_them(genre):
    song = compose(6, 40.0, 108.0, genre=genre)
    onsets = _onsets(song.audio)
    times = 0.01 * (np.arange(len(onsets)) + 1)
    near = np.abs(times[:, None] - song.beats).min(axis=1) < 0.03
    assert onsets[near].mean() > 1.5 * onsets[~near].mean()


def test_an_unknown_genre_is_refused():
    with pytest.raises(KeyError):
        compose(0, 1.0, 120.0, genre="polka")


def test_the_demo_is_about_a_minute_in_at_most_a_megabyte():
    soundfile = pytest.importorskip("soundfile")
    assert DEMO.stat().st_size <= 1_000_000
    assert 55.0 < soundfile.info(str(DEMO)).duration < 70.0
