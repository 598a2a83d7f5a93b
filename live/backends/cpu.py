"""ONNX Runtime on the CPU, one thread: the int8 graph where the folder has one, else the float16-stored one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from live.backends import _shapes
from live.card import ModelCard
from live.contracts import Backend
from live.errors import BadModel
from live.types import Float32, Inputs, State

WARM_UP_STEPS = 20


class CpuBackend(Backend):
    """One session; `step` hands arrays over and back, the state stays a value."""

    name = "cpu"
    any_batch = True

    def __init__(self, session: onnxruntime.InferenceSession, graph: str) -> None:
        self._session = session
        self._outputs = [output.name for output in session.get_outputs()]
        self.device = f"ONNX Runtime {onnxruntime.__version__} CPU, 1 thread, {graph}"

    def step(self, inputs: Inputs, state: State) -> tuple[Float32, State]:
        feed = {**inputs, **{f"state_{name}": value for name, value in state.items()}}
        poses, *following = self._session.run(self._outputs, feed)
        return poses, {name[5:]: value for name, value in zip(self._outputs[1:], following, strict=True)}

    def close(self) -> None:
        del self._session


def missing() -> str:
    """Nothing: it is there wherever the program runs."""
    return ""


def open_backend(folder: Path, card: ModelCard, dancers: int, graph: str | None = None) -> CpuBackend:
    """Load and warm up. `graph` names another file of the folder. Raises `BadModel` when it does not fit the card."""
    graph = graph or ("generator.int8.onnx" if (folder / "generator.int8.onnx").exists() else "generator.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Without VNNI, products of unsigned and signed bytes overflow their 16-bit sums; this makes them exact there.
    options.add_session_config_entry("session.x64quantprecision", "1")
    try:
        session = onnxruntime.InferenceSession(str(folder / graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = str(error).splitlines()[0][:120]
        raise BadModel(f"{folder / graph}: cannot be loaded ({reason}); fetch the model folder again") from None
    _shapes.check(folder / graph, {i.name: i.shape[1:] for i in session.get_inputs()}, card)
    backend = CpuBackend(session, graph)
    _warm_up(backend, card, dancers)
    return backend


def _warm_up(backend: CpuBackend, card: ModelCard, dancers: int) -> None:
    def zeros(shapes: _shapes.Shapes) -> dict[str, Float32]:
        return {name: np.zeros((dancers, *shape), np.float32) for name, shape in shapes.items()}

    inputs = zeros(_shapes.inputs(card))
    state: State = zeros(_shapes.state(card))
    for _ in range(WARM_UP_STEPS):
        poses, state = backend.step(inputs, state)
    if poses.shape != (dancers, *_shapes.poses(card)):
        raise BadModel(f"model '{card.name}': gives poses of shape {poses.shape[1:]}, not as its card says")
