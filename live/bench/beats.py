"""`live bench beats`: every online tracker over every clip, scored; values ready for JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from live import __version__, realtime
from live.bench.clips import CHOOSING, REPORTING, Clip, halves, read_beats, read_clips
from live.bench.scores import LATEST, TRIM, WINDOW, Score, score
from live.bench.track import STEP, Heard, ReportedBeat, listen, told
from live.contracts import BeatTracker, load_plugin, plugin_names
from live.errors import Failed
from live.types import Float64

SCHEMA_VERSION = 1
MUSIC = 1e-3
"""RMS of a step from which on there is music (-60 dBFS)."""
TRACE = 10
"""Steps between two points of a clip's curves: 0.1 s."""
FIRST_RIGHT = 2.0
"""Seconds from the music's start within which the first beat should be right, on steady clips."""
NEVER = 1e3
"""Seconds for a clip that is never right, so that a median can be taken."""
GOALS: tuple[tuple[str, str, float, str], ...] = (
    ("mean F", "f", 0.75, ">="),
    ("mean CMLt", "cmlt", 0.55, ">="),
    ("mean AMLt", "amlt", 0.78, ">="),
    ("error, median (ms)", "error_median_ms", 10.0, "<="),
    ("error, 90% within (ms)", "error_p90_ms", 35.0, "<="),
    ("steady clips: first beat right (s), median", "first_right_s", 2.0, "<="),
    ("tempo changes: beats to re-lock", "relock_beats", 4.0, "<="),
    ("tempo changes: lowest F", "changing_f", 0.85, ">="),
    ("CPU per 10 ms, mean (ms)", "cpu_ms_per_10ms", 0.3, "<="),
    ("CPU per 10 ms, p99 (ms)", "block_p99_ms", 1.0, "<="),
)
FIRSTS = ("first_right_s", "first_lock_s")
Opener = Callable[[], BeatTracker]


def trackers(names: Sequence[str]) -> dict[str, Opener]:
    """What opens each tracker: those named, or all plug-ins of `live.beats`."""
    wanted = names or plugin_names("live.beats")
    return {name: load_plugin("live.beats", name, "beat tracker").open_tracker for name in wanted}


def measure(clips: Sequence[Clip], openers: dict[str, Opener], step: Callable[[str], None]) -> dict[str, Any]:
    """The whole result; `step` is called with "TRACKER CLIP" before each run."""
    results: dict[str, Any] = {}
    for name, opener in openers.items():
        rows = []
        for clip in clips:
            step(f"{name}  {clip.name}")
            rows.append(run_clip(clip, opener()))
        results[name] = summed(rows)
    return result_of(clips, results)


def result_of(clips: Sequence[Clip], results: dict[str, Any]) -> dict[str, Any]:
    """Trackers' results under the keys that the JSON has."""
    return {
        "schema_version": SCHEMA_VERSION,
        "what": "beats",
        "version": __version__,
        "machine": realtime.machine(),
        "rules": {"window_s": WINDOW, "trim_s": TRIM, "latest_s": LATEST, "step_samples": STEP},
        "clips": {
            c.name: {"style": c.style, "bpm": c.bpm, "half": c.half, "steady": c.steady, "felt_half": c.felt_half,
                     "changes": c.change is not None, "truth": rounded(c.truth)}
            for c in clips
        },
        "trackers": results,
    }  # fmt: skip


def run_clip(clip: Clip, tracker: BeatTracker) -> dict[str, Any]:
    """One tracker, fresh, on one clip."""
    heard = list(listen(clip.audio, tracker))
    beats = list(told(heard))
    start = next((h.at - STEP / 48000 for h in heard if h.level > MUSIC), 0.0)
    return row(clip, beats, score(clip, beats, start)) | _cost(heard) | {"trace": _trace(heard)}


def row(clip: Clip, beats: Iterable[ReportedBeat], scored: Score) -> dict[str, Any]:
    """A clip's numbers; `cpu_s_per_s` and its like, and `trace`, come from who ran it."""
    return {
        "clip": clip.name,
        "half": clip.half,
        "steady": clip.steady,
        "f": round(scored.f, 4),
        "cmlt": round(scored.cmlt, 4),
        "amlt": round(scored.amlt, 4),
        "octave": scored.octave,
        **_errors(scored.errors * 1e3),
        "first_right_s": None if scored.first_right is None else round(scored.first_right, 3),
        "first_lock_s": None if scored.first_lock is None else round(scored.first_lock, 3),
        "relock_beats": scored.relock,
        "reported": scored.reported,
        "late": scored.late,
        "errors_ms": rounded(scored.errors * 1e3, 1),
        "beats": [[round(b.time, 4), round(b.reported_at, 4)] for b in beats],
    }


