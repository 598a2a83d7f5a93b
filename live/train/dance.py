"""A recorded dance, and the prepared arrays that training draws from.

Prepared arrays hold one long track per name, cut into segments: channels float16 [N, C] at 60/s, prosody float16
[N, 30] (the first 30 features of the stage's own extractor), count float32 [N] (beats; a multiple of `beats_per_bar`
is a downbeat), bpm float32 [N] (0 where no beat is known), beats_per_bar int8 [N], usable bool [N], and per segment
start int64 [S + 1], style int64 [S], take int64 [S], mirrored bool [S]; `styles`, `takes` name them. `pose_space` says
what the channels are: `rotations22` (`live.channels`) or `keypoints18` (`live.keypoints`).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from live import channels, keypoints, rotation, skeleton
from live.audio._decode import Decoder
from live.beats.aubio import AubioTracker
from live.errors import BadFile
from live.features.extractor import BEAT_SLICE, Extractor, silence
from live.keypoints import Keypoints
from live.train import retarget
from live.train.composer import compose
from live.train.retarget import Motion
from live.types import FRAME_RATE, HOP, SAMPLE_RATE, Float32

PROSODY = BEAT_SLICE.start
LONGEST = 3600
"""Seconds of music that are read: a small file can unpack to days."""
FASTEST_JOINT, FASTEST_TURN = 13.0, 25.0
"""m/s relative to the hips and rad/s: anything faster is a marker swap, not a dancer."""
Arrays = dict[str, np.ndarray]
Listen = Callable[[Float32], Float32]
"""Audio [n] at 48 kHz to prosody [frames, 30]."""


@dataclass(frozen=True)
class Dance:
    """A take at 60 poses/s with its beat grid: beat(t) = count_at_start + t * bpm / 60; bpm 0 where there is none.

    `song` names the music, so that partners get the same; `audio` is the music danced to, from the first frame on;
    `sound` [T] is False where the recording is known to be bad; `notes` are for the eyes.
    """

    name: str
    style: str
    motion: Motion | Keypoints
    bpm: float = 0.0
    count_at_start: float = 0.0
    beats_per_bar: int = 4
    song: str = ""
    audio: Path | None = None
    sound: NDArray[np.bool_] | None = None
    notes: str = ""


class Segment(NamedTuple):
    """One dance at one tempo with one music; arrays as in the module's docstring."""

    channels: Float32
    prosody: Float32
    count: Float32
    bpm: float
    usable: NDArray[np.bool_]


def usable_frames(motion: Motion | Keypoints) -> NDArray[np.bool_]:
    """[T] bool: False within 4 frames of a glitch (a joint or turn faster than any dancer)."""
    if isinstance(motion, Keypoints):
        return np.asarray(motion.known.all(1), bool)
    joints, _ = skeleton.forward_kinematics(*motion)
    relative = joints - joints[:, :1]
    speed = np.linalg.norm(np.diff(relative, axis=0, prepend=relative[:1]), axis=-1).max(1) * FRAME_RATE
    turn = np.abs(np.diff(np.unwrap(rotation.heading(motion.local_rotations[:, 0])), prepend=0.0)) * FRAME_RATE
    turn[0] = 0.0
    bad = (speed > FASTEST_JOINT) | (turn > FASTEST_TURN)
    return np.asarray(np.convolve(bad, np.ones(9), "same") < 0.5)


