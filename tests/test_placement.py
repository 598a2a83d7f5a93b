"""What every output can ask of its poses: mirror, scale, offset, rate and latency, as options of its URI."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeOutput
from output_poses import pose

from live import skeleton
from live.cli.outputs import make_output
from live.clock import VirtualClock
from live.errors import BadTarget
from live.placement import AS_IT_IS, Placement, split


def test_nothing_asked_for_is_the_pose_itself():
    p = pose()
    assert AS_IT_IS.placed(p) is p


@pytest.mark.parametrize("mirror", [False, True])
def test_a_placed_body_still_hangs_together(mirror):
    placed = Placement(mirror=mirror).placed(pose(3, 2))
    joints, _ = skeleton.forward_kinematics(placed.root_position, placed.local_rotations)
    np.testing.assert_allclose(joints, placed.joint_positions, atol=1e-5)


def test_mirrored_the_left_hand_dances_what_the_right_did():
    left, right = skeleton.INDEX["leftHand"], skeleton.INDEX["rightHand"]
    p, placed = pose(), Placement(mirror=True).placed(pose())
    np.testing.assert_array_equal(placed.joint_positions[0, left], p.joint_positions[0, right] * [-1, 1, 1])
    np.testing.assert_array_equal(placed.contacts[0], p.contacts[0, ::-1])


def test_twice_mirrored_is_unchanged():
    twice = Placement(mirror=True).placed(Placement(mirror=True).placed(pose()))
    np.testing.assert_array_equal(twice.local_rotations, pose().local_rotations)


def test_scaled_and_moved_each_joint_lies_where_the_scaled_world_says():
    placed = Placement(scale=2.0, offset=(1, 0, -3)).placed(pose())
    np.testing.assert_allclose(placed.joint_positions, pose().joint_positions * 2 + [1, 0, -3], rtol=1e-6)


@pytest.mark.parametrize(("rate", "expected"), [(0, 120), (60, 120), (30, 60), (20, 40), (7, 14)])
def test_the_rate_is_kept(rate, expected):
    output = FakeOutput(VirtualClock())
    output.placement = Placement(rate=rate)
    for n in range(120):
        output.send(pose(n))
    assert len(output.poses) == expected


def test_the_options_leave_the_rest_of_the_uri_as_it_is():
    bare, placement = split("osc://host:1?mirror=1&flat=1&scale=2&offset=1,2,-3&rate=30&latency=40")
    assert bare == "osc://host:1?flat=1"
    assert placement == Placement(True, 2.0, (1.0, 2.0, -3.0), 30.0, 40.0)


def test_any_output_takes_them_and_declares_the_latency():
    output = make_output("null:?latency=40&mirror=1")
    assert (output.latency, output.placement.mirror, output.uri) == (0.04, True, "null:?latency=40&mirror=1")


@pytest.mark.parametrize(
    "option",
    [
        "mirror=2",
        "scale=0",
        "scale=nan",
        "scale=x",
        "offset=1,2",
        "offset=1,2,1e9",
        "rate=61",
        "latency=-1",
        "rate=30&rate=20",
    ],
)
def test_a_value_that_makes_no_sense_is_refused_in_one_line(option):
    with pytest.raises(BadTarget, match=rf"^output 'null:\?{option}': [^\n]+$"):
        make_output(f"null:?{option}")
