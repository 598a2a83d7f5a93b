"""`live perform`: read the show, load the model, open the outputs, then the sound, and run the loop."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from live import dictionary, realtime
from live.blocking import Blocking
from live.board import Board
from live.card import find_model, read_card
from live.cli.direct import described, make_director, open_controls
from live.cli.outputs import Outputs, make_output, slowest
from live.cli.overhear import Overheard
from live.cli.reload import Reloading, Stagehands
from live.cli.telemetry import Telemetry
from live.clock import Clock, HostClock, VirtualClock
from live.contracts import AudioSource, Backend, Output, load_plugin
from live.dictionary import Player
from live.director import Cast
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


def perform(show: Show, run: Run, say: Callable[[str], None]) -> None:
    """Perform a show to its end. Models load first, hardware opens last."""
    generator, backend_name = load_generator(show)
    first = [make_output(uri) for uri in show.output]
    clock: Clock = VirtualClock(time.monotonic()) if run.fast else HostClock()
    outputs = Outputs(show.dancers, clock.paced)
    source = Overheard(make_source(show, clock, say), outputs.now)
    hand, motion = Hand(_tracker(show)), make_motion(show)
    lightest = load_plugin("live.beats", "aubio", "beat tracker").open_tracker()
    features = Extractor(hand, twin=Extractor(lightest))  # the twin is only practised on
    engine = Engine(source, features, generator, motion, outputs.now, clock,
                    make_timing(show, run, generator, first), Listener())  # fmt: skip
    with contextlib.ExitStack() as stack:
        stack.enter_context(_own_stderr())
        controls = stack.enter_context(open_controls(show, clock.paced, say))
        blocking = Blocking(motion, show.dancers, show.stage.formation, show.stage.spacing)
        cast = Cast(engine, hand, motion, generator, partial(style_weights, generator.card),
                    automatic_lead(generator, first), blocking, generator.card.temperature)  # fmt: skip
        director = make_director(cast, controls, show)
        stack.enter_context(on_signals(engine.stop, signal.SIGINT, signal.SIGTERM))
        stack.callback(outputs.close)
        outputs.open(first)
        for line in (output.notice for output in first if output.notice):
            say(line)
        stack.enter_context(described(show, first, controls.all))
        board = stack.enter_context(_view(run))
        reader = Reader(run.file, run.options) if run.file is not None and clock.paced else None
        stack.callback(reader.close if reader is not None else lambda: None)
        reloading = Reloading(reader, show, Stagehands(director, controls, outputs), say if board is None else None)
        if hasattr(signal, "SIGHUP") and reader is not None:
            stack.enter_context(on_signals(_on_hang_up(engine.stop, reloading.ask), signal.SIGHUP))
        stack.enter_context(tracing(run.trace, engine.ledger))
        notes = realtime.enter() if run.realtime and clock.paced else []
        stack.callback(realtime.leave if notes else lambda: None)
        setting = Setting(show.model, backend_name, source.name, notes)
        telemetry = Telemetry(setting, engine, source, outputs.now, director, controls.all)
        source.start()
        stack.callback(source.close)
        begun = clock.now()
        slots = 0

        def each_slot() -> None:
            nonlocal slots
            slots += 1
            director.each_slot()
            reloading.look()
            watched = board is not None or any(output.watches for output in outputs.now)
            if watched and slots % SLOTS_PER_STATUS == 0:
                status = telemetry.status(clock.now() - begun, reloading.notice)
                telemetry.tell(status)
                if board is not None:
                    board.write(status)

        engine.run(show.duration, each_slot, director.at_slot)
        seconds = clock.now() - begun
        for line in {output.closing for output in outputs.now} - {""}:
            say(line)
    stages = declared(source, features, generator)
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


def _tracker(show: Show) -> Any:
    return load_plugin("live.beats", show.tracker, "beat tracker").open_tracker()


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


def declared(source: AudioSource, features: Extractor, generator: Generator | Player) -> dict[str, float]:
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


@contextlib.contextmanager
def _own_stderr() -> Iterator[None]:
    """Keep stderr for our own lines: C libraries (PortAudio, ALSA) write theirs past Python when a device goes away."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr, as under pythonw
        yield
        return
    before, sys.stderr = sys.stderr, os.fdopen(kept, "w", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        sys.stderr.close()
        sys.stderr = before


def _on_hang_up(stop: Callable[[], None], reload: Callable[[], None]) -> Callable[[], None]:
    """SIGHUP asks for the show file to be read again; but it is also what a terminal says when it is closed."""
    terminal = sys.stdin is not None and sys.stdin.isatty()
    return lambda: (stop if terminal and not os.isatty(0) else reload)()


@contextlib.contextmanager
def on_signals(act: Callable[[], None], *numbers: signal.Signals) -> Iterator[None]:
    """`act` at these signals: Ctrl-C and SIGTERM end a show cleanly, and a second one while closing changes nothing."""

    def acted(_number: int, _frame: FrameType | None) -> None:
        act()

    before = {number: signal.signal(number, acted) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


__all__ = ["Run", "Unusable", "perform"]
