"""From a checkpoint to a renderer's folder: renderer.onnx, renderer.json."""

from __future__ import annotations

import hashlib
import json
import tempfile
import warnings
from datetime import date
from pathlib import Path
from typing import Any

import onnx
import torch

from live.errors import BadFile
from live.frames.folder import CARD, CARD_VERSION, GRAPH
from live.frames.stature import measured
from live.nn.renderer import Renderer, Stage
from live.train.export import OPSET
from live.train.footage import Footage
from live.train.renderer import RendererConfig, make_config
from live.train.stored import stored_in_half


def read_checkpoint(path: Path) -> tuple[Renderer, RendererConfig, int]:
    """The average of a run's weights, its configuration and rounds; `BadFile` where the file is missing or damaged.

    Only weights and plain values are read: nothing in a file is executed.
    """
    try:
        parts = torch.load(path, weights_only=True, map_location="cpu")
        about = json.loads(parts["live_renderer"])
        config = make_config(about["config"])
        made = Renderer(config.model)
        start = "average."
        made.load_state_dict({k[len(start) :]: v for k, v in parts["state_dict"].items() if k.startswith(start)})
    except Exception as error:
        raise BadFile(f"{path}: is no whole checkpoint ({type(error).__name__}); train again or name another") from None
    return made.eval(), config, int(about["round"])


def export_renderer(checkpoint: Path, card: dict[str, Any], footage: Footage, folder: Path) -> None:
    """Write a whole folder. `card` holds what a checkpoint cannot tell: name, title, licence, provenance, metrics."""
    renderer, config, rounds = read_checkpoint(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "plain.onnx"
        export_graph(renderer, plain)
        onnx.save(stored_in_half(onnx.load(plain)), folder / GRAPH)
    whole = {
        "card_version": CARD_VERSION,
        "metrics": {},
        **card,
        "size": config.model.size,
        "planes": config.model.planes,
        "rate": footage.rate,
        "stature": measured(footage.points)._asdict(),
        "training": json.loads(config.to_json()) | {"rounds_done": rounds, "pictures": len(footage.pictures)},
        "parameters": sum(p.numel() for p in renderer.parameters()),
        "exported": date.today().isoformat(),
        "sha256": {GRAPH: hashlib.sha256((folder / GRAPH).read_bytes()).hexdigest()},
    }
    (folder / CARD).write_text(json.dumps(whole, indent=1) + "\n")


def export_graph(renderer: Renderer, path: Path) -> None:
    """The renderer with uint8 pictures in and out, as ONNX."""
    c = renderer.sizes
    given = [torch.zeros(1, n, c.size, c.size, dtype=torch.uint8) for n in (c.planes, 3)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Stage(renderer.eval()), tuple(given), str(path), input_names=["maps", "before"],
            output_names=["pictures"], opset_version=OPSET, dynamo=False,
        )  # fmt: skip
