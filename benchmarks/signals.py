"""How well changes of section, build-ups and drops are told, on composed songs whose sections are known; and the cost.

A truth: two neighbouring sections of different names. It is a `drop` after a build-up into a full section, or where the
kick comes back after a quiet one; otherwise a `section`. A section `build` is also a truth of its own.

Met: a section or a drop told from 0.2 s before to 4 s after it; a build-up told before its section is over. `change` is
sections and drops under either name. Each truth is met once, whatever else is told is false.
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from measure import compared, options, write

from live.features.signals import Listener
from live.lab.figures import percentiles
from live.train import composer
from live.train.song import Clock, clock_of
from live.types import HOP, SAMPLE_RATE

SECONDS = 180.0
WITHIN, BEFORE = 4.0, 0.2
"""Seconds after and before a change in which it may be told; the last ones of a song are not judged."""
FULL = {"drums", "groove", "song", "full"}
KINDS = {"section": {"section"}, "drop": {"drop"}, "build": {"build"}, "change": {"section", "drop"}}
COST = 0.1
"""ms per 10 ms that it may cost."""


class Truth(NamedTuple):
    name: str
    at: float
    until: float


class Told(NamedTuple):
    name: str
    at: float
    told: float


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--songs", type=int, default=30, help="how many (default: %(default)d)")
    parser.add_argument("--first", type=int, default=1000, help="first seed (default: %(default)d; 0 to 9 chose)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each song (default: %(default)g)")
    given = parser.parse_args()
    pairs, costs = [], []
    for seed in range(given.first, given.first + given.songs):
        audio, true = song(seed, given.seconds)
        costs.append(hear(audio, told := []))
        pairs.append((true, told))
    values = {kind: scores(pairs, names) for kind, names in KINDS.items()}
    show(values)
    finish(given, values, np.concatenate(costs))


def song(seed: int, seconds: float) -> tuple[np.ndarray[Any, Any], list[Truth]]:
    """Audio and truths; the tempo is 85 to 150 BPM."""
    bpm = float(np.random.default_rng([5, seed]).uniform(85.0, 150.0))
    clock = clock_of((0.0, 0.0, bpm))
    sections = composer.sections_of(seed, seconds, clock)
    return composer.compose_on(seed, seconds, clock).audio, list(truths(sections, clock, seconds))


def truths(sections: list[composer.Section], clock: Clock, seconds: float) -> Iterator[Truth]:
    for before, after in pairwise(sections):
        at = float(clock.seconds(4.0 * after.first_bar))
        if before.name == after.name or at > seconds - WITHIN:
            continue
        built, quiet = before.name == "build" and after.name in FULL, before.name == "quiet" and after.name != "build"
        yield Truth("drop" if built or quiet else "section", at, at + WITHIN)
        if after.name == "build":
            yield Truth("build", at, float(clock.seconds(4.0 * (after.first_bar + after.bars))))


def hear(audio: np.ndarray[Any, Any], told: list[Told]) -> np.ndarray[Any, Any]:
    """Put into `told` what is told; the CPU seconds [frames] that it took."""
    listener, cost = Listener(), []
    for start in range(0, len(audio) - HOP + 1, HOP):
        began = time.thread_time()
        listener.hear(audio[start : start + HOP])
        event = listener.now().event
        cost.append(time.thread_time() - began)
        if event.number > len(told):
            now = (start + HOP) / SAMPLE_RATE
            told.append(Told(event.name, now - event.age, now))
    return np.array(cost)


def scores(pairs: list[tuple[list[Truth], list[Told]]], names: set[str]) -> dict[str, float]:
    """Over all songs, of the events of these names: counts, precision, recall, s from truth to telling, and dating."""
    true = [[t for t in truth if t.name in names] for truth, _ in pairs]
    told = [[t for t in said if t.name in names] for _, said in pairs]
    met = [pair for one in zip(true, told, strict=True) for pair in matched(*one)]
    late = np.array([said.told - truth.at for truth, said in met] or [np.nan])
    off = np.array([abs(said.at - truth.at) for truth, said in met] or [np.nan])
    return {
        "true": sum(map(len, true)),
        "told": (said := sum(map(len, told))),
        "precision": len(met) / max(said, 1),
        "recall": len(met) / max(sum(map(len, true)), 1),
        "late_p50_s": float(np.median(late)),
        "late_p90_s": float(np.percentile(late, 90)),
        "dated_off_p50_s": float(np.median(off)),
    }


def matched(true: list[Truth], told: list[Told]) -> Iterator[tuple[Truth, Told]]:
    """Each truth with the first thing told in its time that no earlier one took."""
    left = list(told)
    for truth in true:
        found = next((said for said in left if truth.at - BEFORE <= said.told <= truth.until), None)
        if found is not None:
            left.remove(found)
            yield truth, found


def show(values: dict[str, dict[str, float]]) -> None:
    print("| Event | true | told | precision | recall | told after: median / p90 (s) | dated off by, median (s) |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for kind, v in values.items():
        late = f"{v['late_p50_s']:.1f} / {v['late_p90_s']:.1f}"
        counts = f"{v['true']} | {v['told']} | {v['precision']:.2f} | {v['recall']:.2f}"
        print(f"| {kind} | {counts} | {late} | {v['dated_off_p50_s']:.2f} |")


def finish(given: Namespace, values: dict[str, dict[str, float]], cost: np.ndarray[Any, Any]) -> None:
    per_10_ms = float(cost.mean()) * 1e3 * 0.01 * SAMPLE_RATE / HOP
    result = {
        "songs": given.songs,
        "first_seed": given.first,
        "seconds": given.seconds,
        "events": values,
        "cpu_ms_per_frame": percentiles(1e3 * cost),
        "limits": {"CPU per 10 ms": compared(per_10_ms, COST, "ms")},
    }
    write("signals", result, None, given.out)


if __name__ == "__main__":
    main()
