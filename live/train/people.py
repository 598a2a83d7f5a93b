"""From what a pose detector saw to one dancer's 18 keypoints: filtered, interpolated, normalised for place and scale.

People are float32 [P, 18, 3] per frame: x, y in the picture (y down) and confidence, in the order of
`live.keypoints`. Every limit is in units of the dancer's torso (hips to neck), so any picture size will do.
The steps are those of the seed paper's data preparation; how each wrong detection is told is our choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from live.errors import BadFile
from live.keypoints import BONES, COUNT, HIPS, INDEX, NAMES, NECK, Keypoints, normalised
from live.train.gaps import filled
from live.train.retarget import upsampled
from live.types import FRAME_RATE, Float32

CONFIDENT = 0.2
"""A point seen with less confidence was not seen."""
JUMP = 0.4
"""A point this far from the median of the seven frames around it was seen somewhere else."""
TOO_LONG = 1.4
"""A limb this many times its own 90th percentile ends in the wrong place: a picture only ever shortens limbs."""
SWAP_PRICE, FOLLOW = 0.05, 2.0
"""What calling left right costs per frame, and what a person's confident presence is worth."""
LONGEST_GAP = 0.5
"""Seconds over which a missing point may be interpolated and still be trained on."""
SIDES = {
    "arms": (("rightShoulder", "leftShoulder"), ("rightElbow", "leftElbow"), ("rightWrist", "leftWrist")),
    "legs": (("rightHip", "leftHip"), ("rightKnee", "leftKnee"), ("rightAnkle", "leftAnkle")),
    "face": (("rightEye", "leftEye"), ("rightEar", "leftEar")),
}
FACE = ("nose", "rightEye", "leftEye", "rightEar", "leftEar")
NEEDED = [i for i, name in enumerate(NAMES) if name not in (*FACE, "rightWrist", "leftWrist")]
People = Sequence[Float32]


def dancer(people: People, rate: float, keep: Callable[[Float32], Float32] | None = None) -> Keypoints:
    """One person's keypoints at 60/s, by way of every step; `keep` replaces the filter of wrong detections.

    Raises `BadFile` when nobody dances or a joint is never seen.
    """
    track = (keep or filtered)(followed(people))
    track = with_face(track)
    points, seen = filled_named(track)
    known = seen | short_gaps(seen, round(LONGEST_GAP * rate))
    at = np.arange(0, len(points) - 1, rate / FRAME_RATE) if abs(rate - FRAME_RATE) > 0.1 else np.arange(len(points))
    whole = np.repeat(known[np.round(at).astype(int)][:, NEEDED].all(1)[:, None], COUNT, 1)
    return Keypoints(normalised(upsampled(points, rate))[: len(whole)], whole)


def filtered(track: Float32) -> Float32:
    """[T, 18, 2]: left and right put right, then limbs too long and points that jump become NaN."""
    return without_jumps(without_long_limbs(unswapped(track)))


def followed(people: People) -> Float32:
    """One person's points [T, 18, 2], NaN where not seen: the path of least movement and most confidence."""
    frames = [t for t, seen in enumerate(people) if len(seen)]
    if len(frames) < 4:
        raise BadFile(f"somebody is seen in {len(frames)} frames only")
    places = [hidden(people[t]) for t in frames]
    size = np.nanmedian([torso(p) for place in places for p in place])
    if not np.isfinite(size):
        raise BadFile("no frame shows both hips and neck")
    worth = [-FOLLOW * people[t][..., 2].mean(1) for t in frames]
    path = cheapest_path(worth, lambda t: movement(places[t - 1], places[t]) / size / (frames[t] - frames[t - 1]))
    track = np.full((len(people), COUNT, 2), np.nan, np.float32)
    for t, place, chosen in zip(frames, places, path, strict=True):
        track[t] = place[chosen]
    return track


def hidden(people: Float32) -> Float32:
    """Points [P, 18, 2] with NaN where the confidence is too low."""
    return np.where(people[..., 2:] >= CONFIDENT, people[..., :2], np.nan).astype(np.float32)


def torso(points: Float32) -> Float32:
    """Hips to neck [...] of points [..., 18, 2]."""
    return np.asarray(np.linalg.norm(points[..., NECK, :] - points[..., HIPS, :].mean(-2), axis=-1))


