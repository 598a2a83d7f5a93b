"""Datagrams out, without ever waiting or raising: what cannot be sent is counted."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping, Sequence

from live.contracts import Output
from live.errors import BadTarget
from live.outputs._packet import Template

SEND_BUFFER = 1 << 20
"""Bytes asked of the kernel, so that a burst for many dancers never finds the buffer full."""
_IP_RECVERR, _IPV6_RECVERR = 11, 25  # Linux's numbers; Python names them from 3.14 on


class Target:
    """One non-blocking UDP socket with one address to send to, IPv4 where the host has both.

    Not connected: a connected socket keeps its source address, and would go mute when the network comes back with
    another one. An unknown host or a port beyond 65535 raises `BadTarget`.
    """

    def __init__(self, host: str, port: int) -> None:
        if port > 65535:
            raise BadTarget(f"output port {port} for {host}: ports end at 65535, and dancer n takes port + n")
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            raise BadTarget(f"output host '{host}' is unknown: check its name, or give its address") from None
        family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        self.address = address
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        _hear_refusals(self.socket, family)

    def send(self, packet: bytes | memoryview) -> None:
        self.socket.sendto(packet, self.address)


def _hear_refusals(sock: socket.socket, family: int) -> None:
    """On Linux, be told that nothing listens (ICMP) though not connected; elsewhere such datagrams vanish unheard."""
    if sys.platform == "linux":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)  # the kernel's least: reports are read by nobody
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)


Addressed = tuple[Target, memoryview]
"""A datagram on its way."""


class DatagramOutput(Output):
    """An output over UDP to one or more hosts, each (host, port). A subclass opens targets and fills `_outbox` in
    `_encode`; `_transmit` sends it."""

    _template: Template

    def __init__(self, uri: str, hosts: Sequence[tuple[str, int]]) -> None:
        super().__init__(uri)
        self.hosts = hosts
        self._dancers = 0
        self._targets: list[Target] = []
        self._outbox: Sequence[Addressed] = ()

    @property
    def addresses(self) -> Mapping[str, str]:
        return self._template.addresses if self._dancers else {}

    def _open_targets(self, count: int) -> None:
        """Targets of each host in turn, on ports `port` .. `port + count - 1`."""
        try:
            for host, port in self.hosts:
                for n in range(count):
                    self._targets.append(Target(host, port + n))
        except BaseException:
            self._let_go()
            raise

    def _addressed(self, packets: Sequence[memoryview], each: int) -> list[Addressed]:
        """`packets`, `each` of them to a target, the same to every host."""
        share = [packets[n : n + each] for n in range(0, len(packets), each)] * len(self.hosts)
        return [(target, packet) for target, own in zip(self._targets, share, strict=True) for packet in own]

    def _transmit(self) -> None:
        for target, packet in self._outbox:
            self._post(target, packet)

    def _post(self, target: Target, packet: bytes | memoryview) -> None:
        """Send one datagram. The refusal of an *earlier* one is told here, once: count it and still send this one."""
        try:
            target.send(packet)
        except OSError as error:
            self.failed(error)
            try:
                target.send(packet)
            except OSError:  # the same trouble, already counted
                return
        self.stats.sent += 1

    def _let_go(self) -> None:
        for target in self._targets:
            target.socket.close()
        self._targets, self._outbox, self._dancers = [], (), 0

    def _drop(self, fault: str) -> None:
        """Send nothing for this pose, and count it."""
        self._outbox = ()
        self.failed(ValueError(fault))

    def close(self) -> None:
        self._let_go()
