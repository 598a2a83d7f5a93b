"""What a model is put through beside dancing to songs: accents, a song that breaks off, an hour without stopping."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from live.bench import motion
from live.train.dancer import Dances
from live.train.free_run import walked
from live.train.songs import Music
from live.types import FRAME_RATE, SAMPLE_RATE, Float32, Float64

ACCENTS = (8.0, 8.7, 9.4, 10.1)
"""Seconds at which the response lag is measured."""
DANCED, AFTER = 12.0, 10.0
"""Seconds of a song, and of the silence after it."""
CALM = 0.1
"""m/s of mean joint speed, over half a second, below which a dancer idles calmly."""
MINUTE = 60.0
WINDOW = 10.0
"""Seconds over which the hour's spread is read: minutes are compared by the mean of their windows."""


def lag_to_accents(dancers: Dances, song: Music) -> float:
    """Median response lag of all dancers on what is sent, ms; infinite where the accents move nothing."""
    audio = 0.3 * song.audio[: 13 * SAMPLE_RATE]
    at = tuple(int(second * SAMPLE_RATE) for second in ACCENTS if (second + 2) * SAMPLE_RATE < len(audio))
    lags = lag_to_accent(lambda sound: np.stack([danced.wire for danced in dancers(sound)]), audio, at)
    return 1000.0 * float(np.median(lags)) if lags else float("inf")


def lag_to_accent(run: Callable[[Float32], Float32], audio: Float32, accents: tuple[int, ...]) -> list[float]:
    """Seconds from each accent to each dancer's first pose that it moves by 5 mm (mean joint), the song else being the
    same.

    `run` turns audio into joints [dancers, T, 22, 3] and draws the same noise each time; accents are samples at which a
    burst of 50 ms begins. An accent that moves nothing within 2 s gives infinity.
    """
    plain = run(audio)
    return [
        _first_moved(before, after, at / SAMPLE_RATE)
        for at in accents
        for before, after in zip(plain, run(with_accent(audio, at)), strict=True)
    ]


def with_accent(audio: Float32, at: int, length: int = 2400) -> Float32:
    """A burst of noise of full scale for 50 ms, fading."""
    out = audio.copy()
    burst = np.random.default_rng(0).uniform(-1, 1, length) * np.linspace(1, 0, length) ** 2
    out[at : at + length] = np.clip(out[at : at + length] + burst, -1, 1)
    return out


def _first_moved(plain: Float32, other: Float32, second: float) -> float:
    apart = np.linalg.norm(plain - other, axis=-1).mean(1)
    moved = np.flatnonzero(apart > 0.005)
    lag = moved[0] / FRAME_RATE - second if len(moved) else np.inf
    return float(lag) if lag <= 2.0 else float("inf")


def silenced(dancers: Dances, song: Music) -> dict[str, float]:
    """A song that breaks off: seconds after it until the last dancer idles calmly for good (infinite: never), and the
    mean joint speed (m/s) from 2 s after it on."""
    audio = song.audio[: int(DANCED * SAMPLE_RATE)]
    dances = dancers(np.concatenate([audio, np.zeros(int(AFTER * SAMPLE_RATE), np.float32)]))
    found = [calmed(motion.normalise(danced.wire, FRAME_RATE), len(audio) / SAMPLE_RATE) for danced in dances]
    return {
        "calm_after_s": max(one["calm_after_s"] for one in found),
        "idle_speed": float(np.mean([one["idle_speed"] for one in found])),
    }


def calmed(y: Float64, ended: float) -> dict[str, float]:
    """`silenced` of one dancer's normalised motion, the music having ended at `ended` seconds."""
    half = motion.RATE // 2
    speed = np.convolve(motion.speed(y), np.ones(half) / half, "same")
    lively = np.flatnonzero(speed[: len(speed) - half] >= CALM)
    since = (lively[-1] + 1) / motion.RATE - ended if len(lively) else 0.0
    never = len(lively) and lively[-1] == len(speed) - half - 1
    return {
        "calm_after_s": float("inf") if never else max(0.0, float(since)),
        "idle_speed": float(speed[int((ended + 2.0) * motion.RATE) :].mean()),
    }


def without_stopping(
    dancers: Dances, songs: Sequence[Music], seconds: float, said: Callable[[str], None]
) -> dict[str, Any]:
    """The songs round and round, the first minute's song again in the last: how much the dance has changed by then.

    first, last: speed (m/s), spread (m) and height of the hips (m) in those minutes, means over the dancers; change:
    that of each as a share, raw and as sent; sunk: metres that the deepest joint was below the floor; finite;
    times_real_time.
    """
    begun, minutes = time.monotonic(), 0

    def each_minute() -> None:
        nonlocal minutes
        minutes += 1
        said(f"minute {minutes} of {seconds / MINUTE:g}, {(minutes * MINUTE) / (time.monotonic() - begun):.1f}x")

    raw, wire = dancers.perform(_programme(songs, seconds), each_minute)
    taken, size = time.monotonic() - begun, int(MINUTE * FRAME_RATE)
    danced = wire.shape[1] / FRAME_RATE
    found: dict[str, Any] = {
        "finite": bool(np.isfinite(raw).all() and np.isfinite(wire).all()), "seconds": danced,
        "sunk_m": max(0.0, -float(wire[..., 1].min())), "times_real_time": danced / taken,
    }  # fmt: skip
    for name, first, last in (
        ("raw", [walked(one[:size]) for one in raw], [walked(one[-size:]) for one in raw]),
        ("wire", wire[:, :size], wire[:, -size:]),
    ):
        before, after = _minute(first), _minute(last)
        found[name] = {"first": before, "last": after, "change": {k: after[k] / before[k] - 1.0 for k in before}}
    return found


def _programme(songs: Sequence[Music], seconds: float) -> list[Float32]:
    """Audio of so many seconds that begins and ends with the same minute."""
    first = np.resize(songs[0].audio, int(MINUTE * SAMPLE_RATE))
    out, left = [first], int((seconds - 2 * MINUTE) * SAMPLE_RATE)
    while left > 0:
        for song in (*songs[1:], songs[0]):
            out.append(song.audio[: max(left, 0)])
            left -= len(out[-1])
    return [part for part in [*out, first] if len(part)]


def _minute(dancers: Iterable[Float32]) -> dict[str, float]:
    size = int(WINDOW * motion.RATE)
    dances = [motion.normalise(joints, FRAME_RATE) for joints in dancers]
    windows = [y[at : at + size] for y in dances for at in range(0, len(y) - size + 1, size)]
    return {
        "speed": float(np.mean([motion.speed(y).mean() for y in dances])),
        "spread": float(np.mean([motion.spread(window) for window in windows])),
        "height": float(np.mean([y[:, 0, 1].mean() for y in dances])),
    }
