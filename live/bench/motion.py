"""How bodies move: speed, spread, freezing, jerk, skating feet, motion beats and how they meet the music's.

Joints are world positions [T, J, 3] in metres, Y up; `normalise` brings them to `RATE`, and every measure but it takes
what it gave. Times are seconds from the first frame. Real and made motion must lie on the same bones to be compared.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, find_peaks, sosfiltfilt

from live import skeleton
from live.types import Float64

RATE = 25
"""Frames a second that everything is measured at, after a low-pass at 10 Hz."""
LOW_PASS = 10.0
SMOOTH = 0.080
"""Seconds (sigma) over which joint speed is smoothed before its minima are motion beats."""
SIGMA_MS = 70.0
STILL = 0.1
"""m/s of mean joint speed, averaged over a second, below which a dancer stands frozen."""
NEAR, SLIDING = 0.05, 0.5
"""A foot within 5 cm of its floor that moves faster than 0.5 m/s skates (Karunratanakul et al., 2023, "GMD": 2.5 cm a
frame at 20 frames/s)."""
LEGS = (skeleton.INDEX["rightUpperLeg"], skeleton.INDEX["leftUpperLeg"])
FEET = tuple(skeleton.INDEX[f"{side}{part}"] for side in ("left", "right") for part in ("Foot", "Toes"))


class Lock(NamedTuple):
    """`strength` in [0, 1]: length of the mean phase of the motion beats; `offset` seconds, positive late."""

    strength: float
    offset: float


def normalise(joints: np.ndarray, rate: float) -> Float64:
    """Low-passed at 10 Hz without delay and read 25 times a second: [T', J, 3]."""
    x = sosfiltfilt(butter(4, LOW_PASS, fs=rate, output="sos"), np.asarray(joints, float), axis=0)
    t, u = np.arange(len(x)) / rate, np.arange(0, (len(x) - 1) / rate, 1 / RATE)
    flat = x.reshape(len(x), -1)
    return np.stack([np.interp(u, t, column) for column in flat.T], 1).reshape(len(u), *x.shape[1:])


def speed(y: Float64) -> Float64:
    """Mean joint speed [T - 1], m/s."""
    return np.asarray(np.linalg.norm(np.diff(y, axis=0), axis=2).mean(1) * RATE)


def spread(y: Float64) -> float:
    """Mean standard deviation (m) of the joints about their centre, in the frame that turns with the hips."""
    return float(facing(y).std(0).mean())


def facing(y: Float64) -> Float64:
    """The joints about their centre, in the frame that turns with the hips: [T, J, 3]."""
    about = y - y.mean(1, keepdims=True)
    across = about[:, LEGS[1]] - about[:, LEGS[0]]
    angle = np.arctan2(across[:, 2], across[:, 0])
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, z = about[..., 0] * c + about[..., 2] * s, about[..., 2] * c - about[..., 0] * s
    return np.stack([x, about[..., 1], z], -1)


def freeze(y: Float64) -> float:
    """Share of 1 s windows in which the body stands still."""
    s = speed(y)
    windows = np.convolve(s, np.ones(RATE) / RATE, "valid") if len(s) > RATE else s
    return float((windows < STILL).mean())


def jerk(y: Float64) -> float:
    """Mean size of the third derivative of the joints, m/s^3."""
    return float(np.linalg.norm(np.diff(y, n=3, axis=0), axis=2).mean() * RATE**3)


def foot_skate(y: Float64, foot: int = FEET[0]) -> float:
    """Mean horizontal speed (m/s) of a foot within 5 cm of its own floor (1st percentile of its height)."""
    low, slide = _sliding(y[:, foot])
    return float(slide[low].mean()) if low.any() else 0.0


def skate_ratio(y: Float64) -> float:
    """Share of the frames with a foot down in which that foot skates, over ankles and toes of both feet."""
    pairs = [_sliding(y[:, foot]) for foot in FEET]
    down = sum(int(low.sum()) for low, _ in pairs)
    return float(sum(int((slide[low] > SLIDING).sum()) for low, slide in pairs) / max(down, 1))


def _sliding(foot: Float64) -> tuple[np.ndarray, Float64]:
    low = foot[1:, 1] < np.percentile(foot[:, 1], 1) + NEAR
    return low, np.linalg.norm(np.diff(foot[:, [0, 2]], axis=0), axis=1) * RATE


def contact_score(y: Float64) -> float:
    """PFC, Physical Foot Contact score (Tseng et al., 2023, "EDGE", section 4.3), of the hips and both feet; small is
    plausible. As their code has it: velocities per 1/30 s, the slower of ankle and toes, times 10,000."""
    hips, feet = y[:, 0], y[:, list(FEET)]
    pull = np.diff(hips, n=2, axis=0)
    pull[:, 1] = np.maximum(pull[:, 1], 0.0)
    force = np.linalg.norm(pull, axis=1)
    slide = np.linalg.norm(np.diff(feet, axis=0)[1:][..., [0, 2]], axis=-1) * RATE / 30.0
    left, right = slide[:, :2].min(1), slide[:, 2:].min(1)
    return float((left * right * force).mean() / max(float(force.max()), 1e-12) * 1e4)


def motion_beats(y: Float64) -> Float64:
    """Times (s) of the minima of the smoothed mean joint speed."""
    s = gaussian_filter1d(speed(y), SMOOTH * RATE)
    at, _ = find_peaks(-s, distance=max(1, int(0.2 * RATE)), prominence=0.05 * s.std())
    return np.asarray((at + 0.5) / RATE)


def align(these: Float64, those: Float64, sigma_ms: float = SIGMA_MS) -> float:
    """Mean over `these` of exp(-d^2 / 2 sigma^2), d to the nearest of `those`: the beat alignment score of Li et al.
    (2021, "AI Choreographer") from music to motion, that of Siyao et al. (2022, "Bailando") from motion to music."""
    if not len(these) or not len(those):
        return 0.0
    d = np.abs(np.asarray(these)[:, None] - np.asarray(those)[None]).min(1)
    return float(np.exp(-(d**2) / (2 * (sigma_ms / 1000) ** 2)).mean())


def beat_lock(moved: Float64, beats: Float64) -> Lock:
    """How firmly the motion beats sit on the music's, in half, whole or double time: the firmest grid counts.

    Random pairing gives 0.1 to 0.18 over 40 to 60 s.
    """
    b, best = np.asarray(beats, float), Lock(0.0, 0.0)
    double = np.sort(np.r_[b, (b[1:] + b[:-1]) / 2])
    for grid in (b, double, b[::2], b[1::2]):
        best = max(best, lock_on(moved, grid))
    return best


def lock_on(moved: Float64, grid: Float64) -> Lock:
    """The lock on one grid; none with fewer than eight motion beats inside it."""
    inside = moved[(moved > grid[0]) & (moved < grid[-1])] if len(grid) > 1 else moved[:0]
    if len(inside) < 8:
        return Lock(0.0, 0.0)
    i = np.searchsorted(grid, inside) - 1
    period = grid[i + 1] - grid[i]
    z = np.exp(2j * np.pi * (inside - grid[i]) / period).mean()
    return Lock(float(abs(z)), float(np.angle(z) / (2 * np.pi) * np.median(period)))
