"""`live build-engine`: engines into the cache, and how far they are from the reference."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from live.card import GRAPH, ModelCard, find_model, read_card
from live.errors import Unusable

Say = Callable[[str], None]


def build_engines(model: str, precisions: Sequence[str], dancers: Sequence[int], gpus: Sequence[str], say: Say) -> None:
    """One for each precision, number of dancers and GPU. Raises `Unusable` where that cannot be."""
    from live.gpu import cuda, engines

    for precision in precisions:
        if precision not in engines.PRECISIONS:
            raise Unusable(f"--precision {precision}: choose one of {', '.join(engines.PRECISIONS)}")
    folder = find_model(model)
    card = read_card(folder)
    here = cuda.find_gpu(cuda.bindings())
    wanted = [gpu.lower() for gpu in gpus] or ([here.capability] if here else list(engines.LAPTOPS))
    for precision, count, gpu in ((p, n, g) for p in precisions for n in dancers for g in wanted):
        key, begun = engines.key(card.name, card.sha256[GRAPH], gpu, count, precision), time.monotonic()
        blob, made = engines.engine(folder / GRAPH, key)
        how = f"made in {time.monotonic() - begun:.1f} s" if made else "is there already"
        say(f"{engines.home() / key.stem}.engine {how}: {len(blob) / 1e6:.1f} MB, {key.tensorrt}")
    for precision in precisions:
        say(_exactness(folder, card, precision, here is not None and here.capability in wanted))


def _exactness(folder: Path, card: ModelCard, precision: str, runs: bool) -> str:
    """A line on how far a precision is from the reference: of the engine where it runs, else of its graph."""
    from live.backends._reference import deviation, stepping

    if runs:
        from live.backends.tensorrt import open_backend

        backend = open_backend(folder, card, 1, precision)
        found, how = deviation(backend.step, folder, card), f"the engine on {backend.device}"
        backend.close()
    else:
        from live.gpu.engines import graph

        content = graph(folder / GRAPH, 1, precision)
        from live.gpu.typed import by_the_letter  # needs onnx, which the line above has found, or missed in words

        found = deviation(stepping(by_the_letter(content)), folder, card)
        how = "its graph, computed in numpy: the engine did not run, there is no such GPU here"
    return (
        f"{precision}: at most {found.channels:.1e} from reference.npz in any channel and {found.joints * 1e3:.2f} mm"
        f" in any joint, over {found.ticks} ticks ({how})"
    )
