"""The monitor page's server, a process of its own: `python -m live.renderers.monitor RING SETTINGS`.

Serves `page/` and a WebSocket at `/show`. Where only this machine can reach it, it answers to names of this machine
alone (no page of the internet can make a browser ask here under another name); where others can, to those who know the
token.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import os
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from live import skeleton
from live.board import Board
from live.errors import Unusable
from live.renderers import _feed
from live.renderers._shown import Shown, SoundFeed, Sources
from live.renderers._visitors import Visitors, carry_out
from live.ring import Ring, engine_gone

PAGE = Path(__file__).parent / "page"
LOOK = 1 / 240
"""Seconds between two looks for a pose."""
PARTING = 1.0
"""Seconds in which browsers are said goodbye to."""
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' blob: data:; img-src 'self' blob: data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def check(request: web.Request, local: bool, token: str) -> None:
    """`HTTPForbidden` where a browser may not look, with what to do."""
    host = request.headers.get("Host", "")
    if local and not _is_own(urlsplit(f"//{host}").hostname or ""):
        raise web.HTTPForbidden(text="this page is for this machine alone: open it as http://127.0.0.1")
    if request.path in ("/", "/show") and token and not _same(request.query.get("token", ""), token):
        raise web.HTTPForbidden(text="this page needs its token: open the whole address that the show printed")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != host:
        raise web.HTTPForbidden(text="another page may not look at this one")


def _is_own(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def application(visitors: Visitors, local: bool, token: str) -> web.Application:
    """The page, its files and its WebSocket."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        check(request, local, token)
        return await handler(request)

    async def headed(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(HEADERS)

    async def index(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGE / "index.html")

    made = web.Application(middlewares=[guarded])
    made.on_response_prepare.append(headed)
    made.router.add_get("/", index)
    made.router.add_get("/show", visitors.welcome)
    made.router.add_static("/", PAGE)
    return made


async def serve(shown: Shown, settings: dict[str, Any], gone: threading.Event) -> dict[str, Any]:
    """Serve until the engine is gone; how much was shown. `Unusable` where the address cannot be served."""
    hello = {
        "bones": skeleton.BONES, "parents": skeleton.PARENTS, "offsets": skeleton.REST_OFFSETS.tolist(),
        "orders": settings["orders"], "deadline_ms": 1000 / 60,
    }  # fmt: skip

    def asked(message: dict[str, Any]) -> str:
        if not settings["orders"]:
            return "this page gives no orders: start the show with --monitor-orders"
        return carry_out(message, shown.orders_at)

    visitors = Visitors(shown, json.dumps({"hello": hello}), asked)
    runner = web.AppRunner(application(visitors, settings["local"], settings["token"]), access_log=None,
                           shutdown_timeout=0.1)  # fmt: skip
    await runner.setup()
    try:
        await web.TCPSite(runner, settings["host"], settings["port"], backlog=128).start()
    except OSError as error:
        await runner.cleanup()
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror  # or of the name
        raise Unusable(f"cannot be served ({reason}): choose another port or host") from None
    _feed.say("ready")
    while not gone.is_set():
        if shown.look():
            await visitors.wake()
        await asyncio.sleep(LOOK)
    try:
        await asyncio.wait_for(visitors.close(), PARTING)
        await asyncio.wait_for(runner.cleanup(), PARTING)
    except TimeoutError:
        pass  # who does not answer is left
    return {"browsers": visitors.most, "frames": visitors.frames}


def main(ring_path: str, told: str) -> int:
    """Serve the page until the show ends."""
    memory, _, settings = _feed.begin(ring_path, told)
    gone, begun = engine_gone(), time.monotonic()
    feed = _feed.Feed(memory, settings["dancers"])
    sources = Sources(feed, SoundFeed(Ring(Path(settings["sound"]))), Board(settings["board"]))
    try:
        served = asyncio.run(serve(Shown(sources), settings, gone))
    except Unusable as error:
        return _feed.refused(error)
    share = time.process_time() / max(time.monotonic() - begun, 1e-3)
    _feed.say(json.dumps(served | {"cpu": round(share, 3)}))
    return 0


if __name__ == "__main__":
    _feed.run(main)
