"""How far a way of computing the step is from `reference.npz`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from live import channels, skeleton
from live.backends import cpu
from live.card import GRAPH, ModelCard
from live.types import Float32, Inputs, State

Step = Callable[[Inputs, State], tuple[Float32, Any]]


def stepping(run: Callable[[dict[str, Any]], dict[str, Any]]) -> Step:
    """The step of a generator whose exported graph is run by `run`, arrays by name."""

    def step(inputs: Inputs, state: State) -> tuple[Float32, State]:
        found = run({**inputs, **{f"state_{name}": value for name, value in state.items()}})
        return found.pop("poses"), {name.removeprefix("next_"): value for name, value in found.items()}

    return step


class Deviation(NamedTuple):
    """The largest over so many ticks: of any channel, and of any joint in metres."""

    channels: float
    joints: float
    ticks: int


def deviation(step: Step, folder: Path, card: ModelCard) -> Deviation:
    """Of a step of one dancer, each tick begun from the state that the reference has there.

    The file holds the state of every fifteenth tick; between them it is float32 on the CPU that goes on from it, and
    gives what should come out.
    """
    off, far = [0.0], [0.0]
    for inputs, state, poses in teacher_forced(folder, card):
        found, _ = step(inputs, state)
        off.append(float(np.abs(found - poses).max()))
        far.append(float(np.linalg.norm(joints(found) - joints(poses), axis=-1).max()))
    return Deviation(max(off), max(far), len(off) - 1)


def teacher_forced(folder: Path, card: ModelCard) -> Iterator[tuple[Inputs, State, Float32]]:
    """Inputs, state and poses of each tick."""
    with np.load(folder / "reference.npz", allow_pickle=False) as file:
        held = dict(file)
    backend, state = cpu.open_backend(folder, card, 1, GRAPH), dict[str, Float32]()
    for tick in range(len(held["poses"])):
        inputs = {name: held[name][tick] for name in ("features", "noise", "dropout")} | {"style": held["style"]}
        kept = {
            found[2]: value for name, value in held.items() if (found := re.fullmatch(rf"state_({tick})_(\w+)", name))
        }
        poses, following = backend.step(inputs, kept or state)
        yield inputs, kept or state, held["poses"][tick] if kept else poses
        state = dict(following)


def joints(raw: Float32) -> Float32:
    """[..., 22, 3] of raw poses [..., channels], in the facing frame above the root's place on the floor."""
    decoded = channels.decode(raw)
    root = np.stack([np.zeros_like(decoded.height), decoded.height, np.zeros_like(decoded.height)], -1)
    found, _ = skeleton.matrix_kinematics(root, decoded.matrices)
    return np.asarray(found, np.float32)
