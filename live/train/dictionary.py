"""Making the dictionary of `live.dictionary` from prepared dances, and how similar a dance is to what it holds.

Dance similarity, after the seed paper's Fig. 9: for music that was not trained on, the made dance beside the one that
the dictionary gives for that music. The paper does not write its distance down; ours is the mean distance of the
joints (or keypoints), hips and heading taken out, in units of the body's height, so that 0 is the same dance.
"""

from __future__ import annotations

import numpy as np

from live import channels, skeleton
from live.dictionary import ENTRY, Dictionary, key_of
from live.errors import BadFile
from live.types import Float32

CLUSTERS = 5
BODY = float(skeleton.REST_OFFSETS[:6, 1].sum())


def build(arrays: dict[str, np.ndarray], seed: int = 1) -> Dictionary:
    """Entries of a second, half a second apart, wherever the prepared dances are clean throughout."""
    ends = zip(arrays["start"], arrays["start"][1:], strict=False)
    at = np.concatenate([np.arange(a, b - ENTRY, ENTRY // 2) for a, b in ends])
    clean = np.array([arrays["usable"][i : i + ENTRY].all() for i in at])
    at = at[clean]
    if len(at) < CLUSTERS:
        raise BadFile(f"the prepared data holds {len(at)} clean seconds; a dictionary needs {CLUSTERS}")
    keys = np.stack([key_of(arrays["prosody"][i : i + ENTRY].astype(np.float32)) for i in at])
    mean, std = keys.mean(0), keys.std(0) + 1e-3
    scaled = ((keys - mean) / std).astype(np.float32)
    centres, cluster = k_means(scaled, CLUSTERS, np.random.default_rng(seed))
    segment = np.searchsorted(arrays["start"], at, "right") - 1
    return Dictionary(
        scaled, mean, std, centres, cluster, at, arrays["channels"], arrays["styles"], arrays["style"][segment]
    )


def k_means(points: Float32, k: int, rng: np.random.Generator, rounds: int = 50) -> tuple[Float32, np.ndarray]:
    """Centres [k, F] and each point's cluster [N] (Lloyd, 1982; begun as k-means++, Arthur, 2007)."""
    centres = points[rng.integers(len(points))][None]
    while len(centres) < k:
        nearest = _apart(points, centres).min(1)
        share = nearest / nearest.sum() if nearest.sum() > 0 else None
        centres = np.concatenate([centres, points[rng.choice(len(points), p=share)][None]])
    for _ in range(rounds):
        cluster = _apart(points, centres).argmin(1)
        moved = np.stack([points[cluster == i].mean(0) if (cluster == i).any() else c for i, c in enumerate(centres)])
        if np.allclose(moved, centres):
            break
        centres = moved
    return centres.astype(np.float32), _apart(points, centres).argmin(1)


def _apart(points: Float32, centres: Float32) -> Float32:
    """Squared distances [N, k]."""
    square = (points**2).sum(1)[:, None] - 2 * points @ centres.T + (centres**2).sum(1)
    return np.maximum(square.astype(np.float64), 0.0)


def looked_up(dictionary: Dictionary, prosody: Float32) -> Float32:
    """The dictionary's dance [T, C] for sound features [T, 30]: each second's nearest entry, one after the other."""
    seconds = len(prosody) // ENTRY
    found = [dictionary.nearest(prosody[i * ENTRY : (i + 1) * ENTRY])[0] for i in range(seconds)]
    return np.concatenate([dictionary.dance(int(entry)) for entry in found])


def similarity(made: Float32, reference: Float32) -> float:
    """Mean distance of joints of two dances, channels [T, C] each (see the module's docstring); 0 for the same."""
    length = min(len(made), len(reference))
    a, b = (points(x[:length].astype(np.float32)) for x in (made, reference))
    return float(np.linalg.norm(a - b, axis=-1).mean())


def points(raw: Float32) -> Float32:
    """Joints [T, 22, 3] about the hips facing forward, in body heights; or keypoints [T, 18, 2] about their middle, in
    heights of about three torsos."""
    if raw.shape[1] == channels.COUNT:
        matrices = channels.decode(raw).matrices
        return np.asarray(skeleton.matrix_kinematics(np.zeros((len(raw), 3), np.float32), matrices)[0] / BODY)
    flat = raw.reshape(len(raw), -1, 2)
    return np.asarray((flat - flat.mean(1, keepdims=True)) / 3.0)
