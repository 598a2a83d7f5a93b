"""A model measured: free running to songs it is given, beside the real dances, random pairing and silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from live import skeleton
from live.bench import motion
from live.bench.goals import goals
from live.bench.measures import (
    Part,
    distances,
    figures,
    lock_on_others,
    mean_lock,
    part,
    points,
    shuffled,
    summary,
)
from live.train.dance import Dance, usable_frames
from live.train.dancer import TRUE, Dances, Plan
from live.train.free_run import Danced
from live.train.songs import Music
from live.train.trials import MINUTE, lag_to_accents, silenced, without_stopping
from live.types import FRAME_RATE, SAMPLE_RATE, Float32

STRETCH = 5.0
"""Seconds of real motion without a fault that are worth measuring."""
SILENCE = 20.0
"""Seconds of silence that a model is given."""
WAYS = ("wire", "raw")
RATES = (0.8, 1.25)
"""How much faster the warped songs are."""
WARPED = {"own": "songs at {:g}", "told": "songs at {:g}, told the beats"}
"""Rows of dances to them, by ear and told the beats."""
Jobs = dict[tuple[str, str], Callable[[], Any]]
Said = Callable[[str], None]
NOBODY: Mapping[str, Dances] = {}


def evaluate(
    dancers: Dances,
    songs: Sequence[Music],
    dances: Sequence[Dance],
    plan: Plan,
    beside: Mapping[str, Dances] = NOBODY,
    said: Said = lambda what: None,
) -> dict[str, Any]:
    """Every figure: `rows` of model (wire and raw) and controls, `lock`, `silence`, `hour`, `songs` one by one,
    `curves` to draw, and `goals`. Each dancer's dance to each song counts. `beside` are other models that dance to the
    same songs. `said` is called `units` times, with what was done."""
    made = {}
    for (kind, name), job in _jobs(dancers, songs, plan, beside, said).items():
        made[kind, name] = job()
        said(f"{kind} {name}")
    known = _known(songs)
    real = [stretch for dance in dances for stretch in _real(dance)]
    told = [song for song in songs if song.written]
    own = {way: _parts([(song, made["song", song.name]) for song in known], way) for way in WAYS}
    true = {way: _parts([(song, made["true", song.name]) for song in told], way) for way in WAYS}
    groups = {"model, on the wire": own["wire"], "model, raw": own["raw"]}
    groups |= {"told the beats, wire": true["wire"], "told the beats, raw": true["raw"]}
    for rate, (heard, row) in product(RATES, WARPED.items()):
        dances_to = [
            (song.warped(rate), made[f"warped to {rate:g}, {heard}", song.name]) for song in _to_warp(songs, plan)
        ]
        groups[row.format(rate)] = _parts(dances_to, "wire")
    groups |= {
        "random pairing": shuffled([p for p in own["wire"] if len(p.beats)]),
        "silence": _parts([(song, made["silence", ""]) for song in known], "wire"),
        "real": real,
    }
    for name in beside:
        groups[f"beside: {name}"] = _parts([(song, made[name, song.name]) for song in known], "wire")
    around = points(real)
    rows = {name: summary(parts, around, plan.sigma_ms) for name, parts in groups.items() if parts}
    if len(real) > 1:  # what two sets of real dances lie apart
        rows["real"] |= distances(points(real[::2]), points(real[1::2]))
    rows["model, on the wire"]["response_lag_ms"] = made["accents", ""]
    result = {
        "rows": rows,
        "lock": _locks(songs, own, true),
        "silence": made["pause", ""],
        "hour": made.get(("hour", "")),
        "songs": [_song(song, own["wire"], true["wire"], plan) for song in songs],
        "curves": [curve(p) for p in own["wire"][: len(songs)]],
        "sigma_ms": plan.sigma_ms, "seconds": plan.seconds, "tracker": plan.tracker, "seed": plan.seed,
        "style": plan.style, "dancers": plan.dancers,
    }  # fmt: skip
    return result | {"goals": goals(result)}


def units(dancers: Dances, songs: Sequence[Music], plan: Plan, beside: Mapping[str, Dances] = NOBODY) -> int:
    """How often `evaluate` says something."""
    return len(_jobs(dancers, songs, plan, beside, lambda what: None)) + int(plan.hour / MINUTE)


def _jobs(dancers: Dances, songs: Sequence[Music], plan: Plan, beside: Mapping[str, Dances], said: Said) -> Jobs:
    """All that has to be danced; a song that is `true` is told its beats."""
    jobs: Jobs = {}
    for song in songs:
        beats = song.beats if plan.tracker == TRUE else None
        jobs["song", song.name] = partial(_dance, dancers, song.audio, beats)
        if song.written:
            jobs["true", song.name] = partial(_dance, dancers, song.audio, song.beats)
        for name, other in beside.items():
            jobs[name, song.name] = partial(_dance, other, song.audio, beats)
    for song, rate, heard in product(_to_warp(songs, plan), RATES, WARPED):
        told = heard == "told" or plan.tracker == TRUE
        jobs[f"warped to {rate:g}, {heard}", song.name] = partial(_dance_warped, dancers, song, rate, told)
    jobs["silence", ""] = partial(_dance, dancers, np.zeros(int(SILENCE * SAMPLE_RATE), np.float32), None)
    jobs["accents", ""] = partial(lag_to_accents, dancers, songs[0])
    jobs["pause", ""] = partial(silenced, dancers, songs[0])
    if plan.hour:
        jobs["hour", ""] = partial(without_stopping, dancers, songs, plan.hour, said)
    return jobs


def _dance(dancers: Dances, audio: Float32, beats: Any) -> Any:
    return dancers(audio, beats)


def _dance_warped(dancers: Dances, song: Music, rate: float, told: bool) -> Any:
    warped = song.warped(rate)
    return dancers(warped.audio, warped.beats if told else None)


def _to_warp(songs: Sequence[Music], plan: Plan) -> list[Music]:
    """Steady songs of all tempi."""
    steady = sorted((song for song in songs if song.steady), key=lambda song: song.bpm)
    at = np.linspace(0, len(steady) - 1, min(plan.warped, len(steady))).round().astype(int)
    return [steady[i] for i in at]


def _known(songs: Sequence[Music]) -> list[Music]:
    """The songs, without the beats that nobody wrote down where others have written ones."""
    if not any(song.written for song in songs):
        return list(songs)
    return [song if song.written else song._replace(beats=song.beats[:0]) for song in songs]


def _parts(dances: Sequence[tuple[Music, Sequence[Danced]]], way: str) -> list[Part]:
    """Of each song and the dances to it: the first dancer's, song by song, then the next one's."""
    each = zip(*(danced for _, danced in dances), strict=True)
    return [
        part(song.name, getattr(one, way), song.beats)
        for danced in each
        for (song, _), one in zip(dances, danced, strict=True)
    ]


def _real(dance: Dance) -> Iterator[Part]:
    """The dance on our bones with its own grid, in stretches of `STRETCH` and more without a fault."""
    joints, _ = skeleton.forward_kinematics(*dance.motion)
    sound = usable_frames(dance.motion) & (True if dance.sound is None else dance.sound)
    edges = np.flatnonzero(np.diff(np.r_[False, sound, False]))
    beats = np.zeros(0)
    if dance.bpm > 0:
        last = dance.count_at_start + len(joints) / FRAME_RATE * dance.bpm / 60
        counts = np.arange(np.ceil(dance.count_at_start), last)
        beats = (counts - dance.count_at_start) * 60 / dance.bpm
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin >= STRETCH * FRAME_RATE:
            yield part(dance.name, joints[begin:end], beats, begin / FRAME_RATE)


def _locks(songs: Sequence[Music], own: dict[str, list[Part]], true: dict[str, list[Part]]) -> dict[str, Any]:
    """The lock on the true beats of the steady songs, by ear and told, and on the beats of songs of other tempi."""
    steady = {song.name for song in songs if song.steady}
    out: dict[str, Any] = {}
    for source, parts in (("own", own), ("true", true)):
        for way, dances in parts.items():
            chosen = [p for p in dances if p.name in steady]
            out[f"{source}_{way}"] = mean_lock(chosen) | {"on_others": lock_on_others(chosen)}
    return out


def _song(song: Music, wire: Sequence[Part], true: Sequence[Part], plan: Plan) -> dict[str, Any]:
    """About the song, and means over the dancers."""
    locks = [motion.beat_lock(p.moved, p.beats).strength for p in true if p.name == song.name]
    told = {"told_lock": float(np.mean(locks))} if locks else {}
    about = {"name": song.name, "bpm": song.bpm, "steady": song.steady, "written": song.written}
    each = [figures(p, plan.sigma_ms) for p in wire if p.name == song.name]
    return about | {key: float(np.mean([one[key] for one in each])) for key in each[0]} | told


def curve(p: Part) -> dict[str, Any]:
    """Speed and beats of a dance's first 20 s, to draw."""
    s = motion.speed(p.y)[: 20 * motion.RATE]
    return {
        "name": p.name, "begun": p.begun, "rate": motion.RATE, "speed": np.round(s, 3).tolist(),
        "moved": p.moved[p.moved < 20].round(3).tolist(), "beats": p.beats[p.beats < 20].round(3).tolist(),
    }  # fmt: skip
