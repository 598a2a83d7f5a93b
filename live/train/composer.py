"""The project's own music: a seeded composer and synthesiser whose beats lie exactly on a given grid.

It renders the bundled demo, and training music without end on the beat grid of a dance. Time is kept in counts
(beats); a `Clock` turns counts into seconds. What it draws from is in `scores`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

from live.train.scores import DRUMS, GENRES, PROGRESSIONS, SCALES, SECTIONS, VELOCITY, VOICES, Drum, Genre, Voice
from live.types import SAMPLE_RATE, Float32, Float64

Rng = np.random.Generator
PEAK = 0.9


@dataclass(frozen=True)
class Song:
    """`audio` [n] mono at `SAMPLE_RATE`, peak <= 0.9; `beats` [k] and `downbeats` [m] in seconds from its start."""

    audio: Float32
    beats: Float64
    downbeats: Float64


@dataclass(frozen=True)
class Clock:
    """Knots of the tempo map, linear between; the outer knots reach far beyond the song so that tails have a place."""

    counts: Float64
    times: Float64

    def seconds(self, count: float | Float64) -> Float64:
        return np.asarray(np.interp(count, self.counts, self.times))

    def count(self, seconds: float | Float64) -> Float64:
        return np.asarray(np.interp(seconds, self.times, self.counts))


class Tone(NamedTuple):
    """One song's instrument; the wave fades from `bright` to `dark` as the filter of a struck string would close."""

    bright: Float32
    dark: Float32
    attack: float
    decay: float
    sustain: float
    release: float
    detune: float


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
    return compose_on(seed, seconds, _clock((start_count, 0.0, bpm)), genre)


def compose_on(seed: int, seconds: float, clock: Clock, genre: str | None = None) -> Song:
    """As `compose`, on a tempo map: beats fall where its count is an integer."""
    rng, band, sections = _plan(seed, seconds, clock, genre)
    audio = _mix(rng, band, clock, sections, seconds)
    gain = 10.0 ** (-rng.uniform(0.0, 24.0) * rng.random() / 20.0)
    return _song(np.float32(gain) * audio, clock)


def sections_of(seed: int, seconds: float, clock: Clock, genre: str | None = None) -> list[Section]:
    """The sections of what `compose_on` makes of the same arguments."""
    return _plan(seed, seconds, clock, genre)[2]


def _plan(seed: int, seconds: float, clock: Clock, genre: str | None) -> tuple[Rng, Band, list[Section]]:
    """What the seed decides before the first sound, and the generator that decides the rest."""
    rng = np.random.default_rng(seed)
    picked = str(rng.choice(list(GENRES)))
    band = _band(rng, GENRES[genre or picked])
    return rng, band, _arrange(rng, float(clock.count(0.0)), float(clock.count(seconds)))


DEMO_SEED = 18
DEMO = (("drums", 4), ("full", 6), ("quiet", 4), ("build", 4), ("song", 4), ("full", 8), ("end", 1))
"""Sections of the demo and their bars; the last 9 bars are the faster ones."""


def compose_demo() -> Song:
    """About a minute: groove at 112 BPM, a quiet passage, a build, full groove, then 126 BPM to a clean ending."""
    rng = np.random.default_rng(DEMO_SEED)
    band = _band(rng, GENRES["house"])
    bars = np.cumsum([0] + [n for _, n in DEMO])
    change = 4.0 * bars[-3]
    clock = _clock((0.0, 0.0, 112.0), (change, change * 60.0 / 112.0, 126.0))
    sections = [Section(name, int(first), n) for (name, n), first in zip(DEMO, bars[:-1], strict=True)]
    seconds = float(clock.seconds(4.0 * bars[-1])) + 1.0
    audio = _mix(rng, band, clock, sections, seconds)
    audio[-SAMPLE_RATE:] *= np.linspace(1.0, 0.0, SAMPLE_RATE, dtype=np.float32) ** 2
    song = _song(audio, clock)
    heard = song.beats <= clock.seconds(4.0 * bars[-2]) + 1e-6  # none after the final hit
    return Song(audio, song.beats[heard], song.downbeats[song.downbeats <= song.beats[heard][-1]])


def _clock(*tempi: tuple[float, float, float]) -> Clock:
    """A tempo map from (count, seconds, bpm) where each tempo begins; first and last go on for 1e5 counts outward."""
    far = 1e5
    (count, time, bpm), last = tempi[0], tempi[-1]
    knots = [(count - far, time - far * 60.0 / bpm), *((c, t) for c, t, _ in tempi)]
    knots.append((last[0] + far, last[1] + far * 60.0 / last[2]))
    counts, times = np.array(knots).T
    return Clock(counts, times)


def _song(audio: Float32, clock: Clock) -> Song:
    seconds = len(audio) / SAMPLE_RATE
    counts = np.arange(np.ceil(float(clock.count(0.0)) - 1e-7), float(clock.count(seconds)) - 1e-7)
    beats = np.maximum(clock.seconds(counts), 0.0)
    return Song(audio, beats, beats[counts % 4 == 0])


