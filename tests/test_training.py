"""Preparing, training, resuming and exporting, on a dance of seconds."""

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from motion_files import salsa_folder

torch = pytest.importorskip("torch", reason="torch is not installed (extra `train`)")
torch.set_num_threads(1)
pytest.importorskip("lightning", reason="lightning is not installed (extra `train`)")

from live import channels, keypoints, skeleton  # noqa: E402
from live.backends.cpu import open_backend  # noqa: E402
from live.card import read_card  # noqa: E402
from live.cli import learn  # noqa: E402
from live.cli.troupe import load_generator  # noqa: E402
from live.errors import BadFile, BadModel, Unusable  # noqa: E402
from live.features.extractor import BEAT_SLICE  # noqa: E402
from live.nn.generator import Generator  # noqa: E402
from live.nn.sizes import GeneratorConfig  # noqa: E402
from live.show import Show  # noqa: E402
from live.train import checkpoint, dataset, export, footing, roll, stored  # noqa: E402
from live.train.config import TrainConfig  # noqa: E402
from live.train.dance import merged, prepared  # noqa: E402
from live.train.free_run import walked  # noqa: E402
from live.train.prepare import read_all  # noqa: E402
from live.train.rounds import Round  # noqa: E402
from live.train.trainer import Dancing  # noqa: E402

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


CPU = learn.Machine(accelerator="cpu")
EVERYTHING = {"adversary": 0.1, "autoencoder": 0.1, "kinematics": 0.01, "contact": 0.1, "rest": 0.5}


def run(arrays, out, rounds=4, begin=learn.Begin(), **settings):  # noqa: B008
    small = {"model": SMALL, "batch": 4, "ticks": 20, "longest": 4, "every": 2, "rounds": rounds}
    config = TrainConfig(**(small | settings))
    return learn.fit(config, arrays, out, begin, CPU)


