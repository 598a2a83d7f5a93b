"""`null:` counts poses and sends them nowhere."""

from __future__ import annotations

from live.contracts import Output
from live.outputs import _guard, _uri
from live.types import Pose


def open_output(uri: str) -> NullOutput:
    """`null:`"""
    _uri.nothing(uri)
    return NullOutput(uri)


class NullOutput(Output):
    """Takes poses as the others do, so that a rehearsal counts the same faults."""

    _dancers = 0
    _fault = ""

    def open(self, dancers: int, paced: bool) -> None:
        self._dancers = dancers

    def _encode(self, pose: Pose) -> None:
        self._fault = _guard.body_fault(pose, self._dancers)

    def _transmit(self) -> None:
        if self._fault:
            self.failed(ValueError(self._fault))
        else:
            self.stats.sent += 1

    def close(self) -> None:
        self._dancers = 0
