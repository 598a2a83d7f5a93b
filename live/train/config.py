"""What a training run depends on, as a TOML file, a checkpoint and a model's card hold it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field

from live.card import StageCard
from live.errors import BadFile
from live.limits import read_toml
from live.nn.sizes import GeneratorConfig


class CardConfig(StageCard):
    """[card] of a configuration, but for the styles, which are those of the dances; with what goes into the graph
    (`GeneratorConfig` says what it does). The stage's `dropout_rate` is that of training where it is left out."""

    emphasis: float = Field(ge=0.0, le=100.0)
    amplitude: float = Field(gt=0.0, le=10.0)
    smoothing: float = Field(0.0, ge=0.0, le=1.0)


@dataclass(frozen=True)
class TrainConfig:
    """Everything a run depends on; kept in the checkpoint and in the model's card.

    `network`: `generator`, or `lstm` for the plain one. `longest`: ticks of own poses fed in a row, reached after
    `growth` of the rounds. The rate falls to a twentieth from `decay` of the rounds on. `ema`: what the average of the
    weights, which is validated and exported, keeps each round. `augment`: the uncertainties of a stage; `mirror`:
    mirror images too; `even`: each style as often as any other; `rest`: the share of windows that begin from the mean
    pose, as a dance on the stage does. `adversary` and `autoencoder` are lambda 1 and 2 of eq. 16; other weights of the
    loss: `difference`, `kl_weight` (what the posterior may tell), `prior_weight` (that the prior expects it),
    `kinematics` (joints), `contact` (planted feet). `every`: rounds between checkpoints.
    Takes of `valid_takes`, or a share `valid_share` drawn by lot, and those of `test_takes` are not trained on.
    """

    model: GeneratorConfig = field(default_factory=GeneratorConfig)
    network: str = "generator"
    rounds: int = 1000
    batch: int = 40
    ticks: int = 75
    rate: float = 1e-3
    decay: float = 0.6
    clip: float = 1.0
    weight_decay: float = 1e-6
    ema: float = 0.999
    longest: int = 15
    growth: float = 0.7
    dropout: float = 0.2
    noise: tuple[float, float] = (0.03, 0.1)
    augment: bool = True
    mirror: bool = True
    even: bool = False
    rest: float = 0.0
    difference: float = 10.0
    kl_weight: float = 0.004
    prior_weight: float = 0.004
    kinematics: float = 0.0
    contact: float = 0.0
    adversary: float = 0.0
    autoencoder: float = 0.0
    discriminator: int = 256
    discriminator_every: int = 3
    seed: int = 1
    every: int = 100
    valid_takes: tuple[str, ...] = ()
    valid_share: float = 0.0
    test_takes: tuple[str, ...] = ()

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))


def config_from_json(text: str) -> TrainConfig:
    """Of a checkpoint, also of one made before some of the settings existed."""
    return make_config(json.loads(text))


def make_config(values: dict[str, Any]) -> TrainConfig:
    """A configuration of plain values, lists standing for tuples, `model` a dictionary."""
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return TrainConfig(**{**given, "model": GeneratorConfig(**values.get("model", {}))})


def read_config(path: Path) -> dict[str, Any]:
    """The TOML configuration ([card], [train], [model]); raises `BadFile` naming what is wrong."""
    try:
        values = read_toml(path)
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from None
    valid = {
        "card": set(CardConfig.model_fields) - {"styles"},
        "train": {f.name for f in dataclasses.fields(TrainConfig)} - {"model"},
        "model": {f.name for f in dataclasses.fields(GeneratorConfig)} - {"styles", "footing"},
    }
    for section, given in values.items():
        if section not in valid:
            raise BadFile(f"{path}: unknown section [{section}]; valid ones are {', '.join(valid)}")
        if unknown := sorted(set(given) - valid[section]):
            names = ", ".join(sorted(valid[section]))
            raise BadFile(f"{path}: unknown key '{unknown[0]}' in [{section}]; valid: {names}")
    return values


def train_config(values: dict[str, Any]) -> TrainConfig:
    """[train] and [model] of a configuration file."""
    return make_config({**values.get("train", {}), "model": values.get("model", {})})
