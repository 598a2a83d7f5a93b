"""A VMC receiver in a process of its own, parsing with python-osc: it knows nothing of how `live` builds packets.

Run as a script it prints its port, then `first` at the first datagram; it ends at `/VMC/Ext/OK 0`, or when its
standard input closes, and prints what it received as JSON.
"""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

PARTING = 0.3
"""Seconds for which it listens on after the performer has said goodbye."""


@dataclass
class Stream:
    """What arrived: per frame n when, its show time, and the values of each bone [n, 7] (position, quaternion)."""

    arrived: np.ndarray[Any, Any]
    show_time: np.ndarray[Any, Any]
    bones: dict[str, np.ndarray[Any, Any]]
    status: list[int]
    """First argument of each `/VMC/Ext/OK`."""
    last: str
    """Address of the last message."""

    def degrees_moved(self, bone: str) -> float:
        """Largest turn of a bone away from its first rotation."""
        turns = self.bones[bone][:, 3:]
        return float(np.degrees(2 * np.arccos(np.clip(np.abs(turns @ turns[0]), 0, 1))).max())


class VmcReceiver:
    """The process. A context, so that it ends in any case."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.uri = f"vmc://127.0.0.1:{self._line()}"

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def __enter__(self) -> VmcReceiver:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def wait_for_first(self) -> None:
        """Return when the first datagram has arrived."""
        assert self._line() == "first"

    def stream(self) -> Stream:
        """What it received, after the performance has ended."""
        told, _ = self._process.communicate(timeout=60)
        values = json.loads(told.splitlines()[-1])
        bones = {name: np.array(rows, np.float64) for name, rows in values["bones"].items()}
        return Stream(
            np.array(values["arrived"]), np.array(values["show_time"]), bones, values["status"], values["last"]
        )


def main() -> None:
    """Receive, then parse: python-osc takes a millisecond a frame, which would spoil the arrival times."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        sock.bind(("127.0.0.1", 0))
        print(sock.getsockname()[1], flush=True)
        datagrams = listen(sock)
    json.dump(parsed(datagrams), sys.stdout)


def listen(sock: socket.socket) -> list[tuple[float, bytes]]:
    """Datagrams with their arrival, until the goodbye and a little longer."""
    datagrams: list[tuple[float, bytes]] = []
    patience = None
    while True:
        ready, _, _ = select.select([sock, sys.stdin], [], [], patience)
        if sock not in ready:
            return datagrams
        datagrams.append((time.monotonic(), sock.recv(65536)))
        if len(datagrams) == 1:
            print("first", flush=True)
        if not datagrams[-1][1].startswith(b"#bundle"):
            patience = PARTING


def parsed(datagrams: list[tuple[float, bytes]]) -> dict[str, Any]:
    """The stream's values; a `/VMC/Ext/T` begins a frame's row."""
    arrived: list[float] = []
    show_time: list[float] = []
    bones: dict[str, list[list[float]]] = {}
    status: list[int] = []
    last = ""
    for at, datagram in datagrams:
        for message in messages(datagram):
            last, values = message.address, message.params
            if last == "/VMC/Ext/T":
                arrived.append(at)
                show_time.append(values[0])
            elif last == "/VMC/Ext/OK":
                status.append(values[0])
            elif last == "/VMC/Ext/Bone/Pos":
                bones.setdefault(values[0], []).append(values[1:])
    return {"arrived": arrived, "show_time": show_time, "bones": bones, "status": status, "last": last}


def messages(datagram: bytes) -> list[OscMessage]:
    """The messages of a bundle or of a message alone."""
    return list(OscBundle(datagram)) if OscBundle.dgram_is_bundle(datagram) else [OscMessage(datagram)]


if __name__ == "__main__":
    main()
