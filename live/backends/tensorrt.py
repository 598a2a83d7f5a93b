"""TensorRT on an NVIDIA GPU: the state on the device, one recorded CUDA graph a tick.

The engine is made of `generator.onnx` when there is none yet, or a stale one (a second with TensorRT-RTX); float16
unless asked otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from live.backends import _cuda, _engine, _shapes, _trial
from live.backends._resident import OnDevice
from live.card import ModelCard
from live.errors import Failed, Unusable


def missing() -> str:
    """Why there can be no such backend here, in a few words; empty where there can."""
    if not _engine.installed():
        return "not installed"
    return _cuda.missing()


def open_backend(folder: Path, card: ModelCard, dancers: int, precision: str = "fp16") -> OnDevice:
    """Find or make the engine, load it, run it until it is warm. Raises `Unusable` where that cannot be."""
    gpu = _cuda.the_gpu()
    _trial.check(folder, "generator.onnx", dancers)
    key = _engine.key(card, gpu.capability, dancers, precision)
    try:
        slots = _cuda.slots_for(card, dancers)
        _start(_engine.library(gpu.capability), _engine.engine(folder, key)[0], slots, folder, card, key)
    except Failed as error:
        raise Unusable(f"TensorRT cannot be used on {gpu.name}: {error}") from None
    return OnDevice("tensorrt", f"{key.tensorrt}, {precision}, {gpu.name}", slots)


def _start(trt: Any, blob: bytes, slots: _cuda.CudaSlots, folder: Path, card: ModelCard, key: _engine.Key) -> None:
    """Let the slots run the engine. Kernels that TensorRT-RTX compiled here before are not compiled again."""
    engine = trt.Runtime(_engine.logger(trt)).deserialize_cuda_engine(blob)
    if engine is None:
        raise Failed(f"the engine cannot be loaded: {' '.join(_engine.logger(trt).complaints[-1:])}")
    names = [engine.get_tensor_name(n) for n in range(engine.num_io_tensors)]
    taken = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
    _shapes.check(folder / "generator.onnx", {name: tuple(engine.get_tensor_shape(name))[1:] for name in taken}, card)
    kernels = _Kernels(engine, _engine.kernels(key))
    context = kernels.context()
    if context is None:
        raise Failed("there is no memory for the engine")

    def enqueue(source: int) -> None:
        for name, address in slots.addresses[source].items():
            context.set_tensor_address(name, address)
        if not context.execute_async_v3(slots.stream):
            raise Failed(f"the engine does not run: {' '.join(_engine.logger(trt).complaints[-1:])}")

    slots.prepare(enqueue, lambda: _capturable(context, slots.stream))
    kernels.keep()


def _capturable(context: Any, stream: int) -> bool:
    """TensorRT-RTX tells; TensorRT records everything that has fixed shapes."""
    return bool(context.is_stream_capturable(stream)) if hasattr(context, "is_stream_capturable") else True


class _Kernels:
    """TensorRT-RTX's runtime cache, read from its file and written back where more has been compiled."""

    def __init__(self, engine: Any, path: Path) -> None:
        self._engine, self._path = engine, path
        self._cache: Any = None
        self._before = path.read_bytes() if path.exists() else b""

    def context(self) -> Any:
        """An execution context of the engine."""
        if not hasattr(self._engine, "create_runtime_config"):
            return self._engine.create_execution_context()
        config = self._engine.create_runtime_config()
        if hasattr(config, "create_runtime_cache"):
            self._cache = config.create_runtime_cache()
            if self._before:
                self._cache.deserialize(self._before)  # refuses what another driver or version has left
            config.set_runtime_cache(self._cache)
        return self._engine.create_execution_context(config)

    def keep(self) -> None:
        """Of all that was compiled until now."""
        if self._cache is not None and (compiled := bytes(self._cache.serialize())) != self._before:
            _engine.write(self._path, compiled)
