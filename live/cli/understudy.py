"""An engine in a process of its own, under a watchdog: `python -m live.cli.understudy FOLDER NAME PART`.

It loads everything, says that it is ready (a file NAME in FOLDER), hears along, and waits for a line on standard input:
then it goes on with the show from what the engine before it left. It ends when its watchdog does. PART is `dancer`, or
`stand-in` (`live.cli.stand_in`).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any

from live import realtime
from live.cli.app import told_as_status
from live.cli.heir import Inheritance
from live.cli.outputs import make_output
from live.cli.perform import Run, play
from live.cli.stand_in import stand_in
from live.cli.troupe import Troupe, gather
from live.clock import HostClock
from live.contracts import Output
from live.legacy import NOTHING_YET, Heard
from live.relay import Relayed
from live.show import Show
from live.types import FRAME_RATE, SAMPLE_RATE, FeatureFrame

SPEC = "show.json"
"""In the folder: the show, how it is run, what the sound is called."""
REPLAYED = 6.0
"""Seconds of the past that features and trackers hear before they hear along: their own state cannot be handed over."""
HEARS_EVERY = 0.1
"""Seconds between two times that one who waits listens."""
PART = SAMPLE_RATE // 4
"""Samples of the past that are heard at a time."""


def main(folder: Path, name: str, part: str) -> None:
    """Load, wait, perform."""
    watchdog = os.getppid()
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, signal.SIG_DFL)
    spec = json.loads((folder / SPEC).read_text())
    show = Show.model_validate(spec["show"])
    run = Run(**spec["run"] | {name: value and Path(value) for name, value in spec["paths"].items()})
    still = part == "stand-in"
    troupe = stand_in(show) if still else gather(show)
    first = [output_for(uri, number, folder) for number, uri in enumerate(show.output)]
    if run.realtime:
        realtime.settle()
    if (ears := _attend(folder, name, spec["input"], troupe)) is None:
        return
    source, heard = ears
    heir = Watched(folder, source, heard, still, watchdog)
    play(show, run, lambda line: print(line, flush=True), troupe, first, source, HostClock(), heir)


def output_for(uri: str, number: int, folder: Path) -> Output:
    """The show's output of this number; one that lives apart is joined through its memory in `folder`."""
    output = make_output(uri)
    if output.apart:
        output.memory = folder / f"output-{number}"
    return output


class Watched(Inheritance):
    """Ends with its watchdog."""

    def __init__(self, folder: Path, source: Relayed, heard: Heard, still: bool, watchdog: int) -> None:
        super().__init__(folder, source, heard, still)
        self._watchdog = watchdog

    def each_slot(self) -> None:
        super().each_slot()
        if self._engine.ledger.poses % FRAME_RATE == 0 and os.getppid() != self._watchdog:
            self._engine.stop()


def _attend(folder: Path, name: str, input_name: str, troupe: Troupe) -> tuple[Relayed, Heard] | None:
    """Hear the past, say that we are ready, and hear along until it is our turn; the source and what was heard. None:
    our turn never comes."""
    source, called, heard = None, None, NOTHING_YET
    while called is None:
        if source is None and Relayed.is_there(folder):
            source = Relayed(folder, input_name)
            source.begin(REPLAYED)
        if source is not None:
            heard = _hear(source, troupe, heard)
        if not (folder / name).exists():
            (folder / name).touch()
        called = _called(HEARS_EVERY)
    if not called:
        return None
    source = source or Relayed(folder, input_name)
    return source, _hear(source, troupe, heard)


def _hear(source: Relayed, troupe: Troupe, heard: Heard) -> Heard:
    """What is there by now; frames are numbered as the source numbers its samples."""
    block, frames = source.read_available(), list[FeatureFrame]()
    for begin in range(0, len(block.samples), PART):
        frames += troupe.features.push(block.samples[begin : begin + PART])
        troupe.listener.hear(block.samples[begin : begin + PART])
    lost = block.start - heard.samples
    newest = frames[-1]._replace(end=frames[-1].end + lost) if frames else heard.newest
    return Heard(heard.samples + len(block.samples), newest)


def _called(seconds: float) -> bool | None:
    """Whether it is our turn (the line came) or never will be (standard input ended); None within so many seconds."""
    if not select.select([0], [], [], seconds)[0]:
        return None
    return bool(os.read(0, 64))


def _run(arguments: list[str]) -> Any:
    folder, name, part = arguments
    with contextlib.suppress(KeyboardInterrupt):
        main(Path(folder), name, part)


if __name__ == "__main__":
    sys.exit(told_as_status(lambda: _run(sys.argv[1:])))
