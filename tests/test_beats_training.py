"""What the beat network is taught: targets at the right frames, music whose beats are where they are said to be."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from live.beats._spectrum import BANDS, all_levels, with_rises
from live.nn.beats import BeatNetwork
from live.train import beats
from live.train.metronome import metronome
from live.train.spoiler import beatless, spoil


def rng():
    return np.random.default_rng(5)


def test_a_beat_is_taught_in_the_frame_that_ends_its_lag_later():
    targets = beats.targets_of(np.array([1.0]), 200)
    assert targets.argmax() == round((1.0 + beats.LAG) * 100) - 1
    assert targets.sum() == 2.0


def test_fast_music_is_taught_at_half_its_tempo_on_the_downbeats():
    fast = np.arange(1, 33) * 0.3
    felt, downbeats = beats.felt(fast, fast[3::4])
    assert np.allclose(np.diff(felt), 0.6)
    assert set(downbeats) <= set(felt)


def test_slower_music_is_taught_as_it_is():
    slow = np.arange(32) * 0.5
    assert np.array_equal(beats.felt(slow, slow[::4])[0], slow)


def test_a_metronome_sounds_on_its_beats():
    song = metronome(2, 20.0)
    levels = all_levels(song.audio)
    rises = with_rises(levels[2:], levels[:-2])[:, BANDS:].sum(1)
    frames = np.round(song.beats[1:-1] * 100).astype(int)
    near = np.max([rises[frames + k] for k in range(-2, 4)], 0)
    assert near.mean() > 3 * rises.mean()


@pytest.mark.parametrize("seed", range(8))
def test_what_is_spoiled_stays_finite_and_as_long(seed):
    clean = metronome(seed, 3.0).audio
    bad = spoil(np.random.default_rng(seed), clean)
    assert len(bad) == len(clean) and np.isfinite(bad).all() and np.abs(bad).max() <= 1.0


def test_what_has_no_beat_is_finite():
    assert all(np.isfinite(beatless(np.random.default_rng(seed), 2.0)).all() for seed in range(12))


def test_inputs_in_training_are_those_on_stage():
    levels = rng().random((50, BANDS), dtype=np.float32)
    trained = beats.inputs_of(torch.from_numpy(levels)[None], torch.zeros(1, 2, BANDS))[0].numpy()
    before = np.concatenate([np.zeros((2, BANDS), np.float32), levels])[:-2]
    assert np.array_equal(trained, with_rises(levels, before))


def test_the_exported_network_is_the_trained_one(tmp_path):
    import onnxruntime

    torch.manual_seed(1)
    network = BeatNetwork(2 * BANDS, 16).eval()
    config = {"width": 16}
    torch.save({"config": config, "round": 0, "weights": network.state_dict()}, tmp_path / "beats.pt")
    beats.export([tmp_path / "beats.pt"], tmp_path / "beats.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "beats.onnx", providers=["CPUExecutionProvider"])
    frames, state = rng().random((1, 30, 2 * BANDS), dtype=np.float32), np.zeros((2, 1, 16), np.float32)
    with torch.no_grad():
        logits, after = network(torch.from_numpy(frames), torch.from_numpy(state))
    got, got_state = session.run(None, {"frames": frames, "state": state})
    assert np.allclose(got, torch.sigmoid(logits).numpy(), atol=1e-5)
    assert np.allclose(got_state, after.numpy(), atol=1e-5)
