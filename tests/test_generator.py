"""The generator's two forms are one: whole sequences and single ticks agree, and nothing leaks from the future."""

import math
from dataclasses import replace

import numpy as np
import pytest

from live import channels

torch = pytest.importorskip("torch", reason="torch is not installed (extra `train`)")

from scipy.signal import lfilter  # noqa: E402

from live.nn.generator import Generator, rhythm  # noqa: E402
from live.nn.sizes import GeneratorConfig, state_shapes  # noqa: E402

SMALL = GeneratorConfig(
    channels=5, convolution=8, encoder=6, ring=7, attention=6, location_filters=3, prenet=8, decoder=12, latent=4
)


def setting(dancers=3, ticks=40, seed=0):
    torch.manual_seed(seed)
    generator = Generator(SMALL).double().eval()
    generator.pose_mean.normal_()
    generator.feature_std.uniform_(0.5, 2)
    noise = torch.randn(dancers, ticks, SMALL.latent).double()
    dropout = (torch.rand(dancers, ticks, 2 * SMALL.prenet) > 0.2).double()
    features, poses = torch.randn(dancers, ticks, 35).double(), torch.randn(dancers, ticks, SMALL.pose).double()
    return generator, features, poses, torch.rand(dancers, 2).double(), noise, dropout


def stepped(generator, features, poses, style, noise, dropout):
    """Teacher-forced ticks, each from the reference pose, physical units brought back to normalised ones."""
    state, out = generator.initial_state(len(features)), []
    for t in range(features.shape[1]):
        if t:
            state["pose"] = poses[:, t - 1]
        physical = features[:, t] * generator.feature_std + generator.feature_mean
        pose, state = generator.step(physical, noise[:, t], dropout[:, t], style, state)
        out.append((pose.flatten(1) - generator.pose_mean) / generator.pose_std)
    return torch.stack(out, 1), state


@pytest.mark.parametrize("dancers", [1, 3])
def test_steps_equal_forward_with_the_ring_wrapped_five_times(dancers):
    generator, features, poses, style, noise, dropout = setting(dancers)
    start = torch.zeros(dancers, SMALL.pose).double()
    with torch.no_grad():
        whole = generator(features, poses, style, noise, dropout, start)
        ticks, _ = stepped(generator, features, poses, style, noise, dropout)
    assert (whole - ticks).abs().max() < 1e-9


def test_the_future_changes_nothing_earlier():
    generator, features, poses, style, noise, dropout = setting()
    start, changed = torch.zeros(3, SMALL.pose).double(), features.clone()
    changed[:, 25:] = 9.0
    with torch.no_grad():
        a = generator(features, poses, style, noise, dropout, start)
        b = generator(changed, poses, style, noise, dropout, start)
    assert torch.equal(a[:, :25], b[:, :25]) and not torch.equal(a[:, 25:], b[:, 25:])


def test_a_memory_entry_never_changes_once_written():
    generator, features, *_ = setting()
    with torch.no_grad():
        short, _, _ = generator.encode(features[:, :20], generator.initial_state(3))
        long, _, _ = generator.encode(features, generator.initial_state(3))
    assert torch.allclose(short, long[:, :20], atol=1e-12)


def test_an_empty_ring_gives_no_attention():
    generator, features, poses, style, noise, dropout = setting()
    _, state = stepped(generator, features[:, : SMALL.lookahead], poses, style, noise, dropout)
    assert state["weights"].abs().max() == 0
    _, state = stepped(generator, features[:, : SMALL.lookahead + 1], poses, style, noise, dropout)
    assert torch.allclose(state["weights"].sum(1), torch.ones(3).double())


def test_one_dancer_does_not_disturb_another():
    generator, features, poses, style, noise, dropout = setting()
    with torch.no_grad():
        together, _ = stepped(generator, features, poses, style, noise, dropout)
        alone, _ = stepped(generator, *(x[1:2] for x in (features, poses, style, noise, dropout)))
    assert (together[1:2] - alone).abs().max() < 1e-12


