"""Model folders: the card's fields, the graph's operators, attributes, shapes, types and weights, the reference.

The hashes are made right after every change, so that a mutant gets past them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import AttributeProto, ModelProto, TensorProto

from live.backends import _trial, cpu
from live.card import read_card
from live.contracts import FEATURE_NAMES
from live.generator import Generator, style_weights
from mutants.values import NUMBERS, changed

GRAPHS = ("generator.onnx", "generator.int8.onnx")
SIZES = (0, 1, -1, 2, 3, 7, 1000, 2**31 - 1, 2**31, 2**40, 2**62, -(2**63))
OPERATORS = [
    "Add",
    "MatMul",
    "Gemm",
    "LSTM",
    "Conv",
    "Reshape",
    "Slice",
    "Gather",
    "Concat",
    "Expand",
    "Tile",
    "Loop",
    "If",
    "Scan",
    "Cast",
    "ConstantOfShape",
    "Pad",
    "Transpose",
    "Squeeze",
    "Split",
    "Range",
    "NonZero",
    "GRU",
    "Einsum",
    "Resize",
    "TopK",
    "DynamicQuantizeLSTM",
    "MatMulInteger",
    "DynamicQuantizeLinear",
    "Identity",
    "SequenceEmpty",
    "OneHot",
    "ScatterND",
    "CumSum",
    "StringNormalizer",
    "RandomNormal",
    "EyeLike",
    "Nonsense",
]


class Seed(NamedTuple):
    files: dict[str, bytes]
    card: dict[str, Any]


def seeds(folder: Path) -> Seed:
    """A generator with the smallest layers there can be, exported."""
    from live.nn.generator import Generator as Network
    from live.nn.sizes import GeneratorConfig
    from live.train.export import export_model

    if not (folder / "model.json").exists():
        sizes = GeneratorConfig(convolution=4, layers=1, kernel=3, encoder=4, lookahead=1, ring=4, attention=4,
                                prenet=4, location_filters=2, location_kernel=3, decoder=4, latent=2)  # fmt: skip
        card = {"name": "tiny", "title": "Tiny", "styles": ["a", "b"], "dropout_rate": 0.2, "temperature": 0.5,
                "tempo_range": [80.0, 160.0], "accent_offset": 0.0, "licence": "", "provenance": "",
                "metrics": {}}  # fmt: skip
        export_model(Network(sizes), folder, card, np.zeros((8, len(FEATURE_NAMES)), np.float32))
    read(folder)
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "model.json"}
    return Seed(files, json.loads((folder / "model.json").read_text()))


def mutant(seed: Seed, rng: Random) -> dict[str, bytes]:
    files, card, act = dict(seed.files), seed.card, rng.random()
    if rng.random() < 0.5:
        del files[GRAPHS[1]]
        card = card | {"sha256": {name: "" for name in card["sha256"] if name != GRAPHS[1]}}
    name = GRAPHS[1] if GRAPHS[1] in files else GRAPHS[0]
    if act < 0.65:
        files[name] = _graph(files[name], rng)
    elif act < 0.72:
        files["reference.npz"] = _arrays(files["reference.npz"], rng)
    whole = card | {"sha256": {name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()}}
    if act >= 0.72 or rng.random() < 0.1:
        whole = changed(whole, rng)
    return files | {"model.json": json.dumps(whole).encode()}


def _graph(raw: bytes, rng: Random) -> bytes:
    model = onnx.load_from_string(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        rng.choice(CHANGES)(model, rng)
    return bytes(model.SerializeToString())


def _node(model: ModelProto, rng: Random) -> Any:
    """Any, but not so often one of the many constants."""
    others = [node for node in model.graph.node if node.op_type != "Constant"]
    return rng.choice(list(others if others and rng.random() < 0.8 else model.graph.node))


def _operator(model: ModelProto, rng: Random) -> None:
    node = _node(model, rng)
    node.op_type = rng.choice(OPERATORS)
    if rng.random() < 0.1:
        node.domain = rng.choice(("com.microsoft", "ai.onnx.ml", "x", ""))


def _attribute(model: ModelProto, rng: Random) -> None:
    node = _node(model, rng)
    if not node.attribute or rng.random() < 0.15:
        node.attribute.append(
            onnx.helper.make_attribute(rng.choice(("axis", "hidden_size", "to", "perm")), rng.choice(SIZES))
        )
        return
    found = rng.choice(list(node.attribute))
    if found.type == AttributeProto.INT:
        found.i = rng.choice(SIZES)
    elif found.type == AttributeProto.INTS:
        values = [*found.ints, rng.choice(SIZES)]
        values[rng.randrange(len(values))] = rng.choice(SIZES)
        del found.ints[:]
        found.ints.extend(values if rng.random() < 0.5 else values[: len(values) - 1])
    elif found.type == AttributeProto.TENSOR:
        _tensor(found.t, rng)
    elif found.type == AttributeProto.STRING:
        found.s = rng.choice((b"", b"reverse", b"bidirectional", b"x" * 1000))
    else:
        found.type = rng.choice((AttributeProto.INT, AttributeProto.FLOAT, AttributeProto.TENSOR, AttributeProto.GRAPH))


def _tensor(tensor: TensorProto, rng: Random) -> None:
    act = rng.randrange(6)
    if act == 0 and tensor.dims:
        tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(SIZES)
    elif act == 1:
        tensor.data_type = rng.choice((0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 14, 16, 17, 22, 99))
    elif act == 2:
        tensor.raw_data = tensor.raw_data[: rng.randrange(len(tensor.raw_data) + 1)] * rng.choice((1, 2))
    elif act == 3:
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(
            key="location", value=rng.choice(("../model.json", "model.json", "x", "reference.npz"))
        )
    elif act == 4:
        tensor.name = rng.choice(("", "features", "poses", "x"))
    elif tensor.raw_data:
        _values(tensor, rng)


def _values(tensor: TensorProto, rng: Random) -> None:
    """Its numbers others, its shape the same: indices, sizes and weights that are out of all measure."""
    try:
        values = onnx.numpy_helper.to_array(tensor).copy()
        with np.errstate(all="ignore"):
            at = slice(None) if rng.random() < 0.3 else slice(n := rng.randrange(max(1, values.size)), n + 1)
            if values.dtype.kind == "i":
                limits = np.iinfo(values.dtype)
                values.reshape(-1)[at] = max(limits.min, min(limits.max, rng.choice(SIZES)))
            elif values.dtype.kind == "f":
                values.reshape(-1)[at] = float(rng.choice(NUMBERS))
        tensor.raw_data = values.tobytes()
    except (ValueError, TypeError, onnx.checker.ValidationError):  # changed before, and none any more
        return


def _weight(model: ModelProto, rng: Random) -> None:
    if model.graph.initializer:
        _tensor(rng.choice(list(model.graph.initializer)), rng)


def _constant(model: ModelProto, rng: Random) -> None:
    found = [a.t for node in model.graph.node if node.op_type == "Constant" for a in node.attribute if a.HasField("t")]
    if found:
        rng.choice((_tensor, _values, _values))(rng.choice(found), rng)


def _edge(model: ModelProto, rng: Random) -> None:
    node, other = _node(model, rng), _node(model, rng)
    ends = rng.choice((node.input, node.output))
    names = (*other.output, *other.input, "", "features", "poses")
    if ends:
        ends[rng.randrange(len(ends))] = rng.choice(names)
    else:
        ends.append(rng.choice(names))


def _order(model: ModelProto, rng: Random) -> None:
    nodes = list(model.graph.node)
    at = rng.randrange(len(nodes))
    rest = nodes[:at] + nodes[at + 1 :]
    nodes = rng.choice((rest, [*nodes, nodes[at]], [nodes[at], *rest]))
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)


def _face(model: ModelProto, rng: Random) -> None:
    """An input's or output's name, type, or shape."""
    value = rng.choice([*model.graph.input, *model.graph.output])
    tensor, act = value.type.tensor_type, rng.randrange(4)
    if act == 0:
        value.name = rng.choice(("x", "", "features", "next_pose"))
    elif act == 1:
        tensor.elem_type = rng.choice((0, 1, 7, 8, 10, 11, 99))
    elif act == 2 and tensor.shape.dim:
        tensor.shape.dim[rng.randrange(len(tensor.shape.dim))].dim_value = rng.choice(SIZES)
    else:
        tensor.shape.dim.add().dim_value = rng.choice(SIZES)


def _version(model: ModelProto, rng: Random) -> None:
    if rng.random() < 0.5:
        model.ir_version = rng.choice((0, 1, 3, 7, 99, 2**40))
    else:
        model.opset_import[0].version = rng.choice((0, 1, 7, 13, 21, 25, 99, -1))


CHANGES = (_operator, _attribute, _attribute, _weight, _weight, _constant, _constant, _edge, _order, _face, _version)


def _arrays(raw: bytes, rng: Random) -> bytes:
    """An npz whose arrays announce other shapes and types, or are others."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(members))
    for old, new in rng.choice((((b"(", b"(9"),), ((b"<f4", b"|O "),), ((b"<f4", b"<f8"),), ((b"False", b"True "),))):
        members[name] = members[name].replace(old, new, 1)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for key, value in members.items():
            archive.writestr(key, value)
    return out.getvalue()


def _forked(folder: Path, graph: str, dancers: int) -> tuple[int, str]:
    """As `_trial.alone`, in a copy of this process, which is quicker than a new one."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        complaint = _trial.main(folder, graph, dancers)
        os.write(writing, complaint.encode())
        os._exit(_trial.REFUSED if complaint else 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


_trial.alone = _forked


def read(folder: Path) -> None:
    """As before a show: the card, a style, the backend; then a few steps."""
    card = read_card(folder)
    style = style_weights(card, "")
    generator = Generator(card, cpu.open_backend(folder, card, 1), 1, style, 1, None)
    state = generator.initial_state()
    for tick in range(3):
        _, state = generator.step(np.full(len(FEATURE_NAMES), 0.5, np.float32), tick, state)
