"""`live convert` and `live replay`: what can be done with a take."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from live.cli.manners import on_signals
from live.cli.outputs import make_output
from live.clock import Clock, HostClock, VirtualClock
from live.contracts import Output, load_plugin, plugin_names
from live.engine import STALL
from live.errors import BadTarget, Unusable
from live.take import Take, pose_of, read_take
from live.types import Pose


def convert(take: Path, out: Path, dancer: int) -> str:
    """Write one dancer of a take as the format that the ending of `out` names; says what was written."""
    formats = plugin_names("live.formats")
    if (ending := out.suffix[1:].lower()) not in formats:
        valid = ", ".join(f".{name}" for name in formats)
        raise Unusable(f"{out}: '{out.suffix}' is not a format that can be written; use {valid}")
    read = read_take(take)
    if not 0 <= dancer < read.dancers:
        raise Unusable(f"take '{take}' has no dancer {dancer}: choose 0..{read.dancers - 1}")
    try:
        load_plugin("live.formats", ending, "format").write(read, out, dancer)
    except OSError as error:
        raise Unusable(f"'{out}' cannot be written: {error.strerror}") from None
    of = f"dancer {dancer} of {read.dancers}, " if read.dancers > 1 else ""
    return f"{out}: {of}{len(read.records)} poses, {len(read.records) / read.frame_rate:.1f} s"


class Replay:
    """A take on its way to the outputs, at the pace at which it was recorded."""

    def __init__(self, take: Take, outputs: list[Output], clock: Clock) -> None:
        self._take, self._outputs, self._clock = take, outputs, clock
        self._stopped = False
        self.sent = self.skipped = 0

    def stop(self) -> None:
        """End after the pose in hand; safe in a signal handler."""
        self._stopped = True

    def run(self, loop: bool) -> None:
        """Once, or with `loop` until stopped; times and sequence numbers go on rising."""
        began = self._clock.now()
        length = float(self._take.time[-1] - self._take.time[0]) + 1 / self._take.frame_rate
        self._round(began, 0)
        rounds = 1
        while loop and not self._stopped:
            self._round(began, rounds * length)
            rounds += 1

    def _round(self, began: float, offset: float) -> None:
        for pose in poses(self._take, began, offset):
            if self._stopped:
                return
            self._clock.sleep_until(due := began + pose.show_time)
            if self._clock.now() - due > STALL:
                self.skipped += 1
                continue
            pose.sequence = self.sent + self.skipped
            for output in self._outputs:
                output.send(pose)
            self.sent += 1


def poses(take: Take, began: float, offset: float) -> Iterator[Pose]:
    """The take's poses as if the show had begun at host time `began` and `offset` seconds of it were over."""
    first = float(take.time[0])
    for record in take.records:
        pose = pose_of(record)
        since = pose.show_time - first + offset
        age = pose.play_time - pose.capture_time
        pose.play_time, pose.capture_time, pose.show_time = began + since, began + since - age, since
        yield pose


def replay(take: Path, uris: list[str], loop: bool, fast: bool, say: Callable[[str], None]) -> None:
    """Stream a take to outputs. Nothing is opened before the take is known to be whole."""
    read = read_take(take)
    outputs = [make_output(uri) for uri in uris]
    if fast and loop:
        raise Unusable("--fast and --loop together would never end: leave one out")
    if any(output.uri.partition("?")[0] == f"take:{take}" for output in outputs):
        raise BadTarget(f"take '{take}' cannot be replayed into itself: record to another file")
    clock: Clock = VirtualClock(time.monotonic()) if fast else HostClock()
    player = Replay(read, outputs, clock)
    with contextlib.ExitStack() as stack:
        stack.enter_context(on_signals(player.stop, signal.SIGINT, signal.SIGTERM))
        for output in outputs:
            output.open(read.dancers, clock.paced)
            stack.callback(output.close)
            if output.notice:
                say(output.notice)
        begun = clock.now()
        player.run(loop)
        seconds = clock.now() - begun
    say(f"{player.sent} poses in {seconds:.1f} s from {take}, {player.skipped} skipped")
    for output in outputs:
        say(f"output    {output.uri}: {output.stats.sent} sent, {output.stats.errors} errors")
