"""What draws a dance into pixels: the stage, or a renderer's person."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from live.look import CLEAR, Look, Person
from live.renderers._painter import Painter

RATE = 60
"""Pictures a second, at most: those of the poses."""


class Draws(Protocol):
    """What draws into pixels that it was given."""

    @property
    def caption(self) -> str: ...

    def turn(self) -> None:
        """Another view."""

    def draw(self, record: np.void, seconds: float, presence: float = 1.0) -> None:
        """One pose (a record of a take), `seconds` after the last. `presence`: at 0 nobody is seen."""


class Drawing(NamedTuple):
    """The look with the size that is drawn, pixels [H, W, 4] uint8 (blue, green, red, alpha; premultiplied), what draws
    into them, how many pictures a second it is made for, and what is told of it beforehand (nothing, or a line)."""

    look: Look
    pixels: NDArray[np.uint8]
    draws: Draws
    rate: int
    told: str = ""


def drawing(look: Look, dancers: int, person: Person | None = None) -> Drawing:
    """The stage, or a person in place of it; `BadModel` or `Unusable` where the person cannot be shown."""
    if person is None:
        pixels = blank(look)
        return Drawing(look, pixels, Painter(look, dancers, pixels), RATE)
    from live.renderers import _portrait

    studio = _portrait.open_studio(person.renderer, person.provider)
    look = look if person.sized else _portrait.own_size(look, studio.easel)
    pixels = blank(look)
    portrait = _portrait.Portrait(studio, dancers, pixels, person.dancer)
    return Drawing(look, pixels, portrait, min(round(studio.easel.card.rate), RATE), studio.easel.told)


def blank(look: Look) -> NDArray[np.uint8]:
    """Before anything is drawn: black, or nothing at all where the background is transparent."""
    pixels = np.zeros((look.height, look.width, 4), np.uint8)
    pixels[..., 3] = 0 if look.background == CLEAR else 255
    return pixels
