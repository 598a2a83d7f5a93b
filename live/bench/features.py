"""Dances as points in a space of features, and how far two sets of dances lie apart in it.

Kinetic features: Onuma, Faloutsos and Hodgins, 2008, "FMDistance". Geometric features: Müller, Röder and Clausen, 2005,
"Efficient content-based retrieval of motion capture data", in the selection of the fairmotion library that Li et al.
(2021, "AI Choreographer") use for FID_k, FID_g and diversity. Clips are `CLIP` seconds, at 25 frames/s on our 22
bones, so figures compare with each other and not with other papers'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from live import skeleton
from live.bench.motion import RATE
from live.types import Float64

CLIP, STEP = 5.0, 2.5
"""Seconds of motion that one point stands for, and from one to the next."""
ALIASES = {"root": "hips", "belly": "spine"} | {
    f"{side[0]}{name}": f"{side}{bone}" for side in ("left", "right") for name, bone in
    (("shoulder", "UpperArm"), ("elbow", "LowerArm"), ("wrist", "Hand"), ("hip", "UpperLeg"), ("knee", "LowerLeg"),
     ("ankle", "Foot"), ("toes", "Toes"))
}  # fmt: skip
HUMERUS, SHOULDERS, PELVIS = "humerus", "shoulders", "pelvis"
UNITS = ((HUMERUS, "lshoulder", "lelbow"), (SHOULDERS, "lshoulder", "rshoulder"), (PELVIS, "lhip", "rhip"))
GEOMETRIC: tuple[tuple[str, str, float, str], ...] = (
    ("nmove", "neck rhip lhip rwrist", 1.8, HUMERUS), ("nmove", "neck lhip rhip lwrist", 1.8, HUMERUS),
    ("nplane", "chest neck neck rwrist", 0.2, HUMERUS), ("nplane", "chest neck neck lwrist", 0.2, HUMERUS),
    ("move", "belly chest chest rwrist", 1.8, HUMERUS), ("move", "belly chest chest lwrist", 1.8, HUMERUS),
    ("bent", "relbow rshoulder relbow rwrist", 110, ""), ("bent", "lelbow lshoulder lelbow lwrist", 110, ""),
    ("nplane", "lshoulder rshoulder lwrist rwrist", 2.5, SHOULDERS),
    ("move", "lwrist rwrist rwrist lwrist", 1.4, HUMERUS), ("move", "rwrist root lwrist root", 1.4, HUMERUS),
    ("move", "lwrist root rwrist root", 1.4, HUMERUS),
    ("fast", "rwrist", 2.5, HUMERUS), ("fast", "lwrist", 2.5, HUMERUS),
    ("plane", "root lhip ltoes rankle", 0.38, HUMERUS), ("plane", "root rhip rtoes lankle", 0.38, HUMERUS),
    ("above", "rankle", 1.2, HUMERUS), ("above", "lankle", 1.2, HUMERUS),
    ("nplane", "lhip rhip lankle rankle", 2.1, PELVIS),
    ("bent", "rknee rhip rknee rankle", 110, ""), ("bent", "lknee lhip lknee lankle", 110, ""),
    ("fast", "rankle", 2.5, HUMERUS), ("fast", "lankle", 2.5, HUMERUS),
    ("wide", "neck root rshoulder relbow", 25, ""), ("wide", "neck root lshoulder lelbow", 25, ""),
    ("wide", "neck root rhip rknee", 50, ""), ("wide", "neck root lhip lknee", 50, ""),
    ("plane", "rankle neck lankle root", 0.5, HUMERUS), ("lying", "neck root", 70, ""),
    ("below", "rwrist", 1.2, HUMERUS), ("below", "lwrist", 1.2, HUMERUS), ("fast", "root", 2.3, HUMERUS),
)  # fmt: skip
"""Relation, joints, threshold and the body's own length that it is counted in."""


def clips(y: Float64) -> list[Float64]:
    """Overlapping clips [CLIP * 25, J, 3] of a dance at 25/s."""
    size, step = int(CLIP * RATE), int(STEP * RATE)
    return [y[at : at + size] for at in range(0, len(y) - size + 1, step)]


