"""A performance to be measured: `live perform` in a process of its own, watched from outside."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from live.errors import Failed, MissingExtra
from live.lab.receiver import Received, Receiver
from live.types import Float64

STEAL_EVERY, SAMPLE_EVERY = 0.1, 1.0
"""Seconds."""
PATIENCE = 10.0
"""Seconds in which a performance that is told to end has ended."""
MB = 1e6
BUSY = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    for _ in range(1_000_000): pass
"""
"""Ends with who started it, however that went."""


@dataclass(frozen=True)
class Plan:
    """What is performed, with the words of `live perform`; `warm_up` seconds of it do not count."""

    input: str = "demo"
    model: str = "salsa"
    backend: str = "auto"
    dancers: int = 1
    duration: float = 60.0
    warm_up: float = 2.0
    output: tuple[str, ...] = ()
    """Beside the receiver."""
    watchdog: bool = False

    def arguments(self) -> list[str]:
        """The options of `live perform`."""
        named = {"input": self.input, "model": self.model, "backend": self.backend, "dancers": self.dancers,
                 "duration": self.warm_up + self.duration}  # fmt: skip
        pairs = [*named.items(), *(("output", uri) for uri in self.output)]
        return [word for name, value in pairs for word in (f"--{name}", str(value))] + ["--watchdog"] * self.watchdog


class Told(NamedTuple):
    """What a performance left: its report, what was received, the events of its trace."""

    report: dict[str, Any]
    received: Received
    trace: list[dict[str, Any]]


class Performance:
    """The process, from now on. `end` waits for it. Use as a context, so that it ends in any case."""

    def __init__(
        self, plan: Plan, trace: bool = False, face: bool = False, env: Mapping[str, str] | None = None
    ) -> None:
        with contextlib.ExitStack() as stack:
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self._receiver = stack.enter_context(Receiver())
            uri = self._receiver.uri + "?face=loudness" * face
            files = ["--report", str(self._folder / "report.json")]
            files += ["--trace", str(self._folder / "trace.json")] * trace
            command = [sys.executable, "-m", "live", "perform", *plan.arguments(), "--output", uri, *files]
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=env)
            stack.callback(self._stop)
            self._stack = stack.pop_all()

    def _stop(self) -> None:
        """End it where it still runs: with its own processes, if it listens."""
        with self.process:
            self.process.terminate()
            try:
                self.process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def __enter__(self) -> Performance:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def end(self) -> Told:
        """Wait for its end; one that failed is `Failed` with its own words."""
        _, complaint = self.process.communicate()
        if self.process.returncode:
            raise Failed(f"live perform failed with status {self.process.returncode}: {complaint.strip()}")
        report, trace = (self._folder / name for name in ("report.json", "trace.json"))
        events = json.loads(trace.read_text())["traceEvents"] if trace.exists() else []
        return Told(json.loads(report.read_text()), self._receiver.received(), events)


@dataclass
class Samples:
    """What was sampled while a performance ran. `began` is host monotonic seconds."""

    began: float = field(default_factory=time.monotonic)
    stolen: list[tuple[float, float, float]] = field(default_factory=list)
    """From, to, seconds that the hypervisor took in between."""
    process: list[tuple[float, float, float]] = field(default_factory=list)
    """Seconds since `began`, resident MB, CPU seconds used."""

    def warm(self, warm_up: float) -> Float64:
        """`process` [n, 3] after the warm-up, or of the second half where that is not over."""
        samples = np.array(self.process, np.float64).reshape(-1, 3)
        return samples[samples[:, 0] >= min(warm_up, samples[-1, 0] / 2)] if len(samples) else samples

    def cores(self, warm_up: float) -> float:
        """How many cores it kept busy; NaN where it was too short to tell."""
        samples = self.warm(warm_up)
        return float(np.ptp(samples[:, 2]) / np.ptp(samples[:, 0])) if len(samples) > 1 else float("nan")


def watch(performance: Performance) -> Samples:
    """Sample until the performance ends."""
    psutil = load_psutil()
    samples, process = Samples(), psutil.Process(performance.process.pid)
    before, counted, due = time.monotonic(), _steal(psutil), samples.began
    while performance.process.poll() is None:
        time.sleep(STEAL_EVERY)
        now, total = time.monotonic(), _steal(psutil)
        if total > counted:
            samples.stolen.append((before, now, total - counted))
        if now >= due:
            with contextlib.suppress(psutil.Error):
                used, resident = process.cpu_times(), process.memory_info().rss
                if resident:  # none: it has ended, and waits to be asked how
                    samples.process.append((now - samples.began, resident / MB, used.user + used.system))
            due += SAMPLE_EVERY
        before, counted = now, total
    return samples


def load_psutil() -> Any:
    """The module `psutil`; raises `MissingExtra` without it."""
    try:
        import psutil
    except ImportError:
        raise MissingExtra("psutil", "bench", "watching a performance") from None
    return psutil


def _steal(psutil: Any) -> float:
    """Seconds stolen from all cores since boot; 0 where nobody counts them."""
    return float(getattr(psutil.cpu_times(), "steal", 0.0))


@contextlib.contextmanager
def busy_core(wanted: bool) -> Iterator[None]:
    """One core kept busy by another process."""
    if not wanted:
        yield
        return
    process = subprocess.Popen([sys.executable, "-c", BUSY, str(os.getpid())])
    try:
        yield
    finally:
        process.kill()
        process.wait()
