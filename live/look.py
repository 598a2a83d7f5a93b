"""How a dance is drawn: what window, film and virtual camera can all be told, as a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from live.errors import Unusable

CAMERAS = ("front", "low", "side", "high", "close", "orbit", "follow")
"""Presets, in the order in which the window's key goes through them."""
STAGE, CLEAR = "stage", "transparent"
NAMES = ("camera", "size", "background", "trails", "beat")
"""Options of every drawn output."""
PROVIDERS = ("auto", "tensorrt", "cuda", "cpu")
"""What draws a renderer's pictures."""
SMALLEST, LARGEST = 64, 7680
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")
_COLOUR = re.compile(r"[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Look:
    """size in pixels; camera one of `CAMERAS`; background `stage`, `transparent` or RRGGBB, which have no floor; trails
    behind the hands; text in a corner; beat: whether light and floor follow it."""

    width: int = 1280
    height: int = 720
    camera: str = "front"
    background: str = STAGE
    trails: bool = True
    text: bool = False
    beat: bool = True

    @property
    def values(self) -> dict[str, str | int | bool]:
        """As plain values, for another process."""
        return asdict(self)


@dataclass(frozen=True)
class Person:
    """Somebody who is shown in place of drawn bodies: a renderer, what runs it, which dancer, and whether a size was
    asked for."""

    renderer: str
    provider: str = "auto"
    dancer: int = 0
    sized: bool = False


def make_look(options: Mapping[str, str], where: str, usual: Look = Look()) -> Look:
    """`usual` with `options` (those of `NAMES`, and text) in it; `Unusable` in one line, beginning with `where`."""
    changed: dict[str, str | int | bool] = {}
    for name in (name for name in (*NAMES, "text") if name in options):
        value = options[name]
        if name == "size":
            changed["width"], changed["height"] = _size(value, where)
        elif name == "camera":
            changed[name] = _choice(value, CAMERAS, f"{where}: camera")
        elif name == "background":
            changed[name] = _background(value, where)
        else:
            changed[name] = _choice(value, ("0", "1"), f"{where}: {name}") == "1"
    return Look(**{field.name: changed.get(field.name, getattr(usual, field.name)) for field in fields(Look)})


def _choice(value: str, valid: tuple[str, ...], what: str) -> str:
    if value not in valid:
        raise Unusable(f"{what} is '{value}': choose one of {', '.join(valid)}")
    return value


def _size(value: str, where: str) -> tuple[int, int]:
    """Width and height, both even, as films want them."""
    found = _SIZE.fullmatch(value)
    sides = (int(found[1]), int(found[2])) if found else (0, 0)
    if not all(SMALLEST <= side <= LARGEST and side % 2 == 0 for side in sides):
        raise Unusable(f"{where}: size is '{value}': write 1280x720, even numbers from {SMALLEST} to {LARGEST}")
    return sides


def _background(value: str, where: str) -> str:
    if value not in (STAGE, CLEAR) and not _COLOUR.fullmatch(value):
        raise Unusable(f"{where}: background is '{value}': write {STAGE}, {CLEAR} or a colour such as 00ff00")
    return value
