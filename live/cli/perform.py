"""`live perform`: read the show, load the model, open the outputs, then the sound, and run the loop."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from live import realtime
from live.blocking import Blocking
from live.board import Board
from live.cli.direct import described, make_director, open_controls
from live.cli.manners import on_hang_up, on_signals, own_stderr
from live.cli.outputs import Outputs, make_output, slowest
from live.cli.overhear import Overheard
from live.cli.reload import Reloading, Stagehands
from live.cli.telemetry import Telemetry
from live.cli.troupe import Troupe, gather, make_source
from live.clock import Clock, HostClock, VirtualClock
from live.contracts import AudioSource, FeatureSource, Output
from live.dictionary import Player
from live.director import Cast, Director
from live.engine import Engine, Timing
from live.generator import Generator, style_weights
from live.motion.body import Motion, MotionConfig
from live.pace import PERIOD
from live.reload import Reader
from live.report import Setting, report, summary, write_report
from live.show import Show
from live.trace import tracing

Say = Callable[[str], None]
"""Tells the user a line."""
SLOTS_PER_STATUS = 4
EARLY = 0.02
"""Seconds by which the accent is aimed before the beat: a picture is noticed 45 ms late, but only 125 ms early."""
REHEARSALS = 4
"""Of each tick in real-time mode; a fifth of a core buys half the time from sound to pose."""


@dataclass(frozen=True)
class Run:
    """How to run a show, beside the show itself."""

    fast: bool = False
    realtime: bool = True
    view: bool = True
    """The terminal view."""
    report: Path | None = None
    trace: Path | None = None
    file: Path | None = None
    """The show file, and what the command line says in its keys' place."""
    options: Mapping[str, Any] = field(default_factory=dict)


class Heir(Protocol):
    """Goes on with a show that another engine began, and leaves it to the next."""

    resumes: bool
    """Whether anybody has performed before."""

    def take_over(self, engine: Engine, director: Director, outputs: Sequence[Output]) -> None:
        """Put everybody where they were. `outputs`: the first ones."""
        ...

    def at_slot(self) -> None:
        """A pose is about to be sent."""
        ...

    def each_slot(self) -> None:
        """Leave what has become of it."""
        ...

    def over(self) -> None:
        """The last pose was sent: the show ends."""
        ...


class Nobody:
    """The `Heir` of a show that one engine performs from its beginning to its end."""

    resumes = False

    def take_over(self, engine: Engine, director: Director, outputs: Sequence[Output]) -> None: ...
    def at_slot(self) -> None: ...
    def each_slot(self) -> None: ...
    def over(self) -> None: ...


@dataclass
class Backstage:
    """What is done for each pose beside the engine's own work: `at_slot` just before it, `each_slot` after it."""

    director: Director
    reloading: Reloading
    heir: Heir
    telemetry: Telemetry
    outputs: Outputs
    board: Board | None
    clock: Clock
    begun: float
    slots: int = 0

    def at_slot(self) -> None:
        self.heir.at_slot()
        self.director.at_slot()

    def each_slot(self) -> None:
        self.heir.each_slot()
        self.director.each_slot()
        self.reloading.look()
        self.slots += 1
        watched = self.board is not None or any(output.watches for output in self.outputs.now)
        if watched and self.slots % SLOTS_PER_STATUS == 0:
            status = self.telemetry.status(self.clock.now() - self.begun, self.reloading.notice)
            self.telemetry.tell(status)
            if self.board is not None:
                self.board.write(status)


def perform(show: Show, run: Run, say: Say) -> None:
    """Perform a show to its end. Models load first, hardware opens last."""
    troupe = gather(show, say)
    first = [make_output(uri) for uri in show.output]
    clock: Clock = VirtualClock(time.monotonic()) if run.fast else HostClock()
    play(show, run, say, troupe, first, make_source(show, clock, say), clock)


