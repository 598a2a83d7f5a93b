"""Training of a renderer: coarse to fine (Wang et al. 2018), walking through the footage as the stage does.

Each walk is shown its own picture of before, so that training meets what the stage will: no true picture is known
there. The global generator learns first, at half the size; then all of it, and from `judge_from` on with the
discriminators of three sizes and feature matching (eq. 2 to 5).
"""

from __future__ import annotations

import copy
import dataclasses
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from live.errors import BadFile
from live.nn.critics import Critics, Vgg, fooled, judged, matching, unlike
from live.nn.renderer import Renderer, RendererSizes
from live.train.footage import SHORTEST
from live.train.schedule import follow, rate_at

CARD_KEYS = ("name", "title", "licence", "provenance")
SMALLEST = 32
"""Pixels of the smallest picture that a discriminator judges."""
AWAY = 0.08
"""How far (of -1..1) a pixel must be from the empty place to be looked at more closely."""


@dataclass(frozen=True)
class RendererConfig:
    """Everything a run depends on; kept in the checkpoint and in the card.

    `coarse`: rounds in which only the global generator learns; `judge_from`: the round from which discriminators judge.
    `steps`: pictures of a walk, `strides`: pictures from one to the next, for stages of different speed. Weights of the
    loss: `colours` (absolute difference; `focus` times more of it where somebody is), `likeness` (structure),
    `adversary`, `features` (matching), `perceptual` (with the VGG-19 weights that `vgg` names). `critics`: channels of
    the discriminators' first layer, 0 for none. The rate falls to a twentieth from `decay` of the rounds on.
    """

    model: RendererSizes = field(default_factory=RendererSizes)
    rounds: int = 6000
    coarse: int = 2000
    judge_from: int = 3000
    batch: int = 4
    steps: int = 6
    strides: tuple[int, ...] = (1, 2, 3)
    rate: float = 1e-3
    decay: float = 0.6
    ema: float = 0.995
    clip: float = 5.0
    colours: float = 10.0
    focus: float = 4.0
    likeness: float = 2.0
    adversary: float = 1.0
    features: float = 10.0
    perceptual: float = 0.0
    vgg: str = ""
    critics: int = 16
    critics_rate: float = 2e-4
    scales: int = 3
    seed: int = 1
    every: int = 120

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))


SMALL = RendererConfig(
    RendererSizes(256, width=32, most=128, downs=3, blocks=4, enhancer_blocks=1, kernel=3, reflect=False, plate=True),
    rounds=9600, coarse=1200, judge_from=9600, batch=2, decay=0.5, likeness=3.0, adversary=0.1, features=1.0,
)  # fmt: skip
"""What one CPU core trains and draws; the puppet of configs/renderer-small.toml is trained nearly thrice as long."""


