"""VRChat's trackers on the wire: addresses, frame, Euler angles, height."""

from __future__ import annotations

import numpy as np
import pytest
from output_poses import listener, port_of, pose, received
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from scipy.spatial.transform import Rotation

from live import skeleton
from live.errors import BadTarget
from live.outputs import vrchat


def sent(query="", p=None):
    """The one datagram of a frame."""
    p = p or pose()
    with listener() as sock:
        output = vrchat.open_output(f"vrchat://127.0.0.1:{port_of(sock)}{query}")
        output.open(p.dancers, paced=True)
        output.send(p)
        (packet,) = received(sock)
        output.close()
    return packet


def values(packet):
    return {m.address: np.array(m.params) for m in OscBundle(packet)}


def test_a_frame_is_byte_for_byte_what_python_osc_builds():
    packet = sent()
    builder = OscBundleBuilder(IMMEDIATELY)
    for m in OscBundle(packet):
        message = OscMessageBuilder(m.address)
        for value in m.params:
            message.add_arg(value, "f")
        builder.add_content(message.build())
    assert builder.build().dgram == packet and len(packet) <= 1472


def test_eight_trackers_and_the_head_have_a_place_and_a_turn():
    names = [*map(str, range(1, 9)), "head"]
    wanted = {f"/tracking/trackers/{name}/{what}" for name in names for what in ("position", "rotation")}
    assert set(values(sent())) == wanted


@pytest.mark.parametrize(
    ("query", "trackers"),
    [
        ("?trackers=hip,feet&head=off", {"1", "3", "4"}),
        ("?trackers=chest", {"2", "head"}),
        ("?trackers=knees,elbows&head=off", {"5", "6", "7", "8"}),
    ],
)
def test_only_the_trackers_asked_for_are_sent(query, trackers):
    assert {address.split("/")[3] for address in values(sent(query))} == trackers


def test_a_tracker_lies_at_its_joint_in_unitys_frame_scaled_to_the_height():
    for n, joint in (("1", "hips"), ("4", "rightFoot"), ("7", "leftLowerArm"), ("head", "head")):
        place = pose().joint_positions[0, skeleton.INDEX[joint]] * [-1, 1, 1] * (1.8 / 1.7)
        np.testing.assert_allclose(values(sent("?height=1.8"))[f"/tracking/trackers/{n}/position"], place, rtol=1e-5)


@pytest.mark.parametrize("n", range(5))
def test_euler_angles_applied_z_x_y_turn_as_the_bone_does(n):
    p = pose(n)
    _, world = skeleton.forward_kinematics(p.root_position, p.local_rotations)
    x, y, z = values(sent(p=p))["/tracking/trackers/2/rotation"]
    turned = Rotation.from_euler("zxy", [z, x, y], degrees=True).as_matrix()
    flip = np.diag([-1, 1, 1])
    np.testing.assert_allclose(turned, flip @ world[0, skeleton.INDEX["upperChest"]] @ flip, atol=1e-5)


@pytest.mark.parametrize("x", [90.0, -90.0])
def test_straight_up_and_down_are_no_trouble(x):
    m = Rotation.from_euler("zxy", [30.0, x, 20.0], degrees=True).as_matrix()
    angles = vrchat.euler_degrees(m)
    np.testing.assert_allclose(Rotation.from_euler("zxy", angles[[2, 0, 1]], degrees=True).as_matrix(), m, atol=1e-6)


def test_the_head_can_be_aligned_by_its_place_alone():
    addresses = set(values(sent("?head=position")))
    assert "/tracking/trackers/head/position" in addresses and "/tracking/trackers/head/rotation" not in addresses


@pytest.mark.parametrize("query", ["?height=0", "?height=tall", "?trackers=nose", "?trackers=", "?head=no"])
def test_what_makes_no_sense_is_refused_in_one_line(query):
    with pytest.raises(BadTarget, match=r"^output 'vrchat:[^\n]+$"):
        vrchat.open_output(f"vrchat://127.0.0.1{query}")