def _arrange(rng: Rng, start: float, end: float) -> list[Section]:
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


def _band(rng: Rng, genre: Genre) -> Band:
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
        {name: _one_shot(rng, drum) for name, drum in DRUMS.items()},
        {name: _tone(rng, voice) for name, voice in VOICES.items()},
        patterns,
        SCALES[str(rng.choice(list(SCALES)))],
        int(rng.integers(12)),
        PROGRESSIONS[rng.integers(len(PROGRESSIONS))],
        genre.swing[1] * rng.random(),
        rng.uniform(0.0005, 0.005),
    )


def _one_shot(rng: Rng, drum: Drum) -> Float32:
    """A drum [n], peak at its level in the mix, which the seed moves by a few dB."""
    hz, sweep, ring, noise, hiss = (rng.uniform(*r) for r in (drum.hz, drum.sweep, drum.ring, drum.noise, drum.hiss))
    t = np.arange(int(6 * max(ring, hiss) * SAMPLE_RATE)) / SAMPLE_RATE
    bend = rng.uniform(0.008, 0.03)
    phase = 2 * np.pi * hz * (t + sweep * bend * (1 - np.exp(-t / bend)))
    body = sum(np.sin(phase * ratio) for ratio in drum.partials) * np.exp(-t / ring)
    grain = rng.standard_normal(len(t)) * np.exp(-t / hiss)
    if drum.bursts > 1:  # several hands, or the way there and back of a shaker
        grain *= np.where(t < 0.01 * drum.bursts, 1 - (t / 0.01 % 1), 1)
    grain -= _lowpass(grain, drum.cut * rng.uniform(0.6, 1.3))
    shot = np.tanh(rng.uniform(1.0, 3.0) * (body * (hz > 0) + 0.5 * noise * grain))
    shot *= np.linspace(1, 0, len(t)) * drum.level * 10 ** (rng.uniform(-4, 3) / 20) / np.abs(shot).max()
    return shot.astype(np.float32)


def _tone(rng: Rng, voice: Voice) -> Tone:
    slope, *rest = (rng.uniform(*r) for r in voice[1:7])
    orders = np.arange(1, voice.harmonics + 1, rng.integers(1, 3))  # all harmonics, or the odd ones of a square
    phase = 2 * np.pi * np.outer(orders, np.arange(2048) / 2048)
    level = voice.level * 10 ** (rng.uniform(-5, 3) / 20)
    bright, dark = (
        (level * orders**-power @ np.sin(phase)).astype(np.float32) for power in (slope, slope + rng.uniform(0.5, 2.0))
    )
    return Tone(bright, dark, *rest)


def _note(tone: Tone, midi: int, seconds: float) -> Float32:
    """One note [n] held for `seconds`, its release after it; the oscillators' phases are 32-bit counters that wrap."""
    n = max(int((seconds + tone.release) * SAMPLE_RATE), 64)
    t = np.arange(n, dtype=np.float32) / SAMPLE_RATE
    fade = np.exp(-t / tone.decay)
    ticks, note = np.arange(n, dtype=np.uint32), np.zeros(n, np.float32)
    for cents in (0.0,) if tone.detune < 3 else (-tone.detune, 0.4, tone.detune):
        hz = 440.0 * 2.0 ** ((midi - 69 + cents / 100) / 12)
        place = (ticks * np.uint32(hz / SAMPLE_RATE * 2**32)) >> np.uint32(21)
        dark = tone.dark[place]
        note += dark + fade * (tone.bright[place] - dark)
    rise, fall = np.minimum(t / tone.attack, 1), np.minimum((t[-1] - t) / tone.release, 1)
    return note * rise * fall * (tone.sustain + (1 - tone.sustain) * fade)


def _steps(pattern: str, bar: int) -> Iterator[tuple[int, str, int]]:
    """(step, symbol, length in steps) of one bar; patterns of several bars take turns."""
    first = 16 * bar % len(pattern)
    part = pattern[first : first + 16]
    for step, symbol in enumerate(part):
        if symbol not in ".-":
            yield step, symbol, 1 + len(part[step + 1 :]) - len(part[step + 1 :].lstrip("-"))


def _play(rng: Rng, band: Band, section: Section) -> Iterator[Hit]:
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


def _swung(band: Band, count: float) -> float:
    """`count` with the middle of each swung pair delayed; the beats themselves never move."""
    unit, amount = band.genre.swing[0], band.swing
    place = count / unit % 1.0
    late = place * (1 + amount) if place <= 0.5 else place + amount * (1 - place)
    return count + unit * (late - place)


def _riser(rng: Rng, seconds: float) -> Float32:
    noise = rng.standard_normal(int(seconds * SAMPLE_RATE)).astype(np.float32)
    ramp = np.linspace(0, 1, len(noise), dtype=np.float32)
    return 0.3 * ramp**3 * (_lowpass(noise, 900) * (1 - ramp) + (noise - _lowpass(noise, 2500)) * ramp)


