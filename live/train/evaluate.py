"""A model measured: free running to songs it is given, beside the real dances, random pairing and silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from live import skeleton
from live.backends.cpu import open_backend
from live.bench import chance, features, motion
from live.bench.clips import SOUNDS, read_beats
from live.card import ModelCard, read_card
from live.contracts import load_plugin
from live.errors import Unusable
from live.features.extractor import Extractor
from live.generator import Generator, style_weights
from live.train.dance import Dance, read_audio, usable_frames
from live.train.free_run import FIRST_POSE, Danced, free_run, lag_to_accent, told_beats
from live.train.grid import heard_grid
from live.types import FRAME_RATE, SAMPLE_RATE, FeatureFrame, Float32, Float64

STRETCH = 5.0
"""Seconds of real motion without a fault that are worth measuring."""
SILENCE = 20.0
"""Seconds of silence that a model is given."""
ACCENTS = (8.0, 8.7, 9.4, 10.1)
"""Seconds at which the response lag is measured."""


@dataclass(frozen=True)
class Plan:
    """How to measure. `tracker`: `true` tells the written beats. `sigma_ms` is the width of the alignment's bell."""

    seconds: float = 60.0
    tracker: str = "aubio"
    style: str = ""
    seed: int = 1
    temperature: float | None = None
    sigma_ms: float = motion.SIGMA_MS


class Music(NamedTuple):
    """A song: samples, beats (s), and whether these were written down or heard."""

    name: str
    audio: Float32
    beats: Float64
    written: bool


class Part(NamedTuple):
    """Normalised motion [T, 22, 3] from `begun` seconds of its music on, and that music's beats (s)."""

    name: str
    y: Float64
    beats: Float64
    begun: float


def read_music(folder: Path, seconds: float) -> list[Music]:
    """Every song of a folder with the beats beside it, else a grid by ear; raises `Unusable` when there is none."""
    paths = [path for path in sorted(folder.glob("*")) if path.suffix.lower() in SOUNDS]
    if not paths:
        raise Unusable(f"--data {folder}: holds no songs (wav, flac, ogg, mp3)")
    return [_music(path, seconds) for path in paths]


def _music(path: Path, seconds: float) -> Music:
    audio = read_audio(path)[: int(seconds * SAMPLE_RATE)]
    written = path.with_suffix(".beats")
    if written.is_file():
        beats = read_beats(written)
        return Music(path.stem, audio, beats[beats < len(audio) / SAMPLE_RATE], True)
    onsets = np.array([f.values[1] for f in _extract(audio, "aubio")], np.float32)
    grid = heard_grid(onsets)
    length = len(audio) / SAMPLE_RATE
    counts = np.arange(np.ceil(grid.count_at_start), grid.count_at_start + length * grid.bpm / 60.0)
    return Music(path.stem, audio, (counts - grid.count_at_start) * 60.0 / max(grid.bpm, 1.0), False)


def _extract(audio: Float32, tracker: str) -> list[FeatureFrame]:
    return Extractor(load_plugin("live.beats", tracker, "beat tracker").open_tracker()).push(audio)


class Dancer:
    """A model folder ready to dance to any audio."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.card: ModelCard = read_card(folder)
        if self.card.pose_space != "rotations22":
            raise Unusable(f"model '{self.card.name}' gives {self.card.pose_space}: only rotations22 can be measured")
        self._backend, self._plan = open_backend(folder, self.card, 1), plan

    def __call__(self, audio: Float32, beats: Float64 | None = None) -> Danced:
        plan = self._plan
        frames = _extract(audio, "aubio" if plan.tracker == "true" else plan.tracker)
        if plan.tracker == "true" and beats is not None:
            frames = told_beats(frames, beats)
        style = style_weights(self.card, plan.style or ",".join(self.card.styles))
        generator = Generator(self.card, self._backend, 1, style, plan.seed, plan.temperature)
        return free_run(generator, frames, self.card)


def evaluate(
    dancer: Callable[[Float32, Float64 | None], Danced],
    songs: list[Music],
    dances: list[Dance],
    plan: Plan,
    said: Callable[[str], None] = lambda what: None,
) -> dict[str, Any]:
    """Every figure: `rows` of model (wire and raw) and controls, `songs` one by one, `curves` to draw."""
    made = {song.name: _said(said, song.name, partial(dancer, song.audio, song.beats)) for song in songs}
    wire = [_part(song, made[song.name].wire) for song in songs]
    raw = [_part(song, made[song.name].raw) for song in songs]
    still = np.zeros(int(SILENCE * SAMPLE_RATE), np.float32)
    quiet = _said(said, "silence", lambda: dancer(still, None)).wire
    real = [part for dance in dances for part in _real(dance)]
    points = _points(real)
    groups = {
        "model, on the wire": wire,
        "model, raw": raw,
        "random pairing": shuffled(wire),
        "silence": [_part(song, quiet)._replace(name=song.name) for song in songs],
        "real": real,
    }
    rows = {name: summary(parts, points, plan) for name, parts in groups.items() if parts}
    if len(real) > 1:  # what two sets of real dances lie apart
        rows["real"] |= distances(_points(real[::2]), _points(real[1::2]))
    rows["model, on the wire"]["response_lag_ms"] = _said(said, "accents", lambda: _lag(dancer, songs[0]))
    return {
        "rows": rows,
        "songs": [{"name": p.name} | figures(p, plan) for p in wire],
        "curves": [curve(p) for p in wire],
        "sigma_ms": plan.sigma_ms, "seconds": plan.seconds, "tracker": plan.tracker, "seed": plan.seed,
        "written_beats": {song.name: song.written for song in songs},
    }  # fmt: skip


def _said(said: Callable[[str], None], what: str, work: Callable[[], Any]) -> Any:
    result = work()
    said(what)
    return result


def _part(song: Music, joints: Float32) -> Part:
    return Part(song.name, motion.normalise(joints, FRAME_RATE), song.beats, FIRST_POSE)


def _real(dance: Dance) -> Iterator[Part]:
    """The dance on our bones with its own grid, in stretches of `STRETCH` and more without a fault."""
    joints, _ = skeleton.forward_kinematics(*dance.motion)
    sound = usable_frames(dance.motion) & (True if dance.sound is None else dance.sound)
    edges = np.flatnonzero(np.diff(np.r_[False, sound, False]))
    beats = np.zeros(0)
    if dance.bpm > 0:
        counts = np.arange(
            np.ceil(dance.count_at_start), dance.count_at_start + len(joints) / FRAME_RATE * dance.bpm / 60
        )
        beats = (counts - dance.count_at_start) * 60 / dance.bpm
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin >= STRETCH * FRAME_RATE:
            yield Part(dance.name, motion.normalise(joints[begin:end], FRAME_RATE), beats, begin / FRAME_RATE)


def shuffled(parts: list[Part]) -> list[Part]:
    """Every dance with the next one's music."""
    return [part._replace(beats=other.beats) for part, other in zip(parts, parts[1:] + parts[:1], strict=True)]


