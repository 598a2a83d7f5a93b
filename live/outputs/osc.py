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
from live.outputs._udp import DatagramOutput
from live.types import Pose

PORT = 9010
INT32 = 0x7FFFFFFF
HALF = skeleton.COUNT // 2
"""Bones in one bundle of flat addresses, so that it fits an unfragmented datagram."""

BEAT: Message = ("/live/beat", Live("counts", 1, "i"), Live("moment", 4))
"""Beats so far; beats per minute, phase, confidence, bar phase."""
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


def flat_bundles(dancer: int) -> list[Datagram]:
    """`/live/<dancer>/<bone>/position` (world) and `/rotation` (in the parent's frame), 11 bones a bundle."""
    messages: list[Message] = []
    for bone in skeleton.BONES:
        messages.append((f"/live/{dancer}/{bone}/position", Live("joints", 3)))
        messages.append((f"/live/{dancer}/{bone}/rotation", Live("flat_rotations", 4)))
    return [messages[: 2 * HALF], messages[2 * HALF :]]


def table(dancers: int, flat: bool) -> list[Datagram]:
    """Every datagram of a frame, and last the statistics."""
    poses: list[Datagram] = [pose_message(n) for n in range(dancers)]
    joints = [bundle for n in range(dancers) for bundle in flat_bundles(n)] if flat else []
    return [*poses, *joints, BEAT, STATS]


class OscOutput(DatagramOutput):
    """`/live/pose` per dancer and `/live/beat` each frame, `/live/stats` once a second of the show."""

    def __init__(self, uri: str, hosts: Sequence[tuple[str, int]], flat: bool) -> None:
        super().__init__(uri, hosts)
        self.flat = flat

    def open(self, dancers: int, paced: bool) -> None:
        """`BadTarget` for an unknown host."""
        self._open_targets(1)
        self._dancers = dancers
        self._second: int | None = None
        self._template = Template(table(dancers, self.flat))
        packets = self._template.packets
        self._frame = self._addressed(packets[:-1], len(packets) - 1)
        self._frame_and_stats = self._addressed(packets, len(packets))

    def _encode(self, pose: Pose) -> None:
        if fault := _guard.body_fault(pose, self._dancers) or _guard.moment_fault(pose):
            self._drop(fault)
            return
        self._write_moment(pose)
        self._template.write("root", pose.root_position.ravel())
        self._template.write("rotations", pose.local_rotations.ravel())
        if self.flat:
            self._template.write("joints", pose.joint_positions.ravel())
            self._template.write("flat_rotations", pose.local_rotations.ravel())
        self._outbox = self._frame_and_stats if self._stats_are_due(pose.show_time) else self._frame

    def _write_moment(self, pose: Pose) -> None:
        beat, began = pose.beat, pose.play_time - pose.show_time
        capture, play = pose.capture_time - began, pose.play_time - began
        seconds = (math.floor(capture), math.floor(play))
        body = (capture - seconds[0], play - seconds[1], beat.phase, beat.confidence)
        counts = (pose.sequence & INT32, *seconds) * self._dancers
        self._template.write("counts", (*counts, beat.beat_count))
        self._template.write("moment", body * self._dancers + (beat.bpm, beat.phase, beat.confidence, beat.bar_phase))

    def _stats_are_due(self, show_time: float) -> bool:
        if (second := math.floor(show_time)) == self._second:
            return False
        self._second = second
        self._template.write("sent", self.stats.sent & INT32)
        self._template.write("errors", self.stats.errors & INT32)
        return True