def _mix(rng: Rng, band: Band, clock: Clock, sections: list[Section], seconds: float) -> Float32:
    """Audio [n], peak 0.9: drums and notes on their own buses, ducking, reverb, drive, colour, a noise floor."""
    drums, notes = np.zeros((2, round(seconds * SAMPLE_RATE)), np.float32)
    note = cache(lambda name, midi, length: _note(band.tones[name], midi, length))
    first = float(clock.count(0.0)) - 8.0  # what began up to two bars earlier may still sound
    last = float(clock.count(seconds))
    for hit in (hit for section in sections for hit in _play(rng, band, section) if first <= hit.count < last):
        at, length = float(clock.seconds(_swung(band, hit.count))), hit.length * 60.0 / _bpm(clock, hit.count)
        at += float(np.clip(rng.normal(), -2, 2)) * band.jitter * (0.3 if hit.name == "kick" else 1.0)
        velocity = hit.velocity * float(np.clip(rng.normal(1.0, 0.08), 0.7, 1.2))
        if hit.name == "riser":
            _add(drums, _riser(rng, length), at, velocity)
        elif hit.midi:
            _add(notes, note(hit.name, hit.midi, round(0.95 * length, 4)), at, velocity)
        else:
            _add(drums, band.kit[hit.name], at, velocity)
    notes *= _ducking(clock, len(notes), band.genre.pump * rng.random())
    return _master(rng, _levelled(drums, rng.uniform(-2, 4)) + _levelled(notes, rng.uniform(-9, 0)))


def _bpm(clock: Clock, count: float) -> float:
    return 60.0 / float(clock.seconds(count + 1e-3) - clock.seconds(count)) * 1e-3


def _add(bus: Float32, shot: Float32, at: float, gain: float) -> None:
    """Mixes `shot` into `bus` at `at` seconds; what sticks out at either end is cut off."""
    start = round(at * SAMPLE_RATE)
    shot = shot[max(-start, 0) : max(len(bus) - start, 0)]
    bus[max(start, 0) : max(start, 0) + len(shot)] += np.float32(gain) * shot


def _ducking(clock: Clock, n: int, depth: float) -> Float32:
    phase = (clock.count(np.arange(n) / SAMPLE_RATE) % 1.0).astype(np.float32)
    return 1 - np.float32(depth) * (1 - phase) ** 3


def _levelled(bus: Float32, decibels: float) -> Float32:
    """`bus` with its mean square, silences included, at `decibels` over -20 dB."""
    rms = float(np.sqrt(np.mean(bus**2))) + 1e-4
    return bus * np.float32(0.1 * 10 ** (decibels / 20) / rms)


def _master(rng: Rng, mix: Float32) -> Float32:
    mix = mix + np.float32(rng.uniform(0.0, 0.25)) * _reverb(rng, mix)
    drive = np.float32(rng.uniform(0.3, 2.5))
    mix = np.tanh(drive * mix)
    low = _lowpass(mix, rng.uniform(120, 300))
    high = mix - _lowpass(mix, rng.uniform(2500, 6000))
    mix += np.float32(rng.uniform(-0.4, 0.5)) * low + np.float32(rng.uniform(-0.7, 0.7)) * high
    floor = 10 ** (rng.uniform(-80, -45) / 20) * (rng.random() < 0.5)
    mix += np.float32(floor) * rng.standard_normal(len(mix), dtype=np.float32)
    return mix * np.float32(0.999 * PEAK / max(np.abs(mix).max(initial=0.0), 1e-6))


def _reverb(rng: Rng, dry: Float32) -> Float32:
    """The wet part alone: convolution with decaying noise of unit energy, after 10 ms."""
    tail = rng.uniform(0.05, 0.3)
    n = int(5 * tail * SAMPLE_RATE)
    room = _lowpass(rng.standard_normal(n), rng.uniform(1500, 6000)) * np.exp(-np.arange(n) / (tail * SAMPLE_RATE))
    room = np.concatenate([np.zeros(SAMPLE_RATE // 100), room / np.linalg.norm(room)]).astype(np.float32)
    size = 1 << (len(dry) + len(room)).bit_length()
    return np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(room, size), size)[: len(dry)].astype(np.float32)


def _lowpass(x: np.ndarray, hz: float) -> np.ndarray:
    """One pole, -3 dB near `hz`, in the precision of `x`."""
    pole = np.exp(-2 * np.pi * hz / SAMPLE_RATE)
    return lfilter(np.array([1 - pole], x.dtype), np.array([1, -pole], x.dtype), x)


def write(path: Path, song: Song) -> None:
    """Ogg Vorbis at `path`, and beside it `.beats`: one beat time in seconds a line."""
    import soundfile

    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, format="OGG", subtype="VORBIS") as file:
        for start in range(0, len(song.audio), SAMPLE_RATE):  # libsndfile crashes on one huge Vorbis write
            file.write(song.audio[start : start + SAMPLE_RATE])
    path.with_suffix(".beats").write_text("".join(f"{beat:.4f}\n" for beat in song.beats))


def main() -> None:
    write(Path(sys.argv[1]), compose_demo())


if __name__ == "__main__":
    main()
