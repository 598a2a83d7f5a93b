"""VMC on the wire: compared with python-osc byte for byte, and read back from a socket."""

from __future__ import annotations

import itertools
import socket

import numpy as np
import pytest
from output_poses import listener, port_of, pose, received, unused_port
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from live import rotation, skeleton
from live.errors import BadTarget
from live.outputs import vmc


@pytest.fixture
def receiver():
    with listener() as sock:
        yield sock


@pytest.fixture
def performer(receiver):
    output = vmc.open_output(f"vmc://127.0.0.1:{port_of(receiver)}")
    output.open(dancers=1, paced=True)
    yield output
    output.close()


def message(address, *arguments):
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument, {str: "s", int: "i"}.get(type(argument), "f"))
    return builder.build()


def bundle(messages):
    builder = OscBundleBuilder(IMMEDIATELY)
    for one in messages:
        builder.add_content(one)
    return builder.build().dgram


def expected(p):
    """The two datagrams of a frame as python-osc writes them."""
    bones = []
    for i, name in enumerate(skeleton.BONES):
        x, y, z = p.root_position[0] if i == 0 else skeleton.REST_OFFSETS[i]
        a, b, c, w = p.local_rotations[0, i]
        place = [float(v) for v in (-x, y, z, a, -b, -c, w)]
        bones.append(message("/VMC/Ext/Bone/Pos", name[0].upper() + name[1:], *place))
    opening = [
        message("/VMC/Ext/OK", 1, 3, 0, 1),
        message("/VMC/Ext/T", float(p.show_time)),
        message("/VMC/Ext/Root/Pos", "root", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
    ]
    return [bundle(opening + bones[:11]), bundle(bones[11:])]


def test_a_frame_is_byte_for_byte_what_python_osc_builds(performer, receiver):
    for n in range(3):
        performer.send(pose(n))
        assert received(receiver) == expected(pose(n))


def test_no_datagram_is_longer_than_1472_bytes(performer, receiver):
    performer.send(pose())
    assert max(len(packet) for packet in received(receiver)) <= 1472


def test_bones_come_parents_first(performer, receiver):
    performer.send(pose())
    messages = [m for packet in received(receiver) for m in OscBundle(packet)]
    names = [m.params[0] for m in messages if isinstance(m, OscMessage) and m.address.endswith("Bone/Pos")]
    parents = {
        vmc.unity_bone(b): vmc.unity_bone(skeleton.BONES[skeleton.PARENTS[i]]) for i, b in enumerate(skeleton.BONES)
    }
    assert sorted(names) == sorted(parents)
    assert all(parents[name] in names[:i] for i, name in enumerate(names) if i)


def test_the_frame_conversion_mirrors_rotations_as_it_mirrors_points():
    p = pose()
    points = p.joint_positions
    turned = rotation.rotate(p.local_rotations, points) * vmc.POSITION_SIGNS
    np.testing.assert_allclose(
        rotation.rotate(p.local_rotations * vmc.ROTATION_SIGNS, points * vmc.POSITION_SIGNS), turned, atol=1e-5
    )


def test_the_frame_conversion_undoes_itself():
    q = pose().local_rotations
    np.testing.assert_array_equal(q * vmc.ROTATION_SIGNS * vmc.ROTATION_SIGNS, q)


def test_time_strictly_increases_even_where_show_time_stands_or_jumps_back(performer, receiver):
    for show_time in (0.0, 0.0, 500000.0, 500000.001, 3.0):
        p = pose()
        p.show_time = show_time
        performer.send(p)
    times = [OscBundle(packet).content(1).params[0] for packet in received(receiver)[::2]]
    assert all(later > earlier for earlier, later in itertools.pairwise(times))


def test_closing_says_ok_0_once(performer, receiver):
    performer.close()
    performer.close()
    assert received(receiver) == [message("/VMC/Ext/OK", 0).dgram]


def test_each_dancer_has_the_next_port_and_is_told_goodbye():
    with listener() as first, listener(port_of(first) + 1) as second:
        output = vmc.open_output(f"vmc://127.0.0.1:{port_of(first)}")
        output.open(dancers=2, paced=True)
        both = pose(dancers=2)
        output.send(both)
        output.close()
        for n, sock in enumerate((first, second)):
            alone = pose()
            alone.root_position, alone.local_rotations = both.root_position[n:], both.local_rotations[n:]
            assert received(sock) == [*expected(alone), message("/VMC/Ext/OK", 0).dgram]


def test_nothing_of_a_bad_pose_reaches_the_wire(performer, receiver):
    bad = pose()
    bad.local_rotations[0, 5] = np.nan
    performer.send(bad)
    assert received(receiver) == []


def test_a_bad_pose_does_not_send_the_last_one_again(performer, receiver):
    performer.send(pose())
    received(receiver)
    bad = pose()
    bad.root_position[:] = np.inf
    performer.encode(bad)
    performer.transmit()
    assert received(receiver) == []


def test_a_target_where_nobody_listens_is_counted_and_still_sent_to():
    port = unused_port()
    output = vmc.open_output(f"vmc://127.0.0.1:{port}")
    output.open(dancers=1, paced=True)
    for n in range(3):
        output.send(pose(n))
    with listener(port) as late:
        output.send(pose(3))
        assert received(late) == expected(pose(3))
    output.close()
    assert output.stats.sent == 9
    assert "refused" in output.stats.last_error


def test_a_network_that_is_not_there_is_counted_not_raised():
    output = vmc.open_output("vmc://[100::1]:39539")  # the IPv6 discard prefix
    output.open(dancers=1, paced=True)
    output.send(pose())
    output.close()
    assert output.stats.sent + output.stats.errors >= 2


def test_an_ipv6_host_receives_the_same_bytes():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 on this machine")
        output = vmc.open_output(f"vmc://[::1]:{port_of(sock)}")
        output.open(dancers=1, paced=True)
        output.send(pose())
        output.close()
        assert received(sock)[:2] == expected(pose())


def test_ports_beyond_65535_are_refused_when_opening():
    with pytest.raises(BadTarget, match="65536"):
        vmc.open_output("vmc://127.0.0.1:65535").open(dancers=2, paced=True)


def test_the_port_left_out_is_39539():
    assert vmc.open_output("vmc://127.0.0.1").hosts == [("127.0.0.1", 39539)]
