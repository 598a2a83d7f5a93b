"""Who judges pictures: discriminators of patches at several sizes (Wang et al. 2018, eq. 2 to 4); losses of likeness.

They are shown the skeleton map, the picture before and the picture, and so also judge how one follows from the other.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Seen = list[list[Tensor]]
"""What each discriminator made of its input, layer by layer; the last is its verdict, patch by patch."""


class Critics(nn.Module):
    """One discriminator at the full size, one at half of it and so on."""

    def __init__(self, planes: int, width: int, scales: int = 3, layers: int = 3) -> None:
        super().__init__()
        self.critics = nn.ModuleList(Patches(planes + 6, width, layers) for _ in range(scales))

    def forward(self, maps: Tensor, before: Tensor, pictures: Tensor) -> Seen:
        shown, seen = torch.cat([maps, before, pictures], 1), []
        for critic in self.critics:
            seen.append(critic(shown))
            shown = F.avg_pool2d(shown, 3, 2, 1, count_include_pad=False)
        return seen


class Patches(nn.Module):
    """Convolutions that halve the picture `layers` times; each number of the verdict sees one patch."""

    def __init__(self, given: int, width: int, layers: int) -> None:
        super().__init__()
        widths = [min(width * 2**n, 8 * width) for n in range(layers + 1)]
        parts = [nn.Sequential(nn.Conv2d(given, width, 4, 2, 1), nn.LeakyReLU(0.2))]
        for n, (a, b) in enumerate(pairwise(widths)):
            conv = nn.Conv2d(a, b, 4, 2 if n < layers - 1 else 1, 1)
            parts.append(nn.Sequential(conv, nn.InstanceNorm2d(b), nn.LeakyReLU(0.2)))
        parts.append(nn.Sequential(nn.Conv2d(widths[-1], 1, 4, 1, 1)))
        self.parts = nn.ModuleList(parts)

    def forward(self, x: Tensor) -> list[Tensor]:
        seen = []
        for part in self.parts:
            x = part(x)
            seen.append(x)
        return seen


def judged(real: Seen, made: Seen) -> Tensor:
    """The discriminators' loss: 1 for what is real, 0 for what is made (least squares)."""
    losses = [
        F.mse_loss(r[-1], torch.ones_like(r[-1])) + m[-1].square().mean() for r, m in zip(real, made, strict=True)
    ]
    return torch.stack(losses).mean() / 2


def fooled(made: Seen) -> Tensor:
    """The renderer's loss: that its pictures are taken for real."""
    return torch.stack([F.mse_loss(m[-1], torch.ones_like(m[-1])) for m in made]).mean()


def matching(real: Seen, made: Seen) -> Tensor:
    """Feature matching (eq. 4): that discriminators see the same in both, in every layer."""
    pairs = [
        (r.detach(), m)
        for one, other in zip(real, made, strict=True)
        for r, m in zip(one[:-1], other[:-1], strict=True)
    ]
    return torch.stack([F.l1_loss(m, r) for r, m in pairs]).mean()


def unlike(a: Tensor, b: Tensor, window: int = 7) -> Tensor:
    """1 - structural similarity (Wang et al. 2004) [B, 1, H, W] of pictures in -1..1, in square windows."""

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, window, 1, window // 2, count_include_pad=False)

    ma, mb = mean(a), mean(b)
    va, vb, both = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    like = (2 * ma * mb + c1) * (2 * both + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
    return 1.0 - like.mean(1, keepdim=True)


PLAN = (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512)
"""Channels of each convolution; 0 halves the picture."""
HEARD = {1: 1 / 32, 6: 1 / 16, 11: 1 / 8, 20: 1 / 4, 29: 1.0}
"""Layers that are compared (the first of each size), and their weights."""


class Vgg(nn.Module):
    """VGG-19 to its thirteenth convolution, for the perceptual loss: the weights must be given."""

    def __init__(self) -> None:
        super().__init__()
        parts, given = [], 3
        for made in PLAN:
            parts += [nn.MaxPool2d(2)] if not made else [nn.Conv2d(given, made, 3, padding=1), nn.ReLU()]
            given = made or given
        self.features = nn.Sequential(*parts)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None])
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225])[:, None, None])

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """How differently pictures in -1..1 are perceived."""
        x = (torch.cat([a, b]) / 2 + 0.5 - self.mean) / self.std
        total = x.new_zeros(())
        for n, part in enumerate(self.features):
            x = part(x)
            if n in HEARD:
                mine, its = x.chunk(2)
                total = total + HEARD[n] * F.l1_loss(mine, its.detach())
        return total
