"""What EVMC4U in Unity would choke on, as a receiver that complains instead.

Facts of its public source and of uOSC below it: an argument that is not there is read all the same and ends in an
exception, after which EVMC4U is shut down for good; one of another type makes it leave the message out; uOSC reads i f
s b T F and steps over no other type, so that all behind is misread; what follows more than 30 `/VMC/Ext/T` in a Unity
frame is dropped. NaN and quaternions that are not unit go straight into the avatar.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LARGEST = 1472
"""Bytes of a datagram that Ethernet carries in one piece."""
MOST_FRAMES = 30
TRANSFORM = "s" + "f" * 7
ARGUMENTS = {
    "/VMC/Ext/OK": "i",
    "/VMC/Ext/T": "f",
    "/VMC/Ext/Root/Pos": TRANSFORM,
    "/VMC/Ext/Bone/Pos": TRANSFORM,
    "/VMC/Ext/Blend/Val": "sf",
    "/VMC/Ext/Blend/Apply": "",
    "/VMC/Ext/VRM": "ss",
    "/VMC/Ext/Opt": "s",
}
"""The arguments that it reads, of the messages that it knows."""
SIDED = ("UpperLeg", "LowerLeg", "Foot", "Shoulder", "UpperArm", "LowerArm", "Hand", "Toes", "Eye")
FINGERS = [f"{f}{part}" for f in ("Thumb", "Index", "Middle", "Ring", "Little")
           for part in ("Proximal", "Intermediate", "Distal")]  # fmt: skip
HUMAN_BODY_BONES = {"Hips", "Spine", "Chest", "UpperChest", "Neck", "Head", "Jaw"} | {
    side + bone for side in ("Left", "Right") for bone in (*SIDED, *FINGERS)
}


class Message(NamedTuple):
    """`places`: byte in the datagram where each value begins."""

    address: str
    tags: str
    values: list[object]
    places: list[int]


class Reader:
    """A datagram as uOSC reads it."""

    def __init__(self, packet: bytes) -> None:
        self.packet, self.at = packet, 0
        self.messages: list[Message] = []
        self.complaints: list[str] = []
        try:
            self._read(len(packet))
        except (IndexError, ValueError, struct.error):
            self.complaints.append("misread: it ends too early")

    def _read(self, end: int) -> None:
        address = self._string()
        if address == "#bundle":
            self.at += 8
            while self.at < end:
                size = self._number(">i")
                if size % 4:
                    self.complaints.append(f"left out: a size of {size} bytes")
                    self.at += size
                else:
                    self._read(self.at + size)
        else:
            self.messages.append(self._message(address))
        if self.at != end:
            self.complaints.append(f"misread: {address} ends at byte {self.at}, not at {end}")

    def _message(self, address: str) -> Message:
        tags = self._string()[1:]
        message = Message(address, tags, [], [])
        for tag in tags:
            message.places.append(self.at)
            message.values.append(self._value(tag))
        return message

    def _value(self, tag: str) -> object:
        if tag in "if":
            return self._number(f">{tag}")
        if tag == "s":
            return self._string()
        if tag == "b":
            size = self._number(">i")
            self.at += size + -size % 4
        elif tag not in "TF":
            self.complaints.append(f"misread: no type '{tag}' is known")
        return None

    def _string(self) -> str:
        start, end = self.at, self.packet.index(0, self.at)
        self.at += (end - start) // 4 * 4 + 4
        return self.packet[start:end].decode()

    def _number(self, kind: str) -> Any:
        self.at += 4
        return struct.unpack_from(kind, self.packet, self.at - 4)[0]


class Layout:
    """What a datagram is but for its floats, judged once: most of a stream differs in floats alone."""

    def __init__(self, packet: bytes) -> None:
        read = Reader(packet)
        self.complaints = [*read.complaints, *(c for m in read.messages for c in judged(m))]
        if len(packet) > LARGEST:
            self.complaints.append(f"fragmented: {len(packet)} bytes")
        floats = [(m, n) for m in read.messages for n, tag in enumerate(m.tags) if tag == "f" and m.places[n] % 4 == 0]
        self.floats = np.array([m.places[n] // 4 for m, n in floats], int)
        self.turns = np.array([k for k, (m, n) in enumerate(floats) if m.tags[:8] == TRANSFORM and 4 <= n < 8], int)
        self.clocks = [k for k, (m, _) in enumerate(floats) if m.address == "/VMC/Ext/T"]
        self._fixed = np.setdiff1d(np.arange(len(packet) // 4), self.floats)
        self._words = self._others(packet)

    def fits(self, packet: bytes) -> bool:
        return self._others(packet) == self._words

    def _others(self, packet: bytes) -> bytes:
        """All that is not a float."""
        return np.frombuffer(packet, "u4", len(packet) // 4)[self._fixed].tobytes()

    def numbers(self, packet: bytes) -> NDArray[np.floating]:
        return np.frombuffer(packet, ">f4", len(packet) // 4)[self.floats].astype(np.float32)


def judged(message: Message) -> Iterable[str]:
    """What is wrong with a message's arguments."""
    needed = ARGUMENTS.get(message.address)
    if needed is None:
        yield f"ignored: {message.address} is unknown"
        return
    if message.address.endswith("Root/Pos") and len(message.tags) > 8:
        needed = TRANSFORM + "f" * 6
    for n, tag in enumerate(needed):
        if n >= len(message.tags):
            yield f"shut down: {message.address} has {n} arguments of {len(needed)}"
            return
        if message.tags[n] != tag:
            yield f"ignored: argument {n} of {message.address} is of type '{message.tags[n]}', not '{tag}'"
            return
    if message.address.endswith("Bone/Pos") and message.values[0] not in HUMAN_BODY_BONES:
        yield f"ignored: {message.values[0]} is no bone"


class Receiver:
    """EVMC4U in one scene; `complaints` of all that it was given."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.frames = 0
        self._layouts: dict[int, Layout] = {}
        self._time = -np.inf

    def update(self, datagrams: Iterable[bytes]) -> None:
        """What came since the last Unity frame."""
        before = self.frames
        for packet in datagrams:
            self._take(packet)
        if self.frames - before > MOST_FRAMES:
            self.complaints.append(f"dropped: {self.frames - before} frames in one of Unity's")

    def _take(self, packet: bytes) -> None:
        layout = self._layouts.get(len(packet))
        if layout is None or not layout.fits(packet):
            layout = self._layouts[len(packet)] = Layout(packet)
        self.complaints += layout.complaints
        if not len(layout.floats):
            return
        numbers = layout.numbers(packet)
        if not np.isfinite(numbers).all():
            self.complaints.append("torn: a number is not finite")
        turns = numbers[layout.turns].reshape(-1, 4)
        if len(turns) and not np.abs(np.einsum("ni,ni->n", turns, turns) - 1).max() < 1e-3:
            self.complaints.append("torn: a quaternion is not unit")
        for clock in layout.clocks:
            self.frames += 1
            if not numbers[clock] > self._time:
                self.complaints.append("stuck: the time does not rise")
            self._time = numbers[clock]
