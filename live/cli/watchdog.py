"""`live perform --watchdog`: a process that hears, keeps outputs' processes, and sees to it that somebody performs.

The engine performs in a process of its own; a second one, loaded and hearing along, waits to go on from what it leaves
in shared memory; a third, the stand-in, holds a neutral pose while neither can.
"""

from __future__ import annotations

import contextlib
import json
import math
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from live import realtime
from live.cli.heir import MOMENT, OVER
from live.cli.manners import on_signals, own_stderr
from live.cli.perform import Run
from live.cli.troupe import make_source
from live.cli.understudy import SPEC, output_for
from live.clock import HostClock
from live.contracts import Output
from live.errors import Failed, Unusable
from live.relay import POLL, Relay
from live.ring import Ring, memory_folder
from live.show import Show
from live.watch import HOLD, LONGEST_HOLD, Lives, Pulse

LOOK, SEE_TO_OUTPUTS = 0.01, 1.0
"""Seconds between two looks at the engine, and at the outputs' processes."""
LOADING = 120.0
"""Seconds that the first engine may take to load."""
BREATHER = 0.5
"""Seconds after an engine took over until the next one is started, which takes a core for a while."""
LAST_WORDS = 10.0
"""Seconds that an engine which was asked to end may take."""
PRIORITY = realtime.FIFO_PRIORITY + 1
PERFORMING = "performing"
"""A file with the process id of who performs, for those who ask."""
DANCER, STAND_IN = "dancer", "stand-in"


class Understudy:
    """A process of `live.cli.understudy`."""

    def __init__(self, folder: Path, number: int, part: str, quiet: bool = True) -> None:
        """`quiet`: what is wrong with it is not told on the terminal."""
        self.part, self.entered = part, math.inf
        self._sign = folder / f"{part}-{number}"
        command = [sys.executable, "-m", "live.cli.understudy", str(folder), self._sign.name, part]
        stderr = subprocess.DEVNULL if quiet else None
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=stderr, start_new_session=True)

    @property
    def ready(self) -> bool:
        return self._sign.exists() and self.process.poll() is None

    def enter(self, hurried: bool) -> None:
        """Its turn has come; `hurried`: before other programs, where that is permitted."""
        if hurried:
            realtime.hurry(self.process.pid)
        self.entered = time.monotonic()
        self._sign.with_name(PERFORMING).write_text(str(self.process.pid))
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.write(b"\n")
            self.process.stdin.flush()

    def end(self) -> None:
        """Without a word, however it hangs."""
        self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.5)
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()


