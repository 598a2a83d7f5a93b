"""From a checkpoint to a model folder: generator.onnx, generator.int8.onnx, model.json, reference.npz."""

from __future__ import annotations

import hashlib
import json
import tempfile
import warnings
from datetime import date
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from live import keypoints
from live.card import CARD_VERSION, GRAPH
from live.contracts import FEATURE_NAMES
from live.nn.generator import Generator
from live.nn.plain import PlainLstm
from live.skeleton import BONES
from live.train.stored import HALVED_FROM, stored_in_half

OPSET = 17
REFERENCE_TICKS = 60


Exported = Generator | PlainLstm


class StepGraph(nn.Module):
    """`Generator.step` with the state as separate, named tensors, as the exported graph has it."""

    def __init__(self, generator: Exported) -> None:
        super().__init__()
        self.generator = generator
        self.names = tuple(generator.initial_state(1))

    def forward(
        self, features: Tensor, noise: Tensor, dropout: Tensor, style: Tensor, *state: Tensor
    ) -> tuple[Tensor, ...]:
        given = dict(zip(self.names, state, strict=True))
        poses, following = self.generator.step(features, noise, dropout, style, given)
        return (poses, *(following[name] for name in self.names))


def export_model(generator: Exported, folder: Path, card: dict, reference_features: np.ndarray) -> None:
    """Write a whole model folder. `card` holds what the graph cannot tell (name, styles, provenance, licence, ...);
    `reference_features` [ticks, 35] is real music for `reference.npz`."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = generator.eval()
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "plain.onnx"
        _export_graph(generator, plain)
        onnx.save(stored_in_half(onnx.load(plain)), folder / GRAPH)
        quantize_dynamic(
            plain, folder / "generator.int8.onnx", weight_type=QuantType.QInt8, per_channel=True,
            op_types_to_quantize=["MatMul", "Gemm", "LSTM"], nodes_to_exclude=_small_products(onnx.load(plain)),
        )  # fmt: skip
    np.savez(folder / "reference.npz", **reference(generator, reference_features, len(card["styles"])))
    (folder / "model.json").write_text(json.dumps(_card(generator, folder, card), indent=1) + "\n")


def _export_graph(generator: Exported, path: Path) -> None:
    c = generator.config
    inputs = [torch.zeros(2, n) for n in (c.features, c.latent, 2 * c.prenet, c.styles)]
    state = generator.initial_state(2)
    names_in = ["features", "noise", "dropout", "style", *(f"state_{n}" for n in state)]
    names_out = ["poses", *(f"next_{n}" for n in state)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            StepGraph(generator), (*inputs, *state.values()), str(path), input_names=names_in, output_names=names_out,
            dynamic_axes={n: {0: "dancers"} for n in names_in + names_out}, opset_version=OPSET, dynamo=False,
        )  # fmt: skip


def _small_products(model: onnx.ModelProto, smallest: int = 20_000) -> list[str]:
    """Products with fewer weights than `smallest`: quantising their input costs more than reading their weights."""
    sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in model.graph.initializer}
    for node in model.graph.node:  # a transposed weight is as large as the weight
        if node.op_type in ("Transpose", "Identity") and node.input[0] in sizes:
            sizes[node.output[0]] = sizes[node.input[0]]
    products = [node for node in model.graph.node if node.op_type in ("MatMul", "Gemm")]
    return [n.name for n in products if max(sizes.get(i, 0) for i in n.input[:2]) < smallest]


def reference(generator: Exported, features: np.ndarray, styles: int, seed: int = 1) -> dict[str, np.ndarray]:
    """A teacher-forced run in float32 with the weights as stored (float16): inputs, the state before each tick's
    decoder (so that every backend starts each tick from the same one), and the poses that should come out."""
    c, rng = generator.config, np.random.default_rng(seed)
    halved = {k: v.half().float() if v.numel() >= HALVED_FROM else v for k, v in generator.state_dict().items()}
    rounded = type(generator)(c).eval()
    rounded.load_state_dict(halved)
    ticks = min(len(features), REFERENCE_TICKS)
    noise = (0.5 * rng.standard_normal((ticks, 1, c.latent))).astype(np.float32)
    dropout = np.ones((ticks, 1, 2 * c.prenet), np.float32)
    style = np.full((1, styles), 1.0 / styles, np.float32)
    state, poses, kept = rounded.initial_state(1), [], {}
    every = ticks // 4
    with torch.no_grad():
        for t in range(ticks):
            if t % every == 0:
                kept |= {f"state_{t}_{name}": value.numpy().copy() for name, value in state.items()}
            parts = [torch.from_numpy(x) for x in (features[t : t + 1], noise[t], dropout[t], style)]
            pose, state = rounded.step(*parts, state)
            poses.append(pose.numpy())
    return {
        "features": features[:ticks, None].astype(np.float32), "noise": noise, "dropout": dropout, "style": style,
        "poses": np.stack(poses).astype(np.float32), **kept,
    }  # fmt: skip


def _card(generator: Exported, folder: Path, card: dict) -> dict:
    c = generator.config
    files = (GRAPH, "generator.int8.onnx", "reference.npz")
    return {
        "card_version": CARD_VERSION,
        **card,
        "pose_space": keypoints.SPACE if c.channels == keypoints.CHANNELS else "rotations22",
        "feature_names": list(FEATURE_NAMES),
        "bones": list(BONES),
        "tick_rate": 30,
        "poses_per_tick": c.poses,
        "channels": c.channels,
        "latent": c.latent,
        "dropout": 2 * c.prenet,
        "state": {name: list(value.shape[1:]) for name, value in generator.initial_state(1).items()},
        "network": c.to_dict(),
        "parameters": sum(p.numel() for p in generator.parameters()),
        "exported": date.today().isoformat(),
        "sha256": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files},
    }
