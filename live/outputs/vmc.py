"""`vmc://host[:port]` performs as VMC 2.0 to 2.7: dancer n to port + n, one socket each.

Per frame and dancer two bundles of 11 bones, parents first, since all 22 in one would not fit an unfragmented datagram.
Unity's frame is left-handed: positions (-x, y, z), rotations (x, -y, -z, w), metres, for VRM 0 and 1 alike.
"""

from __future__ import annotations

import numpy as np

from live import skeleton
from live.outputs import _guard, _uri
from live.outputs._packet import Datagram, Live, Message, Template, pack
from live.outputs._udp import DatagramOutput
from live.types import Float32, Pose

PORT = 39539
POSITION_SIGNS: Float32 = np.array([-1, 1, 1], np.float32)
ROTATION_SIGNS: Float32 = np.array([1, -1, -1, 1], np.float32)

OPENING: tuple[Message, ...] = (
    ("/VMC/Ext/OK", 1, 3, 0, 1),  # loaded, calibrated, normal mode, tracking
    ("/VMC/Ext/T", Live("time")),
    ("/VMC/Ext/Root/Pos", "root", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),  # the hips carry the motion
)
GOODBYE = pack("/VMC/Ext/OK", 0)


def open_output(uri: str) -> VmcOutput:
    """`vmc://host[:port]`, port 39539 if left out."""
    host, port, _ = _uri.host_and_port(uri, PORT)
    return VmcOutput(uri, host, port)


def unity_bone(bone: str) -> str:
    """A bone's name in Unity's HumanBodyBones."""
    return bone[0].upper() + bone[1:]


def bone_message(index: int) -> Message:
    """`/VMC/Ext/Bone/Pos` with the rest offset baked in; only the hips' position changes."""
    name = unity_bone(skeleton.BONES[index])
    offset = (skeleton.REST_OFFSETS[index] * POSITION_SIGNS).tolist()
    position = [Live("hips", 3)] if index == 0 else offset
    return ("/VMC/Ext/Bone/Pos", name, *position, Live("rotations", 4))


def table() -> list[Datagram]:
    """The two datagrams of one dancer's frame."""
    bones = [bone_message(i) for i in range(skeleton.COUNT)]
    return [[*OPENING, *bones[:11]], bones[11:]]


class VmcOutput(DatagramOutput):
    """One avatar per dancer, each on its own port."""

    def open(self, dancers: int, paced: bool) -> None:
        """`BadTarget` for an unknown host or ports beyond 65535."""
        self._open_targets(dancers)
        self._dancers = dancers
        self._time = np.float32(-np.inf)
        self._template = Template(table() * dancers)
        receivers = [target for target in self._targets for _ in table()]
        self._frame = list(zip(receivers, self._template.packets, strict=True))

    def _encode(self, pose: Pose) -> None:
        if fault := _guard.body_fault(pose, self._dancers):
            self._drop(fault)
            return
        self._template.write("time", self._later(pose.show_time))
        self._template.write("hips", (pose.root_position * POSITION_SIGNS).ravel())
        self._template.write("rotations", (pose.local_rotations * ROTATION_SIGNS).ravel())
        self._outbox = self._frame

    def _later(self, show_time: float) -> np.float32:
        """Show time as float32, always above the last: receivers drop a frame whose time stands still."""
        time = np.float32(show_time)
        self._time = time if time > self._time else np.nextafter(self._time, np.float32(np.inf))
        return self._time

    def close(self) -> None:
        """Tell every receiver that the performer is gone (`/VMC/Ext/OK 0`)."""
        for target in self._targets:
            self._post(target, GOODBYE)
        self._let_go()
