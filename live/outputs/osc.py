"""`osc://host[:port][,host...][?flat=1]` sends poses as plain OSC, all dancers to one port; `docs/osc.md` lists it.

House frame: right-handed, Y up, metres, quaternions x y z w. Only types i, f and s, since some receivers misread
others: a time is int seconds and a float fraction since the show began. `flat=1` adds two addresses per bone, for
TouchDesigner and Max, which want one address per channel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from live import skeleton
from live.outputs import _guard, _uri
from live.outputs._packet import Datagram, Live, Message, Template
from live.outputs._udp import Addressed, DatagramOutput
from live.types import Event, Float32, Pose

PORT = 9010
INT32 = 0x7FFFFFFF
HALF = skeleton.COUNT // 2
"""Bones in one bundle of flat addresses, so that it fits an unfragmented datagram."""

BEAT: Message = ("/live/beat", Live("counts", 1, "i"), Live("moment", 4))
"""Beats so far; beats per minute, phase, confidence, bar phase."""
SIGNALS: Message = ("/live/signals", Live("moment", 5), Live("counts", 1, "i"))
"""Onsets low, mid and high, energy, build-up; the last event's number."""
EVENTS = ("section", "build", "drop")
STATS: Message = ("/live/stats", Live("sent", 1, "i"), Live("errors", 1, "i"))


def open_output(uri: str) -> OscOutput:
    """`osc://host[:port][?flat=1]`, port 9010 if left out."""
    hosts, options = _uri.several(uri, PORT, ("flat",))
    return OscOutput(uri, hosts, _uri.switch(uri, options, "flat"))


def pose_message(dancer: int) -> Message:
    """`/live/pose`: one dancer's whole frame. `counts` are sequence and seconds, `moment` fractions and beat."""
    return (
        "/live/pose",
        Live("counts", 1, "i"),
        dancer,
        Live("counts", 1, "i"),
        Live("moment"),
        Live("counts", 1, "i"),
        Live("moment", 3),
        Live("root", 3),
        Live("rotations", 4 * skeleton.COUNT),
    )


def event_message(name: str) -> Message:
    """`/live/event`: a name cannot be written each frame, so there is a message for each. `what` is when it was, as a
    fraction of a second, and how strong."""
    return ("/live/event", Live("event", 1, "i"), name, Live("event_second", 1, "i"), Live("what", 2))


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
    return [*poses, *joints, [BEAT, SIGNALS], STATS, *map(event_message, EVENTS)]


class OscOutput(DatagramOutput):
    """`/live/pose` per dancer, `/live/beat` and `/live/signals` each frame, `/live/stats` once a second of the show,
    `/live/event` when there is one."""

    def __init__(self, uri: str, hosts: Sequence[tuple[str, int]], flat: bool) -> None:
        super().__init__(uri, hosts)
        self.flat = flat

    def open(self, dancers: int, paced: bool) -> None:
        """`BadTarget` for an unknown host."""
        self._open_targets(1)
        self._dancers = dancers
        self._second: int | None = None
        self._template = Template(table(dancers, self.flat))
        self._event = 0
        *frame, stats, section, build, drop = self._template.packets
        self._frame = self._addressed(frame, len(frame))
        self._stats = self._addressed([stats], 1)
        self._events = {name: self._addressed([e], 1) for name, e in zip(EVENTS, (section, build, drop), strict=True)}

    def _encode(self, pose: Pose) -> None:
        fault = _guard.body_fault(pose, self._dancers) or _guard.moment_fault(pose)
        if fault := fault or _guard.signals_fault(pose.signals):
            self._drop(fault)
            return
        captured = pose.capture_time - (pose.play_time - pose.show_time)
        self._template.write({**self._body(pose), **self._moment(pose, captured)})
        self._outbox = [*self._frame, *self._told(pose.signals.event, captured), *self._statistics(pose.show_time)]

    def _body(self, pose: Pose) -> dict[str, Float32]:
        turns = pose.local_rotations.ravel()
        body = {"root": pose.root_position.ravel(), "rotations": turns}
        return body | {"joints": pose.joint_positions.ravel(), "flat_rotations": turns} if self.flat else body

    def _moment(self, pose: Pose, captured: float) -> dict[str, Sequence[float]]:
        """When, which beat, and the signals. `captured`: seconds of the show, as is its play time."""
        beat, heard, play = pose.beat, math.floor(captured), math.floor(pose.show_time)
        *signals, event = pose.signals
        counts = (pose.sequence & INT32, heard, play) * self._dancers
        fractions = (captured - heard, pose.show_time - play, beat.phase, beat.confidence) * self._dancers
        return {
            "counts": (*counts, beat.beat_count, event.number & INT32),
            "moment": (*fractions, beat.bpm, beat.phase, beat.confidence, beat.bar_phase, *signals),
        }

    def _told(self, event: Event, captured: float) -> list[Addressed]:
        """The message of an event, once; its age counts back from `captured`."""
        if event.number == self._event:
            return []
        self._event, second = event.number, math.floor(time := captured - event.age)
        what = (time - second, event.strength) * len(EVENTS)
        self._template.write({"event": event.number & INT32, "event_second": second, "what": what})
        return self._events[event.name]

    def _statistics(self, show_time: float) -> list[Addressed]:
        """Once a second of the show."""
        if (second := math.floor(show_time)) == self._second:
            return []
        self._second = second
        self._template.write({"sent": self.stats.sent & INT32, "errors": self.stats.errors & INT32})
        return self._stats
