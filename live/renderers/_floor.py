"""The stage around the dancers: backdrop, floor, its lights and rings, shadows and reflections."""

from __future__ import annotations

from typing import Any

import numpy as np
import skia
from numpy.typing import NDArray

from live.look import Look
from live.renderers import _body, _light
from live.renderers._camera import NEAR, View
from live.renderers._shapes import add, canvas_on, hulls, polygon
from live.types import Float32, Float64

RINGS = (1.0, 2.0, 3.0)
"""Metres."""
FALLING = (1.0, 0.62, 0.2, 0.0)
"""How strong a light on the floor is from its middle outwards."""
LIT = 4.2
"""Metres from the middle that are lit."""
STILL = 0.7
"""Pixels of half the size by which the lit floor may have moved before it is drawn again."""
MIRRORED = 12
"""Corners of a volume's reflection."""
SLANT = np.array([0.10, -0.16], np.float32)
"""Metres (x, z) that a shadow falls aside for each metre of height."""
COLOUR: Float64 = np.array([0.07, 0.083, 0.155])
"""Of the floor where it is lit."""
CASTING = np.flatnonzero((_body.RADII[_body.SPANS].max(1) > 0.037) & (_body.MATERIALS != _body.VISOR))
"""Volumes that cast a shadow; those of hands and visor are lost in it."""
STANDING = np.flatnonzero(_body.MATERIALS[CASTING] == _body.SHOE)
WALL = ((0.0, 0x03040A), (0.55, 0x090B1A), (0.92, 0x191F40), (1.0, 0x1B2145))
GROUND = ((0.0, 0x1B2145), (0.10, 0x12162F), (0.5, 0x0A0C1A), (1.0, 0x05060D))
"""Shares of the way from the picture's top to the horizon, and on to its bottom, with their colours."""
_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 72)), np.zeros(72), np.sin(np.linspace(0, 2 * np.pi, 72))], -1)
_DITHER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16.0
"""Thresholds (Bayer, 1973) that keep dark gradients from showing bands."""


