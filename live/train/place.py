"""The empty place of footage whose camera stands still: what each pixel shows while nobody stands before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from live.frames.maps import draw
from live.keypoints import HIPS, NECK
from live.train.footage import Footage, Pixels

MOST = 200
"""Pictures that are looked at."""
STOUT = 0.3
"""Of the way from hips to neck, that a body may reach beyond the lines between its keypoints."""
BARE = 0.05
"""Of the pictures, in which a pixel must be seen bare to be known."""
WIDE = 0.05
"""Of the picture's side, over which what is not known is filled."""


def plate(footage: Footage) -> Pixels:
    """The place without the person [S, S, 3]: the median of what is not them. What they always stand before is filled
    smoothly from around it."""
    which = slice(None, None, max(1, len(footage.pictures) // MOST))
    hidden = covered(footage.part(which))
    shown = np.where(hidden[..., None], np.float32(np.nan), footage.pictures[which])
    known = (~hidden).sum(0) >= BARE * len(hidden)
    if not known.any():
        return np.median(footage.pictures[which], 0).astype(np.uint8)
    shown[:, ~known] = 0.0
    rows = [np.nanmedian(shown[:, row], 0) for row in range(footage.size)]  # all at once takes ten times the memory
    place, wide = np.stack(rows), footage.size * WIDE
    seen = ndimage.gaussian_filter(known.astype(np.float64), wide, truncate=1 / WIDE)
    around = ndimage.gaussian_filter(place.astype(np.float64), (wide, wide, 0), truncate=1 / WIDE)
    around /= np.maximum(seen, np.finfo(np.float64).tiny)[..., None]
    return np.where(known[..., None], place, around).round().clip(0, 255).astype(np.uint8)


def covered(footage: Footage) -> NDArray[np.bool_]:
    """Where the person may be [T, S, S]: their mask where it is known, else broadly around their limbs."""
    if footage.masks is not None:
        return np.asarray(footage.masks > 0)
    torso = np.linalg.norm(footage.points[:, NECK] - footage.points[:, HIPS].mean(1), axis=-1)
    reach = max(1.0, STOUT * float(np.nanmedian(torso)) * footage.size)
    lines = (draw(points, footage.size).any(0) for points in footage.points)
    return np.stack([ndimage.distance_transform_edt(~line) < reach if line.any() else line for line in lines])