def kinetic(y: Float64) -> Float64:
    """[3 J]: per joint the mean square of horizontal and of vertical speed, and the mean size of acceleration."""
    v = (y[2:] - y[:-2]) * RATE / 2
    a = np.diff(y, n=2, axis=0) * RATE**2
    flat, up = (v[..., [0, 2]] ** 2).sum(-1).mean(0), (v[..., 1] ** 2).mean(0)
    return np.stack([flat, up, np.linalg.norm(a, axis=-1).mean(0)], 1).ravel()


def geometric(y: Float64) -> Float64:
    """[32]: the share of frames in which each relation of `GEOMETRIC` holds."""
    joint = {name: y[:, i] for name, i in skeleton.INDEX.items()}
    joint |= {alias: joint[bone] for alias, bone in ALIASES.items()}
    lengths = {"": 1.0} | {unit: float(np.median(np.linalg.norm(joint[a] - joint[b], axis=1))) for unit, a, b in UNITS}
    floor = float(np.percentile(y[..., 1], 1))
    return np.array([
        RELATIONS[relation]([joint[name] for name in names.split()], limit * lengths[unit], floor).mean()
        for relation, names, limit, unit in GEOMETRIC
    ])  # fmt: skip


def _unit(v: Float64) -> Float64:
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9))


def _velocity(x: Float64) -> Float64:
    return np.gradient(x, 1 / RATE, axis=0)


def _angle(j: Sequence[Float64]) -> Float64:
    """Degrees between the ways from the first joint to the second and from the third to the fourth."""
    return np.asarray(np.degrees(np.arccos(np.clip(np.vecdot(_unit(j[1] - j[0]), _unit(j[3] - j[2])), -1, 1))))


def _normal(j: Sequence[Float64]) -> Float64:
    return _unit(np.cross(j[1] - j[0], j[2] - j[0]))


Relation = Callable[[Sequence[Float64], float, float], np.ndarray]
RELATIONS: dict[str, Relation] = {
    "fast": lambda j, limit, _: np.linalg.norm(_velocity(j[0]), axis=1) > limit,
    "move": lambda j, limit, _: np.vecdot(_velocity(j[3] - j[2]), _unit(j[1] - j[0])) > limit,
    "nmove": lambda j, limit, _: np.vecdot(_velocity(j[3] - j[0]), _normal(j)) > limit,
    "plane": lambda j, limit, _: np.vecdot(j[3] - j[0], _normal(j)) > limit,
    "nplane": lambda j, limit, _: np.vecdot(j[3] - j[2], _unit(j[1] - j[0])) > limit,
    "bent": lambda j, limit, _: _angle(j) <= limit,
    "wide": lambda j, limit, _: _angle(j) >= limit,
    "lying": lambda j, limit, _: np.abs(_unit(j[1] - j[0])[:, 1]) < np.cos(np.radians(limit)),
    "above": lambda j, limit, floor: j[0][:, 1] - floor > limit,
    "below": lambda j, limit, floor: j[0][:, 1] - floor < limit,
}


def distance(made: Float64, real: Float64) -> float:
    """Fréchet distance (Heusel et al., 2017) of features [n, F], each first scaled by the real ones' mean and spread.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2); infinite with fewer than two points.
    """
    if len(made) < 2 or len(real) < 2:
        return float("inf")
    mean, std = real.mean(0), real.std(0) + 1e-6 + 0.01 * real.std()
    a, b = (made - mean) / std, (real - mean) / std
    c, d = np.cov(a.T), np.cov(b.T)
    values, vectors = np.linalg.eigh(c)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ d @ root), 0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(c) + np.trace(d) - 2 * cross)


def diversity(made: Float64, real: Float64) -> float:
    """Mean distance between any two clips [n, F] (Li et al., 2021), scaled as `distance` scales."""
    if len(made) < 2:
        return 0.0
    scaled = (made - real.mean(0)) / (real.std(0) + 1e-6 + 0.01 * real.std())
    apart = np.linalg.norm(scaled[:, None] - scaled[None], axis=-1)
    return float(apart.sum() / (len(made) * (len(made) - 1)))
