"""Training of the generator with a latent per tick and self-feeding in segments that grow.

The recipe: windows of `ticks` ticks run in cycles of 2K; the first K / 3 ticks
of a cycle are fed real poses, the rest the generator's own, K growing from 1 to `longest` over the first 70% of
rounds. Loss = MSE + 10 MSE(frame difference) + `kl_weight` KL(posterior || prior), on normalised channels (10 at 60
frames/s weighs about what 2 does at 25).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from live.errors import BadFile
from live.nn.generator import RHYTHM, Generator, GeneratorConfig, given
from live.train.dataset import Batch, Windows


@dataclass(frozen=True)
class TrainConfig:
    """Everything a run depends on; kept in the checkpoint and in the model's card."""

    model: GeneratorConfig = field(default_factory=GeneratorConfig)
    rounds: int = 1000
    batch: int = 40
    ticks: int = 75
    rate: float = 1e-3
    clip: float = 1.0
    weight_decay: float = 1e-6
    longest: int = 15
    kl_weight: float = 0.004
    dropout: float = 0.2
    noise: tuple[float, float] = (0.03, 0.1)
    seed: int = 1
    valid_takes: tuple[str, ...] = ()


class Posterior(nn.Module):
    """What the next pose says about the latent: previous and next pose [B, P] and the tick's rhythm [B, RHYTHM] -> mean
    and log-variance [B, latent]."""

    def __init__(self, config: GeneratorConfig, hidden: int = 256) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(2 * config.pose + RHYTHM, hidden), nn.ReLU(), nn.Linear(hidden, 2 * config.latent)
        )  # fmt: skip

    def forward(self, previous: Tensor, following: Tensor, pulse: Tensor) -> tuple[Tensor, Tensor]:
        mean, logvar = self.net(torch.cat([previous, following, pulse], 1)).chunk(2, 1)
        return mean, logvar.clamp(-6.0, 1.0)


@dataclass
class Losses:
    """Means over a window: squared error, squared error of frame differences, KL per tick (nats)."""

    pose: Tensor
    difference: Tensor
    kl: Tensor

    def total(self, kl_weight: float) -> Tensor:
        return self.pose + 10.0 * self.difference + kl_weight * self.kl


