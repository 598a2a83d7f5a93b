"""Draws one dancer as a renderer's person, in place of the painter: as large as the picture allows, on black."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import skia
from numpy.typing import NDArray

from live.frames.brush import Picture
from live.frames.easel import Easel, open_easel
from live.frames.folder import find_renderer
from live.frames.studio import Sitting, Studio
from live.look import Look
from live.renderers._shapes import canvas_on

SMALLEST = 512
"""Pixels of a window or film whose size was not asked for, where the renderer's own pictures are smaller."""


def open_studio(renderer: str, provider: str) -> Studio:
    """A renderer by its name or folder; `BadModel` or `Unusable` in one line."""
    return Studio(open_easel(find_renderer(renderer), provider))


def own_size(look: Look, easel: Easel) -> Look:
    """The look with the renderer's own shape."""
    side = max(SMALLEST, easel.card.size // 2 * 2)
    return replace(look, width=side, height=side)


class Mount:
    """Shows a picture in `pixels` [H, W, 4] uint8 (blue, green, red, alpha)."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._canvas = canvas_on(pixels, opaque=True)
        height, width = pixels.shape[:2]
        side = min(height, width)
        self._place = skia.Rect.MakeXYWH((width - side) / 2, (height - side) / 2, side, side)
        self._picture = np.zeros((1, 1, 4), np.uint8)

    def take(self, picture: Picture) -> None:
        """Show this one [S, S, 3] from now on."""
        self._picture = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])

    def draw(self, presence: float = 1.0) -> None:
        """Draw it. `presence`: at 0 all is black."""
        self._canvas.clear(skia.ColorBLACK)
        paint = skia.Paint(Alphaf=float(presence))
        image = skia.Image.fromarray(self._picture, copy=False)
        self._canvas.drawImageRect(image, self._place, skia.SamplingOptions(skia.CubicResampler.Mitchell()), paint)


class Portrait:
    """Draws into `pixels` [H, W, 4] uint8 (blue, green, red, alpha)."""

    def __init__(self, studio: Studio, dancers: int, pixels: NDArray[np.uint8], dancer: int = 0) -> None:
        self._studio, self._dancers, self._dancer = studio, dancers, min(dancer, dancers - 1)
        self._mount = Mount(pixels)
        self._sitting: Sitting | None = None
        self._last = -1

    @property
    def caption(self) -> str:
        """Who is seen, and what paints them."""
        easel = self._studio.easel
        return f"{easel.card.name}, dancer {self._dancer + 1}, {easel.device}"

    def turn(self) -> None:
        """Show the next dancer."""
        self._dancer, self._sitting, self._last = (self._dancer + 1) % self._dancers, None, -1

    def draw(self, record: np.void, seconds: float, presence: float = 1.0) -> None:
        """One pose (a record of a take), `seconds` after the last. `presence`: at 0 all is black."""
        if int(record["sequence"]) != self._last:
            self._paint(record, seconds)
        self._mount.draw(presence)

    def _paint(self, record: np.void, seconds: float) -> None:
        root, rotations = record["root_position"][self._dancer], record["local_rotations"][self._dancer]
        sitting = self._studio.begin(root) if self._sitting is None else self._sitting
        picture, self._sitting = self._studio.step(root, rotations, seconds, sitting)
        self._mount.take(picture)
        self._last = int(record["sequence"])
