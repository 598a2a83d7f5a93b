"""A UDP port where OSC comes in, parsed by python-osc: what is not understood is counted and dropped."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from pythonosc.osc_bundle import OscBundle, ParseError
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message import ParseError as MessageError

from live.errors import Unusable

LARGEST = 65536
IN_KERNEL = 1 << 20
"""Bytes that may wait."""
AT_ONCE = 256
"""Datagrams read before what came is looked at, so that a flood shows something."""


class Port:
    """One socket; never waits."""

    def __init__(self, host: str, port: int) -> None:
        """`Unusable` where it cannot be listened to."""
        self.dropped = 0
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][0]
            self.socket = socket.socket(family, socket.SOCK_DGRAM)
            self.socket.setblocking(False)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, IN_KERNEL)
            self.socket.bind((host, port))
        except (OSError, OverflowError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise Unusable(f"cannot listen on {host}:{port}: {reason}: choose another address or port") from None

    def messages(self) -> Iterator[OscMessage]:
        """Everything that has come."""
        for _ in range(AT_ONCE):
            try:
                datagram = self.socket.recv(LARGEST)
            except OSError:
                return
            try:
                yield from list(_inside(datagram))
            except (ParseError, MessageError, ValueError, RecursionError):
                self.dropped += 1


def _inside(datagram: bytes) -> Iterator[OscMessage]:
    if OscBundle.dgram_is_bundle(datagram):
        for element in OscBundle(datagram):
            yield from [element] if isinstance(element, OscMessage) else _inside(element.dgram)
    else:
        yield OscMessage(datagram)


def address(uri: str, usual: int) -> tuple[str, int]:
    """Host and port of `scheme://host[:port]`."""
    example = f"write {uri.partition(':')[0]}://127.0.0.1:{usual}, or 0.0.0.0 to hear other machines"
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Unusable(f"stream '{uri}': {error}: {example}") from None
    if not host or parts.path not in ("", "/") or parts.query:
        raise Unusable(f"stream '{uri}': {example}")
    return host, usual if port is None else port


def numbers(values: object, count: int) -> list[float]:
    """`count` numbers, all finite; `ValueError` where they are something else."""
    found = [float(value) for value in values]  # type: ignore[attr-defined]
    if len(found) != count or not all(abs(value) < 1e6 for value in found):
        raise ValueError(f"not {count} finite numbers")
    return found
