"""Orders from strangers: understood when wholly right, counted and dropped when not."""

from __future__ import annotations

import random
import socket
import struct
import time
import tracemalloc

import pytest
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from live.control import osc
from live.control._decode import Malformed, messages
from live.errors import Unusable
from live.orders import BY_NAME, TABLE, Order, order, spoken


def packet(address, *values):
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder.build().dgram


def bundle(*contents, when=IMMEDIATELY):
    builder = OscBundleBuilder(when)
    for content in contents:
        builder.add_content(content)
    return builder.build()


def message(address, *values):
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder.build()


@pytest.fixture
def control():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    made = osc.open_control(f"127.0.0.1:{port}")
    yield made
    made.close()


def sent(control, *packets):
    """What the control makes of datagrams."""
    orders = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for one in packets:
            sock.sendto(one, ("127.0.0.1", control.port))
            orders += control.read(8)
    return orders


# ---- the table ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("freeze", [], 1.0), ("freeze", [0], 0.0), ("freeze", [True], 1.0), ("freeze", ["toggle"], "toggle"),
        ("intensity", [2], 2.0), ("intensity", [0.5], 0.5), ("anticipation", [], None), ("anticipation", [-40], -40.0),
        ("style", ["lead=0.3"], "lead=0.3"), ("tempo/tap", [], None), ("tempo/tap", [1.0], None),
        ("tempo/lock", [], None), ("tempo/lock", [128.5], 128.5), ("cue", ["verse"], "verse"), ("reset", [7], 7.0),
    ],
)  # fmt: skip
def test_an_order_is_understood(name, values, expected):
    assert order(BY_NAME[name], values) == Order(name, expected)


def test_a_button_let_go_is_no_order():
    assert order(BY_NAME["tempo/tap"], [0.0]) is None


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("intensity", []), ("intensity", [2.1]), ("intensity", [float("nan")]), ("intensity", ["1"]),
        ("freeze", [0.5]), ("freeze", [2]), ("freeze", ["yes"]), ("tempo/lock", [10]), ("tempo/nudge", [1e6]),
        ("cue", []), ("cue", [3]), ("cue", ["x" * 300]), ("style", ["a\nb"]), ("reset", [1.5]), ("reset", [-1]),
        ("tempo/tap", [1, 2]), ("anticipation", [float("inf")]), ("freeze", [b"blob"]),
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_refused(name, values):
    with pytest.raises(ValueError):
        order(BY_NAME[name], values)


def test_every_order_can_be_spoken_or_says_why_not():
    assert spoken("freeze toggle") == Order("freeze", "toggle")
    assert spoken("tempo/nudge -10") == Order("tempo/nudge", -10.0)
    assert spoken("tempo/lock") == Order("tempo/lock", None)
    for wrong in ("dance", "intensity", "intensity big", "freeze maybe"):
        with pytest.raises(ValueError):
            spoken(wrong)


# ---- over the wire -----------------------------------------------------------------------------------------------


def test_every_pinned_address_is_heard(control):
    values = {"text": ["a"], "number": [1.0]}
    packets = [packet(spec.address, *(spec.choices[:1] or values.get(spec.kind, []))) for spec in TABLE]
    assert [one.name for one in sent(control, *packets)] == [spec.name for spec in TABLE]
    pinned = {"freeze", "neutral", "style", "intensity", "anticipation", "cue", "reset"}
    pinned |= {f"tempo/{name}" for name in ("tap", "nudge", "double", "half", "downbeat", "lock")}
    assert pinned < set(BY_NAME) and control.dropped == 0


def test_a_bundle_is_carried_out_whole_or_not_at_all(control):
    good, bad = message("/live/freeze", 1), message("/live/intensity", 9.0)
    assert [one.name for one in sent(control, bundle(good, message("/live/neutral", 0)).dgram)] == ["freeze", "neutral"]
    assert sent(control, bundle(good, bad).dgram) == [] and control.dropped == 1


def nested(depth):
    """A bundle in a bundle in a bundle ..."""
    data = packet("/live/freeze", 1)
    for _ in range(depth):
        data = b"#bundle\0" + struct.pack(">QI", 1, len(data)) + data
    return data


