"""An engine at work: loaded, with the kernels that were compiled for it before, run on a stream."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from live.errors import Failed
from live.gpu import engines
from live.gpu.engines import Key


class Network:
    """Raises `Failed` where the engine cannot be loaded or has no memory. `inputs`: shapes of what it takes."""

    def __init__(self, blob: bytes, key: Key) -> None:
        self._trt = engines.library(key.gpu)
        engine = self._trt.Runtime(engines.logger(self._trt)).deserialize_cuda_engine(blob)
        if engine is None:
            raise Failed(f"the engine cannot be loaded: {self._complaint()}")
        names = [engine.get_tensor_name(n) for n in range(engine.num_io_tensors)]
        taken = [name for name in names if engine.get_tensor_mode(name) == self._trt.TensorIOMode.INPUT]
        self.inputs = {name: tuple(engine.get_tensor_shape(name)) for name in taken}
        self._kernels = _Kernels(engine, engines.kernels(key))
        self._context = self._kernels.context()
        if self._context is None:
            raise Failed("there is no memory for the engine")

    def enqueue(self, addresses: Mapping[str, int], stream: int) -> None:
        """Put a run on the stream, its tensors at these addresses of the GPU's memory."""
        for name, address in addresses.items():
            self._context.set_tensor_address(name, address)
        if not self._context.execute_async_v3(stream):
            raise Failed(f"the engine does not run: {self._complaint()}")

    def recordable(self, stream: int) -> bool:
        """After it has run: whether a run can be recorded. TensorRT-RTX tells; TensorRT records everything that has
        fixed shapes."""
        if not hasattr(self._context, "is_stream_capturable"):
            return True
        return bool(self._context.is_stream_capturable(stream))

    def keep(self) -> None:
        """Keep what was compiled until now for the next time."""
        self._kernels.keep()

    def _complaint(self) -> str:
        return " ".join(engines.logger(self._trt).complaints[-1:])


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
            engines.write(self._path, compiled)
