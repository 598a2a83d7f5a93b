"""Renderers and footage that tests can make within a second: nothing in them has learnt anything."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from live.frames.folder import CARD, CARD_VERSION, GRAPH
from live.frames.lens import Lens
from live.frames.maps import PLANES
from live.frames.stature import ours

SIZE = 64
TINY_RUN = """
[train]
rounds = 4
coarse = 1
judge_from = 3
batch = 2
steps = 4
every = 4
critics = 2
scales = 2
[model]
size = 64
width = 4
most = 8
downs = 2
blocks = 1
enhancer_blocks = 1
kernel = 3
reflect = false
plate = true
"""
"""A configuration that is at its end within a second."""


def body(frames=1, sway=0.3):
    """Hips [T, 3] and local rotations [T, 22, 4] of somebody whose arms go up and down."""
    from dancers import standing

    poses = [standing(n, sway=sway * np.sin(n / 5)) for n in range(frames)]
    return np.concatenate([p.root_position for p in poses]), np.concatenate([p.local_rotations for p in poses])


def points(frames=1):
    """Keypoints [T, 18, 2] of the same."""
    return Lens().keypoints(*body(frames))


def folder_with(path, graph: bytes, **more):
    """A renderer's folder around a graph."""
    path.mkdir(parents=True, exist_ok=True)
    (path / GRAPH).write_bytes(graph)
    card = {
        "card_version": CARD_VERSION, "name": "nobody", "title": "Nobody", "size": SIZE, "planes": PLANES, "rate": 30.0,
        "stature": ours(Lens(), 1.0)._asdict(), "licence": "none", "provenance": "a test", "metrics": {},
        "sha256": {GRAPH: hashlib.sha256(graph).hexdigest()}, **more,
    }  # fmt: skip
    (path / CARD).write_text(json.dumps(card))
    return path


def echo_graph(size=SIZE) -> bytes:
    """A graph whose picture is the brightest plane of the map over half of what was seen before."""
    from onnx import TensorProto, helper

    def shape(planes):
        return [1, planes, size, size]

    nodes = [
        helper.make_node("Cast", ["maps"], ["m"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["m"], ["light"], axes=[1], keepdims=1),
        helper.make_node("Cast", ["before"], ["b"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["b", "half"], ["fading"]),
        helper.make_node("Max", ["light", "fading"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["pictures"], to=TensorProto.UINT8),
    ]
    given = [
        helper.make_tensor_value_info(n, TensorProto.UINT8, shape(p)) for n, p in (("maps", PLANES), ("before", 3))
    ]
    made = [helper.make_tensor_value_info("pictures", TensorProto.UINT8, shape(3))]
    half = helper.make_tensor("half", TensorProto.FLOAT, [], [0.5])
    graph = helper.make_graph(nodes, "echo", given, made, [half])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return bytes(model.SerializeToString())


def footage(frames=40, size=SIZE):
    """A white skeleton that dances on blue, in two clips."""
    from live.frames.maps import draw
    from live.train.footage import Footage

    places = points(frames)
    light = np.stack([draw(p, size).max(0) for p in places])
    pictures = np.stack([light, light, np.maximum(light, 90)], -1)
    clips = (np.arange(frames) >= frames // 2).astype(np.int32)
    return Footage(pictures, places, clips, 30.0, light)
