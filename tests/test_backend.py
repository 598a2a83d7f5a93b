"""The shipped model on the CPU: it gives what the reference says, and a folder that is not whole is refused."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from live import channels, skeleton
from live.backends.cpu import open_backend
from live.card import find_model, read_card, shipped_models
from live.contracts import FEATURE_NAMES
from live.errors import BadModel, Unusable
from live.generator import Generator, style_weights
from live.skeleton import BONES

MODEL = "salsa"
GRAPHS = ("generator.onnx", "generator.int8.onnx")

pytestmark = pytest.mark.skipif(MODEL not in shipped_models(), reason=f"the model '{MODEL}' is not shipped here")


@pytest.fixture(scope="module")
def folder():
    return find_model(MODEL)


@pytest.fixture(scope="module")
def card(folder):
    return read_card(folder)


@pytest.fixture(scope="module")
def reference(folder):
    with np.load(folder / "reference.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def restarts(reference):
    """The ticks at which the reference holds its state."""
    return sorted({int(found[1]) for name in reference if (found := re.match(r"state_(\d+)_", name))})


@pytest.fixture(scope="module")
def backends(folder, card):
    return {graph: open_backend(folder, card, 1, graph) for graph in GRAPHS}


@pytest.fixture
def copied(folder, tmp_path):
    """A copy of the model folder to damage: links, but for the card."""
    for file in folder.iterdir():
        os.symlink(file, tmp_path / file.name)
    (tmp_path / "model.json").unlink()
    shutil.copy(folder / "model.json", tmp_path)
    return tmp_path


def edit_card(folder, **changes):
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def refusal(call, *arguments):
    """The one line that a call is refused with."""
    with pytest.raises(BadModel) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    return str(caught.value)


def inputs_at(reference, tick):
    given = {name: reference[name][tick] for name in ("features", "noise", "dropout")}
    return given | {"style": reference["style"]}


def state_at(reference, tick):
    prefix = f"state_{tick}_"
    return {name[len(prefix) :]: value for name, value in reference.items() if name.startswith(prefix)}


def restarted(backend, reference, tick):
    """Raw poses [poses, channels] of one tick from the reference's state."""
    return backend.step(inputs_at(reference, tick), state_at(reference, tick))[0][0]


def joints(raw):
    """[..., 22, 3] of raw poses, in the facing frame above the root's place on the floor."""
    decoded = channels.decode(raw)
    root = np.stack([np.zeros_like(decoded.height), decoded.height, np.zeros_like(decoded.height)], -1)
    return skeleton.matrix_kinematics(root, decoded.matrices)[0]


def crowd(card, count, seed=0):
    """Inputs and state of `count` dancers who differ in everything."""
    noise = np.random.default_rng(seed)
    sizes = {"features": len(FEATURE_NAMES), "noise": card.latent, "dropout": card.dropout, "style": len(card.styles)}
    given = {name: noise.random((count, size)).astype(np.float32) for name, size in sizes.items()}
    return given, {name: np.zeros((count, *shape), np.float32) for name, shape in card.state.items()}


def test_the_reference_restarts_at_several_ticks(restarts, reference):
    assert len(restarts) >= 4 and restarts[-1] < len(reference["poses"])


def test_the_reference_moves(reference):
    assert np.ptp(reference["poses"], axis=0).max() > 0.1


def test_the_stored_weights_give_the_reference_to_four_decimals(backends, reference, restarts):
    for tick in restarts:
        found = restarted(backends["generator.onnx"], reference, tick)
        np.testing.assert_allclose(found, reference["poses"][tick, 0], rtol=1e-4, atol=1e-4)


def test_int8_gives_the_joints_of_the_reference_to_a_centimetre(backends, reference, restarts):
    for tick in restarts:
        found = joints(restarted(backends["generator.int8.onnx"], reference, tick))
        off = np.linalg.norm(found - joints(reference["poses"][tick, 0]), axis=-1)
        assert off.max() < 0.01, f"tick {tick}"


