"""A renderer at work: each picture is shown the one before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from live.frames.brush import Brush, Picture, best, on_cpu
from live.frames.folder import RendererCard, read_renderer
from live.frames.maps import draw
from live.types import Float32


class Easel:
    """`picture, state = easel.paint(points, state)`: the state is the picture before, a value. When the brush is lost,
    a GPU's perhaps, the `spare` one goes on from there."""

    def __init__(self, brush: Brush, card: RendererCard, spare: Callable[[], Brush]) -> None:
        self._brush, self.card = brush, card
        self._spare: Callable[[], Brush] | None = spare

    @property
    def device(self) -> str:
        """On what it paints, in words."""
        return self._brush.device

    @property
    def told(self) -> str:
        """A line: who is painted on what, and why on nothing better."""
        why = f" ({self._brush.why})" if self._brush.why else ""
        return f"{self.card.name} on {self.device}{why}"

    def initial_state(self) -> Picture:
        """Nothing seen before [1, 3, S, S]: grey, the middle of all colours."""
        return np.full((1, 3, self.card.size, self.card.size), 128, np.uint8)

    def paint(self, points: Float32, before: Picture) -> tuple[Picture, Picture]:
        """The picture [S, S, 3] (red, green, blue) of keypoints [18, 2] in it, and the next state."""
        maps = draw(points, self.card.size)[None]
        try:
            made = self._brush.paint(maps, before)
        except Exception as error:
            if self._spare is None:
                raise
            self._put_down(error)
            made = self._brush.paint(maps, before)
        return np.ascontiguousarray(np.moveaxis(made[0], 0, -1)), made

    def _put_down(self, error: Exception) -> None:
        assert self._spare is not None
        lost, self._brush, self._spare = self._brush.device, self._spare(), None
        self._brush = self._brush._replace(why=f"{lost} was lost: {error}")


def open_easel(folder: Path, provider: str = "auto", threads: int = 1) -> Easel:
    """Load a renderer, its hashes checked. `provider`: auto (the best that is to be had), tensorrt, cuda or cpu. Raises
    `BadModel` when the folder is damaged, `Unusable` when the provider is not there."""
    card = read_renderer(folder)
    return Easel(best(folder, card, provider, threads), card, partial(on_cpu, folder, card, threads))
