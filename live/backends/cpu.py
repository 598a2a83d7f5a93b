"""ONNX Runtime on the CPU, one thread: the int8 graph where the folder has one, else the float16-stored one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from live.backends import _shapes
from live.backends._resident import OnDevice, Slots
from live.card import GRAPH, ModelCard, read_listed
from live.errors import BadModel
from live.types import Float32, Inputs, State

WARM_UP_STEPS = 20


class CpuBackend(OnDevice):
    """One session with its tensors bound in place, so that a tick allocates nothing; fewer dancers than it was opened
    for go through it unbound."""

    any_batch = True

    def __init__(self, session: onnxruntime.InferenceSession, graph: str, card: ModelCard, dancers: int) -> None:
        words = f"ONNX Runtime {onnxruntime.__version__} CPU, 1 thread, {graph}"
        super().__init__("cpu", words, Bound(session, card, dancers))
        self._session, self._dancers = session, dancers
        self._outputs = [output.name for output in session.get_outputs()]

    def step(self, inputs: Inputs, state: State) -> tuple[Float32, State]:
        if len(inputs["features"]) == self._dancers:
            return super().step(inputs, state)
        feed = {**inputs, **{f"state_{name}": value for name, value in state.items()}}
        poses, *following = self._session.run(self._outputs, feed)
        return poses, {name[5:]: value for name, value in zip(self._outputs[1:], following, strict=True)}

    def close(self) -> None:
        super().close()
        del self._session


class Bound(Slots):
    """Slots in the host's own memory."""

    def __init__(self, session: onnxruntime.InferenceSession, card: ModelCard, dancers: int) -> None:
        self._session, self.names = session, tuple(card.state)
        self._given = _shapes.zeros(_shapes.inputs(card), dancers)
        self._poses = np.zeros((dancers, *_shapes.poses(card)), np.float32)
        self._slots = [_shapes.zeros(_shapes.state(card), dancers) for _ in (0, 1)]
        self._ticks = [self._bound(source) for source in (0, 1)]

    def run(self, source: int, inputs: Inputs) -> Float32:
        for name, array in self._given.items():
            array[...] = inputs[name]
        self._session.run_with_iobinding(self._ticks[source])
        return self._poses.copy()

    def upload(self, slot: int, state: State) -> None:
        for name, array in self._slots[slot].items():
            array[...] = state[name]

    def fetch(self, slot: int) -> dict[str, Float32]:
        return {name: array.copy() for name, array in self._slots[slot].items()}

    def copy(self, slot: int) -> Callable[[], dict[str, Float32]]:
        copied = self.fetch(slot)
        return lambda: copied

    def close(self) -> None:
        del self._session, self._ticks

    def _bound(self, source: int) -> Any:
        binding = self._session.io_binding()
        before, after = self._slots[source], self._slots[1 - source]
        taken = self._given | {f"state_{name}": array for name, array in before.items()}
        made = {"poses": self._poses} | {f"next_{name}": array for name, array in after.items()}
        for bind, arrays in ((binding.bind_input, taken), (binding.bind_output, made)):
            for name, array in arrays.items():
                bind(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        return binding


def missing() -> str:
    """Nothing: it is there wherever the program runs."""
    return ""


def open_backend(folder: Path, card: ModelCard, dancers: int, graph: str | None = None) -> CpuBackend:
    """Load and warm up. `graph` names another file of the folder. Raises `BadModel` when it does not fit the card, or
    when it cannot be run without harm."""
    from live.backends import _trial  # which runs what is below

    graph = graph or ("generator.int8.onnx" if (folder / "generator.int8.onnx").exists() else GRAPH)
    _trial.check(folder, graph, dancers)
    return load(folder, card, dancers, graph)


def load(folder: Path, card: ModelCard, dancers: int, graph: str) -> CpuBackend:
    """The graph whose hash the card has, and nothing from beside it: weights in other files are not looked for."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Without VNNI, products of unsigned and signed bytes overflow their 16-bit sums; this makes them exact there.
    options.add_session_config_entry("session.x64quantprecision", "1")
    raw = read_listed(folder, graph, card)
    try:
        session = onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise BadModel(f"{folder / graph}: cannot be loaded ({reason(error)}); fetch the model folder again") from None
    _shapes.check(folder / graph, {i.name: i.shape[1:] for i in session.get_inputs()}, card)
    try:
        backend = CpuBackend(session, graph, card, dancers)
        inputs = _shapes.zeros(_shapes.inputs(card), dancers)
        state: State = _shapes.zeros(_shapes.state(card), dancers)
        for _ in range(WARM_UP_STEPS):
            _, state = backend.step(inputs, state)
    except Exception as error:  # what it gives is of another name or shape
        told = f"does not give what the card says ({reason(error)}); export it again"
        raise BadModel(f"{folder / graph}: {told}") from None
    return backend


def reason(error: Exception) -> str:
    """Its first words."""
    return " ".join(str(error).split())[:120]
