"""Takes converted: what is written is read back by another reader and stands where the dancer stood."""

from __future__ import annotations

import csv
import warnings

import numpy as np
import pytest
from output_poses import pose
from scipy.spatial.transform import Rotation

from live import skeleton
from live.cli.convert import convert
from live.errors import BadFile, Unusable
from live.outputs import take as take_output
from live.take import head, read_take, record_dtype
from live.train.bvh import read_bvh

LEFT_OUT = (3, 4, 9)


def smooth(n, dancers=2):
    """Pose `n` between wild poses, so that neighbours are alike; hips move by a metre and turn right round."""
    p, angle = pose(n // 20, dancers), 2 * np.pi * n / 50
    p.sequence, p.show_time, p.play_time, p.capture_time = n, n / 60, 1000 + n / 60, 1000 + n / 60 - 0.02
    p.root_position = np.tile(np.array([[np.cos(angle), 0.9, np.sin(angle)]], np.float32), (dancers, 1))
    p.local_rotations[:, 0] = [0, np.sin(angle / 2), 0, np.cos(angle / 2)]
    joints, _ = skeleton.forward_kinematics(p.root_position, p.local_rotations)
    p.joint_positions = np.asarray(joints, np.float32)
    return p


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A take of two dancers, 100 slots of which three were left out."""
    path = tmp_path_factory.mktemp("take") / "show.take"
    output = take_output.open_output(f"take:{path}")
    output.open(2, paced=True)
    for n in (n for n in range(100) if n not in LEFT_OUT):
        output.send(smooth(n))
    output.close()
    assert output.stats.errors == 0
    return path


def joints(take, dancer=1):
    return read_take(take).records["joint_positions"][:, dancer]


def test_npz_has_the_pinned_keys_and_shapes(recorded, tmp_path):
    convert(recorded, tmp_path / "out.npz", 1)
    with np.load(tmp_path / "out.npz", allow_pickle=False) as out:
        shapes = {name: out[name].shape for name in out.files}
        assert tuple(out["bones"]) == skeleton.BONES
        np.testing.assert_array_equal(out["joint_positions"], joints(recorded))
        np.testing.assert_allclose(out["time"] - out["capture_time"], 0.02, atol=1e-9)
    bodies = {"root_position": (97, 3), "local_rotations": (97, 22, 4), "joint_positions": (97, 22, 3)}
    series = dict.fromkeys(("time", "capture_time", "bpm", "beat_phase"), (97,))
    assert shapes == {**series, **bodies, "bones": (22,)}


def test_bvh_stands_where_the_dancer_stood_a_pose_left_out_is_held(recorded, tmp_path):
    convert(recorded, tmp_path / "out.bvh", 1)
    motion = read_bvh(tmp_path / "out.bvh")
    assert motion.names == skeleton.BONES and motion.rate == pytest.approx(60, abs=1e-3)
    places, _ = motion.world()
    there = [n for n in range(100) if n not in LEFT_OUT]
    assert len(places) == 100
    np.testing.assert_allclose(places[there], joints(recorded), atol=1e-4)
    np.testing.assert_allclose(places[3], places[2], atol=1e-6)


def test_bvh_angles_do_not_jump_where_the_dancer_turns_round(recorded, tmp_path):
    convert(recorded, tmp_path / "out.bvh", 0)
    lines = (tmp_path / "out.bvh").read_text().splitlines()
    frames = np.array([line.split() for line in lines[lines.index("MOTION") + 3 :]], float)
    assert np.abs(np.diff(frames[:, 5])).max() < 30  # degrees about y of the hips


def gltf_joints(path, frame):
    """World places [22, 3] of the joints at a key frame, by a walk over the nodes as the glTF specification tells."""
    pygltflib = pytest.importorskip("pygltflib", reason="pygltflib reads the file back; the extra `dev` has it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gltf = pygltflib.GLTF2().load(str(path))
    blob = gltf.binary_blob()

    def array(index):
        accessor, wide = gltf.accessors[index], {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}
        view = gltf.bufferViews[accessor.bufferView]
        kind = {5126: np.float32, 5123: np.uint16}[accessor.componentType]
        values = np.frombuffer(blob, kind, accessor.count * wide[accessor.type], view.byteOffset)
        return values.reshape(accessor.count, -1)

    moved = {}
    for channel in gltf.animations[0].channels:
        output = array(gltf.animations[0].samplers[channel.sampler].output)
        moved[channel.target.node, channel.target.path] = output[frame]
    places = {}

    def walk(n, above):
        node = gltf.nodes[n]
        local = np.eye(4)
        local[:3, 3] = moved.get((n, "translation"), node.translation)
        local[:3, :3] = Rotation.from_quat(moved[n, "rotation"]).as_matrix()
        places[node.name] = (above @ local)[:3, 3]
        for child in node.children or []:
            walk(child, above @ local)

    walk(gltf.scenes[gltf.scene].nodes[0], np.eye(4))
    times = array(gltf.animations[0].samplers[0].input)[:, 0]
    return np.array([places[bone] for bone in skeleton.BONES]), times, gltf


@pytest.mark.parametrize("frame", [0, 40, 96])
def test_glb_read_by_another_library_stands_where_the_dancer_stood(recorded, tmp_path, frame):
    convert(recorded, tmp_path / "out.glb", 1)
    places, times, gltf = gltf_joints(tmp_path / "out.glb", frame)
    np.testing.assert_allclose(places, joints(recorded)[frame], atol=1e-4)
    np.testing.assert_allclose(times, read_take(recorded).time, atol=1e-6)
    assert len(gltf.skins[0].joints) == 22 and gltf.meshes[0].primitives[0].attributes.POSITION is not None


def test_glb_quaternions_never_take_the_long_way(recorded):
    from live.formats.glb import one_sign

    turns = one_sign(read_take(recorded).records["local_rotations"][:, 0])
    assert (turns[1:] * turns[:-1]).sum(-1).min() >= 0


def test_csv_has_a_named_column_for_every_number(recorded, tmp_path):
    convert(recorded, tmp_path / "out.csv", 1)
    with open(tmp_path / "out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 97 and len(rows[0]) == 4 + 3 + 22 * 7 + 35
    assert float(rows[7]["loudness"]) == pytest.approx(read_take(recorded).records["features"][7, 0], abs=1e-6)
    hand = [float(rows[7][f"leftHand_{axis}"]) for axis in "xyz"]
    np.testing.assert_allclose(hand, joints(recorded)[7, skeleton.INDEX["leftHand"]], atol=1e-6)


@pytest.mark.parametrize("ending", ["npz", "bvh", "glb", "csv"])
def test_a_dancer_or_a_folder_that_is_not_there_is_refused(recorded, tmp_path, ending):
    with pytest.raises(Unusable, match=r"choose 0\.\.1"):
        convert(recorded, tmp_path / f"out.{ending}", 2)
    with pytest.raises(Unusable, match="cannot be written"):
        convert(recorded, tmp_path / "none" / f"out.{ending}", 0)


@pytest.mark.parametrize("ending", ["npz", "bvh", "glb", "csv"])
def test_a_take_of_a_single_pose_is_written_too(tmp_path, ending):
    (tmp_path / "one.take").write_bytes(head(1) + still().tobytes())
    convert(tmp_path / "one.take", tmp_path / f"out.{ending}", 0)
    assert (tmp_path / f"out.{ending}").stat().st_size > 100


def still():
    records = np.zeros(1, record_dtype(1))
    records["local_rotations"][..., 3] = 1
    return records


def test_a_take_whose_times_make_no_sense_is_refused(tmp_path):
    records = np.concatenate([still(), still()])
    records["show_time"] = 0, 1e12
    (tmp_path / "odd.take").write_bytes(head(1) + records.tobytes())
    with pytest.raises(BadFile, match="damaged"):
        convert(tmp_path / "odd.take", tmp_path / "out.bvh", 0)
