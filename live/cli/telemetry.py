"""How a show is going, as plain values: for the terminal's status board and for outputs that watch, such as the
monitor page."""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from live.contracts import AudioSource, Control, Output
from live.director import Director
from live.engine import Engine
from live.report import Setting
from live.types import FRAME_RATE

TICKS = 16
"""Ticks whose times are told: half a second, so that a watcher may miss some of the tellings."""
LINES = 8
"""Recoveries told, the newest."""
LONGEST = 300
"""Letters of a line."""
TARGETS = 16


class Recent:
    """What the last ticks' time was spent on. `add` is one of a ledger's traces."""

    def __init__(self) -> None:
        self._count = 0
        self._ticks: deque[list[float]] = deque(maxlen=TICKS)

    def add(self, ticked: int, _due: float, *starts: float) -> None:
        """The values of a `live.trace.Row`."""
        if ticked:
            self._count += 1
            stages = [b - a for a, b in pairwise(starts[:7])]
            self._ticks.append([round(1e3 * seconds, 4) for seconds in (*stages, starts[6] - starts[1])])

    def told(self) -> dict[str, Any]:
        """count: ticks so far; ms: of the last ones, oldest first, a row in the order of `live.ledger.STAGES`."""
        return {"count": self._count, "ms": list(self._ticks)}


class Telemetry:
    """The values of one show. `controls`: where orders are heard."""

    def __init__(
        self,
        setting: Setting,
        engine: Engine,
        source: AudioSource,
        outputs: Sequence[Output],
        director: Director,
        controls: Sequence[Control],
    ) -> None:
        self._setting, self._engine, self._source, self._outputs = setting, engine, source, outputs
        self._director = director
        self._orders_at = next((c.name.removeprefix("osc ") for c in controls if c.name.startswith("osc ")), "")
        self._recent = Recent()
        engine.ledger.traces.append(self._recent.add)

    def status(self, seconds: float, notice: str) -> dict[str, Any]:
        """What the status board shows."""
        engine, ledger = self._engine, self._engine.ledger
        total = ledger.stages["total"]
        return {
            "model": self._setting.model,
            "input": self._setting.input,
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
            "overflows": self._source.overflows,
            "recoveries": len(ledger.recoveries),
            "last_recovery": ledger.recoveries[-1] if ledger.recoveries else "",
            "targets": [(o.told, o.stats.sent, o.stats.errors) for o in self._outputs][:TARGETS],
            "notice": notice,
        }

    def watched(self, status: dict[str, Any]) -> dict[str, Any]:
        """`status`, and what a watcher is told beside it: the last ticks and recoveries, and what can be asked for."""
        return status | {
            "backend": self._setting.backend,
            "beats_per_bar": self._engine.beat.beats_per_bar,
            "lines": [line[:LONGEST] for line in self._engine.ledger.recoveries[-LINES:]],
            "ticks": self._recent.told(),
            "dropped": self._director.dropped,
            "asked": self._director.asked(),
            "orders_at": self._orders_at,
        }

    def tell(self, status: dict[str, Any]) -> None:
        """Tell those outputs that watch."""
        watchers = [output for output in self._outputs if output.watches]
        if watchers:
            values = self.watched(status)
            for output in watchers:
                with contextlib.suppress(Exception):  # whatever happens to a page, the dance goes on
                    output.watch(values)
