"""What a model must reach, line by line, beside what was read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

WAYS = {"wire": "model, on the wire", "raw": "model, raw"}
LIKE_REAL = (0.75, 1.25)
AS_CALM = 1.5
"""How many times as jerky, and as sliding, as the real dances."""
FREEZE = 0.02
LOCK_TRUE, LOCK_OWN, LOCK_OTHERS, OFFSET_MS = 0.50, 0.40, 0.20, 40.0
P = 0.01
FOLLOWS = 0.90
CALM_S = 2.0
CHANGE, SUNK_M = 0.15, 0.02
Values = dict[str, Any]


class Goal(NamedTuple):
    """`way` is where it was read: on the wire or raw. `reached` is None where it could not be read."""

    what: str
    way: str
    must: str
    read: str
    reached: bool | None


def goals(result: Values) -> list[Values]:
    """Every line for what `live.train.evaluate.evaluate` found, as dictionaries."""
    found = [
        goal for lines in (_like_real, _locks, _alignment, _tempo, _hour, _silence, _apart) for goal in lines(result)
    ]
    return [goal._asdict() for goal in found]


def _line(what: str, way: str, must: str, value: float | None, form: str, test: Callable[[float], bool]) -> Goal:
    if value is None:
        return Goal(what, way, must, "not read", None)
    return Goal(what, way, must, format(value, form) if math.isfinite(value) else "never", bool(test(value)))


def _like_real(result: Values) -> Iterator[Goal]:
    real = result["rows"].get("real")
    for way, row in WAYS.items():
        made = result["rows"][row]

        def times(key: str, made: Values = made) -> float | None:
            return made[key] / real[key] if real and real[key] else None

        for key, what in (("speed", "mean joint speed"), ("spread", "pose spread")):
            low, high = LIKE_REAL
            yield _line(what, way, f"{low:g} to {high:g} x real", times(key), ".2f", lambda v: 0.75 <= v <= 1.25)
        for key, what in (("jerk", "jerk"), ("skate", "foot skate, speed"), ("skate_ratio", "foot skate, share")):
            yield _line(what, way, f"<= {AS_CALM:g} x real", times(key), ".2f", lambda v: v <= AS_CALM)
        more = made["freeze"] - real["freeze"] if real else None
        yield _line("freeze ratio", way, "<= real + 2 points", more, "+.1%", lambda v: v <= FREEZE)


def _locks(result: Values) -> Iterator[Goal]:
    for way in WAYS:
        for source, most, heard in (("true", LOCK_TRUE, "told the beats"), ("own", LOCK_OWN, "own tracker")):
            lock = result["lock"][f"{source}_{way}"]
            yield _line(f"beat lock, {heard}", way, f">= {most:.2f}", lock.get("strength"), ".2f", _at_least(most))
            offset = lock.get("offset_ms")
            yield _line(f"mean offset, {heard}", way, "within ±40 ms", offset, "+.0f", lambda v: abs(v) <= OFFSET_MS)
        others = result["lock"][f"own_{way}"]["on_others"]
        yield _line(
            "lock on beats of other tempi", way, f"< {LOCK_OTHERS:.2f}", others, ".2f", lambda v: v < LOCK_OTHERS
        )


def _alignment(result: Values) -> Iterator[Goal]:
    for way, row in WAYS.items():
        for key, what in (("music_to_motion", "music to motion"), ("motion_to_music", "motion to music")):
            p = result["rows"][row][f"p_{key}"]
            yield _line(f"beat alignment, {what}", way, f"chance: p < {P:g}", p, ".3f", lambda v: v < P)


def _tempo(result: Values) -> Iterator[Goal]:
    for row, values in result["rows"].items():
        if row.startswith("songs at "):
            rate, _, told = row.removeprefix("songs at ").partition(", ")
            what, must = f"follows tempo, {rate}x, {told or 'own tracker'}", f">= {FOLLOWS:.0%} of windows"
            yield _line(what, "wire", must, values["follows_tempo"], ".0%", _at_least(FOLLOWS))


def _hour(result: Values) -> Iterator[Goal]:
    hour = result["hour"]
    for way in WAYS:
        for key in ("speed", "spread", "height"):
            change = hour[way]["change"][key] if hour else None
            yield _line(f"last minute of an hour, {key}", way, "within 15%", change, "+.1%", lambda v: abs(v) <= CHANGE)
    sunk = hour["sunk_m"] if hour else None
    yield _line("an hour, feet below the floor", "wire", "< 2 cm", sunk, ".3f", lambda v: v < SUNK_M)
    yield Goal("an hour, no NaN", "both", "none", _told(hour, "finite"), hour["finite"] if hour else None)


def _told(hour: Values | None, key: str) -> str:
    return "not read" if hour is None else "none" if hour[key] else "some"


def _silence(result: Values) -> Iterator[Goal]:
    after = result["silence"]["calm_after_s"]
    yield _line("silence brings a calm idle", "wire", f"within {CALM_S:g} s", after, ".1f", lambda v: v <= CALM_S)


def _apart(result: Values) -> Iterator[Goal]:
    """Distances are compared with those of the models beside, the least of which must not be met."""
    rows = result["rows"]
    others = [values for row, values in rows.items() if row.startswith("beside: ")]
    for key, what in (("fid_k", "FID_k"), ("fid_g", "FID_g")):
        least = min((values[key] for values in others if key in values), default=None)
        for way, row in WAYS.items():
            made = rows[row].get(key)
            if least is None or made is None:
                read = "not read" if made is None else f"{made:.1f}"
                yield Goal(what, way, "below each model beside", read, None)
            else:
                yield _line(what, way, f"< {least:.1f}", made, ".1f", lambda v, least=least: v < least)  # type: ignore[misc]


def _at_least(limit: float) -> Callable[[float], bool]:
    return lambda value: value >= limit
