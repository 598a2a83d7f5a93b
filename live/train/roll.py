"""The networks run over training windows, fed real poses and their own in turn."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from live.nn.generator import Generator, drawn, given
from live.nn.plain import PlainLstm
from live.nn.posterior import Posterior, gaussian_kl
from live.nn.sizes import RHYTHM
from live.train.rounds import Round
from live.types import FRAME_RATE

GROWN = 1.0
"""Seconds in which a dance grows out of the mean pose."""


class Window(NamedTuple):
    """A batch, normalised: features [B, T, 35], poses [B, T, P], the one before them [B, P], style [B, S]."""

    features: Tensor
    poses: Tensor
    before: Tensor
    style: Tensor


class Feeding(NamedTuple):
    """Which ticks are fed the real pose, the others being fed the network's own; `noise`: bounds of the deviation of
    what is added to fed poses; `dropout` of the prenet."""

    real: list[bool]
    noise: tuple[float, float] = (0.0, 0.0)
    dropout: float = 0.0


class Rolled(NamedTuple):
    """Poses [B, T, P]; the KL of posterior and prior (nats a tick) for the posterior to lessen (`kl`) and for the prior
    (`prior`): one number twice, so that they can weigh differently; encoder states [B, T', 2E] of the last T' ticks but
    the `late` newest ones, None where there is no encoder."""

    poses: Tensor
    kl: Tensor
    prior: Tensor
    memory: Tensor | None = None
    late: int = 0


def normalised(network: Generator | PlainLstm, batch: Round) -> Window:
    g = network
    return Window(
        (batch.features - g.feature_mean) / g.feature_std,
        (batch.poses.flatten(2) - g.pose_mean) / g.pose_std,
        (batch.before.flatten(1) - g.pose_mean) / g.pose_std,
        batch.style,
    )


def from_rest(window: Window, share: float, poses: int) -> Window:
    """The window, a share of its dances beginning as on the stage, from the mean pose, and growing into the recorded
    one within `GROWN` seconds; `poses` a tick. Draws from torch's generator."""
    size, ticks, width = window.poses.shape
    rested = torch.rand(size, 1, device=window.poses.device) < share
    at = ((1.0 + torch.arange(ticks * poses, device=rested.device)) / (GROWN * FRAME_RATE)).clamp(max=1.0)
    grown = (at * at * (3.0 - 2.0 * at)).reshape(ticks, poses).repeat_interleave(width // poses, 1)  # [T, P]
    return window._replace(
        poses=torch.where(rested.unsqueeze(2), window.poses * grown, window.poses),
        before=torch.where(rested, 0.0, window.before),
    )


def normalise(network: Generator | PlainLstm, batch: Round) -> None:
    """Set mean and deviation of features and poses to those of a large batch."""
    features, poses, g = batch.features.flatten(0, 1), batch.poses.flatten(0, 2), network
    g.feature_mean.copy_(features.mean(0))
    g.feature_std.copy_(features.std(0).clamp(min=0.05))
    g.feature_mean[-5:], g.feature_std[-5:-1] = 0.0, 0.5  # no beat must read as zero, whatever was trained
    g.pose_mean.copy_(poses.mean(0).repeat(g.config.poses))
    g.pose_std.copy_(poses.std(0).clamp(min=0.02).repeat(g.config.poses))


def roll(network: Generator | PlainLstm, posterior: Posterior | None, window: Window, feeding: Feeding) -> Rolled:
    """Run a window. Without a posterior latents come from the prior. Draws from torch's generator."""
    if isinstance(network, PlainLstm):
        nothing = window.poses.new_zeros(())
        return Rolled(network(window.features, window.style), nothing, nothing)
    return _roll(network, posterior, window, feeding)


def _roll(g: Generator, posterior: Posterior | None, window: Window, feeding: Feeding) -> Rolled:
    size, ticks = window.poses.shape[:2]
    device, c = window.poses.device, g.config
    heard = g.hear(window.features)
    previous = torch.cat([window.before.unsqueeze(1), window.poses[:, :-1]], 1)  # [B, T, P]
    keep = 1.0 - feeding.dropout
    dropout = (torch.rand(size, ticks, 2 * c.prenet, device=device) < keep).float() / keep
    blur = float(torch.empty(()).uniform_(*feeding.noise)) if feeding.noise[1] > 0 else 0.0
    noise = torch.randn(size, ticks, c.latent, device=device)
    if posterior is not None:
        mean, logvar = posterior(previous, window.poses, heard.direct[..., -RHYTHM:])  # [B, T, latent]
        latents = mean + torch.exp(0.5 * logvar) * noise
    state, own, out, priors = g.initial_state(size, ticks), window.before, [], []
    for t in range(ticks):
        fed = previous[:, t] if feeding.real[t] else own
        fed = fed + blur * torch.randn_like(fed) if blur else fed
        latent = given(latents[:, t]) if posterior is not None else drawn(noise[:, t])
        tick = g.decode(*heard.at(t), fed, window.style, dropout[:, t], state, latent)
        state, own = tick.state, tick.pose
        out.append(own)
        priors.append(torch.cat([tick.prior_mean, tick.prior_logvar], 1))
    kl = expected = window.poses.new_zeros(())
    if posterior is not None:
        prior = torch.stack(priors, 1)
        kl = gaussian_kl(mean, logvar, *prior.detach().chunk(2, 2))
        expected = gaussian_kl(mean.detach(), logvar.detach(), *prior.chunk(2, 2))
    late = 0 if c.bidirectional else c.lookahead
    return Rolled(torch.stack(out, 1), kl, expected, heard.memory[:, -(ticks - late) :], late)


def cycles(ticks: int, longest: int) -> list[bool]:
    """Which ticks are fed the real pose: of each 2 `longest` a sixth, beginning anywhere in a cycle, and the first."""
    offset = int(torch.randint(2 * longest, ()))
    return [t == 0 or (t + offset) % (2 * longest) < max(1, longest // 3) for t in range(ticks)]
