"""ONNX Runtime's CUDA provider: the state on the device, tensors bound in place, CUDA graphs where they can be had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from live.backends import _shapes, _slots, _trial
from live.backends._resident import OnDevice
from live.card import GRAPH, ModelCard
from live.errors import BadModel, Unusable
from live.gpu import cuda

PROVIDER = "CUDAExecutionProvider"


def missing() -> str:
    """Why there can be no such backend here, in a few words; empty where there can."""
    if PROVIDER not in onnxruntime.get_available_providers():
        return "not installed"
    return cuda.missing()


def open_backend(folder: Path, card: ModelCard, dancers: int) -> OnDevice:
    """Load and run until warm. Raises `Unusable` where the provider cannot be had, `BadModel` on a wrong graph."""
    gpu = cuda.the_gpu()
    _trial.check(folder, GRAPH, dancers)
    onnxruntime.preload_dlls()
    failures = []
    for graphs in (True, False):
        slots = _slots.slots_for(card, dancers)
        try:
            session = _session(folder / GRAPH, dancers, slots.stream, graphs)
            start(session, slots, folder / GRAPH, card, "cuda")
        except BadModel:
            raise
        except Exception as error:  # such as a part of the graph that cannot be recorded
            slots.close()
            failures.append(str(error).splitlines()[0][:120])
            continue
        how = "CUDA graphs" if graphs else "no CUDA graphs"
        return OnDevice("cuda", f"ONNX Runtime {onnxruntime.__version__} CUDA, {how}, {gpu.name}", slots)
    raise Unusable(f"ONNX Runtime cannot use {gpu.name}: {failures[-1]}")


def _session(path: Path, dancers: int, stream: int, graphs: bool) -> onnxruntime.InferenceSession:
    """On our stream, in full float32. Raises where the provider is listed but not there."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_free_dimension_override_by_name("dancers", dancers)
    with_stream = {"user_compute_stream": str(stream), "use_tf32": "0", "enable_cuda_graph": str(int(graphs))}
    providers = [(PROVIDER, with_stream), "CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    if PROVIDER not in session.get_providers():
        raise RuntimeError("its CUDA provider cannot be loaded: install `livedance[cuda]`, and a driver for CUDA 13")
    return session


def start(session: Any, slots: _slots.CudaSlots, path: Path, card: ModelCard, device: str) -> None:
    """Let the slots run the session, whose tensors are bound to them; `device` is where they lie, in its words."""
    _shapes.check(path, {i.name: i.shape[1:] for i in session.get_inputs()}, card)
    ticks = [_bound(session, slots, source, card, device) for source in (0, 1)]
    slots.prepare(lambda source: ticks[source](), lambda: False)  # the provider records its graphs by itself


def _bound(session: Any, slots: _slots.CudaSlots, source: int, card: ModelCard, device: str) -> Callable[[], None]:
    """The run of a tick from one slot; each has a graph of its own."""
    binding, addresses = session.io_binding(), slots.addresses[source]
    for kind, values in ((binding.bind_input, session.get_inputs()), (binding.bind_output, session.get_outputs())):
        for value in values:
            kind(value.name, device, 0, np.float32, slots.shapes[value.name], addresses[value.name])
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("gpu_graph_id", str(source + 1))
    options.add_run_config_entry("disable_synchronize_execution_providers", "1")  # the slots wait for the stream
    return lambda: session.run_with_iobinding(binding, options)
