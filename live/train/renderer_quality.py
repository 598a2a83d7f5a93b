"""How much a renderer's pictures are like true ones that it never saw, beside the nearest picture that it did see."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torchmetrics.functional.image import structural_similarity_index_measure

from live.frames.easel import Easel
from live.keypoints import BONES
from live.train.footage import Footage, spans
from live.types import Float32

INSIDE = 128
"""Mask from which on a pixel is the person's."""
LIMBS = np.array(BONES)


class Likeness(NamedTuple):
    """Structural similarity inside the mask, averaged over pictures: of what the renderer makes, of the nearest picture
    of the training footage; and pictures compared."""

    made: float
    nearest: float
    pictures: int


def likeness(easel: Easel, held_out: Footage, trained: Footage) -> Likeness:
    """Of footage with masks, each clip from its beginning, each picture shown the one that was made before."""
    made: list[float] = []
    near: list[float] = []
    index = poses(trained.points)
    for first, end in spans(held_out.clips):
        state = easel.initial_state()
        for n in range(first, end):
            picture, state = easel.paint(held_out.points[n], state)
            other = trained.pictures[nearest(held_out.points[n], index)]
            made.append(similarity(picture, held_out.pictures[n], _mask(held_out, n)))
            near.append(similarity(other, held_out.pictures[n], _mask(held_out, n)))
    return Likeness(float(np.mean(made)), float(np.mean(near)), len(made))


def _mask(footage: Footage, n: int) -> np.ndarray:
    return np.ones(footage.pictures[n].shape[:2], bool) if footage.masks is None else footage.masks[n] >= INSIDE


def similarity(a: np.ndarray, b: np.ndarray, mask: np.ndarray) -> float:
    """Structural similarity (Gaussian windows, sigma 1.5) of pictures [S, S, 3], averaged over a mask [S, S]."""
    one, other = (torch.from_numpy(np.ascontiguousarray(x)).movedim(-1, 0)[None].float() / 255 for x in (a, b))
    _, whole = structural_similarity_index_measure(one, other, data_range=1.0, return_full_image=True)
    return float(whole[0].mean(0)[torch.from_numpy(mask)].mean())


def nearest(points: Float32, index: Float32) -> int:
    """Which pose of an `index` is the most like the one in keypoints [18, 2]: places and directions of limbs."""
    return int(np.nansum(np.abs(index - poses(points[None])), 1).argmin())


def poses(points: Float32) -> Float32:
    """Keypoints [T, 18, 2] as what is compared [T, 70]: places, and limbs as vectors."""
    limbs = points[:, LIMBS[:, 1]] - points[:, LIMBS[:, 0]]
    return np.concatenate([points, limbs], 1).reshape(len(points), -1)
