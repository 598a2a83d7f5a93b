"""The shipped beat networks read back from their ONNX file, so that they can learn on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import torch
from google.protobuf.message import DecodeError

from live.beats._pointer import TEMPI
from live.beats._spectrum import BANDS
from live.errors import BadFile
from live.limits import MB, read_bytes
from live.nn.beats import BeatNetwork
from live.train.stored import GRU, read_back, recurrent

LARGEST = 16 * MB
LAYERS = 2


def recovered(path: Path) -> list[BeatNetwork]:
    """The networks that `live.train.beats.export` wrote, weights as stored (float16 where large); raises `BadFile`.

    Their normalisation is in their first layer; only the first has a sense of tempo, the others' is new.
    """
    try:
        graph = onnx.load_model_from_string(read_bytes(path, LARGEST)).graph
        return _networks(graph)
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from None
    except (DecodeError, KeyError, ValueError, IndexError, RuntimeError) as error:
        raise BadFile(f"{path}: holds no beat networks as `live train-beats` writes them ({error})") from None


def _networks(graph: Any) -> list[BeatNetwork]:
    stored = read_back(graph)
    layers = [[stored[name] for name in node.input[1:4]] for node in graph.node if node.op_type == "GRU"]
    found, at = [], 0
    for number in range(len(layers) // LAYERS):
        width = layers[LAYERS * number][1].shape[-1]
        rows = slice(at, at + width)
        weights = {f"enter.{part}": stored[f"enter.{part}"][rows] for part in ("weight", "bias")}
        weights |= {f"beat.{part}": stored[f"beat.{number}.{part}"] for part in ("weight", "bias")}
        if number == 0:
            weights |= {name: stored[name] for name in ("tempo.weight", "tempo.bias")}
        for layer in range(LAYERS):
            weights |= recurrent(layers[LAYERS * number + layer], GRU, "recur", layer)
        network = BeatNetwork(2 * BANDS, width, len(TEMPI))
        network.load_state_dict(network.state_dict() | {name: torch.tensor(value) for name, value in weights.items()})
        found.append(network)
        at += width
    if not found:
        raise ValueError("no recurrent layers")
    return found
