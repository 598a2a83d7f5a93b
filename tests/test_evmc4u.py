"""Nothing that is sent over VMC makes EVMC4U stop, ignore, drop or tear; what would is complained about."""

from __future__ import annotations

import dataclasses
import struct

import numpy as np
import pytest
from evmc4u import Receiver
from output_poses import listener, port_of, pose
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from live.cli.outputs import make_output
from live.take import pose_of, read_take

FRAMES = 100_000
PLACE = (0.0, 1.0, 0.0)
UPRIGHT = (0.0, 0.0, 0.0, 1.0)


def message(address, *arguments, tags=""):
    builder = OscMessageBuilder(address)
    for n, argument in enumerate(arguments):
        builder.add_arg(argument, tags[n] if tags else {int: "i", str: "s"}.get(type(argument), "f"))
    return builder.build().dgram


def bundle(*messages):
    """A bundle written by hand, sizes as they are."""
    return b"#bundle\0" + struct.pack(">Q", 1) + b"".join(struct.pack(">i", len(m)) + m for m in messages)


def bone(name="Hips", place=PLACE, turn=UPRIGHT):
    return message("/VMC/Ext/Bone/Pos", name, *place, *turn)


def heard(*datagrams):
    receiver = Receiver()
    receiver.update(datagrams)
    return receiver.complaints


def apart(p):
    """The pose in memory of its own, as the engine makes it."""
    bodies = ("root_position", "local_rotations", "joint_positions", "contacts")
    return dataclasses.replace(p, **{name: getattr(p, name).copy() for name in bodies})


@pytest.mark.slow
def test_a_hundred_thousand_frames_leave_nothing_to_complain_about(dance):
    records, receiver = read_take(dance).records, Receiver()
    poses = [apart(pose_of(record)) for record in records]
    torn = dataclasses.replace(pose(), root_position=np.full((1, 3), np.nan, np.float32))
    with listener() as sock:
        output = make_output(f"vmc://127.0.0.1:{port_of(sock)}?face=loudness")
        output.open(1, paced=True)
        for n in range(FRAMES):
            one = poses[n % len(poses)] if n % 1000 else torn
            one.show_time = n / 60
            output.send(one)
            receiver.update([sock.recv(4096), sock.recv(4096)] if n % 1000 else [])
        output.close()
        receiver.update([sock.recv(4096)])
    assert (receiver.frames, output.stats.errors) == (FRAMES - FRAMES // 1000, FRAMES // 1000)
    assert receiver.complaints == []


@pytest.mark.parametrize("query", ["", "?root=root", "?root=still&face=loudness", "?mirror=1&scale=3"])
def test_each_way_of_sending_is_understood(query):
    with listener() as sock:
        output = make_output(f"vmc://127.0.0.1:{port_of(sock)}{query}")
        output.open(1, paced=True)
        output.send(pose())
        output.close()
        assert heard(*(sock.recv(4096) for _ in range(3))) == []


def test_half_a_second_of_frames_at_once_is_still_taken_and_more_is_dropped():
    times = [message("/VMC/Ext/T", n / 60) for n in range(1, 32)]
    assert heard(*times[:30]) == []
    assert heard(*times) == ["dropped: 31 frames in one of Unity's"]


@pytest.mark.parametrize(
    ("datagram", "complaint"),
    [
        (message("/VMC/Ext/OK"), "shut down: /VMC/Ext/OK has 0 arguments of 1"),
        (message("/VMC/Ext/T"), "shut down"),
        (message("/VMC/Ext/Bone/Pos", "Hips", *PLACE), "shut down: /VMC/Ext/Bone/Pos has 4 arguments of 8"),
        (message("/VMC/Ext/Root/Pos", "root", *PLACE, *UPRIGHT, 1.0), "shut down: /VMC/Ext/Root/Pos has 9 arguments"),
        (message("/VMC/Ext/Blend/Val", "Joy"), "shut down"),
        (message("/VMC/Ext/T", 1), "ignored: argument 0 of /VMC/Ext/T is of type 'i', not 'f'"),
        (message("/VMC/Ext/T", 1.0, tags="d"), "misread: no type 'd' is known"),
        (message("/VMC/Ext/Bone/Pos", "Hips", 1.0, 2.0, 3.0, *UPRIGHT, tags="sffffffd"), "misread"),
        (message("/VMC/Ext/Pose", 1.0), "ignored: /VMC/Ext/Pose is unknown"),
        (bone("hips"), "ignored: hips is no bone"),
        (bone(place=(0.0, float("nan"), 0.0)), "torn: a number is not finite"),
        (bone(turn=(0.0, 0.0, 0.0, 1.01)), "torn: a quaternion is not unit"),
        (bone(turn=(0.0,) * 4), "torn: a quaternion is not unit"),
        (bundle(bone(), bone()[:-4]), "misread"),
        (bundle(bone(), bone()[:-2]), "left out: a size of 66 bytes"),
        (bundle(*[bone()] * 22), "fragmented"),
        (bundle(message("/VMC/Ext/T", 2.0), message("/VMC/Ext/T", 1.0)), "stuck: the time does not rise"),
        (b"/VMC", "misread: it ends too early"),
    ],
)
def test_a_bad_stream_is_complained_about(datagram, complaint):
    assert any(one.startswith(complaint) for one in heard(datagram)), heard(datagram)


def test_what_was_good_once_is_judged_anew_where_its_numbers_are_bad():
    receiver = Receiver()
    receiver.update([bone()])
    receiver.update([bone(turn=(1.0, 1.0, 0.0, 0.0))])
    assert receiver.complaints == ["torn: a quaternion is not unit"]


def test_a_good_stream_of_another_library_is_not_complained_about():
    both = OscBundleBuilder(IMMEDIATELY)
    for one in (message("/VMC/Ext/OK", 1, 3, 0), message("/VMC/Ext/T", 1.0), bone("LeftThumbProximal")):
        both.add_content(OscMessage(one))
    assert heard(both.build().dgram, message("/VMC/Ext/Root/Pos", "root", *PLACE, *UPRIGHT, *[1.0] * 6)) == []
