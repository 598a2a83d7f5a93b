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

from live import dictionary, realtime
from live.blocking import Blocking
from live.board import Board
from live.card import find_model, read_card
from live.cli.direct import described, make_director, open_controls
from live.cli.manners import on_hang_up, on_signals, own_stderr
from live.cli.outputs import Outputs, make_output, slowest
from live.cli.overhear import Overheard
from live.cli.reload import Reloading, Stagehands
from live.cli.telemetry import Telemetry
from live.clock import Clock, HostClock, VirtualClock
from live.contracts import AudioSource, Backend, FeatureSource, Output, load_plugin
from live.dictionary import Player
from live.director import Cast, Director
from live.engine import Engine, Timing
from live.errors import BadModel, MissingExtra, NoDevice, Unusable
from live.features.extractor import Extractor
from live.features.signals import Listener
from live.generator import Generator, style_weights
from live.hand import Hand
from live.motion.body import Motion, MotionConfig
from live.pace import PERIOD
from live.reload import Reader
from live.report import Setting, report, summary, write_report
from live.show import Show
from live.trace import tracing

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


@dataclass(frozen=True)
class Troupe:
    """Who performs: all that takes long to load. `backend` is in words."""

    generator: Any
    backend: str
    hand: Hand
    features: Any
    listener: Any


class Heir(Protocol):
    """Goes on with a show that another engine began, and leaves it to the next."""

    resumes: bool
    """Whether anybody has performed before."""

    def take_over(self, engine: Engine, director: Director, outputs: Sequence[Output]) -> None:
        """Put everybody where they were. `outputs`: the first ones."""
        ...

    def each_slot(self) -> None:
        """Leave what has become of it."""
        ...

    def over(self) -> None:
        """The last pose was sent: the show ends."""
        ...


def perform(show: Show, run: Run, say: Callable[[str], None]) -> None:
    """Perform a show to its end. Models load first, hardware opens last."""
    troupe = gather(show)
    first = [make_output(uri) for uri in show.output]
    clock: Clock = VirtualClock(time.monotonic()) if run.fast else HostClock()
    play(show, run, say, troupe, first, make_source(show, clock, say), clock)


def gather(show: Show) -> Troupe:
    """Everyone a show needs, loaded."""
    generator, backend = load_generator(show)
    hand = Hand(load_plugin("live.beats", show.tracker, "beat tracker").open_tracker())
    lightest = load_plugin("live.beats", "aubio", "beat tracker").open_tracker()
    features = Extractor(hand, twin=Extractor(lightest))  # the twin is only practised on
    return Troupe(generator, backend, hand, features, Listener())


