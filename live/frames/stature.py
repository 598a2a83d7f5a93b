"""Global pose normalisation (Chan et al. 2019, section 4): one body's keypoints as another's in its own picture.

Where somebody stands nearest to the camera and farthest from it, and how tall they are there, gives scale and place of
everything between. Limbs are made as long as the other's; the way to the sides is shortened to what its picture shows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from live import rotation, skeleton
from live.frames.lens import Lens
from live.keypoints import BONES, HIPS, INDEX, NAMES, NECK
from live.types import Float32

ANKLES = [INDEX["rightAnkle"], INDEX["leftAnkle"]]
BODY = tuple("nose" not in (NAMES[a], NAMES[b]) and b < INDEX["rightEye"] for a, b in BONES)
"""Limbs whose lengths are fitted; those of the face turn too much to be measured."""
DOWN = tuple(
    tuple(BONES.index((INDEX[side + a] if a != "neck" else NECK, INDEX[side + b])) for side in ("right", "left"))
    for a, b in (("neck", "Hip"), ("Hip", "Knee"), ("Knee", "Ankle"))
)
"""The way from neck to ankle: limbs of both sides."""
STRETCHED = 0.95
"""Quantile of a limb's length in the picture that is taken for its true one: most of the time it points elsewhere."""
WIDEST = (0.6, 1.6)
"""Bounds of how much longer a limb may be made."""
ANKLE = 0.08
"""Height (m) of our ankles when we stand."""
PLANTED = 15
"""Pictures within which one foot stands."""
STANDING = 0.1
"""Share of the pictures that count as nearest, and as farthest."""


class Stature(NamedTuple):
    """In units of the picture: `near` and `far`, where ankles are seen when closest and farthest, and how tall the body
    is there, neck to ankle; `middle` and `reach`, where it stands and how far it goes to the sides; `limbs` [17],
    their lengths as shares of that height (0: not measured)."""

    near: float
    far: float
    tall_near: float
    tall_far: float
    middle: float
    reach: float
    limbs: tuple[float, ...]


def measured(points: Float32) -> Stature:
    """Of a person seen in keypoints [T, 18, 2] (NaN where unknown)."""
    known = points[np.isfinite(points).all((1, 2))]
    ankle, across = _planted(known[:, ANKLES, 1].max(1)), known[:, HIPS, 0].mean(1)
    near, far = (float(np.quantile(ankle, share)) for share in (1 - STANDING, STANDING))
    left, middle, right = (float(v) for v in np.quantile(across, (0.02, 0.5, 0.98)))
    tall_near, tall_far = _tall(_lengths(known[ankle >= near])), _tall(_lengths(known[ankle <= far]))
    limbs = _lengths(known) / _tall(_lengths(known)) * np.array(BODY)
    return Stature(near, far, tall_near, tall_far, middle, (right - left) / 2, tuple(limbs.tolist()))


def _planted(ankle: Float32) -> Float32:
    """The lowest that an ankle [T] was within the pictures around: a foot that stands, not one that is lifted."""
    return np.asarray(_windows(ankle).max(1))


