"""What raters said, put together: grades by origin, and who was liked better, each with a confidence interval.

Ratings of one person resemble each other, so intervals come from drawing raters, not ratings, again and again (the
cluster bootstrap, percentile method).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from live.errors import BadFile
from live.limits import MB, read_json
from live.types import Float64

LARGEST = 4 * MB
DRAWS = 10_000
SURE = 95
"""Per cent of the intervals."""
BETTER = {"left": 1.0, "same": 0.5, "right": 0.0}


@dataclass(frozen=True)
class Key:
    """Whose film is which: origins by the films' names."""

    study: str
    grades: tuple[str, ...]
    origins: dict[str, str]


class Rating(NamedTuple):
    rater: str
    origin: str
    grade: int


class Preference(NamedTuple):
    """share: 1 where the first origin was liked better, 0 where the second was, 0.5 where neither."""

    rater: str
    origins: tuple[str, str]
    share: float


@dataclass(frozen=True)
class Answers:
    """Of all raters together."""

    ratings: list[Rating]
    preferences: list[Preference]


class Estimate(NamedTuple):
    """A mean of what was given, and the interval around it; without one where there are fewer than two raters."""

    mean: float
    low: float | None
    high: float | None
    raters: int
    given: int


def read_key(path: Path) -> Key:
    """`BadFile` in one line where it is none."""
    values = _read(path)
    try:
        origins = {str(name): str(film["origin"]) for name, film in values["films"].items()}
        return Key(str(values["study"]), tuple(map(str, values["grades"])), origins)
    except (KeyError, TypeError, AttributeError):
        raise BadFile(f"'{path}' is not the key of a study: it lies beside the study's `page`") from None


def read_answers(paths: Sequence[Path], key: Key) -> Answers:
    """All files together; `BadFile` where one is damaged, of another study, or of a rater who was read already."""
    found, read = Answers([], []), dict[str, Path]()
    for path in paths:
        values = _read(path)
        try:
            rater = str(values["rater"])
            if values["study"] != key.study:
                raise BadFile(f"'{path}' is of another study than the key")
            if rater in read:
                raise BadFile(f"'{path}': rater '{rater}' is in '{read[rater]}' already: leave one out")
            for answer in values["answers"]:
                _add(found, rater, answer, key)
        except (KeyError, TypeError, ValueError):
            raise BadFile(f"'{path}' is damaged, or no file that the study's page saved") from None
        read[rater] = path
    return found


def _add(found: Answers, rater: str, answer: dict[str, Any], key: Key) -> None:
    """One answer; a film that could not be played has no grade."""
    origins = [key.origins[film] for film in answer["films"]]
    for origin, grade in zip(origins, answer["grades"], strict=True):
        if grade is None:
            continue
        if type(grade) is not int or not 1 <= grade <= len(key.grades):
            raise ValueError(grade)
        found.ratings.append(Rating(rater, origin, grade))
    if answer.get("better") is not None:
        share = BETTER[answer["better"]]
        first, second = origins
        ordered = (first, second) if first < second else (second, first)
        found.preferences.append(Preference(rater, ordered, share if ordered[0] == first else 1.0 - share))


def _read(path: Path) -> dict[str, Any]:
    try:
        values = read_json(path, LARGEST)
    except OSError as error:
        raise BadFile(f"'{path}' cannot be read: {error.strerror}") from None
    except BadFile:
        raise BadFile(f"'{path}' is not JSON: it is damaged, or no file that the study's page saved") from None
    if not isinstance(values, dict):
        raise BadFile(f"'{path}' is no file of a study")
    return values


def estimate(raters: Sequence[str], values: Sequence[float], seed: int = 0) -> Estimate:
    """Mean of `values` [n], given by `raters` [n], and its interval."""
    names = sorted(set(raters))
    numbers, who = np.asarray(values, float), np.array([names.index(rater) for rater in raters])
    mean = float(numbers.mean())
    if len(names) < 2:
        return Estimate(mean, None, None, len(names), len(numbers))
    sums, counts = np.bincount(who, numbers), np.bincount(who)
    drawn = np.random.default_rng(seed).integers(len(names), size=(DRAWS, len(names)))
    means: Float64 = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.percentile(means, [(100 - SURE) / 2, (100 + SURE) / 2])
    return Estimate(mean, float(low), float(high), len(names), len(numbers))


def by_origin(answers: Answers, grades: int) -> dict[str, tuple[Estimate, list[float]]]:
    """Per origin, best first, the mean grade and the share of each grade."""
    found = {}
    for origin in sorted({rating.origin for rating in answers.ratings}):
        own = [rating for rating in answers.ratings if rating.origin == origin]
        shares = np.bincount([rating.grade for rating in own], minlength=grades + 1)[1:] / len(own)
        found[origin] = (estimate([r.rater for r in own], [r.grade for r in own]), shares.tolist())
    return dict(sorted(found.items(), key=lambda item: -item[1][0].mean))


def by_pair(answers: Answers) -> dict[tuple[str, str], Estimate]:
    """Per two origins, the share of those who liked the first one better (who liked neither better count half)."""
    origins = sorted({origin for one in answers.preferences for origin in one.origins})
    found = {}
    for pair in combinations(origins, 2):
        own = [one for one in answers.preferences if one.origins == pair]
        if own:
            found[pair] = estimate([one.rater for one in own], [one.share for one in own])
    return found
