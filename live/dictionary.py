"""Dancing by looking up: what was danced to the most similar music. The seed paper's dictionary, playable on a stage.

Recorded dances are cut into entries of a second. An entry's key is its music: mean and spread of each of the 30 sound
features over that second. K-means (k = 5) sorts the keys; a lookup takes the nearest centre's cluster, then the nearest
keys in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from live import channels, skeleton
from live.card import CARD_VERSION, ModelCard
from live.contracts import FEATURE_NAMES
from live.errors import BadFile, BadModel
from live.limits import read_arrays
from live.types import FRAME_RATE, Float32, State

ENTRY = FRAME_RATE
"""Frames of an entry."""
TICKS = ENTRY // 2
SOUND = 30
"""The first features of the 35: all but the beat."""
NEIGHBOURS = 5
FADE = 0.85
"""What is left, a pose later, of the step from the end of one entry to the begin of the next."""
ARRAYS = ("keys", "mean", "std", "centres", "cluster", "at", "channels", "styles", "style")


@dataclass(frozen=True)
class Dictionary:
    """keys [N, 60] scaled by mean and std [60]; centres [5, 60]; cluster [N]; at [N] where each entry's dance begins in
    channels [M, C]; style [N] into `styles`."""

    keys: Float32
    mean: Float32
    std: Float32
    centres: Float32
    cluster: np.ndarray
    at: np.ndarray
    channels: np.ndarray
    styles: np.ndarray
    style: np.ndarray

    def nearest(self, heard: Float32, count: int = 1, weights: Float32 | None = None) -> np.ndarray:
        """The `count` entries [<= count] nearest to the sound features [T, 30] of a second, best first.

        `weights` [styles]: entries of a style with none are left out, where any other is.
        """
        key = (key_of(heard) - self.mean) / self.std
        allowed = np.ones(len(self.at), bool) if weights is None else weights[self.style] > 0
        clusters = np.unique(self.cluster[allowed])
        chosen = clusters[np.linalg.norm(self.centres[clusters] - key, axis=1).argmin()]
        inside = np.flatnonzero(allowed & (self.cluster == chosen))
        order = np.linalg.norm(self.keys[inside] - key, axis=1).argsort()
        return np.asarray(inside[order[:count]])

    def dance(self, entry: int) -> Float32:
        """Channels [60, C] of an entry."""
        return self.channels[self.at[entry] : self.at[entry] + ENTRY].astype(np.float32)


def key_of(heard: Float32) -> Float32:
    """[..., 60]: mean and spread over time of sound features [..., T, 30]."""
    return np.concatenate([heard.mean(-2), heard.std(-2)], -1).astype(np.float32)


def save(dictionary: Dictionary, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "dictionary.npz").open("wb") as file:
        np.savez(file, **{name: getattr(dictionary, name) for name in ARRAYS})


def load(folder: Path) -> Dictionary:
    """Read a dictionary's folder; raises `BadModel` naming it."""
    path = folder / "dictionary.npz"
    try:
        arrays = read_arrays(path, ARRAYS)
        found = Dictionary(*(arrays[name] for name in ARRAYS))
    except (OSError, BadFile) as error:
        raise BadModel(f"{path}: is no dictionary ({error}); make one with `live dictionary`") from None
    if fault := _fault(found):
        raise BadModel(f"{path}: {fault}; make it again with `live dictionary`")
    return found


def _fault(d: Dictionary) -> str:
    """What does not fit together in it, or nothing."""
    count, clusters, width = len(d.at) if d.at.ndim else 0, len(d.centres) if d.centres.ndim else 0, 2 * SOUND
    if d.channels.ndim != 2 or d.channels.shape[1] != channels.COUNT:
        return f"holds poses of shape {d.channels.shape[1:]}, those of {channels.COUNT} channels can be performed"
    shapes = {"keys": (count, width), "mean": (width,), "std": (width,), "centres": (clusters, width),
              "cluster": (count,), "at": (count,), "style": (count,)}  # fmt: skip
    if wrong := [name for name, shape in shapes.items() if getattr(d, name).shape != shape or not count]:
        return f"its '{wrong[0]}' has another shape than its other arrays"
    ends = {"cluster": clusters, "at": len(d.channels) - ENTRY + 1, "style": d.styles.size}
    if wrong := [name for name, end in ends.items() if not _within(getattr(d, name), end)]:
        return f"its '{wrong[0]}' points outside of it"
    numbers = (d.keys, d.mean, d.std, d.centres, d.channels)
    return "" if all(one.dtype.kind == "f" and np.isfinite(one).all() for one in numbers) else "holds what is no number"


