"""What the beat network is taught: targets at the right frames, music whose beats are where they are said to be."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import mido
import torch

from live.beats._pointer import TEMPI
from live.beats._spectrum import BANDS, all_levels, with_rises
from live.errors import BadFile
from live.nn.beats import BeatNetwork
from live.train import arranger, beats, orchestra
from live.train.beats_recover import recovered
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


def exported(folder, *widths):
    """Networks, and a session over their export."""
    import onnxruntime

    torch.manual_seed(1)
    networks = [BeatNetwork(2 * BANDS, width, len(TEMPI)).eval() for width in widths]
    for network in networks:
        network.mean.uniform_(0.0, 1.0)
        network.deviation.uniform_(0.5, 2.0)
        torch.nn.init.uniform_(network.beat.bias)  # what is alike is stored once
    files = [folder / f"{i}.pt" for i in range(len(widths))]
    for network, width, file in zip(networks, widths, files, strict=True):
        torch.save({"config": {"width": width}, "round": 0, "weights": network.state_dict()}, file)
    beats.export(files, folder / "beats.onnx")
    return networks, onnxruntime.InferenceSession(folder / "beats.onnx", providers=["CPUExecutionProvider"])


def test_the_exported_network_is_the_trained_one(tmp_path):
    (network,), session = exported(tmp_path, 16)
    frames, state = rng().random((30, 2 * BANDS), dtype=np.float32), rng().random(32, dtype=np.float32)
    with torch.no_grad():
        logits, tempo, after = network(torch.from_numpy(frames)[None], torch.from_numpy(state).reshape(2, 1, 16))
    got = session.run(None, {"frames": frames, "state": state})
    assert np.allclose(got[0], torch.sigmoid(logits)[0].numpy(), atol=1e-3)
    assert np.allclose(got[1], torch.softmax(tempo, -1)[0].numpy(), atol=1e-3)
    assert np.allclose(got[2], after.numpy().ravel(), atol=1e-2)


def test_of_several_networks_the_first_counts_as_much_as_the_others_together(tmp_path):
    networks, session = exported(tmp_path, 16, 8, 8)
    frames = rng().random((20, 2 * BANDS), dtype=np.float32)
    heard = torch.from_numpy(frames)[None]
    with torch.no_grad():
        each = [torch.sigmoid(n(heard, n.initial_state(1))[0])[0].numpy() for n in networks]
    got = session.run(None, {"frames": frames, "state": np.zeros(2 * (16 + 8 + 8), np.float32)})
    assert np.allclose(got[0], 0.5 * each[0] + 0.25 * (each[1] + each[2]), atol=1e-3)


def test_the_exported_networks_are_read_back(tmp_path):
    networks, _ = exported(tmp_path, 16, 8)
    frames = torch.from_numpy(rng().random((1, 30, 2 * BANDS), dtype=np.float32))
    with torch.no_grad():
        for network, again in zip(networks, recovered(tmp_path / "beats.onnx"), strict=True):
            beat, tempo, state = network(frames, network.initial_state(1))
            for mean in (torch.zeros(2 * BANDS), network.mean):
                again.normalise(mean, torch.full((2 * BANDS,), 0.5))
                got = again(frames, again.initial_state(1))
                assert torch.allclose(got[0], beat, atol=1e-2) and torch.allclose(got[2], state, atol=1e-2)
                assert torch.allclose(got[1], tempo, atol=1e-2) == (network is networks[0])  # which alone has one


@pytest.mark.parametrize("content", [b"", b"nothing", None])
def test_what_holds_no_networks_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "beats.onnx").write_bytes(content)
    with pytest.raises(BadFile, match=r"beats\.onnx"):
        recovered(tmp_path / "beats.onnx")


def test_slow_swing_sounds_on_its_beats_and_late_between_them(tmp_path):
    groove = tmp_path / "groove"
    groove.mkdir()
    track = mido.MidiTrack()
    for beat in range(64):  # at mido's 120 BPM and 480 ticks a beat
        track.append(mido.Message("note_on", channel=9, note=42, velocity=90, time=160 if beat else 0))
        track.append(mido.Message("note_on", channel=9, note=42, velocity=80, time=320))
    mido.MidiFile(tracks=[track]).save(groove / "drummer1_session1_1_blues-shuffle_120_beat_4-4.mid")
    for seed in range(8):
        score = arranger.swinging(np.random.default_rng(seed), tmp_path, 32)
        places = np.array([note.count for note in score.notes if note.channel == orchestra.DRUM_CHANNEL])
        late = places[(places % 1.0 > 0.05) & (places % 1.0 < 0.95)] % 1.0
        assert {round(place) for place in places if abs(place - round(place)) < 0.05} >= set(range(32))
        assert len(late) > 16 and late.min() > 0.58 and late.max() < 0.72


def test_the_tempo_taught_is_that_of_the_beats_around():
    beats_at = np.concatenate([np.arange(1.0, 5.0, 0.5), np.arange(5.0, 9.0, 0.6)])
    place = beats.tempo_of(beats_at, 1000).astype(float)
    bpm = np.interp(place, np.arange(len(TEMPI)), TEMPI)
    assert place[50] == place[950] == -1.0
    assert bpm[200] == pytest.approx(120.0, rel=0.01) and bpm[700] == pytest.approx(100.0, rel=0.01)


def some_songs():
    levels = rng().random((4000, BANDS)).astype(np.float16)
    targets = np.stack([np.arange(4000) % 50 == 0, np.arange(4000) % 200 == 0, np.full(4000, 20.0)], 1)
    return beats.Listening(levels, targets.astype(np.float16), np.arange(0, 4001, 1000))


def test_an_interrupted_run_goes_on_where_it_was(tmp_path):
    config = beats.BeatTraining(width=8, streams=4, frames=100, rounds=20)
    first = beats.BeatTrainer(config, some_songs())
    steps = first.fit(tmp_path / "a.pt", every=10)
    next(steps)
    second = beats.BeatTrainer(config, some_songs())
    second.resume(tmp_path / "a.pt")
    assert second.round == 10
    assert list(second.fit(tmp_path / "a.pt", every=10))[-1]["round"] == 20


def test_training_on_a_plain_grid_learns_it(tmp_path):
    config = beats.BeatTraining(width=8, streams=4, frames=100, rounds=60, rate=1e-2)
    told = list(beats.BeatTrainer(config, some_songs()).fit(tmp_path / "a.pt", every=20))
    assert told[-1]["tempo"] < 0.7 * told[0]["tempo"] and told[-1]["loss"] < told[0]["loss"]
