"""From one video of one person to footage: steady in time, in clips between cuts, square around the dance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from live.errors import BadFile
from live.keypoints import INDEX
from live.train.footage import SHORTEST, Footage, Pixels, spans
from live.train.layouts.video import KEYPOINTS, one_person
from live.train.people import CONFIDENT, FACE, filled_named, short_gaps
from live.train.pose_tool import watch
from live.types import Float32, Float64

RATE = 30.0
"""Pictures a second, where the video has as many."""
MOST = 6000
"""Pictures that are kept: 1.2 GB at 256 x 256."""
GAP = 0.2
"""Seconds over which a point that is not seen is interpolated."""
MARGIN = 0.18
"""Of the person's height, left around all that is seen of it."""
CUT, UNUSUAL = 0.06, 6.0
"""A cut is where a thumbnail changes by this share of white, and so many times as much as it usually does."""
THUMB = 32


class Cutting(NamedTuple):
    """What is known of a video before its pictures are taken: times [N] (s) of its frames, whether a cut lies before
    each [N], and its width and height (pixels)."""

    times: Float64
    cuts: NDArray[np.bool_]
    sides: tuple[int, int]


class Filmed(NamedTuple):
    """What a video gave, and how long it is (s)."""

    footage: Footage
    seconds: float


def filmed(clip: Path, size: int, tell: Callable[[int, int], object] = lambda frame, frames: None) -> Filmed:
    """Footage of `size` pixels of the one person in a video; `BadFile` where there is none, or too little of it. `tell`
    hears how many frames of how many have been watched."""
    seen = one_person(watch(clip, tell))
    found = looked_through(clip)
    count = min(len(found.times), len(seen.image))
    try:
        points = tracked(np.stack([seen.image[:count, at].mean(1) for at in KEYPOINTS], 1), seen.rate)
    except BadFile as error:
        raise BadFile(f"{clip}: {error}; film the whole person") from None
    usable = np.isfinite(points).all((1, 2))
    chosen, clips = chosen_frames(found.times[:count], found.cuts[:count], usable)
    if not spans(clips):
        raise BadFile(f"{clip}: nobody is seen for {SHORTEST} pictures without a cut; film one person in one piece")
    corner, side = window(points[chosen], found.sides)
    pictures = np.stack(list(cropped(clip, chosen, corner, side, size)))
    places = ((points[chosen] - corner) / side).astype(np.float32)
    footage = Footage(pictures, places, clips, rate_of(found.times[chosen]))
    return Filmed(footage, float(found.times[-1] - found.times[0]) + 1 / footage.rate)


def looked_through(clip: Path) -> Cutting:
    """Times of all frames and cuts between them. Frames without a time follow the last at the video's own pace."""
    times, changes, last, sides = [], [], None, (0, 0)
    for frame in _frames(clip):
        thumb = frame.reformat(THUMB, THUMB, format="gray").to_ndarray().astype(np.float32) / 255
        times.append(float(frame.time) if frame.time is not None else (times[-1] + 1 / RATE if times else 0.0))
        changes.append(0.0 if last is None else float(np.abs(thumb - last).mean()))
        last, sides = thumb, (frame.width, frame.height)
    change = np.array(changes)
    usual = float(np.median(change[1:])) if len(change) > 1 else 0.0
    return Cutting(np.maximum.accumulate(np.array(times)), (change > CUT) & (change > UNUSUAL * usual), sides)


def tracked(people: Float32, rate: float) -> Float32:
    """Keypoints [T, 18, 2] (pixels) of what was seen, with confidences [T, 18, 3]; short gaps filled, long ones NaN.

    A face that is turned away is where the detector thinks it is: hidden, but part of the pose.
    """
    sure = people[..., 2] >= CONFIDENT
    sure[:, [INDEX[name] for name in FACE]] = True
    points = np.where(sure[..., None], people[..., :2], np.nan).astype(np.float32)
    whole, known = filled_named(points)
    return np.where((known | short_gaps(known, round(GAP * rate)))[..., None], whole, np.float32(np.nan))


def chosen_frames(
    times: Float64, cuts: NDArray[np.bool_], usable: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Which frames become pictures, `RATE` a second, and the clip that each is of: another after a cut, a hole in time
    and wherever the person is not seen."""
    grid = np.arange(times[0], times[-1] + 1e-6, 1 / RATE)
    at = np.unique(np.searchsorted(times, grid + 1e-3, "right") - 1)
    usual = float(np.median(np.diff(times[at]))) if len(at) > 1 else 1 / RATE
    scene = np.cumsum(cuts)[at]
    broken = (np.diff(scene, prepend=scene[0]) > 0) | (np.diff(times[at], prepend=times[at[0]]) > 2.5 * usual)
    broken[1:] |= ~usable[at][:-1]
    clips = np.cumsum(broken).astype(np.int32)
    return at[usable[at]][:MOST], clips[usable[at]][:MOST]


def rate_of(times: Float64) -> float:
    """Pictures a second."""
    return float(1 / max(np.median(np.diff(times)), 1e-3)) if len(times) > 1 else RATE


def window(points: Float32, sides: tuple[int, int]) -> tuple[Float32, float]:
    """Corner [2] and side (pixels) of the square that shows the dance; it may reach beyond the frame."""
    flat = points.reshape(-1, 2)
    low, high = np.quantile(flat, 0.002, 0), np.quantile(flat, 0.998, 0)
    tall = float(np.median(np.ptp(points[..., 1], 1)))
    side = min(float((high - low).max()) + 2 * MARGIN * tall, float(max(sides)))
    corner = (low + high) / 2 - side / 2
    room = np.array(sides) - side
    return np.where(room >= 0, np.clip(corner, 0, np.maximum(room, 0)), corner).astype(np.float32), side


def cropped(clip: Path, chosen: NDArray[np.intp], corner: Float32, side: float, size: int) -> Iterator[Pixels]:
    """Pictures [size, size, 3] of chosen frames; what lies beyond the frame repeats its border."""
    wanted = set(chosen.tolist())
    for n, frame in enumerate(_frames(clip)):
        if n > chosen[-1]:
            return
        if n in wanted:
            whole = frame.to_ndarray(format="rgb24")
            rows, columns = (
                np.clip(np.arange(round(first), round(first) + round(side)), 0, most - 1)
                for first, most in zip(corner[::-1].tolist(), whole.shape[:2], strict=True)
            )
            part = torch.from_numpy(whole[np.ix_(rows, columns)]).movedim(-1, 0)[None].float()
            small = F.interpolate(part, (size, size), mode="bilinear", antialias=True, align_corners=False)
            yield small[0].round().clamp(0, 255).to(torch.uint8).movedim(0, -1).numpy()


def _frames(clip: Path) -> Iterator[av.VideoFrame]:
    try:
        with av.open(str(clip)) as file:
            if not file.streams.video:
                raise BadFile(f"{clip}: has no pictures: name a video")
            file.streams.video[0].thread_type = "AUTO"
            yield from file.decode(video=0)
    except (OSError, av.FFmpegError) as error:
        raise BadFile(f"{clip}: cannot be decoded: {error}") from None
