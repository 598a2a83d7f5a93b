"""Ribbons of light behind the hands."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import skia
from numpy.typing import NDArray

from live.renderers import _body, _light
from live.renderers._camera import View
from live.types import Float32, Float64

LENGTH = 0.42
"""Seconds."""
WIDTH = 16.0
"""Pixels of a picture of 720 lines, at the hand; brightest in the middle."""
STRENGTH = 0.55


class Trails:
    """Remembers where hands were; `unit` is pixels per line of 720."""

    def __init__(self, unit: float) -> None:
        self._width = WIDTH * unit
        self._past: deque[tuple[float, Float32]] = deque()

    def draw(self, canvas: Any, view: View, time: float, places: Float32, glow: Float64) -> None:
        """`time`: seconds of the show; places [N, P, 3] of the balls; glow [N, 3]."""
        past = self._past
        while past and not 0.0 <= time - past[0][0] <= LENGTH:
            past.popleft()
        if not past or time > past[-1][0]:
            past.append((time, places[:, _body.HANDS].copy()))
        if len(past) < 3:
            return
        path = view.project(np.stack([hands for _, hands in past])[-1::-2][::-1])  # every second one, the newest too
        dancers = path.shape[1]
        points = _ribbon(path, self._width).reshape(-1, 2)
        colours = _faded(glow, len(path)).reshape(-1)
        mesh = skia.Vertices(
            skia.Vertices.kTriangles_VertexMode,
            [skia.Point(x, y) for x, y in points.tolist()], None, colours.tolist(), _strips(len(path), 2 * dancers),
        )  # fmt: skip
        canvas.drawVertices(mesh, skia.Paint(Color=0xFFFFFFFF, BlendMode=skia.BlendMode.kPlus), skia.BlendMode.kDst)


def _ribbon(path: Float64, width: float) -> Float64:
    """Left edge, middle and right edge [3, T, N, 2 hands, 2] along paths [T, N, 2, 2]; tails are pointed."""
    along = np.gradient(path, axis=0)
    side = np.stack([-along[..., 1], along[..., 0]], -1)
    side /= np.maximum(np.linalg.norm(side, axis=-1, keepdims=True), 1.0)  # a hand that rests leaves none
    offset = side * (np.linspace(0.0, width / 2, len(path)))[:, None, None, None]
    return np.stack([path - offset, path, path + offset])


def _faded(glow: Float64, steps: int) -> NDArray[np.int64]:
    """Colours [3, T, N, 2]: nothing at the edges and the tail."""
    alpha = np.linspace(0.0, 1.0, steps)[:, None] ** 1.5 * np.array([[0.0, STRENGTH, 0.0]])  # [T, 3]
    rgb = _light.packed(glow, 0.0)  # [N]
    whole = (np.round(255 * alpha).astype(np.int64) << 24).T[..., None, None] | rgb[None, None, :, None]
    return np.broadcast_to(whole, (3, steps, len(glow), 2))


def _strips(steps: int, ribbons: int) -> list[int]:
    """Corners of the triangles of `_ribbon`'s points, flattened."""
    index = np.arange(3 * steps * ribbons).reshape(3, steps, ribbons)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    found: list[int] = np.stack([a, b, c, b, c, d], -1).reshape(-1).tolist()
    return found
