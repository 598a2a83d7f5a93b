"""The graph that an engine is made of: an exported one for a fixed number of dancers (or pictures), its products in
float16 or float32.

TensorRT takes every type from the graph. In float16 the products with weights (LSTM, MatMul, Gemm, Conv,
ConvTranspose) take and give half precision between casts; the state, sums and everything else stay float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper, shape_inference
from onnx.reference import ReferenceEvaluator

Run = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Arrays by the names of a graph's inputs to arrays by those of its outputs."""
PRODUCTS = {"MatMul", "Gemm", "Conv", "ConvTranspose", "LSTM"}


def typed(path: Path, batch: int, precision: str) -> bytes:
    """The graph, serialised. `precision`: fp16 or fp32."""
    model = onnx.load(path)
    _fix_batch(model, batch)
    if precision == "fp16":
        _halve(model.graph)
    onnx.checker.check_model(model)
    return bytes(shape_inference.infer_shapes(model, strict_mode=True).SerializeToString())


def _fix_batch(model: onnx.ModelProto, batch: int) -> None:
    for value in (*model.graph.input, *model.graph.output):
        first, *others = value.type.tensor_type.shape.dim
        first.dim_value = batch
        for other in others:  # those that the exporter could not tell are inferred
            if other.dim_param:
                other.Clear()
    del model.graph.value_info[:]


def _halve(graph: onnx.GraphProto) -> None:
    """Put casts around the products. Those of weights are folded when the engine is built."""
    halves = {node.output[0]: node.input[0] for node in graph.node if _widens(node, graph)}
    nodes = [one for node in graph.node for one in (_halved(node, halves) if node.op_type in PRODUCTS else [node])]
    del graph.node[:]
    graph.node.extend(nodes)


def _widens(node: onnx.NodeProto, graph: onnx.GraphProto) -> bool:
    """Whether it makes float32 of weights that are stored as float16."""
    stored = {one.name for one in graph.initializer if one.data_type == TensorProto.FLOAT16}
    return node.op_type == "Cast" and node.input[0] in stored


def _halved(node: onnx.NodeProto, halves: dict[str, str]) -> Iterator[onnx.NodeProto]:
    """The product between casts; `halves`: the stored weights behind those that were widened."""
    for position, name in enumerate(node.input):
        if not name or (node.op_type == "LSTM" and position == 4):  # left out, and the lengths of sequences
            continue
        if name not in halves:
            half = f"{name}_as_half_{node.name or node.output[0]}_{position}"
            yield helper.make_node("Cast", [name], [half], to=TensorProto.FLOAT16)
        node.input[position] = halves.get(name) or half
    outputs = [name for name in node.output if name]
    node.output[:] = [name and f"{name}_in_half" for name in node.output]
    yield node
    for name in outputs:
        yield helper.make_node("Cast", [f"{name}_in_half"], [name], to=TensorProto.FLOAT)


def by_the_letter(graph: bytes) -> Run:
    """A run of a typed graph in numpy, rounding wherever the graph says so: slow, and the same on every machine. (ONNX
    Runtime on a CPU takes casts to float16 and back out again.)"""
    evaluator = ReferenceEvaluator(onnx.load_from_string(graph))

    def run(inputs: Mapping[str, Any]) -> dict[str, Any]:
        return dict(zip(evaluator.output_names, evaluator.run(None, dict(inputs)), strict=True))

    return run
