"""A shipped model read back into the network it was exported from, so that it can learn on.

Weights are as stored (float16 where large). What an export adds for the stage (emphasis, amplitude, smoothing, planted
feet) is taken out again; the posterior, which only training needs, is not in a model folder.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from torch import Tensor

from live.card import GRAPH, LARGEST_CARD, read_card
from live.errors import BadFile
from live.limits import read_json
from live.nn.generator import Generator
from live.train.config import TrainConfig, make_config
from live.train.stored import LSTM, read_back, recurrent
from live.types import Float32

PRODUCTS = {
    "/key/MatMul": "key.weight", "/query/MatMul": "query.weight", "/location_key/MatMul": "location_key.weight",
    "/energy/MatMul": "energy.weight",
}  # fmt: skip
"""Products whose transposed weights the exporter names by number."""
Values = dict[str, Float32]


def recovered(folder: Path) -> tuple[TrainConfig, list[str], int, dict[str, Tensor]]:
    """Configuration, styles, rounds and the generator's weights; raises `BadFile` naming what is wrong."""
    card = read_card(folder)
    told = read_json(folder / "model.json", LARGEST_CARD)
    training = dict(told.get("training", {}))
    rounds = int(training.pop("rounds_done", 0))
    try:
        config = make_config(training)
        graph = onnx.load_model_from_string((folder / GRAPH).read_bytes()).graph
        weights = _weights(graph, config, told["network"])
    except (KeyError, TypeError, ValueError, RuntimeError, DecodeError) as error:
        raise BadFile(f"{folder}: cannot learn on, its graph is not one that `live export` writes ({error})") from None
    return config, list(card.styles), rounds, weights


def _weights(graph: Any, config: TrainConfig, exported: dict[str, Any]) -> dict[str, Tensor]:
    stored = read_back(graph)
    found: Values = {n.removeprefix("generator."): v for n, v in stored.items() if n.startswith("generator.")}
    for node in graph.node:
        if node.op_type == "LSTM":
            found |= recurrent([stored[name] for name in node.input[1:4]], LSTM, node.name.split("/")[1])
        elif node.name in PRODUCTS:
            found[PRODUCTS[node.name]] = stored[node.input[1]].T
        elif node.op_type == "Mul" and node.input[0] == "next_pose":
            found["pose_std"] = stored[node.input[1]]
    size = Generator(dataclasses.replace(config.model, amplitude=exported["amplitude"])).size_of_movement()
    found["pose_std"] = found["pose_std"] / size.numpy()  # the size is of a deviation of one
    wanted = Generator(config.model).state_dict()
    return {name: torch.from_numpy(np.array(found[name])).reshape(value.shape) for name, value in wanted.items()}
