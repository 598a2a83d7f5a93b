"""`vrchat://host[:port][,host...][?height=M][&trackers=hip,feet,...][&head=full]`: VRChat's OSC trackers.

As documented at docs.vrchat.com/docs/osc-trackers: `/tracking/trackers/{1..8,head}/position|rotation`, three floats
each, world positions in metres of a person of the height set in VRChat, Euler angles in degrees applied z, x, y, both
in Unity's frame: positions (-x, y, z), rotations (x, -y, -z, w). One bundle per frame and dancer, dancer n to port + n.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from live import skeleton
from live.errors import BadTarget
from live.outputs import _guard, _uri
from live.outputs._packet import Live, Message, Template
from live.outputs._udp import DatagramOutput
from live.types import Float32, Pose

PORT = 9000
STATURE = 1.70
"""Metres that our skeleton is tall."""
POSITION_SIGNS: Float32 = np.array([-1, 1, 1], np.float32)
MATRIX_SIGNS: Float32 = np.outer(POSITION_SIGNS, POSITION_SIGNS)

# tracker, its name in `?trackers=`, joint it lies at, bone it turns with (a tracker at the knee is worn on the thigh)
TRACKERS: tuple[tuple[str, str, str, str], ...] = (
    ("1", "hip", "hips", "hips"),
    ("2", "chest", "upperChest", "upperChest"),
    ("3", "feet", "leftFoot", "leftFoot"),
    ("4", "feet", "rightFoot", "rightFoot"),
    ("5", "knees", "leftLowerLeg", "leftUpperLeg"),
    ("6", "knees", "rightLowerLeg", "rightUpperLeg"),
    ("7", "elbows", "leftLowerArm", "leftUpperArm"),
    ("8", "elbows", "rightLowerArm", "rightUpperArm"),
    ("head", "head", "head", "head"),
)
NAMES = ("hip", "chest", "feet", "knees", "elbows")
HEADS = {"full": ("position", "rotation"), "position": ("position",), "off": ()}
"""What of the head is sent, with which VRChat aligns the trackers' space to its own."""


def open_output(uri: str) -> VrchatOutput:
    """All trackers at the skeleton's own height, with the head, unless told otherwise."""
    hosts, options = _uri.several(uri, PORT, ("height", "trackers", "head"))
    height = _uri.number(uri, options, "height", STATURE, 0.2, 5.0)
    wanted = options.get("trackers", ",".join(NAMES)).split(",")
    if unknown := [name for name in wanted if name not in NAMES]:
        raise BadTarget(f"output '{uri}': unknown tracker '{unknown[0]}': choose from {', '.join(NAMES)}")
    head = _uri.choice(uri, options, "head", tuple(HEADS))
    return VrchatOutput(uri, hosts, height / STATURE, [*wanted, "head"] if head != "off" else wanted, HEADS[head])


class VrchatOutput(DatagramOutput):
    """`wanted` are names of `TRACKERS`; of the head only the messages in `head` are sent."""

    def __init__(
        self, uri: str, hosts: Sequence[tuple[str, int]], scale: float, wanted: Sequence[str], head: Sequence[str]
    ) -> None:
        super().__init__(uri, hosts)
        self.scale = np.float32(scale)
        worn = [tracker for tracker in TRACKERS if tracker[1] in wanted]
        self._joints = np.array([skeleton.INDEX[joint] for _, _, joint, _ in worn])
        self._turning = np.array([skeleton.INDEX[b] for n, _, _, b in worn if n != "head" or "rotation" in head])
        messages = {n: head if n == "head" else ("position", "rotation") for n, _, _, _ in worn}
        self.table: list[Message] = [
            (f"/tracking/trackers/{n}/{what}", Live(what, 3)) for n, sent in messages.items() for what in sent
        ]

    def open(self, dancers: int, paced: bool) -> None:
        """`BadTarget` for an unknown host or ports beyond 65535."""
        self._open_targets(dancers)
        self._dancers = dancers
        self._template = Template([self.table] * dancers)
        self._frame = self._addressed(self._template.packets, 1)

    def _encode(self, pose: Pose) -> None:
        if fault := _guard.body_fault(pose, self._dancers):
            self._drop(fault)
            return
        places = pose.joint_positions[:, self._joints] * (POSITION_SIGNS * self.scale)
        _, turned = skeleton.forward_kinematics(pose.root_position, pose.local_rotations)
        frame = {"position": places.ravel()}
        if len(self._turning):
            frame["rotation"] = euler_degrees(turned[:, self._turning] * MATRIX_SIGNS).ravel()
        self._template.write(frame)
        self._outbox = self._frame


def euler_degrees(m: NDArray[np.floating]) -> NDArray[np.floating]:
    """Angles [..., 3] about x, y, z of rotation matrices [..., 3, 3] that turn about z first, then x, then y."""
    out = np.empty(m.shape[:-1], m.dtype)
    out[..., 0] = np.arcsin(np.clip(-m[..., 1, 2], -1.0, 1.0))
    level = np.abs(m[..., 1, 2]) < 0.999999  # straight up or down, y and z turn about one axis: all of it is y's
    out[..., 1] = np.where(level, np.arctan2(m[..., 0, 2], m[..., 2, 2]), np.arctan2(-m[..., 2, 0], m[..., 0, 0]))
    out[..., 2] = np.where(level, np.arctan2(m[..., 1, 0], m[..., 1, 1]), 0.0)
    return np.degrees(out)
