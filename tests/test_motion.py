"""Whatever a model says, a body comes out: unit rotations, on its stage, on the floor, without a jump."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from live import channels, rotation, skeleton
from live.motion.body import DT, Mood, Motion, MotionConfig
from live.motion.stance import BREATH, neutral_rotations
from live.types import FRAME_RATE

READY = MotionConfig(entrance=0.0)
ANKLES, TOES = list(channels.FEET), list(channels.TOES)


def raw_pose(dancers=1, velocity=(0.0, 0.0), yaw_rate=0.0, height=0.93, contacts=(0.0, 0.0), rotations=None):
    """Channels [N, 138] of everyone doing the same; at rest if no local rotations [22, 4] are given."""
    raw = np.zeros((dancers, channels.COUNT), np.float32)
    raw[:, channels.VELOCITY], raw[:, channels.YAW_RATE] = velocity, yaw_rate
    raw[:, channels.HEIGHT], raw[:, channels.CONTACTS] = height, contacts
    local = np.tile(rotation.IDENTITY, (skeleton.COUNT, 1)) if rotations is None else rotations
    raw[:, channels.ROTATIONS] = rotation.to_six(local.astype(np.float32)).ravel()
    return raw


def wild_poses(count, size=1000.0, dancers=2, seed=0):
    return np.random.default_rng(seed).uniform(-size, size, (count, dancers, channels.COUNT)).astype(np.float32)


def lively_poses(count, seed=0):
    """[T, 1, 138]: a body that swings all of its limbs, bends its knees and strolls about."""
    noise, t = np.random.default_rng(seed), np.arange(count)[:, None, None] / FRAME_RATE
    swing = np.sin(2 * np.pi * noise.uniform(0.3, 1.0, (skeleton.COUNT, 4)) * t + noise.uniform(0, 6, (22, 4)))
    local = rotation.normalise((0.2 * swing + rotation.IDENTITY).astype(np.float32))
    poses = [raw_pose(velocity=(0.5, 0.2), yaw_rate=0.5, height=0.8, rotations=pose) for pose in local]
    return np.stack(poses)


def danced(poses, config=READY):
    """The bodies of raw poses [T, N, 138], the first that of the start."""
    motion = Motion(config)
    bodies = [motion.initial_state(poses.shape[1])]
    for raw in poses:
        bodies.append(motion.step(raw, bodies[-1]))
    return bodies


def places(bodies):
    """[T, N, 2] on the floor."""
    return np.stack([body.root_position[:, [0, 2]] for body in bodies])


@given(hnp.arrays(np.float32, (4, 1, channels.COUNT), elements=st.floats(-1000, 1000, width=32)))
@settings(deadline=None, max_examples=50)
def test_quaternions_are_unit_whatever_the_model_says(poses):
    for body in danced(poses):
        np.testing.assert_allclose(np.linalg.norm(body.local_rotations, axis=-1), 1, atol=1e-4)


def test_ten_seconds_of_nonsense_leave_every_number_finite():
    last = danced(wild_poses(600))[-1]
    assert all(np.isfinite(value).all() for value in last)


def test_a_motionless_nothing_of_a_pose_is_survived():
    body = danced(np.zeros((3, 1, channels.COUNT), np.float32))[-1]
    np.testing.assert_allclose(np.linalg.norm(body.local_rotations, axis=-1), 1, atol=1e-5)
    assert np.isfinite(body.joint_positions).all()


@given(st.floats(-20, 20), st.floats(-20, 20), st.floats(-3, 3))
@settings(deadline=None, max_examples=15)
def test_no_constant_velocity_leads_off_the_stage(x, z, yaw_rate):
    path = places(danced(np.repeat(raw_pose(velocity=(x, z), yaw_rate=yaw_rate)[None], 300, 0)))
    assert np.linalg.norm(path, axis=-1).max() <= READY.stage_radius + 1e-4


@given(st.floats(-20, 20), st.floats(-20, 20), st.floats(-3, 3))
@settings(deadline=None, max_examples=15)
def test_no_constant_velocity_makes_the_root_jump(x, z, yaw_rate):
    path = places(danced(np.repeat(raw_pose(velocity=(x, z), yaw_rate=yaw_rate)[None], 300, 0)))
    fastest = (READY.fastest_root + 0.3) / FRAME_RATE  # 0.3 m/s lead back from the edge
    assert np.linalg.norm(np.diff(path, axis=0), axis=-1).max() <= fastest + 1e-4


def test_nonsense_does_not_make_the_root_jump_on_the_floor():
    steps = np.linalg.norm(np.diff(places(danced(wild_poses(300))), axis=0), axis=-1)
    assert steps.max() <= (READY.fastest_root + 0.3) / FRAME_RATE + 1e-4


def test_nonsense_does_not_make_the_root_jump_into_the_air():
    heights = np.stack([body.root_position[:, 1] for body in danced(wild_poses(300))])
    assert np.abs(np.diff(heights, axis=0)).max() < 1.0


def test_nonsense_does_not_make_the_hips_spin():
    turns = np.stack([body.yaw for body in danced(np.repeat(raw_pose(yaw_rate=150.0)[None], 60, 0))])
    assert np.abs(np.diff(np.unwrap(turns, axis=0), axis=0)).max() < READY.fastest_joint * DT * 1.02


def test_near_the_edge_the_path_bends_with_no_kink():
    path = places(danced(np.repeat(raw_pose(velocity=(0.6, 1.2))[None], 600, 0)))
    velocity = np.diff(path, axis=0)[1:] * FRAME_RATE
    assert np.linalg.norm(np.diff(velocity, axis=0), axis=-1).max() < 0.1


def test_from_the_edge_a_dancer_who_stops_drifts_back():
    out = np.repeat(raw_pose(velocity=(0, 2))[None], 300, 0)
    path = np.linalg.norm(places(danced(np.concatenate([out, np.repeat(raw_pose()[None], 300, 0)]))), axis=-1)
    assert path[300] > 0.8 * READY.stage_radius
    assert path[-1] < path[300] - 0.1


def test_the_stage_radius_is_that_of_the_configuration():
    config = MotionConfig(stage_radius=0.7, entrance=0.0)
    path = np.linalg.norm(places(danced(np.repeat(raw_pose(velocity=(3, 0))[None], 300, 0), config)), axis=-1)
    assert 0.5 < path.max() <= 0.7 + 1e-5


def test_not_even_a_leap_across_a_tiny_stage_leads_off_it():
    config = MotionConfig(stage_radius=0.1, entrance=0.0)
    path = np.linalg.norm(places(danced(np.repeat(raw_pose(velocity=(4, 0))[None], 60, 0), config)), axis=-1)
    assert path.max() <= 0.1 + 1e-5


def test_in_the_middle_of_the_stage_the_velocity_is_the_models():
    body = danced(np.repeat(raw_pose(velocity=(0.3, 0.5))[None], 60, 0))[-1]
    np.testing.assert_allclose(body.root_position[0, [0, 2]], [0.3, 0.5], atol=1e-3)


def test_the_velocity_is_in_the_facing_frame():
    turned = danced(np.repeat(raw_pose(yaw_rate=np.pi / 2)[None], 60, 0))  # a quarter turn to the left: facing +X
    motion, before = Motion(READY), turned[-1]
    after = motion.step(raw_pose(velocity=(0, 1)), before)
    np.testing.assert_allclose((after.root_position - before.root_position)[0, [0, 2]] * FRAME_RATE, [1, 0], atol=1e-3)


def test_yaw_rate_turns_the_hips_in_the_world():
    body = danced(np.repeat(raw_pose(yaw_rate=1.0)[None], 60, 0))[-1]
    assert rotation.heading(body.local_rotations[0, 0]) == pytest.approx(1.0, abs=1e-4)


def test_no_foot_is_ever_below_the_floor():
    for body in danced(wild_poses(200)) + danced(lively_poses(300)):
        assert body.joint_positions[:, TOES, 1].min() > -1e-3
        assert body.joint_positions[:, ANKLES, 1].min() > 0.04 - 1e-3


def test_a_body_above_the_floor_keeps_its_height():
    assert danced(np.repeat(raw_pose(height=1.4)[None], 30, 0))[-1].root_position[0, 1] == pytest.approx(1.4)


def test_the_joints_are_the_kinematics_of_the_rotations():
    for body in danced(lively_poses(120)) + danced(wild_poses(60)):
        joints, _ = skeleton.forward_kinematics(body.root_position, body.local_rotations)
        np.testing.assert_allclose(body.joint_positions, joints, atol=2e-4 * max(1, np.abs(joints).max()))


@pytest.mark.parametrize(("contacts", "planted"), [((1, 0), 0), ((0, 1), 1)])
def test_a_planted_foot_stays_where_it_is(contacts, planted):
    poses = lively_poses(120)
    poses[..., channels.CONTACTS] = contacts
    joints = np.stack([body.joint_positions[0] for body in danced(poses)[5:]])
    foot = 0.5 * (joints[:, ANKLES[planted]] + joints[:, TOES[planted]])[:, [0, 2]]
    other = 0.5 * (joints[:, ANKLES[1 - planted]] + joints[:, TOES[1 - planted]])[:, [0, 2]]
    assert np.ptp(foot, axis=0).max() < 1e-3
    assert np.ptp(other, axis=0).max() > 0.1


def test_with_both_feet_planted_whatever_slides_is_shared_by_both():
    poses = lively_poses(120)
    poses[..., channels.CONTACTS] = 1.0
    joints = np.stack([body.joint_positions[0] for body in danced(poses)[5:]])
    middle = joints[:, [*ANKLES, *TOES]].mean(1)[:, [0, 2]]
    assert np.ptp(middle, axis=0).max() < 1e-3


def test_no_limb_turns_faster_than_its_limit():
    bodies = danced(wild_poses(200))
    local = np.stack([body.rotations for body in bodies])
    cosine = np.abs(np.vecdot(local[1:], local[:-1]))
    assert (2 * np.arccos(np.minimum(cosine, 1))).max() <= READY.fastest_joint * DT * 1.02


def test_below_the_limit_limbs_are_exactly_where_the_model_wants_them():
    poses = lively_poses(30)
    wanted = channels.decode(poses[-1]).rotations
    assert np.abs(np.vecdot(danced(poses)[-1].rotations, wanted)).min() > 1 - 1e-6


def test_the_entrance_starts_from_the_neutral_stance_on_the_mark():
    body = Motion().initial_state(1)
    np.testing.assert_array_equal(body.local_rotations[0], neutral_rotations())
    np.testing.assert_allclose(body.root_position[0], [0, skeleton.REST_OFFSETS[0, 1], 0])


def test_the_first_pose_of_an_entrance_is_hardly_different_from_the_neutral_stance():
    start, first = danced(lively_poses(1), MotionConfig(entrance=1.5))
    assert np.abs(first.joint_positions - start.joint_positions).max() < 0.005


def test_after_the_entrance_the_dance_is_the_models():
    poses = lively_poses(60)
    entered, ready = danced(poses, MotionConfig(entrance=0.5))[-1], danced(poses)[-1]
    np.testing.assert_array_equal(entered.rotations, ready.rotations)


def test_an_entrance_of_no_seconds_is_no_entrance():
    body = danced(lively_poses(20))[-1]
    assert np.isfinite(body.joint_positions).all()


def test_dancers_stand_side_by_side_on_marks_of_their_own():
    root = Motion(MotionConfig(spacing=1.25)).initial_state(4).root_position
    np.testing.assert_allclose(np.diff(root[:, 0]), 1.25)
    assert root[:, 0].sum() == pytest.approx(0) and not root[:, 2].any()


def test_each_dancer_is_kept_around_the_own_mark():
    bodies = danced(np.repeat(raw_pose(3, velocity=(2, 0))[None], 300, 0))
    away = places(bodies) - places(bodies[:1])
    assert np.linalg.norm(away, axis=-1).max() <= READY.stage_radius + 1e-4


def test_dancers_do_not_disturb_each_other():
    poses = np.concatenate([lively_poses(90, seed=1), lively_poses(90, seed=2)], 1)
    together = danced(poses, MotionConfig(spacing=0.0))[-1]
    alone = danced(poses[:, 1:], MotionConfig(spacing=0.0))[-1]
    np.testing.assert_allclose(together.joint_positions[1], alone.joint_positions[0], atol=1e-4)


def test_a_step_changes_nothing_of_the_body_before():
    motion = Motion(READY)
    before = motion.step(raw_pose(), motion.initial_state(1))
    copies = [np.copy(value) for value in before]
    motion.step(wild_poses(1, dancers=1)[0], before)
    for value, copy in zip(before, copies, strict=True):
        np.testing.assert_array_equal(value, copy)


def test_every_array_stays_in_single_precision():
    for config in (READY, MotionConfig()):
        for body in danced(wild_poses(3), config):
            kinds = {value.dtype for value in (*body, *body.past) if isinstance(value, np.ndarray)}
            assert kinds == {np.dtype(np.float32), np.dtype(np.complex64)}


def at_ease(seconds):
    """The bodies of one who stands at ease from the beginning."""
    motion = Motion(READY)
    motion.mood = Mood(neutral=1.0)
    bodies = [motion.initial_state(1)]
    for raw in lively_poses(int(seconds * FRAME_RATE)):
        bodies.append(motion.step(raw, bodies[-1]))
    return bodies


def test_at_ease_it_breathes_in_and_out_on_the_spot():
    joints = np.stack([body.joint_positions[0] for body in at_ease(2 * BREATH)])
    breath = int(BREATH * FRAME_RATE)
    np.testing.assert_allclose(joints[0], joints[breath], atol=1e-4)
    lifted = joints[breath // 2] - joints[0]
    assert 0.005 < np.abs(lifted[skeleton.INDEX["leftHand"]]).max() < 0.03
    assert np.abs(lifted[ANKLES + TOES]).max() < 1e-4


def test_a_breath_goes_on_from_a_snapshot_to_the_last_bit():
    motion, bodies = Motion(READY), at_ease(2.0)
    motion.mood = Mood(neutral=1.0)
    kept = type(bodies[30])(*(np.copy(v) if isinstance(v, np.ndarray) else v for v in bodies[30]))
    again = motion.step(lively_poses(31)[30], kept)
    for value, other in zip(bodies[31], again, strict=True):
        np.testing.assert_array_equal(value, other)
