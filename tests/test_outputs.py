"""What every output keeps: found by name, counts what it sends, never raises, never lets a bad number out."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import numpy as np
import pytest
from output_poses import listener, port_of, pose, received
from pythonosc.osc_message import OscMessage

from live.cli.outputs import make_output
from live.contracts import Output, load_plugin, plugin_names
from live.errors import BadTarget

DRAWN = {"window", "film", "webcam", "monitor", "photoreal", "ndi", "spout", "syphon"}
"""Outputs that draw have tests of their own: they need a screen, a codec, a camera, a web server."""
NAMES = [name for name in plugin_names("live.outputs") if name not in DRAWN]


def uri_for(name: str, folder: Path) -> str:
    """A usable URI: nothing but the scheme, or a file, or a port of this host that nobody listens to."""
    return {"null": "null:", "take": f"take:{folder / 'show.take'}"}.get(name, f"{name}://127.0.0.1:47001")


@pytest.fixture(params=NAMES)
def output(request: pytest.FixtureRequest, tmp_path: Path) -> Output:
    made: Output = load_plugin("live.outputs", request.param, "output").open_output(uri_for(request.param, tmp_path))
    request.addfinalizer(made.close)
    return made


def test_the_four_first_outputs_are_found_by_name():
    assert {"null", "osc", "take", "vmc"} <= set(NAMES)


def test_three_poses_are_counted_and_closing_twice_is_safe(output):
    output.open(dancers=2, paced=True)
    for n in range(3):
        output.send(pose(n, dancers=2))
    output.close()
    output.close()
    assert output.stats.sent >= 3


def test_encode_and_transmit_together_are_send(output):
    output.open(dancers=1, paced=True)
    output.encode(pose())
    before = output.stats.sent
    output.transmit()
    assert output.stats.sent > before == 0


def test_closing_without_opening_is_safe(output):
    output.close()


def test_a_pose_sent_before_opening_or_after_closing_is_counted_as_an_error(output):
    output.send(pose())
    output.open(dancers=1, paced=True)
    output.close()
    closed = output.stats.errors
    output.send(pose())
    assert closed >= 1
    assert output.stats.errors == closed + 1


@pytest.mark.parametrize("damage", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("part", ["local_rotations", "root_position", "joint_positions"])
def test_a_pose_with_a_bad_number_is_dropped_and_counted(output, part, damage):
    output.open(dancers=1, paced=True)
    bad = pose()
    getattr(bad, part)[0, -1] = damage
    output.send(bad)
    assert (output.stats.sent, output.stats.errors) == (0, 1)


def test_a_pose_with_a_quaternion_that_is_not_unit_is_dropped_and_counted(output):
    output.open(dancers=1, paced=True)
    bad = pose()
    bad.local_rotations[0, -1] *= 1.001
    output.send(bad)
    assert (output.stats.sent, output.stats.errors) == (0, 1)


def test_a_pose_of_another_number_of_dancers_is_dropped(output):
    output.open(dancers=2, paced=True)
    output.send(pose(dancers=1))
    assert (output.stats.sent, output.stats.errors) == (0, 1)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_refused_in_one_line(name, tmp_path):
    module = load_plugin("live.outputs", name, "output")
    with pytest.raises(BadTarget) as refused:
        module.open_output(uri_for(name, tmp_path) + "?colour=red")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "//",
        "//:39539",
        "//host:0",
        "//host:65536",
        "//host:x",
        "//host/path",
        "//me@host",
        "//[::1",
        "//host?a",
        "host",
    ],
)
@pytest.mark.parametrize("name", ["vmc", "osc", "vrchat", "robot"])
def test_a_target_that_is_not_host_and_port_is_refused_in_one_line(name, rest):
    with pytest.raises(BadTarget, match=r"^output '[^\n]+$"):
        load_plugin("live.outputs", name, "output").open_output(f"{name}:{rest}")


@pytest.mark.parametrize("query", ["vmc://h?face=off&face=off", "osc://h?flat=1&flat=0", "robot://h?dancer=1.5"])
def test_what_is_said_twice_or_by_halves_is_refused_in_one_line(query):
    with pytest.raises(BadTarget, match=r"^output '[^\n]+$"):
        make_output(query)


@pytest.mark.parametrize("name", ["vmc", "osc", "vrchat", "robot"])
def test_an_unknown_host_is_refused_when_opening(name):
    output = load_plugin("live.outputs", name, "output").open_output(f"{name}://no-such-host.invalid")
    with pytest.raises(BadTarget, match=r"no-such-host\.invalid.*unknown"):
        output.open(dancers=1, paced=True)


def to_everyone(port: int = 0) -> socket.socket:
    """A socket that hears what is sent to all on `port`, beside others that do."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", port))
    return sock


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a broadcast address on loopback")
@pytest.mark.parametrize("name", ["vmc", "osc", "vrchat"])
def test_a_broadcast_address_reaches_everyone_who_listens(name):
    with to_everyone() as first, to_everyone(port_of(first)) as second:
        output = make_output(f"{name}://127.255.255.255:{port_of(first)}")
        output.open(1, paced=True)
        output.send(pose())
        heard = [received(sock) for sock in (first, second)]
        output.close()
    assert heard[0] == heard[1] != []
    assert output.stats.errors == 0


@pytest.mark.parametrize("name", ["vmc", "osc", "vrchat"])
def test_three_targets_receive_the_same_and_one_that_is_gone_harms_no_other(name):
    with listener() as first, listener() as second, listener() as third:
        hosts = ",".join(f"127.0.0.1:{port_of(sock)}" for sock in (first, second, third))
        output = make_output(f"{name}://{hosts}")
        output.open(1, paced=True)
        second.close()
        for n in range(5):
            output.send(pose(n))
        heard = [received(sock) for sock in (first, third)]
        output.close()
    assert heard[0] == heard[1] and len(heard[0]) >= 5


@pytest.mark.parametrize(
    ("written", "ports"), [("a,b:7", [7, 7]), ("a:1,b,c:7,d", [1, 7, 7, 39539]), ("a,b", [39539, 39539])]
)
def test_a_host_that_names_no_port_has_the_next_ones(written, ports):
    assert [port for _, port in make_output(f"vmc://{written}?mirror=1").hosts] == ports


def test_each_output_keeps_its_own_rate_scale_offset_and_mirror():
    with listener() as plain, listener() as placed:
        one = make_output(f"osc://127.0.0.1:{port_of(plain)}")
        other = make_output(f"osc://127.0.0.1:{port_of(placed)}?rate=20&scale=2&offset=0,1,0&mirror=1")
        for output in (one, other):
            output.open(1, paced=True)
        for n in range(60):
            for output in (one, other):
                output.send(pose(n))
        poses = [[p for p in received(sock) if p.startswith(b"/live/pose")] for sock in (plain, placed)]
        for output in (one, other):
            output.close()
    assert [len(packets) for packets in poses] == [60, 20]
    here, there = (np.array(OscMessage(packets[0]).params[8:11]) for packets in poses)
    np.testing.assert_allclose(there, here * [-2, 2, 2] + [0, 1, 0], atol=1e-6)
