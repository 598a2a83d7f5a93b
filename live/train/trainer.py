"""Training of the generator: a latent per tick, self-feeding in segments that grow, the seed paper's adversary.

Windows run in cycles of 2K ticks: the first K / 3 are fed real poses, the rest the generator's own, K growing from 1 to
`longest`. The loss is eq. 16: squared error of the poses, plus lambda 1 times what the discriminator is not fooled by
(eq. 12), plus lambda 2 times what the autoencoder cannot tell (eq. 15); and beyond the paper, of frame differences, KL
of posterior and prior, joints and planted feet. On channels normalised to unit variance.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from live.nn.autoencoder import AudioDecoder, reconstruction
from live.nn.body import body_losses
from live.nn.discriminator import Discriminator, fooled, judged
from live.nn.generator import Generator
from live.nn.plain import PlainLstm
from live.nn.posterior import Posterior
from live.train.config import TrainConfig
from live.train.roll import Feeding, Rolled, Window, cycles, from_rest, normalise, normalised, roll
from live.train.rounds import Round
from live.train.schedule import follow, rate_at

STRETCH = 16
"""Ticks of each window whose bodies are compared; all would cost more than the dance itself."""


class Dancing(lightning.LightningModule):
    """One run: networks, optimisers, schedules. `average` is the running average of the weights, which is validated and
    exported, `moments` what Adam begins with."""

    def __init__(self, config: TrainConfig, styles: list[str]) -> None:
        super().__init__()
        self.automatic_optimization = False
        torch.manual_seed(config.seed)
        self.config, self.styles, self.rounds_done = config, styles, 0
        c = config.model
        self.generator = network(config)
        plain = config.network == "lstm"
        self.posterior = Posterior(c) if c.latent and not plain else None
        self.discriminator = Discriminator(c, config.discriminator) if config.adversary > 0 else None
        self.audio = AudioDecoder(c) if config.autoencoder > 0 and not plain else None
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self.moments: dict[str, Any] = {}
        self.alone_until = 0
        """The round until which the posterior alone learns, where it is newer than the generator."""

    def normalise(self, sample: Any) -> None:
        """Take mean and deviation of features and poses from a large batch."""
        values = Round(torch.zeros(()), *(torch.from_numpy(part) for part in sample))
        for network_ in (self.generator, self.average):
            normalise(network_, values)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        c = self.config
        dancing = [self.generator, self.posterior, self.audio]
        groups = [[p for m in dancing if m is not None for p in m.parameters()]]
        if self.discriminator is not None:
            groups.append(list(self.discriminator.parameters()))
        optimisers: list[torch.optim.Optimizer]
        optimisers = [torch.optim.Adam(group, c.rate, weight_decay=c.weight_decay) for group in groups]
        if self.moments and len(self.moments["param_groups"][0]["params"]) == len(groups[0]):
            optimisers[0].load_state_dict(self.moments)
        return optimisers

    def training_step(self, batch: Round, index: int) -> None:
        """One round: an update of the generator, of its average, and every few rounds of the discriminator."""
        number, c = int(batch.number), self.config
        torch.manual_seed(np.random.SeedSequence([c.seed, number, self.global_rank]).generate_state(1)[0].item())
        done = number / c.rounds
        window = normalised(self.generator, batch)
        if c.rest > 0:
            window = from_rest(window, c.rest, c.model.poses)
        self.generator.requires_grad_(number >= self.alone_until)
        longest = 1 + round((c.longest - 1) * min(1.0, done / c.growth))
        found = self.optimizers()
        optimisers = found if isinstance(found, list) else [found]
        rolled = roll(self.generator, self.posterior, window, Feeding(cycles(c.ticks, longest), c.noise, c.dropout))
        losses = self.losses(rolled, window)
        self._update(optimisers[0], losses["loss"], done)
        follow(self.average, self.generator, number, self.config.ema)
        if self.discriminator is not None and number % c.discriminator_every == 0:
            losses["judged"] = judged(
                self.discriminator, window.poses, rolled.poses.detach(), window.before, window.features
            )
            self._update(optimisers[1], losses["judged"], done)
        self.rounds_done = number + 1
        self._tell({name: value.detach() for name, value in losses.items()} | {"longest": torch.tensor(longest)})

    def losses(self, rolled: Rolled, window: Window) -> dict[str, Tensor]:
        """Each part of eq. 16 and of what goes beyond it, and their weighed sum `loss`."""
        c, made = self.config, rolled.poses
        parts: dict[str, tuple[float, Tensor]] = {
            "pose": (1.0, F.mse_loss(made, window.poses)),
            "difference": (c.difference, F.mse_loss(self._frames(made), self._frames(window.poses))),
            "kl": (c.kl_weight, rolled.kl),
            "prior": (c.prior_weight, rolled.prior),
        }
        if self.discriminator is not None:
            self.discriminator.requires_grad_(False)
            parts["fooled"] = (c.adversary, fooled(self.discriminator, made, window.before, window.features))
            self.discriminator.requires_grad_(True)
        if self.audio is not None and rolled.memory is not None:
            heard = window.features[:, : made.shape[1] - rolled.late]
            parts["audio"] = (c.autoencoder, reconstruction(self.audio, rolled.memory, heard))
        if c.kinematics > 0 or c.contact > 0:
            at = int(torch.randint(made.shape[1] - STRETCH + 1, ()))
            body = body_losses(*(self._bodies(poses[:, at : at + STRETCH]) for poses in (made, window.poses)))
            parts |= {"joints": (c.kinematics, body[0]), "feet": (c.contact, body[1])}
        total = torch.stack([weight * value for weight, value in parts.values()]).sum()
        return {"loss": total} | {name: value for name, (_, value) in parts.items()}

    def _bodies(self, ticks: Tensor) -> Tensor:
        """Normalised [B, T, P] as poses [B, 2T, C] in physical units."""
        return self._poses(ticks * self.generator.pose_std + self.generator.pose_mean)

    def _poses(self, ticks: Tensor) -> Tensor:
        """[B, T, P] as poses [B, 2T, C]."""
        return ticks.reshape(len(ticks), -1, self.config.model.channels)

    def _frames(self, ticks: Tensor) -> Tensor:
        return self._poses(ticks).diff(dim=1)

    def _update(self, optimiser: Any, loss: Tensor, done: float) -> None:
        c = self.config
        for group in optimiser.param_groups:
            group["lr"] = rate_at(done, c.rate, c.decay)
        optimiser.zero_grad()
        self.manual_backward(loss)
        self.clip_gradients(optimiser, c.clip, "norm")
        optimiser.step()

    def validation_step(self, batch: Round, index: int) -> None:
        """The average's losses with the longest self-feeding, the same draws every time."""
        torch.manual_seed(index)
        c, window = self.config, normalised(self.average, batch)
        rolled = roll(self.average, self.posterior, window, Feeding(cycles(c.ticks, c.longest), c.noise, c.dropout))
        values = {
            "valid_pose": F.mse_loss(rolled.poses, window.poses),
            "valid_difference": F.mse_loss(self._frames(rolled.poses), self._frames(window.poses)),
            "valid_kl": rolled.kl,
        }
        self.log_dict(values, on_epoch=True, sync_dist=True, batch_size=len(batch.poses))

    def on_train_epoch_end(self) -> None:
        self.trainer.should_stop = self.rounds_done >= self.config.rounds

    def _tell(self, values: dict[str, Tensor]) -> None:
        self.log_dict({"step": torch.tensor(float(self.rounds_done)), **{k: v.float() for k, v in values.items()}})

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        about = {"round": self.rounds_done, "styles": self.styles, "alone_until": self.alone_until}
        checkpoint["live"] = json.dumps(about | {"config": json.loads(self.config.to_json())})

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        about = json.loads(checkpoint["live"])
        self.rounds_done, self.alone_until = about["round"], about.get("alone_until", 0)


def network(config: TrainConfig) -> nn.Module:
    """The network that a configuration names, untrained."""
    return {"generator": Generator, "lstm": PlainLstm}[config.network](config.model)
