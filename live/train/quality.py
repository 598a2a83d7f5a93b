"""How a model dances beside the dances that it learnt from: free running on the bundled music, on the wire's bodies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from live import skeleton
from live.audio.demo import MUSIC
from live.backends.cpu import open_backend
from live.beats.pulse import PulseTracker
from live.card import ModelCard, read_card
from live.features.extractor import BEAT_SLICE, Extractor, beat_features, pool
from live.generator import Generator, style_weights
from live.motion.body import Motion
from live.train.dance import Dance
from live.types import FRAME_RATE, FeatureFrame, Float32

SECONDS = 60


def demo_frames(seconds: float = SECONDS) -> list[FeatureFrame]:
    """The stage's own frames of the bundled music."""
    audio, _ = soundfile.read(MUSIC, dtype="float32", frames=int(seconds * 48_000))
    return Extractor(PulseTracker()).push(audio)


def demo_features() -> Float32:
    """Pooled features [ticks, 35] of the bundled music from its fifth second on."""
    values = np.array([f.values for f in demo_frames(12.0)])[300:]
    return pool(values[: len(values) // 2 * 2].reshape(-1, 2, values.shape[1]))


def dance(generator: Generator, frames: list[FeatureFrame], card: ModelCard) -> Float32:
    """World joints [T, 22, 3] of one dancer, free running from the neutral stance."""
    motion = Motion()
    state, body, joints = generator.initial_state(), motion.initial_state(1), []
    for tick in range(len(frames) // 2 - 1):
        heard = frames[2 * tick : 2 * tick + 2]
        values = pool(np.array([f.values for f in heard]))
        values[BEAT_SLICE] = beat_features(heard[-1].beat.folded(*card.tempo_range))
        raw, state = generator.step(values, tick, state)
        for pose in range(raw.shape[1]):
            body = motion.step(raw[:, pose], body)
            joints.append(body.joint_positions[0])
    return np.stack(joints)


def mean_speed(joints: Float32) -> float:
    """Mean joint speed, m/s, of world joints at 60/s."""
    return float(np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean() * FRAME_RATE)


def spread(joints: Float32) -> float:
    """Mean standard deviation (m) of the joints relative to the hips."""
    return float((joints - joints[:, :1]).std(0).mean())


def measure(folder: Path, dances: list[Dance]) -> dict[str, float]:
    """Speed and spread of the model on the bundled music, and of the recorded dances."""
    card = read_card(folder)
    frames = demo_frames()
    made = []
    for i, style in enumerate(card.styles):
        generator = Generator(card, open_backend(folder, card, 1), 1, style_weights(card, style), 1 + i, None)
        made.append(dance(generator, frames, card)[3 * FRAME_RATE :])
    real = [skeleton.forward_kinematics(*d.motion)[0][2:] for d in dances]
    return {
        "speed": round(float(np.mean([mean_speed(j) for j in made])), 3),
        "speed_of_data": round(float(np.mean([mean_speed(j) for j in real])), 3),
        "spread": round(float(np.mean([spread(j) for j in made])), 4),
        "spread_of_data": round(float(np.mean([spread(j) for j in real])), 4),
    }
