"""All measures of a dance and of a group of dances: each beside the music's beats, the group beside real dances."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from live.bench import chance, features, motion, tempo
from live.types import FRAME_RATE, Float32, Float64

MUSICAL = ("music_to_motion", "motion_to_music", "beat_lock", "lock_offset_ms", "music_beats")
"""Meant over dances with beats only."""
OTHER_TEMPO = 0.06
"""Two songs are of other tempi when none is within this share of the other's, of its half or of its double."""
Points = tuple[Float64, Float64]
"""Kinetic and geometric features of clips."""


class Part(NamedTuple):
    """Normalised motion [T, 22, 3] from `begun` seconds of its music on, and that music's beats (s)."""

    name: str
    y: Float64
    beats: Float64
    begun: float = 0.0

    @property
    def moved(self) -> Float64:
        """Motion beats, seconds of the music."""
        return motion.motion_beats(self.y) + self.begun

    @property
    def inside(self) -> Float64:
        """The music's beats while it dances."""
        return self.beats[(self.beats >= self.begun) & (self.beats < self.begun + len(self.y) / motion.RATE)]


def part(name: str, joints: Float32, beats: Float64, begun: float = 0.0) -> Part:
    """Of joints [T, 22, 3] at 60/s."""
    return Part(name, motion.normalise(joints, FRAME_RATE), beats, begun)


def figures(p: Part, sigma_ms: float = motion.SIGMA_MS) -> dict[str, float]:
    """One dance's measures."""
    y, moved, inside = p.y, p.moved, p.inside
    lock = motion.beat_lock(moved, p.beats) if len(inside) > 2 else motion.Lock(0.0, 0.0)
    met, windows = tempo.follows(y, p.beats, p.begun)
    return {
        "speed": float(motion.speed(y).mean()), "spread": motion.spread(y), "freeze": motion.freeze(y),
        "jerk": motion.jerk(y), "skate": motion.foot_skate(y), "skate_ratio": motion.skate_ratio(y),
        "pfc": motion.contact_score(y), "motion_beats": float(len(moved)), "music_beats": float(len(inside)),
        "music_to_motion": motion.align(inside, moved, sigma_ms),
        "motion_to_music": motion.align(moved, inside, sigma_ms),
        "beat_lock": lock.strength, "lock_offset_ms": 1000 * lock.offset,
        "tempo_met": float(met), "tempo_windows": float(windows),
    }  # fmt: skip


def summary(parts: Sequence[Part], real: Points | None, sigma_ms: float = motion.SIGMA_MS) -> dict[str, Any]:
    """Means over the dances, p-values over their windows, distances from the real ones."""
    each = [figures(p, sigma_ms) for p in parts]
    beaten = [f for f in each if f["music_beats"] > 0] or each
    out: dict[str, Any] = {
        name: float(np.mean([f[name] for f in (beaten if name in MUSICAL else each)])) for name in each[0]
    }
    met, windows = (sum(f[name] for f in each) for name in ("tempo_met", "tempo_windows"))
    out |= {"tempo_met": met, "tempo_windows": windows, "follows_tempo": met / windows if windows else None}
    songs = [(p.moved - p.begun, p.beats - p.begun, len(p.y) / motion.RATE) for p in parts if len(p.beats) > 2]
    p_values = chance.p_values(songs, sigma_ms)
    out |= {"p_music_to_motion": p_values.music_to_motion, "p_motion_to_music": p_values.motion_to_music}
    return out | distances(points(parts), real) | {"dances": len(parts)}


def points(parts: Sequence[Part]) -> Points | None:
    """Features of all clips; None without a dance."""
    cut = [clip for p in parts for clip in features.clips(p.y)]
    if not cut:
        return None
    return np.array([features.kinetic(c) for c in cut]), np.array([features.geometric(c) for c in cut])


def distances(made: Points | None, real: Points | None) -> dict[str, float]:
    """FID and diversity in both spaces; none without real dances."""
    if made is None or real is None:
        return {}
    pairs = [("k", made[0], real[0]), ("g", made[1], real[1])]
    apart = {f"fid_{name}": features.distance(a, b) for name, a, b in pairs}
    return apart | {f"diversity_{name}": features.diversity(a, b) for name, a, b in pairs}


def shuffled(parts: Sequence[Part]) -> list[Part]:
    """Every dance with the next one's music."""
    return [p._replace(beats=other.beats) for p, other in zip(parts, [*parts[1:], *parts[:1]], strict=True)]


def mean_lock(parts: Sequence[Part]) -> dict[str, float]:
    """Mean strength and offset (ms) of the lock over dances with beats; empty without one."""
    locks = [motion.beat_lock(p.moved, p.beats) for p in parts if len(p.inside) > 2]
    if not locks:
        return {}
    strength, offset = np.mean(locks, 0)
    return {"strength": float(strength), "offset_ms": 1000 * float(offset), "songs": len(locks)}


def lock_on_others(parts: Sequence[Part]) -> float | None:
    """Mean lock of each dance on the beats of every song of another tempo; None without such a pair."""
    found = [
        motion.beat_lock(a.moved, b.beats).strength
        for a, b in product([p for p in parts if len(p.beats) > 2], repeat=2)
        if _other_tempo(a.beats, b.beats)
    ]
    return float(np.mean(found)) if found else None


def _other_tempo(a: Float64, b: Float64) -> bool:
    octaves = np.log2(np.median(np.diff(a)) / np.median(np.diff(b)))
    return bool(abs(octaves - round(float(octaves))) > np.log2(1.0 + OTHER_TEMPO))
