"""Pix2PixHD (Wang et al. 2018): a global generator at half the size, and a local enhancer around it at the full one.

Beside the skeleton map it is shown the picture before (Chan et al. 2019), so that clothes go on swinging. Where the
camera stands still it may be given the empty place, the `plate`: then it also gives how much of a pixel is its own.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from live.errors import Unusable


@dataclass(frozen=True)
class RendererSizes:
    """The defaults are the paper's for 512 x 512. `width`: channels of the global generator's first layer, doubled by
    each of its `downs` up to `most`; `blocks` and `enhancer_blocks`: residual blocks; `kernel` of first and last layer;
    `reflect`: whether borders are mirrored; `plate`: whether the empty place is known."""

    size: int = 512
    planes: int = 18
    width: int = 64
    most: int = 1024
    downs: int = 4
    blocks: int = 9
    enhancer_blocks: int = 3
    kernel: int = 7
    reflect: bool = True
    plate: bool = False

    def __post_init__(self) -> None:
        if self.size % 2 ** (self.downs + 1):
            raise Unusable(f"size {self.size}: choose a multiple of {2 ** (self.downs + 1)}, or fewer `downs`")

    def to_dict(self) -> dict[str, int | bool]:
        return asdict(self)


class Renderer(nn.Module):
    """Skeleton map and the picture before in, picture out."""

    def __init__(self, sizes: RendererSizes) -> None:
        super().__init__()
        self.sizes = c = sizes
        borders, local, seen = "reflect" if c.reflect else "zeros", c.width // 2, c.planes + 3
        widths = [min(c.width * 2**n, c.most) for n in range(c.downs + 1)]
        self.coarse = nn.Sequential(
            _layer(seen, c.width, c.kernel, borders),
            *(_down(a, b) for a, b in pairwise(widths)),
            *(Block(widths[-1], borders) for _ in range(c.blocks)),
            *(_up(a, b) for a, b in pairwise(widths[::-1])),
        )
        self.coarse_last = _last(c.width, c.kernel, borders)
        self.front = nn.Sequential(_layer(seen, local, c.kernel, borders), _down(local, c.width))
        self.fine = nn.Sequential(*(Block(c.width, borders) for _ in range(c.enhancer_blocks)), _up(c.width, local))
        self.fine_last = _last(local, c.kernel, borders)
        self.register_buffer("plate", torch.zeros(1, 3, c.size, c.size))

    def forward(self, maps: Tensor, before: Tensor) -> Tensor:
        """Pictures [B, 3, S, S] in -1..1 of maps [B, P, S, S] in 0..1 and the pictures before."""
        seen = torch.cat([maps, before], 1)  # [B, P + 3, S, S]
        coarse = self.coarse(F.avg_pool2d(seen, 2))  # [B, W, S / 2, S / 2]
        fine = self.fine(self.front(seen) + coarse)  # [B, W / 2, S, S]
        return self._before_plate(self.fine_last(fine), self.plate)

    def small(self, maps: Tensor, before: Tensor) -> Tensor:
        """The global generator alone, as it learns first: everything [B, ., S / 2, S / 2]."""
        made = self.coarse_last(self.coarse(torch.cat([maps, before], 1)))
        return self._before_plate(made, F.avg_pool2d(self.plate, 2))

    def _before_plate(self, made: Tensor, plate: Tensor) -> Tensor:
        colours = torch.tanh(made[:, :3])
        if not self.sizes.plate:
            return colours
        own = torch.sigmoid(made[:, 3:])
        return own * colours + (1.0 - own) * plate


class Stage(nn.Module):
    """The renderer as it is exported: uint8 in, uint8 out, so that what one picture says the next can be shown."""

    def __init__(self, renderer: Renderer) -> None:
        super().__init__()
        self.renderer = renderer

    def forward(self, maps: Tensor, before: Tensor) -> Tensor:
        """Pictures [B, 3, S, S] of maps [B, P, S, S] and pictures before [B, 3, S, S]."""
        made = self.renderer(maps.float() / 255.0, before.float() / 127.5 - 1.0)
        return torch.round((made + 1.0) * 127.5).clamp(0.0, 255.0).to(torch.uint8)


class Block(nn.Module):
    """What it is given, and what it adds to that."""

    def __init__(self, width: int, borders: str) -> None:
        super().__init__()
        first, second = _layer(width, width, 3, borders), _layer(width, width, 3, borders)
        self.added = nn.Sequential(first, second[0], second[1])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.added(x)


def _layer(given: int, made: int, kernel: int, borders: str) -> nn.Sequential:
    conv = nn.Conv2d(given, made, kernel, padding=kernel // 2, padding_mode=borders)
    return nn.Sequential(conv, nn.InstanceNorm2d(made, affine=True), nn.ReLU())


def _down(given: int, made: int) -> nn.Sequential:
    conv = nn.Conv2d(given, made, 3, stride=2, padding=1)
    return nn.Sequential(conv, nn.InstanceNorm2d(made, affine=True), nn.ReLU())


def _up(given: int, made: int) -> nn.Sequential:
    """A kernel that is a multiple of the stride covers every pixel alike, and leaves no checkerboard."""
    conv = nn.ConvTranspose2d(given, made, 4, stride=2, padding=1)
    return nn.Sequential(conv, nn.InstanceNorm2d(made, affine=True), nn.ReLU())


def _last(given: int, kernel: int, borders: str) -> nn.Conv2d:
    return nn.Conv2d(given, 4, kernel, padding=kernel // 2, padding_mode=borders)
