"""Show files: a TOML tree with other keys, types, values and nesting."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from live.cli.outputs import make_output
from live.show import make_show, read_show
from mutants.values import changed

NAME = "show.toml"
SHOW = {
    "input": "demo", "model": "salsa", "output": ["vmc://127.0.0.1:39539?rate=30", "take:show.take", "osc://127.0.0.1:9000"],
    "dancers": 2, "style": "lead=0.5,follow=0.5", "intensity": 1.0, "anticipation": 20.0, "seed": 7, "control": "off",
    "midi": "pad", "midi_map": {"cc 1": "intensity", "note 36": "cue chorus"}, "keys": {"c": "cue chorus"},
    "scene": {"calm": {"intensity": 0.5, "freeze": False}, "wild": {"intensity": 1.5, "style": "lead"}},
    "cue": {"chorus": {"scene": "wild", "when": "bar"}, "end": {"scene": "calm"}}, "setlist": ["chorus", "end"],
    "stage": {"radius": 2.0, "spacing": 1.5, "formation": "circle", "canon": 1.0},
}  # fmt: skip
OUTPUTS = ("vmc://127.0.0.1:39539?root=pelvis&face=loudness", "vrchat://127.0.0.1", "osc://127.0.0.1:9000?mirror=1&scale=2",
           "take:show.take", "null:", "vmc://[::1]:39539?x=1&y=2&yaw=90")  # fmt: skip


def seeds(folder: Path) -> dict[str, Any]:
    (folder / NAME).write_bytes(_written(SHOW, Random(0))[NAME])
    read(folder)
    return SHOW


def mutant(seed: dict[str, Any], rng: Random) -> dict[str, bytes]:
    uri = rng.random() < 0.3
    return _written(seed | {"output": [_uri(rng)]} if uri else changed(seed, rng), rng)


def _written(tree: Any, rng: Random) -> dict[str, bytes]:
    text = "".join(f"{json.dumps(key)} = {_toml(value)}\n" for key, value in tree.items())
    if rng.random() < 0.05:
        depth = rng.choice((100, 1000, 40_000))
        text += rng.choice(
            (f"\nx = {'[' * depth}{']' * depth}", f"\n{'.'.join('a' * depth)} = 1", f"\n[{'.'.join('a' * depth)}]",
             f"\nx = {'{a=' * depth}1{'}' * depth}", "\n[[a]]" * depth, f"\nx = {'9' * depth}")
        )  # fmt: skip
    return {NAME: text.encode("utf-8", "surrogatepass")}


def _toml(value: Any) -> str:
    """A value on one line; strings and numbers are spelled as in JSON."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value).replace("Infinity", "inf").replace("NaN", "nan")


def _uri(rng: Random) -> str:
    """An output's URI with a piece of another one in it."""
    a, b = rng.choice(OUTPUTS), rng.choice(OUTPUTS)
    i, j = sorted(rng.randrange(len(a) + 1) for _ in range(2))
    k, m = sorted(rng.randrange(len(b) + 1) for _ in range(2))
    return a[:i] + b[k:m] + a[j:]


def read(folder: Path) -> None:
    show = make_show(read_show(folder / NAME), NAME)
    show.styles(), show.knobs(), show.leaders(), show.orders()
    for uri in show.output[:4]:
        make_output(uri)
