"""The puppet's body and clothes as grids of points: shapes that hang on the bones, and their colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from live.skeleton import INDEX
from live.train.puppet.cloth import Cut
from live.types import Float64

SKIN, BLUSH, DARK = (0.96, 0.76, 0.62), (0.93, 0.50, 0.45), (0.16, 0.10, 0.13)
HAIR, CREAM, GOLD = (0.36, 0.15, 0.10), (0.98, 0.93, 0.80), (0.98, 0.76, 0.25)
CRIMSON, TEAL, NAVY = (0.80, 0.13, 0.22), (0.07, 0.47, 0.52), (0.22, 0.27, 0.55)
Paint = Callable[[Float64, Float64], Float64]
"""Colours [..., 3] of places on a grid: u 0..1 around, v 0..1 along."""


class Sheet(NamedTuple):
    """A grid of points [R, N, 3] (m) that closes around (`closed`) and its colours [R, N, 3]; `thin` is seen from both
    sides."""

    points: Float64
    colours: Float64
    thin: bool = False
    closed: bool = True


class Ring(NamedTuple):
    """An ellipse across a bone: how far along the bone's axis from its joint, and its half axes (m)."""

    bone: str
    at: float
    x: float
    z: float
    forward: float = 0.0


TORSO = (
    Ring("hips", -0.10, 0.10, 0.09), Ring("hips", -0.04, 0.16, 0.125), Ring("hips", 0.03, 0.145, 0.112),
    Ring("spine", 0.04, 0.125, 0.098), Ring("chest", 0.03, 0.125, 0.1), Ring("chest", 0.1, 0.145, 0.115, 0.012),
    Ring("upperChest", 0.05, 0.155, 0.115, 0.012), Ring("upperChest", 0.11, 0.145, 0.095),
    Ring("upperChest", 0.145, 0.095, 0.07), Ring("neck", 0.0, 0.052, 0.052), Ring("neck", 0.09, 0.046, 0.046),
)  # fmt: skip
LIMBS = {
    "UpperArm": ("LowerArm", (0.056, 0.05, 0.046, 0.042)), "LowerArm": ("Hand", (0.042, 0.043, 0.036, 0.028)),
    "UpperLeg": ("LowerLeg", (0.092, 0.082, 0.068, 0.057)), "LowerLeg": ("Foot", (0.057, 0.06, 0.046, 0.037)),
}  # fmt: skip
"""Limbs (each side): the joint at the end, radii (m) along the way."""
AROUND, FINE = 20, 4


def blend(a: tuple[float, ...], b: tuple[float, ...], share: Float64) -> Float64:
    share = np.clip(share, 0.0, 1.0)[..., None]
    return np.asarray(np.array(a) * (1 - share) + np.array(b) * share)


def bodice(u: Float64, v: Float64) -> Float64:
    """Teal with a gold sash, skin above."""
    colour = blend(TEAL, GOLD, 1.5 - np.abs(v - 0.27) * 18)
    return np.asarray(colour + (np.array(SKIN) - colour) * np.clip((v - 0.72) * 14, 0, 1)[..., None])


def sleeve(u: Float64, v: Float64) -> Float64:
    return blend(CREAM, CREAM, v)


def plain(u: Float64, v: Float64) -> Float64:
    return blend(SKIN, SKIN, v)


def stocking(u: Float64, v: Float64) -> Float64:
    return blend(NAVY, NAVY, v)


def skirt(u: Float64, v: Float64) -> Float64:
    """Crimson with a gold hem."""
    return blend(CRIMSON, GOLD, (v - 0.72) * 7)


def hair(u: Float64, v: Float64) -> Float64:
    return blend(HAIR, HAIR, v)


def shoe(u: Float64, v: Float64) -> Float64:
    return blend(CRIMSON, CRIMSON, v)


def grid(rows: int, columns: int, paint: Paint) -> Float64:
    """Colours [rows, columns, 3]."""
    u, v = np.meshgrid(np.arange(columns) / columns, np.linspace(0, 1, rows))
    return paint(u, v)


def hoop(columns: int) -> Float64:
    """Directions [columns, 2] around: right, forward."""
    angle = 2 * np.pi * np.arange(columns) / columns
    return np.stack([np.cos(angle), np.sin(angle)], -1)


def between(rings: Float64, times: int) -> Float64:
    """Rings [R, N, 3] with others smoothly between them."""
    at = np.linspace(0, len(rings) - 1, (len(rings) - 1) * times + 1)
    low = np.minimum(at.astype(int), len(rings) - 2)
    share = (at - low)[:, None, None]
    padded = np.concatenate([2 * rings[:1] - rings[1:2], rings, 2 * rings[-1:] - rings[-2:-1]])
    p0, p1, p2, p3 = (padded[low + i] for i in range(4))
    curve = p2 - p0 + share * (2 * p0 - 5 * p1 + 4 * p2 - p3 + share * (3 * (p1 - p2) + p3 - p0))
    return np.asarray(p1 + 0.5 * share * curve)


def torso(places: Float64, turns: Float64) -> Sheet:
    around, rings = hoop(AROUND), []
    for ring in TORSO:
        bone = INDEX[ring.bone]
        flat = np.stack([ring.x * around[:, 0], np.full(AROUND, ring.at), ring.z * around[:, 1] + ring.forward], -1)
        rings.append(flat @ turns[bone].T + places[bone])
    points = between(np.stack(rings), FINE)
    return Sheet(points, grid(len(points), AROUND, bodice))


