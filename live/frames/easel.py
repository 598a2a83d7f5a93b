"""A renderer at work: the graph in ONNX Runtime on whatever carries it, each picture shown the one before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from live.errors import BadModel, Unusable
from live.frames.folder import GRAPH, RendererCard, read_renderer
from live.frames.maps import PLANES, draw
from live.types import Float32

PROVIDERS = {"cuda": "CUDAExecutionProvider", "cpu": "CPUExecutionProvider"}
CHOICES = ("auto", *PROVIDERS)
Picture = NDArray[np.uint8]


class Easel:
    """`picture, state = easel.paint(points, state)`: the state is the picture before, a value."""

    def __init__(self, session: onnxruntime.InferenceSession, card: RendererCard) -> None:
        self._session, self.card = session, card
        provider = session.get_providers()[0]
        self.device = f"ONNX Runtime {onnxruntime.__version__} {provider.removesuffix('ExecutionProvider')}"

    def initial_state(self) -> Picture:
        """Nothing seen before [1, 3, S, S]: grey, the middle of all colours."""
        return np.full((1, 3, self.card.size, self.card.size), 128, np.uint8)

    def paint(self, points: Float32, before: Picture) -> tuple[Picture, Picture]:
        """The picture [S, S, 3] (red, green, blue) of keypoints [18, 2] in it, and the next state."""
        maps = draw(points, self.card.size)[None]
        (made,) = self._session.run(["pictures"], {"maps": maps, "before": before})
        return np.ascontiguousarray(np.moveaxis(made[0], 0, -1)), made


def open_easel(folder: Path, provider: str = "auto", threads: int = 1) -> Easel:
    """Load a renderer, its hashes checked. `auto` takes CUDA where there is a device, else the CPU. Raises `BadModel`
    when the folder is damaged, `Unusable` when the provider is not there."""
    card = read_renderer(folder)
    easel = Easel(_session(folder / GRAPH, provider, threads), card)
    size = [card.size, card.size]
    wanted = {"maps": [1, PLANES, *size], "before": [1, 3, *size]}
    found = {given.name: list(given.shape) for given in easel._session.get_inputs()}
    if found != wanted:
        raise BadModel(f"{folder / GRAPH}: takes {found}, its card says {wanted}; export the renderer again")
    return easel


def _session(graph: Path, provider: str, threads: int) -> onnxruntime.InferenceSession:
    if provider not in CHOICES:
        raise Unusable(f"provider '{provider}': choose one of {', '.join(CHOICES)}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 4
    there = onnxruntime.get_available_providers()
    onnxruntime.set_default_logger_severity(4)  # it complains where there is no CUDA, which is no fault
    names = [name for key, name in PROVIDERS.items() if provider in ("auto", key) and name in there]
    try:
        session = onnxruntime.InferenceSession(str(graph), options, providers=names or [PROVIDERS["cpu"]])
    except Exception as error:
        reason = str(error).splitlines()[0][:120]
        raise BadModel(f"{graph}: cannot be loaded ({reason}); fetch the renderer's folder again") from None
    finally:
        onnxruntime.set_default_logger_severity(2)
    if provider == "cuda" and PROVIDERS["cuda"] not in session.get_providers():
        raise Unusable("provider 'cuda': ONNX Runtime finds no CUDA device here; write auto or cpu")
    return session
