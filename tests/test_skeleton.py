"""The 22 bones: one table, and kinematics that do what a plain loop over it does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live import rotation, skeleton
from live.skeleton import BONES, COUNT, INDEX, MIRROR, PARENTS, REST_OFFSETS

REFLECTION = np.array([-1, 1, 1], np.float32)


def random_motion(seed, *shape):
    noise = np.random.default_rng(seed)
    rotations = rotation.normalise(noise.normal(size=(*shape, COUNT, 4)).astype(np.float32))
    return noise.normal(size=(*shape, 3)).astype(np.float32), rotations


def bone_by_bone(root, local):
    """One body's joints and rotations by the textbook."""
    joints, turned = np.empty((COUNT, 3)), np.empty((COUNT, 3, 3))
    for bone, parent in enumerate(PARENTS):
        here = rotation.to_matrix(local[bone].astype(np.float64))
        joints[bone] = root if parent < 0 else joints[parent] + turned[parent] @ REST_OFFSETS[bone]
        turned[bone] = here if parent < 0 else turned[parent] @ here
    return joints, turned


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=50)
def test_kinematics_are_those_of_a_loop_over_the_bones(seed):
    root, local = random_motion(seed)
    for found, expected in zip(skeleton.forward_kinematics(root, local), bone_by_bone(root, local), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_any_number_of_leading_axes_gives_the_bodies_one_by_one():
    root, local = random_motion(1, 3, 4)
    joints, turned = skeleton.forward_kinematics(root, local)
    alone = skeleton.forward_kinematics(root[2, 1], local[2, 1])
    assert joints.shape == (3, 4, COUNT, 3)
    np.testing.assert_allclose(joints[2, 1], alone[0], atol=1e-6)
    np.testing.assert_allclose(turned[2, 1], alone[1], atol=1e-6)


def test_from_matrices_or_quaternions_is_the_same():
    root, local = random_motion(2, 5)
    by_matrix, _ = skeleton.matrix_kinematics(root, rotation.to_matrix(local))
    np.testing.assert_array_equal(by_matrix, skeleton.forward_kinematics(root, local)[0])


def test_bones_keep_their_lengths():
    joints, _ = skeleton.forward_kinematics(*random_motion(3, 20))
    lengths = np.linalg.norm(joints[:, 1:] - joints[:, list(PARENTS[1:])], axis=-1)
    np.testing.assert_allclose(
        lengths, np.broadcast_to(np.linalg.norm(REST_OFFSETS[1:], axis=-1), lengths.shape), atol=1e-5
    )


def test_the_kinematics_stay_in_float32():
    assert {x.dtype for x in skeleton.forward_kinematics(*random_motion(4, 2))} == {np.dtype(np.float32)}


def test_parents_come_before_their_children():
    assert PARENTS[0] == -1
    assert all(0 <= parent < bone for bone, parent in enumerate(PARENTS) if bone)


def test_the_bones_are_the_22_pinned_ones():
    sides = [f"{s}{b}" for s in ("left", "right") for b in ("Shoulder", "UpperArm", "LowerArm", "Hand")]
    sides += [f"{s}{b}" for s in ("left", "right") for b in ("UpperLeg", "LowerLeg", "Foot", "Toes")]
    assert set(BONES) == {"hips", "spine", "chest", "upperChest", "neck", "head", *sides}
    assert len(BONES) == 22


def test_the_rest_pose_is_a_t_facing_plus_z_with_left_at_plus_x():
    joints, _ = skeleton.forward_kinematics(REST_OFFSETS[0], np.tile(rotation.IDENTITY, (COUNT, 1)))
    arm = joints[[INDEX["leftUpperArm"], INDEX["leftLowerArm"], INDEX["leftHand"]]]
    assert np.ptp(arm[:, 1]) == 0 and (np.diff(arm[:, 0]) > 0.2).all()
    assert joints[INDEX["leftToes"], 2] > joints[INDEX["leftFoot"], 2] + 0.1


def test_at_rest_the_feet_stand_on_the_floor():
    joints, _ = skeleton.forward_kinematics(REST_OFFSETS[0], np.tile(rotation.IDENTITY, (COUNT, 1)))
    assert joints[:, 1].min() == pytest.approx(0.02, abs=1e-5)
    assert joints[INDEX["leftToes"], 1] == joints[INDEX["rightToes"], 1]


def test_mirroring_twice_is_no_mirroring():
    assert [MIRROR[MIRROR[i]] for i in range(COUNT)] == list(range(COUNT))


def test_a_mirrored_bone_has_the_mirrored_parent_and_offset():
    for bone in range(1, COUNT):
        assert PARENTS[MIRROR[bone]] == MIRROR[PARENTS[bone]]
        np.testing.assert_allclose(REST_OFFSETS[MIRROR[bone]], REST_OFFSETS[bone] * REFLECTION)


def test_left_is_mirrored_to_right_and_the_midline_to_itself():
    for bone, name in enumerate(BONES):
        other = BONES[MIRROR[bone]]
        assert {name[:4], other[:4]} == {"left", "righ"} if name.startswith(("left", "right")) else other == name


def test_a_mirrored_pose_is_the_mirror_image():
    root, local = random_motion(5)
    reflected = local[list(MIRROR)] * np.array([1, -1, -1, 1], np.float32)
    joints, _ = skeleton.forward_kinematics(root, local)
    image, _ = skeleton.forward_kinematics(root * REFLECTION, reflected)
    np.testing.assert_allclose(image, joints[list(MIRROR)] * REFLECTION, atol=1e-5)
