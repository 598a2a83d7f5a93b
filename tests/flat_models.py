"""Models of keypoints that tests can make within a second: one pose, which the sound and time may move."""

from __future__ import annotations

import hashlib
import json

import numpy as np
from renderers import points

from live import keypoints, skeleton
from live.contracts import FEATURE_NAMES


def stance():
    """Channels [36] of somebody who stands."""
    return keypoints.normalised(points(3))[0].ravel()


def flat_graph(pose, loud=0.0, step=0.0) -> bytes:
    """Two poses a tick: `pose` [36], plus `loud` [36] times the loudness, plus `step` [36] for each tick so far."""
    from onnx import TensorProto, helper, numpy_helper

    def table(name, value):
        return numpy_helper.from_array(np.asarray(value, np.float32), name)

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["dancers", *shape])

    heard = np.zeros((len(FEATURE_NAMES), keypoints.CHANNELS), np.float32)
    heard[0] = loud
    nodes = [
        helper.make_node("MatMul", ["features", "heard"], ["by_sound"]),
        helper.make_node("Mul", ["state_ticks", "step"], ["by_time"]),
        helper.make_node("Sum", ["by_sound", "by_time", "pose"], ["one"]),
        helper.make_node("Unsqueeze", ["one", "axis"], ["row"]),
        helper.make_node("Concat", ["row", "row"], ["poses"], axis=1),
        helper.make_node("Add", ["state_ticks", "tick"], ["next_ticks"]),
    ]
    given = [value("features", 35), value("noise", 1), value("dropout", 1), value("style", 1), value("state_ticks", 1)]
    made = [value("poses", 2, keypoints.CHANNELS), value("next_ticks", 1)]
    tables = [
        table("heard", heard), table("step", np.broadcast_to(step, (1, keypoints.CHANNELS))),
        table("pose", np.reshape(pose, (1, -1))), table("tick", [[1.0]]),
        numpy_helper.from_array(np.array([1], np.int64), "axis"),
    ]  # fmt: skip
    graph = helper.make_graph(nodes, "flat", given, made, tables)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return bytes(model.SerializeToString())


def flat_model(path, graph: bytes, **more):
    """A model's folder around a graph."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "generator.onnx").write_bytes(graph)
    card = {
        "card_version": 1, "name": "flat", "title": "Flat", "styles": ["still"], "pose_space": keypoints.SPACE,
        "feature_names": list(FEATURE_NAMES), "bones": list(skeleton.BONES), "tick_rate": 30, "poses_per_tick": 2,
        "channels": keypoints.CHANNELS, "latent": 1, "dropout": 1, "dropout_rate": 0.0, "temperature": 0.5,
        "tempo_range": [60, 200], "accent_offset": 0.0, "state": {"ticks": [1]}, "licence": "none",
        "provenance": "a test", "metrics": {}, "sha256": {"generator.onnx": hashlib.sha256(graph).hexdigest()}, **more,
    }  # fmt: skip
    (path / "model.json").write_text(json.dumps(card))
    return path