NAN = packet("/live/intensity", 1.0)[:-4] + struct.pack(">f", float("nan"))
MALFORMED = {
    "empty": b"",
    "one byte": b"/",
    "no types": b"/live/freeze\0\0\0\0",
    "cut": packet("/live/intensity", 1.0)[:-4],
    "left over": packet("/live/intensity", 1.0) + bytes(4),
    "unknown address": packet("/live/explode", 1),
    "address of a stranger": packet("/avatar/parameters/x", 1.0),
    "wrong type": packet("/live/intensity", "much"),
    "huge blob": packet("/live/style", b"x" * 60_000),
    "claims a huge blob": b"/live/style\0,b\0\0" + struct.pack(">I", 0x7FFFFFF0),
    "negative size in a bundle": b"#bundle\0" + struct.pack(">QI", 1, 0xFFFFFFFC) + bytes(8),
    "nested 100 deep": nested(100),
    "nested 1000 deep": nested(1000),
    "far future": bundle(message("/live/freeze", 1), when=time.time() + 3600).dgram,
    "end of time": b"#bundle\0" + struct.pack(">QI", 2**64 - 1, 20) + packet("/live/freeze", 1)[:20],
    "not a number": NAN,
    "no utf-8": b"/live/style\0,s\0\0\xff\xfe\0\0",
    "no end": b"/live/style\0,s\0\0abcd",
    "two values": packet("/live/freeze", 1, 1),
    "many messages": b"#bundle\0" + struct.pack(">Q", 1) + 65 * (struct.pack(">I", 12) + b"/a\0\0,\0\0\0\0\0\0\0"),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_malformed_is_counted_and_dropped(control, what):
    assert sent(control, MALFORMED[what]) == []
    assert control.dropped == 1
    assert sent(control, packet("/live/freeze")) == [Order("freeze", 1.0)]


def test_a_bundle_that_is_due_is_heard(control):
    assert len(sent(control, bundle(message("/live/freeze"), when=time.time() - 60).dgram)) == 1


def test_other_machines_need_to_be_listed():
    with pytest.raises(Unusable, match="control_from"):
        osc.open_control("0.0.0.0:0".replace(":0", ":39999"))
    made = osc.open_control("127.0.0.1:39998,192.0.2.7")
    assert made._welcome("192.0.2.7") and made._welcome("127.0.0.1") and not made._welcome("192.0.2.8")
    made.close()


@pytest.mark.parametrize("argument", ["", "9011", "host:x", "127.0.0.1:0", "127.0.0.1:70000", "no-such-host.invalid:9"])
def test_a_place_that_is_none_is_refused_in_one_line(argument):
    with pytest.raises(Unusable, match=r"^control[^\n]+$"):
        osc.open_control(argument)


def test_a_port_that_is_taken_is_refused(control):
    with pytest.raises(Unusable, match="another port"):
        osc.open_control(f"127.0.0.1:{control.port}")


def strange(chance):
    """A random or mutated datagram."""
    data = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(data)) if data else 0
        kind = chance.randrange(5)
        if kind == 0 and data:
            data[at] = chance.randrange(256)
        elif kind == 1:
            del data[at : at + chance.randrange(8)]
        elif kind == 2:
            data[at:at] = chance.randbytes(chance.randrange(8))
        elif kind == 3:
            data = bytearray(chance.randbytes(chance.randrange(64)))
        else:
            data += chance.choice(SEEDS)
    return bytes(data)


SEEDS = [
    packet("/live/freeze", 1),
    packet("/live/intensity", 1.5),
    packet("/live/cue", "verse"),
    packet("/live/tempo/tap"),
    bundle(message("/live/style", "lead=1"), message("/live/reset", 3)).dgram,
    nested(3),
]


def test_twenty_thousand_strange_datagrams_do_nothing_but_count(control):
    chance = random.Random(1)
    for data in (strange(chance) for _ in range(20_000)):
        orders, before = [], control.dropped
        control._buffer[: len(data)] = data[: osc.LARGEST + 1]
        control._take(len(data), "127.0.0.1", orders)
        assert control.dropped - before in (0, 1) and all(one.name in BY_NAME for one in orders)
        if control.dropped > before:
            assert not orders


def test_memory_stays_as_it_is(control):
    chance = random.Random(2)
    packets = [strange(chance) for _ in range(500)]
    for _ in range(2):
        tracemalloc.start()
        for data in packets * 4:
            control._buffer[: len(data)] = data
            control._take(len(data), "127.0.0.1", [])
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert kept < 20_000


def test_reading_takes_no_more_than_was_asked_for(control):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(20):
            sock.sendto(packet("/live/tempo/tap"), ("127.0.0.1", control.port))
    assert [len(control.read(8)) for _ in range(4)] == [8, 8, 4, 0]


def test_the_decoder_agrees_with_python_osc():
    both = bundle(message("/a", 1, 2.5, "x", True, False), message("/b")).dgram
    assert messages(both) == [("/a", [1, 2.5, "x", True, False]), ("/b", [])]
    with pytest.raises(Malformed):
        messages(both[:-1])
