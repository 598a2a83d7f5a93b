"""The puppet before a backdrop: its sheets lit, sorted by depth and filled (Skia), thrice as large and made smaller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import skia
from numpy.typing import NDArray

from live import skeleton
from live.frames.lens import Lens
from live.skeleton import INDEX
from live.train.puppet import cloth
from live.train.puppet.figure import Sheet, cuts, sheets
from live.types import FRAME_RATE, Float32, Float64

LARGER = 3
SETTLE = 60
"""Steps in which the clothes come to rest before the first picture."""
SUN = np.array([-0.45, 0.6, 0.66])
AMBIENT, INSIDE = 0.72, 0.7
"""Light from everywhere, and how much of all light the inside of cloth gets."""
SLID = (("UpperLeg", "LowerLeg", 0.105), ("LowerLeg", "Foot", 0.075))
Pixels = NDArray[np.uint8]


class Shot(NamedTuple):
    """A picture [H, W, 3] (red, green, blue), how much of each pixel is puppet [H, W] (0..255), keypoints [18, 2]."""

    picture: Pixels
    mask: Pixels
    points: Float32


def film(root: Float32, rotations: Float32, size: int, every: int = 2, lens: Lens = Lens()) -> Iterator[Shot]:  # noqa: B008
    """The puppet dancing a motion of 60 poses/s (hips [T, 3], local rotations [T, 22, 4]): a shot of every so many."""
    places, turns = (np.asarray(part, np.float64) for part in skeleton.forward_kinematics(root, rotations))
    points, behind = lens.keypoints(root, rotations), backdrop(size * LARGER)
    clothes = Clothes(places[0], turns[0])
    for _ in range(SETTLE):
        clothes.step(places[0], turns[0])
    for n in range(len(root)):
        clothes.step(places[n], turns[n])
        if n % every == 0:
            picture, mask = shot(sheets(places[n], turns[n], clothes.places), places[n], behind, lens)
            yield Shot(picture, mask, points[n])


class Clothes:
    """What the puppet wears, as it swings."""

    def __init__(self, places: Float64, turns: Float64) -> None:
        self._cuts = cuts()
        self._worn = {
            name: cloth.hung(cut, places[INDEX[bone]], turns[INDEX[bone]]) for name, (bone, cut) in self._cuts.items()
        }

    @property
    def places(self) -> dict[str, Float64]:
        """Each cloth's particles [S, K, 3] (m)."""
        return {name: worn.now for name, worn in self._worn.items()}

    def step(self, places: Float64, turns: Float64) -> None:
        """The next pose, a sixtieth of a second later."""
        legs = _limbs(places, [(side + a, side + b, r) for side in ("left", "right") for a, b, r in SLID])
        for name, (bone, cut) in self._cuts.items():
            at, turn = places[INDEX[bone]], turns[INDEX[bone]]
            self._worn[name] = cloth.step(cut, self._worn[name], at, turn, legs, 1 / FRAME_RATE)


def _limbs(places: Float64, spans: list[tuple[str, str, float]]) -> cloth.Limb:
    a, b = [INDEX[one] for one, _, _ in spans], [INDEX[other] for _, other, _ in spans]
    return cloth.Limb(places[a], places[b], np.array([span[2] for span in spans]))


def backdrop(size: int) -> Float32:
    """A wall and a floor [size, size, 3], 0..255, lit from above."""
    x, y = np.meshgrid(np.linspace(-1, 1, size), np.linspace(0, 1, size))
    light = np.exp(-1.1 * (x**2 + (1.6 * (y - 0.42)) ** 2))[..., None]
    wall = np.array([58, 74, 104]) + light * np.array([74, 80, 82])
    floor = np.array([92, 72, 60]) + light * np.array([88, 70, 56]) * np.clip(1.4 - np.abs(x[..., None]), 0.4, 1)
    edge = np.clip((y - 0.80) * 90, 0, 1)[..., None]
    return np.asarray(wall * (1 - edge) + floor * edge, np.float32)


