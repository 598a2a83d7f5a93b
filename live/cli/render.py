"""`live render`: a take as a film."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from live.errors import BadFile, MissingExtra, Unusable
from live.look import CLEAR, Look, Person
from live.take import Take, read_take
from live.types import SAMPLE_RATE, Float32

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Plan:
    """fps: pictures a second (60, or a renderer's own); sound: an audio file, which begins `offset` seconds into the
    take."""

    look: Look
    fps: int | None = None
    sound: Path | None = None
    offset: float = 0.0
    overwrite: bool = False
    person: Person | None = None


def render(take: Path, out: Path, plan: Plan, say: Callable[[str], None]) -> None:
    """Film `take` as `out`. Nothing is written before the take and the sound are known to be good."""
    read = read_take(take)
    check(out, plan)
    if plan.person is not None and plan.person.dancer >= read.dancers:
        raise Unusable(f"--dancer {plan.person.dancer}: the take has no such dancer: choose 0..{read.dancers - 1}")
    from live.renderers._drawing import drawing

    made = drawing(plan.look, read.dancers, plan.person)
    sound = heard(plan.sound, say) if plan.sound is not None else None
    fps = plan.fps or made.rate
    if made.told:
        say(made.told)

    def shots() -> Iterator[Pixels]:
        for record in pictures(read, fps):
            made.draws.draw(read.records[record], 1.0 / fps)
            yield made.pixels

    say(shot(out, made.look, fps, shots(), sound, plan.offset))


def shot(out: Path, look: Look, fps: int, shots: Iterable[Pixels], sound: Float32 | None, offset: float = 0.0) -> str:
    """Write pictures [H, W, 4] as a film, over samples at 48 kHz that begin `offset` seconds into it; what was made."""
    from live.renderers._encoder import Film

    begun, count = time.monotonic(), 0
    film = Film(out, look, fps, sound is not None)
    try:
        for count, pixels in enumerate(shots, 1):
            film.picture(pixels, count - 1)
            if sound is not None:
                film.sound(_under(sound, offset, count - 1, fps))
    finally:
        film.close()
    return f"{count} pictures, {count / fps:.1f} s of film, in {time.monotonic() - begun:.1f} s: {out}"


def _missing(error: ImportError) -> Unusable:
    """A package that is not there, or a library that a package wants."""
    packages = {"av": "av", "skia": "skia-python"}
    if (package := packages.get(error.name or "")) is not None:
        return MissingExtra(package, "film", "a film")
    return Unusable(f"films cannot be drawn: {error}; on Debian and Ubuntu install libegl1 and libgl1")


def pictures(take: Take, fps: int) -> Iterator[int]:
    """Which record each picture shows: the newest that is due; one that was left out is stood in for by the last."""
    times = take.time - take.time[0]
    count = int(times[-1] * fps + 1e-3) + 1
    yield from (np.searchsorted(times, (np.arange(count) + 1e-3) / fps, "right") - 1).clip(0).tolist()


def heard(path: Path, say: Callable[[str], None], seconds: float = math.inf) -> Float32:
    """The samples of a file at 48 kHz, at most so many seconds; where it breaks off, that is said. Raises `BadFile`."""
    from live.audio._decode import Decoder

    decoder = Decoder(path)
    parts: list[Float32] = []
    while not decoder.ended and len(parts) < seconds:
        parts.append(decoder.read(SAMPLE_RATE))
    decoder.close()
    while not decoder.recoveries.empty():
        say(decoder.recoveries.get())
    samples = np.concatenate(parts)
    return samples if math.isinf(seconds) else samples[: round(seconds * SAMPLE_RATE)]


def _under(heard: Float32, offset: float, picture: int, fps: int) -> Float32:
    """The samples that are heard while a picture is seen; silence before the sound begins and after its end."""
    first, last = (round((n / fps - offset) * SAMPLE_RATE) for n in (picture, picture + 1))
    found = heard[max(first, 0) : max(last, 0)]
    before = min(max(-first, 0), last - first)
    return np.pad(found, (before, last - first - before - len(found)))


def check(out: Path, plan: Plan) -> None:
    """`Unusable` in one line where the plan's film cannot be written as `out`, or a package for films is not there."""
    try:
        from live.renderers import _drawing, _encoder  # noqa: F401
    except ImportError as error:
        raise _missing(error) from None
    if out.suffix.lower() not in (".mp4", ".mov"):
        raise Unusable(f"--out {out}: a film's name ends in .mp4 or .mov")
    if plan.look.background == CLEAR and out.suffix.lower() != ".mov":
        raise Unusable(f"--out {out}: only a .mov can be transparent: write {out.with_suffix('.mov')}")
    if out.exists() and not plan.overwrite:
        raise BadFile(f"'{out}' exists already: choose another name, or add --overwrite")
    if not out.absolute().parent.is_dir():
        raise Unusable(f"--out {out}: there is no folder '{out.parent}': create it first")
