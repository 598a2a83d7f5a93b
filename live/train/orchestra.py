"""An orchestra of General MIDI sounds: notes on a tempo map -> audio with known beats, through FluidSynth."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import mido
import numpy as np
import soundfile

from live.train.song import PEAK, Clock, Rng, Song
from live.types import SAMPLE_RATE, Float32

SOUNDFONTS = (
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf3/MuseScore_General.sf3",
    "/usr/share/sounds/sf2/TimGM6mb.sf2",
)
"""Debian's fluid-soundfont-gm (MIT), musescore-general-soundfont (MIT) and timgm6mb-soundfont (GPL-2)."""
DRUM_CHANNEL, BASS, CHORDS, LEAD, PAD = 9, 0, 1, 2, 3
PROGRAMS = {
    BASS: (32, 33, 34, 35, 36, 38, 39, 87),
    CHORDS: (0, 1, 2, 4, 5, 6, 11, 16, 17, 18, 21, 24, 25, 26, 27, 28, 29, 30, 48, 50, 81, 88),
    LEAD: (0, 11, 12, 21, 22, 24, 29, 30, 40, 52, 53, 56, 61, 64, 65, 66, 68, 71, 73, 75, 80, 81, 82, 105, 110),
    PAD: (48, 49, 50, 51, 52, 88, 89, 90, 91, 94),
}
"""General MIDI programs (from 0) that a part may get."""


class Note(NamedTuple):
    """`count` and `length` in beats; `velocity` 1..127."""

    count: float
    length: float
    midi: int
    velocity: float
    channel: int


class Score(NamedTuple):
    """Notes, beats of a bar, and the length in counts."""

    notes: list[Note]
    metre: int
    length: float


def tempo_map(rng: Rng, bpm: float, seconds: float, free: bool = False) -> Clock:
    """Steady (two in five), stepping, ramping, drifting or rubato tempo around `bpm`; a `free` player has mostly rubato
    and lingers where phrases end."""
    beats = int(seconds * bpm / 60.0 * 1.8) + 24
    likely = [0.15, 0.05, 0.05, 0.15, 0.6] if free else [0.4, 0.25, 0.15, 0.13, 0.07]
    kind = rng.choice(["steady", "steps", "ramp", "drift", "rubato"], p=likely)
    factor = np.ones(beats)
    if kind == "steps":
        at = 0
        while (at := at + int(rng.integers(12, 40))) < beats:
            factor[at:] = np.exp(rng.uniform(-0.3, 0.3))
    elif kind == "ramp":
        edges = np.sort(rng.integers(0, beats, 2))
        factor = np.exp(np.interp(np.arange(beats), edges, rng.uniform(-0.25, 0.25, 2)))
    elif kind == "drift":
        factor = np.exp(np.cumsum(rng.normal(0.0, 0.008, beats)).clip(-0.2, 0.2))
    elif kind == "rubato":
        period, depth = rng.uniform(4, 16), rng.uniform(0.03, 0.12)
        sway = np.sin(2 * np.pi * np.arange(beats) / period + rng.uniform(0, 6.3))
        factor = np.exp(depth * sway + rng.normal(0.0, rng.uniform(0.01, 0.05), beats))
    if free and rng.random() < 0.6:
        phrase, linger = int(rng.choice([8, 12, 16, 24])), rng.uniform(0.05, 0.35)
        factor *= np.exp(-linger * np.maximum(0.0, np.arange(beats) % phrase - (phrase - 3)) / 2.0)
    times = np.concatenate([[0.0], np.cumsum(60.0 / (bpm * factor))])
    counts = np.arange(beats + 1.0)
    outer = 60.0 / bpm
    return Clock(np.r_[-64.0, counts, beats + 512.0], np.r_[-64 * outer, times, times[-1] + 512 * outer])


def render(
    rng: Rng, score: Score, clock: Clock, programs: dict[int, int], seconds: float, looseness: float = 0.012
) -> Song:
    """Through General MIDI; parts come and go by sections of 4 or 8 bars, each note up to 2 `looseness` (s) off."""
    tightness = rng.uniform(0.0, looseness)
    quiet = _rests(rng, score)
    levels = {channel: rng.uniform(0.5, 1.15) for channel in (*PROGRAMS, DRUM_CHANNEL)}
    events = []
    for note in score.notes:
        if (note.channel, int(max(note.count, 0.0) // (4 * score.metre))) in quiet:
            continue
        start = float(clock.seconds(note.count)) + tightness * float(np.clip(rng.normal(), -2, 2))
        if 0.0 <= start < seconds:
            end = max(float(clock.seconds(note.count + note.length)), start + 0.03)
            velocity = int(np.clip(note.velocity * levels[note.channel] * rng.uniform(0.85, 1.1), 1, 127))
            events.append((start, end, note.channel, int(np.clip(note.midi, 0, 127)), velocity))
    kit = int(rng.choice([0, 0, 0, 8, 16, 24, 25, 32, 40])) if rng.random() < 0.7 else 0
    font = str(rng.choice(SOUNDFONTS, p=[0.5, 0.2, 0.3]))
    audio = _synthesise(events, programs | {DRUM_CHANNEL: kit}, seconds, font, rng.random() < 0.7)
    beats = np.arange(np.ceil(float(clock.count(seconds))))
    times = clock.seconds(beats)
    inside = times < seconds
    return Song(audio, times[inside], times[inside & (beats % score.metre == 0)])


def _rests(rng: Rng, score: Score) -> set[tuple[int, int]]:
    """(channel, group of 4 bars) where a part is silent; never all parts at once."""
    channels = sorted({note.channel for note in score.notes})
    groups = int(score.length // (4 * score.metre)) + 1
    if len(channels) < 2:
        return set()
    out: set[tuple[int, int]] = set()
    for group in range(groups):
        silent = [c for c in channels if rng.random() < 0.2]
        out |= {(c, group) for c in silent[: len(channels) - 1]}
    return out


def _synthesise(events: list, programs: dict[int, int], seconds: float, font: str, reverb: bool) -> Float32:
    """Audio [n] mono, peak 0.9."""
    changes = [(start, 1, c, note, velocity) for start, _, c, note, velocity in events]
    changes += [(end, 0, c, note, 0) for _, end, c, note, _ in events]
    track = mido.MidiTrack(mido.Message("program_change", channel=c, program=p) for c, p in programs.items())
    ticks = 0
    for time, _, channel, note, velocity in sorted(changes):
        now = round(time * 2000.0)  # 2000 ticks a second at mido's default 120 BPM and 1000 ticks per beat
        track.append(mido.Message("note_on", channel=channel, note=note, velocity=velocity, time=now - ticks))
        ticks = now
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "a.mid"), Path(folder, "a.wav")
        mido.MidiFile(ticks_per_beat=1000, tracks=[track]).save(score)
        switch = "1" if reverb else "0"
        command = ["fluidsynth", "-ni", "-q", "-r", str(SAMPLE_RATE), "-g", "0.4", "-R", switch, "-C", "0"]
        subprocess.run([*command, "-F", str(sound), font, str(score)], check=True, capture_output=True)
        stereo = soundfile.read(sound, dtype="float32", always_2d=True)[0]
    audio = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    mono = stereo.mean(1)[: len(audio)]
    audio[: len(mono)] = mono
    return audio * np.float32(PEAK / max(float(np.abs(audio).max()), 1e-4))
