"""The sounds of the project's own music: drums, tones, room, and the mixing desk."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

from live.train.scores import Drum, Voice
from live.train.song import PEAK, Clock, Rng
from live.types import SAMPLE_RATE, Float32


class Tone(NamedTuple):
    """One song's instrument; the wave fades from `bright` to `dark` as the filter of a struck string would close."""

    bright: Float32
    dark: Float32
    attack: float
    decay: float
    sustain: float
    release: float
    detune: float


def one_shot(rng: Rng, drum: Drum) -> Float32:
    """A drum [n], peak at its level in the mix, which the seed moves by a few dB."""
    hz, sweep, ring, noise, hiss = (rng.uniform(*r) for r in (drum.hz, drum.sweep, drum.ring, drum.noise, drum.hiss))
    t = np.arange(int(6 * max(ring, hiss) * SAMPLE_RATE)) / SAMPLE_RATE
    bend = rng.uniform(0.008, 0.03)
    phase = 2 * np.pi * hz * (t + sweep * bend * (1 - np.exp(-t / bend)))
    body = sum(np.sin(phase * ratio) for ratio in drum.partials) * np.exp(-t / ring)
    grain = rng.standard_normal(len(t)) * np.exp(-t / hiss)
    if drum.bursts > 1:  # several hands, or the way there and back of a shaker
        grain *= np.where(t < 0.01 * drum.bursts, 1 - (t / 0.01 % 1), 1)
    grain -= lowpass(grain, drum.cut * rng.uniform(0.6, 1.3))
    shot = np.tanh(rng.uniform(1.0, 3.0) * (body * (hz > 0) + 0.5 * noise * grain))
    shot *= np.linspace(1, 0, len(t)) * drum.level * 10 ** (rng.uniform(-4, 3) / 20) / np.abs(shot).max()
    return shot.astype(np.float32)


def tone_of(rng: Rng, voice: Voice) -> Tone:
    slope, *rest = (rng.uniform(*r) for r in voice[1:7])
    orders = np.arange(1, voice.harmonics + 1, rng.integers(1, 3))  # all harmonics, or the odd ones of a square
    phase = 2 * np.pi * np.outer(orders, np.arange(2048) / 2048)
    level = voice.level * 10 ** (rng.uniform(-5, 3) / 20)
    bright, dark = (
        (level * orders**-power @ np.sin(phase)).astype(np.float32) for power in (slope, slope + rng.uniform(0.5, 2.0))
    )
    return Tone(bright, dark, *rest)


def note_of(tone: Tone, midi: int, seconds: float) -> Float32:
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


def riser(rng: Rng, seconds: float) -> Float32:
    noise = rng.standard_normal(int(seconds * SAMPLE_RATE)).astype(np.float32)
    ramp = np.linspace(0, 1, len(noise), dtype=np.float32)
    return 0.3 * ramp**3 * (lowpass(noise, 900) * (1 - ramp) + (noise - lowpass(noise, 2500)) * ramp)


def add(bus: Float32, shot: Float32, at: float, gain: float) -> None:
    """Mixes `shot` into `bus` at `at` seconds; what sticks out at either end is cut off."""
    start = round(at * SAMPLE_RATE)
    shot = shot[max(-start, 0) : max(len(bus) - start, 0)]
    bus[max(start, 0) : max(start, 0) + len(shot)] += np.float32(gain) * shot


def ducking(clock: Clock, n: int, depth: float) -> Float32:
    phase = (clock.count(np.arange(n) / SAMPLE_RATE) % 1.0).astype(np.float32)
    return 1 - np.float32(depth) * (1 - phase) ** 3


def levelled(bus: Float32, decibels: float) -> Float32:
    """`bus` with its mean square, silences included, at `decibels` over -20 dB."""
    rms = float(np.sqrt(np.mean(bus**2))) + 1e-4
    return bus * np.float32(0.1 * 10 ** (decibels / 20) / rms)


def master(rng: Rng, mix: Float32) -> Float32:
    mix = mix + np.float32(rng.uniform(0.0, 0.25)) * reverb(rng, mix)
    drive = np.float32(rng.uniform(0.3, 2.5))
    mix = np.tanh(drive * mix)
    low = lowpass(mix, rng.uniform(120, 300))
    high = mix - lowpass(mix, rng.uniform(2500, 6000))
    mix += np.float32(rng.uniform(-0.4, 0.5)) * low + np.float32(rng.uniform(-0.7, 0.7)) * high
    floor = 10 ** (rng.uniform(-80, -45) / 20) * (rng.random() < 0.5)
    mix += np.float32(floor) * rng.standard_normal(len(mix), dtype=np.float32)
    return mix * np.float32(0.999 * PEAK / max(np.abs(mix).max(initial=0.0), 1e-6))


def reverb(rng: Rng, dry: Float32) -> Float32:
    """The wet part alone: convolution with decaying noise of unit energy, after 10 ms."""
    tail = rng.uniform(0.05, 0.3)
    n = int(5 * tail * SAMPLE_RATE)
    room = lowpass(rng.standard_normal(n), rng.uniform(1500, 6000)) * np.exp(-np.arange(n) / (tail * SAMPLE_RATE))
    room = np.concatenate([np.zeros(SAMPLE_RATE // 100), room / np.linalg.norm(room)]).astype(np.float32)
    size = 1 << (len(dry) + len(room)).bit_length()
    return np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(room, size), size)[: len(dry)].astype(np.float32)


def lowpass(x: np.ndarray, hz: float) -> np.ndarray:
    """One pole, -3 dB near `hz`, in the precision of `x`."""
    pole = np.exp(-2 * np.pi * hz / SAMPLE_RATE)
    return lfilter(np.array([1 - pole], x.dtype), np.array([1, -pole], x.dtype), x)
