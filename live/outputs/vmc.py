"""`vmc://host[:port][,host...][?vrm=FILE][&root=MODE][&face=loudness]` performs as VMC 2.0 to 2.7.

Dancer n goes to port + n. Per frame and dancer two bundles of 11 bones, parents first, since all 22 in one would not
fit an unfragmented datagram. Unity's frame is left-handed: positions (-x, y, z), rotations (x, -y, -z, w), metres, for
VRM 0 and 1 alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from live import rotation, skeleton
from live.outputs import _avatar, _guard, _uri
from live.outputs._avatar import HOUSE, Avatar
from live.outputs._packet import Datagram, Live, Message, Template, pack
from live.outputs._udp import DatagramOutput
from live.types import Float32, Pose

PORT = 39539
POSITION_SIGNS: Float32 = np.array([-1, 1, 1], np.float32)
ROTATION_SIGNS: Float32 = np.array([1, -1, -1, 1], np.float32)

OPENING: tuple[Message, ...] = (
    ("/VMC/Ext/OK", 1, 3, 0, 1),  # loaded, calibrated, normal mode, tracking
    ("/VMC/Ext/T", Live("time")),
)
FIXED_ROOT: Message = ("/VMC/Ext/Root/Pos", "root", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
MOVING_ROOT: Message = ("/VMC/Ext/Root/Pos", "root", Live("root", 3), Live("heading", 4))
FACE = ("Joy", "Angry", "Sorrow", "Fun", "A")
"""Blend shapes, by their names in VRM 0; receivers know them for VRM 1 too."""
BLENDS: tuple[Message, ...] = (
    *(("/VMC/Ext/Blend/Val", name, Live("face")) for name in FACE),
    ("/VMC/Ext/Blend/Apply",),
)
GOODBYE = pack("/VMC/Ext/OK", 0)
ROOTS = ("hips", "root", "still")
"""What carries the motion: the hips; the root over the floor and the hips above it; or nothing, danced on the spot."""


@dataclass(frozen=True)
class Look:
    """How a performer is shown: on which avatar, `ROOTS`, and whether its face follows the loudness."""

    avatar: Avatar = HOUSE
    root: str = "hips"
    face: bool = False


def open_output(uri: str) -> VmcOutput:
    """`vmc://host[:port][,host...]`, port 39539 if left out."""
    hosts, options = _uri.several(uri, PORT, ("vrm", "root", "face"))
    avatar = _avatar.read_avatar(Path(options["vrm"]).expanduser()) if "vrm" in options else HOUSE
    root, face = _uri.choice(uri, options, "root", ROOTS), _uri.choice(uri, options, "face", ("off", "loudness"))
    return VmcOutput(uri, hosts, Look(avatar, root, face == "loudness"))


def unity_bone(bone: str) -> str:
    """A bone's name in Unity's HumanBodyBones."""
    return bone[0].upper() + bone[1:]


def bone_message(index: int, offset: Float32) -> Message:
    """`/VMC/Ext/Bone/Pos` with the rest offset [3] baked in; only the hips' position changes."""
    position = [Live("hips", 3)] if index == 0 else (offset * POSITION_SIGNS).tolist()
    return ("/VMC/Ext/Bone/Pos", unity_bone(skeleton.BONES[index]), *position, Live("rotations", 4))


def table(look: Look = Look(), scale: float = 1.0) -> list[Datagram]:
    """The two datagrams of one dancer's frame."""
    bones = [bone_message(i, look.avatar.offsets[i] * np.float32(scale)) for i in look.avatar.bones]
    half = (len(bones) + 1) // 2
    root = MOVING_ROOT if look.root == "root" else FIXED_ROOT
    return [[*OPENING, root, *bones[:half]], [*bones[half:], *(BLENDS if look.face else ())]]


class VmcOutput(DatagramOutput):
    """One avatar per dancer, each on its own port."""

    def __init__(self, uri: str, hosts: Sequence[tuple[str, int]], look: Look = Look()) -> None:
        super().__init__(uri, hosts)
        self.look = look
        self._bones, self._folds = np.array(look.avatar.bones), look.avatar.folds()
        self._signs = POSITION_SIGNS * np.float32(look.avatar.size)
        self._turn_signs = np.tile(ROTATION_SIGNS, len(self._bones))

    def open(self, dancers: int, paced: bool) -> None:
        """`BadTarget` for an unknown host or ports beyond 65535."""
        self._open_targets(dancers)
        self._dancers = dancers
        self._time = np.float32(-np.inf)
        self._mouth = self._mood = 0.0
        frame = table(self.look, self.placement.scale)
        self._template = Template(frame * dancers)
        self._frame = self._addressed(self._template.packets, len(frame))

    def _encode(self, pose: Pose) -> None:
        if fault := _guard.body_fault(pose, self._dancers):
            self._drop(fault)
            return
        self._template.write({"time": self._later(pose.show_time), **self._body(pose), **self._face(pose)})
        self._outbox = self._frame

    def _body(self, pose: Pose) -> dict[str, Float32]:
        """Root, hips and bones in the receiver's frame."""
        place, rotations = pose.root_position, pose.local_rotations
        root: dict[str, Float32] = {}
        if self.look.root != "hips":
            place, rotations, root = self._rooted(place, rotations)
        if len(self._bones) < skeleton.COUNT:
            rotations = _avatar.folded(rotations, self._folds)[:, self._bones]
        bones = rotations.reshape(self._dancers, -1) * self._turn_signs
        return {"hips": (place * self._signs).ravel(), "rotations": bones.ravel(), **root}

    def _rooted(self, place: Float32, rotations: Float32) -> tuple[Float32, Float32, dict[str, Float32]]:
        """Place and rotations of the hips over a root that stays, or over one that carries the way on the floor; that
        root in the receiver's frame."""
        floor = place * np.array([1, 0, 1], np.float32)
        if self.look.root == "still":
            return place - floor, rotations, {}
        heading = rotation.heading(rotations[:, 0])
        rotations = rotations.copy()
        rotations[:, 0] = rotation.turn(-heading, rotations[:, 0])
        turned = (rotation.yaw(heading) * ROTATION_SIGNS).ravel()
        return place - floor, rotations, {"root": (floor * self._signs).ravel(), "heading": turned}

    def _face(self, pose: Pose) -> dict[str, tuple[float, ...]]:
        """The mouth follows the sound, the mood follows seconds later: joy with loudness, fun with a sure beat."""
        if not self.look.face:
            return {}
        loud = min(max(20.0 * math.log10(max(pose.level, 1e-5)) / 40.0 + 1.25, 0.0), 1.0)  # -50 .. -10 dBFS
        self._mouth += 0.5 * (loud - self._mouth)
        self._mood += 0.01 * (loud - self._mood)
        fun = self._mood * min(max(pose.beat.confidence, 0.0), 1.0)
        return {"face": (self._mood - fun, 0.0, 0.0, fun, self._mouth) * self._dancers}

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
