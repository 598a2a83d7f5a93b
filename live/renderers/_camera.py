"""Where the stage is seen from: presets that keep all dancers in the picture, and the projection to pixels."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from live.types import Float64

FIELD = math.radians(34.0)
"""Vertical field of view; a long lens, so that bodies keep their proportions."""
NEAR = 0.2
"""Metres in front of the camera from which on anything is drawn."""
BODY = 1.15
"""Metres around a dancer's hips that should be seen."""
EASE = 0.9
"""Seconds in which the camera does most of a change."""
SLACK, ARRIVED = 0.4, 0.1
"""Metres (and radians) off from which on it moves, and within which it stands: dancers always move about a little, and
while the camera stands the stage need not be drawn again."""


class Preset(NamedTuple):
    """azimuth and elevation (degrees; 0 is the audience's place), share of the distance that shows everybody, turns per
    second, height aimed at (m), and whether only the first dancer is followed."""

    azimuth: float
    elevation: float
    zoom: float = 1.0
    spin: float = 0.0
    aim: float = 0.9
    solo: bool = False


PRESETS = {
    "front": Preset(0.0, 8.0),
    "low": Preset(-18.0, 1.5, aim=1.0),
    "side": Preset(72.0, 7.0),
    "high": Preset(12.0, 38.0, 1.05, aim=0.7),
    "close": Preset(-12.0, 5.0, 0.72, aim=1.1, solo=True),
    "orbit": Preset(0.0, 10.0, 1.0, spin=1 / 40),
    "follow": Preset(24.0, 9.0, 1.25, aim=0.85, solo=True),
}


class View(NamedTuple):
    """eye [3] (m); axes [3, 3]: rows right, up and towards the viewer; focal length and centre in pixels."""

    eye: Float64
    axes: Float64
    focal: float
    centre: tuple[float, float]

    def seen(self, points: NDArray[np.floating]) -> Float64:
        """World points [..., 3] in the camera's frame: right, up, towards the viewer (negative: before the lens)."""
        return np.asarray((points - self.eye) @ self.axes.T)

    def pixels(self, seen: Float64) -> Float64:
        """Pixels [..., 2], x right and y down, of points of the camera's frame before the lens."""
        scale = self.focal / np.maximum(-seen[..., 2:], NEAR)
        return seen[..., :2] * scale * (1.0, -1.0) + self.centre

    def project(self, points: NDArray[np.floating]) -> Float64:
        return self.pixels(self.seen(points))


class Camera:
    """Glides to where its preset wants it."""

    def __init__(self, preset: str, width: int, height: int) -> None:
        self.preset = preset
        self._centre, self._focal = (width / 2, height / 2), height / 2 / math.tan(FIELD / 2)
        self._sides = width / height
        self._now: Float64 | None = None  # azimuth, elevation, distance, aim x y z
        self._turned = 0.0
        self._moving = False

    def look(self, roots: NDArray[np.floating], seconds: float) -> View:
        """The view on dancers whose hips are at `roots` [N, 3], `seconds` after the last."""
        preset = PRESETS[self.preset]
        self._turned = (self._turned + seconds * preset.spin * 2 * math.pi) if preset.spin else 0.0
        wanted = self._wanted(preset, roots)
        if self._now is None:
            self._now = wanted
        else:
            change = wanted - self._now
            change[0] = math.remainder(change[0], 2 * math.pi)
            self._moving = np.abs(change).max() > (ARRIVED if self._moving or preset.spin else SLACK)
            if self._moving:
                self._now = self._now + change * (1.0 - math.exp(-seconds / EASE))
        return self._view(self._now)

    def _wanted(self, preset: Preset, roots: NDArray[np.floating]) -> Float64:
        floor = np.asarray((roots[:1] if preset.solo else roots)[:, (0, 2)], np.float64)
        low, high = floor.min(0), floor.max(0)
        middle = (low + high) / 2
        azimuth, elevation = math.radians(preset.azimuth) + self._turned, math.radians(preset.elevation)
        across = np.array([math.cos(azimuth), -math.sin(azimuth)])
        half = float(np.abs((floor - middle) @ across).max()) + BODY * 0.75
        depth = float(np.abs((floor - middle) @ np.array([math.sin(azimuth), math.cos(azimuth)])).max())
        tall = BODY * (1.0 + 0.25 * math.sin(elevation) * depth)
        distance = depth + preset.zoom * max(tall, half / self._sides) / math.tan(FIELD / 2)
        return np.array([azimuth, elevation, distance, middle[0], preset.aim, middle[1]])

    def _view(self, place: Float64) -> View:
        azimuth, elevation, distance = place[:3]
        back = np.array([math.sin(azimuth) * math.cos(elevation), math.sin(elevation),
                         math.cos(azimuth) * math.cos(elevation)])  # fmt: skip
        right = np.array([math.cos(azimuth), 0.0, -math.sin(azimuth)])
        return View(
            place[3:] + distance * back, np.stack([right, np.cross(back, right), back]), self._focal, self._centre
        )
