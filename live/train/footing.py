"""How the root must move for planted feet to stay, learnt from a trained generator's own dances.

Who cannot know which of many movements comes next gives something between them, and so a root that no longer fits the
feet: they slide. How it should have moved for the foot that stands to stay follows from the poses; what the root's
velocity lacks of that, as a linear function of this tick's poses and the last's, is fitted by ridge regression and
added on the stage. It costs a product of 552 by 4; the network itself goes on from what it gave before.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from live import channels, skeleton
from live.count import in_range
from live.errors import BadFile
from live.nn.generator import Generator
from live.train.dataset import Windows
from live.types import FIGURE, FRAME_RATE, Float32, Float64

DANCES, LONGEST = 192, 4
"""How many dances are danced for it, and how many of training's windows each lasts where the takes are that long."""
SETTLED = 60
"""Ticks after which a dance has got going."""
RIDGE = 1.0
"""In normalised units, against some ten thousand ticks."""
LOW, SOFT = 0.04, 0.01
"""Metres above its floor at which a foot is as likely down as not, and how gradually."""
SLOW = 0.2
"""m/s: of two feet that are down, the slower one stands."""
SUPPORTS = [*channels.FEET, *channels.TOES]


class Footing(NamedTuple):
    """For each pose: the root's velocity [T, 2] (m/s, x and z in the facing frame) by which the foot that stands would
    stay, and how surely one does [T]."""

    velocity: Float64
    sure: Float64


def footing(raw: Float32) -> Footing:
    """Of a dance as raw channels [T, 138]."""
    pose = channels.decode(raw)
    root = np.zeros((len(raw), 3), np.float32)
    root[:, 1] = pose.height
    joints, _ = skeleton.forward_kinematics(root, pose.rotations)  # in the facing frame
    feet = joints[:, SUPPORTS].astype(float)
    place, height = feet[..., 0] + 1j * feet[..., 2], feet[..., 1]
    before = np.concatenate([place[:1], place[:-1]]) * np.exp(1j * pose.yaw_rate / FRAME_RATE)[:, None]
    staying = (before - place) * FRAME_RATE  # [T, 4]: the root's velocity by which each would stay
    moved = pose.velocity[:, 0] + 1j * pose.velocity[:, 1]
    down = 1.0 / (1.0 + np.exp((height - np.percentile(height, 1, axis=0) - LOW) / SOFT))
    weight = down / (np.abs(moved[:, None] - staying) + SLOW)
    kept = (staying * weight).sum(1) / np.maximum(weight.sum(1), 1e-6)
    return Footing(np.stack([kept.real, kept.imag], -1), down.max(1))


def long_windows(data: dict[str, np.ndarray], ticks: int) -> Windows:
    """To dance to, as long as the takes are; `ticks` is the length of training's."""
    for times in range(LONGEST, 1, -1):
        with suppress(BadFile):
            return Windows(data, times * ticks)
    return Windows(data, ticks)


def as_on_stage(
    data: dict[str, np.ndarray], tempo_range: tuple[float, float], metres: dict[str, int]
) -> dict[str, np.ndarray]:
    """Prepared dances, their beats counted as on the stage: in an octave of the tempo range (bpm), in fours or in the
    metre that a style has of its own (`beats_per_bar` of a card)."""
    tempi, which = np.unique(data["bpm"], return_inverse=True)
    times = np.array([in_range(bpm, tempo_range) / bpm if bpm > 0.0 else 1.0 for bpm in tempi.tolist()])
    faster = times.astype(np.float32)[which]
    bar = np.array([metres.get(str(style), FIGURE) for style in data["styles"]], np.int8)[data["style"]]
    counts = {"bpm": data["bpm"] * faster, "count": data["count"] * faster}
    return data | counts | {"beats_per_bar": np.repeat(bar, np.diff(data["start"]))}


def planted(generator: Generator, windows: Windows, temperature: float, dropout: float, seed: int = 1) -> Generator:
    """`generator` with a footing, learnt while it dances to the music of `windows`."""
    seen, raw = _danced(generator, windows, temperature, dropout, seed)
    fits = np.concatenate(_fits(seen, raw), 1)  # [2P + 1, poses x 2]
    made = Generator(replace(generator.config, footing=True))
    made.load_state_dict(generator.state_dict(), strict=False)
    with torch.no_grad():
        made.footing.weight.copy_(torch.from_numpy(fits[:-1].T))
        made.footing.bias.copy_(torch.from_numpy(fits[-1]))
    return made.eval()


def _fits(seen: Float64, raw: Float32) -> list[Float64]:
    """For each pose of a tick, what its root's velocity lacks [2P + 1, 2], from what was seen [B, T, 2P] and danced
    [B, T, poses, channels]."""
    batch, ticks, poses, width = raw.shape
    wanted = [footing(dance) for dance in raw.reshape(batch, -1, width)]
    lacking = np.stack([w.velocity for w in wanted]).reshape(batch, ticks, poses, 2) - raw[..., channels.VELOCITY]
    sure = np.stack([w.sure for w in wanted]).reshape(batch, ticks, poses)
    x = np.concatenate([seen, np.ones_like(seen[..., :1])], -1)[:, SETTLED:].reshape(-1, seen.shape[-1] + 1)
    return [_ridge(x, lacking[:, SETTLED:, n].reshape(-1, 2), sure[:, SETTLED:, n].ravel()) for n in range(poses)]


def _danced(
    generator: Generator, windows: Windows, temperature: float, dropout: float, seed: int
) -> tuple[Float64, Float32]:
    """What a footing sees [B, T, 2P] and the poses [B, T, poses, channels], as on the stage."""
    c, draw = generator.config, torch.Generator().manual_seed(seed)
    batch = windows.batch(np.random.default_rng(seed), DANCES)
    features, style = torch.from_numpy(batch.features), torch.from_numpy(batch.style)
    state, seen, made = generator.initial_state(DANCES), [], []

    def random(width: int) -> Tensor:
        return torch.rand(DANCES, width, generator=draw)

    with torch.no_grad():
        for t in range(windows.ticks):
            noise = temperature * torch.randn(DANCES, c.latent, generator=draw)
            kept = (random(2 * c.prenet) >= dropout).float() / (1.0 - dropout)
            before = state["pose"]
            poses, state = generator.step(features[:, t], noise, kept, style, state)
            seen.append(torch.cat([state["pose"], before], 1))
            made.append(poses)
    return torch.stack(seen, 1).double().numpy(), torch.stack(made, 1).numpy()


def _ridge(x: Float64, y: Float64, weight: Float64) -> Float64:
    """[D, 2]: weighted least squares of y [n, 2] on x [n, D], kept small."""
    weighed = x * weight[:, None]
    return np.asarray(np.linalg.solve(x.T @ weighed + RIDGE * np.eye(x.shape[1]), weighed.T @ y))
