"""Bodies in torch: where the joints of raw poses are, and how far planted feet slide."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from live import channels, skeleton
from live.types import FRAME_RATE

FEET = (*channels.FEET, *channels.TOES)


def joints(raw: Tensor) -> Tensor:
    """Joints [..., 22, 3] in metres of raw channels [..., 138], in the facing frame, the hips at (0, height, 0)."""
    local = matrices(raw[..., channels.ROTATIONS].unflatten(-1, (skeleton.COUNT, 6)))  # [..., 22, 3, 3]
    offsets = torch.as_tensor(skeleton.REST_OFFSETS, dtype=raw.dtype, device=raw.device)
    height = raw[..., channels.HEIGHT]
    nowhere = torch.zeros_like(height)
    places, turns = [torch.stack([nowhere, height, nowhere], -1)], [local[..., 0, :, :]]
    for bone in range(1, skeleton.COUNT):
        parent = skeleton.PARENTS[bone]
        places.append(places[parent] + turns[parent] @ offsets[bone])
        turns.append(turns[parent] @ local[..., bone, :, :])
    return torch.stack(places, -2)


def matrices(six: Tensor) -> Tensor:
    """Rotation matrices [..., 3, 3] of the 6-D form (Zhou et al., 2019): two columns, made orthonormal."""
    x = F.normalize(six[..., :3], dim=-1, eps=1e-6)
    y = F.normalize(six[..., 3:] - (x * six[..., 3:]).sum(-1, keepdim=True) * x, dim=-1, eps=1e-6)
    return torch.stack([x, y, torch.linalg.cross(x, y, dim=-1)], -1)


def foot_velocity(raw: Tensor, places: Tensor) -> Tensor:
    """World velocity [..., T - 1, 4, 3] of ankles and toes (left, right; left, right), m/s, in the facing frame, of raw
    channels [..., T, 138] at 60/s and their `joints`."""
    feet = places[..., FEET, :]
    turn = (raw[..., 1:, channels.YAW_RATE] / FRAME_RATE)[..., None]  # [..., T - 1, 1]
    x, _, z = feet[..., :-1, :, :].unbind(-1)
    swing = torch.stack([turn * z, torch.zeros_like(z), -turn * x], -1)
    along = raw[..., 1:, channels.VELOCITY]
    root = torch.stack([along[..., 0], torch.zeros_like(along[..., 0]), along[..., 1]], -1)
    return (feet.diff(dim=-3) + swing) * FRAME_RATE + root.unsqueeze(-2)


def body_losses(made: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """Of raw channels [B, T, 138]: squared error of the joints and of their change from pose to pose (cm^2, per
    coordinate), and squared speed (m/s)^2 of feet that are planted in the true motion."""
    places, truth = joints(made), joints(true)
    error = F.mse_loss(places, truth) + 10.0 * F.mse_loss(places.diff(dim=1), truth.diff(dim=1))
    planted = true[:, 1:, channels.CONTACTS].repeat(1, 1, 2)  # ankles, toes
    sliding = foot_velocity(made, places).pow(2).sum(-1)
    return 1e4 * error, (planted * sliding).sum() / planted.sum().clamp(min=1.0)
