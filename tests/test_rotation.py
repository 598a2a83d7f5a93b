"""Rotations: every form turns into every other and back, and nothing that goes in comes out as no rotation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from live import rotation

WILD = hnp.arrays(np.float32, (5, 6), elements=st.floats(-(2.0**16), 2.0**16, width=32))
UNIT = hnp.arrays(np.float32, (7, 4), elements=st.floats(-1, 1, width=32)).map(rotation.normalise)


def random_unit(*shape, seed=0):
    q = np.random.default_rng(seed).normal(size=(*shape, 4))
    return (q / np.linalg.norm(q, axis=-1, keepdims=True)).astype(np.float32)


def same(a, b):
    """The same rotations: quaternions up to their sign."""
    return 1.0 - np.abs(np.vecdot(a, b)).min() < 1e-5


def is_rotation(m):
    """To within what float32 leaves of two columns that are almost parallel."""
    return np.abs(m @ m.swapaxes(-1, -2) - np.eye(3)).max() < 5e-3 and np.abs(np.linalg.det(m) - 1).max() < 1e-4


@given(UNIT)
@settings(deadline=None)
def test_quaternion_to_matrix_and_back_is_the_same_rotation(q):
    assert same(rotation.from_matrix(rotation.to_matrix(q)), q)


@given(UNIT)
@settings(deadline=None)
def test_quaternion_to_6d_and_back_is_the_same_rotation(q):
    assert same(rotation.from_six(rotation.to_six(q)), q)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("degrees", [0, 90, 179.99, 180, 270])
def test_turns_about_an_axis_survive_the_matrix_form(axis, degrees):
    q = np.append(np.eye(3)[axis] * np.sin(np.radians(degrees) / 2), np.cos(np.radians(degrees) / 2))
    assert same(rotation.from_matrix(rotation.to_matrix(q.astype(np.float32))), q)


@given(WILD)
@settings(deadline=None, max_examples=300)
def test_any_six_numbers_give_a_rotation(six):
    assert is_rotation(rotation.six_to_matrix(six))


@given(WILD)
@settings(deadline=None)
def test_any_six_numbers_give_a_unit_quaternion(six):
    np.testing.assert_allclose(np.linalg.norm(rotation.from_six(six), axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize(
    "six",
    [
        (0, 0, 0, 0, 0, 0),
        (0, 0, 0, 0, 1, 0),
        (0, 1, 0, 0, 0, 0),
        (1, 0, 0, -1, 0, 0),
        (1e-12, 0, 0, 1, 0, 0),
        (np.nan, 0, 0, 0, 1, 0),
        (1, 0, 0, np.inf, 1, 0),
        (1, 0, 0, 0, 0, -np.inf),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_degenerate_6d_gives_the_identity(six):
    np.testing.assert_array_equal(rotation.six_to_matrix(np.array(six, np.float32)), np.eye(3))
    np.testing.assert_array_equal(rotation.from_six(np.array(six, np.float32)), rotation.IDENTITY)


def test_one_degenerate_joint_leaves_the_others_alone():
    six = rotation.to_six(random_unit(4))
    alone = rotation.six_to_matrix(six)
    six[2] = 0
    mended = rotation.six_to_matrix(six)
    np.testing.assert_array_equal(mended[[0, 1, 3]], alone[[0, 1, 3]])


def test_6d_does_not_care_for_length():
    six = rotation.to_six(random_unit(9))
    np.testing.assert_allclose(rotation.six_to_matrix(six * np.float32(7)), rotation.six_to_matrix(six), atol=1e-5)


def test_multiplying_quaternions_is_multiplying_matrices():
    a, b = random_unit(50), random_unit(50, seed=1)
    expected = rotation.to_matrix(a) @ rotation.to_matrix(b)
    np.testing.assert_allclose(rotation.to_matrix(rotation.multiply(a, b)), expected, atol=1e-5)


def test_rotating_a_vector_is_the_matrix_times_it():
    q, v = random_unit(50), np.random.default_rng(2).normal(size=(50, 3)).astype(np.float32)
    expected = np.einsum("nij,nj->ni", rotation.to_matrix(q), v)
    np.testing.assert_allclose(rotation.rotate(q, v), expected, atol=1e-5)


def test_the_conjugate_undoes_a_rotation():
    q = random_unit(50)
    assert same(rotation.multiply(q, rotation.conjugate(q)), np.broadcast_to(rotation.IDENTITY, q.shape))


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_a_quaternion_that_is_none_becomes_the_identity(bad):
    q = random_unit(3)
    q[1] = bad
    np.testing.assert_array_equal(rotation.normalise(q)[1], rotation.IDENTITY)
    np.testing.assert_allclose(rotation.normalise(q)[[0, 2]], q[[0, 2]], atol=1e-6)


def test_nlerp_goes_the_short_way():
    a, b = random_unit(50), random_unit(50, seed=1)
    middle = rotation.nlerp(a, b, 0.5)
    assert (np.abs(np.vecdot(middle, a)) >= np.cos(np.pi / 4) - 1e-6).all()
    np.testing.assert_allclose(np.abs(np.vecdot(middle, a)), np.abs(np.vecdot(middle, b)), atol=1e-5)


@given(st.floats(-3.1, 3.1))
def test_heading_reads_what_yaw_wrote(angle):
    assert rotation.heading(rotation.yaw(np.float32(angle))) == pytest.approx(angle, abs=1e-5)


def test_turning_to_the_left_faces_plus_x():
    facing = rotation.rotate(rotation.yaw(np.float32(np.pi / 2)), np.array([0, 0, 1], np.float32))
    np.testing.assert_allclose(facing, [1, 0, 0], atol=1e-6)


def test_turn_and_turn_matrix_are_multiplying_by_a_yaw():
    angle, q = np.random.default_rng(3).uniform(-np.pi, np.pi, 50).astype(np.float32), random_unit(50)
    expected = rotation.multiply(rotation.yaw(angle), q)
    np.testing.assert_allclose(rotation.turn(angle, q), expected, atol=1e-6)
    turned = rotation.turn_matrix(angle, rotation.to_matrix(q))
    np.testing.assert_allclose(turned, rotation.to_matrix(expected), atol=1e-5)


def test_between_turns_one_direction_to_the_other():
    a, b = (np.random.default_rng(seed).normal(size=(50, 3)).astype(np.float32) for seed in (4, 5))
    a, b = a / np.linalg.norm(a, axis=-1, keepdims=True), b / np.linalg.norm(b, axis=-1, keepdims=True)
    np.testing.assert_allclose(rotation.rotate(rotation.between(a, b), a), b, atol=1e-4)


def test_float32_stays_float32():
    q = random_unit(2)
    results = [rotation.multiply(q, q), rotation.to_six(q), rotation.from_six(rotation.to_six(q))]
    results += [rotation.normalise(q), rotation.nlerp(q, q, 0.5), rotation.yaw(np.float32(1))]
    results += [rotation.heading(q), rotation.turn(np.ones(2, np.float32), q), rotation.rotate(q, q[..., :3])]
    assert {r.dtype for r in results} == {np.dtype(np.float32)}
