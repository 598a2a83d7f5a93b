"""`osc://host[:port]`: the plain OSC that `live perform --output osc://...` sends, with its beat (docs/osc.md)."""

from __future__ import annotations

from typing import Any

import numpy as np

from live import rotation, skeleton
from live.streams._port import Port, address, numbers
from live.types import BeatState, Pose

PORT = 9010
HEAD = 8
"""Numbers of `/live/pose` before the root: sequence, dancer, two times, beat phase and confidence."""


def open_stream(uri: str, dancers: int) -> OscStream:
    """`osc://0.0.0.0:9010` hears every machine; `Unusable` where the port is taken."""
    host, port = address(uri, PORT)
    return OscStream(Port(host, port), dancers)


class OscStream:
    """A `live.contracts.PoseStream`."""

    def __init__(self, port: Port, dancers: int) -> None:
        self._port, self._dancers = port, dancers
        self._roots = np.zeros((dancers, 3), np.float32)
        self._local = np.tile(rotation.IDENTITY, (dancers, skeleton.COUNT, 1))
        self._seen: set[int] = set()
        self._beat = BeatState()
        self._bad = 0

    @property
    def sockets(self) -> list[Any]:
        return [self._port.socket]

    @property
    def dropped(self) -> int:
        return self._bad + self._port.dropped

    def read(self) -> bool:
        came = False
        for message in self._port.messages():
            try:
                came |= self._take(message.address, message.params)
            except (ValueError, TypeError, IndexError):
                self._bad += 1
        return came and len(self._seen) == self._dancers

    def _take(self, address: str, values: list[Any]) -> bool:
        if address == "/live/beat":
            count, bpm, phase, confidence, bar = numbers(values, 5)
            self._beat = BeatState(phase, bpm, confidence, bar, confidence, beat_count=int(count))
        elif address == "/live/pose" and 0 <= (dancer := int(values[1])) < self._dancers:
            told = np.array(numbers(values[HEAD:], 3 + 4 * skeleton.COUNT), np.float32)
            self._roots[dancer] = told[:3]
            self._local[dancer] = rotation.normalise(told[3:].reshape(skeleton.COUNT, 4))
            self._seen.add(dancer)
            return True
        return False

    def pose(self, sequence: int, now: float, began: float) -> Pose:
        roots, local = self._roots.copy(), self._local.copy()
        joints, _ = skeleton.forward_kinematics(roots, local)
        contacts = np.zeros((self._dancers, 2), np.float32)
        return Pose(sequence, now, now, now - began, roots, local, np.asarray(joints, np.float32), contacts, self._beat)

    def close(self) -> None:
        self._port.socket.close()