def play(show: Show, run: Run, say: Callable[[str], None], troupe: Troupe, first: list[Output], heard: AudioSource,
         clock: Clock, heir: Heir | None = None) -> None:  # fmt: skip
    """Perform with this troupe, to the first outputs, what is heard."""
    generator, hand, motion = troupe.generator, troupe.hand, make_motion(show)
    outputs = Outputs(show.dancers, clock.paced)
    source = Overheard(heard, outputs.now)
    engine = Engine(source, troupe.features, generator, motion, outputs.now, clock,
                    make_timing(show, run, generator, first), troupe.listener)  # fmt: skip
    resumes = heir is not None and heir.resumes
    with contextlib.ExitStack() as stack:
        stack.enter_context(own_stderr())
        controls = stack.enter_context(open_controls(show, clock.paced, say))
        blocking = Blocking(motion, show.dancers, show.stage.formation, show.stage.spacing)
        cast = Cast(engine, hand, motion, generator, partial(style_weights, generator.card),
                    automatic_lead(generator, first), blocking, generator.card.temperature)  # fmt: skip
        director = make_director(cast, controls, show)
        stack.enter_context(on_signals(engine.stop, signal.SIGINT, signal.SIGTERM))
        stack.callback(outputs.close)
        outputs.open(first, engine.note if resumes else None)
        for line in (output.notice for output in first if output.notice):
            say(line)
        if not resumes:
            stack.enter_context(described(show, first, controls.all))
        board = stack.enter_context(_view(run))
        reader = Reader(run.file, run.options) if run.file is not None and clock.paced else None
        stack.callback(reader.close if reader is not None else lambda: None)
        reloading = Reloading(reader, show, Stagehands(director, controls, outputs), say if board is None else None)
        if hasattr(signal, "SIGHUP") and reader is not None:
            stack.enter_context(on_signals(on_hang_up(engine.stop, reloading.ask), signal.SIGHUP))
        stack.enter_context(tracing(run.trace, engine.ledger))
        notes = realtime.enter() if run.realtime and clock.paced else []
        stack.callback(realtime.leave if notes else lambda: None)
        setting = Setting(show.model, troupe.backend, source.name, notes)
        telemetry = Telemetry(setting, engine, source, outputs.now, director, controls.all)
        source.start()
        stack.callback(source.close)
        if heir is not None:
            heir.take_over(engine, director, first)
        begun = engine.began if resumes else clock.now()
        slots = 0

        def each_slot() -> None:
            nonlocal slots
            slots += 1
            director.each_slot()
            reloading.look()
            if heir is not None:
                heir.each_slot()
            watched = board is not None or any(output.watches for output in outputs.now)
            if watched and slots % SLOTS_PER_STATUS == 0:
                status = telemetry.status(clock.now() - begun, reloading.notice)
                telemetry.tell(status)
                if board is not None:
                    board.write(status)

        engine.run(show.duration, each_slot, director.at_slot)
        if heir is not None:
            heir.over()
        seconds = clock.now() - begun
        for line in {output.closing for output in outputs.now} - {""}:
            say(line)
    stages = declared(source, troupe.features, generator)
    values = report(setting, engine, source, outputs.all, seconds, director.dropped, stages)
    for line in summary(setting, values, sum(stages.values()), {o.uri: o.stats.last_error for o in outputs.all}):
        say(line)
    if run.report is not None:
        write_report(run.report, values)


def load_generator(show: Show) -> tuple[Generator | Player, str]:
    """The show's model on its backend, and the backend in words."""
    if show.model.startswith("dictionary:"):
        return load_player(show), "dictionary playback"
    folder = find_model(show.model)
    card = read_card(folder)
    if card.pose_space != "rotations22":
        raise BadModel(f"model '{card.name}' gives {card.pose_space}: it can be drawn, but not sent as bones")
    style = style_weights(card, show.style)
    backend = make_backend(show.backend, folder, card, show.dancers)
    return Generator(card, backend, show.dancers, style, show.seed, show.temperature), backend.device


def load_player(show: Show) -> Player:
    """The dictionary of `--model dictionary:DIR`."""
    folder = Path(show.model.partition(":")[2])
    found = dictionary.load(folder)
    style = style_weights(dictionary.card(found, folder.name), show.style or ",".join(map(str, found.styles)))
    return Player(found, folder.name, show.dancers, style, show.seed, show.temperature)


def make_backend(name: str, folder: Path, card: Any, dancers: int) -> Backend:
    """The named backend, or the best one that is there."""
    module = load_plugin("live.backends", "cpu" if name == "auto" else name, "backend")
    backend: Backend = module.open_backend(folder, card, dancers)
    return backend


def make_source(show: Show, clock: Clock, say: Callable[[str], None]) -> AudioSource:
    """The show's sound; when it names none, the default microphone or else the demo, and says which."""
    wanted = show.input
    if wanted is None:
        wanted = _default_input(clock)
        say(f"input: {wanted} (none was named)")
    kind, _, argument = wanted.partition(":")
    if kind in ("demo", "silence", "microphone"):
        module, argument = kind, argument
    else:
        module, argument = "file", wanted
    source: AudioSource = load_plugin("live.audio", module, "input").open_source(argument, clock)
    return source


def _default_input(clock: Clock) -> str:
    if not clock.paced:
        return "demo"
    try:
        load_plugin("live.audio", "microphone", "input").open_source("", clock)
    except (NoDevice, MissingExtra):
        return "demo"
    return "microphone"


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


__all__ = ["Run", "Unusable", "perform"]
