"""How well reported beats meet true ones.

F, CMLt and AMLt are those of mir_eval (C. Raffel et al., "mir_eval: a transparent implementation of common MIR
metrics", ISMIR 2014; M. Davies et al., "Evaluation methods for musical audio beat tracking algorithms", 2009): +-70 ms,
the first 5 s trimmed, continuity within 17.5% of a beat. A beat reported over 10 ms after its time counts as missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from live.bench.clips import Clip
from live.bench.track import ReportedBeat
from live.errors import MissingExtra
from live.types import Float64

LATEST = 0.010
"""Seconds after its time at which a beat may still be told."""
WINDOW = 0.07
TRIM = 5.0
IN_A_ROW = 4
"""Beats met in a row that make a lock."""


@dataclass(frozen=True)
class Score:
    """One tracker on one clip. `errors` [n] are reported minus true time (s) of the beats met after the trim.

    `octave`: which beats of the truth were meant; `first_right`: seconds from the music's start to the first true beat
    that is met, `first_lock`: to the first of two in a row that two reported beats in a row meet; `relock`: longest run
    of true beats not locked (see `relock_beats`).
    """

    f: float
    cmlt: float
    amlt: float
    errors: Float64
    octave: str
    reported: int
    late: int
    first_right: float | None
    first_lock: float | None
    relock: int | None


def score(clip: Clip, beats: Sequence[ReportedBeat], music_start: float = 0.0) -> Score:
    """Measure a clip; where it may be felt at half its tempo, the octave that F likes best."""
    timely = np.array([b.time for b in beats if b.reported_at - b.time <= LATEST + 1e-9], np.float64)
    timely = np.unique(timely[timely >= 0.0])
    truths = {"as annotated": clip.truth}
    if clip.felt_half:
        truths |= {"half, from the first beat": clip.truth[::2], "half, from the second beat": clip.truth[1::2]}
    rated = {name: _rates(truth, timely) for name, truth in truths.items()}
    octave = max(rated, key=lambda name: rated[name])
    truth = truths[octave]
    met = matches(truth, timely)
    errors = np.array([timely[j] - truth[i] for i, j in met if truth[i] >= TRIM and timely[j] >= TRIM], np.float64)
    right, lock = (None if at is None else at - music_start for at in _firsts(met, truth))
    return Score(
        *rated[octave], errors, octave, len(beats), len(beats) - len(timely),
        right, lock, relock_beats(clip, timely),
    )  # fmt: skip


def _rates(truth: Float64, beats: Float64) -> tuple[float, float, float]:
    """F, CMLt, AMLt; zero where nothing is left to compare."""
    beat = _mir_eval()
    truth, beats = beat.trim_beats(truth, TRIM), beat.trim_beats(beats, TRIM)
    if len(truth) < 2 or len(beats) < 2:
        return 0.0, 0.0, 0.0
    _, cmlt, _, amlt = beat.continuity(truth, beats)
    return float(beat.f_measure(truth, beats, WINDOW)), float(cmlt), float(amlt)


def _mir_eval() -> Any:
    try:
        import mir_eval.beat
    except ImportError as error:
        raise MissingExtra(error.name or "mir_eval", "bench", "measuring beats") from None
    return mir_eval.beat


def matches(truth: Float64, beats: Float64) -> list[tuple[int, int]]:
    """Pairs (true, reported) at most `WINDOW` apart, each beat in one pair, ascending; each true beat takes its
    nearest that is left."""
    found, free = [], 0
    for i, time in enumerate(truth):
        near = [j for j in range(free, len(beats)) if abs(beats[j] - time) <= WINDOW]
        if near:
            j = min(near, key=lambda j: abs(beats[j] - time))
            found.append((i, j))
            free = j + 1
    return found


def _firsts(met: Sequence[tuple[int, int]], truth: Float64) -> tuple[float | None, float | None]:
    """Times (s) of the first true beat met, and of the first whose follower is met by the very next reported beat."""
    pairs = set(met)
    right = next((float(truth[i]) for i, _ in met), None)
    return right, next((float(truth[i]) for i, j in met if (i + 1, j + 1) in pairs), None)


def relock_beats(clip: Clip, beats: Float64) -> int | None:
    """Where the tempo steps or ramps: the longest run of true beats, among those that reach into the change, that
    belong to no `IN_A_ROW` met in a row. The first `TRIM` seconds are left out."""
    if clip.change is None:
        return None
    met = np.zeros(len(clip.truth), bool)
    met[[i for i, _ in matches(clip.truth, beats)]] = True
    locked = np.zeros_like(met)
    for i in range(len(met) - IN_A_ROW + 1):
        if met[i : i + IN_A_ROW].all():
            locked[i : i + IN_A_ROW] = True
    first = max(clip.change[0] + 1, int(np.searchsorted(clip.truth, TRIM)))
    run = longest = 0
    for i in range(first, len(locked)):
        run = 0 if locked[i] else run + 1
        if i > clip.change[1] + 1 and run <= i - clip.change[1] - 1:
            break  # it began after the change
        longest = max(longest, run)
    return longest
