"""How a model dances beside the dances that it learnt from: free running on the bundled music, on the wire's bodies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from live import skeleton
from live.audio.demo import MUSIC
from live.backends.cpu import open_backend
from live.beats.pulse import PulseTracker
from live.bench import motion
from live.card import read_card
from live.features.extractor import Extractor, pool
from live.generator import Generator, style_weights
from live.train.dance import Dance
from live.train.free_run import perform
from live.types import FRAME_RATE, SAMPLE_RATE, Float32

SECONDS = 60


def demo(seconds: float) -> Float32:
    """The beginning of the bundled music, mono at 48 kHz."""
    audio: Float32 = soundfile.read(MUSIC, dtype="float32", frames=int(seconds * SAMPLE_RATE))[0]
    return audio


def demo_features() -> Float32:
    """Pooled features [ticks, 35] of the bundled music from its fifth second on."""
    values = np.array([f.values for f in Extractor(PulseTracker()).push(demo(12.0))])[300:]
    return pool(values[: len(values) // 2 * 2].reshape(-1, 2, values.shape[1]))


def mean_speed(joints: Float32) -> float:
    """Mean joint speed, m/s, of world joints at 60/s."""
    return float(np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean() * FRAME_RATE)


def spread(joints: Float32) -> float:
    """`live.bench.motion.spread`, m, of world joints at 60/s."""
    return motion.spread(motion.normalise(joints, FRAME_RATE))


def measure(folder: Path, dances: list[Dance]) -> dict[str, float]:
    """Speed and spread of the model on the bundled music, and of the recorded dances."""
    card = read_card(folder)
    audio, made = demo(SECONDS), []
    for i, style in enumerate(card.styles):
        generator = Generator(card, open_backend(folder, card, 1), 1, style_weights(card, style), 1 + i, None)
        made.append(perform(generator, PulseTracker(), [audio])[1][0, 3 * FRAME_RATE :])
    real = [skeleton.forward_kinematics(*d.motion)[0][2:] for d in dances]
    return {
        "speed": round(float(np.mean([mean_speed(j) for j in made])), 3),
        "speed_of_data": round(float(np.mean([mean_speed(j) for j in real])), 3),
        "spread": round(float(np.mean([spread(j) for j in made])), 4),
        "spread_of_data": round(float(np.mean([spread(j) for j in real])), 4),
    }