class Floor:
    """The stage as one view shows it: `begin`, what lies on the floor, `finish`. All of it is smooth, so it is drawn at
    half the size, in a third of the time; what stands still is kept while the camera stands."""

    def __init__(self, look: Look) -> None:
        self._still, self._half = (np.zeros((look.height // 2, look.width // 2, 4), np.uint8) for _ in range(2))
        self._still_canvas, self._canvas = (canvas_on(half, opaque=True) for half in (self._still, self._half))
        self._twice = np.zeros(self._half.shape[:2], np.uint64)
        self._edges: Float64 | None = None

    def begin(self, view: View) -> View:
        """Wall and floor behind everything; the view at half the size, for what lies on the floor."""
        half = view._replace(focal=view.focal / 2, centre=(view.centre[0] / 2, view.centre[1] / 2))
        edges = half.project(_CIRCLE[::18] * LIT)
        if self._edges is None or np.abs(edges - self._edges).max() > STILL:
            self._edges = edges
            _gradient(self._still, _horizon(half))
            _pools(self._still_canvas, half, np.zeros((1, 3)), LIT, np.array([[0.25, 0.31, 0.6]]), 0.5)
        self._half[:] = self._still
        return half

    def pools(self, half: View, places: Float32, glow: Float64, beat: float) -> None:
        """A light on the floor under each dancer, stronger on the beat."""
        under = places[:, 0] * np.array([1, 0, 1], np.float32)
        _pools(self._canvas, half, under, 1.3, 0.5 * glow + 0.4, 0.36 + 0.26 * beat)

    def shadows(self, half: View, places: Float32, presence: float) -> None:
        """Those of the dancers. Light that the floor mirrors is not held off by them: reflections lie above."""
        cast(self._canvas, half, places, presence)

    def reflect(self, half: View, places: Float32, costumes: Float64) -> None:
        """Bodies mirrored in the floor, dimmer the higher they are; flat and opaque, so that nothing adds up."""
        seen = half.seen(places * np.array([1, -1, 1], np.float32))[:, _body.SPANS]
        depth = np.maximum(-seen[..., 2], NEAR)
        outlines = hulls(half.pixels(seen), half.focal * _body.RADII[_body.SPANS] / depth, MIRRORED)
        height = np.maximum(places[:, _body.SPANS, 1].mean(-1), 0.0)
        colours = COLOUR + (0.55 * costumes - COLOUR) * (0.5 * np.exp(-height / 0.6))[..., None]
        flat, packed = outlines.reshape(-1, MIRRORED, 2).tolist(), _light.packed(colours).reshape(-1).tolist()
        seen_low = (height.reshape(-1) < 1.3) & (-seen[..., 2].max(-1).reshape(-1) > NEAR)
        paint = skia.Paint(AntiAlias=True)
        for i in np.argsort(-depth.mean(-1).reshape(-1)):
            if seen_low[i]:
                paint.setColor(packed[i])
                self._canvas.drawPath(polygon(flat[i]), paint)

    def finish(self, pixels: NDArray[np.uint8]) -> None:
        """All of it into the picture, whole."""
        np.multiply(self._half.view(np.uint32)[..., 0], np.uint64(1 << 32 | 1), out=self._twice)
        pixels.reshape(len(self._twice), 2, -1).view(np.uint64)[:] = self._twice[:, None]


def rings(canvas: Any, view: View, beat: float, bar: float, phase: float) -> None:
    """Rings on the floor; one runs outwards with each beat, and all brighten with it."""
    _rings(canvas, view, RINGS, 0.10 + 0.16 * beat)
    if beat > 0.02:
        _rings(canvas, view, (0.35 + 2.9 * phase,), 0.7 * beat)
    if bar > 0.02:
        _rings(canvas, view, (3.15,), 0.8 * bar)


def _rings(canvas: Any, view: View, radii: tuple[float, ...], strength: float) -> None:
    half = 0.006 + 0.012 * strength
    edges = np.array([edge for radius in radii for edge in (radius - half, radius + half)])
    path = skia.Path()
    for ring in view.project(_CIRCLE * edges[:, None, None]).tolist():
        add(path, ring)
    path.setFillType(skia.PathFillType.kEvenOdd)
    colour = int(_light.packed(np.array([0.62, 0.72, 1.0]), min(strength, 1.0)))
    canvas.drawPath(path, skia.Paint(Color=colour, AntiAlias=True))


def cast(canvas: Any, view: View, places: Float32, presence: float) -> None:
    """Shadows: soft ones of whole bodies, and dark ones where feet touch the floor."""
    ground = (places[..., ::2] + np.maximum(places[..., 1:2], 0.0) * SLANT)[:, _body.SPANS[CASTING]]  # [N, V, 4, 2]
    flat = hulls(ground, np.broadcast_to(_body.RADII[_body.SPANS[CASTING]], ground.shape[:-1]), 10)
    drawn = view.project(np.insert(flat, 1, 0.0, -1))
    scale = view.focal / max(float(-view.seen(np.zeros(3))[2]), 1.0)
    soft, sharp = (skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, size * scale) for size in (0.045, 0.014))
    lowest = places[:, _body.SPANS[_body.FEET], 1].min((1, 2))
    for n in range(len(places)):
        _shadow(canvas, drawn[n], soft, 0.5 * presence)
        _shadow(canvas, drawn[n, STANDING], sharp, 0.8 * presence * float(np.clip(1 - 6 * lowest[n], 0.1, 1)))


def _gradient(pixels: NDArray[np.uint8], horizon: float) -> None:
    """Wall above, ground below the row `horizon`."""
    height, width = pixels.shape[:2]
    rows = np.arange(height)
    horizon = min(max(horizon, 1.0), height - 1.0)
    stops = [s * horizon for s, _ in WALL] + [horizon + s * (height - horizon) + 1e-3 for s, _ in GROUND]
    colours = np.array([[c >> 16, c >> 8 & 255, c & 255] for _, c in (*WALL, *GROUND)], np.float64)
    column = np.stack([np.interp(rows, stops, colours[:, i]) for i in range(3)], -1)  # [H, 3]
    tile = (column[:, None] + _DITHER[rows % 4][..., None]).astype(np.uint32)  # [H, 4, 3]
    word = 0xFF000000 | tile[..., 0] << 16 | tile[..., 1] << 8 | tile[..., 2]
    pixels.view(np.uint32)[..., 0][:] = np.tile(word, (1, -(-width // 4)))[:, :width]


def _pools(
    canvas: Any, view: View, middles: NDArray[np.floating], radius: float, colours: Float64, strength: float
) -> None:
    """Round lights on the floor, middles [N, 3] and colours [N, 3]; none that reaches behind the lens."""
    rings = view.project(_CIRCLE * radius + middles[:, None])
    low, high = rings.min(1), rings.max(1)
    centres, sizes = ((low + high) / 2).tolist(), ((high - low) / 2).tolist()
    shaded = [_light.packed(colours, strength * share).tolist() for share in FALLING]
    paint = skia.Paint(Dither=True)
    for n in np.flatnonzero(-view.seen(middles)[:, 2] >= radius + NEAR).tolist():
        canvas.save()
        canvas.translate(*centres[n])
        canvas.scale(*sizes[n])
        paint.setShader(skia.GradientShader.MakeRadial((0, 0), 1.0, [c[n] for c in shaded], [0.0, 0.35, 0.75, 1.0]))
        canvas.drawRect(skia.Rect(-1, -1, 1, 1), paint)
        canvas.restore()


def _shadow(canvas: Any, outlines: Float64, blur: Any, strength: float) -> None:
    path = skia.Path()
    for outline in outlines.tolist():
        add(path, outline)
    canvas.drawPath(path, skia.Paint(Color=round(255 * strength) << 24, AntiAlias=True, MaskFilter=blur))


def _horizon(view: View) -> float:
    """Its pixel row: where a view that is level would look."""
    return float(view.centre[1] - view.focal * view.axes[2, 1] / max(view.axes[1, 1], 1e-6))
