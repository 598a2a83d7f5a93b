"""The paper's losses and the body's: each tells right from wrong, and its own part of the network learns from it."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra `train`)")
torch.set_num_threads(1)

from live import channels, rotation, skeleton  # noqa: E402
from live.nn.autoencoder import AudioDecoder, reconstruction  # noqa: E402
from live.nn.body import body_losses, foot_velocity, joints  # noqa: E402
from live.nn.discriminator import Discriminator, fooled, judged  # noqa: E402
from live.nn.generator import Generator  # noqa: E402
from live.nn.plain import PlainLstm  # noqa: E402
from live.nn.posterior import Posterior, gaussian_kl  # noqa: E402
from live.nn.sizes import GeneratorConfig  # noqa: E402
from live.train.roll import Feeding, Window, roll  # noqa: E402
from live.types import FRAME_RATE  # noqa: E402

SMALL = GeneratorConfig(
    channels=5, convolution=8, encoder=6, ring=7, attention=6, location_filters=3, prenet=8, decoder=12, latent=0
)


def motion(frames=60):
    """A body that walks a curve, turning, its limbs swinging."""
    t, rng = np.arange(frames) / FRAME_RATE, np.random.default_rng(0)
    swing = np.sin(2 * np.pi * t[:, None] + rng.uniform(0, 6, skeleton.COUNT))
    local = np.zeros((frames, skeleton.COUNT, 4), np.float32)
    local[..., 0], local[..., 3] = np.sin(swing / 4), np.cos(swing / 4)
    local[:, 0] = rotation.multiply(rotation.yaw((1.5 * t).astype(np.float32)), local[:, 0])
    root = np.stack([np.sin(t), 0.9 + 0.05 * np.sin(9 * t), 0.8 * t], 1).astype(np.float32)
    return root, local


def test_joints_are_those_of_the_stage_in_the_facing_frame():
    raw = channels.encode(*motion())
    ours = joints(torch.from_numpy(raw)).numpy()
    theirs, _ = skeleton.matrix_kinematics(np.zeros((len(raw), 3), np.float32), channels.decode(raw).matrices)
    assert np.abs(ours - theirs - [0, 1, 0] * raw[:, None, channels.HEIGHT : channels.HEIGHT + 1]).max() < 1e-5


def test_foot_velocity_is_that_in_the_world():
    root, local = motion()
    raw = torch.from_numpy(channels.encode(root, local))
    ours = foot_velocity(raw, joints(raw)).norm(dim=-1).numpy()
    world, _ = skeleton.forward_kinematics(root, local)
    theirs = np.linalg.norm(np.diff(world[:, [*channels.FEET, *channels.TOES]], axis=0), axis=-1) * FRAME_RATE
    assert np.abs(ours - theirs)[1:].max() < 0.02 * theirs.max()


def test_the_body_losses_are_zero_for_the_truth_and_grow_with_the_error():
    raw = torch.from_numpy(channels.encode(*motion()))[None]
    near, far = (raw + size * torch.randn(raw.shape, generator=torch.manual_seed(0)) for size in (0.01, 0.1))
    assert float(body_losses(raw, raw)[0]) == 0.0
    assert 0 < float(body_losses(near, raw)[0]) < float(body_losses(far, raw)[0])


def test_only_planted_feet_may_not_slide():
    raw = torch.from_numpy(channels.encode(*motion()))[None]
    planted, lifted = raw.clone(), raw.clone()
    planted[..., channels.CONTACTS], lifted[..., channels.CONTACTS] = 1.0, 0.0
    assert float(body_losses(raw, lifted)[1]) == 0.0 < float(body_losses(raw, planted)[1])


def pairs(batch=16, ticks=12, seed=0):
    """Motion that is its music, in the first channels."""
    torch.manual_seed(seed)
    features = torch.randn(batch, ticks, SMALL.features)
    return features[..., : SMALL.pose] + 0.1 * torch.randn(batch, ticks, SMALL.pose), features


def test_the_discriminator_learns_which_music_belongs_to_which_motion():
    torch.manual_seed(1)
    d = Discriminator(SMALL, 16)
    optimiser = torch.optim.Adam(d.parameters(), 5e-3)
    for step in range(80):
        poses, features = pairs(seed=step)
        loss = judged(d, poses, torch.randn_like(poses), poses[:, 0], features)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    poses, features = pairs(seed=999)
    with torch.no_grad():
        true, other = d(poses, poses[:, 0], features), d(poses, poses[:, 0], features.roll(1, 0))
    assert float((true > 0).float().mean()) > 0.9 and float((other < 0).float().mean()) > 0.9


def test_the_discriminator_sees_every_difference_of_successive_poses():
    d = Discriminator(SMALL, 8)
    poses = torch.arange(3 * SMALL.pose, dtype=torch.float).view(1, 3, SMALL.pose)
    seen = d.changes(poses, torch.zeros(1, SMALL.pose))
    assert seen.shape == poses.shape
    assert torch.equal(seen.view(6, -1)[1:], torch.full((5, SMALL.channels), float(SMALL.channels)))


def test_who_fools_the_discriminator_has_less_to_learn():
    d, (poses, features) = Discriminator(SMALL, 8), pairs()
    made = torch.randn_like(poses).requires_grad_()
    before = fooled(d, made, poses[:, 0], features)
    before.backward()
    better = made.detach() - 0.5 * made.grad / made.grad.norm()
    assert fooled(d, better, poses[:, 0], features).item() < before.item()


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_autoencoder_teaches_the_encoder_of_the_generator(bidirectional):
    torch.manual_seed(0)
    config = GeneratorConfig(**(SMALL.to_dict() | {"bidirectional": bidirectional}))
    generator, decoder, features = Generator(config), AudioDecoder(config), torch.randn(2, 9, 35)
    reconstruction(decoder, generator.hear(features).memory[:, -9:], features).backward()
    assert generator.behind.weight_ih_l0.grad.abs().sum() > 0 and generator.convolutions[0].weight.grad.abs().sum() > 0
    assert generator.cell.weight.grad is None


def test_the_plain_lstm_follows_the_music_and_hears_no_future():
    torch.manual_seed(0)
    lstm, features = PlainLstm(SMALL), torch.randn(2, 10, 35)
    changed, style = features.clone(), torch.ones(2, SMALL.styles)
    changed[:, 6:] += 1.0
    a, b = lstm(features, style), lstm(changed, style)
    assert torch.equal(a[:, :6], b[:, :6]) and not torch.equal(a[:, 6:], b[:, 6:])


def test_the_plain_lstm_steps_as_it_runs_over_the_whole():
    lstm, features, style = PlainLstm(SMALL).eval(), torch.randn(3, 8, 35), torch.ones(3, SMALL.styles)
    state, poses = lstm.initial_state(3), []
    for t in range(8):
        made, state = lstm.step(features[:, t], torch.zeros(3, 1), torch.zeros(3, 1), style, state)
        poses.append(made.flatten(1))
    assert torch.allclose(torch.stack(poses, 1), lstm(features, style), atol=1e-6)


def test_kl_is_zero_between_equals_and_as_the_formula_between_others():
    mean, logvar = torch.randn(4, 3), torch.randn(4, 3)
    assert float(gaussian_kl(mean, logvar, mean, logvar)) == pytest.approx(0.0, abs=1e-6)
    one = gaussian_kl(torch.ones(1, 1), torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1, 1))
    assert float(one) == pytest.approx(0.5)


def test_posterior_and_prior_are_told_of_their_distance_apart():
    c = GeneratorConfig(
        channels=5,
        convolution=8,
        encoder=6,
        ring=7,
        attention=6,
        location_filters=3,
        prenet=8,
        decoder=12,
        latent=4,
    )
    torch.manual_seed(0)
    network, posterior = Generator(c), Posterior(c)
    poses = torch.randn(2, 6, c.pose)
    window = Window(torch.randn(2, 6, 35), poses, poses[:, 0], torch.ones(2, c.styles))
    rolled = roll(network, posterior, window, Feeding([True] * 6))
    assert float(rolled.kl.detach()) == float(rolled.prior.detach()) > 0
    rolled.kl.backward(retain_graph=True)
    assert network.prior.weight.grad is None and posterior.net[0].weight.grad.abs().sum() > 0
    posterior.zero_grad()
    rolled.prior.backward()
    assert network.prior.weight.grad.abs().sum() > 0
