"""The monitor page's server: who may look, what a browser is shown, which orders go through, and that no browser harms
the dance."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from contextlib import closing

import numpy as np
import pytest
from dancers import standing

pytest.importorskip("aiohttp", reason="aiohttp is not installed (extra `monitor`)")

import aiohttp
from pythonosc.osc_message import OscMessage

from live.errors import BadTarget, MissingExtra
from live.outputs import _drawn, monitor
from live.renderers import _shown
from live.renderers._shown import Outline, Spent
from live.renderers._visitors import AHEAD, Visitor, carry_out

HEAD = struct.Struct("<14d")
STATUS = {
    "model": "salsa", "ticks": {"count": 2, "ms": [[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 2.1]] * 2}, "orders_at": "",
    "targets": [], "asked": {},
}  # fmt: skip


def free_port() -> int:
    with closing(socket.socket()) as asking:
        asking.bind(("127.0.0.1", 0))
        return asking.getsockname()[1]


def opened(options: str = "", dancers: int = 1) -> monitor.MonitorOutput:
    output = monitor.open_output(f"monitor://127.0.0.1:{free_port()}{options}")
    output.open(dancers, True)
    return output


@pytest.fixture
def served():
    """A page that may give orders, closed in the end."""
    output = opened("?orders=1")
    yield output
    output.close()


def browsing(output, visit):
    """What `visit(session, url)` gives."""

    async def main():
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            return await visit(session, output.url)

    return asyncio.run(main())


def status_of(output, path="", headers=None):
    async def visit(session, url):
        async with session.get(url.partition("?")[0] + path, headers=headers) as answer:
            return answer.status, await answer.text()

    return browsing(output, visit)


async def next_frame(socket):
    """The next frame's head and first dancer's joints; asks for one more."""
    while True:
        message = await socket.receive(timeout=5)
        if message.type is aiohttp.WSMsgType.BINARY:
            await socket.send_str("next")
            head = HEAD.unpack_from(message.data)
            return head, np.frombuffer(message.data, "<f4", 66, HEAD.size).reshape(22, 3)


# ---- who may look --------------------------------------------------------------------------------------------------


def test_the_page_and_its_files_are_served_and_nothing_else(served):
    assert "<title>live</title>" in status_of(served)[1]
    assert [status_of(served, path)[0] for path in ("main.js", "vendor/three.js", "nothing", "../monitor.py")] == [
        200, 200, 404, 404]  # fmt: skip


def test_other_names_and_other_pages_are_refused(served):
    assert status_of(served, headers={"Host": "evil.example"})[0] == 403  # a name that was made to point here
    assert status_of(served, "show", {"Origin": "http://evil.example"})[0] == 403
    assert status_of(served, headers={"Host": "localhost:80"})[0] == 200


def test_a_token_is_needed_where_it_is_asked_for():
    output = opened("?token=open-sesame")
    assert "sesame" not in output.told and output.told.endswith("?token=...")
    try:
        refused, told = status_of(output)
        assert (refused, "token" in told) == (403, True)
        assert status_of(output, "?token=open-sesam")[0] == status_of(output, "show")[0] == 403
        assert status_of(output, "?token=open-sesame")[0] == 200
        assert output.url.endswith("?token=open-sesame")
    finally:
        output.close()


def test_beyond_this_machine_a_token_is_made_up():
    made = monitor.open_output("monitor://0.0.0.0:8011")
    assert len(made.token) > 10 and made.token in made.url
    assert made.token != monitor.open_output("monitor://0.0.0.0:8011").token
    assert monitor.open_output("monitor://localhost").token == ""


@pytest.mark.parametrize("bad", ["monitor://127.0.0.1?token=short", "monitor://127.0.0.1?orders=yes", "monitor://?x=1"])
def test_senseless_options_are_refused_in_one_line(bad):
    with pytest.raises(BadTarget, match=r"^output '[^\n]+$"):
        monitor.open_output(bad)


def test_a_port_that_is_taken_is_one_clear_line(served):
    again = monitor.open_output(served.uri)
    with pytest.raises(BadTarget, match=r"^[^\n]*cannot be served \(Address already in use\): choose another port"):
        again.open(1, True)


def test_a_missing_package_names_the_command_that_brings_it(monkeypatch):
    monkeypatch.setattr(_drawn.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"aiohttp: install it with `pip install 'livedance\[monitor\]'`"):
        monitor.open_output("monitor:")


# ---- what is shown -------------------------------------------------------------------------------------------------


def test_a_browser_is_shown_the_newest_pose_and_how_the_show_goes(served):
    served.watch(STATUS)

    async def visit(session, url):
        async with session.ws_connect(url + "show") as socket:
            hello = json.loads((await socket.receive()).data)["hello"]
            told = None
            for n in range(100):
                served.send(standing(n))
                if (message := await socket.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
                    told = json.loads(message.data)
                    break
                await socket.send_str("next")
            served.send(standing(200))
            while (found := await next_frame(socket))[0][0] < 200:
                pass
            return hello, told, *found

    hello, told, head, joints = browsing(served, visit)
    assert hello["orders"] and len(hello["bones"]) == 22
    assert told["model"] == "salsa" and told["stages"]["total"] == [2.1, 2.1, 2.1] and sum(told["histogram"]) == 2
    assert head[0] == 200
    np.testing.assert_array_equal(joints, standing(200).joint_positions[0])


def test_a_browser_that_never_reads_is_sent_two_frames_and_holds_nobody_up(served):
    async def visit(session, url):
        async with session.ws_connect(url + "show") as idle, session.ws_connect(url + "show") as quick:
            seen = []
            for n in range(60):
                served.send(standing(n))
                seen.append((await next_frame(quick))[0][0])
            waiting = [await idle.receive(timeout=2) for _ in range(1 + AHEAD)]
            with pytest.raises(TimeoutError):
                await idle.receive(timeout=0.2)
            return seen, waiting

    seen, waiting = browsing(served, visit)
    assert seen[-1] > 40 and seen == sorted(seen)
    assert [message.type for message in waiting[1:]] == [aiohttp.WSMsgType.BINARY] * AHEAD
    assert served.stats.errors == 0


def test_a_slow_browser_is_shown_the_newest_pose_not_a_queue(served):
    async def visit(session, url):
        async with session.ws_connect(url + "show") as socket:
            served.send(standing(0))
            await next_frame(socket)
            for n in range(1, 30):
                served.send(standing(n))
                await asyncio.sleep(0.01)
            seen = [0]
            while seen[-1] < 29:
                seen.append((await next_frame(socket))[0][0])
            return seen

    assert len(browsing(served, visit)) <= 2 + AHEAD  # those that had been sent ahead, then the newest


def test_fifty_browsers_share_the_frames_and_the_dance_does_not_wait(served):
    async def watching(session, url, seen):
        async with session.ws_connect(url + "show") as socket:
            while True:
                seen.append((await next_frame(socket))[0][0])

    async def visit(session, url):
        seen = [[] for _ in range(50)]
        tasks = [asyncio.create_task(watching(session, url, one)) for one in seen]
        for n in range(120):
            served.send(standing(n))
            await asyncio.sleep(1 / 60)
        deadline = time.monotonic() + 5
        while not all(one and one[-1] == 119 for one in seen) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return seen

    seen = browsing(served, visit)
    assert all(one == sorted(one) and len(one) < 120 for one in seen)  # fewer pictures,
    assert all(one[-1] == 119 for one in seen)  # but what is new
    assert (served.stats.sent, served.stats.errors) == (120, 0)


def test_a_server_that_is_killed_is_noted_once_and_the_dance_goes_on(served):
    served.send(standing(0))
    served.child.kill()
    served.child.wait()
    for n in range(1, 200):
        served.send(standing(n))
        served.hear(np.zeros(800, np.float32), 0.0)
        served.watch(STATUS)
    assert served.stats.errors == 1 and "monitor page has stopped" in served.stats.last_error


def test_the_show_ends_soon_although_a_browser_never_reads():
    output = opened()
    with closing(socket.create_connection(("127.0.0.1", output.port))) as silent:
        silent.sendall(b"GET /show HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")  # fmt: skip
        output.send(standing())
        time.sleep(0.3)
        begun = time.monotonic()
        output.close()
    assert time.monotonic() - begun < 5.0 and output.stats.errors == 0 and output.seen["browsers"] == 1


# ---- orders --------------------------------------------------------------------------------------------------------


@pytest.fixture
def control():
    """Where a show would hear orders."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(2.0)
        yield made


