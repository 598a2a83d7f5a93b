"""`live render`: a take as a film."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from live.errors import BadFile, MissingExtra, Unusable
from live.look import CLEAR, Look, Person
from live.take import Take, read_take
from live.types import SAMPLE_RATE, Float32


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
    _check(out, plan)
    if plan.person is not None and plan.person.dancer >= read.dancers:
        raise Unusable(f"--dancer {plan.person.dancer}: the take has no such dancer: choose 0..{read.dancers - 1}")
    try:
        from live.renderers._drawing import drawing
        from live.renderers._encoder import Film

        made = drawing(plan.look, read.dancers, plan.person)
    except ImportError as error:
        raise _missing(error) from None
    heard = _heard(plan.sound) if plan.sound is not None else None
    begun = time.monotonic()
    fps = plan.fps or made.rate
    film = Film(out, made.look, fps, heard is not None)
    count = 0
    try:
        for count, record in enumerate(pictures(read, fps)):
            made.draws.draw(read.records[record], 1.0 / fps)
            film.picture(made.pixels, count)
            if heard is not None:
                film.sound(_under(heard, plan.offset, count, fps))
    finally:
        film.close()
    seconds, length = time.monotonic() - begun, (count + 1) / fps
    say(f"{count + 1} pictures, {length:.1f} s of film, in {seconds:.1f} s: {out}")


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


def _heard(path: Path) -> Float32:
    from live.audio._decode import Decoder

    decoder = Decoder(path)
    parts: list[Float32] = []
    while not decoder.ended:
        parts.append(decoder.read(SAMPLE_RATE))
    decoder.close()
    return np.concatenate(parts)


def _under(heard: Float32, offset: float, picture: int, fps: int) -> Float32:
    """The samples that are heard while a picture is seen; silence before the sound begins and after its end."""
    first, last = (round((n / fps - offset) * SAMPLE_RATE) for n in (picture, picture + 1))
    found = heard[max(first, 0) : max(last, 0)]
    before = min(max(-first, 0), last - first)
    return np.pad(found, (before, last - first - before - len(found)))


def _check(out: Path, plan: Plan) -> None:
    if out.suffix.lower() not in (".mp4", ".mov"):
        raise Unusable(f"--out {out}: a film's name ends in .mp4 or .mov")
    if plan.look.background == CLEAR and out.suffix.lower() != ".mov":
        raise Unusable(f"--out {out}: only a .mov can be transparent: write {out.with_suffix('.mov')}")
    if out.exists() and not plan.overwrite:
        raise BadFile(f"'{out}' exists already: choose another name, or add --overwrite")
    if not out.absolute().parent.is_dir():
        raise Unusable(f"--out {out}: there is no folder '{out.parent}': create it first")