def _within(places: np.ndarray, end: int) -> bool:
    return places.dtype.kind in "iu" and int(places.min()) >= 0 and int(places.max()) < end


def card(dictionary: Dictionary, name: str) -> ModelCard:
    """A card, so that it can stand where a model stands."""
    return ModelCard(
        card_version=CARD_VERSION, name=name, title="Dictionary playback", styles=[str(s) for s in dictionary.styles],
        pose_space="rotations22", feature_names=list(FEATURE_NAMES), bones=list(skeleton.BONES), tick_rate=30,
        poses_per_tick=2, channels=channels.COUNT, latent=1, dropout=1, dropout_rate=0.0, temperature=0.5,
        tempo_range=(40.0, 240.0), accent_offset=0.0, state={}, licence="its dances'", provenance="recorded",
        metrics={}, sha256={},
    )  # fmt: skip


class Player:
    """Stands where `live.generator.Generator` stands. `style` [styles] picks whose entries are played, all
    dancers' at first.

    The temperature is the chance that a lookup takes another of the five nearest entries than the nearest.
    """

    poses_per_tick, metre = 2, 0

    def __init__(
        self, dictionary: Dictionary, name: str, dancers: int, style: Float32, seed: int, temperature: float | None
    ) -> None:
        self.card, self.dancers, self.seed = card(dictionary, name), dancers, seed
        self.awake = dancers
        self.style: Float32 = np.tile(style.astype(np.float32), (dancers, 1))
        self._first_tick = 0
        self.temperature = self.card.temperature if temperature is None else temperature
        self._dictionary = dictionary

    def initial_state(self) -> State:
        n, c = self.dancers, channels.COUNT
        return {
            "heard": np.zeros((n, TICKS, SOUND), np.float32), "place": np.full((n, 2), (-1, TICKS), np.float32),
            "last": np.zeros((n, c), np.float32), "step": np.zeros((n, c), np.float32),
        }  # fmt: skip

    def begin_again(self, tick: int, seed: int | None) -> None:
        """Choose from tick `tick` on as at the beginning of a show with this seed; None: with the same one."""
        self._first_tick, self.seed = tick, self.seed if seed is None else seed

    def recoveries(self) -> list[str]:
        return []

    def step(self, features: Float32, tick: int, state: State) -> tuple[Float32, State]:
        """Features [35] of one tick -> raw poses [dancers, 2, channels] and the next state."""
        state = {name: value.copy() for name, value in state.items()}
        state["heard"] = np.roll(state["heard"], -1, 1)
        state["heard"][:, -1] = features[:SOUND]
        poses = np.stack([self._dancer(n, tick, state) for n in range(self.awake)])
        poses = poses[np.where(np.arange(self.dancers) < self.awake, np.arange(self.dancers), 0)]
        return poses, state

    def _dancer(self, n: int, tick: int, state: State) -> Float32:
        entry, played = (int(v) for v in state["place"][n])
        fresh = played >= TICKS
        if fresh:
            first, entry, played = entry < 0, self._choose(n, tick, state["heard"][n]), 0
        poses = self._dictionary.dance(entry)[2 * played : 2 * played + 2]
        if fresh:
            state["step"][n] = 0.0 if first else state["last"][n] - poses[0]
        fade = FADE ** np.arange(1, 3, dtype=np.float32)[:, None]
        out: Float32 = poses + fade * state["step"][n]
        state["step"][n] *= fade[-1, 0]
        state["last"][n], state["place"][n] = out[-1], (entry, played + 1)
        return out

    def _choose(self, n: int, tick: int, heard: Float32) -> int:
        rng = np.random.Generator(np.random.Philox(key=self.seed, counter=[0, 0, n, tick - self._first_tick]))
        found = self._dictionary.nearest(heard, NEIGHBOURS, self.style[n])
        other = rng.random() < self.temperature
        return int(found[int(rng.integers(len(found))) if other else 0])
