"""`live perform`: read the show, load the model, open the outputs, then the sound, and run the loop."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from live import dictionary, realtime
from live.board import Board
from live.card import find_model, read_card
from live.cli.direct import described, make_director, open_controls
from live.clock import Clock, HostClock, VirtualClock
from live.contracts import AudioSource, Backend, Output, load_plugin
from live.dictionary import Player
from live.director import Cast
from live.engine import Engine, Timing
from live.errors import BadModel, BadTarget, MissingExtra, NoDevice, Unusable
from live.features.extractor import Extractor
from live.features.signals import Listener
from live.generator import Generator, style_weights
from live.hand import Hand
from live.motion.body import Motion, MotionConfig
from live.pace import PERIOD
from live.placement import split
from live.report import Setting, report, summary, write_report
from live.show import Show
from live.trace import tracing
from live.types import FRAME_RATE

SLOTS_PER_STATUS = 4
REHEARSALS = 4
"""Of each tick in real-time mode; a fifth of a core buys half the time from sound to pose."""


@dataclass(frozen=True)
class Run:
    """How to run a show, beside the show itself."""

    fast: bool = False
    realtime: bool = True
    view: bool = True
    report: Path | None = None
    trace: Path | None = None


def perform(show: Show, run: Run, say: Callable[[str], None]) -> None:
    """Perform a show to its end. Models load first, hardware opens last."""
    generator, backend_name = load_generator(show)
    outputs = [make_output(uri) for uri in show.output]
    clock: Clock = VirtualClock(time.monotonic()) if run.fast else HostClock()
    source = make_source(show, clock, say)
    hand, motion = Hand(_tracker(show)), make_motion(show)
    lightest = load_plugin("live.beats", "aubio", "beat tracker").open_tracker()
    features = Extractor(hand, twin=Extractor(lightest))  # the twin is only practised on
    engine = Engine(source, features, generator, motion, outputs, clock,
                    make_timing(show, run, generator, outputs), Listener())  # fmt: skip
    with contextlib.ExitStack() as stack:
        controls = stack.enter_context(open_controls(show, clock.paced, say))
        cast = Cast(engine, hand, motion, generator, partial(style_weights, generator.card),
                    automatic_lead(generator, outputs))  # fmt: skip
        director = make_director(cast, controls, show)
        stack.enter_context(_own_stderr())
        stack.enter_context(stop_on_signals(engine.stop))
        for output in outputs:
            output.open(show.dancers, clock.paced)
            stack.callback(output.close)
        stack.enter_context(described(show, outputs, controls))
        board = stack.enter_context(_view(run))
        stack.enter_context(tracing(run.trace, engine.ledger))
        notes = realtime.enter() if run.realtime and clock.paced else []
        stack.callback(realtime.leave if notes else lambda: None)
        setting = Setting(show.model, backend_name, source.name, notes)
        source.start()
        stack.callback(source.close)
        begun = clock.now()
        slots = 0

        def each_slot() -> None:
            nonlocal slots
            slots += 1
            director.each_slot()
            if board is not None and slots % SLOTS_PER_STATUS == 0:
                board.write(status(setting, engine, source, outputs, clock.now() - begun))

        engine.run(show.duration, each_slot, director.at_slot)
        seconds = clock.now() - begun
    stages = declared(source, features, generator)
    values = report(setting, engine, source, outputs, seconds, director.dropped, stages)
    for line in summary(setting, values, sum(stages.values())):
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


def make_output(uri: str) -> Output:
    """The output of a URI such as `vmc://host:port`."""
    scheme, colon, _ = uri.partition(":")
    if not colon:
        raise BadTarget(f"output '{uri}': write SCHEME://HOST:PORT, for example vmc://127.0.0.1:39539")
    bare, placement = split(uri)
    output: Output = load_plugin("live.outputs", scheme.lower(), "output").open_output(bare)
    output.uri, output.placement = uri, placement
    output.latency = placement.latency / 1000.0 or output.latency
    return output


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
    return Motion(MotionConfig(stage_radius=stage.radius, spacing=stage.spacing, entrance=stage.entrance))


def make_timing(show: Show, run: Run, generator: Generator | Player, outputs: list[Output]) -> Timing:
    """The beat is met ahead by the anticipation asked for: automatic means the slowest output's declared latency less
    the model's accent offset."""
    wanted = automatic_lead(generator, outputs) if show.anticipation is None else show.anticipation / 1000.0
    return Timing(wanted, _latency(outputs), generator.card.tempo_range, REHEARSALS * run.realtime)


def automatic_lead(generator: Generator | Player, outputs: list[Output]) -> float:
    """Seconds by which the beat is met early where no anticipation is asked for."""
    return _latency(outputs) - generator.card.accent_offset


def _latency(outputs: list[Output]) -> float:
    return max((output.latency for output in outputs), default=0.0)


def declared(source: AudioSource, features: Extractor, generator: Generator | Player) -> dict[str, float]:
    """The longest times (s) that the stages declare from a sound to the first pose that can know of it: a frame filling
    up, its waiting for the tick, the source's own latency. Computing comes on top."""
    wait = (generator.poses_per_tick - 1) * PERIOD
    return {"source": source.latency, "features": features.latency, "generator": wait}


def status(
    setting: Setting, engine: Engine, source: AudioSource, outputs: list[Output], seconds: float
) -> dict[str, Any]:
    """What the status board shows."""
    ledger, total = engine.ledger, engine.ledger.stages["total"]
    return {
        "model": setting.model,
        "input": setting.input,
        "time": seconds,
        "bpm": engine.beat.bpm,
        "phase": engine.beat.phase,
        "confidence": engine.beat.confidence,
        "energy_db": engine.signals.energy,
        "build": engine.signals.build,
        "event": engine.signals.event.name,
        "level_db": 20 * math.log10(max(engine.level, 1e-4)),
        "ticks_per_s": ledger.ticks / max(seconds, 1 / FRAME_RATE),
        "p99_ms": total.percentile(0.99) * 1e3,
        "worst_ms": total.max * 1e3,
        "misses": ledger.misses,
        "overflows": source.overflows,
        "recoveries": len(ledger.recoveries),
        "last_recovery": ledger.recoveries[-1] if ledger.recoveries else "",
        "targets": [(o.uri, o.stats.sent, o.stats.errors) for o in outputs][:16],
    }


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


@contextlib.contextmanager
def stop_on_signals(stop_show: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the show cleanly; a second one while closing changes nothing."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        stop_show()

    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


__all__ = ["Run", "Unusable", "perform"]
