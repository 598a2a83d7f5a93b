"""The beat networks on the stage: one frame in, what it tells out, by ONNX Runtime on one thread."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime

from live.types import Float32


class Telling(NamedTuple):
    """Probabilities of a beat and of a downbeat, of each tempo [tempi], and the networks' state after."""

    beat: float
    downbeat: float
    tempo: Float32
    state: Float32


class Network:
    """The session reads and writes arrays of its own, bound once, which spares a quarter of its time; what it
    remembers between frames is a value in and a value out."""

    def __init__(self, weights: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        self._bound = self._session.io_binding()
        self._frame, self._state = (self._array(i) for i in self._session.get_inputs())
        self._beats, self._tempo, self._after = (self._array(o) for o in self._session.get_outputs())

    def initial_state(self) -> Float32:
        return np.zeros_like(self._state)

    def tell(self, frame: Float32, state: Float32) -> Telling:
        """What one frame [inputs] says after `state`."""
        self._frame[0] = frame
        self._state[:] = state
        self._session.run_with_iobinding(self._bound)
        beat, downbeat = self._beats[0].tolist()
        return Telling(beat, downbeat, self._tempo[0].copy(), self._after.copy())

    def _array(self, end: onnxruntime.NodeArg) -> Float32:
        """Bind an array, of one frame, to an input or output of the session."""
        array = np.zeros([size if isinstance(size, int) else 1 for size in end.shape], np.float32)
        value = onnxruntime.OrtValue.ortvalue_from_numpy(array)  # on the CPU it is this very memory
        inputs = {i.name for i in self._session.get_inputs()}
        bind = self._bound.bind_ortvalue_input if end.name in inputs else self._bound.bind_ortvalue_output
        bind(end.name, value)
        return array
