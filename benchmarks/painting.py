"""How many pictures a second renderers paint on TensorRT, CUDA and the CPU; rows of what is not there read `not run`.

    python benchmarks/painting.py [--seconds 10] [--config configs/renderer-paper.toml]

The shipped renderer, and a network of the configuration's sizes that has learnt nothing (its 512 x 512 take as long as
those of a trained one). The CPU is read on one thread, without the large network, which is meant for a GPU.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import measure
import numpy as np
import onnx

from live.errors import LiveError
from live.frames.easel import Easel, open_easel
from live.frames.folder import CARD, GRAPH, find_renderer, read_renderer
from live.lab.figures import percentiles
from live.look import PROVIDERS
from live.nn.renderer import Renderer, RendererSizes
from live.train.renderer import read_config
from live.train.renderer_export import export_graph
from live.train.stored import stored_in_half
from live.types import Float32

WARM_UP = 10
LEAST = 60.0
"""Pictures a second of the large network on a GPU."""


def unlearnt(config: Path, folder: Path) -> Path:
    """A renderer's folder around a network that has learnt nothing, otherwise as the puppet's."""
    network = Renderer(RendererSizes(**read_config(config)["model"]))
    folder.mkdir()
    export_graph(network, folder / "plain.onnx")
    onnx.save(stored_in_half(onnx.load(folder / "plain.onnx")), folder / GRAPH)
    card = json.loads((find_renderer("puppet") / CARD).read_text())
    card |= {"name": config.stem, "size": network.sizes.size, "metrics": {}}
    card["sha256"] = {GRAPH: hashlib.sha256((folder / GRAPH).read_bytes()).hexdigest()}
    (folder / CARD).write_text(json.dumps(card))
    return folder


def painted(easel: Easel, points: Float32, seconds: float) -> list[float]:
    """Seconds that each picture took, from keypoints to picture."""
    state, taken = easel.initial_state(), []
    while len(taken) < WARM_UP or sum(taken[WARM_UP:]) < seconds:
        begun = time.perf_counter()
        _, state = easel.paint(points[len(taken) % len(points)], state)
        taken.append(time.perf_counter() - begun)
    return taken[WARM_UP:]


def row(folder: Path, provider: str, seconds: float) -> dict[str, Any]:
    """One line of the result: what was read, or why nothing was."""
    card = read_renderer(folder)
    named = {"renderer": card.name, "size": card.size, "provider": provider}
    try:
        easel = open_easel(folder, provider)
    except LiveError as error:
        return named | {"not run": str(error)}
    taken = painted(easel, swaying(), seconds)
    rate = 1.0 / float(np.median(taken))
    return named | {"device": easel.told, "rate": rate, "picture_ms": percentiles(np.array(taken) * 1e3)}


def swaying() -> Float32:
    """Keypoints [60, 18, 2] of somebody who sways in the middle of the picture."""
    upright = np.random.default_rng(1).uniform(0.3, 0.7, (18, 2)).astype(np.float32)
    sway = 0.05 * np.sin(np.arange(60) * np.pi / 30)[:, None, None] * np.array([1, 0])
    return (upright + sway).astype(np.float32)


def main() -> None:
    parser = measure.options(__doc__)
    parser.add_argument(
        "--config", type=Path, default=measure.ROOT / "configs/renderer-paper.toml", help="the large one"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of painting in each row (default: %(default)s)")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        large = unlearnt(given.config, Path(name) / "large")
        for provider in PROVIDERS[1:]:
            for folder in (find_renderer("puppet"), large) if provider != "cpu" else (find_renderer("puppet"),):
                rows.append(row(folder, provider, given.seconds))
                print(rows[-1])
    best = [made["rate"] for made in rows if "rate" in made and made["size"] >= 512]
    limits = {"512x512 on a GPU": measure.compared(max(best), LEAST, "", least=True)} if best else {}
    measure.write("painting", {"limits": limits, "rows": rows}, None, given.out)


if __name__ == "__main__":
    main()