class Rendering(lightning.LightningModule):
    """One run. `average` is the running average of the weights, which is exported; `made` the walks' last pictures."""

    def __init__(self, config: RendererConfig) -> None:
        super().__init__()
        self.automatic_optimization = False
        torch.manual_seed(config.seed)
        self.config, self.rounds_done = config, 0
        self.renderer = Renderer(config.model)
        self.critics = Critics(config.model.planes, config.critics, config.scales) if config.critics else None
        self.vgg = _vgg(config.vgg) if config.perceptual and config.vgg else None
        self.average = copy.deepcopy(self.renderer).requires_grad_(False)
        self.made: Tensor | None = None

    def learn_place(self, plate: np.ndarray) -> None:
        """Give it the empty place [S, S, 3]."""
        for network in (self.renderer, self.average):
            network.plate.copy_(_pictures(torch.from_numpy(plate).movedim(-1, 0)[None]))

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        c = self.config
        groups = [(self.renderer.parameters(), c.rate)]
        if self.critics is not None:
            groups.append((self.critics.parameters(), c.critics_rate))
        return [torch.optim.Adam(list(group), rate, betas=(0.5, 0.999)) for group, rate in groups]

    def training_step(self, batch: Any, index: int) -> None:
        """One round, a `Moment` as tensors: updates of the renderer, its average and, once they judge, the critics."""
        number, c = int(batch.number), self.config
        coarse, critics = number < c.coarse, self.critics if number >= c.judge_from else None
        maps, true, known = batch.maps.float() / 255, _pictures(batch.pictures), _pictures(batch.before)
        if coarse:
            maps, true, known = (F.avg_pool2d(part, 2) for part in (maps, true, known))
        before = self._before(known, batch.fresh)
        made = (self.renderer.small if coarse else self.renderer)(maps, before).float()
        losses = self._likeness(made, true)
        optimisers = self.optimizers()
        optimisers = optimisers if isinstance(optimisers, list) else [optimisers]
        if critics is not None:
            losses |= self._judgement(critics, maps, known, true, before, made)
        losses["loss"] = torch.stack(list(losses.values())).sum()
        self._update(optimisers[0], losses["loss"], c.rate, number)
        follow(self.average, self.renderer, number, c.ema)
        if critics is not None:
            real = critics(maps, known, true)
            losses["judged"] = judged(real, critics(maps, before, made.detach()))
            self._update(optimisers[1], losses["judged"], c.critics_rate, number)
        self.made, self.rounds_done = made.detach(), number + 1
        told = {name: value.detach().float() for name, value in losses.items()}
        self.log_dict({"step": torch.tensor(float(self.rounds_done)), **told})

    def _before(self, known: Tensor, fresh: Tensor) -> Tensor:
        """What each walk has seen last: its own picture, or where it begins nothing (1) or the true one (2)."""
        last = known if self.made is None or self.made.shape != known.shape else self.made
        kind = fresh[:, None, None, None]
        return torch.where(kind == 0, last, torch.where(kind == 1, torch.zeros_like(known), known))

    def _likeness(self, made: Tensor, true: Tensor) -> dict[str, Tensor]:
        c = self.config
        weight = torch.ones_like(true[:, :1])
        if c.focus:
            plate = F.adaptive_avg_pool2d(self.renderer.plate, true.shape[-1])
            away = ((true - plate).abs().amax(1, keepdim=True) > AWAY).float()
            weight = weight + c.focus * F.max_pool2d(away, 5, 1, 2)
        losses = {}
        if c.colours:
            losses["colours"] = c.colours * ((made - true).abs() * weight).sum() / (3 * weight.sum())
        if c.likeness:
            losses["likeness"] = c.likeness * (unlike(made, true) * weight).sum() / weight.sum()
        if self.vgg is not None:
            losses["perceptual"] = c.perceptual * self.vgg(made, true)
        return losses

    def _judgement(
        self, critics: Critics, maps: Tensor, known: Tensor, true: Tensor, before: Tensor, made: Tensor
    ) -> dict[str, Tensor]:
        critics.requires_grad_(False)
        with torch.no_grad():
            real = critics(maps, known, true)
        seen = critics(maps, before, made)
        critics.requires_grad_(True)
        return {
            "fooled": self.config.adversary * fooled(seen),
            "features": self.config.features * matching(real, seen),
        }

    def _update(self, optimiser: Any, loss: Tensor, rate: float, number: int) -> None:
        c, done = self.config, number / self.config.rounds
        for group in optimiser.param_groups:
            group["lr"] = rate_at(done, rate, c.decay)
        optimiser.zero_grad()
        self.manual_backward(loss)
        self.clip_gradients(optimiser, c.clip, "norm")
        optimiser.step()

    def on_train_epoch_end(self) -> None:
        self.trainer.should_stop = self.rounds_done >= self.config.rounds

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["live_renderer"] = json.dumps(
            {"round": self.rounds_done, "config": json.loads(self.config.to_json())}
        )

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.rounds_done = json.loads(checkpoint["live_renderer"])["round"]


def _pictures(pixels: Tensor) -> Tensor:
    return pixels.float() / 127.5 - 1.0


def _vgg(path: str) -> Vgg:
    """VGG-19 with a file's weights (torch's names, `features.0.weight` and so on); `BadFile` where they do not fit."""
    made = Vgg()
    try:
        weights = torch.load(path, weights_only=True, map_location="cpu")
        made.load_state_dict(
            {name: weights[name] for name in made.state_dict() if name.startswith("features")}, strict=False
        )
    except Exception as error:
        raise BadFile(
            f"{path}: has no weights of VGG-19 ({type(error).__name__}): leave `vgg` out, or name them"
        ) from None
    return made.eval().requires_grad_(False)


def read_config(path: Path) -> dict[str, Any]:
    """The TOML configuration ([card], [train], [model]); `BadFile` naming what is wrong."""
    try:
        values = tomllib.loads(path.read_text())
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadFile(f"{path}: is not TOML: {error}") from None
    valid = {
        "card": set(CARD_KEYS),
        "train": {f.name for f in dataclasses.fields(RendererConfig)} - {"model"},
        "model": {f.name for f in dataclasses.fields(RendererSizes)} - {"planes"},
    }
    for section, given in values.items():
        if section not in valid:
            raise BadFile(f"{path}: unknown section [{section}]; valid ones are {', '.join(valid)}")
        if unknown := sorted(set(given) - valid[section]):
            raise BadFile(
                f"{path}: unknown key '{unknown[0]}' in [{section}]; valid: {', '.join(sorted(valid[section]))}"
            )
    return values


def make_config(values: dict[str, Any]) -> RendererConfig:
    """A configuration of plain values, lists standing for tuples; `BadFile` where walks are longer than clips."""
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    made = RendererConfig(**{**given, "model": RendererSizes(**values.get("model", {}))})
    if not 1 <= made.steps <= SHORTEST or made.every % made.steps:
        raise BadFile(f"steps {made.steps}: choose 1..{SHORTEST}, and `every` a multiple of it")
    if made.critics and made.model.size < (least := SMALLEST * 2 ** (made.scales - 1)):
        raise BadFile(f"size {made.model.size}: is too small for {made.scales} scales: choose {least} or more")
    return made