def test_ticks_in_a_row_follow_the_reference_from_each_restart(backends, reference, restarts):
    for start in restarts:
        state = state_at(reference, start)
        for tick in range(start, start + 4):
            found, state = backends["generator.onnx"].step(inputs_at(reference, tick), state)
            np.testing.assert_allclose(joints(found), joints(reference["poses"][tick]), atol=0.01)


def test_the_state_that_comes_out_goes_in_again(backends, reference, card):
    for backend in backends.values():
        _, state = backend.step(inputs_at(reference, 0), state_at(reference, 0))
        assert {name: list(value.shape[1:]) for name, value in state.items()} == card.state
        assert backend.step(inputs_at(reference, 1), state)[0].shape == (1, card.poses_per_tick, card.channels)


def test_a_step_changes_neither_its_inputs_nor_its_state(backends, reference, restarts):
    for backend in backends.values():
        given, state = inputs_at(reference, restarts[1]), state_at(reference, restarts[1])
        copies = [value.copy() for value in (*given.values(), *state.values())]
        backend.step(given, state)
        for value, copy in zip((*given.values(), *state.values()), copies, strict=True):
            np.testing.assert_array_equal(value, copy)


def test_the_same_step_twice_is_the_same_to_the_bit(backends, reference, restarts):
    for backend in backends.values():
        once, again = (restarted(backend, reference, restarts[1]) for _ in range(2))
        np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize(("graph", "close"), [("generator.onnx", 1e-4), ("generator.int8.onnx", 0.01)])
def test_several_dancers_dance_as_each_would_alone(folder, card, backends, graph, close):
    given, state = crowd(card, 3)
    several, alone, alone_state = open_backend(folder, card, 3, graph), backends[graph], []
    for _ in range(5):
        poses, state = several.step(given, state)
    for dancer in range(3):
        one, alone_state = crowd(card, 3)
        one, alone_state = ({k: v[dancer : dancer + 1] for k, v in part.items()} for part in (one, alone_state))
        for _ in range(5):
            pose, alone_state = alone.step(one, alone_state)
        np.testing.assert_allclose(joints(poses[dancer]), joints(pose[0]), atol=close)


def test_dancers_differ(folder, card):
    poses, _ = open_backend(folder, card, 2).step(*crowd(card, 2))
    assert np.abs(joints(poses[0]) - joints(poses[1])).max() > 0.001


def test_int8_is_what_is_performed_with(folder, card):
    assert "generator.int8.onnx" in open_backend(folder, card, 1).device


def test_without_int8_the_stored_weights_are_performed_with(copied, card):
    (copied / "generator.int8.onnx").unlink()
    assert open_backend(copied, card, 1).device.endswith("1 thread, generator.onnx")


def test_one_thread_runs_the_step(backends):
    options = backends["generator.onnx"]._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


def test_the_files_of_the_card_are_those_of_the_folder(folder, card):
    assert set(card.sha256) == {file.name for file in folder.iterdir()} - {"model.json"}


def test_the_folder_is_light(folder):
    assert sum(file.stat().st_size for file in folder.iterdir()) < 15e6


@pytest.mark.parametrize("name", [*GRAPHS, "reference.npz"])
def test_an_altered_file_is_refused(copied, name):
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).unlink()
    (copied / name).write_bytes(content)
    assert f"{name}: was altered" in refusal(read_card, copied)


@pytest.mark.parametrize("name", [*GRAPHS, "reference.npz"])
def test_a_missing_file_is_refused(copied, name):
    (copied / name).unlink()
    assert f"{name}: is missing" in refusal(read_card, copied)


def test_a_graph_that_is_none_is_refused(copied, card):
    (copied / "generator.int8.onnx").unlink()
    (copied / "generator.int8.onnx").write_text("not a graph\n" * 50)
    found = hashlib.sha256((copied / "generator.int8.onnx").read_bytes()).hexdigest()
    edit_card(copied, sha256=card.sha256 | {"generator.int8.onnx": found})
    assert "generator.int8.onnx: cannot be loaded" in refusal(open_backend, copied, read_card(copied), 1)


