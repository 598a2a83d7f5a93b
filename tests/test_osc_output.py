"""Plain OSC on the wire: compared with python-osc byte for byte, and with its documentation."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from output_poses import listener, port_of, pose, received
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from live import skeleton
from live.errors import BadTarget
from live.outputs import osc, vmc
from live.types import Event, Signals

DOCUMENT = Path(__file__).parents[1] / "docs" / "osc.md"


def sent(dancers=1, flat=False, poses=1):
    """What a listener receives of `poses` poses."""
    return packets_of([pose(n, dancers) for n in range(poses)], flat)


def with_event(p, name, number):
    p.signals = p.signals._replace(event=Event(name, 0.5, 0.75, number))
    return p


def quiet(p):
    p.signals = Signals()
    return p


def packets_of(poses, flat=False):
    """What a listener receives of these poses."""
    with listener() as sock:
        output = osc.open_output(f"osc://127.0.0.1:{port_of(sock)}" + "?flat=1" * flat)
        output.open(poses[0].dancers, paced=True)
        packets = []
        for p in poses:
            output.send(p)
            packets += received(sock)
        output.close()
        return packets


def message(address, *arguments):
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument, {int: "i", str: "s"}.get(type(argument), "f"))
    return builder.build().dgram


def split(time):
    return math.floor(time), float(time - math.floor(time))


def expected_pose(p, dancer):
    began = p.play_time - p.show_time
    capture, play = split(p.capture_time - began), split(p.play_time - began)
    body = [*p.root_position[dancer].tolist(), *p.local_rotations[dancer].ravel().tolist()]
    return message("/live/pose", p.sequence, dancer, *capture, *play, p.beat.phase, p.beat.confidence, *body)


def expected_beat(p):
    b = p.beat
    low, mid, high, energy, build, event = p.signals
    both = OscBundleBuilder(IMMEDIATELY)
    both.add_content(OscMessage(message("/live/beat", b.beat_count, b.bpm, b.phase, b.confidence, b.bar_phase)))
    both.add_content(OscMessage(message("/live/signals", low, mid, high, energy, build, event.number)))
    return both.build().dgram


def expected_moment(p):
    event = p.signals.event
    when = split(p.capture_time - (p.play_time - p.show_time) - event.age)
    return [
        message("/live/event", event.number, event.name, *when, event.strength),
        message("/live/stats", 0, 0),
    ]


def messages(packets):
    """The messages in these packets, in or out of bundles."""
    return [m for p in packets for m in (OscBundle(p) if p.startswith(b"#") else [OscMessage(p)])]


def test_a_frame_is_byte_for_byte_what_python_osc_builds():
    p = pose(0, 2)
    assert sent(dancers=2) == [expected_pose(p, 0), expected_pose(p, 1), expected_beat(p), *expected_moment(p)]


@pytest.mark.parametrize("name", osc.EVENTS)
def test_an_event_is_sent_once_by_its_name(name):
    poses = [with_event(pose(n), name, 3 + n // 5) for n in range(10)]
    events = [OscMessage(packet).params for packet in packets_of(poses) if packet.startswith(b"/live/event")]
    assert [event[:2] for event in events] == [[3, name], [4, name]]


def test_an_event_is_dated_in_seconds_since_the_show_began():
    number, _, seconds, fraction, strength = OscMessage(packets_of([with_event(pose(90), "drop", 1)])[2]).params
    assert (number, strength) == (1, 0.5)
    assert seconds + fraction == pytest.approx(1.5 - 0.02 - 0.75, abs=1e-6)


def test_without_an_event_none_is_sent():
    assert not [p for p in packets_of([quiet(pose())]) if p.startswith(b"/live/event")]


@pytest.mark.parametrize("field", ["low", "energy", "build"])
def test_signals_that_are_not_finite_are_dropped_and_counted(field):
    output = osc.open_output("osc://127.0.0.1")
    output.open(1, paced=True)
    bad = pose()
    bad.signals = bad.signals._replace(**{field: math.nan})
    output.send(bad)
    output.close()
    assert (output.stats.sent, output.stats.errors) == (0, 1)


def test_stats_go_out_once_a_second():
    stats = [packet for packet in sent(poses=130) if packet.startswith(b"/live/stats")]
    assert [OscMessage(packet).params for packet in stats] == [[0, 0], [122, 0], [243, 0]]


def test_only_ints_floats_and_strings_follow_the_address():
    for m in messages(sent(dancers=2, flat=True)):
        assert all(type(value) in (int, float, str) for value in m.params)


def test_capture_and_play_time_are_seconds_since_the_show_began():
    *_, params = (m.params for m in messages(sent(poses=3)) if m.address == "/live/pose")
    assert params[2] + params[3] == pytest.approx(2 / 60 - 0.02, abs=1e-6)
    assert params[4] + params[5] == pytest.approx(2 / 60, abs=1e-6)


def test_flat_addresses_give_each_bone_its_world_position_and_local_rotation():
    p = pose(0, 2)
    values = {m.address: m.params for packet in sent(2, flat=True)[2:6] for m in OscBundle(packet)}
    assert len(values) == 2 * 2 * skeleton.COUNT
    np.testing.assert_array_equal(values["/live/1/leftHand/position"], p.joint_positions[1, skeleton.INDEX["leftHand"]])
    np.testing.assert_array_equal(values["/live/0/head/rotation"], p.local_rotations[0, skeleton.INDEX["head"]])


def test_no_datagram_of_sixteen_dancers_is_longer_than_1472_bytes():
    with listener() as sock:
        output = osc.open_output(f"osc://127.0.0.1:{port_of(sock)}?flat=1")
        output.open(16, paced=True)
        assert max(len(packet) for _, packet in output._frame) <= 1472
        output.close()


@pytest.mark.parametrize("field", ["capture_time", "play_time", "level"])
@pytest.mark.parametrize("value", [math.nan, -math.inf, 1e300])
def test_a_time_that_is_not_finite_is_dropped_and_counted(field, value):
    output = osc.open_output("osc://127.0.0.1")
    output.open(1, paced=True)
    bad = pose()
    setattr(bad, field, value)
    output.send(bad)
    output.close()
    assert (output.stats.sent, output.stats.errors) == (0, 1)


def test_a_switch_is_0_or_1():
    with pytest.raises(BadTarget, match="flat=0 or flat=1"):
        osc.open_output("osc://127.0.0.1?flat=yes")


def test_every_address_that_is_sent_is_documented():
    text = DOCUMENT.read_text()
    addresses = {m.address for m in messages(sent())}
    addresses |= {m.address for p in vmc.Template(vmc.table()).packets for m in OscBundle(bytes(p))}
    addresses |= {"/live/<dancer>/<bone>/position", "/live/<dancer>/<bone>/rotation", str(osc.PORT), str(vmc.PORT)}
    assert [address for address in addresses if f"`{address}`" not in text] == []
