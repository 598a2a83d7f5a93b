"""Checkpoints read back: those that Lightning writes, the project's own of before (`checkpoint.pt`), and model folders.

Only weights and plain values are read: nothing in a file is executed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from live.errors import BadFile
from live.train.config import TrainConfig, config_from_json
from live.train.recover import recovered
from live.train.trainer import Dancing, network

NAME = "checkpoint.ckpt"
ALONE = 150
"""Rounds that a new posterior learns beside a generator that stays as it is."""
Weights = dict[str, Tensor]


class Trained(NamedTuple):
    """A checkpoint's content. `modules`: weights of `generator`, `average` and so on; `moments`: Adam's, of the
    generator's optimiser."""

    config: TrainConfig
    styles: list[str]
    rounds: int
    modules: dict[str, Weights]
    moments: dict[str, Any]

    def network(self) -> Any:
        """The trained generator (the average of its weights)."""
        made = network(self.config)
        made.load_state_dict(self.modules["average"])
        return made.eval()


def read_checkpoint(path: Path) -> Trained:
    """A checkpoint of either kind, the one in a training folder, or a model folder's weights; raises `BadFile` when it
    is missing or damaged."""
    if (path / "model.json").is_file():
        config, styles, rounds, weights = recovered(path)
        return Trained(config, styles, rounds, {"generator": weights, "average": weights}, {})
    if path.is_dir():
        path = path / NAME if (path / NAME).exists() else path / "checkpoint.pt"
    try:
        parts = torch.load(path, weights_only=True, map_location="cpu")
        return _lightning(parts) if "live" in parts else _earlier(parts)
    except Exception as error:
        raise BadFile(f"{path}: is no whole checkpoint ({type(error).__name__}); train again or name another") from None


def _lightning(parts: dict[str, Any]) -> Trained:
    about, modules = json.loads(parts["live"]), {}
    for name, value in parts["state_dict"].items():
        module, _, rest = name.partition(".")
        modules.setdefault(module, {})[rest] = value
    config = config_from_json(json.dumps(about["config"]))
    return Trained(config, about["styles"], about["round"], modules, parts["optimizer_states"][0])


def _earlier(parts: dict[str, Any]) -> Trained:
    modules = {"generator": parts["generator"], "average": parts["generator"], "posterior": parts["posterior"]}
    config, styles = config_from_json(parts["config"]), json.loads(parts["styles"])
    return Trained(config, styles, parts["round"], modules, parts["optimiser"])


def load_weights(run: Dancing, given: Trained, path: Path) -> None:
    """Begin `run` with the weights, moments and round of `given`; modules that it lacks stay as they are, and a
    posterior that it lacks first learns alone.

    Raises `BadFile` where the networks are of different sizes or styles.
    """
    if given.styles != run.styles:
        raise BadFile(f"{path}: its styles are {', '.join(given.styles)}; the data's are {', '.join(run.styles)}")
    try:
        for name, module in run.named_children():
            if name in given.modules:
                module.load_state_dict(given.modules[name])
        run.moments, run.rounds_done = given.moments, given.rounds
        if run.posterior is not None and "posterior" not in given.modules:
            run.alone_until = given.rounds + ALONE
    except RuntimeError:
        raise BadFile(f"{path}: its networks have other sizes than this configuration's [model]") from None
