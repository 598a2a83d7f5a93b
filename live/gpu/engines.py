"""TensorRT engines: made of a generator's or a renderer's graph, kept until anything they were made of changes.

One module over TensorRT-RTX (the GPU of a stage laptop; it builds on a machine with no GPU, for any that it lists) and
TensorRT (data-centre cards, for the one that is here). An engine lies in the user's cache beside a JSON file with all
that it depends on, and TensorRT-RTX's runtime cache (kernels compiled on this machine) beside both.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from live.errors import Failed, MissingExtra, Unusable
from live.gpu import cuda

RECIPE = 1
"""Counted up when the typed graphs change (`live.gpu.typed`): engines made of older ones are stale."""
PRECISIONS = ("fp16", "fp32")
LAPTOPS = ("sm86", "sm89", "sm120")
"""What engines are made for where there is no GPU and none is named: the RTX cards of the last three generations."""


@dataclass(frozen=True)
class Key:
    """All that an engine depends on. `tensorrt`: which one and its version; `model`: SHA-256 of the graph; `batch`: how
    many dancers or pictures at once; `recipe`: how the typed graph is derived from it."""

    name: str
    model: str
    tensorrt: str
    gpu: str
    batch: int
    precision: str
    recipe: int

    @property
    def stem(self) -> str:
        """Of the files' names: a newer engine takes the place of a stale one."""
        return f"{re.sub(r'[^A-Za-z0-9]+', '-', self.name)}-{self.precision}-{self.batch}-{self.gpu}"


def home() -> Path:
    """Where engines are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(base) / "livedance" / "engines"


@cache
def library(gpu: str) -> Any:
    """The TensorRT for a GPU such as sm89: TensorRT-RTX where that lists it, else TensorRT. Raises `MissingExtra`, or
    `Unusable` where what is installed does not list it."""
    found = _imported("tensorrt_rtx")
    if found is not None and hasattr(found.ComputeCapability, gpu.upper()):
        return found
    if (full := _imported("tensorrt")) is not None:
        return full
    if found is None:
        raise MissingExtra("TensorRT-RTX", "gpu", "an engine")
    listed = ", ".join(sorted(name.lower() for name in found.ComputeCapability.__members__ if name.startswith("SM")))
    raise Unusable(f"TensorRT-RTX knows no GPU {gpu} (only {listed}); install `livedance[tensorrt]` for other cards")


def missing() -> str:
    """Why no engine can run here, in a few words; empty where one can."""
    if not any(_imported(name) is not None for name in ("tensorrt_rtx", "tensorrt")):
        return "not installed"
    return cuda.missing()


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def key(name: str, sha256: str, gpu: str, batch: int, precision: str) -> Key:
    """What an engine of the graph with this hash would depend on; `name` is for the files alone."""
    trt = library(gpu)
    return Key(name, sha256, f"{trt.__name__} {trt.__version__}", gpu, batch, precision, RECIPE)


def engine(path: Path, wanted: Key) -> tuple[bytes, bool]:
    """The engine of a graph, and whether it had to be made: there was none, it was stale, or its file was damaged."""
    if (found := kept(wanted)) is not None:
        return found, False
    made = build(graph(path, wanted.batch, wanted.precision), wanted.gpu)
    _keep(wanted, made)
    return made, True


def graph(path: Path, batch: int, precision: str) -> bytes:
    """The typed graph of an exported one."""
    try:
        from live.gpu.typed import typed
    except ImportError:
        raise MissingExtra("onnx", "gpu", "an engine") from None
    return typed(path, batch, precision)


def kept(wanted: Key) -> bytes | None:
    """The engine from the cache, if it is there, whole and not stale."""
    path = home() / wanted.stem
    try:
        note, found = json.loads(path.with_suffix(".json").read_text()), path.with_suffix(".engine").read_bytes()
    except (OSError, ValueError):
        return None
    return found if note == _note(wanted, found) else None


def _note(wanted: Key, made: bytes) -> dict[str, Any]:
    return asdict(wanted) | {"sha256": hashlib.sha256(made).hexdigest()}


def _keep(wanted: Key, made: bytes) -> None:
    """Write the engine, then what it is; kernels that were compiled for another one are of no use."""
    write(home() / f"{wanted.stem}.engine", made)
    kernels(wanted).unlink(missing_ok=True)
    write(home() / f"{wanted.stem}.json", json.dumps(_note(wanted, made), indent=1).encode())


def kernels(wanted: Key) -> Path:
    """TensorRT-RTX's runtime cache of an engine."""
    return home() / f"{wanted.stem}.kernels"


def write(path: Path, content: bytes) -> None:
    """The whole file or none. Raises `Unusable`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f"{path.name}.{os.getpid()}")
        scratch.write_bytes(content)
        scratch.replace(path)
    except OSError as error:
        raise Unusable(f"{path}: cannot be written ({error.strerror}); point XDG_CACHE_HOME elsewhere") from None


def build(typed_graph: bytes, gpu: str) -> bytes:
    """An engine of a graph with fixed shapes. Raises `Failed` with what TensorRT complains of, `Unusable` where it can
    build for the card that is here alone, and that is another."""
    trt = library(gpu)
    log = logger(trt)
    log.complaints.clear()
    if not hasattr(trt.IBuilderConfig, "set_compute_capability") and cuda.the_gpu().capability != gpu:
        raise Unusable(f"TensorRT makes engines for the card that is here, and that is no {gpu}")
    builder = trt.Builder(log)
    strongly = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    network = builder.create_network(0 if strongly is None else 1 << int(strongly))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(typed_graph):
        raise Failed(f"TensorRT cannot read the graph: {parser.get_error(0).desc() if parser.num_errors else '?'}")
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)
    if hasattr(trt.BuilderFlag, "REQUIRE_USER_ALLOCATION"):  # else TensorRT-RTX may allocate while a tick is recorded
        config.set_flag(trt.BuilderFlag.REQUIRE_USER_ALLOCATION)
    if hasattr(config, "set_compute_capability"):
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(trt.ComputeCapability, gpu.upper()), 0)
    made = builder.build_serialized_network(network, config)
    if made is None:
        raise Failed(f"TensorRT made no engine for {gpu}: {' '.join(log.complaints[-1:]) or 'it did not say why'}")
    return bytes(made)


@cache
def logger(trt: Any) -> Any:
    """One for the whole process, as TensorRT wants it; it keeps the complaints and prints nothing."""

    class Quiet(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.complaints: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
                self.complaints.append(message)

    return Quiet()
