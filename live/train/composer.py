"""The project's own music: a seeded composer whose beats lie exactly on a given grid.

It renders the bundled demo, and training music without end on the beat grid of a dance. Time is kept in counts
(beats); a `Clock` turns counts into seconds. What it draws from is in `scores`, how it sounds in `synth`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from live.train.scores import DRUMS, GENRES, PROGRESSIONS, SCALES, SECTIONS, VELOCITY, VOICES, Genre
from live.train.song import Clock, Rng, Song, bpm_at, clock_of, song_of, write
from live.train.synth import Tone, add, ducking, levelled, master, note_of, one_shot, riser, tone_of
from live.types import SAMPLE_RATE, Float32


class Band(NamedTuple):
    """All that a song's seed decides once."""

    genre: Genre
    kit: dict[str, Float32]
    tones: dict[str, Tone]
    patterns: dict[str, str]
    scale: tuple[int, ...]
    key: int
    progression: tuple[int, ...]
    swing: float
    jitter: float


@dataclass(frozen=True)
class Hit:
    """A sound to play: one of the kit (midi 0) or a note; `count` and `length` in beats."""

    name: str
    count: float
    velocity: float
    length: float = 0.25
    midi: int = 0


class Section(NamedTuple):
    name: str
    first_bar: int
    bars: int


def compose(seed: int, seconds: float, bpm: float, start_count: float = 0.0, genre: str | None = None) -> Song:
    """Music of constant tempo, `seconds` long; the seed decides all else (also the genre, one of `GENRES`, if None).

    The music stands at `start_count` (in beats) at t = 0: beats fall where start_count + t * bpm / 60 is an integer,
    downbeats where that integer is a multiple of 4. The gain, 0 to -24 dB below the peak of 0.9, is drawn too.
    Raises KeyError for an unknown genre.
    """
    return compose_on(seed, seconds, clock_of((start_count, 0.0, bpm)), genre)


def compose_on(seed: int, seconds: float, clock: Clock, genre: str | None = None) -> Song:
    """As `compose`, on a tempo map: beats fall where its count is an integer."""
    rng, band, sections = _plan(seed, seconds, clock, genre)
    audio = _mix(rng, band, clock, sections, seconds)
    gain = 10.0 ** (-rng.uniform(0.0, 24.0) * rng.random() / 20.0)
    return song_of(np.float32(gain) * audio, clock)


def sections_of(seed: int, seconds: float, clock: Clock, genre: str | None = None) -> list[Section]:
    """The sections of what `compose_on` makes of the same arguments."""
    return _plan(seed, seconds, clock, genre)[2]


def _plan(seed: int, seconds: float, clock: Clock, genre: str | None) -> tuple[Rng, Band, list[Section]]:
    """What the seed decides before the first sound, and the generator that decides the rest."""
    rng = np.random.default_rng(seed)
    picked = str(rng.choice(list(GENRES)))
    band = band_of(rng, GENRES[genre or picked])
    return rng, band, arrange(rng, float(clock.count(0.0)), float(clock.count(seconds)))


DEMO_SEED = 18
DEMO = (("drums", 4), ("full", 6), ("quiet", 4), ("build", 4), ("song", 4), ("full", 8), ("end", 1))
"""Sections of the demo and their bars; the last 9 bars are the faster ones."""


def compose_demo() -> Song:
    """About a minute: groove at 112 BPM, a quiet passage, a build, full groove, then 126 BPM to a clean ending."""
    rng = np.random.default_rng(DEMO_SEED)
    band = band_of(rng, GENRES["house"])
    bars = np.cumsum([0] + [n for _, n in DEMO])
    change = 4.0 * bars[-3]
    clock = clock_of((0.0, 0.0, 112.0), (change, change * 60.0 / 112.0, 126.0))
    sections = [Section(name, int(first), n) for (name, n), first in zip(DEMO, bars[:-1], strict=True)]
    seconds = float(clock.seconds(4.0 * bars[-1])) + 1.0
    audio = _mix(rng, band, clock, sections, seconds)
    audio[-SAMPLE_RATE:] *= np.linspace(1.0, 0.0, SAMPLE_RATE, dtype=np.float32) ** 2
    song = song_of(audio, clock)
    heard = song.beats <= clock.seconds(4.0 * bars[-2]) + 1e-6  # none after the final hit
    return Song(audio, song.beats[heard], song.downbeats[song.downbeats <= song.beats[heard][-1]])