def _windows(values: Float32) -> Float32:
    """What lies around each of the values [T]: [T, W], at most `PLANTED`."""
    half = min(PLANTED // 2, (len(values) - 1) // 2)
    return np.lib.stride_tricks.sliding_window_view(np.pad(values, half, mode="edge"), 2 * half + 1)


def ours(lens: Lens, reach: float) -> Stature:
    """Of the 22 bones, standing up to `reach` metres from the middle of the stage."""
    rest = np.tile(rotation.IDENTITY, (2, skeleton.COUNT, 1)).astype(np.float32)
    roots = np.array([[0, skeleton.REST_OFFSETS[0, 1], z] for z in (reach, -reach)], np.float32)
    seen = lens.keypoints(roots, rest)
    near, far = (float(y) for y in seen[:, ANKLES, 1].max(1))
    lengths = _lengths(seen[:1])
    limbs = lengths / _tall(lengths) * np.array(BODY)
    return Stature(near, far, _tall(lengths), _tall(_lengths(seen[1:])), 0.5, reach / lens.span, tuple(limbs.tolist()))


def _lengths(points: Float32) -> Float32:
    """Of each limb [17] in the picture, when it is seen from the side."""
    ends = points[:, [b for _, b in BONES]] - points[:, [a for a, _ in BONES]]
    return np.asarray(np.quantile(np.linalg.norm(ends, axis=-1), STRETCHED, 0), np.float32)


def _tall(lengths: Float32) -> float:
    """From neck to ankle, along limbs of lengths [17]."""
    return float(lengths[np.array(DOWN)].mean(1).sum())


def ground(lens: Lens, root: Float32) -> Float32:
    """Where hips at [T, 3] (m) have the floor under them, at the height of ankles [T, 2]."""
    return lens.project(root * np.array([1, 0, 1], np.float32) + np.array([0, ANKLE, 0], np.float32))


def fitted(points: Float32, floor: Float32, source: Stature, target: Stature) -> Float32:
    """Keypoints [T, 18, 2] of a body like `source`, over the floor at [T, 2], as `target` would be seen dancing so."""
    share = np.clip((floor[:, 1] - source.far) / max(source.near - source.far, 1e-6), 0.0, 1.0)
    scale = _between(target.tall_far / source.tall_far, target.tall_near / source.tall_near, share)
    shorter = np.minimum(scale, target.reach / max(source.reach, 1e-6))
    at = target.middle + (floor[:, 0] - source.middle) * shorter, _between(target.far, target.near, share)
    local = _longer(points - floor[:, None], source, target)
    return np.asarray(local * scale[:, None, None] + np.stack(at, -1)[:, None], np.float32)


def _between(far: float, near: float, share: Float32) -> Float32:
    return np.asarray(far + share * (near - far), np.float32)


def _longer(points: Float32, source: Stature, target: Stature) -> Float32:
    """Each limb as long as the target's is, the lower ankle as high as it was."""
    out = points.copy()
    for n, (a, b) in enumerate(BONES):
        known = source.limbs[n] > 0 and target.limbs[n] > 0
        factor = np.clip(target.limbs[n] / source.limbs[n], *WIDEST) if known else 1.0
        out[:, b] = out[:, a] + (points[:, b] - points[:, a]) * np.float32(factor)
    lower = points[:, ANKLES, 1].max(1) - out[:, ANKLES, 1].max(1)
    beside = points[:, HIPS, 0].mean(1) - out[:, HIPS, 0].mean(1)
    return out + np.stack([beside, lower], -1)[:, None].astype(np.float32)


def under(points: Float32) -> Float32:
    """Where bodies of which only keypoints [T, 18, 2] are known stand [T, 2]: under the hips, at the ankle that was the
    lower one around then, so that a jump leaves the floor."""
    ankle = _planted(points[:, ANKLES, 1].max(1))
    return np.stack([points[:, HIPS, 0].mean(1), _windows(ankle).mean(1)], -1)


def placed(points: Float32, target: Stature) -> Float32:
    """Keypoints [T, 18, 2] of one dance, y down, in any unit: as `target` would be seen dancing so in its own picture.

    It goes as far to the sides as `target` does at most, and not nearer or farther than the dance did, in heights of
    its own body."""
    source, floor = measured(points), under(points)
    away = float(np.abs(floor[:, 0] - source.middle).max())
    return fitted(points, floor, _as_deep(source, target)._replace(reach=away), target)


def _as_deep(source: Stature, target: Stature) -> Stature:
    """The source; where it comes and goes less than the target does, as if it could have as much."""
    tall = max(source.tall_near, source.tall_far)
    depth = (target.near - target.far) / max(target.tall_near, target.tall_far) * tall
    if source.near - source.far >= depth:
        return source
    middle = (source.near + source.far) / 2
    return source._replace(near=middle + depth / 2, far=middle - depth / 2, tall_near=tall, tall_far=tall)
