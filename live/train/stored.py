"""Weights in an ONNX file: large ones kept as float16, and read back as torch has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from live.types import Float32

HALVED_FROM = 512
"""Numbers of a tensor from which on it is kept as float16."""
HALF = "_half"
"""What the names of such end in."""
LSTM, GRU = (0, 2, 3, 1), (1, 0, 2)
"""Where torch's gates are in ONNX: i, f, g, o in i, o, f, g; r, z, n in z, r, h."""


def stored_in_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Large weights kept as float16 behind a Cast: half the bytes, float32 arithmetic."""
    casts, kept = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < HALVED_FROM:
            kept.append(tensor)
            continue
        kept.append(numpy_helper.from_array(values.astype(np.float16), tensor.name + HALF))
        casts.append(helper.make_node("Cast", [tensor.name + HALF], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    for part, values in ((model.graph.initializer, kept), (model.graph.node, nodes)):
        del part[:]
        part.extend(values)
    onnx.checker.check_model(model)
    return model


def read_back(graph: Any) -> dict[str, Float32]:
    """All weights of a graph by the names that they had before they were halved."""
    return {t.name.removesuffix(HALF): numpy_helper.to_array(t).astype(np.float32) for t in graph.initializer}


def recurrent(parts: list[Float32], gates: tuple[int, ...], prefix: str, layer: int = 0) -> dict[str, Float32]:
    """A recurrent node's W, R and B [1, ...] as torch names them under `prefix`; `gates` is `LSTM` or `GRU`."""
    w, r, biases = (part[0] for part in parts)
    b_in, b_state = np.split(biases, 2)
    named = {"weight_ih": w, "weight_hh": r, "bias_ih": b_in, "bias_hh": b_state}
    return {
        f"{prefix}.{name}_l{layer}": np.concatenate([np.split(rows, len(gates))[gate] for gate in gates])
        for name, rows in named.items()
    }