def place_of(control) -> str:
    return f"127.0.0.1:{control.getsockname()[1]}"


def test_an_order_arrives_as_osc(control):
    assert carry_out({"order": "intensity", "value": 0.5}, place_of(control)) == ""
    message = OscMessage(control.recv(2048))
    assert (message.address, message.params) == ("/live/intensity", [0.5])


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({}, "no order"),
        ({"order": "dance"}, "no order"),
        ({"order": "intensity", "value": 99}, "needs 0 to 2"),
        ({"order": "intensity", "value": [1]}, "needs a number"),
        ({"order": "cue", "value": "x" * 1000}, "needs a text"),
    ],
)
def test_a_senseless_order_goes_nowhere(control, message, why):
    control.settimeout(0.05)
    assert why in carry_out(message, place_of(control))
    with pytest.raises(TimeoutError):
        control.recv(2048)


def test_without_a_port_for_orders_it_says_so():
    assert "hears no orders" in carry_out({"order": "freeze"}, "")


def said(output, *texts):
    """What the page is told after it said so."""

    async def visit(session, url):
        async with session.ws_connect(url + "show") as socket:
            await socket.receive()
            for text in texts:
                await socket.send_str(text)
            return json.loads((await socket.receive(timeout=5)).data)["refused"]

    return browsing(output, visit)


