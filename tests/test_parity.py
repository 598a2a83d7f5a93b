"""Each backend beside torch, over 1,000 ticks that each begin from the state of torch: as exact as its precision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra `train`)")
pytest.importorskip("onnx", reason="onnx is not installed (extra `train`)")

from test_training import CARD, SMALL  # noqa: E402

from live.backends import cpu, cuda, tensorrt  # noqa: E402
from live.card import GRAPH, read_card  # noqa: E402
from live.choice import choose  # noqa: E402
from live.generator import Generator as Stage  # noqa: E402
from live.generator import style_weights  # noqa: E402
from live.nn.generator import Generator  # noqa: E402
from live.nn.plain import PlainLstm  # noqa: E402
from live.train.export import export_model  # noqa: E402
from live.train.stored import HALVED_FROM  # noqa: E402

TICKS, DANCERS = 1000, 4
torch.set_num_threads(1)


@pytest.fixture(scope="module", params=[(Generator, SMALL), (PlainLstm, SMALL), (Generator, replace(SMALL, latent=0))])
def model(request, tmp_path_factory):
    """A small random network as a model folder, and itself with the weights as they are stored there."""
    torch.manual_seed(0)
    kind, config = request.param
    network, folder = kind(config).eval(), tmp_path_factory.mktemp("parity")
    export_model(network, folder, CARD, np.random.default_rng(0).normal(size=(60, 35)).astype(np.float32))
    halved = {name: v.half().float() if v.numel() >= HALVED_FROM else v for name, v in network.state_dict().items()}
    network.load_state_dict(halved)
    return folder, read_card(folder), network


def ticks(network, card):
    """Inputs, state and poses of each tick, as torch has them."""
    noise = np.random.default_rng(1)
    sizes = {"features": 35, "noise": card.latent, "dropout": card.dropout, "style": len(card.styles)}
    state = network.initial_state(DANCERS)
    for _ in range(TICKS):
        inputs = {name: noise.normal(size=(DANCERS, size)).astype(np.float32) for name, size in sizes.items()}
        with torch.no_grad():
            poses, following = network.step(*map(torch.from_numpy, inputs.values()), state)
        yield inputs, {name: value.numpy() for name, value in state.items()}, poses.numpy()
        state = following


def furthest(backend, model):
    """The largest difference of any channel at any tick."""
    _, card, network = model
    return max(
        float(np.abs(backend.step(inputs, state)[0] - poses).max()) for inputs, state, poses in ticks(network, card)
    )


def on_gpu(module):
    """Marks for a backend that needs a GPU, here or not."""
    reason = module.missing()
    return [pytest.mark.gpu, pytest.mark.skipif(bool(reason), reason=f"{module.__name__}: {reason}")]


WAYS = [
    pytest.param(lambda *given: cpu.open_backend(*given, GRAPH), 1e-4, id="cpu"),
    pytest.param(cuda.open_backend, 1e-4, id="cuda", marks=on_gpu(cuda)),
    pytest.param(
        lambda *given: tensorrt.open_backend(*given, "fp32"), 1e-4, id="tensorrt-fp32", marks=on_gpu(tensorrt)
    ),
    pytest.param(
        lambda *given: tensorrt.open_backend(*given, "fp16"), 1e-2, id="tensorrt-fp16", marks=on_gpu(tensorrt)
    ),
]


@pytest.mark.parametrize(
    "name", [pytest.param(one.__name__.split(".")[-1], marks=on_gpu(one)) for one in (cuda, tensorrt)]
)
def test_a_minute_is_danced_on_a_gpu_without_losing_it(name, model, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder, card, _ = model
    backend, why = choose(name, folder, card, DANCERS)
    generator = Stage(card, backend, DANCERS, style_weights(card, ""), 1, None)
    state = generator.initial_state()
    for tick in range(60 * card.tick_rate):
        generator.step(np.zeros(35, np.float32), tick, state)
        raw, state = generator.step(np.ones(35, np.float32), tick, state)
        assert np.isfinite(raw).all()
    assert (backend.recoveries(), why) == ([], f"backend: {name}")
    assert {key: value.shape[1:] for key, value in state.items()} == {k: tuple(v) for k, v in card.state.items()}
    backend.close()


@pytest.mark.parametrize(("opened", "close"), WAYS)
def test_a_thousand_ticks_are_those_of_torch(model, monkeypatch, tmp_path, opened, close):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    backend = opened(*model[:2], DANCERS)
    assert furthest(backend, model) < close
    backend.close()
