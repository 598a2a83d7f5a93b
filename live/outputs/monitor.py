"""`monitor://[HOST:PORT][?orders=1&token=...]` serves a web page on which a browser sees how the show is going.

Options: `orders=1` lets the page give orders; `token=` is what a browser must know, made up where other machines can
reach the page and none is given.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Mapping
from typing import Any

from live.board import Board
from live.errors import BadTarget
from live.look import Look
from live.outputs import _drawn, _uri
from live.outputs._sound import SoundMemory
from live.types import Float32

PORT = 8011
BLOCKS = 64
"""Of sound, in shared memory: half a second."""
SHORTEST_TOKEN = 8


def open_output(uri: str) -> MonitorOutput:
    """`monitor://HOST:PORT`, or `monitor:` for this machine's port 8011."""
    whole = uri if "//" in uri else uri.replace("monitor:", "monitor://127.0.0.1", 1)
    host, port, options = _uri.host_and_port(whole, PORT, ("orders", "token"))
    token = options.get("token", "")
    if token and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        raise BadTarget(f"output '{uri}': a token has {SHORTEST_TOKEN} letters or more")
    return MonitorOutput(uri, (host, port), _uri.switch(uri, options, "orders"), token)


class MonitorOutput(_drawn.Drawn):
    """The newest pose, the sound and the telling of how the show goes, to a process that serves any number of
    browsers. A browser that is slow is shown less."""

    what = "the monitor page"
    renderer = "monitor"
    modules = ("aiohttp",)
    slots, keeps_all, patience = 8, False, 3.0
    hears = watches = True

    def __init__(self, uri: str, where: tuple[str, int], orders: bool, token: str) -> None:
        super().__init__(uri, Look(), {})
        self.host, self.port = where
        self.orders = orders
        self.token = token or ("" if is_loopback(self.host) else secrets.token_urlsafe(12))
        self._sound: SoundMemory | None = None
        self._board: Board | None = None

    @property
    def url(self) -> str:
        """What to open in a browser."""
        host = own_address() if self.host in ("0.0.0.0", "::") else self.host
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/" + (f"?token={self.token}" if self.token else "")

    def open(self, dancers: int, paced: bool) -> None:
        """`BadTarget` where the address cannot be served."""
        self._sound, self._board = SoundMemory(self.uri, BLOCKS, keeps_all=False), Board()
        self.settings = {
            "host": self.host, "port": self.port, "local": is_loopback(self.host), "token": self.token,
            "orders": self.orders, "sound": self._sound.path, "board": self._board.path,
        }  # fmt: skip
        try:
            super().open(dancers, paced)
        except BadTarget:
            self.close()
            raise
        self.notice = f"monitor page: {self.url}{'' if self.orders else ' (it gives no orders: --monitor-orders)'}"

    def hear(self, samples: Float32, captured: float) -> None:
        if self._sound is not None:
            self._sound.write(samples, captured)

    def watch(self, status: Mapping[str, Any]) -> None:
        if self._board is not None:
            self._board.write(dict(status))

    def close(self) -> None:
        super().close()
        if self._sound is not None:
            self._sound.close()
            self._sound = None
        if self._board is not None:
            self._board.close()
            self._board = None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what is served at `host`."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def own_address() -> str:
    """This machine's address as others know it. Nothing is sent: connecting a datagram socket only asks for the way."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))
            return str(asking.getsockname()[0])
        except OSError:
            return socket.gethostname()