def test_a_page_gives_no_orders_unless_it_may():
    output = opened()
    try:
        assert "--monitor-orders" in said(output, '{"order": "freeze"}')
    finally:
        output.close()


@pytest.mark.parametrize("nonsense", ["{", "[]", '"freeze"', "[" * 2000, "\x00"])
def test_nonsense_from_a_browser_is_refused(served, nonsense):
    assert said(served, nonsense)


def test_a_flood_of_orders_is_refused():
    visitor = Visitor(None, lambda message: "")  # type: ignore[arg-type]
    assert any("so many" in visitor._obey('{"order": "freeze"}') for _ in range(500))


# ---- what is shown is made of --------------------------------------------------------------------------------------


def test_the_outline_is_the_same_however_the_sound_is_cut():
    sound = np.random.default_rng(0).uniform(-1, 1, 9000).astype(np.float32)
    whole, cut = Outline(), Outline()
    whole.hear(sound)
    for part in np.array_split(sound, 37):
        cut.hear(part)
    assert whole.count == cut.count == 22 and whole.since(0) == cut.since(0)
    assert len(whole.since(20)) == 4 and whole.since(22) == b""


def test_only_four_seconds_of_the_outline_are_kept():
    outline = Outline()
    outline.hear(np.zeros(48_000 * 6, np.float32))
    assert outline.count == 720 and len(outline.since(0)) == 2 * 480


def test_damaged_sound_is_drawn_as_silence():
    outline = Outline()
    outline.hear(np.full(400, np.nan, np.float32))
    assert outline.since(0) == b"\0\0"


def test_each_tick_is_counted_once_however_often_it_is_told():
    spent, row = Spent(), [0.1] * 7
    spent.add({"count": 3, "ms": [row] * 3})
    spent.add({"count": 3, "ms": [row] * 3})
    spent.add({"count": 5, "ms": [row] * 4})
    assert sum(spent.told()["histogram"]) == 5
    spent.add({"count": 50_000, "ms": [[100.0] * 7] * 16})
    assert sum(spent.told()["histogram"]) == 21 and spent.told()["stages"]["total"][2] == 100.0
    assert len(spent.told()["edges"]) == len(_shown.EDGES)
