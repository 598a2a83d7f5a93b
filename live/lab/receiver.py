"""A receiver in a process of its own: when each frame reached this machine, and when a process had it.

Run as a script this file *is* that receiver: it takes VMC on a free port until its standard input closes, then prints
as JSON `frames`, a row `[show time, arrived, seen]` each, and `mouths`, a row `[arrived, value]` for each frame of an
output with `face=loudness`. `show time` is the pose's slot as the performer sent it (`/VMC/Ext/T`), `arrived` when the
kernel took the datagram, `seen` when this process had it; the last two are host monotonic seconds. So a late frame can
be told from a receiver that was late itself.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import subprocess
import sys
import time
from typing import Any, NamedTuple

import numpy as np

from live.types import Float64

TIME = b"/VMC/Ext/T\0\0,f\0\0"
MOUTH = b"/VMC/Ext/Blend/Val\0\0,sf\0A\0\0\0"
SO_TIMESTAMPNS = 35
"""Linux's number; Python does not name it."""
AT_ONCE = 50e-6
"""Seconds."""
Rows = list[tuple[float, ...]]


class Received(NamedTuple):
    """frames [n, 3]: show time, arrived, seen; mouths [m, 2]: arrived, value 0 to 1."""

    frames: Float64
    mouths: Float64

    def frames_after(self, show_time: float) -> Float64:
        """Without the frames of the first `show_time` seconds."""
        return np.asarray(self.frames[self.frames[:, 0] >= show_time])


class Receiver:
    """The process; `received` ends it. Use as a context, so that it ends in any case."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "live.lab.receiver"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.uri = f"vmc://127.0.0.1:{self._process.stdout.readline().strip()}"

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()

    def received(self) -> Received:
        """All that came."""
        told = json.loads(self._process.communicate()[0])
        return Received(*(np.array(told[key], np.float64).reshape(-1, n) for key, n in (("frames", 3), ("mouths", 2))))


def receive() -> None:
    """Body of the receiver's process."""
    frames: Rows = []
    mouths: Rows = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        if sys.platform == "linux":
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.bind(("127.0.0.1", 0))
        print(sock.getsockname()[1], flush=True)
        while True:
            ready, _, _ = select.select([sock, sys.stdin], [], [])
            if sock in ready:
                _take(sock, frames, mouths)
            elif sys.stdin in ready:
                break
    print(json.dumps({"frames": frames, "mouths": mouths}))


def _take(sock: socket.socket, frames: Rows, mouths: Rows) -> None:
    """One datagram; the one that carries the show time stands for its frame."""
    packet, ancillary, _, _ = sock.recvmsg(65536, 64)
    seen, wall = _both_clocks()
    arrived = seen - _age(ancillary, wall)
    if (show_time := _number(packet, TIME)) is not None:
        frames.append((show_time, arrived, seen))
    if (mouth := _number(packet, MOUTH)) is not None:
        mouths.append((arrived, mouth))


def _both_clocks() -> tuple[float, int]:
    """Host monotonic seconds and wall clock nanoseconds of one moment: read again where this process was interrupted
    between the two."""
    while True:
        before, wall, after = time.monotonic(), time.time_ns(), time.monotonic()
        if after - before < AT_ONCE:
            return before, wall


def _number(packet: bytes, message: bytes) -> float | None:
    """The float that follows `message` in a packet."""
    at = packet.find(message)
    return None if at < 0 else float(struct.unpack_from(">f", packet, at + len(message))[0])


def _age(ancillary: list[Any], wall: int) -> float:
    """Seconds from the kernel taking the datagram until `wall` (ns); 0 where it does not say."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("@qq", data)
            return float(wall - seconds * 1_000_000_000 - nanoseconds) * 1e-9
    return 0.0


if __name__ == "__main__":
    receive()
