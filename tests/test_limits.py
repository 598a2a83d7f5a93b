"""Files that somebody made up to fill the memory, to hang who reads them or to end it: each is refused in one line."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import shutil
import struct
import zipfile

import numpy as np
import pytest
import soundfile

from live import limits
from live.audio._decode import Decoder
from live.backends import _trial, cpu
from live.card import LARGEST_STATE, find_model, read_card, shipped_models
from live.dictionary import load
from live.errors import LONGEST, BadFile, BadModel, LiveError
from live.outputs._avatar import read_avatar
from live.show import read_show
from live.take import MAGIC, head, read_take, record_dtype

DEEP = "[" * 100_000 + "]" * 100_000
modelled = pytest.mark.skipif("salsa" not in shipped_models(), reason="the model 'salsa' is not shipped here")


def line(call, *arguments, error=BadFile):
    """The one line with which a call is refused."""
    with pytest.raises(error) as caught:
        call(*arguments)
    told = str(caught.value)
    assert "\n" not in told and len(told) <= LONGEST + 10
    return told


@pytest.fixture
def file(tmp_path):
    """A file with some content."""

    def made(content, name="file"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return made


# ---- any file ------------------------------------------------------------------------------------------------------


def test_a_message_is_one_line_that_a_terminal_can_show():
    assert str(LiveError("a\nb\x1b[2J\u202e\ud800c")) == r"a\nb\x1b[2J\u202e\ud800c"
    assert len(str(LiveError("x" * 10_000))) < LONGEST + 10


def test_no_more_is_read_than_asked_for(file):
    assert "is larger than 3 bytes" in line(limits.read_bytes, file(b"1234"), 3)
    assert limits.read_bytes(file(b"123"), 3) == b"123"


def test_a_huge_file_with_nothing_in_it_is_not_read(file):
    path = file(b"")
    os.truncate(path, 1 << 40)
    assert "is larger than 64 KB" in line(limits.read_text, path, 64 * limits.KB)
    assert "is larger than 64 GB" in line(limits.digest, path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_may_never_end_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "is not a regular file" in line(limits.read_bytes, tmp_path / "pipe", 10)
    assert "is not a regular file" in line(read_take, tmp_path / "pipe")


@pytest.mark.parametrize(
    "text", [DEEP, '{"a":' * 100 + "1" + "}" * 100, "9" * 5000, "\ud800".encode("utf-8", "ignore"), b"\xff"]
)
def test_json_that_is_nested_too_deeply_or_none_is_refused(file, text):
    assert "is not JSON" in line(limits.read_json, file(text), limits.MB)


@pytest.mark.parametrize(
    "text",
    ["a = " + DEEP[:40_000], "a = [\n" * 9000, "a" + ".a" * 1000 + " = 1", "a" + ".a" * 20_000 + " = 1",
     "a = " + "{a=" * 1000, "[[a" + ".a" * 100 + "]]", "a = " + "9" * 5000],
)  # fmt: skip
def test_toml_that_is_nested_too_deeply_or_none_is_refused(file, text):
    assert "is not TOML" in line(read_show, file(text, "show.toml"))


def test_what_is_nested_as_files_are_is_read(file):
    assert limits.read_json(file("[" * 60 + "]" * 60), 200)


# ---- archives of arrays --------------------------------------------------------------------------------------------


def archive(file, content, kind=zipfile.ZIP_STORED):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", kind) as made:
        for name, value in content.items():
            made.writestr(f"{name}.npy", value)
    return file(raw.getvalue(), "a.npz")


def array(shape, dtype="<f4", content=b""):
    """An npy file that announces so many numbers."""
    raw = io.BytesIO()
    np.lib.format.write_array_header_1_0(raw, {"descr": dtype, "fortran_order": False, "shape": shape})
    return raw.getvalue() + content


def test_an_archive_that_unpacks_to_far_more_than_it_is_is_refused(file, monkeypatch):
    monkeypatch.setattr(limits, "UNPACKED", limits.MB)
    path = archive(file, {"a": array((1 << 20,), content=bytes(4 << 20))}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 10_000
    assert "arrays that unpack to" in line(limits.read_arrays, path)


@pytest.mark.parametrize("shape", [(1 << 40,), (1 << 62, 1 << 62), (-1,), (3,)])
def test_an_array_that_announces_more_than_there_is_is_refused_before_room_is_made(file, shape):
    assert "announces" in line(limits.read_arrays, archive(file, {"a": array(shape, content=bytes(8))}))


def test_arrays_of_nothing_cannot_be_endless(file):
    assert "announces" in line(limits.read_arrays, archive(file, {"a": array((1 << 60,), "|V0")}))


def test_pickled_objects_are_never_loaded(file):
    raw = io.BytesIO()
    np.save(raw, np.array([{}], object), allow_pickle=True)
    assert "no whole npz file" in line(limits.read_arrays, archive(file, {"a": raw.getvalue()}))
    assert "no whole npz file" in line(limits.read_arrays, file(pickle.dumps({"a": 1})))


def test_what_is_missing_is_named_and_what_is_there_is_read(file):
    path = archive(file, {"a": array((2,), content=np.arange(2, dtype="<f4").tobytes())})
    assert limits.read_arrays(path)["a"].tolist() == [0.0, 1.0]
    assert "it has no 'b'" in line(limits.read_arrays, path, ("a", "b"))


def test_a_dictionary_of_models_is_read_within_the_same_limits(file):
    path = archive(file, {"keys": array((1 << 40,))})
    path.rename(path.with_name("dictionary.npz"))
    assert "is no dictionary" in line(load, path.parent, error=BadModel)


NOTHING = {"keys": (3, 60), "mean": (60,), "std": (60,), "centres": (5, 60), "cluster": (3,), "at": (3,),
           "channels": (200, 138), "styles": (1,), "style": (3,)}  # fmt: skip


def dictionary(folder, **changed):
    whole = {name: np.zeros(shape, np.int64 if name in ("cluster", "at", "style") else np.float32)
             for name, shape in NOTHING.items()}  # fmt: skip
    np.savez(folder / "dictionary.npz", **(whole | changed))
    return folder


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"channels": np.zeros(9, np.float32)}, "138 channels"), ({"at": np.array([0, 1, 141])}, "'at' points outside"),
     ({"style": np.array([0, 0, -1])}, "'style' points outside"), ({"cluster": np.zeros((3, 2))}, "another shape"),
     ({"cluster": np.zeros(3)}, "'cluster' points outside"), ({"keys": np.full((3, 60), np.nan)}, "no number"),
     ({"at": np.zeros(0, np.int64)}, "another shape"), ({"mean": np.array("x")}, "another shape")],
)  # fmt: skip
def test_a_dictionary_whose_arrays_do_not_fit_together_is_refused(tmp_path, changed, reason):
    assert reason in line(load, dictionary(tmp_path, **changed), error=BadModel)


def test_a_dictionary_whose_arrays_fit_together_is_read(tmp_path):
    assert len(load(dictionary(tmp_path)).at) == 3


# ---- sound ---------------------------------------------------------------------------------------------------------


def sound(file, kind, seconds=0.2, **options):
    path = file(b"", "song")
    soundfile.write(path, np.zeros(int(16_000 * seconds)) + 0.1, 16_000, format=kind, **options)
    return path


def test_a_kind_of_sound_that_nobody_needs_is_not_parsed(file):
    assert "does not begin as a wav, flac, ogg or mp3 file" in line(Decoder, sound(file, "AIFF"))


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_the_kinds_that_are_played_are_told_by_their_begin(file, kind):
    decoder = Decoder(sound(file, kind))
    decoder.close()


def test_an_ogg_that_claims_to_last_for_days_ends_with_its_sound(file, monkeypatch):
    monkeypatch.syspath_prepend(os.path.join(os.path.dirname(__file__), "..", "benchmarks"))
    from mutants import audio

    path = sound(file, "OGG")
    *first, last = audio._pages(path.read_bytes())
    last = audio._summed(last[:6] + struct.pack("<Q", 1 << 40) + last[14:])
    path.write_bytes(b"".join([*first, last]))
    decoder = Decoder(path)
    assert len(decoder.read(10 * 48_000)) <= 48_000 and decoder.ended
    decoder.close()


def test_a_song_that_unpacks_to_hours_is_refused_where_it_would_be_kept_in_memory(file, monkeypatch):
    pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")
    from live.train import dance

    monkeypatch.setattr(dance, "LONGEST", 1)
    assert "lasts longer than" in line(dance.read_audio, sound(file, "FLAC", 1.5))
    assert len(dance.read_audio(sound(file, "FLAC", 0.9))) == pytest.approx(0.9 * 48_000, abs=100)


# ---- takes and avatars ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 5, 2**31, 2**32 - 1])
def test_a_take_whose_header_has_another_length_is_refused(file, length):
    raw = head(1)
    assert "header" in line(read_take, file(MAGIC + struct.pack("<I", length) + raw[12:] + bytes(10_000)))


def test_a_take_with_a_nested_header_is_refused(file):
    assert "damaged header" in line(read_take, file(MAGIC + struct.pack("<I", 50_000) + DEEP[:50_000].encode()))


def test_a_take_of_years_is_refused_and_one_of_hours_stays_in_its_file(file):
    path = file(head(1))
    size = record_dtype(1).itemsize
    os.truncate(path, len(head(1)) + 1_500_000 * size)
    assert len(read_take(path).records) == 1_500_000
    os.truncate(path, len(head(1)) + 10**8 * size)
    assert "longer than a day" in line(read_take, path)


def test_poses_that_claim_to_be_hours_apart_are_not_filled_in(tmp_path, file):
    from live.cli.convert import convert

    records = np.zeros(3, record_dtype(1))
    records["show_time"] = (0, 1, 50_000)
    records["local_rotations"][..., 3] = 1
    path = file(head(1) + records.tobytes())
    assert "3 poses of 50000 s" in line(convert, path, tmp_path / "a.bvh", 0)


def test_an_event_that_is_no_text_is_read_all_the_same(file):
    from live.take import pose_of

    records = np.zeros(1, record_dtype(1))
    records["event"] = b"\xff\xfe"
    assert pose_of(read_take(file(head(1) + records.tobytes())).records[0]).signals.event.name == "\ufffd\ufffd"


@pytest.mark.parametrize(
    "raw",
    [DEEP, b"glTF" + struct.pack("<III4s", 2, 20, 2**32 - 1, b"JSON"), '{"nodes": [{"matrix": [1e999]}]}',
     '{"extensions": {"VRM": {"humanoid": {"humanBones": []}}}, "nodes": [{"scale": [' + "9" * 400 + ", 0, 0]}]}"],
)  # fmt: skip
def test_an_avatar_that_makes_no_sense_is_refused(file, raw):
    assert "is no usable VRM file" in line(read_avatar, file(raw, "a.vrm"))


# ---- dances --------------------------------------------------------------------------------------------------------

BVH = """HIERARCHY
ROOT hips
{{
OFFSET 0 0 0
CHANNELS {channels}
{inside}
}}
MOTION
Frames: {frames}
Frame Time: {time}
{values}
"""
JOINT = "JOINT j\n{\nOFFSET 0 1 0\nCHANNELS 0\n"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"frames": 10**9}, "announced"), ({"frames": 10**9, "channels": "0", "values": ""}, "announced"),
     ({"inside": JOINT * 10_000 + "}\n" * 10_000}, "joints"), ({"time": 1e9}, "a frame lasts"),
     ({"time": 1e-300}, "a frame lasts"), ({"channels": "1000000 Xrotation"}, "channels"),
     ({"inside": JOINT.replace("1", "nan") + "}"}, "offset"),
     ({"values": "1e300 0 0\n0 0 0"}, "measure"), ({"channels": "3 Xspin Yspin Zspin"}, "no channel")],
)  # fmt: skip
def test_a_bvh_file_with_senseless_numbers_is_refused(file, changed, reason):
    from live.train.bvh import read_bvh

    usual = {
        "channels": "3 Xrotation Yrotation Zrotation",
        "inside": "",
        "frames": 2,
        "time": 0.02,
        "values": "0 0 0\n0 0 0",
    }
    assert reason in line(read_bvh, file(BVH.format(**(usual | changed)), "a.bvh"))


@pytest.mark.parametrize("rate", [0.0, -1.0, 1e-9, 1e9, float("nan")])
def test_a_dance_at_a_rate_of_no_camera_is_not_stretched_over_years(rate):
    pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")
    from live.train.retarget import upsampled

    assert "frames a second" in line(upsampled, np.zeros((9, 3), np.float32), rate)


def test_a_body_without_legs_is_refused():
    pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")
    from live.train.aim import REQUIRED
    from live.train.retarget import leg_length

    assert "its legs are 0 long" in line(leg_length, {bone: np.zeros((2, 3), np.float32) for bone in REQUIRED})


def test_many_joints_in_many_frames_are_refused_before_room_is_made(file, monkeypatch):
    from live.train import bvh

    monkeypatch.setattr(bvh, "MOST_TURNS", 100)
    text = BVH.format(channels="1 Xrotation", inside="", frames=200, time=0.02, values="0\n" * 200)
    assert "too many" in line(bvh.read_bvh, file(text, "a.bvh"))


@pytest.mark.parametrize(
    "text", [DEEP, '{"people": 3}', '{"people": [{"pose_keypoints_2d": [1e999, "x"]}]}', "[]", "x" * (1 << 21)]
)
def test_a_frame_of_openpose_that_makes_no_sense_shows_nobody(file, text):
    pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")
    from live.train.layouts.openpose import read_people

    assert [len(seen) for seen in read_people(file(text, "a_000_keypoints.json").parent)] == [0]


def test_a_crowd_of_openpose_is_not_followed(file):
    pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")
    from live.train.layouts.openpose import MOST, read_people

    text = json.dumps({"people": [{"pose_keypoints_2d": [0] * 54}] * 3000})
    assert [len(seen) for seen in read_people(file(text, "a_000_keypoints.json").parent)] == [MOST]


class Huge:
    """An array of a terabyte, as a pickle tells it."""

    def __reduce__(self):
        return np._core.multiarray._reconstruct, (np.ndarray, (1 << 38,), b"b")


def laughing(levels=30):
    """A list of ten lists of ten lists ...: short to write down, and endless."""
    value = [0.0] * 10
    for _ in range(levels):
        value = [value] * 10
    return value


@pytest.mark.parametrize("stored", [Huge(), laughing(), "text", np.array([{}], object)])
def test_keypoints_that_are_no_array_of_the_numbers_in_the_file_are_refused(file, stored):
    pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")
    from live.train.layouts.aist import read_keypoints

    assert "no AIST++" in line(read_keypoints, file(pickle.dumps({"keypoints3d": stored}), "a.pkl"))


def test_a_pickle_that_asks_for_a_place_far_away_is_refused(file):
    pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")
    from live.train.layouts.aist import read_keypoints

    raw = b"\x80\x04}r" + struct.pack("<I", 2**31) + b"."  # a dictionary, to be kept in place 2^31
    assert "place 2147483648" in line(read_keypoints, file(raw, "a.pkl"))


# ---- models --------------------------------------------------------------------------------------------------------


@pytest.fixture
def copied(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(find_model("salsa"), folder)
    (folder / "generator.int8.onnx").unlink()
    edited(folder, sha256=lambda hashes: {name: value for name, value in hashes.items() if "int8" not in name})
    return folder


def edited(folder, **changes):
    """The card with some values changed."""
    path = folder / "model.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps(card | {name: change(card[name]) for name, change in changes.items()}))


def put(folder, raw):
    """Another graph, and its hash in the card."""
    (folder / "generator.onnx").write_bytes(raw)
    edited(folder, sha256=lambda hashes: hashes | {"generator.onnx": hashlib.sha256(raw).hexdigest()})


@modelled
@pytest.mark.parametrize("name", ["../secret", "a/b", "/etc/hosts", ".."])
def test_a_card_that_names_files_elsewhere_is_refused(copied, name):
    edited(copied, sha256=lambda hashes: hashes | {name: "0"})
    assert "no file of its folder" in line(read_card, copied, error=BadModel)


@modelled
def test_a_card_with_an_endless_state_is_refused(copied):
    edited(copied, state=lambda state: state | {"pose": [100_000] * 3})
    assert f"more than {LARGEST_STATE} numbers" in line(read_card, copied, error=BadModel)


@modelled
def test_a_file_of_a_model_that_is_endless_is_not_hashed(copied):
    os.truncate(copied / "reference.npz", 1 << 40)
    assert "is larger than 4 GB" in line(read_card, copied, error=BadModel)


@modelled
def test_what_was_checked_is_what_is_loaded(copied):
    card = read_card(copied)
    (copied / "generator.onnx").write_bytes(b"other")  # after the check
    assert "was altered" in line(cpu.open_backend, copied, card, 1, error=BadModel)


@modelled
def test_weights_in_other_files_are_not_looked_for(copied):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra `train`)")
    model = onnx.load(copied / "generator.onnx")
    model.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    model.graph.initializer[0].external_data.add(key="location", value="reference.npz")
    put(copied, model.SerializeToString())
    assert "cannot be loaded" in line(cpu.open_backend, copied, read_card(copied), 1, error=BadModel)


@modelled
def test_a_graph_that_asks_for_all_the_memory_is_refused(copied):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra `train`)")
    model = onnx.load(copied / "generator.onnx")
    size = onnx.helper.make_tensor("much", onnx.TensorProto.INT64, [1], [1 << 36])
    model.graph.initializer.append(size)
    model.graph.node.insert(0, onnx.helper.make_node("ConstantOfShape", ["much"], ["wide"]))
    model.graph.node.append(onnx.helper.make_node("ReduceMax", ["wide"], ["most"], keepdims=0))
    model.graph.output.append(onnx.helper.make_tensor_value_info("most", onnx.TensorProto.FLOAT, []))
    put(copied, model.SerializeToString())
    assert "generator.onnx: " in line(cpu.open_backend, copied, read_card(copied), 1, error=BadModel)


@modelled
def test_a_graph_at_which_onnx_runtime_ends_the_process_ends_another_one(copied):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra `train`)")
    model = onnx.load(copied / "generator.onnx")
    endless = onnx.numpy_helper.from_array(np.array([1 << 31]))
    shapes = {node.input[0] for node in model.graph.node if node.op_type == "ConstantOfShape"}
    constants = [node for node in model.graph.node if node.op_type == "Constant" and node.output[0] in shapes]
    constants[-1].attribute[0].t.CopyFrom(endless)
    put(copied, model.SerializeToString())
    assert "generator.onnx: " in line(cpu.open_backend, copied, read_card(copied), 1, error=BadModel)


@modelled
@pytest.mark.parametrize(
    ("status", "reason"), [(-6, "kills who runs it"), (-9, "kills who runs it"), (2, "x is wrong")]
)
def test_a_graph_that_kills_who_tries_it_is_refused(copied, monkeypatch, status, reason):
    monkeypatch.setattr(_trial, "alone", lambda *_: (status, "x is wrong"))
    assert reason in line(cpu.open_backend, copied, read_card(copied), 1, error=BadModel)


@modelled
def test_a_graph_that_takes_for_ever_is_refused(copied, monkeypatch):
    monkeypatch.setattr(_trial, "SECONDS", 0.05)
    assert "is not ready after 0.05 s" in line(cpu.open_backend, copied, read_card(copied), 1, error=BadModel)


@modelled
def test_a_model_from_elsewhere_is_tried_and_a_shipped_one_is_not(copied, monkeypatch):
    tried = []
    monkeypatch.setattr(_trial, "alone", lambda *what: tried.append(what) or (0, ""))
    for folder in (copied, find_model("salsa")):
        cpu.open_backend(folder, read_card(folder), 1).close()
    assert [folder for folder, *_ in tried] == [copied]


@modelled
def test_a_good_model_from_elsewhere_is_performed_with(copied):
    assert cpu.open_backend(copied, read_card(copied), 2).device.endswith("generator.onnx")
