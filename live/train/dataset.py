"""Prepared training data: dances stretched onto many tempi, each with music rendered on its own beat grid.

A prepared file (npz, no pickle) holds one long track per array, cut into segments:
channels float16 [N, 138] at 60/s, prosody float16 [N, 30] (the first 30 features of the stage's own extractor),
count float32 [N] (beats, a multiple of 4 is a downbeat), bpm float32 [N], usable bool [N], and per segment
start int64 [S + 1], style int64 [S], take int64 [S]; `styles`, `takes` name them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from live import channels, rotation, skeleton
from live.beats.aubio import AubioTracker
from live.errors import BadFile
from live.features.extractor import BEAT_SLICE, Extractor, pool, silence
from live.train.bvh import read_bvh
from live.train.composer import compose
from live.train.retarget import Motion, mirrored, retarget, stretched
from live.types import FRAME_RATE, HOP, Float32

PROSODY = BEAT_SLICE.start
FASTEST_JOINT, FASTEST_TURN = 13.0, 25.0
"""m/s relative to the hips and rad/s: anything faster is a marker swap, not a dancer."""


class Segment(NamedTuple):
    """One dance at one tempo with one music."""

    channels: Float32
    prosody: Float32
    beats: Float32
    bpm: float
    usable: np.ndarray
    style: int
    take: int


@dataclass(frozen=True)
class Dance:
    """A take on the 22 bones with its beat grid: beat(t) = count_at_start + t * bpm / 60."""

    name: str
    style: str
    motion: Motion
    bpm: float
    count_at_start: float


def read_salsa(folder: Path) -> list[Dance]:
    """The `salsa` layout: `60_NN.bvh` and `61_NN.bvh` are partners, `grid.json` gives each NN its tempo and count."""
    try:
        grid = json.loads((folder / "grid.json").read_text())
    except (OSError, ValueError) as error:
        raise BadFile(f"{folder}/grid.json: cannot be read ({error}); point --data at the salsa folder") from None
    dances = []
    for path in sorted(folder.glob("*.bvh")):
        dancer, _, take = path.stem.partition("_")
        if take in grid:
            style = {"60": "lead", "61": "follow"}.get(dancer, dancer)
            motion = retarget(read_bvh(path))
            beats = grid[take]
            dances.append(Dance(path.stem, style, motion, float(beats["bpm"]), float(beats["eight_count_at_start"])))
    if not dances:
        raise BadFile(f"{folder}: holds no NN_NN.bvh that grid.json knows")
    return dances


def usable_frames(motion: Motion) -> np.ndarray:
    """[T] bool: False within 4 frames of a glitch (a joint or turn faster than any dancer)."""
    joints, _ = skeleton.forward_kinematics(*motion)
    relative = joints - joints[:, :1]
    speed = np.linalg.norm(np.diff(relative, axis=0, prepend=relative[:1]), axis=-1).max(1) * FRAME_RATE
    turn = np.abs(np.diff(np.unwrap(rotation.heading(motion.local_rotations[:, 0])), prepend=0.0)) * FRAME_RATE
    turn[0] = 0.0
    bad = (speed > FASTEST_JOINT) | (turn > FASTEST_TURN)
    return np.convolve(bad, np.ones(9), "same") < 0.5


def prepare(
    dances: list[Dance],
    stretches: Sequence[float],
    seed: int,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, np.ndarray]:
    """The prepared arrays (see the module's docstring); partners at one stretch share one music."""
    songs: dict[tuple[str, float], np.ndarray] = {}
    styles = sorted({d.style for d in dances})
    segments: list[Segment] = []
    for i, dance in enumerate(dances):
        for k, stretch in enumerate(stretches):
            key = (dance.name.partition("_")[2], stretch)
            bpm = dance.bpm / stretch
            if key not in songs:
                song_seed = seed + 1000 * int(key[0]) + k
                seconds = len(dance.motion.root_position) * stretch / FRAME_RATE + 1.0
                songs[key] = prosody_of(compose(song_seed, seconds, bpm, dance.count_at_start).audio)
            segments += _segments(dance, stretch, songs[key], styles.index(dance.style), i)
            progress(i * len(stretches) + k + 1, len(dances) * len(stretches))
    return _joined(segments, styles, [d.name for d in dances])


def _segments(dance: Dance, stretch: float, prosody: Float32, style: int, take: int) -> Iterator[Segment]:
    """The dance and its mirror image. Pose k is seen when frame k has been heard, (k + 1) / 60 s into the music."""
    motion = stretched(dance.motion, stretch)
    usable = usable_frames(motion)[1:]
    length = min(len(usable), len(prosody))
    bpm = dance.bpm / stretch
    count = dance.count_at_start + np.arange(1, length + 1) / FRAME_RATE * bpm / 60.0
    for version in (motion, mirrored(motion)):
        encoded = channels.encode(*version)[1 : length + 1]
        yield Segment(encoded, prosody[:length], count.astype(np.float32), bpm, usable[:length], style, take)


def prosody_of(audio: Float32) -> Float32:
    """The first 30 features [frames, 30] of the stage's own extractor."""
    frames = Extractor(AubioTracker()).push(audio[: len(audio) // HOP * HOP])
    return np.array([f.values[:PROSODY] for f in frames], np.float32)


def _joined(segments: list[Segment], styles: list[str], takes: list[str]) -> dict[str, np.ndarray]:
    lengths = [len(s.beats) for s in segments]
    return {
        "channels": np.concatenate([s.channels for s in segments]).astype(np.float16),
        "prosody": np.concatenate([s.prosody for s in segments]).astype(np.float16),
        "count": np.concatenate([s.beats for s in segments]),
        "bpm": np.concatenate([np.full(n, s.bpm, np.float32) for n, s in zip(lengths, segments, strict=True)]),
        "usable": np.concatenate([s.usable for s in segments]),
        "start": np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        "style": np.array([s.style for s in segments], np.int64),
        "take": np.array([s.take for s in segments], np.int64),
        "styles": np.array(styles),
        "takes": np.array(takes),
    }


class Batch(NamedTuple):
    """Physical units: features [B, T, 35], poses [B, T, 2, 138], the two before them [B, 2, 138], style [B, S]."""

    features: Float32
    poses: Float32
    before: Float32
    style: Float32


class Windows:
    """Random training windows of `ticks` ticks at 30 Hz, with the augmentations of the stage's uncertainties.

    Per window: the tracker's confidence is drawn from 0.3..1, its downbeat is unknown in 1 of 8, its phase is off by
    a constant of 15 ms; the sound is shifted against beat and motion by a lead of -100..+300 ms, so that the dance
    follows the phase it is given and anticipation can act there. In 3 of 10 windows the sound is another song's, in 3
    of 10 it is silence: a song must not give away which dance was danced to it, or the model would learn it by heart.
    """

    def __init__(self, data: dict[str, np.ndarray], ticks: int, takes: np.ndarray | None = None) -> None:
        self._data, self.ticks = data, ticks
        self._frames = 2 * ticks
        clear = np.convolve(~data["usable"], np.ones(self._frames + 4), "full")[self._frames + 3 :] < 0.5
        starts = []
        for s, (a, b) in enumerate(zip(data["start"], data["start"][1:], strict=False)):
            if takes is None or data["take"][s] in takes:
                inside = np.arange(a + 24, b - self._frames - 8)
                starts.append(np.stack([inside[clear[inside - 3]], np.full(clear[inside - 3].sum(), s)], 1))
        self._starts = np.concatenate(starts)
        if not len(self._starts):
            raise BadFile(f"the prepared data holds no clean window of {ticks / 30:.1f} s; use fewer --ticks")

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def styles(self) -> list[str]:
        return [str(name) for name in self._data["styles"]]

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        chosen = self._starts[rng.integers(len(self._starts), size=size)]
        at = chosen[:, :1] + np.arange(self._frames)  # [B, 2T]
        data, pairs = self._data, (size, self.ticks, 2)
        sounding = at[:, :, None].reshape(pairs) - 1  # a tick hears frames 2t - 1 and 2t
        features = np.zeros((*pairs, PROSODY + 5), np.float32)
        features[..., :PROSODY] = self._sound(rng, sounding, data["start"][chosen[:, 1]])
        features = pool(features)
        features[..., BEAT_SLICE] = self._beats(rng, at[:, ::2])
        poses = data["channels"][at].astype(np.float32).reshape(*pairs, -1)
        before = data["channels"][at[:, :1] - [[2, 1]]].astype(np.float32)
        style = np.eye(len(data["styles"]), dtype=np.float32)[data["style"][chosen[:, 1]]]
        return Batch(features, poses, before, style)

    def _sound(self, rng: np.random.Generator, sounding: np.ndarray, begun: np.ndarray) -> Float32:
        """Prosody [B, T, 2, 30] heard at frames `sounding` [B, T, 2] of segments that begin at `begun` [B]."""
        which = rng.random(len(sounding))[:, None, None]
        lead = rng.integers(-6, 19, size=which.shape)
        heard = np.maximum(sounding - lead, begun[:, None, None])
        elsewhere = self._starts[rng.integers(len(self._starts), size=len(sounding)), 0][:, None, None]
        heard = np.where(which < 0.3, elsewhere + sounding - sounding[:, :1, :1], heard)
        prosody = self._data["prosody"][heard].astype(np.float32)
        return np.where(which[..., None] > 0.7, silence()[:PROSODY], prosody)

    def _beats(self, rng: np.random.Generator, at: np.ndarray) -> Float32:
        """The five beat features [B, T, 5] at frames `at` [B, T]."""
        column = (len(at), 1)
        bpm = self._data["bpm"][at]
        count = self._data["count"][at] + rng.normal(0, 0.015, column) * bpm / 60.0
        confidence = rng.uniform(0.3, 1.0, column)
        downbeat = rng.uniform(0.1, 1.0, column) * (rng.random(column) < 0.875)
        beat, bar = 2 * np.pi * count, 2 * np.pi * count / 4.0
        tempo = np.log2(bpm / 120.0) + rng.normal(0, 0.01, column)
        parts = [confidence * np.sin(beat), confidence * np.cos(beat), downbeat * np.sin(bar), downbeat * np.cos(bar)]
        return np.stack([*parts, tempo], -1).astype(np.float32)


def load_prepared(path: Path) -> dict[str, np.ndarray]:
    """Read a prepared file; raises `BadFile` naming it when it is missing or not one."""
    try:
        with np.load(path, allow_pickle=False) as file:
            data = dict(file)
    except (OSError, ValueError) as error:
        raise BadFile(f"{path}: is no prepared data ({error}); make it with `live prepare`") from None
    if missing := {"channels", "prosody", "count", "bpm", "usable", "start", "style"} - set(data):
        raise BadFile(f"{path}: lacks {', '.join(sorted(missing))}; make it again with `live prepare`")
    return data
