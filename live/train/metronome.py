"""The barest music: a click or a kick on each beat, with accents, now and then off-beats and gaps."""

from __future__ import annotations

import numpy as np

from live.train.arranger import natural_bpm
from live.train.orchestra import tempo_map
from live.train.song import PEAK, Rng, Song
from live.types import SAMPLE_RATE, Float32


def metronome(seed: int, seconds: float) -> Song:
    """`seconds` of it; the seed decides tempo map, sounds, accents, off-beats, and how steady the player is."""
    rng = np.random.default_rng([11, seed])
    clock = tempo_map(rng, natural_bpm(rng), seconds)
    metre = int(rng.choice([1, 2, 3, 4, 4]))
    beats = np.arange(np.ceil(float(clock.count(seconds))))
    audio = np.float32(10 ** rng.uniform(-5, -2)) * rng.standard_normal(int(seconds * SAMPLE_RATE), dtype=np.float32)
    sounds, jitter, accent = [_sound(rng) for _ in range(3)], rng.uniform(0.0, 0.008), rng.uniform(0.5, 1.0)
    own = rng.random() < 0.4
    split, chance = float(rng.choice([0.5, 0.5, 0.25, 1 / 3])), float(rng.choice([0.0, 0.0, 0.5, 1.0]))
    for beat in beats:
        first = beat % metre == 0
        _strike(
            audio, sounds[own and not first], float(clock.seconds(beat)) + jitter * rng.normal(), 1 if first else accent
        )
        for part in np.arange(split, 0.99, split):
            if rng.random() < chance:
                _strike(
                    audio, sounds[2], float(clock.seconds(beat + part)) + jitter * rng.normal(), 0.35 * rng.random()
                )
    times = np.asarray(clock.seconds(beats))
    inside = times < seconds
    downbeats = times[inside & (beats % metre == 0)] if metre > 2 else np.zeros(0)
    return Song(audio * np.float32(PEAK / max(float(np.abs(audio).max()), 1e-4)), times[inside], downbeats)


def _sound(rng: Rng) -> Float32:
    """A kick, a click, a beep, or a burst of noise."""
    t = np.arange(int(0.25 * SAMPLE_RATE)) / SAMPLE_RATE
    kind = rng.choice(["kick", "click", "beep", "burst"])
    if kind == "kick":
        bend = rng.uniform(0, 4) * 0.02 * (1 - np.exp(-t / 0.02))
        sound = np.sin(2 * np.pi * rng.uniform(40, 90) * (t + bend)) * np.exp(-t / rng.uniform(0.03, 0.15))
        sound += rng.uniform(0, 0.5) * rng.normal(size=len(t)) * np.exp(-t / 0.004)
    elif kind == "beep":
        sound = np.sin(2 * np.pi * rng.uniform(400, 3000) * t) * (t < rng.uniform(0.01, 0.1))
    else:
        sound = rng.normal(size=len(t)) * np.exp(
            -t / rng.uniform(*((0.001, 0.01) if kind == "click" else (0.02, 0.08)))
        )
    return np.asarray(sound / np.abs(sound).max(), np.float32)


def _strike(audio: Float32, sound: Float32, time: float, gain: float) -> None:
    at = max(int(time * SAMPLE_RATE), 0)
    part = sound[: max(len(audio) - at, 0)]
    audio[at : at + len(part)] += np.float32(gain) * part
