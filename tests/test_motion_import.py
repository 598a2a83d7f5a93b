"""Recorded dances come in whole, on our bones, in our units."""

import numpy as np
import pytest
from motion_files import bvh_text, salsa_folder

pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")

from live import skeleton
from live.errors import BadFile
from live.train.bvh import read_bvh
from live.train.dance import usable_frames
from live.train.layouts import salsa
from live.train.retarget import mirrored, retarget, stretched


@pytest.fixture
def bvh(tmp_path):
    path = tmp_path / "a.bvh"
    path.write_text(bvh_text())
    return read_bvh(path)


def test_a_bvh_file_is_read_whole(bvh):
    assert bvh.rate == pytest.approx(60, rel=1e-4)
    assert bvh.rotations.shape == (400, 19, 4) and bvh.names[0] == "hip"


def test_limbs_point_where_the_source_points(bvh):
    positions, _ = bvh.world()
    joints, _ = skeleton.forward_kinematics(*retarget(bvh))
    for ours, theirs in (("leftLowerLeg", "lShin"), ("rightLowerArm", "rForeArm")):
        i, j = skeleton.INDEX[ours], bvh.names.index(theirs)
        a, b = joints[:, i + 1] - joints[:, i], positions[:, j + 1] - positions[:, j]
        cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        assert cosine.min() > 0.9999


def test_the_feet_stand_on_the_floor(bvh):
    joints, _ = skeleton.forward_kinematics(*retarget(bvh))
    toes = joints[:, [skeleton.INDEX["leftToes"], skeleton.INDEX["rightToes"]], 1]
    assert np.percentile(toes, 1) == pytest.approx(0.02, abs=0.005)


def test_mirroring_twice_changes_nothing(bvh):
    motion = retarget(bvh)
    again = mirrored(mirrored(motion))
    assert np.allclose(again.local_rotations, motion.local_rotations)
    assert np.allclose(again.root_position, motion.root_position)


def test_a_mirrored_body_is_the_mirror_image(bvh):
    motion = retarget(bvh)
    joints, _ = skeleton.forward_kinematics(*motion)
    image, _ = skeleton.forward_kinematics(*mirrored(motion))
    assert np.allclose(image[:, list(skeleton.MIRROR)] * [-1, 1, 1], joints, atol=1e-5)


def test_stretching_makes_it_last_longer_on_the_same_path(bvh):
    motion = retarget(bvh)
    slow = stretched(motion, 2.0)
    assert len(slow.root_position) == pytest.approx(2 * len(motion.root_position), abs=2)
    assert np.allclose(slow.root_position[::2], motion.root_position[:-1], atol=1e-5)


def test_a_marker_swap_is_not_used(bvh):
    motion = retarget(bvh)
    motion.local_rotations[200, 1:] = 0.5
    usable = usable_frames(motion)
    assert not usable[200] and usable[:190].all() and usable[210:].all()


def test_the_salsa_layout_gives_both_partners_their_grid(tmp_path):
    dances = [salsa.read(path) for path in salsa.find(salsa_folder(tmp_path))]
    assert [(d.style, d.bpm, d.count_at_start) for d in dances] == [("lead", 168.0, 2.5), ("follow", 168.0, 2.5)]


@pytest.mark.parametrize(
    "text",
    ["", "HIERARCHY", "no bvh at all", bvh_text()[:3000], bvh_text().replace("Frames: 400", "Frames: 0"),
     bvh_text().replace("Frames: 400", "Frames: 401"), bvh_text() + " nan"],
    ids=["empty", "head only", "words", "cut", "no frames", "too few values", "nan"],
)  # fmt: skip
def test_a_damaged_bvh_is_named_in_one_line(tmp_path, text):
    path = tmp_path / "bad.bvh"
    path.write_text(text)
    with pytest.raises(BadFile, match=r"bad\.bvh") as error:
        read_bvh(path)
    assert "\n" not in str(error.value)


def test_an_unknown_skeleton_says_which_joints_are_missing(tmp_path):
    path = tmp_path / "a.bvh"
    path.write_text(bvh_text().replace("lThigh", "LeftUpLeg"))
    with pytest.raises(BadFile, match="nearest to 'poser', but has no lthigh"):
        retarget(read_bvh(path))