def test_an_empty_graph_is_refused(copied, card):
    (copied / "generator.int8.onnx").unlink()
    (copied / "generator.int8.onnx").touch()
    assert "generator.int8.onnx: " in refusal(open_backend, copied, card, 1)


def test_a_card_with_another_number_of_channels_is_refused(copied):
    edit_card(copied, channels=139)
    assert "139 channels" in refusal(read_card, copied)


@pytest.mark.parametrize("key", ["latent", "dropout", "poses_per_tick"])
def test_a_card_of_another_size_is_refused(copied, key):
    edit_card(copied, **{key: json.loads((copied / "model.json").read_text())[key] + 1})
    assert "card says" in refusal(open_backend, copied, read_card(copied), 1)


def test_a_card_with_a_state_of_another_shape_is_refused(copied, card):
    name, shape = next(iter(card.state.items()))
    edit_card(copied, state=card.state | {name: [n + 1 for n in shape]})
    assert f"input 'state_{name}'" in refusal(open_backend, copied, read_card(copied), 1)


def test_a_card_that_lacks_a_state_or_has_one_too_many_is_refused(copied, card):
    for state in (dict(list(card.state.items())[1:]), card.state | {"soul": [21]}):
        edit_card(copied, state=state)
        assert "not of one export" in refusal(open_backend, copied, read_card(copied), 1)


def test_a_graph_that_gives_other_poses_than_the_card_says_is_refused(copied):
    edit_card(copied, pose_space="keypoints18", channels=139)
    assert "does not give what the card says" in refusal(open_backend, copied, read_card(copied), 1)


def test_a_state_that_was_kept_stays_what_it_was(backends, reference):
    for backend in backends.values():
        _, state = backend.step(inputs_at(reference, 0), state_at(reference, 0))
        once, following = backend.step(inputs_at(reference, 1), state)
        backend.step(inputs_at(reference, 2), following)
        np.testing.assert_array_equal(backend.step(inputs_at(reference, 1), state)[0], once)


def test_a_card_of_another_version_is_refused(copied):
    edit_card(copied, card_version=99)
    assert "card version 99" in refusal(read_card, copied)


def test_a_card_of_other_features_is_refused(copied):
    edit_card(copied, feature_names=[*FEATURE_NAMES[1:], FEATURE_NAMES[0]])
    assert "other features" in refusal(read_card, copied)


def test_a_card_of_other_bones_is_refused(copied):
    edit_card(copied, bones=list(BONES[::-1]))
    assert "other bones" in refusal(read_card, copied)


@pytest.mark.parametrize("text", ["", "{", "not json", "[" * 100_000, "\x00"])
def test_a_card_that_is_not_json_is_refused(copied, text):
    (copied / "model.json").write_text(text)
    assert "model.json: is not JSON" in refusal(read_card, copied)


@pytest.mark.parametrize("text", ["[]", "null", "3", "{}", '{"card_version": "one"}'])
def test_json_that_is_no_card_is_refused(copied, text):
    (copied / "model.json").write_text(text)
    assert "export the model again" in refusal(read_card, copied)


@pytest.mark.parametrize(
    ("key", "value"),
    [("styles", []), ("temperature", "warm"), ("temperature", float("nan")), ("latent", -1), ("dropout_rate", 1.0),
     ("state", {"pose": [-1]}), ("sha256", None), ("tempo_range", [90]), ("tempo_range", [180, 90]),
     ("tempo_range", [-9, -1]), ("default_style", "tango"), ("beats_per_bar", {"tango": 4}),
     ("beats_per_bar", {"lead": 0})],
)  # fmt: skip
def test_a_card_with_a_senseless_value_is_refused_by_its_key(copied, key, value):
    edit_card(copied, **{key: value})
    assert f"model.json: '{key}" in refusal(read_card, copied)


def test_bytes_that_are_no_text_are_refused(copied):
    (copied / "model.json").write_bytes(b"\xff\xfe\x00{")
    assert "is not JSON" in refusal(read_card, copied)


def test_a_card_without_the_hash_of_a_graph_is_refused(copied):
    hashes = json.loads((copied / "model.json").read_text())["sha256"]
    edit_card(copied, sha256={name: value for name, value in hashes.items() if name == "reference.npz"})
    refusal(read_card, copied)


