"""A model dancing by itself to a whole song, as on the stage but as fast as it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from live import channels, rotation, skeleton
from live.card import ModelCard
from live.features.extractor import BEAT_SLICE, beat_features, pool
from live.generator import Generator
from live.motion.body import Motion
from live.types import FRAME_RATE, BeatState, FeatureFrame, Float32, Float64

FIRST_POSE = 2 / FRAME_RATE
"""Seconds into the song at which the first pose is seen: when the first tick's frames have been heard."""


class Danced(NamedTuple):
    """World joints [T, 22, 3] at 60/s: as the network gives them (`raw`), and as they are sent (`wire`)."""

    raw: Float32
    wire: Float32


def free_run(generator: Generator, frames: list[FeatureFrame], card: ModelCard, lead: float | None = None) -> Danced:
    """One dancer from the neutral stance; `lead` seconds of anticipation, automatic (the card's) if None."""
    lead = -card.accent_offset if lead is None else lead
    motion, state = Motion(), generator.initial_state()
    body, raws, wire = motion.initial_state(1), [], []
    for tick in range(len(frames) // 2):
        heard = frames[2 * tick : 2 * tick + 2]
        values = pool(np.array([f.values for f in heard]))
        values[BEAT_SLICE] = beat_features(heard[-1].beat.advanced(lead).folded(*card.tempo_range))
        raw, state = generator.step(values, tick, state)
        for pose in range(raw.shape[1]):
            body = motion.step(raw[:, pose], body)
            raws.append(raw[0, pose])
            wire.append(body.joint_positions[0])
    return Danced(walked(np.stack(raws)), np.stack(wire))


def walked(raw: Float32) -> Float32:
    """World joints [T, 22, 3] of raw channels [T, 138], the root simply following its velocities."""
    decoded = channels.decode(raw)
    angle = np.cumsum(decoded.yaw_rate) / FRAME_RATE
    facing = rotation.yaw(angle.astype(np.float32))
    flat = np.stack([decoded.velocity[:, 0], np.zeros(len(raw)), decoded.velocity[:, 1]], 1).astype(np.float32)
    root = np.cumsum(rotation.rotate(facing, flat), 0) / FRAME_RATE
    root[:, 1] = decoded.height
    turned = decoded.rotations.copy()
    turned[:, 0] = rotation.multiply(facing, turned[:, 0])
    return np.asarray(skeleton.forward_kinematics(root, turned)[0], np.float32)


def told_beats(frames: list[FeatureFrame], beats: Float64) -> list[FeatureFrame]:
    """The same frames, but the tracker knows the true `beats` (s)."""
    return [frame._replace(beat=true_beat(beats, (k + 1) / FRAME_RATE)) for k, frame in enumerate(frames)]


def true_beat(beats: Float64, now: float) -> BeatState:
    """The beat at `now` seconds, surely known; none before the first and after the last."""
    i = int(np.searchsorted(beats, now, "right")) - 1
    if not 0 <= i < len(beats) - 1:
        return BeatState()
    period = float(beats[i + 1] - beats[i])
    phase = (now - float(beats[i])) / period
    return BeatState(phase, 60.0 / period, 1.0, 0.0, 0.0, (1.0 - phase) * period, i)


def lag_to_accent(run: Callable[[Float32], Float32], audio: Float32, accents: tuple[int, ...]) -> list[float]:
    """Seconds from each accent to the first pose that it moves by 5 mm (mean joint), the song else being the same.

    `run` turns audio into joints [T, 22, 3] and draws the same noise each time; accents are samples at which a burst
    of 50 ms begins. An accent that moves nothing within 2 s gives infinity.
    """
    plain = run(audio)
    return [_first_moved(plain, run(with_accent(audio, at)), at / 48_000) for at in accents]


def with_accent(audio: Float32, at: int, length: int = 2400) -> Float32:
    """A burst of noise of full scale for 50 ms, fading."""
    out = audio.copy()
    burst = np.random.default_rng(0).uniform(-1, 1, length) * np.linspace(1, 0, length) ** 2
    out[at : at + length] = np.clip(out[at : at + length] + burst, -1, 1)
    return out


def _first_moved(plain: Float32, other: Float32, second: float) -> float:
    apart = np.linalg.norm(plain - other, axis=-1).mean(1)
    moved = np.flatnonzero(apart > 0.005)
    lag = moved[0] / FRAME_RATE + FIRST_POSE - second if len(moved) else np.inf
    return float(lag) if lag <= 2.0 else float("inf")
