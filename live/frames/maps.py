"""Skeleton maps: what a renderer is shown of a pose. Training and stage both draw them by `draw`, to the last bit.

One plane per limb of the 18 keypoints, and one of the joints: limbs that cross stay apart, and left is never right.
Only float32 additions, products and square roots are used, which every processor rounds alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from live.keypoints import BONES, COUNT
from live.types import Float32

PLANES = len(BONES) + 1
"""A plane per limb, and the joints'."""
THICK = 1 / 64
"""Half a limb's width, of the picture's side; a joint's radius is as large."""
Map = NDArray[np.uint8]
_CAPSULES = (*BONES, *((i, i) for i in range(COUNT)))


def draw(points: Float32, size: int) -> Map:
    """The map [18, size, size] of keypoints [18, 2]: x right and y down, the picture being the unit square; NaN where
    unknown. Limbs are capsules whose edges fade over a pixel: 255 inside, 0 outside. What lies outside the picture is
    cut off."""
    out = np.zeros((PLANES, size, size), np.uint8)
    pixels = np.clip(np.asarray(points, np.float32), -4.0, 4.0) * np.float32(size)
    for n, (a, b) in enumerate(_CAPSULES):
        _capsule(out[min(n, PLANES - 1)], pixels[a], pixels[b], np.float32(max(THICK * size, 0.75)))
    return out


def _capsule(plane: Map, a: Float32, b: Float32, radius: np.float32) -> None:
    """Lighten `plane` where a pixel's middle is within `radius` of the line from a to b."""
    low, high = np.minimum(a, b) - radius - 1, np.maximum(a, b) + radius + 1
    if not np.isfinite(low + high).all():
        return
    size = len(plane)
    (x0, y0), (x1, y1) = np.clip(low.astype(int), 0, size).tolist(), np.clip(high.astype(int) + 1, 0, size).tolist()
    if x0 >= x1 or y0 >= y1:
        return
    along = b - a
    x = np.arange(x0, x1, dtype=np.float32) + np.float32(0.5) - a[0]
    y = (np.arange(y0, y1, dtype=np.float32) + np.float32(0.5) - a[1])[:, None]
    length = max(np.float32(along[0] * along[0] + along[1] * along[1]), np.float32(1e-6))
    share = np.clip((x * along[0] + y * along[1]) / length, 0, 1)
    dx, dy = x - share * along[0], y - share * along[1]
    cover = np.clip(radius + np.float32(0.5) - np.sqrt(dx * dx + dy * dy), 0, 1)
    part = plane[y0:y1, x0:x1]
    np.maximum(part, (cover * np.float32(255) + np.float32(0.5)).astype(np.uint8), out=part)
