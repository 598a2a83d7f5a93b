"""What paints an easel's pictures: TensorRT or ONNX Runtime on an NVIDIA GPU, ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from live.errors import BadModel, Unusable
from live.frames.folder import GRAPH, RendererCard
from live.frames.maps import PLANES
from live.gpu import cuda, engines
from live.gpu.cuda import Device, Shapes, Stretch
from live.gpu.network import Network

Picture = NDArray[np.uint8]
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
TRIES = 3
"""Pictures that are painted before one is recorded: the first ones allocate and compile."""


class Brush(NamedTuple):
    """`paint`: a picture [1, 3, S, S] of maps [1, PLANES, S, S] and the picture before [1, 3, S, S], all uint8.
    `device`: on what, in words; `why`: on nothing better, empty where there is none."""

    paint: Callable[[Picture, Picture], Picture]
    device: str
    why: str = ""


def best(folder: Path, card: RendererCard, provider: str, threads: int) -> Brush:
    """The named provider's, or with `auto` the first that is to be had. Raises `BadModel` for a damaged renderer,
    `Unusable` where the named one is not to be had."""
    makers: dict[str, Callable[[], Brush]] = {
        "tensorrt": partial(on_tensorrt, folder, card),
        "cuda": partial(on_cuda, folder, card),
        "cpu": partial(on_cpu, folder, card, threads),
    }
    if provider not in ("auto", *makers):
        raise Unusable(f"provider '{provider}': choose one of auto, {', '.join(makers)}")
    refused: list[str] = []
    for name in makers if provider == "auto" else (provider,):
        try:
            brush = makers[name]()
        except BadModel:
            raise
        except Exception as error:  # whatever a driver comes up with
            refused.append(f"{name}: {' '.join(str(error).split())[:120] or type(error).__name__}")
            continue
        return brush._replace(why="; ".join(refused))
    raise Unusable(f"provider {'; '.join(refused)}; auto takes the best one that is there")


def on_cpu(folder: Path, card: RendererCard, threads: int) -> Brush:
    """Raises `BadModel`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 4
    try:
        session = onnxruntime.InferenceSession(str(folder / GRAPH), options, providers=[CPU])
    except Exception as error:
        reason = str(error).splitlines()[0][:120]
        raise BadModel(f"{folder / GRAPH}: cannot be loaded ({reason}); fetch the renderer's folder again") from None
    return _in_session(session, folder, card, "CPU")


def on_cuda(folder: Path, card: RendererCard) -> Brush:
    """Raises `Unusable`, or whatever a driver comes up with."""
    if CUDA not in onnxruntime.get_available_providers():
        raise Unusable("not installed")
    if reason := cuda.missing():
        raise Unusable(reason)
    onnxruntime.preload_dlls()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(folder / GRAPH), options, providers=[CUDA, CPU])
    if CUDA not in session.get_providers():
        raise Unusable("its libraries cannot be loaded: install `livedance[cuda]`, and a driver for CUDA 13")
    return _in_session(session, folder, card, f"CUDA, {cuda.the_gpu().name}")


def _in_session(session: onnxruntime.InferenceSession, folder: Path, card: RendererCard, where: str) -> Brush:
    _check({given.name: given.shape for given in session.get_inputs()}, folder, card)

    def paint(maps: Picture, before: Picture) -> Picture:
        (made,) = session.run(["pictures"], {"maps": maps, "before": before})
        return np.asarray(made)

    return Brush(paint, f"ONNX Runtime {onnxruntime.__version__} {where}")


def on_tensorrt(folder: Path, card: RendererCard, precision: str = "fp16") -> Brush:
    """Finds or makes the engine, and paints until it is warm; each picture is then one recorded CUDA graph. Raises
    `Unusable`, `Failed`, or whatever a driver comes up with."""
    if reason := engines.missing():
        raise Unusable(reason)
    gpu = cuda.the_gpu()
    key = engines.key(f"{card.name}-renderer", card.sha256[GRAPH], gpu.capability, 1, precision)
    network = Network(engines.engine(folder / GRAPH, key)[0], key)
    _check(network.inputs, folder, card)
    brush = Brush(_Recorded(network, _inputs(card)), f"{key.tensorrt}, {precision}, {gpu.name}")
    network.keep()
    return brush


class _Recorded:
    """A `Brush.paint`: both inputs copied in, the network, the picture copied out, in the order of one stream."""

    def __init__(self, network: Network, inputs: Shapes) -> None:
        self._device = device = Device(cuda.bindings())
        given, made = Stretch(inputs, np.uint8), Stretch({"pictures": inputs["before"]}, np.uint8)
        self._given, self._made, self._stream = device.pinned(given), device.pinned(made), device.stream()
        given_there, made_there = device.memory(given.size), device.memory(made.size)
        addresses = given.addresses(given_there) | made.addresses(made_there)

        def picture() -> None:
            device.copy_in(given_there, self._given, self._stream)
            network.enqueue(addresses, int(self._stream))
            device.copy_out(self._made, made_there, self._stream)

        for _ in range(TRIES):
            picture()
            device.wait(self._stream)
        recordable = network.recordable(int(self._stream))
        self._launch = device.recorded(self._stream, picture) if recordable else picture

    def __call__(self, maps: Picture, before: Picture) -> Picture:
        self._given.arrays["maps"][...], self._given.arrays["before"][...] = maps, before
        self._launch()
        self._device.wait(self._stream)
        return self._made.arrays["pictures"].copy()


def _inputs(card: RendererCard) -> Shapes:
    return {"maps": (1, PLANES, card.size, card.size), "before": (1, 3, card.size, card.size)}


def _check(found: Mapping[str, Sequence[int]], folder: Path, card: RendererCard) -> None:
    if {name: tuple(shape) for name, shape in found.items()} != (wanted := _inputs(card)):
        raise BadModel(f"{folder / GRAPH}: takes {found}, its card says {wanted}; export the renderer again")
