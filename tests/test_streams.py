"""Other machines' dances come in as they were sent; what is damaged is counted and left out."""

from __future__ import annotations

import socket
import time

import numpy as np
import pytest
from fakes import FakeOutput
from output_poses import pose
from pythonosc.osc_message_builder import OscMessageBuilder

from live.cli import preview as previewing
from live.cli.outputs import make_output
from live.cli.preview import Relay
from live.clock import VirtualClock
from live.errors import Unusable
from live.streams import osc, vmc


def free_ports(count: int) -> int:
    """The first of so many ports in a row that are free."""
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        try:
            for n in range(count):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as each:
                    each.bind(("127.0.0.1", port + n))
            return port
        except OSError:
            continue
    pytest.skip("no free ports")


def through(opener, scheme: str, query: str = "", dancers: int = 2):
    """A pose sent by an output and what the stream makes of it."""
    port, sent = free_ports(dancers), pose(5, dancers)
    stream = opener(f"{scheme}://127.0.0.1:{port}", dancers)
    output = make_output(f"{scheme}://127.0.0.1:{port}{query}")
    output.open(dancers, True)
    try:
        output.send(sent)
        complete = stream.read()
        return sent, stream.pose(0, 10.0, 9.0) if complete else None
    finally:
        output.close()
        stream.close()


@pytest.mark.parametrize(("opener", "scheme"), [(vmc.open_stream, "vmc"), (osc.open_stream, "osc")])
def test_bodies_arrive_within_a_millimetre(opener, scheme):
    sent, came = through(opener, scheme)
    np.testing.assert_allclose(came.joint_positions, sent.joint_positions, atol=1e-3)
    np.testing.assert_allclose(np.abs(np.vecdot(came.local_rotations, sent.local_rotations)), 1.0, atol=1e-4)
    assert (came.show_time, came.play_time) == (1.0, 10.0)


def test_a_root_that_carries_the_way_is_followed():
    sent, came = through(vmc.open_stream, "vmc", "?root=root")
    np.testing.assert_allclose(came.joint_positions, sent.joint_positions, atol=1e-3)


def test_plain_osc_brings_the_beat():
    sent, came = through(osc.open_stream, "osc")
    assert came.beat.bpm == 120 and came.beat.phase == pytest.approx(sent.beat.phase, abs=1e-6)


def test_nothing_is_shown_before_every_dancer_was_seen():
    stream = osc.open_stream(f"osc://127.0.0.1:{free_ports(1)}", 2)
    stream._take("/live/pose", [0, 0, 0, 0.0, 0, 0.0, 0.0, 0.0, *[0.0] * 3, *[0.0, 0, 0, 1] * 22])
    assert len(stream._seen) == 1 and not stream.read()
    stream.close()


def built(address: str, *values) -> bytes:
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder.build().dgram


BAD = [
    b"", b"nonsense", b"#bundle\0" + b"\xff" * 20, built("/VMC/Ext/Bone/Pos", "Hips", 1.0),
    built("/VMC/Ext/Bone/Pos", "Hips", *[float("nan")] * 7), built("/VMC/Ext/Bone/Pos"),
    built("/VMC/Ext/Bone/Pos", "Hips", *["x"] * 7),
]  # fmt: skip


def test_damage_is_dropped_and_the_next_good_frame_is_taken():
    port = free_ports(1)
    stream = vmc.open_stream(f"vmc://127.0.0.1:{port}", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in (*BAD, built("/VMC/Ext/Bone/Pos", "Hips", 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)):
            sender.sendto(datagram, ("127.0.0.1", port))
        time.sleep(0.05)
        assert stream.read() and stream.dropped >= len(BAD) - 1
    assert stream.pose(0, 0.0, 0.0).root_position[0].tolist() == [0.0, 1.0, 0.0]
    stream.close()


def test_a_port_that_is_taken_is_told_in_one_line():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unusable, match=r"^cannot listen on [^\n]+$"):
            osc.open_stream(f"osc://127.0.0.1:{taken.getsockname()[1]}", 1)


@pytest.mark.parametrize("uri", ["vmc://", "vmc://127.0.0.1:99999", "vmc://127.0.0.1/path", "vmc://127.0.0.1?x=1"])
def test_a_stream_that_makes_no_sense_is_refused(uri):
    with pytest.raises(Unusable, match=r"^stream [^\n]*write vmc://"):
        vmc.open_stream(uri, 1)


def test_an_unknown_stream_is_refused_with_those_there_are():
    with pytest.raises(Unusable, match="osc, vmc"):
        previewing.preview("ndi://127.0.0.1", ["null:"], 1, 0.1, print)


def test_a_relay_ends_when_nobody_looks_any_more():
    output = FakeOutput(VirtualClock())
    output.alive = lambda: False
    stream = osc.open_stream(f"osc://127.0.0.1:{free_ports(1)}", 1)
    begun = time.monotonic()
    Relay(stream, [output]).run(30.0)
    stream.close()
    assert time.monotonic() - begun < 10