def limb(places: Float64, turns: Float64, side: str, name: str, paint: Paint) -> Sheet:
    """A round limb from its joint to the next."""
    end, radii = LIMBS[name]
    a, b, turn = places[INDEX[side + name]], places[INDEX[side + end]], turns[INDEX[side + name]]
    along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-6)
    ahead = turn[:, 2] - along * float(turn[:, 2] @ along)
    ahead = ahead / max(float(np.linalg.norm(ahead)), 1e-6)
    around = hoop(12) @ np.stack([np.cross(ahead, along), ahead])
    steps = np.linspace(-0.06, 1.03, len(radii))[:, None, None]
    rings = a + (b - a) * steps + around * np.array(radii)[:, None, None]
    points = between(rings, 5)
    return Sheet(points, grid(len(points), 12, paint))


def ball(centre: Float64, turn: Float64, half: tuple[float, float, float], paint: Paint, rows: int = 10) -> Sheet:
    """An ellipsoid with half axes in the frame `turn`; v runs from its lower to its upper pole."""
    columns = 2 * rows
    rise = np.linspace(-np.pi / 2, np.pi / 2, rows)[:, None]
    flat = hoop(columns)
    shape = np.stack([np.cos(rise) * flat[:, 0], np.repeat(np.sin(rise), columns, 1), np.cos(rise) * flat[:, 1]], -1)
    return Sheet((shape * half) @ turn.T + centre, grid(rows, columns, paint))


def face(u: Float64, v: Float64) -> Float64:
    """Skin, cheeks, eyes and mouth in front; hair behind and on top."""
    side = ((u - 0.25 + 0.5) % 1.0 - 0.5) * 2 * np.pi
    rise = (v - 0.5) * np.pi
    colour = blend(SKIN, HAIR, np.maximum((np.abs(side) - 1.35) * 8, (rise - 0.62 + 0.12 * np.cos(3 * side)) * 8))

    def spot(x: float, y: float, wide: float, high: float, tint: tuple[float, ...], full: float = 1.0) -> None:
        nonlocal colour
        inside = np.clip(1.8 * (1.25 - np.hypot((np.abs(side) - x) / wide, (rise - y) / high)), 0, full)[..., None]
        colour = colour + (np.array(tint) - colour) * inside

    spot(0.62, -0.22, 0.26, 0.2, BLUSH, 0.55)
    spot(0.42, 0.12, 0.15, 0.17, DARK)
    spot(0.0, -0.42, 0.3, 0.09, CRIMSON)
    return np.asarray(colour)


SKIRT = (26, 9)


def cuts() -> dict[str, tuple[str, Cut]]:
    """The clothes that swing: their bone and their cut."""
    down = np.linspace(0, 1, SKIRT[1])[:, None]
    flare = hoop(SKIRT[0])[:, None] * (np.array([0.15, 0.117]) + down * np.array([0.27, 0.27]))
    drop = np.broadcast_to(0.05 - 0.46 * down, (*flare.shape[:2], 1))
    found = {"skirt": ("hips", Cut(np.concatenate([flare[..., :1], drop, flare[..., 1:]], -1), 9.0, 0.05, 0.1))}
    tail = np.linspace(0, 1, 9)[None, :, None]
    found["hair"] = (
        "head",
        Cut(np.array([0.0, 0.19, -0.11]) + tail * np.array([0.0, -0.3, -0.17]), 5.0, 0.1, 0.0, False),
    )
    return found


def tail(strand: Float64) -> Sheet:
    """A ponytail around a strand [K, 3]."""
    along = np.gradient(strand, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-6)
    side = np.cross(along, [0.0, 0.3, 1.0])
    side /= np.maximum(np.linalg.norm(side, axis=-1, keepdims=True), 1e-6)
    radius = np.interp(np.linspace(0, 1, len(strand)), [0, 0.12, 0.45, 1], [0.03, 0.026, 0.06, 0.01])
    around = np.einsum("nc,ckd->knd", hoop(10), np.stack([side, np.cross(side, along)]))
    points = between(strand[:, None] + around * radius[:, None, None], 2)
    return Sheet(points, grid(len(points), 10, hair))


def sheets(places: Float64, turns: Float64, clothes: dict[str, Float64]) -> list[Sheet]:
    """Everything that is drawn of joints [22, 3] (m), turned [22, 3, 3] in the world, in clothes [S, K, 3]."""
    head, up = INDEX["head"], turns[INDEX["head"]]
    crown = places[head] + up @ np.array([0.0, 0.105, 0.015])
    out = [torso(places, turns), ball(crown, up, (0.108, 0.135, 0.115), face, 22), tail(clothes["hair"][0])]
    for side in ("left", "right"):
        out += [limb(places, turns, side, "UpperArm", sleeve), limb(places, turns, side, "LowerArm", plain)]
        out += [limb(places, turns, side, "UpperLeg", stocking), limb(places, turns, side, "LowerLeg", stocking)]
        hand, foot, toes = (INDEX[side + name] for name in ("Hand", "Foot", "Toes"))
        reach = turns[hand] @ np.array([0.055 if side == "left" else -0.055, 0.0, 0.0])
        out.append(ball(places[hand] + reach, turns[hand], (0.07, 0.03, 0.042), plain))
        middle = 0.5 * places[foot] + 0.5 * places[toes] + np.array([0.0, 0.01, 0.0])
        out.append(ball(middle, turns[foot], (0.048, 0.05, 0.125), shoe))
        out.append(ball(places[INDEX[side + "UpperArm"]], turns[INDEX[side + "UpperArm"]], (0.085, 0.08, 0.08), sleeve))
    points = between(clothes["skirt"].swapaxes(0, 1), 3)
    out.append(Sheet(points, grid(*points.shape[:2], skirt), thin=True))
    return out
