"""Orders over OSC and UDP, to `HOST:PORT`; from this machine alone, or from the addresses listed after `HOST:PORT,`.

The socket never blocks and is read by the loop itself between poses, a few datagrams at a time: a flood fills the
kernel's buffer, which drops the rest, and costs the show nothing. What is malformed, unknown or from elsewhere is
counted and dropped.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys

from live.control._decode import messages
from live.errors import Unusable
from live.orders import BY_ADDRESS, Order, order

LARGEST = 2048
"""Bytes of a datagram; a longer one is no order."""
IN_KERNEL = 1 << 16
"""Bytes of orders that may wait."""
EXAMPLE = "write 127.0.0.1:9011, or off"


def open_control(argument: str) -> OscControl:
    """`HOST:PORT[,ADDRESS...]`; binds at once. `Unusable` in one line where that cannot be."""
    where, *allowed = argument.split(",")
    host, colon, port = where.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        raise Unusable(f"control '{where}': {EXAMPLE}")
    return OscControl(host.strip("[]"), int(port), frozenset(_address(text) for text in allowed))


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        raise Unusable(f"control: '{text}' is not the address of a machine; write for example 192.168.1.20") from None


class OscControl:
    """A `live.contracts.Control`."""

    def __init__(self, host: str, port: int, allowed: frozenset[str]) -> None:
        self.name = f"osc {host}:{port}"
        self.dropped = 0
        self._allowed = allowed
        self._buffer = bytearray(LARGEST + 1)
        self._socket = _bound(host, port, allowed)
        self.port = int(self._socket.getsockname()[1])

    def read(self, limit: int) -> list[Order]:
        """Orders of at most `limit` datagrams that are there; never waits."""
        orders: list[Order] = []
        for _ in range(limit):
            try:
                size, sender = self._socket.recvfrom_into(self._buffer)
            except BlockingIOError:
                break
            except OSError:  # the report of a datagram that somebody else sent; or, on Windows, one that was too long
                self.dropped += 1
                continue
            self._take(size, sender[0], orders)
        return orders

    def _take(self, size: int, sender: str, orders: list[Order]) -> None:
        """All orders of a datagram, or none of them and it is counted."""
        try:
            if size > LARGEST or not self._welcome(sender):
                raise ValueError("is too long, or from elsewhere")
            found = [order(BY_ADDRESS[a], values) for a, values in messages(bytes(self._buffer[:size]))]
        except (ValueError, KeyError):
            self.dropped += 1
        else:
            orders += [one for one in found if one is not None]

    def _welcome(self, sender: str) -> bool:
        return not self._allowed or sender.partition("%")[0] in self._allowed or _is_loopback(sender)

    def recoveries(self) -> list[str]:
        return []

    def close(self) -> None:
        self._socket.close()


def _bound(host: str, port: int, allowed: frozenset[str]) -> socket.socket:
    """The socket; beyond this machine only for those that are listed."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        if not allowed and not _is_loopback(str(address[0])):
            raise Unusable(
                f"control '{host}:{port}' is open to other machines: list those that may send in the show file, "
                'control_from = ["192.168.1.20"]'
            )
        made = socket.socket(family, socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        raise Unusable(f"control: host '{host}' is unknown: {EXAMPLE}") from None
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, IN_KERNEL)
    if sys.platform == "win32":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    try:
        made.bind(address)
    except OSError as error:
        made.close()
        whose = " (is another `live perform` running?)" if error.errno == errno.EADDRINUSE else ""
        raise Unusable(
            f"control '{host}:{port}' cannot be used: {error.strerror}{whose}: choose another port, or off"
        ) from None
    return made


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