class Watchdog:
    """`serve` until the show is over; its status."""

    def __init__(
        self, folder: Path, relay: Relay, outputs: list[Output], engine: Understudy, hurried: bool = True
    ) -> None:
        self._hurried = hurried
        self._folder, self._relay, self._outputs, self._engine = folder, relay, outputs, engine
        self._waiting: dict[str, Understudy] = {}
        self._number, self._not_before, self._rest = 1, 0.0, HOLD
        self._lives, self._hold = Lives(), -math.inf
        self._why = ""  # nobody performs, and nobody is ready
        self._moment: Ring | None = None
        self._pulse: Pulse | None = None
        self._asked_to_end = math.inf
        self._next_look = self._next_round = 0.0

    def stop(self) -> None:
        """Ask the engine to end the show; safe in a signal handler."""
        self._asked_to_end = min(self._asked_to_end, time.monotonic())
        self._pass_on(signal.SIGTERM)

    def hang_up(self) -> None:
        """Have the engine read the show file again."""
        self._pass_on(signal.SIGHUP)

    def _pass_on(self, number: signal.Signals) -> None:
        with contextlib.suppress(OSError):
            self._engine.process.send_signal(number)

    def serve(self) -> int:
        self._relay.pump()
        self._engine.enter(self._hurried)
        try:
            while (status := self._status()) is None:
                time.sleep(POLL)
                self._relay.pump()
            return status
        finally:
            for one in (*self._waiting.values(), self._engine):
                one.end()

    def _status(self) -> int | None:
        """See to everything; the show's status once it is over."""
        now = time.monotonic()
        if now < self._next_look:
            return None
        self._next_look = now + LOOK
        if (code := self._engine.process.poll()) is not None and self._is_end(code):
            if code < 0:
                raise Failed(f"the engine died (signal {-code}) as the show began or ended")
            return code
        if now - self._asked_to_end > LAST_WORDS:
            raise Failed(f"the engine did not end within {LAST_WORDS:.0f} s")
        if (fault := self._fault(code, now)) and self._asked_to_end == math.inf:
            self._replace(fault, now)
        elif self._engine.part == STAND_IN and now > self._hold and self._is_ready(DANCER):
            self._replace("", now)
        if now >= self._next_round:
            self._next_round = now + SEE_TO_OUTPUTS
            self._round(now)
        return None

    def _is_end(self, code: int) -> bool:
        """Whether an engine that ended with this status ended the show: unusable before its first pose, too."""
        return code == 0 or self._asked_to_end < math.inf or not (self._folder / MOMENT).exists()

    def _fault(self, code: int | None, now: float) -> str:
        """What is wrong with the engine, if anything."""
        if code is not None:
            return f"the engine died ({f'signal {-code}' if code < 0 else f'status {code}'})"
        if self._moment is None:
            if not (self._folder / MOMENT).exists():  # it has as long as it needs to begin the show
                return ""
            self._moment = Ring(self._folder / MOMENT)
        if self._pulse is None:
            self._pulse = Pulse(self._moment.written, now)
        if not self._pulse.look(self._moment.written, now):
            return ""
        if (self._folder / OVER).exists():
            self._asked_to_end = min(self._asked_to_end, now)
            return ""
        return f"the engine hung for {now - self._pulse.last:.2f} s"

    def _is_ready(self, part: str) -> bool:
        return part in self._waiting and self._waiting[part].ready

    def _replace(self, fault: str, now: float) -> None:
        """End the engine and let another one enter: the dancer who waits, or the stand-in."""
        self._engine.end()
        if fault and not self._why and self._engine.part == DANCER:
            self._hold = self._lives.ended(now - self._engine.entered, now)
        part = DANCER if now > self._hold and self._is_ready(DANCER) else STAND_IN
        if not self._is_ready(part) and self._is_ready(DANCER):
            part = DANCER
        self._why = self._why or fault
        if not self._is_ready(part):  # then it is looked for again and again
            self._round(now, at_once=True)
            return
        self._engine, self._pulse, self._not_before = self._waiting.pop(part), None, now + BREATHER
        self._rest = HOLD
        self._engine.enter(self._hurried)
        if self._why:
            self._relay.tell(f"{self._why}: {'another took over' if part == DANCER else 'a neutral pose is held'}")
        self._why = ""

    def _round(self, now: float, at_once: bool = False) -> None:
        """See that somebody waits for each part, and that the outputs' processes live."""
        for part in (DANCER, STAND_IN) if at_once or now > self._not_before else ():
            waiting = self._waiting.get(part)
            if waiting is None:
                self._number += 1
                self._waiting[part] = Understudy(self._folder, self._number, part)
            elif (code := waiting.process.poll()) is not None:
                waiting.end()
                del self._waiting[part]
                self._relay.tell(f"a {part} who waited ended (status {code})")
                self._not_before, self._rest = now + self._rest, min(2.0 * self._rest, LONGEST_HOLD)
        for output in self._outputs:
            if told := output.revive():
                self._relay.tell(told)


def watch_over(show: Show, run: Run, say: Callable[[str], None]) -> int:
    """Perform a show under a watchdog; its exit status. The first engine tells what is wrong by itself."""
    if run.fast or run.trace is not None:
        raise Unusable(f"--watchdog: is for the stage; leave out {'--fast' if run.fast else '--trace'}")
    if sys.platform == "win32":
        raise Unusable("--watchdog: there is none for Windows; leave it out")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="live-watchdog-", dir=memory_folder())))
        source = make_source(show, HostClock(), say)
        (folder / SPEC).write_text(json.dumps(_spec(show, run, source.name)))
        engine = Understudy(folder, 0, DANCER, quiet=False)
        stack.callback(engine.end)
        if (code := _loaded(engine)) is not None:
            return code
        outputs = [output_for(uri, number, folder) for number, uri in enumerate(show.output)]
        outputs = [output for output in outputs if output.apart]
        for output in outputs:
            stack.callback(output.close)
            output.open(show.dancers, True)
        stack.enter_context(own_stderr())
        if run.realtime:
            realtime.enter(PRIORITY)
            stack.callback(realtime.leave)
        watchdog = Watchdog(folder, Relay(folder, source), outputs, engine, run.realtime)
        stack.enter_context(on_signals(watchdog.stop, signal.SIGINT, signal.SIGTERM))
        stack.enter_context(on_signals(watchdog.hang_up, signal.SIGHUP))
        source.start()
        stack.callback(source.close)
        return watchdog.serve()


def _spec(show: Show, run: Run, name: str) -> dict[str, object]:
    """What engines are told."""
    values = asdict(run)
    paths = {key: str(values[key].absolute()) if values[key] else None for key in ("report", "file", "trace")}
    rest = {key: value for key, value in values.items() if key not in paths}
    return {"show": show.model_dump(mode="json"), "run": rest, "paths": paths, "input": name}


def _loaded(engine: Understudy) -> int | None:
    """Wait until it is ready; its status if it ended instead."""
    begun = time.monotonic()
    while not engine.ready:
        if (code := engine.process.poll()) is not None:
            return code
        if time.monotonic() - begun > LOADING:
            raise Failed(f"the engine did not load within {LOADING:.0f} s")
        time.sleep(LOOK)
    return None