def shot(parts: list[Sheet], places: Float64, behind: Float32, lens: Lens) -> tuple[Pixels, Pixels]:
    """The picture and the mask of sheets before a backdrop [S, S, 3]."""
    large = len(behind)
    pixels = np.zeros((large, large, 4), np.uint8)
    info = skia.ImageInfo.Make(large, large, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
    canvas = skia.Canvas.MakeRasterDirect(info, pixels, pixels.strides[0])
    corners, colours, order = _mesh(parts, lens)
    places_ = [skia.Point(*p) for p in (corners * large).tolist()]
    mode = skia.Vertices.VertexMode.kTriangles_VertexMode
    mesh = skia.Vertices(mode, places_, places_, colours.tolist(), order.tolist())
    canvas.drawVertices(mesh, skia.Paint(), skia.BlendMode.kDst)
    shade = _shadow(places, large, lens)[..., None]
    alpha = pixels[..., 3:].astype(np.float32) / 255
    whole = pixels[..., :3] + behind * (1 - 0.45 * shade) * (1 - alpha)
    return _smaller(whole), _smaller(alpha * 255)[..., 0]


def _mesh(parts: list[Sheet], lens: Lens) -> tuple[Float64, NDArray[np.int64], NDArray[np.int64]]:
    """Corners [V, 2] in the picture, colours [V] 0xAARRGGBB, and triangles' corners [3F], the farthest first."""
    eye = np.array([0.0, lens.height, lens.away])
    corners, colours, quads, depths, first = [], [], [], [], 0
    for part in parts:
        lit, facing = _lit(part, eye)
        rows, columns = part.points.shape[:2]
        index = first + np.arange(rows * columns).reshape(rows, columns)
        beside = np.roll(index, -1, 1)
        quad = np.stack([index[:-1], index[1:], beside[1:], beside[:-1]], -1).reshape(-1, 4)
        seen = np.ones(len(quad), bool) if part.thin else facing.reshape(-1)[quad - first].max(1) > -0.05
        depth = part.points[..., 2].reshape(-1)[quad - first].mean(1)
        corners.append(lens.project(part.points.astype(np.float32)).reshape(-1, 2))
        colours.append(lit.reshape(-1, 3))
        quads.append(quad[seen])
        depths.append(depth[seen])
        first += rows * columns
    order = np.concatenate(quads)[np.argsort(np.concatenate(depths))]
    packed = np.clip(np.concatenate(colours) * 255, 0, 255).astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    return np.concatenate(corners), packed + (255 << 24), order[:, [0, 1, 2, 0, 2, 3]].reshape(-1)


def _lit(part: Sheet, eye: Float64) -> tuple[Float64, Float64]:
    """Colours [R, N, 3] in the light, and how much each point faces the camera [R, N]."""
    around = np.roll(part.points, -1, 1) - np.roll(part.points, 1, 1)
    normal = np.cross(np.gradient(part.points, axis=0), around)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
    outward = np.einsum("rnc,rnc->", normal, part.points - part.points.mean(1, keepdims=True))
    normal *= np.sign(outward) or 1.0
    ray = eye - part.points
    facing = np.einsum("rnc,rnc->rn", normal, ray / np.linalg.norm(ray, axis=-1, keepdims=True))
    inside = part.thin & (facing < 0)
    normal = np.where(inside[..., None], -normal, normal)
    light = AMBIENT + (1.15 - AMBIENT) * np.clip(normal @ SUN, 0, 1) + 0.1 * (1 - np.abs(facing)) ** 3
    return part.colours * (light * np.where(inside, INSIDE, 1.0))[..., None], facing


def _shadow(places: Float64, size: int, lens: Lens) -> Float32:
    """How dark the floor is under the feet and the hips [S, S]."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    out = np.zeros((size, size), np.float32)
    for bone, wide, full in (("leftFoot", 0.07, 0.9), ("rightFoot", 0.07, 0.9), ("hips", 0.16, 0.7)):
        place = places[INDEX[bone]] * (1, 0, 1)
        (cx, cy), high = lens.project(place.astype(np.float32)), float(places[INDEX[bone], 1])
        near = full * np.exp(-(((x - cx) / wide) ** 2) - ((y - cy) / (wide * 0.28)) ** 2)
        out = np.maximum(out, near * (1.0 if bone == "hips" else max(0.0, 1 - 3 * (high - 0.06))))
    return out


def _smaller(large: Float32) -> Pixels:
    """Each pixel the mean of what a lens as soft as a pixel spreads over it."""
    size = len(large) // LARGER
    for axis in (0, 1):
        large = (large + np.roll(large, 1, axis) + np.roll(large, -1, axis)) / 3
    return (large.reshape(size, LARGER, size, LARGER, -1).mean((1, 3)) + 0.5).astype(np.uint8)
