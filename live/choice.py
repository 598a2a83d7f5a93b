"""Which backend a show is performed on, and why."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from live.card import ModelCard
from live.contracts import Backend, load_plugin
from live.errors import BadModel, Unusable
from live.fallback import Fallback

BEST_FIRST = ("tensorrt", "cuda", "cpu")
LAST = "cpu"
"""It is there wherever the program runs, and stands by for the others."""


def choose(name: str, folder: Path, card: ModelCard, dancers: int) -> tuple[Backend, str]:
    """The named backend, or with `auto` the best one that is to be had; and which and why, in a line. With those on a
    GPU the last one stands by. Raises `Unusable` where the named one is not to be had."""
    refused: list[str] = []
    for one in BEST_FIRST if name == "auto" else (name,):
        backend, reason = _opened(one, folder, card, dancers)
        if backend is not None:
            why = f" ({'; '.join(refused)})" if refused else ""
            return backend, f"backend: {one}{why}"
        refused.append(f"{one}: {reason}")
    raise Unusable(f"backend {'; '.join(refused)}; --backend auto takes the best one that is there")


def _opened(name: str, folder: Path, card: ModelCard, dancers: int) -> tuple[Backend | None, str]:
    """The backend, or why there is none."""
    module = load_plugin("live.backends", name, "backend")
    if name == LAST:
        backend: Backend = module.open_backend(folder, card, dancers)
        return backend, ""
    if reason := module.missing():
        return None, reason
    last = load_plugin("live.backends", LAST, "backend")
    try:
        given = (folder, card, dancers)
        return Fallback(partial(module.open_backend, *given), partial(last.open_backend, *given)), ""
    except BadModel:
        raise
    except Exception as error:  # whatever a driver comes up with
        return None, " ".join(f"{error}".split()) or type(error).__name__
