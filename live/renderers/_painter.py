"""Draws dancers into pixels with Skia: the stage, then trails and bodies, the nearest volume last."""

from __future__ import annotations

import numpy as np
import skia
from numpy.typing import NDArray

from live.look import CAMERAS, CLEAR, STAGE, Look
from live.renderers import _body, _light
from live.renderers._camera import NEAR, Camera, View
from live.renderers._floor import Floor, cast, rings
from live.renderers._shapes import canvas_on, corners_for, hulls, polygon
from live.renderers._trails import Trails
from live.types import Float32, Float64

FADE = (4.0, 16.0)
"""Metres behind the middle of the dancers between which bodies fade into the dark."""
FLAT = 4.5
"""Pixels of radius under which a volume is too small for shades; filling it with one colour takes half the time."""
MIDDLE = len(_light.ACROSS) // 2 - 1
GONE = 0.02
"""Presence from which on nobody is drawn."""


class Painter:
    """Draws into `pixels` [H, W, 4] uint8 (blue, green, red, alpha; premultiplied), of the size that `look` says."""

    def __init__(self, look: Look, dancers: int, pixels: NDArray[np.uint8]) -> None:
        self.look = look
        self.camera = Camera(look.camera, look.width, look.height)
        self.canvas = canvas_on(pixels, opaque=look.background != CLEAR)
        self._pixels = pixels
        self._floor, self._trails = Floor(look), Trails(look.height / 720)
        self._costumes = _light.costumes(dancers)
        self._glow = np.array([_light.glow(n) for n in range(dancers)])

    @property
    def caption(self) -> str:
        """The camera that sees the stage."""
        return self.camera.preset

    def turn(self) -> None:
        """See it by the next camera."""
        self.camera.preset = CAMERAS[(CAMERAS.index(self.camera.preset) + 1) % len(CAMERAS)]

    def draw(self, record: np.void, seconds: float, presence: float = 1.0) -> None:
        """One pose (a record of a take), `seconds` after the last. `presence`: at 0 the stage is empty."""
        places = _body.balls(record["joint_positions"], record["local_rotations"])
        view = self.camera.look(record["joint_positions"][:, 0], seconds)
        beat, bar = _pulse(record) if self.look.beat else (0.0, 0.0)
        there = presence > GONE
        if self.look.background == STAGE:
            half = self._floor.begin(view)
            if there:
                self._floor.pools(half, places, self._glow * presence, beat)
                self._floor.shadows(half, places, presence)
                self._floor.reflect(half, places, self._costumes * presence)
            self._floor.finish(self._pixels)
        else:
            self.canvas.clear(0 if self.look.background == CLEAR else 0xFF000000 | int(self.look.background, 16))
        if not there:
            return
        if self.look.background == STAGE:
            rings(self.canvas, view, beat, bar, float(record["beat_phase"]))
        elif self.look.background == CLEAR:
            cast(self.canvas, view, places, presence)
        if self.look.trails:
            self._trails.draw(self.canvas, view, float(record["show_time"]), places, self._glow * presence)
        rims = self._glow * (0.5 + 0.9 * beat) * presence
        self._draw_bodies(view, places, self._costumes * presence, rims)

    def _draw_bodies(self, view: View, places: Float32, costumes: Float64, rims: Float64) -> None:
        bodies = _Volumes(view, places)
        colours = bodies.colours(costumes, rims, fog=self.look.background == STAGE)
        plain, canvas = skia.Paint(AntiAlias=True), self.canvas
        shaded = skia.Paint(AntiAlias=True, Dither=True)  # Skia's way of dithering is also its fastest
        outlines, starts, ends = bodies.outlines.tolist(), bodies.starts.tolist(), bodies.ends.tolist()
        for i in bodies.order():
            if bodies.small[i]:
                plain.setColor(colours[i][MIDDLE])
            else:
                across = [skia.Point(*starts[i]), skia.Point(*ends[i])]
                shaded.setShader(skia.GradientShader.MakeLinear(across, colours[i]))
            canvas.drawPath(polygon(outlines[i]), plain if bodies.small[i] else shaded)


def _pulse(record: np.void) -> tuple[float, float]:
    """How much of a beat, and of a bar's first one, is in this moment, 0..1: struck at once, gone by the next."""
    beat = float(record["beat_confidence"]) * float(np.exp(-4.0 * float(record["beat_phase"])))
    bar = float(record["bar_confidence"]) * float(np.exp(-12.0 * float(record["bar_phase"])))
    return min(max(beat, 0.0), 1.0), min(max(bar, 0.0), 1.0)


class _Volumes:
    """All M volumes of all dancers as one view shows them."""

    def __init__(self, view: View, places: Float32) -> None:
        seen = view.seen(places)[:, _body.SPANS]  # [N, V, 4, 3]
        self.away = -seen[..., 2]
        depth = np.maximum(self.away, NEAR)
        centres, radii = view.pixels(seen), view.focal * _body.RADII[_body.SPANS] / depth
        m = seen.shape[0] * seen.shape[1]
        self.outlines = hulls(centres, radii, corners_for(float(radii.max()))).reshape(m, -1, 2)
        axes = (seen[:, :, 1] - seen[:, :, 0]).reshape(m, 3)
        self.axes = axes / np.maximum(np.linalg.norm(axes, axis=-1, keepdims=True), 1e-6)
        length = np.linalg.norm(centres[:, :, 1] - centres[:, :, 0], axis=-1)
        self.end_on = np.clip(1.0 - length / (radii[..., 0] + radii[..., 1]), 0.0, 1.0).reshape(m)
        self.small: list[bool] = (radii.max(-1) < FLAT).reshape(m).tolist()
        middle, side = centres.reshape(m, -1, 2)[:, 0], _light.across(self.axes)
        beside = np.einsum("mkc,mc->mk", self.outlines - middle[:, None], side)
        self.starts, self.ends = middle + side * beside.min(-1)[:, None], middle + side * beside.max(-1)[:, None]

    def colours(self, costumes: Float64, rims: Float64, fog: bool) -> list[list[int]]:
        """0xAARRGGBB [M][S]; what is farther back is darker, within a body and on the stage."""
        volumes = self.away.shape[1]
        base = costumes.reshape(-1, 3)
        lit = _light.shades(self.axes, self.end_on, base, np.repeat(rims, volumes, 0))
        depth = self.away.mean(-1)
        within = np.clip(1.0 - 0.4 * (depth - depth.mean(1, keepdims=True)), 0.7, 1.15).reshape(-1, 1, 1)
        far = np.clip((depth - depth.mean() - FADE[0]) / (FADE[1] - FADE[0]), 0.0, 0.8 * fog).reshape(-1, 1, 1)
        packed: list[list[int]] = _light.packed(lit * within * (1 - far) + _light.FOG * far).tolist()
        return packed

    def order(self) -> list[int]:
        """Those before the lens, the farthest first."""
        depth, nearest = self.away.mean(-1).reshape(-1), self.away.min(-1).reshape(-1)
        return [i for i in np.argsort(-depth).tolist() if nearest[i] > NEAR]