def figures(part: Part, plan: Plan) -> dict[str, float]:
    """One dance's measures."""
    y, moved = part.y, motion.motion_beats(part.y) + part.begun
    inside = part.beats[(part.beats >= part.begun) & (part.beats < part.begun + len(y) / motion.RATE)]
    lock = motion.beat_lock(moved, part.beats) if len(inside) > 2 else motion.Lock(0.0, 0.0)
    return {
        "speed": float(motion.speed(y).mean()), "spread": motion.spread(y), "freeze": motion.freeze(y),
        "jerk": motion.jerk(y), "skate": motion.foot_skate(y), "skate_ratio": motion.skate_ratio(y),
        "pfc": motion.contact_score(y), "motion_beats": float(len(moved)), "music_beats": float(len(inside)),
        "music_to_motion": motion.align(inside, moved, plan.sigma_ms),
        "motion_to_music": motion.align(moved, inside, plan.sigma_ms),
        "beat_lock": lock.strength, "lock_offset_ms": 1000 * lock.offset,
    }  # fmt: skip


Points = tuple[Float64, Float64]


def _points(parts: list[Part]) -> Points | None:
    """Kinetic and geometric features of all clips; None without a dance."""
    cut = [clip for part in parts for clip in features.clips(part.y)]
    if not cut:
        return None
    return np.array([features.kinetic(c) for c in cut]), np.array([features.geometric(c) for c in cut])


def summary(parts: list[Part], real: Points | None, plan: Plan) -> dict[str, Any]:
    """Means over the dances, p-values over their windows, distances from the real ones."""
    each = [figures(part, plan) for part in parts]
    beaten = [f for f in each if f["music_beats"] > 0] or each
    out: dict[str, Any] = {
        name: float(np.mean([f[name] for f in (beaten if name in MUSICAL else each)])) for name in each[0]
    }
    windows = [(motion.motion_beats(p.y), p.beats - p.begun, len(p.y) / motion.RATE) for p in parts if len(p.beats) > 2]
    p = chance.p_values(windows, plan.sigma_ms)
    out |= {"p_music_to_motion": p.music_to_motion, "p_motion_to_music": p.motion_to_music}
    return out | distances(_points(parts), real) | {"dances": len(parts)}


def distances(made: Points | None, real: Points | None) -> dict[str, float]:
    """FID and diversity in both spaces; none without real dances."""
    if made is None or real is None:
        return {}
    pairs = [("k", made[0], real[0]), ("g", made[1], real[1])]
    apart = {f"fid_{name}": features.distance(a, b) for name, a, b in pairs}
    return apart | {f"diversity_{name}": features.diversity(a, b) for name, a, b in pairs}


MUSICAL = ("music_to_motion", "motion_to_music", "beat_lock", "lock_offset_ms", "music_beats")
"""Meant over dances with beats only."""


def _lag(dancer: Callable[[Float32, Float64 | None], Danced], song: Music) -> float:
    """Median response lag, ms; infinite where the accents move nothing."""
    audio = song.audio[: int(13 * SAMPLE_RATE)]
    at = tuple(int(second * SAMPLE_RATE) for second in ACCENTS if (second + 2) * SAMPLE_RATE < len(audio))
    lags = lag_to_accent(lambda sound: dancer(sound, song.beats).raw, 0.3 * audio, at)
    return 1000.0 * float(np.median(lags)) if lags else float("inf")


def curve(part: Part) -> dict[str, Any]:
    """Speed and beats of a dance's first 20 s, to draw."""
    moved = motion.motion_beats(part.y) + part.begun
    s = motion.speed(part.y)[: 20 * motion.RATE]
    return {
        "name": part.name, "begun": part.begun, "rate": motion.RATE, "speed": np.round(s, 3).tolist(),
        "moved": moved[moved < 20].round(3).tolist(), "beats": part.beats[part.beats < 20].round(3).tolist(),
    }  # fmt: skip