def losses(out, name="pose"):
    """What TensorBoard was told, one value every twenty rounds."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(out / "log"))
    log.Reload()
    return [event.value for event in log.Scalars(name)]


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


def test_without_augmentation_a_batch_hears_its_own_dance_exactly(arrays):
    batch = dataset.Windows(arrays, 20, augment=False).batch(np.random.default_rng(0), 8)
    assert np.allclose(np.linalg.norm(batch.features[..., BEAT_SLICE][..., :2], axis=-1), 1.0, atol=1e-5)
    assert np.ptp(batch.features[..., 0], axis=1).min() > 0  # no window in silence


@pytest.mark.parametrize(("even", "least", "most"), [(False, 0.0, 0.2), (True, 0.35, 0.65)])
def test_a_style_with_few_dances_is_drawn_as_often_as_any_other_where_that_is_asked_for(arrays, even, least, most):
    style = np.zeros_like(arrays["style"])
    style[-1] = 1
    rare = dataset.Windows(arrays | {"style": style}, 20, even=even).batch(np.random.default_rng(0), 400).style[:, 1]
    assert least < rare.mean() < most


def test_without_mirror_images_half_the_windows_are_left(arrays):
    assert len(dataset.Windows(arrays, 20, mirror=False)) * 2 == len(dataset.Windows(arrays, 20))


def test_each_prepared_label_becomes_a_style(arrays, tmp_path):
    other = arrays | {"styles": np.array(["Dai, slow", "waltz=fast"])}
    module = run(merged([arrays, other]), tmp_path, rounds=2)
    assert module.styles == ["Dai, slow", "follow", "lead", "waltz=fast"]
    assert checkpoint.read_checkpoint(tmp_path).network().config.styles == 4


def test_training_lowers_the_loss_and_tells_tensorboard(arrays, tmp_path):
    run(arrays, tmp_path, rounds=60, rate=4e-3, every=30)
    told = losses(tmp_path)
    assert len(told) == 3 and told[-1] < 0.9 * told[0]


@pytest.mark.parametrize("more", [{}, EVERYTHING], ids=["plain", "all losses"])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(arrays, tmp_path, more):
    whole = run(arrays, tmp_path / "whole", rounds=5, **more)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(PowerCut):
        patch.setattr(Dancing, "training_step", cut_at_round_3(Dancing.training_step))
        run(arrays, tmp_path / "broken", rounds=5, **more)
    resumed = run(arrays, tmp_path / "broken", 5, learn.Begin(resume=True), **more)
    assert checkpoint.read_checkpoint(tmp_path / "broken").rounds == 5
    for (name, a), b in zip(whole.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_a_share_of_the_windows_grows_out_of_the_mean_pose(arrays):
    windows = dataset.Windows(arrays, 40)
    network, batch = Generator(replace(SMALL, styles=2)), windows.batch(np.random.default_rng(1), 200)
    values = Round(torch.tensor(0), *(torch.from_numpy(part) for part in batch))
    roll.normalise(network, values)
    danced = roll.normalised(network, values)
    torch.manual_seed(1)
    begun = roll.from_rest(danced, 0.25, poses=2)
    rested = (begun.before == 0).all(1)
    assert 30 <= int(rested.sum()) <= 70
    assert torch.equal(begun.poses[~rested], danced.poses[~rested])
    assert torch.equal(begun.before[~rested], danced.before[~rested])
    size = begun.poses[rested].norm(dim=2) / danced.poses[rested].norm(dim=2)  # [B, T]
    assert (size.diff(dim=1)[:, :29] > 0).all() and size[:, 0].max() < 0.01
    assert torch.equal(begun.poses[rested][:, 30:], danced.poses[rested][:, 30:])


class PowerCut(Exception):
    pass


def cut_at_round_3(step):
    def cut(module, batch, index):
        if int(batch.number) == 3:
            raise PowerCut
        step(module, batch, index)

    return cut


def test_a_run_begins_with_the_weights_and_at_the_round_of_another(arrays, tmp_path):
    first = run(arrays, tmp_path / "first", rounds=4)
    second = run(arrays, tmp_path / "second", 5, learn.Begin(weights=tmp_path / "first" / "checkpoint.ckpt"), rate=0.0)
    assert second.rounds_done == 5
    for a, b in zip(first.generator.parameters(), second.generator.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_checkpoint_of_before_lightning_is_read(arrays, tmp_path):
    now = run(arrays, tmp_path / "now", rounds=2)
    torch.save(
        {
            "generator": now.generator.state_dict(), "posterior": now.posterior.state_dict(), "round": 2,
            "optimiser": now.configure_optimizers()[0].state_dict(), "styles": json.dumps(now.styles),
            "config": json.dumps({"model": SMALL.to_dict(), "rounds": 2, "noise": [0.03, 0.1], "valid_takes": []}),
        }, tmp_path / "checkpoint.pt",
    )  # fmt: skip
    assert checkpoint.read_checkpoint(tmp_path).rounds == 2
    assert run(arrays, tmp_path / "on", 3, learn.Begin(weights=tmp_path / "checkpoint.pt")).rounds_done == 3


def test_a_checkpoint_is_never_overwritten_unasked(arrays, tmp_path):
    run(arrays, tmp_path, rounds=2)
    with pytest.raises(Unusable, match="--resume"):
        run(arrays, tmp_path, rounds=2)
    with pytest.raises(Unusable, match="2 rounds already"):
        run(arrays, tmp_path, 2, learn.Begin(resume=True))


def test_weights_of_other_sizes_or_styles_are_refused(arrays, tmp_path):
    run(arrays, tmp_path / "a", rounds=2)
    begin = learn.Begin(weights=tmp_path / "a" / "checkpoint.ckpt")
    with pytest.raises(BadFile, match="other sizes"):
        run(arrays, tmp_path / "b", 4, begin, model=GeneratorConfig(decoder=8))
    with pytest.raises(BadFile, match="styles are follow, lead"):
        run(arrays | {"styles": np.array(["slow", "fast"])}, tmp_path / "c", 4, begin)


def test_a_missing_device_is_told_in_a_line(arrays, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    config = TrainConfig(model=SMALL, rounds=2, batch=4, ticks=20)
    with pytest.raises(Unusable, match="cannot train so"):
        learn.fit(config, arrays, tmp_path, learn.Begin(), learn.Machine(accelerator="gpu"))


@pytest.mark.skipif(not learn._has_bf16(), reason="this processor computes no bfloat16")
def test_bf16_trains_float32_weights(arrays, tmp_path):
    config = TrainConfig(model=SMALL, rounds=2, batch=4, ticks=20, every=2)
    made = learn.fit(config, arrays, tmp_path, learn.Begin(), learn.Machine(accelerator="cpu", precision="bf16-mixed"))
    assert {p.dtype for p in made.parameters()} == {torch.float32}
    assert all(bool(p.isfinite().all()) for p in made.parameters())


def test_a_processor_without_bf16_is_told_in_one_line(arrays, tmp_path, monkeypatch):
    config = TrainConfig(model=SMALL, rounds=2, batch=4, ticks=20)
    monkeypatch.setattr(learn, "_has_bf16", lambda: False)
    with pytest.raises(Unusable, match="bf16-mixed: this processor computes no bfloat16"):
        learn.fit(config, arrays, tmp_path, learn.Begin(), learn.Machine(accelerator="cpu", precision="bf16-mixed"))


@pytest.mark.slow
def test_two_devices_share_the_batch(arrays, tmp_path):
    np.savez(tmp_path / "data.npz", **arrays)
    sizes = "\n".join(f"{k} = {v}" for k, v in SMALL.to_dict().items() if k not in ("styles", "footing")).lower()
    head = "[train]\nrounds = 2\nbatch = 4\nticks = 20\nevery = 2\nadversary = 0.1\n[model]\n"
    (tmp_path / "small.toml").write_text(head + sizes)
    command = [sys.executable, "-m", "live", "train", "small.toml", "--data", "data.npz", "--out", "run"]
    flags = ["--accelerator", "cpu", "--devices", "2"]
    done = subprocess.run([*command, *flags], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert checkpoint.read_checkpoint(tmp_path / "run").rounds == 2


def test_a_model_that_hears_ahead_cannot_be_exported(arrays, tmp_path):
    whole = GeneratorConfig(**(SMALL.to_dict() | {"bidirectional": True}))
    run(arrays, tmp_path / "run", rounds=2, model=whole)
    with pytest.raises(Unusable, match="cannot dance live"):
        learn.export_checkpoint(tmp_path / "run", tmp_path / "no.toml", tmp_path / "out", None, None)


def write_card(folder):
    (folder / "c.toml").write_text(
        '[card]\nname = "a"\ntitle = "a"\nlicence = "l"\nprovenance = "p"\ntemperature = 0.5\n'
        "tempo_range = [100.0, 220.0]\naccent_offset = 0.0\nemphasis = 2.5\namplitude = 1.1\n"
    )
    return folder / "c.toml"


def test_on_stage_the_beat_is_told_as_loud_as_the_card_says(arrays, tmp_path):
    run(arrays, tmp_path / "run", rounds=2)
    learn.export_checkpoint(tmp_path / "run", write_card(tmp_path), tmp_path / "model", None, None)
    card = json.loads((tmp_path / "model" / "model.json").read_text())
    assert (card["network"]["emphasis"], card["training"]["model"]["emphasis"]) == (2.5, 1.0)
    assert (card["network"]["amplitude"], card["training"]["model"]["amplitude"]) == (1.1, 1.0)


@pytest.fixture(scope="module")
def shipped(arrays, tmp_path_factory):
    """A model folder and the run that it was exported from."""
    folder = tmp_path_factory.mktemp("shipped")
    run(arrays, folder / "run", rounds=2)
    np.savez(folder / "data.npz", **arrays)
    learn.export_checkpoint(folder / "run", write_card(folder), folder / "model", None, folder / "data.npz")
    return folder


def test_a_model_folder_gives_its_weights_back_without_what_the_stage_adds(shipped):
    trained, again = (checkpoint.read_checkpoint(shipped / name) for name in ("run", "model"))
    assert (again.styles, again.rounds, again.config) == (trained.styles, trained.rounds, trained.config)
    for name, value in trained.modules["average"].items():
        assert torch.allclose(again.modules["average"][name], value, rtol=1e-3, atol=1e-4), name


def test_a_model_folder_is_exported_again_for_another_stage(shipped, tmp_path):
    card = write_card(tmp_path)
    card.write_text(card.read_text() + 'smoothing = 0.04\ndropout_rate = 0.0\ncommands = ["live export"]\n')
    learn.export_checkpoint(shipped / "model", card, tmp_path / "calm", None, None)
    told = json.loads((tmp_path / "calm" / "model.json").read_text())
    assert (told["network"]["smoothing"], told["network"]["footing"], told["dropout_rate"]) == (0.04, False, 0.0)
    assert read_card(tmp_path / "calm").state["smoothed"] == [2, 138]
    assert read_card(tmp_path / "calm").commands == ["live export"]


def test_a_style_that_is_danced_in_its_own_metre_is_one_of_the_models(shipped, tmp_path):
    card = write_card(tmp_path)
    plain = card.read_text()
    card.write_text(plain + "beats_per_bar = { lead = 3 }\n")
    learn.export_checkpoint(shipped / "model", card, tmp_path / "waltz", None, None)
    assert read_card(tmp_path / "waltz").beats_per_bar == {"lead": 3}
    for wrong, said in (("{ tango = 3 }", "'tango' is none of follow, lead"), ("3", "valid dictionary")):
        card.write_text(f"{plain}beats_per_bar = {wrong}\n")
        with pytest.raises(BadFile, match=f"c.toml: [^\n]*beats_per_bar[^\n]*{said}$"):
            learn.export_checkpoint(shipped / "model", card, tmp_path / "none", None, None)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("temperature = 0.5", "temperature = 5.0"),
        ("[100.0, 220.0]", "[220.0, 100.0]"),
        ("[100.0, 220.0]", "[-9.0, -1.0]"),
        ("emphasis = 2.5", 'emphasis = "loud"'),
        ("amplitude = 1.1", "amplitude = 0.0"),
        ("temperature = 0.5", ""),
    ],
)
def test_a_card_that_no_stage_would_take_is_refused_on_export(shipped, tmp_path, value, wrong):
    card = write_card(tmp_path)
    card.write_text(card.read_text().replace(value, wrong))
    with pytest.raises(BadFile, match=r"c.toml: \[card\] '(temp|emph|ampl)[^\n]*$"):
        learn.export_checkpoint(shipped / "model", card, tmp_path / "none", None, shipped / "data.npz")


def test_a_model_learns_on_after_its_new_posterior_has_learnt_alone(shipped, arrays, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "ALONE", 2)
    before = checkpoint.read_checkpoint(shipped / "model").modules["generator"]
    begin = learn.Begin(shipped / "model")
    alone = run(arrays, tmp_path / "alone", 4, begin)
    assert all(torch.equal(value, before[name]) for name, value in alone.generator.state_dict().items())
    both = run(arrays, tmp_path / "both", 5, begin)
    assert not torch.equal(both.generator.out.weight, before["out.weight"])


def test_a_model_folder_with_a_foreign_graph_cannot_learn_on(shipped, tmp_path):
    shutil.copytree(shipped / "model", tmp_path / "model")
    card = json.loads((tmp_path / "model" / "model.json").read_text())
    del card["training"]["model"]
    (tmp_path / "model" / "model.json").write_text(json.dumps(card))
    with pytest.raises(BadFile, match=r"model: cannot learn on, its graph is not one that `live export` writes"):
        checkpoint.read_checkpoint(tmp_path / "model")


def test_a_damaged_checkpoint_is_named(tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(BadFile, match=r"checkpoint\.pt"):
        checkpoint.read_checkpoint(tmp_path)


def test_too_short_data_is_refused(arrays):
    with pytest.raises(BadFile, match="no clean window"):
        dataset.Windows(arrays, 2000)


@pytest.fixture(scope="module")
def exported(arrays, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    run(arrays, out, rounds=10)
    generator = footing.planted(checkpoint.read_checkpoint(out).network(), dataset.Windows(arrays, 90), 0.5, 0.2)
    generator.config = replace(generator.config, smoothing=0.03)
    folder = tmp_path_factory.mktemp("model")
    features = np.random.default_rng(0).normal(size=(60, 35)).astype(np.float32)
    export.export_model(generator, folder, CARD, features)
    return folder, generator


@pytest.fixture
def flat(arrays):
    """Dances of keypoints, as far as training can tell."""
    channels = np.ascontiguousarray(arrays["channels"][:, : keypoints.CHANNELS])
    return arrays | {"channels": channels, "pose_space": np.array(keypoints.SPACE)}


def test_a_model_of_keypoints_is_as_wide_as_its_dances_and_says_what_it_is(flat, tmp_path):
    run(flat, tmp_path / "run", rounds=2)
    features = np.zeros((60, 35), np.float32)
    export.export_model(checkpoint.read_checkpoint(tmp_path / "run").network(), tmp_path / "model", CARD, features)
    card = read_card(tmp_path / "model")
    assert (card.pose_space, card.channels) == ("keypoints18", 36)
    with pytest.raises(BadModel, match=r"^model 'tiny' dances in the picture[^\n]*--pose-space rotations22$"):
        load_generator(Show(model=str(tmp_path / "model")))


def test_keypoints_have_no_bones_to_learn_by(flat, tmp_path):
    with pytest.raises(Unusable, match=r"^dances of keypoints18 have no bones: write kinematics = 0"):
        run(flat, tmp_path, contact=0.1)


def test_an_exported_folder_is_accepted_and_hashed(exported):
    folder, _ = exported
    card = read_card(folder)
    assert card.sha256["generator.onnx"] == hashlib.sha256((folder / "generator.onnx").read_bytes()).hexdigest()
    assert json.loads((folder / "model.json").read_text())["parameters"] > 0


def test_feet_are_planted_by_dances_that_are_counted_as_on_the_stage(arrays):
    counted = footing.as_on_stage(arrays, (100.0, 200.0), {"lead": 3})
    known = arrays["bpm"] > 0.0
    assert known.any() and np.all((counted["bpm"][known] >= 100.0) & (counted["bpm"][known] <= 200.0))
    times = counted["bpm"][known] / arrays["bpm"][known]
    np.testing.assert_allclose(counted["count"][known], times * arrays["count"][known], rtol=1e-5)
    lead = np.repeat(arrays["style"] == list(arrays["styles"]).index("lead"), np.diff(arrays["start"]))
    assert set(counted["beats_per_bar"][lead]) == {3} and set(counted["beats_per_bar"][~lead]) == {4}


def slipping(raw):
    """Mean speed (m/s) over the ground of the feet that stand, of raw channels [T, 138]."""
    found = footing.footing(raw)
    return np.average(np.linalg.norm(found.velocity - raw[:, channels.VELOCITY], axis=-1), weights=found.sure)


def test_a_root_that_follows_the_footing_lets_the_standing_foot_stay(arrays):
    raw = arrays["channels"][: arrays["start"][1]].astype(np.float32)
    astray = raw.copy()
    astray[:, channels.VELOCITY] += (0.8, -0.5)
    planted = astray.copy()
    planted[:, channels.VELOCITY] = footing.footing(astray).velocity
    feet = [walked(dance)[:, footing.SUPPORTS][..., ::2] for dance in (planted, astray)]
    stays, slides = (np.median(np.linalg.norm(np.diff(f, axis=0), axis=-1).min(1)) * 60 for f in feet)
    assert stays < 0.15 < 0.4 < slides


def test_planted_feet_slip_less_and_nothing_else_changes(arrays, exported):
    _, planted = exported
    bare = Generator(replace(planted.config, footing=False)).eval()
    bare.load_state_dict({k: v for k, v in planted.state_dict().items() if "footing" not in k})
    windows = dataset.Windows(arrays, 90)
    seen, slid = zip(*(footing._danced(g, windows, 0.5, 0.2, seed=7) for g in (bare, planted)), strict=True)
    np.testing.assert_array_equal(*seen)
    np.testing.assert_array_equal(slid[0][..., 2:], slid[1][..., 2:])
    before, after = (np.mean([slipping(d) for d in raw[:, 60:].reshape(len(raw), -1, 138)]) for raw in slid)
    assert after < 0.8 * before


def test_feet_are_planted_by_the_dances_that_were_learnt_alone(arrays, tmp_path):
    run(arrays, tmp_path / "run", rounds=2)
    np.savez(tmp_path / "others.npz", **(arrays | {"styles": np.array(["waltz", "rumba"])}))
    with pytest.raises(Unusable, match=r"--plant [^\n]*others.npz: [^\n]*was not trained on these dances"):
        learn.export_checkpoint(tmp_path / "run", write_card(tmp_path), tmp_path / "m", None, tmp_path / "others.npz")


def teacher_forced(backend, card, generator, ticks=50):
    """Each tick from the torch reference's state: poses of the backend and of torch with weights as stored."""
    rng = np.random.default_rng(1)
    rounded = Generator(generator.config).eval()
    rounded.load_state_dict(
        {k: v.half().float() if v.numel() >= stored.HALVED_FROM else v for k, v in generator.state_dict().items()}
    )
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
