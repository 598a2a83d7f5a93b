"""The generator's two forms are one: whole sequences and single ticks agree, and nothing leaks from the future."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra `train`)")

from live.nn.generator import Generator, GeneratorConfig, state_shapes  # noqa: E402

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
