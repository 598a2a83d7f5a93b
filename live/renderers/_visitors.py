"""The browsers that look at the monitor page: each asks for the next frame when it has drawn one, and is sent the
newest then. So a slow one is shown fewer frames and none wait for it; one that never reads is sent two and no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web
from pythonosc.osc_message_builder import OscMessageBuilder

from live.orders import BY_NAME, Order, order
from live.renderers._shown import COLUMNS, Shown

AHEAD = 2
"""Frames sent that a browser has not drawn yet."""
FRAMES = 960
"""Frames a second for all browsers together: sixteen are shown each pose, more of them share alike."""
FASTEST = 1 / 60
MOST = 100
"""Browsers; another one is told to come back later."""
BEAT = 15.0
"""Seconds in which a browser must answer a ping; one that does not is let go."""
ORDERS = 60
"""Orders a second of one browser; more are refused."""
LARGEST = 2048
"""Bytes of a browser's message."""


def carry_out(message: dict[str, Any], orders_at: str) -> str:
    """Hand `{"order": NAME[, "value": VALUE]}` on to where the show hears orders over OSC; what is wrong with it, or
    nothing."""
    spec = BY_NAME.get(str(message.get("order")))
    if spec is None:
        return "that is no order"
    if not orders_at:
        return "the show hears no orders: its control is off, or its port was taken"
    try:
        found = order(spec, [message["value"]] if message.get("value") is not None else [])
    except ValueError as error:
        return f"{spec.name} {error}"
    if found is not None:
        _send(found, orders_at)
    return ""


def _send(one: Order, orders_at: str) -> None:
    host, _, port = orders_at.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host.strip("[]"), host.strip("[]"))
    builder = OscMessageBuilder(BY_NAME[one.name].address)
    if one.value is not None:
        builder.add_arg(one.value, "s" if isinstance(one.value, str) else "f")
    with contextlib.suppress(OSError):
        family, kind, _, _, where = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as sending:
            sending.setblocking(False)
            sending.sendto(builder.build().dgram, where)


class Visitor:
    """One browser: how many frames it has not drawn yet, and what it asks for."""

    def __init__(self, opened: web.WebSocketResponse, asked: Callable[[dict[str, Any]], str]) -> None:
        self.socket, self._asked = opened, asked
        self.undrawn = 0
        self._drawn = asyncio.Event()
        self._orders = 0.0
        self._since = time.monotonic()

    async def ready(self) -> None:
        """Until it has drawn what it was sent but for the last."""
        while self.undrawn >= AHEAD:
            self._drawn.clear()
            await self._drawn.wait()

    async def listen(self) -> None:
        """Hear what it says until it goes: `next` when it has drawn a frame, orders as JSON."""
        async for message in self.socket:
            if message.type is not WSMsgType.TEXT:
                continue
            if message.data == "next":
                self.undrawn = max(0, self.undrawn - 1)
                self._drawn.set()
            elif refused := self._obey(message.data):
                await self.socket.send_str(json.dumps({"refused": refused}))

    def _obey(self, text: str) -> str:
        now = time.monotonic()
        self._orders = max(0.0, self._orders - ORDERS * (now - self._since)) + 1.0
        self._since = now
        if self._orders > ORDERS:
            return "so many orders at once are not carried out"
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return "that is not JSON"
        return self._asked(message) if isinstance(message, dict) else "that is no order"


class Visitors:
    """All of them. `asked`: what a browser's order does, and what is wrong with it."""

    def __init__(self, shown: Shown, hello: str, asked: Callable[[dict[str, Any]], str]) -> None:
        self._shown, self._hello, self._asked = shown, hello, asked
        self._sockets: set[web.WebSocketResponse] = set()
        self._changed = asyncio.Condition()
        self.frames = self.most = 0

    async def wake(self) -> None:
        """There is something new to show."""
        async with self._changed:
            self._changed.notify_all()

    async def welcome(self, request: web.Request) -> web.StreamResponse:
        """A browser's WebSocket, until it goes."""
        if len(self._sockets) >= MOST:
            raise web.HTTPServiceUnavailable(text=f"{MOST} browsers look already: close one and come back")
        one = web.WebSocketResponse(heartbeat=BEAT, max_msg_size=LARGEST, compress=False, timeout=0.5)
        await one.prepare(request)
        self._sockets.add(one)
        self.most = max(self.most, len(self._sockets))
        visitor = Visitor(one, self._asked)
        showing = asyncio.create_task(self._show(visitor))
        try:
            await visitor.listen()
        except ConnectionError:
            return one
        finally:
            self._sockets.discard(one)
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
        return one

    async def _show(self, visitor: Visitor) -> None:
        seen, told, columns = -1, 0, self._shown.outline.count - COLUMNS
        await visitor.socket.send_str(self._hello)
        while True:
            await visitor.ready()
            async with self._changed:
                while seen == self._shown.version:
                    await self._changed.wait()
            seen = self._shown.version
            if told != self._shown.told_version:
                told = self._shown.told_version
                await visitor.socket.send_str(self._shown.told)
            if frame := self._shown.frame(columns):
                columns = self._shown.outline.count
                visitor.undrawn += 1
                self.frames += 1
                await visitor.socket.send_bytes(frame)
            await asyncio.sleep(self._pause)

    @property
    def _pause(self) -> float:
        """Seconds between two frames of a browser; none where each can be shown every pose."""
        share = len(self._sockets) / FRAMES
        return share if share > FASTEST else 0.0

    async def close(self) -> None:
        """Say goodbye to all."""
        await asyncio.gather(*(one.close(code=1001, message=b"the show is over") for one in list(self._sockets)))
