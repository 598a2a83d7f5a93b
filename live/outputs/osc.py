"""`osc://host[:port][?flat=1]` sends poses as plain OSC, all dancers to one port; `docs/osc.md` lists it.

House frame: right-handed, Y up, metres, quaternions x y z w. Only types i, f and s, since some receivers misread
others: a time is int seconds and a float fraction since the show began. `flat=1` adds two addresses per bone, for
TouchDesigner and Max, which want one address per channel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from live import skeleton
from live.outputs import _guard, _uri
from live.outputs._packet import Datagram, Live, Message, Template
from live.outputs._udp import DatagramOutput, Target
from live.types import Pose

PORT = 9010
INT32 = 0x7FFFFFFF
HALF = skeleton.COUNT // 2
"""Bones in one bundle of flat addresses, so that it fits an unfragmented datagram."""

BEAT: Message = ("/live/beat", Live("beat_count", 1, "i"), Live("bpm"), Live("phase"), Live("confidence"), Live("bar"))
SIGNALS: Message = ("/live/signals", Live("onsets", 3), Live("energy"), Live("build"), Live("event", 1, "i"))
EVENTS = ("section", "build", "drop")
STATS: Message = ("/live/stats", Live("sent", 1, "i"), Live("errors", 1, "i"))


def open_output(uri: str) -> OscOutput:
    """`osc://host[:port][?flat=1]`, port 9010 if left out."""
    host, port, options = _uri.host_and_port(uri, PORT, ("flat",))
    return OscOutput(uri, host, port, _uri.switch(uri, options, "flat"))


def pose_message(dancer: int) -> Message:
    """`/live/pose`: one dancer's whole frame."""
    return (
        "/live/pose",
        Live("sequence", 1, "i"),
        dancer,
        Live("capture_seconds", 1, "i"),
        Live("capture_fraction"),
        Live("play_seconds", 1, "i"),
        Live("play_fraction"),
        Live("phase"),
        Live("confidence"),
        Live("root", 3),
        Live("rotations", 4 * skeleton.COUNT),
    )


def event_message(name: str) -> Message:
    """`/live/event`: a name cannot be written each frame, so there is a message for each."""
    return ("/live/event", Live("event", 1, "i"), name, Live("event_seconds", 1, "i"), Live("event_fraction"),
            Live("strength"))  # fmt: skip


def flat_bundles(dancer: int) -> list[Datagram]:
    """`/live/<dancer>/<bone>/position` (world) and `/rotation` (in the parent's frame), 11 bones a bundle."""
    messages: list[Message] = []
    for bone in skeleton.BONES:
        messages.append((f"/live/{dancer}/{bone}/position", Live("joints", 3)))
        messages.append((f"/live/{dancer}/{bone}/rotation", Live("flat_rotations", 4)))
    return [messages[: 2 * HALF], messages[2 * HALF :]]


def table(dancers: int, flat: bool) -> list[Datagram]:
    """Every datagram of a frame, and last those of a moment: the statistics, and an event of each name."""
    poses: list[Datagram] = [pose_message(n) for n in range(dancers)]
    joints = [bundle for n in range(dancers) for bundle in flat_bundles(n)] if flat else []
    return [*poses, *joints, BEAT, SIGNALS, STATS, *map(event_message, EVENTS)]


class OscOutput(DatagramOutput):
    """`/live/pose` per dancer, `/live/beat` and `/live/signals` each frame, `/live/stats` once a second of the show,
    `/live/event` when there is one."""

    def __init__(self, uri: str, host: str, port: int, flat: bool) -> None:
        super().__init__(uri, host, port)
        self.flat = flat

    def open(self, dancers: int, paced: bool) -> None:
        """`BadTarget` for an unknown host."""
        self._open_targets(1)
        self._dancers = dancers
        self._second: int | None = None
        self._event = 0
        self._template = Template(table(dancers, self.flat))
        packets = [(self._targets[0], packet) for packet in self._template.packets]
        at = len(packets) - len(EVENTS)
        self._frame, self._stats, events = packets[: at - 1], packets[at - 1], packets[at:]
        self._events = dict(zip(EVENTS, events, strict=True))

    def _encode(self, pose: Pose) -> None:
        fault = _guard.body_fault(pose, self._dancers) or _guard.moment_fault(pose)
        if fault := fault or _guard.signals_fault(pose.signals):
            self._drop(fault)
            return
        self._write_moment(pose)
        self._template.write("root", pose.root_position.ravel())
        self._template.write("rotations", pose.local_rotations.ravel())
        if self.flat:
            self._template.write("joints", pose.joint_positions.ravel())
            self._template.write("flat_rotations", pose.local_rotations.ravel())
        self._outbox = [*self._frame, *self._at_times(pose)]

    def _write_moment(self, pose: Pose) -> None:
        write, beat = self._template.write, pose.beat
        began = pose.play_time - pose.show_time
        write("sequence", pose.sequence & INT32)
        for name, time in (("capture", pose.capture_time - began), ("play", pose.play_time - began)):
            seconds = math.floor(time)
            write(f"{name}_seconds", seconds)
            write(f"{name}_fraction", np.float32(time - seconds))
        write("beat_count", beat.beat_count)
        write("bpm", beat.bpm)
        write("phase", beat.phase)
        write("confidence", beat.confidence)
        write("bar", beat.bar_phase)
        self._write_signals(pose, pose.capture_time - began)

    def _write_signals(self, pose: Pose, captured: float) -> None:
        """`captured`: seconds of the show, which an event's age counts back from."""
        write, (low, mid, high, energy, build, event) = self._template.write, pose.signals
        write("onsets", (low, mid, high))
        write("energy", energy)
        write("build", build)
        write("event", event.number & INT32)
        if event.number:
            seconds = math.floor(time := captured - event.age)
            write("event_seconds", seconds)
            write("event_fraction", np.float32(time - seconds))
            write("strength", event.strength)

    def _at_times(self, pose: Pose) -> Iterator[tuple[Target, memoryview]]:
        """What not every frame has."""
        event = pose.signals.event
        if event.number != self._event:
            self._event = event.number
            yield self._events[event.name]
        if self._stats_are_due(pose.show_time):
            yield self._stats

    def _stats_are_due(self, show_time: float) -> bool:
        if (second := math.floor(show_time)) == self._second:
            return False
        self._second = second
        self._template.write("sent", self.stats.sent & INT32)
        self._template.write("errors", self.stats.errors & INT32)
        return True