class Trainer:
    """One run: networks, optimiser, schedules. `fit` yields a log line's values per `every` rounds."""

    def __init__(self, config: TrainConfig, windows: Windows, valid: Windows | None = None) -> None:
        torch.manual_seed(config.seed)
        self.config, self.windows, self.valid = config, windows, valid
        self.rng = np.random.default_rng(config.seed)
        self.generator, self.posterior = Generator(config.model), Posterior(config.model)
        self.parameters = [*self.generator.parameters(), *self.posterior.parameters()]
        self.optimiser = torch.optim.Adam(self.parameters, config.rate, weight_decay=config.weight_decay)
        self.round = 0
        self._normalise()

    def _normalise(self) -> None:
        """Mean and deviation of features and poses, from a large batch."""
        batch, g = self.windows.batch(np.random.default_rng(0), 400), self.generator
        features = torch.from_numpy(batch.features).flatten(0, 1)
        poses = torch.from_numpy(batch.poses).flatten(0, 2)
        g.feature_mean.copy_(features.mean(0))
        g.feature_std.copy_(features.std(0).clamp(min=0.05))
        g.feature_mean[-5:], g.feature_std[-5:-1] = 0.0, 0.5  # no beat must read as zero, whatever was trained
        g.pose_mean.copy_(poses.mean(0).repeat(self.config.model.poses))
        g.pose_std.copy_(poses.std(0).clamp(min=0.02).repeat(self.config.model.poses))

    def losses(self, batch: Batch, longest: int, rng: np.random.Generator) -> Losses:
        """Run one window, feeding real and own poses in turn, and compare with the truth."""
        c, g = self.config, self.generator
        features = (torch.from_numpy(batch.features) - g.feature_mean) / g.feature_std
        poses = (torch.from_numpy(batch.poses).flatten(2) - g.pose_mean) / g.pose_std
        before = (torch.from_numpy(batch.before).flatten(1) - g.pose_mean) / g.pose_std
        style = torch.from_numpy(batch.style)
        size, ticks = poses.shape[:2]
        state = g.initial_state(size)
        entries, direct, _ = g.encode(features, state)
        memory, keys, mask = g.windows(entries)
        keep = 1.0 - c.dropout
        dropout = (torch.rand(size, ticks, 2 * c.model.prenet) < keep).float() / keep
        fed_noise = torch.randn(size, ticks, c.model.pose) * float(rng.uniform(*c.noise))
        real, own, out, kl = before, before, [], poses.new_zeros(())
        offset = int(rng.integers(2 * longest))
        for t in range(ticks):
            phase = (t + offset) % (2 * longest)
            fed = real if t == 0 or phase < max(1, longest // 3) else own
            window = slice(t, t + c.model.ring)
            mean, logvar = self.posterior(real, poses[:, t], direct[:, t, -RHYTHM:])
            latent = given(mean + torch.exp(0.5 * logvar) * torch.randn_like(mean))
            tick = g.decode(
                memory[:, window],
                keys[:, window],
                mask[:, window],
                direct[:, t],
                fed + fed_noise[:, t],
                style,
                dropout[:, t],
                state,
                latent,
            )
            kl = kl + gaussian_kl(mean, logvar, tick.prior_mean, tick.prior_logvar)
            state, real, own = tick.state, poses[:, t], tick.pose
            out.append(own)
        shape = (size, 2 * ticks, c.model.channels)
        made, true = torch.stack(out, 1).view(shape), poses.reshape(shape)
        return Losses(F.mse_loss(made, true), F.mse_loss(made.diff(dim=1), true.diff(dim=1)), kl / ticks)

    def step(self) -> Losses:
        """One round: a batch, its gradient, an update."""
        c, done = self.config, self.round / self.config.rounds
        longest = 1 + round((c.longest - 1) * min(1.0, done / 0.7))
        for group in self.optimiser.param_groups:
            group["lr"] = c.rate * (1.0 if done < 0.6 else 1.0 - 0.95 * (done - 0.6) / 0.4)
        losses = self.losses(self.windows.batch(self.rng, c.batch), longest, self.rng)
        self.optimiser.zero_grad(set_to_none=True)
        losses.total(c.kl_weight).backward()
        nn.utils.clip_grad_norm_(self.parameters, c.clip)
        self.optimiser.step()
        self.round += 1
        return losses

    @torch.no_grad()
    def validate(self, batches: int = 2) -> Losses:
        """Losses on the held-out takes with the longest self-feeding, the same windows every time."""
        rng = np.random.default_rng(7)
        assert self.valid is not None
        runs = [self.losses(self.valid.batch(rng, self.config.batch), self.config.longest, rng) for _ in range(batches)]
        return Losses(*(torch.stack([getattr(r, k) for r in runs]).mean() for k in ("pose", "difference", "kl")))

    def fit(self, folder: Path, every: int = 20, keep_every: int = 100) -> Iterator[dict[str, float]]:
        """Train to the end, yielding averages each `every` rounds and keeping `checkpoint.pt` in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        sums, begun = np.zeros(3), time.monotonic()
        while self.round < self.config.rounds:
            losses = self.step()
            sums += [losses.pose.item(), losses.difference.item(), losses.kl.item()]
            if self.round % every == 0 or self.round == self.config.rounds:
                values = dict(zip(("pose", "difference", "kl"), (sums / every).tolist(), strict=True))
                if self.valid is not None and self.round % keep_every == 0:
                    values["valid_pose"] = float(self.validate().pose)
                values |= {"round": self.round, "seconds": time.monotonic() - begun}
                with (folder / "log.jsonl").open("a") as log:
                    log.write(json.dumps(values) + "\n")
                sums[:] = 0.0
                yield values
            if self.round % keep_every == 0 or self.round == self.config.rounds:
                self.save(folder / "checkpoint.pt")

    def save(self, path: Path) -> None:
        """Write the whole run beside `path` and move it there, so that an interrupted save loses nothing."""
        parts = {
            "generator": self.generator.state_dict(),
            "posterior": self.posterior.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "torch_rng": torch.get_rng_state(),
            "numpy_rng": json.dumps(self.rng.bit_generator.state),
            "round": self.round,
            "config": json.dumps(asdict(self.config)),
            "styles": json.dumps(self.windows.styles),
        }
        torch.save(parts, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)

    def resume(self, path: Path) -> None:
        """Go on exactly where `save` was called."""
        parts = read_checkpoint(path)
        self.generator.load_state_dict(parts["generator"])
        self.posterior.load_state_dict(parts["posterior"])
        self.optimiser.load_state_dict(parts["optimiser"])
        torch.set_rng_state(parts["torch_rng"])
        self.rng.bit_generator.state = json.loads(parts["numpy_rng"])
        self.round = parts["round"]


def gaussian_kl(mean: Tensor, logvar: Tensor, prior_mean: Tensor, prior_logvar: Tensor) -> Tensor:
    """KL of one diagonal Gaussian from another, nats, summed over dimensions, mean over the batch."""
    ratio = torch.exp(logvar - prior_logvar)
    square = (mean - prior_mean).pow(2) / prior_logvar.exp()
    return 0.5 * (prior_logvar - logvar + ratio + square - 1.0).sum(1).mean()


def read_checkpoint(path: Path) -> dict:
    """The parts of a checkpoint; raises `BadFile` when it is missing or damaged. Weights only: nothing is executed."""
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:
        raise BadFile(f"{path}: is no whole checkpoint ({type(error).__name__}); train again or name another") from None


def config_from_json(text: str) -> TrainConfig:
    values = json.loads(text)
    values["model"] = GeneratorConfig(**values["model"])
    values["noise"], values["valid_takes"] = tuple(values["noise"]), tuple(values["valid_takes"])
    return TrainConfig(**values)
