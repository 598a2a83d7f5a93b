"""Colours of dancers and the light on their volumes, computed for all of them at once."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

from live.renderers import _body
from live.types import Float64

ACROSS: Float64 = np.linspace(-1.0, 1.0, 8)
"""Places across a volume where its light is computed, from one outline to the other; evenly, as Skia is quickest."""
HUES = (0.53, 0.93, 0.11, 0.38, 0.76, 0.02, 0.46, 0.84)
"""Of dancers, in turn."""
FOG: Float64 = np.array([0.05, 0.055, 0.1])


def _unit(*v: float) -> Float64:
    return np.asarray(np.array(v) / np.linalg.norm(v))


# Towards the lights, in the camera's frame: a warm one from the upper left, a cool one from the right.
_KEY, _KEY_COLOUR = _unit(-0.62, 0.55, 0.62), np.array([0.98, 0.93, 0.85])
_FILL, _FILL_COLOUR = _unit(0.85, 0.05, 0.4), np.array([0.17, 0.21, 0.36])
_AMBIENT = np.array([0.15, 0.155, 0.2])
_SHINE = _unit(*(_KEY + _unit(0, 0, 1)))
_ROUND = 1.0
"""How much a limb that leans towards or away from the lamp is lit as if it did not, which keeps limbs of one colour."""
# hue shift towards the dancer's own (saturation), and brightness, of each material
_MATERIALS = {_body.SUIT: (0.74, 0.84), _body.SLEEVE: (0.5, 0.95), _body.SKIN: (0.1, 0.98), _body.SHOE: (0.55, 0.3)}


def glow(dancer: int) -> Float64:
    """A dancer's own light, RGB [3] in 0..1."""
    return np.array(colorsys.hsv_to_rgb(HUES[dancer % len(HUES)], 0.6, 1.0))


def costumes(dancers: int) -> Float64:
    """Colours [N, V, 3] of each dancer's volumes."""
    return np.stack([_costume(n)[_body.MATERIALS] for n in range(dancers)])


def _costume(dancer: int) -> Float64:
    hue = HUES[dancer % len(HUES)]
    colours = [colorsys.hsv_to_rgb(hue, *_MATERIALS[material]) for material in sorted(_MATERIALS)]
    return np.array([*colours, 1.6 * glow(dancer)])  # the visor is the last material


def shades(axes: Float64, end_on: Float64, base: Float64, rim: Float64) -> Float64:
    """Colours [M, S, 3] at `ACROSS` of volumes with unit axes [M, 3] in the camera's frame.

    end_on [M]: 0 seen from the side, 1 seen along the axis, where a volume is lit like a ball; base [M, 3]: its colour;
    rim [M, 3]: light from behind, which shows at the outlines.
    """
    flat = np.maximum(np.hypot(axes[:, 0], axes[:, 1]), 1e-6)
    u = np.stack([-axes[:, 1] / flat, axes[:, 0] / flat, np.zeros_like(flat)], -1)  # across, in the picture
    v = np.stack([-axes[:, 2] * axes[:, 0] / flat, -axes[:, 2] * axes[:, 1] / flat, flat], -1)  # towards the viewer
    v += (np.maximum(end_on, _ROUND) / np.maximum(1.0 - end_on, 1e-3))[:, None] * np.array([0.0, 0.0, 1.0])
    v /= np.linalg.norm(v, axis=-1, keepdims=True)
    s = ACROSS[:, None]
    normals = s * u[:, None] + np.sqrt(1 - s * s) * v[:, None]  # [M, S, 3]
    key, fill = np.maximum(normals @ _KEY, 0.0), np.maximum(normals @ _FILL, 0.0)
    light = _AMBIENT + key[..., None] * _KEY_COLOUR + fill[..., None] * _FILL_COLOUR
    shine = 0.22 * np.maximum(normals @ _SHINE, 0.0)[..., None] ** 16
    edge = (1.0 - np.clip(normals[..., 2:], 0.0, 1.0)) ** 2.5 * (0.35 + 0.65 * np.clip(normals[..., 1:2] + 0.4, 0, 1))
    return np.asarray(base[:, None] * light + shine + edge * rim[:, None])


def across(axes: Float64) -> Float64:
    """Unit directions [M, 2] in pixels (y down) in which `shades` goes across volumes."""
    flat = np.maximum(np.hypot(axes[:, 0], axes[:, 1]), 1e-6)
    return np.stack([-axes[:, 1] / flat, -axes[:, 0] / flat], -1)


def packed(colours: NDArray[np.floating], alpha: float = 1.0) -> NDArray[np.int64]:
    """0xAARRGGBB of colours [..., 3] in 0..1."""
    c = (np.clip(colours, 0.0, 1.0) * 255.0 + 0.5).astype(np.int64)
    return np.asarray((round(255 * alpha) << 24) | (c[..., 0] << 16) | (c[..., 1] << 8) | c[..., 2])