def play(show: Show, run: Run, say: Say, troupe: Troupe, first: list[Output], heard: AudioSource, clock: Clock,
         heir: Heir | None = None) -> None:  # fmt: skip
    """Perform with this troupe, to the first outputs, what is heard."""
    heir = heir or Nobody()
    motion, outputs = make_motion(show), Outputs(show.dancers, clock.paced)
    source = Overheard(heard, outputs.now)
    engine = Engine(source, troupe.features, troupe.generator, motion, outputs.now, clock,
                    make_timing(show, run, troupe.generator, first), troupe.listener)  # fmt: skip
    with contextlib.ExitStack() as stack:
        stack.enter_context(own_stderr())
        controls = stack.enter_context(open_controls(show, clock.paced, say))
        director = make_director(_cast(show, troupe, engine, motion, first), controls, show)
        stack.enter_context(on_signals(engine.stop, signal.SIGINT, signal.SIGTERM))
        stack.callback(outputs.close)
        outputs.open(first, engine.note if heir.resumes else None)
        for line in (output.notice for output in first if output.notice):
            say(line)
        if not heir.resumes:
            stack.enter_context(described(show, first, controls.all))
        board = stack.enter_context(_view(run))
        hands = Stagehands(director, controls, outputs)
        reloading = stack.enter_context(_reloading(show, run, hands, engine, clock, say if board is None else None))
        stack.enter_context(tracing(run.trace, engine.ledger))
        notes = realtime.enter() if run.realtime and clock.paced else []
        stack.callback(realtime.leave if notes else lambda: None)
        setting = Setting(show.model, troupe.backend, source.name, notes)
        telemetry = Telemetry(setting, engine, source, outputs.now, director, controls.all)
        source.start()
        stack.callback(source.close)
        heir.take_over(engine, director, first)
        begun = engine.began if heir.resumes else clock.now()
        backstage = Backstage(director, reloading, heir, telemetry, outputs, board, clock, begun)
        engine.run(show.duration, backstage.each_slot, backstage.at_slot)
        heir.over()
        seconds = clock.now() - begun
        for line in {output.closing for output in outputs.now} - {""}:
            say(line)
    stages = declared(source, troupe.features, troupe.generator)
    values = report(setting, engine, source, outputs.all, seconds, director.dropped, stages)
    for line in summary(setting, values, sum(stages.values()), {o.told: o.stats.last_error for o in outputs.all}):
        say(line)
    if run.report is not None:
        write_report(run.report, values)


def _cast(show: Show, troupe: Troupe, engine: Engine, motion: Motion, outputs: list[Output]) -> Cast:
    """Whom the director directs."""
    generator, stage = troupe.generator, show.stage
    blocking = Blocking(motion, show.dancers, stage.formation, stage.spacing)
    style = partial(style_weights, generator.card)
    lead = automatic_lead(generator, outputs)
    return Cast(engine, troupe.hand, motion, generator, style, lead, blocking, generator.card.temperature)


@contextlib.contextmanager
def _reloading(
    show: Show, run: Run, hands: Stagehands, engine: Engine, clock: Clock, say: Say | None
) -> Iterator[Reloading]:
    """Where the show has a file and goes at the clock's pace, SIGHUP has it read again."""
    with contextlib.ExitStack() as stack:
        reader = None
        if run.file is not None and clock.paced:
            reader = Reader(run.file, run.options)
            stack.callback(reader.close)
        reloading = Reloading(reader, show, hands, say)
        if hasattr(signal, "SIGHUP") and reader is not None:
            stack.enter_context(on_signals(on_hang_up(engine.stop, reloading.ask), signal.SIGHUP))
        yield reloading


def make_motion(show: Show) -> Motion:
    stage = show.stage
    return Motion(MotionConfig(stage.radius, stage.formation, stage.spacing, entrance=stage.entrance))


def make_timing(show: Show, run: Run, generator: Generator | Player, outputs: list[Output]) -> Timing:
    """The beat is met ahead by the anticipation asked for: automatic means the slowest output's declared latency less
    the model's accent offset, and a little early."""
    wanted = automatic_lead(generator, outputs) if show.anticipation is None else show.anticipation / 1000.0
    return Timing(wanted, slowest(outputs), generator.card.tempo_range, REHEARSALS * run.realtime)


def automatic_lead(generator: Generator | Player, outputs: list[Output]) -> float:
    """Seconds by which the beat is met early where no anticipation is asked for."""
    return EARLY + slowest(outputs) - generator.card.accent_offset


def declared(source: AudioSource, features: FeatureSource, generator: Generator | Player) -> dict[str, float]:
    """The longest times (s) that the stages declare from a sound to the first pose that can know of it: a frame filling
    up, its waiting for the tick, the source's own latency. Computing comes on top."""
    wait = (generator.poses_per_tick - 1) * PERIOD
    return {"source": source.latency, "features": features.latency, "generator": wait}


@contextlib.contextmanager
def _view(run: Run) -> Iterator[Board | None]:
    """The terminal view as a child process, where there is a terminal; it may die at any time."""
    if run.fast or not run.view or not sys.stdout.isatty():
        yield None
        return
    board = Board()
    child = subprocess.Popen([sys.executable, "-m", "live.view", board.path], stdin=subprocess.PIPE)
    try:
        yield board
    finally:
        with contextlib.suppress(OSError):
            assert child.stdin is not None
            child.stdin.close()
        try:
            child.wait(2.0)
        except subprocess.TimeoutExpired:
            child.kill()
        board.close()