def _errors(milliseconds: Float64) -> dict[str, float | None]:
    """Over beats met: median and 90th percentile of the error's size, and median of the error (positive: late)."""
    if not len(milliseconds):
        return {"error_median_ms": None, "error_p90_ms": None, "error_signed_ms": None}
    size = np.abs(milliseconds)
    return {
        "error_median_ms": round(float(np.median(size)), 2),
        "error_p90_ms": round(float(np.percentile(size, 90)), 2),
        "error_signed_ms": round(float(np.median(milliseconds)), 2),
    }


def _cost(heard: Sequence[Heard]) -> dict[str, float]:
    cpu, wall = np.array([h.cpu for h in heard] or [0.0]), np.array([h.wall for h in heard] or [0.0])
    per_second = float(cpu.mean()) * 48000 / STEP
    return {
        "cpu_s_per_s": round(per_second, 5),
        "cpu_ms_per_10ms": round(per_second * 10.0, 4),
        "block_p50_ms": round(float(np.percentile(cpu, 50)) * 1e3, 4),
        "block_p99_ms": round(float(np.percentile(cpu, 99)) * 1e3, 4),
        "block_wall_p99_ms": round(float(np.percentile(wall, 99)) * 1e3, 4),
    }


def _trace(heard: Sequence[Heard]) -> list[list[float]]:
    """[time, bpm, confidence] every 0.1 s."""
    points = heard[TRACE - 1 :: TRACE]
    return [[round(h.at, 2), round(h.beat.bpm, 2), round(h.beat.confidence, 3)] for h in points]


def summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A tracker's result: means over all clips and over each half, what was to be reached, and its rows."""
    parts = {half: [r for r in rows if r["half"] == half] for half in (CHOOSING, REPORTING)}
    mean = {"all": means(rows)} | {half: means(part) for half, part in parts.items() if part}
    return {"mean": mean, "goals": goals(mean["all"]), "rows": rows}


def means(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Scores and costs as means over clips (p99: the worst clip's), errors over all beats met in them."""
    steady = [r for r in rows if r["steady"]]
    firsts = {key: np.array([NEVER if r[key] is None else r[key] for r in steady]) for key in FIRSTS}
    changing = [r for r in rows if r["relock_beats"] is not None]
    mean = {key: round(float(np.mean([r[key] for r in rows])), 4) for key in ("f", "cmlt", "amlt")}
    costs = {key: round(float(np.mean(found)), 5) for key in ("cpu_s_per_s", "cpu_ms_per_10ms", "block_p50_ms")
             if (found := [r[key] for r in rows if key in r])}  # fmt: skip
    worst = {key: max(found) for key in ("block_p99_ms", "block_wall_p99_ms")
             if (found := [r[key] for r in rows if key in r])}  # fmt: skip
    return {
        "clips": len(rows),
        **mean,
        **_errors(np.concatenate([np.array(r["errors_ms"], np.float64) for r in rows])),
        **{key: round(float(np.median(found)), 3) if steady else None for key, found in firsts.items()},
        **{
            f"{key}_share": round(float((found <= FIRST_RIGHT).mean()), 3) if steady else None
            for key, found in firsts.items()
        },
        "steady_clips": len(steady),
        "relock_beats": max((r["relock_beats"] for r in changing), default=None),
        "changing_f": min((r["f"] for r in changing), default=None),
        "reported": sum(r["reported"] for r in rows),
        "late": sum(r["late"] for r in rows),
        **costs,
        **worst,
    }


def goals(mean: dict[str, Any]) -> list[dict[str, Any]]:
    """What a tracker must reach, beside what it reached; what could not be measured is left out."""
    found = []
    for name, key, limit, way in GOALS:
        value = mean.get(key)
        if value is not None:
            reached = value >= limit if way == ">=" else value <= limit
            found.append({"what": name, "measured": value, "limit": limit, "way": way, "reached": reached})
    return found


def rounded(values: Float64, digits: int = 4) -> list[float]:
    return [round(float(value), digits) for value in values]


def write(folder: Path, files: dict[str, str]) -> None:
    """Write the files (name: text) into `folder`, made if need be; raises `Failed`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
    except OSError as error:
        raise Failed(f"{folder}: cannot be written: {error.strerror}") from None


__all__ = ["halves", "measure", "read_beats", "read_clips", "trackers"]
