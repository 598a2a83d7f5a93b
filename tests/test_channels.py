"""A motion becomes 138 channels a pose, and the channels become the motion again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from live import channels, rotation, skeleton
from live.types import FRAME_RATE

T = 240


def smooth(noise, shape, size):
    """[T, *shape] float32 that wanders a few times up and down by about `size`."""
    t = np.arange(T) / FRAME_RATE
    waves = [np.sin(2 * np.pi * (f * t + noise.random((*shape, 1)))) for f in (0.3, 0.7, 1.1)]
    return np.moveaxis(size * np.mean(waves, 0), -1, 0).astype(np.float32)


def random_dance(seed=0, turns=2.0):
    """root_position [T, 3] and local_rotations [T, 22, 4] of someone who wanders and turns `turns` times about."""
    noise = np.random.default_rng(seed)
    root = smooth(noise, (3,), 0.8) + np.array([0, 0.9, 0], np.float32)
    rotations = rotation.normalise(smooth(noise, (skeleton.COUNT, 4), 0.3) + rotation.IDENTITY)
    spin = rotation.yaw(np.linspace(0, 2 * np.pi * turns, T).astype(np.float32))
    rotations[:, 0] = rotation.multiply(spin, rotations[:, 0])
    return root, rotations


def integrated(raw, start, angle):
    """The path and headings that the channels tell of, from where the first pose stands."""
    decoded = channels.decode(raw)
    headings = angle + np.append(0, np.cumsum(decoded.yaw_rate[1:].astype(float))) / FRAME_RATE
    velocity = np.stack([decoded.velocity[:, 0], np.zeros(len(raw)), decoded.velocity[:, 1]], -1)
    steps = rotation.rotate(rotation.yaw(headings), velocity)[1:, [0, 2]] / FRAME_RATE
    return start[[0, 2]] + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, 0)]), headings


@pytest.mark.parametrize("seed", range(3))
def test_integrating_the_velocities_walks_the_same_path(seed):
    root, rotations = random_dance(seed)
    path, _ = integrated(channels.encode(root, rotations), root[0], float(rotation.heading(rotations[0, 0])))
    np.testing.assert_allclose(path, root[:, [0, 2]], atol=2e-3)


@pytest.mark.parametrize("turns", [-3.0, 0.5, 4.0])
def test_integrating_the_yaw_rate_turns_as_often(turns):
    root, rotations = random_dance(turns=turns)
    _, headings = integrated(channels.encode(root, rotations), root[0], float(rotation.heading(rotations[0, 0])))
    expected = np.unwrap(rotation.heading(rotations[:, 0]))
    np.testing.assert_allclose(headings, expected, atol=1e-3)


def test_decoding_gives_back_the_rotations_of_the_limbs():
    root, rotations = random_dance()
    found = channels.decode(channels.encode(root, rotations)).rotations
    assert 1 - np.abs(np.vecdot(found[:, 1:], rotations[:, 1:])).min() < 1e-5


def test_the_hips_in_their_facing_frame_turned_by_the_heading_are_the_hips_in_the_world():
    root, rotations = random_dance()
    found = channels.decode(channels.encode(root, rotations)).rotations[:, 0]
    world = rotation.multiply(rotation.yaw(rotation.heading(rotations[:, 0])), found)
    assert 1 - np.abs(np.vecdot(world, rotations[:, 0])).min() < 1e-5


def test_the_height_is_that_of_the_hips():
    root, rotations = random_dance()
    np.testing.assert_array_equal(channels.decode(channels.encode(root, rotations)).height, root[:, 1])


def test_channels_know_nothing_of_where_and_which_way():
    root, rotations = random_dance()
    turned = rotations.copy()
    turned[:, 0] = rotation.multiply(rotation.yaw(np.float32(1.0)), rotations[:, 0])
    moved = rotation.rotate(rotation.yaw(np.float32(1.0)), root) + np.array([3, 0, -2], np.float32)
    raw = channels.encode(root, rotations)
    np.testing.assert_allclose(channels.encode(moved, turned), raw, atol=2e-3)


def test_the_first_pose_has_the_velocities_of_the_second():
    raw = channels.encode(*random_dance())
    np.testing.assert_array_equal(raw[0, : channels.HEIGHT], raw[1, : channels.HEIGHT])
    assert np.abs(raw[0, : channels.HEIGHT]).max() > 0.1


def test_matrices_and_quaternions_of_a_decoded_pose_agree():
    decoded = channels.decode(np.random.default_rng(0).normal(size=(9, channels.COUNT)).astype(np.float32))
    np.testing.assert_allclose(rotation.to_matrix(decoded.rotations), decoded.matrices, atol=1e-5)


@given(hnp.arrays(np.float32, (2, channels.COUNT), elements=st.floats(-1000, 1000, width=32)))
@settings(deadline=None, max_examples=50)
def test_whatever_goes_in_quaternions_are_unit_and_contacts_are_shares(raw):
    decoded = channels.decode(raw)
    np.testing.assert_allclose(np.linalg.norm(decoded.rotations, axis=-1), 1, atol=1e-5)
    assert decoded.contacts.min() >= 0 and decoded.contacts.max() <= 1


def test_the_channels_are_float32_and_the_slices_cover_them_all():
    raw = channels.encode(*random_dance())
    assert (raw.dtype, raw.shape) == (np.float32, (T, channels.COUNT))
    covered = [*range(6)[channels.VELOCITY], channels.YAW_RATE, channels.HEIGHT, *range(6)[channels.CONTACTS]]
    covered += range(channels.COUNT)[channels.ROTATIONS]
    assert covered == list(range(138))


def test_who_stands_still_has_both_feet_planted():
    root = np.tile(skeleton.REST_OFFSETS[0], (T, 1))
    rotations = np.tile(rotation.IDENTITY, (T, skeleton.COUNT, 1))
    assert channels.foot_contacts(root, rotations)[3:-3].min() == pytest.approx(1.0)


def test_a_lifted_foot_is_not_planted_and_the_other_is():
    root = np.tile(skeleton.REST_OFFSETS[0], (T, 1))
    rotations = np.tile(rotation.IDENTITY, (T, skeleton.COUNT, 1))
    angle = np.radians(90) * (np.arange(T) > T // 2)
    rotations[:, skeleton.INDEX["leftUpperLeg"], 0] = np.sin(-angle / 2)
    rotations[:, skeleton.INDEX["leftUpperLeg"], 3] = np.cos(angle / 2)
    planted = channels.foot_contacts(root, rotations)
    assert planted[-60:-3, 0].max() == 0 and planted[-60:-3, 1].min() == pytest.approx(1.0)


def test_feet_that_slide_along_the_floor_are_not_planted():
    root = np.tile(skeleton.REST_OFFSETS[0], (T, 1))
    root[:, 0] = np.arange(T) / FRAME_RATE
    rotations = np.tile(rotation.IDENTITY, (T, skeleton.COUNT, 1))
    assert channels.foot_contacts(root, rotations)[3:].max() == 0
