"""Training windows drawn from prepared data (`live.train.dance` says what that is)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from live.errors import BadFile
from live.features.extractor import BEAT_SLICE, pool, silence
from live.limits import read_arrays
from live.train.dance import PROSODY
from live.types import Float32


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
    Without `augment` the music is the dance's own and its beat exactly known; without `mirror` no mirror images.
    `even`: each style as often as any other, however much there is of it.
    """

    def __init__(
        self,
        data: dict[str, np.ndarray],
        ticks: int,
        takes: np.ndarray | None = None,
        augment: bool = True,
        mirror: bool = True,
        even: bool = False,
    ) -> None:
        self._data, self.ticks, self._augment = data, ticks, augment
        self._frames = 2 * ticks
        clear = np.convolve(~data["usable"], np.ones(self._frames + 4), "full")[self._frames + 3 :] < 0.5
        starts = []
        for s, (a, b) in enumerate(zip(data["start"], data["start"][1:], strict=False)):
            if (takes is None or data["take"][s] in takes) and (mirror or not data["mirrored"][s]):
                inside = np.arange(a + 24, b - self._frames - 8)
                starts.append(np.stack([inside[clear[inside - 3]], np.full(clear[inside - 3].sum(), s)], 1))
        self._starts = np.concatenate(starts) if starts else np.zeros((0, 2), int)
        if not len(self._starts):
            raise BadFile(f"the prepared data holds no clean window of {ticks / 30:.1f} s; use fewer --ticks")
        styles = data["style"][self._starts[:, 1]]
        self._pots = [np.flatnonzero(styles == style) for style in np.unique(styles)] if even else []

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def styles(self) -> list[str]:
        return [str(name) for name in self._data["styles"]]

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        drawn = rng.integers(len(self._starts), size=size)
        if self._pots:
            pots = rng.integers(len(self._pots), size=size)
            drawn = np.array([self._pots[pot][n % len(self._pots[pot])] for pot, n in zip(pots, drawn, strict=True)])
        return self._cut(rng, self._starts[drawn], self.ticks)

    def beginnings(self, ticks: int) -> tuple[Batch, np.ndarray]:
        """The first `ticks` ticks of each take long enough, clean or not, as it was danced first (not mirrored), and
        the frames [B] that they begin at."""
        data, chosen = self._data, []
        for take in np.unique(data["take"][self._starts[:, 1]]):
            segment = int(np.flatnonzero(data["take"] == take)[0])
            if data["start"][segment] + 32 + 2 * ticks <= data["start"][segment + 1]:
                chosen.append([data["start"][segment] + 24, segment])
        if not chosen:
            raise BadFile(f"the prepared data holds no take of {ticks / 30 + 0.6:.1f} s")
        return self._cut(np.random.default_rng(0), np.array(chosen), ticks), np.array(chosen)[:, 0]

    def _cut(self, rng: np.random.Generator, chosen: np.ndarray, ticks: int) -> Batch:
        """Windows of `ticks` at `chosen` [B, 2] (first frame, segment)."""
        at = chosen[:, :1] + np.arange(2 * ticks)  # [B, 2T]
        data, pairs = self._data, (len(chosen), ticks, 2)
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
        if not self._augment:
            return self._data["prosody"][np.maximum(sounding, begun[:, None, None])].astype(np.float32)
        which = rng.random(len(sounding))[:, None, None]
        lead = rng.integers(-6, 19, size=which.shape)
        heard = np.maximum(sounding - lead, begun[:, None, None])
        elsewhere = self._starts[rng.integers(len(self._starts), size=len(sounding)), 0][:, None, None]
        heard = np.where(which < 0.3, elsewhere + sounding - sounding[:, :1, :1], heard)
        prosody = self._data["prosody"][heard].astype(np.float32)
        return np.where(which[..., None] > 0.7, silence()[:PROSODY], prosody)

    def _beats(self, rng: np.random.Generator, at: np.ndarray) -> Float32:
        """The five beat features [B, T, 5] at frames `at` [B, T]; zero where no beat is known."""
        column = (len(at), 1)
        bpm = self._data["bpm"][at]
        unsure = float(self._augment)
        count = self._data["count"][at] + unsure * rng.normal(0, 0.015, column) * bpm / 60.0
        confidence = 1.0 - unsure * rng.uniform(0.0, 0.7, column)
        downbeat = (1.0 - unsure * rng.uniform(0.0, 0.9, column)) * (rng.random(column) < 1.0 - 0.125 * unsure)
        beat, bar = 2 * np.pi * count, 2 * np.pi * count / self._data["beats_per_bar"][at]
        tempo = np.log2(np.maximum(bpm, 30.0) / 120.0) + unsure * rng.normal(0, 0.01, column)
        parts = [confidence * np.sin(beat), confidence * np.cos(beat), downbeat * np.sin(bar), downbeat * np.cos(bar)]
        return (np.stack([*parts, tempo], -1) * (bpm > 0.0)[..., None]).astype(np.float32)


def load_prepared(path: Path) -> dict[str, np.ndarray]:
    """Read a prepared file; raises `BadFile` naming it when it is missing or not one."""
    try:
        data = read_arrays(path)
    except (OSError, BadFile) as error:
        raise BadFile(f"{path}: is no prepared data ({error}); make it with `live prepare`") from None
    if missing := {"channels", "prosody", "count", "bpm", "usable", "start", "style"} - set(data):
        raise BadFile(f"{path}: lacks {', '.join(sorted(missing))}; make it again with `live prepare`")
    second = np.arange(len(data["style"])) % 2 == 1  # each dance is followed by its mirror image
    earlier = {"beats_per_bar": np.full(len(data["count"]), 4, np.int8), "pose_space": np.array("rotations22")}
    return earlier | {"mirrored": second} | data
