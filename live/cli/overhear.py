"""A source that outputs listen in on: a film wants the sound that the dancers hear."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from live.contracts import AudioSource, Output
from live.types import AudioBlock


class Overheard:
    """The source itself in all but `read_available`."""

    def __init__(self, source: AudioSource, outputs: Sequence[Output]) -> None:
        """`outputs`: those of now, a list that may change."""
        self._source, self._outputs = source, outputs
        self.name = source.name

    @property
    def latency(self) -> float:
        return self._source.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._source.latency = seconds

    def start(self) -> None:
        self._source.start()

    def read_available(self) -> AudioBlock:
        block = self._source.read_available()
        for output in self._outputs if len(block.samples) else ():
            if output.hears:
                with contextlib.suppress(Exception):  # whatever happens to a film, the dancers hear
                    output.hear(block.samples, self._source.capture_time(block.start))
        return block

    def capture_time(self, sample: int) -> float:
        return self._source.capture_time(sample)

    @property
    def finished(self) -> bool:
        return self._source.finished

    @property
    def overflows(self) -> int:
        return self._source.overflows

    def recoveries(self) -> list[str]:
        return self._source.recoveries()

    def close(self) -> None:
        self._source.close()