def prosody_of(audio: Float32) -> Float32:
    """The first 30 features [frames, 30] of the stage's own extractor."""
    frames = Extractor(AubioTracker()).push(audio[: len(audio) // HOP * HOP])
    return np.array([f.values[:PROSODY] for f in frames], np.float32).reshape(-1, PROSODY)


def read_audio(path: Path) -> Float32:
    """A whole file as the stage hears it: mono float32 [n] at 48 kHz; raises `BadFile` naming it."""
    decoder = Decoder(path)
    try:
        samples = decoder.read(LONGEST * SAMPLE_RATE)
        if not decoder.ended:
            raise BadFile(f"{path}: lasts longer than {LONGEST // 60} minutes: cut it into songs")
        return samples
    finally:
        decoder.close()


def prepared(dance: Dance, stretches: Sequence[float], seed: int, listen: Listen = prosody_of) -> Arrays:
    """The dance and its mirror image with its own music, and stretched onto other tempi with music made for them.

    A dance without music or beat grid is danced in silence.
    """
    segments = list(_segments(dance, stretches, seed, listen))
    lengths = [len(s.count) for s in segments]

    def per_frame(values: list[float]) -> Float32:
        return np.repeat(np.array(values, np.float32), lengths)

    return {
        "channels": np.concatenate([s.channels for s in segments]).astype(np.float16),
        "prosody": np.concatenate([s.prosody for s in segments]).astype(np.float16),
        "count": np.concatenate([s.count for s in segments]),
        "bpm": per_frame([s.bpm for s in segments]),
        "beats_per_bar": np.full(sum(lengths), dance.beats_per_bar, np.int8),
        "usable": np.concatenate([s.usable for s in segments]),
        "start": np.cumsum([0, *lengths]),
        "style": np.zeros(len(segments), np.int64),
        "take": np.zeros(len(segments), np.int64),
        "mirrored": np.arange(len(segments)) % 2 == 1,
        "styles": np.array([dance.style]),
        "takes": np.array([dance.name]),
        "pose_space": np.array("keypoints18" if isinstance(dance.motion, Keypoints) else "rotations22"),
    }


def _segments(dance: Dance, stretches: Sequence[float], seed: int, listen: Listen) -> Iterator[Segment]:
    if dance.audio is not None:
        yield from _danced(dance, 1.0, listen(read_audio(dance.audio)))
    elif dance.bpm == 0:
        yield from _danced(dance, 1.0, np.tile(silence()[:PROSODY], (len(dance.motion[0]), 1)))
    song = dance.song or dance.name
    number = int(song) if song.isdigit() else zlib.crc32(song.encode()) % 1_000_000
    for k, stretch in enumerate(stretches if dance.bpm > 0 else ()):
        seconds = len(dance.motion[0]) * stretch / FRAME_RATE + 1.0
        music = compose(seed + 1000 * number + k, seconds, dance.bpm / stretch, dance.count_at_start)
        yield from _danced(dance, stretch, listen(music.audio))


def _danced(dance: Dance, stretch: float, prosody: Float32) -> Iterator[Segment]:
    """The dance and its mirror image. Pose k is seen when frame k has been heard, (k + 1) / 60 s into the music."""
    module = keypoints if isinstance(dance.motion, Keypoints) else retarget
    motion = module.stretched(dance.motion, stretch)
    usable = (usable_frames(motion) & _sound(dance, stretch, len(motion[0])))[1:]
    length = min(len(usable), len(prosody))
    bpm = dance.bpm / stretch
    count = (dance.count_at_start + np.arange(1, length + 1) / FRAME_RATE * bpm / 60.0) * (bpm > 0)
    for version in (motion, module.mirrored(motion)):
        encoded = keypoints.encode(version) if isinstance(version, Keypoints) else channels.encode(*version)
        yield Segment(encoded[1 : length + 1], prosody[:length], count.astype(np.float32), bpm, usable[:length])


def _sound(dance: Dance, stretch: float, frames: int) -> NDArray[np.bool_]:
    if dance.sound is None:
        return np.ones(frames, bool)
    at = np.minimum((np.arange(frames) / stretch).astype(int), len(dance.sound) - 2)
    return np.asarray(dance.sound[at] & dance.sound[at + 1])


def merged(parts: Sequence[Arrays]) -> Arrays:
    """Prepared arrays one after another; raises `BadFile` when their channels mean different things."""
    if len(spaces := {str(part["pose_space"]) for part in parts}) != 1:
        raise BadFile(f"cannot mix {' and '.join(sorted(spaces))} in one prepared file")
    styles = sorted({str(name) for part in parts for name in part["styles"]})
    takes = [str(name) for part in parts for name in part["takes"]]
    begun = np.cumsum([0, *(part["start"][-1] for part in parts)])
    first_take = np.cumsum([0, *(len(part["takes"]) for part in parts)])
    out = {
        name: np.concatenate([part[name] for part in parts])
        for name in ("channels", "prosody", "count", "bpm", "beats_per_bar", "usable")
    }
    style = [np.array([styles.index(str(name)) for name in part["styles"]])[part["style"]] for part in parts]
    return out | {
        "start": np.concatenate([[0], *(b + part["start"][1:] for b, part in zip(begun, parts, strict=False))]),
        "style": np.concatenate(style),
        "mirrored": np.concatenate([part["mirrored"] for part in parts]),
        "take": np.concatenate([t + part["take"] for t, part in zip(first_take, parts, strict=False)]),
        "styles": np.array(styles),
        "takes": np.array(takes),
        "pose_space": parts[0]["pose_space"],
    }
