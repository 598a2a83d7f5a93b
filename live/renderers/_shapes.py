"""Outlines of volumes: hulls of circles, for all volumes at once, and as paths to be filled."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import skia
from numpy.typing import NDArray

from live.types import Float64


def canvas_on(pixels: NDArray[np.uint8], opaque: bool) -> Any:
    """A Skia canvas that draws into `pixels` [H, W, 4] (blue, green, red, alpha; premultiplied)."""
    alpha = skia.kOpaque_AlphaType if opaque else skia.kPremul_AlphaType
    info = skia.ImageInfo.Make(pixels.shape[1], pixels.shape[0], skia.kBGRA_8888_ColorType, alpha)
    return skia.Canvas.MakeRasterDirect(info, pixels, pixels.strides[0])


def straight(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels [H, W, 4] whose colours are not multiplied by their alpha any more, as films and mixers want them."""
    out = np.empty_like(pixels)
    info = skia.ImageInfo.Make(pixels.shape[1], pixels.shape[0], skia.kBGRA_8888_ColorType, skia.kUnpremul_AlphaType)
    canvas_on(pixels, opaque=False).readPixels(info, out, out.strides[0])
    return out


@cache
def _directions(corners: int) -> Float64:
    angles = np.linspace(0.0, 2 * np.pi, corners, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], -1)


def corners_for(radius: float) -> int:
    """Corners of a circle of `radius` pixels that keep within a quarter of a pixel of it, 12 to 48."""
    return int(min(max(np.ceil(np.pi / np.sqrt(0.5 / max(radius, 1.0))), 12), 48))


def hulls(centres: NDArray[np.floating], radii: NDArray[np.floating], corners: int) -> Float64:
    """Corners [..., K, 2] of the convex hulls of circles with centres [..., B, 2] and radii [..., B].

    In each direction the hull's farthest point lies on the circle that reaches farthest that way.
    """
    directions = _directions(corners)
    reach = centres @ directions.T + radii[..., None]  # [..., B, K]
    best = reach.argmax(-2)[..., None]  # [..., K, 1]
    chosen = np.take_along_axis(centres, best, -2)
    return np.asarray(chosen + np.take_along_axis(radii[..., None], best, -2) * directions)


def add(path: Any, corners: list[list[float]]) -> Any:
    """`path` with a closed polygon in it."""
    path.moveTo(*corners[0])
    line = path.lineTo
    for x, y in corners[1:]:
        line(x, y)
    path.close()
    return path


def polygon(corners: list[list[float]]) -> Any:
    """A path of its own."""
    return add(skia.Path(), corners)