def test_the_state_is_as_declared():
    generator, *rest = setting()
    _, state = stepped(generator, *rest)
    assert {k: tuple(v.shape[1:]) for k, v in state.items()} == state_shapes(SMALL)


def variant(**changes):
    torch.manual_seed(0)
    return Generator(GeneratorConfig(**(SMALL.to_dict() | changes))).double().eval()


def danced(generator, features):
    rest = setting()[2:]
    poses, style, noise, dropout = rest
    with torch.no_grad():
        return generator(features, poses, style, noise, dropout, torch.zeros(3, SMALL.pose).double())


def test_a_bidirectional_encoder_hears_the_song_to_its_end():
    features = setting()[1]
    generator, changed = variant(bidirectional=True), features.clone()
    changed[:, -1] = 9.0
    assert not torch.equal(danced(generator, features)[:, 0], danced(generator, changed)[:, 0])


def test_a_bidirectional_attention_spreads_over_the_whole_song():
    generator, features = variant(bidirectional=True), setting()[1]
    heard = generator.hear(features)
    assert heard.memory.shape[1] == features.shape[1] and bool((heard.mask == 1).all())
    weights, total = generator._attention(heard.keys, heard.mask, generator.initial_state(3, features.shape[1]))
    assert torch.allclose(weights.sum(1), torch.ones(3).double()) and torch.equal(weights, total)


def test_without_attention_the_newest_entry_is_given():
    generator, features = variant(attend=False), setting()[1]
    heard = generator.hear(features)
    _, keys, mask, _ = heard.at(SMALL.lookahead)
    weights, _ = generator._attention(keys, mask, generator.initial_state(3))
    assert torch.equal(weights[0], torch.eye(SMALL.ring)[-1].double())
    _, keys, mask, _ = heard.at(SMALL.lookahead - 1)
    assert generator._attention(keys, mask, generator.initial_state(3))[0].abs().max() == 0


def test_emphasis_makes_the_beat_larger_and_nothing_else():
    features = torch.randn(2, 5, 35)
    plain, louder = rhythm(features), rhythm(features, 3.0)
    assert torch.equal(louder[..., :6], 3.0 * plain[..., :6]) and torch.equal(louder[..., 6:], plain[..., 6:])
    features[..., -5:] = 0.0
    assert not rhythm(features, 3.0).any()


def test_amplitude_makes_movement_larger_and_turns_and_contacts_not():
    sizes = replace(SMALL, channels=channels.COUNT)
    plain, larger = (Generator(replace(sizes, amplitude=size)).double().eval() for size in (1.0, 1.5))
    plain.pose_mean.normal_()
    larger.load_state_dict(plain.state_dict())
    rest = [torch.zeros(3, n).double() for n in (SMALL.latent, 2 * SMALL.prenet, SMALL.styles)]
    features = torch.randn(3, 35).double()
    one, other = (g.step(features, *rest, g.initial_state(3))[0] for g in (plain, larger))
    mean = plain.pose_mean.view(sizes.poses, sizes.channels)
    wanted = torch.full((channels.COUNT,), 1.5).double()
    wanted[channels.YAW_RATE] = wanted[channels.CONTACTS] = 1.0
    assert torch.allclose(other - mean, wanted * (one - mean))


def test_smoothing_is_two_low_passes_over_the_movement_and_nothing_else():
    generator, features, poses, style, noise, dropout = setting()
    with torch.no_grad():
        plain, state = stepped(generator, features, poses, style, noise, dropout)
        generator.config = replace(SMALL, smoothing=0.05)
        smooth, smoothed = stepped(generator, features, poses, style, noise, dropout)
    taken = 1.0 - math.exp(-1.0 / (60 * 0.05))
    frames = (plain * generator.pose_std).reshape(3, -1, SMALL.channels).numpy()
    for _ in range(2):
        frames = lfilter([taken], [1.0, taken - 1.0], frames, axis=1)
    assert np.allclose((smooth * generator.pose_std).reshape(3, -1, SMALL.channels).numpy(), frames, atol=1e-12)
    assert torch.equal(state["pose"], smoothed["pose"]) and "smoothed" not in state
