"""Preparing, training, resuming and exporting, on a dance of seconds."""

import hashlib
import json

import numpy as np
import pytest
from motion_files import salsa_folder

torch = pytest.importorskip("torch", reason="torch is not installed (extra `train`)")

from live import channels, skeleton  # noqa: E402
from live.backends.cpu import open_backend  # noqa: E402
from live.card import read_card  # noqa: E402
from live.errors import BadFile  # noqa: E402
from live.features.extractor import BEAT_SLICE  # noqa: E402
from live.nn.generator import Generator, GeneratorConfig  # noqa: E402
from live.train import dataset, export, trainer  # noqa: E402
from live.train.dance import merged, prepared  # noqa: E402
from live.train.prepare import read_all  # noqa: E402

SMALL = GeneratorConfig(
    convolution=16, encoder=12, ring=12, attention=8, location_filters=4, prenet=16, decoder=32, latent=8
)
CARD = {
    "name": "tiny", "title": "t", "styles": ["follow", "lead"], "licence": "l", "provenance": "p", "temperature": 0.5,
    "tempo_range": [100.0, 220.0], "accent_offset": 0.0, "dropout_rate": 0.2, "metrics": {},
}  # fmt: skip


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    dances = read_all(salsa_folder(tmp_path_factory.mktemp("salsa")))
    return merged([prepared(dance, [1.0, 1.25], seed=1) for dance in dances])


def run(arrays, rounds=4, **settings):
    config = trainer.TrainConfig(model=SMALL, rounds=rounds, batch=4, ticks=20, longest=4, **settings)
    return trainer.Trainer(config, dataset.Windows(arrays, config.ticks))


def test_prepared_arrays_are_aligned(arrays):
    total = arrays["start"][-1]
    assert len(arrays["start"]) == 1 + 2 * 2 * 2  # partners, mirrored, two tempi
    assert all(len(arrays[k]) == total for k in ("channels", "prosody", "count", "bpm", "usable"))


def test_the_grid_counts_on_through_a_segment(arrays):
    a, b = arrays["start"][:2]
    count, bpm = arrays["count"][a:b], arrays["bpm"][a]
    assert np.allclose(np.diff(count), bpm / 3600, atol=1e-4)
    assert count[0] == pytest.approx(2.5 + bpm / 3600, abs=1e-4)


def test_a_batch_feels_the_beat_of_its_last_frame(arrays):
    batch = dataset.Windows(arrays, 20).batch(np.random.default_rng(0), 8)
    beat = batch.features[..., BEAT_SLICE][..., :2]
    assert batch.poses.shape == (8, 20, 2, 138) and batch.before.shape == (8, 2, 138)
    assert np.allclose(np.linalg.norm(beat, axis=-1), np.linalg.norm(beat, axis=-1)[:, :1], atol=1e-5)


def test_training_lowers_the_loss(arrays):
    training = run(arrays, rounds=60, rate=4e-3)
    losses = [float(training.step().pose.detach()) for _ in range(60)]
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])


def test_a_resumed_run_goes_on_exactly(arrays, tmp_path):
    whole = run(arrays)
    list(whole.fit(tmp_path / "whole", every=1))
    broken = run(arrays)
    for _ in range(2):
        broken.step()
    broken.save(tmp_path / "half.pt")
    resumed = run(arrays)
    resumed.resume(tmp_path / "half.pt")
    list(resumed.fit(tmp_path / "resumed", every=1))
    for a, b in zip(whole.generator.parameters(), resumed.generator.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_damaged_checkpoint_is_named(tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(BadFile, match=r"checkpoint\.pt"):
        trainer.read_checkpoint(tmp_path / "checkpoint.pt")


def test_too_short_data_is_refused(arrays):
    with pytest.raises(BadFile, match="no clean window"):
        dataset.Windows(arrays, 2000)


@pytest.fixture(scope="module")
def exported(arrays, tmp_path_factory):
    training = run(arrays, rounds=10)
    for _ in range(10):
        training.step()
    folder = tmp_path_factory.mktemp("model")
    features = np.random.default_rng(0).normal(size=(60, 35)).astype(np.float32)
    export.export_model(training.generator, folder, CARD, features)
    return folder, training.generator.eval()


def test_an_exported_folder_is_accepted_and_hashed(exported):
    folder, _ = exported
    card = read_card(folder)
    assert card.sha256["generator.onnx"] == hashlib.sha256((folder / "generator.onnx").read_bytes()).hexdigest()
    assert json.loads((folder / "model.json").read_text())["parameters"] > 0


def teacher_forced(backend, card, generator, ticks=50):
    """Each tick from the torch reference's state: poses of the backend and of torch with weights as stored."""
    rng = np.random.default_rng(1)
    rounded = Generator(generator.config).eval()
    rounded.load_state_dict({k: v.half().float() if v.numel() >= 256 else v for k, v in generator.state_dict().items()})
    state, ours, theirs = rounded.initial_state(3), [], []
    for _ in range(ticks):
        inputs = {
            "features": rng.normal(size=(3, 35)), "noise": rng.normal(size=(3, card.latent)),
            "dropout": np.ones((3, card.dropout)), "style": np.full((3, 2), 0.5),
        }  # fmt: skip
        inputs = {k: v.astype(np.float32) for k, v in inputs.items()}
        ours.append(backend.step(inputs, {k: v.numpy() for k, v in state.items()})[0])
        with torch.no_grad():
            pose, state = rounded.step(*(torch.from_numpy(v) for v in inputs.values()), state)
        theirs.append(pose.numpy())
    return np.stack(ours), np.stack(theirs)


def test_onnx_equals_torch_to_1e_4_with_the_ring_wrapped(exported):
    folder, generator = exported
    card = read_card(folder)
    ours, theirs = teacher_forced(open_backend(folder, card, 3, "generator.onnx"), card, generator)
    assert np.abs(ours - theirs).max() < 1e-4


def test_int8_is_within_a_centimetre_of_torch(exported):
    folder, generator = exported
    card = read_card(folder)
    ours, theirs = teacher_forced(open_backend(folder, card, 3, "generator.int8.onnx"), card, generator)
    joints = [
        skeleton.matrix_kinematics(np.zeros(3, np.float32), channels.decode(x).matrices)[0] for x in (ours, theirs)
    ]
    assert np.linalg.norm(joints[0] - joints[1], axis=-1).mean() < 0.01