@pytest.mark.parametrize("change", [{"accent_offset": float("nan")}, {"tempo_range": [float("nan"), float("inf")]}])
def test_a_card_with_a_number_that_is_none_is_refused(copied, change):
    edit_card(copied, **change)
    refusal(read_card, copied)


def test_an_unknown_model_lists_the_shipped_ones():
    assert f"choose one of {', '.join(shipped_models())}" in refusal(find_model, "polka")


def test_a_folder_without_a_card_is_no_model(tmp_path):
    assert "without a model.json" in refusal(find_model, str(tmp_path))


def test_a_model_is_found_by_its_folder(copied):
    assert find_model(str(copied)) == Path(copied)


def test_a_card_may_name_the_style_that_is_danced_where_none_is_asked_for(card):
    last = card.model_copy(update={"default_style": card.styles[-1]})
    assert style_weights(last, "").tolist() == [0.0] * (len(card.styles) - 1) + [1.0]


def test_style_weights_sum_to_one(card):
    assert style_weights(card, "").tolist() == [1.0] + [0.0] * (len(card.styles) - 1)
    mixed = style_weights(card, ",".join(f"{name}={n + 1}" for n, name in enumerate(card.styles)))
    np.testing.assert_allclose(mixed, np.arange(1, len(mixed) + 1) / sum(range(1, len(mixed) + 1)))


@pytest.mark.parametrize("weight", ["-1", "nan", "inf", "much", "0"])
def test_a_style_weight_that_is_no_positive_number_is_refused(card, weight):
    with pytest.raises(Unusable, match=f"style '{card.styles[0]}"):
        style_weights(card, f"{card.styles[0]}={weight}")


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("Dai, slow", [0, 1, 0]),
        ("dai", [1, 0, 0]),
        ("Dai, Dai, slow = 3", [0.25, 0.75, 0]),
        ("waltz=fast=2", [0, 0, 1]),
    ],
)
def test_a_style_may_be_called_anything(card, text, weights):
    named = card.model_copy(update={"styles": ["Dai", "Dai, slow", "waltz=fast"]})
    assert style_weights(named, text).tolist() == weights


@pytest.mark.parametrize(("style", "metre"), [("waltz", 3), ("rumba", 0), ("rumba=2,waltz=3", 3)])
def test_a_dance_is_in_the_metre_of_what_is_danced_most(card, style, metre):
    named = card.model_copy(update={"styles": ["rumba", "waltz"], "beats_per_bar": {"waltz": 3}})
    assert Generator(named, None, 2, style_weights(named, style), 1, None).metre == metre


def test_an_unknown_style_lists_the_valid_ones(card):
    with pytest.raises(Unusable, match=", ".join(card.styles)):
        style_weights(card, "waltz")


def danced(card, backend, seed=1, ticks=20, style=""):
    """Free-running raw poses [ticks, poses, channels] of one dancer in silence."""
    generator = Generator(card, backend, 1, style_weights(card, style), seed, None)
    state, out = generator.initial_state(), []
    for tick in range(ticks):
        raw, state = generator.step(np.zeros(len(FEATURE_NAMES), np.float32), tick, state)
        out.append(raw[0])
    return np.stack(out)


def test_the_same_seed_gives_the_same_dance(card, backends):
    backend = backends["generator.int8.onnx"]
    np.testing.assert_array_equal(danced(card, backend), danced(card, backend))


def test_another_seed_gives_another_dance(card, backends):
    backend = backends["generator.int8.onnx"]
    assert np.abs(joints(danced(card, backend)) - joints(danced(card, backend, seed=2))).max() > 0.01


def test_a_minute_free_running_stays_finite_and_human(card, backends):
    poses = danced(card, backends["generator.int8.onnx"], ticks=60 * card.tick_rate)
    assert np.isfinite(poses).all()
    assert poses[..., channels.HEIGHT].min() > 0.3 and poses[..., channels.HEIGHT].max() < 1.6