def movement(before: Float32, after: Float32) -> Float32:
    """[P, Q]: mean distance of the points that both saw; where they share none, as far as anything."""
    apart = np.linalg.norm(before[:, None] - after[None], axis=-1)
    both = np.isfinite(apart)
    total = np.where(both, apart, 0.0).sum(-1)
    return np.where(both.any(-1), total / np.maximum(both.sum(-1), 1), 1e6)


def cheapest_path(prices: Sequence[Float32], moving: Callable[[int], Float32]) -> list[int]:
    """One choice per frame: least sum of `prices` [choices] and of `moving(t)` [choices before, choices now]."""
    total, came = np.asarray(prices[0], np.float64), []
    for t in range(1, len(prices)):
        costs = total[:, None] + moving(t)
        came.append(costs.argmin(0))
        total = costs.min(0) + prices[t]
    path = [int(total.argmin())]
    for back in reversed(came):
        path.append(int(back[path[-1]]))
    return path[::-1]


def unswapped(track: Float32) -> Float32:
    """Left and right of arms, legs and face exchanged where that moves less; mostly they were right."""
    out = track.copy()
    size = float(np.nanmedian(torso(track)))
    for pairs in SIDES.values():
        right, left = ([INDEX[pair[side]] for pair in pairs] for side in (0, 1))
        two = np.stack([track[:, right + left], track[:, left + right]], 1)
        filled_two = np.stack([_held(two[:, i]) for i in (0, 1)], 1)
        price = np.array([0.0, SWAP_PRICE])
        path = cheapest_path([price] * len(two), _mover(filled_two, size))
        swapped = np.array(path, bool)
        out[np.ix_(swapped, right)], out[np.ix_(swapped, left)] = (
            track[np.ix_(swapped, left)], track[np.ix_(swapped, right)],
        )  # fmt: skip
    return out


def _mover(two: Float32, size: float) -> Callable[[int], Float32]:
    return lambda t: movement(two[t - 1], two[t]) / size


def _held(track: Float32) -> Float32:
    """NaNs replaced by what was last seen."""
    seen = np.isfinite(track).all(-1)
    last = np.maximum.accumulate(np.where(seen, np.arange(len(track))[:, None], 0), 0)
    return np.asarray(np.take_along_axis(track, last[..., None], 0))


def without_long_limbs(track: Float32) -> Float32:
    """The outer end of a limb longer than its body part ever is becomes NaN."""
    out = track.copy()
    size = np.nanmedian(torso(track))
    for inner, outer in BONES:
        length = np.linalg.norm(track[:, outer] - track[:, inner], axis=-1) / size
        limit = TOO_LONG * np.nanpercentile(length, 90) if np.isfinite(length).any() else np.inf
        out[length > limit, outer] = np.nan
    return out


def without_jumps(track: Float32) -> Float32:
    """Points that leave their own track become NaN."""
    size = np.nanmedian(torso(track))
    middle = median_filter(_held(track), size=(7, 1, 1), mode="nearest")
    away = np.linalg.norm(track - middle, axis=-1) > JUMP * size
    return np.where(away[..., None], np.float32(np.nan), track)


def with_face(track: Float32) -> Float32:
    """Points of the face that were never seen lie where the nose, or else the neck, is."""
    out = track.copy()
    for name in FACE:
        if not np.isfinite(out[:, INDEX[name]]).any():
            nose = out[:, INDEX["nose"]]
            out[:, INDEX[name]] = nose if np.isfinite(nose).any() else out[:, NECK]
    return out


def filled_named(track: Float32) -> tuple[Float32, NDArray[np.bool_]]:
    """As `filled`, naming the joint that is never seen."""
    if never := [name for i, name in enumerate(NAMES) if not np.isfinite(track[:, i]).any()]:
        raise BadFile(f"{', '.join(never)}: never seen")
    return filled(track)


def short_gaps(seen: NDArray[np.bool_], longest: int) -> NDArray[np.bool_]:
    """[T, J]: not seen, but at most `longest` frames from something seen on both sides taken together."""
    index = np.arange(len(seen))[:, None]
    before = np.maximum.accumulate(np.where(seen, index, -(10**9)), 0)
    after = np.minimum.accumulate(np.where(seen, index, 10**9)[::-1], 0)[::-1]
    return ~seen & (after - before - 1 <= longest)
