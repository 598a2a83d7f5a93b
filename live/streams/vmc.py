"""`vmc://host[:port]`: a VMC performer's bones, dancer n on port + n, drawn with the proportions that they come with.

Unity's frame is left-handed: from it to the house's, positions are (-x, y, z) and rotations (x, -y, -z, w).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from live import rotation, skeleton
from live.streams._port import Port, address, numbers
from live.types import BeatState, Float32, Pose

PORT = 39539
POSITION: Float32 = np.array([-1, 1, 1], np.float32)
ROTATION: Float32 = np.array([1, -1, -1, 1], np.float32)
BONES = {name[0].upper() + name[1:]: i for i, name in enumerate(skeleton.BONES)}
OPTIONAL = tuple(skeleton.INDEX[name] for name in ("upperChest", "neck", "leftShoulder", "rightShoulder"))
"""Avatars may lack these; the offsets of the bones beyond then count from the one before."""


def open_stream(uri: str, dancers: int) -> VmcStream:
    """`vmc://0.0.0.0:39539` hears every machine; `Unusable` where the ports are taken."""
    host, port = address(uri, PORT)
    return VmcStream(host, port, dancers)


class Body:
    """One avatar as it was told last."""

    def __init__(self) -> None:
        self.offsets = skeleton.REST_OFFSETS.copy()
        self.offsets[list(OPTIONAL)] = 0.0
        self.rotations = np.tile(rotation.IDENTITY, (skeleton.COUNT, 1))
        self.root, self.turn = np.zeros(3, np.float32), rotation.IDENTITY.copy()
        self.seen = False

    def take(self, address: str, values: list[Any]) -> None:
        """One message; `ValueError` (or `IndexError`) where it is none of VMC's."""
        if address not in ("/VMC/Ext/Bone/Pos", "/VMC/Ext/Root/Pos"):
            return
        name = str(values[0])
        told = np.array(numbers(values[1:8], 7), np.float32)
        place, turned = told[:3] * POSITION, rotation.normalise(told[3:] * ROTATION)
        if address == "/VMC/Ext/Root/Pos":
            self.root, self.turn = place, np.asarray(turned, np.float32)
        elif (bone := BONES.get(name)) is not None:
            self.offsets[bone], self.rotations[bone] = place, turned
            self.seen = True

    def local(self) -> Float32:
        """Rotations [22, 4], the hips' in the world."""
        found = self.rotations.copy()
        found[0] = rotation.multiply(self.turn, found[0])
        return found

    def hips(self) -> Float32:
        return np.asarray(self.root + rotation.rotate(self.turn, self.offsets[0]), np.float32)


class VmcStream:
    """A `live.contracts.PoseStream`."""

    def __init__(self, host: str, port: int, dancers: int) -> None:
        self._ports: list[Port] = []
        try:
            for n in range(dancers):
                self._ports.append(Port(host, port + n))
        except BaseException:
            self.close()
            raise
        self._bodies = [Body() for _ in range(dancers)]
        self._bad = 0

    @property
    def sockets(self) -> list[Any]:
        return [port.socket for port in self._ports]

    @property
    def dropped(self) -> int:
        return self._bad + sum(port.dropped for port in self._ports)

    def read(self) -> bool:
        came = False
        for port, body in zip(self._ports, self._bodies, strict=True):
            for message in port.messages():
                try:
                    body.take(message.address, message.params)
                    came = True
                except (ValueError, TypeError, IndexError):
                    self._bad += 1
        return came and all(body.seen for body in self._bodies)

    def pose(self, sequence: int, now: float, began: float) -> Pose:
        roots = np.stack([body.hips() for body in self._bodies])
        local = np.stack([body.local() for body in self._bodies])
        offsets = np.stack([body.offsets for body in self._bodies])
        joints, _ = skeleton.matrix_kinematics(roots, rotation.to_matrix(local), offsets)
        contacts = np.zeros((len(roots), 2), np.float32)
        return Pose(
            sequence, now, now, now - began, roots, local, np.asarray(joints, np.float32), contacts, BeatState()
        )

    def close(self) -> None:
        for port in self._ports:
            port.socket.close()