def arrange(rng: Rng, start: float, end: float) -> list[Section]:
    """Sections of 4 or 8 bars from the phrase of 4 bars that `start` (in counts) lies in until `end`."""
    names = list(SECTIONS)
    weights = np.array([weight for _, weight, _ in SECTIONS.values()], dtype=float)
    bar, sections = 4 * int(start // 16), []
    while 4 * bar < end:
        name = str(rng.choice(names, p=weights / weights.sum()))
        bars = 4 if name in ("quiet", "build", "intro") else int(rng.choice([4, 8]))
        sections.append(Section(name, bar, bars))
        bar += bars
    return sections


def band_of(rng: Rng, genre: Genre) -> Band:
    patterns = {name: str(rng.choice(choices)) for name, choices in genre.drums.items()}
    optional = [name for name in patterns if DRUMS[name].layer in ("hats", "perc") and rng.random() < 0.2]
    patterns = {name: p for name, p in patterns.items() if name not in optional[:2]}
    patterns |= {"bass": str(rng.choice(genre.bass)), "chords": str(rng.choice(genre.chords)), "pad": "x" + 15 * "-"}
    density = rng.uniform(0.0, 0.7)
    patterns["lead"] = "".join(
        rng.choice(list("abcdefgh")) + "-" if rng.random() < density else ".-" for _ in range(16)
    )
    return Band(
        genre,
        {name: one_shot(rng, drum) for name, drum in DRUMS.items()},
        {name: tone_of(rng, voice) for name, voice in VOICES.items()},
        patterns,
        SCALES[str(rng.choice(list(SCALES)))],
        int(rng.integers(12)),
        PROGRESSIONS[rng.integers(len(PROGRESSIONS))],
        genre.swing[1] * rng.random(),
        rng.uniform(0.0005, 0.005),
    )


def _steps(pattern: str, bar: int) -> Iterator[tuple[int, str, int]]:
    """(step, symbol, length in steps) of one bar; patterns of several bars take turns."""
    first = 16 * bar % len(pattern)
    part = pattern[first : first + 16]
    for step, symbol in enumerate(part):
        if symbol not in ".-":
            yield step, symbol, 1 + len(part[step + 1 :]) - len(part[step + 1 :].lstrip("-"))


def play(rng: Rng, band: Band, section: Section) -> Iterator[Hit]:
    """All hits of a section, on the straight grid."""
    (low, high), _, layers = SECTIONS[section.name]
    patterns = {n: p for n, p in band.patterns.items() if (DRUMS[n].layer if n in DRUMS else n) in layers}
    if section.name == "end":
        patterns = dict.fromkeys(patterns, "X" + 15 * "-") | {"bass": "1" + 15 * "-"}
    for bar in range(section.first_bar, section.first_bar + section.bars):
        level = low + (high - low) * (bar - section.first_bar) / section.bars
        for name, pattern in patterns.items():
            for step, symbol, length in _steps(pattern, bar):
                strength = level * VELOCITY.get(symbol, 0.8)
                for midi in _pitches(band, name, symbol, bar):
                    yield Hit(name, 4 * bar + step / 4, strength, length / 4, midi)
    yield from _ornaments(rng, section, layers)


def _ornaments(rng: Rng, section: Section, layers: frozenset[str]) -> Iterator[Hit]:
    """A crash where a full section begins, a roll through a build, and now and then a fill in the last bar."""
    first, end = 4.0 * section.first_bar, 4.0 * (section.first_bar + section.bars)
    if "crash" in layers:
        yield Hit("crash", first, 1.0)
    if "roll" in layers:
        counts = np.concatenate([np.arange(first, (first + end) / 2, 0.5), np.arange((first + end) / 2, end, 0.25)])
        yield from (Hit("snare", float(c), 0.15 + 0.6 * float((c - first) / (end - first)) ** 2) for c in counts)
        yield Hit("riser", first, 0.3, end - first)
    elif "snare" in layers and rng.random() < 0.6:
        drum = str(rng.choice(["snare", "tom", "timbale"]))
        yield from (Hit(drum, end - 1 + i / 4, 0.4 + 0.12 * i) for i in range(4))


def _pitches(band: Band, name: str, symbol: str, bar: int) -> tuple[int, ...]:
    if name in DRUMS:
        return (0,)
    degree = band.progression[bar % len(band.progression)]
    chord = [band.key + band.scale[(degree + i) % 7] for i in (0, 2, 4, 6)]
    if name == "bass":
        return (31 + (chord["1358".index(symbol) % 3] - 31) % 12 + 12 * (symbol == "8"),)
    if name == "lead":
        order = ord(symbol) - ord("a")
        return (67 + (chord[order % 4] - 67) % 12 + 12 * (order // 6),)
    low = 53 if name == "chords" else 60
    return tuple(low + (note - low) % 12 for note in chord[: 3 + bar % 2])


def swung(band: Band, count: float) -> float:
    """`count` with the middle of each swung pair delayed; the beats themselves never move."""
    unit, amount = band.genre.swing[0], band.swing
    place = count / unit % 1.0
    late = place * (1 + amount) if place <= 0.5 else place + amount * (1 - place)
    return count + unit * (late - place)


def _mix(rng: Rng, band: Band, clock: Clock, sections: list[Section], seconds: float) -> Float32:
    """Audio [n], peak 0.9: drums and notes on their own buses, ducking, reverb, drive, colour, a noise floor."""
    drums, notes = np.zeros((2, round(seconds * SAMPLE_RATE)), np.float32)
    note = cache(lambda name, midi, length: note_of(band.tones[name], midi, length))
    first = float(clock.count(0.0)) - 8.0  # what began up to two bars earlier may still sound
    last = float(clock.count(seconds))
    for hit in (hit for section in sections for hit in play(rng, band, section) if first <= hit.count < last):
        at, length = float(clock.seconds(swung(band, hit.count))), hit.length * 60.0 / bpm_at(clock, hit.count)
        at += float(np.clip(rng.normal(), -2, 2)) * band.jitter * (0.3 if hit.name == "kick" else 1.0)
        velocity = hit.velocity * float(np.clip(rng.normal(1.0, 0.08), 0.7, 1.2))
        if hit.name == "riser":
            add(drums, riser(rng, length), at, velocity)
        elif hit.midi:
            add(notes, note(hit.name, hit.midi, round(0.95 * length, 4)), at, velocity)
        else:
            add(drums, band.kit[hit.name], at, velocity)
    notes *= ducking(clock, len(notes), band.genre.pump * rng.random())
    return master(rng, levelled(drums, rng.uniform(-2, 4)) + levelled(notes, rng.uniform(-9, 0)))


def main() -> None:
    write(Path(sys.argv[1]), compose_demo())


if __name__ == "__main__":
    main()
