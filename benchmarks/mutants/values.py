"""Changing a tree of plain values: what JSON, TOML and a model's card have in common."""

from __future__ import annotations

import copy
import math
from random import Random
from typing import Any

NUMBERS = (0, 1, -1, 2, 3, 255, 65536, 2**31 - 1, 2**31, 2**32, 2**63 - 1, -(2**63), 0.0, -0.0, 0.5, 1e-300, 1e300,
           -1e38, math.nan, math.inf, -math.inf)  # fmt: skip
TEXTS = ("", " ", "x", "x" * 5000, "\n", "\u0000", "\u202e", "é", "..", "/", "%s", "1", "nan", "auto", "🕺" * 20)


def number(rng: Random) -> int | float:
    """One that is hard to digest, or any."""
    return rng.choice((*NUMBERS, rng.randint(-300, 300), rng.uniform(-1e4, 1e4)))


def odd(rng: Random) -> Any:
    """A value of any type."""
    made = rng.randrange(7)
    if made == 0:
        return rng.choice((True, False))
    if made == 1:
        return rng.choice(TEXTS)
    if made == 2:
        return [odd(rng) for _ in range(rng.choice((0, 1, 3, 40)))] if rng.random() < 0.5 else []
    if made == 3:
        return {rng.choice(TEXTS): number(rng)} if rng.random() < 0.5 else {}
    return number(rng)


def changed(tree: Any, rng: Random, times: int | None = None) -> Any:
    """A copy with a few changes somewhere in it."""
    tree = copy.deepcopy(tree)
    for _ in range(times or rng.choice((1, 1, 1, 2, 3, 6))):
        if places := list(_places(tree)):
            _change(*rng.choice(places), rng)
    return tree


def _places(tree: Any) -> Any:
    """Every container with each of its keys."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield tree, key
        yield from _places(tree[key])


def _change(outer: Any, key: Any, rng: Random) -> None:
    act = rng.randrange(9)
    if act <= 3:
        outer[key] = odd(rng)
    elif act == 4:
        del outer[key]
    elif act == 5:
        outer[key] = [outer[key]] * rng.choice((1, 2, 100))
    elif act == 6:
        outer[key] = {"x": outer[key]}
    elif act == 7:
        outer[key] = nested(outer[key], rng.choice((2, 30, 90)), rng)
    elif isinstance(outer, dict):
        outer[rng.choice((*TEXTS, *map(str, outer)))] = outer.pop(key)
    else:
        outer.extend(copy.deepcopy(outer[: rng.randint(0, len(outer))]))


def nested(value: Any, depth: int, rng: Random) -> Any:
    """The value in so many lists or tables."""
    for _ in range(depth):
        value = [value] if rng.random() < 0.5 else {"a": value}
    return value
