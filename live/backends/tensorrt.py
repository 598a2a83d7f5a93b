"""TensorRT on an NVIDIA GPU: the state on the device, one recorded CUDA graph a tick.

The engine is made of `generator.onnx` when there is none yet, or a stale one (a second with TensorRT-RTX); float16
unless asked otherwise.
"""

from __future__ import annotations

from pathlib import Path

from live.backends import _shapes, _slots, _trial
from live.backends._resident import OnDevice
from live.card import GRAPH, ModelCard
from live.errors import Failed, Unusable
from live.gpu import cuda, engines
from live.gpu.network import Network


def missing() -> str:
    """Why there can be no such backend here, in a few words; empty where there can."""
    return engines.missing()


def open_backend(folder: Path, card: ModelCard, dancers: int, precision: str = "fp16") -> OnDevice:
    """Find or make the engine, load it, run it until it is warm. Raises `Unusable` where that cannot be."""
    gpu = cuda.the_gpu()
    _trial.check(folder, GRAPH, dancers)
    key = engines.key(card.name, card.sha256[GRAPH], gpu.capability, dancers, precision)
    try:
        slots = _slots.slots_for(card, dancers)
        _start(Network(engines.engine(folder / GRAPH, key)[0], key), slots, folder / GRAPH, card)
    except Failed as error:
        raise Unusable(f"TensorRT cannot be used on {gpu.name}: {error}") from None
    return OnDevice("tensorrt", f"{key.tensorrt}, {precision}, {gpu.name}", slots)


def _start(network: Network, slots: _slots.CudaSlots, path: Path, card: ModelCard) -> None:
    """Let the slots run the network."""
    _shapes.check(path, {name: shape[1:] for name, shape in network.inputs.items()}, card)
    slots.prepare(
        lambda source: network.enqueue(slots.addresses[source], slots.stream), lambda: network.recordable(slots.stream)
    )
    network.keep()
