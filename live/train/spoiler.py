"""What stages, rooms, telephones and crowds do to sound, and sounds that have no beat at all."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, sosfilt

from live.train.song import Rng
from live.train.synth import lowpass, reverb
from live.types import SAMPLE_RATE, Float32


def spoil(rng: Rng, audio: Float32) -> Float32:
    """`audio` [n] through a random chain: equaliser, room, compressor, noise, microphone, dropouts, gain."""
    out = audio.copy()
    if rng.random() < 0.5:
        out += np.float32(rng.uniform(-0.7, 1.0)) * lowpass(out, rng.uniform(80, 400))
    if rng.random() < 0.5:
        out += np.float32(rng.uniform(-0.8, 1.0)) * (out - lowpass(out, rng.uniform(2000, 6000)))
    if rng.random() < 0.3:
        out = np.float32(rng.uniform(0.3, 1.0)) * out + np.float32(rng.uniform(0.1, 1.0)) * reverb(rng, out)
    if rng.random() < 0.4:
        out = np.tanh(out * np.float32(rng.uniform(1.0, 8.0)) / _rms(out) * np.float32(0.1))
    if rng.random() < 0.45:
        out += noise(rng, len(out)) * np.float32(_rms(out) * 10 ** (-rng.uniform(0, 35) / 20))
    if rng.random() < 0.2:
        out = _microphone(rng, out)
    if rng.random() < 0.12:
        out = _dropouts(rng, out)
    peak = 10 ** (-rng.uniform(0.0, 26.0) * rng.random() / 20)
    return np.asarray(out * np.float32(peak / max(float(np.abs(out).max(initial=0.0)), 1e-6)), np.float32)


def noise(rng: Rng, n: int) -> Float32:
    """[n], RMS 1: hiss, rumble, a room full of talk, or applause."""
    white = rng.standard_normal(n, dtype=np.float32)
    kind = rng.choice(["hiss", "rumble", "talk", "applause"])
    if kind == "rumble":
        white = lowpass(white, rng.uniform(60, 800))
    elif kind == "talk":
        white = _band(white, rng.uniform(150, 400), rng.uniform(1500, 4000)) * _flutter(rng, n, rng.uniform(2.0, 8.0))
    elif kind == "applause":
        white = _band(white, rng.uniform(500, 1200), rng.uniform(3000, 9000)) * _claps(rng, n)
    return np.asarray(white / _rms(white), np.float32)


def beatless(rng: Rng, seconds: float) -> Float32:
    """Sound without a beat: silence, noises, tones, swells, irregular knocks."""
    n = round(seconds * SAMPLE_RATE)
    kind = rng.choice(["silence", "noise", "tone", "knocks", "sum"], p=[0.05, 0.4, 0.15, 0.25, 0.15])
    out = np.zeros(n, np.float32)
    if kind in ("noise", "sum"):
        out += noise(rng, n)
    if kind in ("tone", "sum"):
        out += _drone(rng, n)
    if kind == "knocks":
        out += _knocks(rng, n) + np.float32(10 ** (-rng.uniform(10, 50) / 20)) * noise(rng, n)
    return out * np.float32(0.9 * 10 ** (-rng.uniform(0, 40) / 20) / max(float(np.abs(out).max()), 1e-6))


def _rms(x: Float32) -> np.float32:
    return np.float32(np.sqrt(np.mean(x**2)) + 1e-6)


def _band(x: Float32, low: float, high: float) -> Float32:
    sos = butter(2, [low, high], "bandpass", fs=SAMPLE_RATE, output="sos")
    return np.asarray(sosfilt(sos, x), np.float32)


def _microphone(rng: Rng, x: Float32) -> Float32:
    """A telephone, or a small microphone far from the stage."""
    if rng.random() < 0.4:
        return _band(x, rng.uniform(150, 400), rng.uniform(2800, 3800))
    return _band(x, rng.uniform(40, 200), rng.uniform(3000, 12000))


def _dropouts(rng: Rng, x: Float32) -> Float32:
    for _ in range(int(rng.integers(1, 4))):
        start, length = int(rng.integers(len(x))), int(rng.uniform(0.1, 2.0) * SAMPLE_RATE)
        x[start : start + length] = 0.0
    return x


def _flutter(rng: Rng, n: int, hertz: float) -> Float32:
    """Syllables: a random level that changes about `hertz` times a second."""
    knots = np.cumsum(rng.exponential(1.0 / hertz, int(4 * hertz * n / SAMPLE_RATE) + 8)) * SAMPLE_RATE
    return np.interp(np.arange(n), knots, rng.random(len(knots)) ** 2).astype(np.float32)


def _claps(rng: Rng, n: int) -> Float32:
    """Levels of many hands: sparse to dense, each clap dying within 10 ms, swelling and fading."""
    hits = np.zeros(n, np.float32)
    count = int(rng.uniform(10, 200) * n / SAMPLE_RATE)
    hits[rng.integers(0, n, count)] = rng.random(count, dtype=np.float32)
    return (lowpass(hits, rng.uniform(15, 60)) + np.float32(1e-4)) * (0.2 + _flutter(rng, n, 0.3))


def _drone(rng: Rng, n: int) -> Float32:
    t = np.arange(n) / SAMPLE_RATE
    partials = rng.uniform(60, 3000) * np.arange(1, int(rng.integers(2, 8)))
    tone = sum(np.sin(2 * np.pi * f * t) / (i + 1) for i, f in enumerate(partials))
    return np.asarray(tone * (1 if rng.random() < 0.5 else 0.1 + _flutter(rng, n, 0.5)), np.float32)


def _knocks(rng: Rng, n: int) -> Float32:
    """Single bangs at irregular times."""
    hits = np.zeros(n, np.float32)
    times = np.cumsum(rng.exponential(rng.uniform(0.2, 2.0), 400)) * SAMPLE_RATE
    hits[times[times < n].astype(int)] = 1.0
    thud = rng.standard_normal(4800).astype(np.float32) * np.exp(-np.arange(4800) / rng.uniform(200, 1500))
    return np.convolve(hits, thud)[:n].astype(np.float32) if n < 4800 else _fast_convolve(hits, thud)


def _fast_convolve(x: Float32, y: Float32) -> Float32:
    size = 1 << (len(x) + len(y)).bit_length()
    return np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(y, size), size)[: len(x)].astype(np.float32)
