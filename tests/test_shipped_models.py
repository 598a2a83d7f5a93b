"""Each shipped model dances: moving like its data, differently to different music, and never as a loop."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

pytest.importorskip("scipy", reason="scipy is not installed (extra `dev`)")

from live.audio.demo import MUSIC
from live.backends.cpu import open_backend
from live.beats.pulse import PulseTracker
from live.card import find_model, read_card, shipped_models
from live.generator import Generator, style_weights
from live.train.composer import compose
from live.train.free_run import perform
from live.train.quality import mean_speed
from live.types import FRAME_RATE, SAMPLE_RATE

SECONDS = 30
ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data" / "music"
MODELS = pytest.mark.parametrize("model", shipped_models())


def song(which):
    """Mono 48 kHz of real music from the shared data where that is there, else of our own."""
    path = SHARED / ("game-60s.ogg" if which == "a" else "victory.ogg")
    if path.exists():
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True, frames=SECONDS * 44_100)
        return soxr.resample(audio.mean(1), rate, SAMPLE_RATE).astype(np.float32)[: SECONDS * SAMPLE_RATE]
    if which == "a":
        return soundfile.read(MUSIC, dtype="float32", frames=SECONDS * SAMPLE_RATE)[0]
    return compose(991, SECONDS, 101.0, genre="funk").audio[: SECONDS * SAMPLE_RATE]


@cache
def danced(model, which, seed=1):
    """Joints [T, 22, 3] to song a, to b, or to `ab`: a for 15 s, then b."""
    halves = SECONDS // 2 * SAMPLE_RATE
    audio = np.concatenate([song("a")[:halves], song("b")[halves:]]) if which == "ab" else song(which)
    folder = find_model(model)
    card = read_card(folder)
    generator = Generator(card, open_backend(folder, card, 1), 1, style_weights(card, ""), seed, None)
    return perform(generator, PulseTracker(), [audio])[1][0]


@MODELS
def test_its_card_tells_the_lines_of_the_readme_that_made_it(model):
    readme = (ROOT / "README.md").read_text().splitlines()
    commands = read_card(find_model(model)).commands
    assert commands[0].startswith("live prepare") and commands[-1].startswith("live export")
    assert [line for line in readme if line in commands] == commands


def posture(joints):
    return joints - joints[:, :1]


@MODELS
@pytest.mark.parametrize("which", ["a", "b"])
def test_it_moves_as_fast_as_its_data_within_a_factor_of_two(model, which):
    real = read_card(find_model(model)).metrics["speed_of_data"]
    assert 0.5 * real < mean_speed(danced(model, which)[5 * FRAME_RATE :]) < 2.0 * real


@MODELS
def test_it_neither_freezes_nor_explodes(model):
    joints = danced(model, "a")[5 * FRAME_RATE :]
    each_second = [mean_speed(joints[i : i + FRAME_RATE]) for i in range(0, len(joints) - FRAME_RATE, FRAME_RATE)]
    assert np.isfinite(joints).all() and min(each_second) > 0.1 and max(each_second) < 5.0


@MODELS
def test_two_songs_give_two_dances(model):
    a, b = posture(danced(model, "a")), posture(danced(model, "b"))
    assert np.linalg.norm(a - b, axis=-1)[10 * FRAME_RATE :].mean() > 0.05


@MODELS
def test_swapping_the_song_midway_changes_the_dance_from_there(model):
    a, swapped = danced(model, "a"), danced(model, "ab")
    swap = SECONDS // 2 * FRAME_RATE
    assert np.array_equal(a[: swap - 2], swapped[: swap - 2])
    assert np.linalg.norm(posture(a) - posture(swapped), axis=-1)[swap + FRAME_RATE :].mean() > 0.05


@MODELS
def test_no_stretch_of_the_dance_is_played_again(model):
    moving = posture(danced(model, "a"))[5 * FRAME_RATE :].reshape(-1, 66)
    window = moving[: 2 * FRAME_RATE]
    away = [
        np.abs(moving[i : i + len(window)] - window).mean() for i in range(FRAME_RATE, len(moving) - len(window), 2)
    ]
    assert min(away) > 0.01


@MODELS
def test_the_seed_decides_the_variation(model):
    assert np.array_equal(danced(model, "a"), danced.__wrapped__(model, "a"))
    assert not np.array_equal(danced(model, "a"), danced(model, "a", seed=2))
