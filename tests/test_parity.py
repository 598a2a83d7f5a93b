"""Each backend beside torch, over 1,000 ticks that each begin from the state of torch: as exact as its precision."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra `train`)")
pytest.importorskip("onnx", reason="onnx is not installed (extra `train`)")

from test_training import CARD, SMALL  # noqa: E402

from live.backends import cpu, cuda, tensorrt  # noqa: E402
from live.backends._reference import SINGLE  # noqa: E402
from live.card import read_card  # noqa: E402
from live.nn.generator import Generator  # noqa: E402
from live.train.export import export_model  # noqa: E402

TICKS = 1000
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small random network as a model folder, and itself with the weights as they are stored there."""
    torch.manual_seed(0)
    network, folder = Generator(SMALL).eval(), tmp_path_factory.mktemp("parity")
    export_model(network, folder, CARD, np.random.default_rng(0).normal(size=(60, 35)).astype(np.float32))
    halved = {name: v.half().float() if v.numel() >= 256 else v for name, v in network.state_dict().items()}
    network.load_state_dict(halved)
    return folder, read_card(folder), network


def ticks(network, card, dancers):
    """Inputs, state and poses of each tick, as torch has them."""
    noise = np.random.default_rng(1)
    sizes = {"features": 35, "noise": card.latent, "dropout": card.dropout, "style": len(card.styles)}
    state = network.initial_state(dancers)
    for _ in range(TICKS):
        inputs = {name: noise.normal(size=(dancers, size)).astype(np.float32) for name, size in sizes.items()}
        with torch.no_grad():
            poses, following = network.step(*map(torch.from_numpy, inputs.values()), state)
        yield inputs, {name: value.numpy() for name, value in state.items()}, poses.numpy()
        state = following


def furthest(backend, model, dancers):
    """The largest difference of any channel at any tick."""
    _, card, network = model
    return max(
        float(np.abs(backend.step(inputs, state)[0] - poses).max())
        for inputs, state, poses in ticks(network, card, dancers)
    )


def on_gpu(module):
    """Marks for a backend that needs a GPU, here or not."""
    reason = module.missing()
    return [pytest.mark.gpu, pytest.mark.skipif(bool(reason), reason=f"{module.__name__}: {reason}")]


WAYS = [
    pytest.param(lambda *given: cpu.open_backend(*given, SINGLE), 1e-4, id="cpu"),
    pytest.param(cuda.open_backend, 1e-4, id="cuda", marks=on_gpu(cuda)),
    pytest.param(
        lambda *given: tensorrt.open_backend(*given, "fp32"), 1e-4, id="tensorrt-fp32", marks=on_gpu(tensorrt)
    ),
    pytest.param(
        lambda *given: tensorrt.open_backend(*given, "fp16"), 1e-2, id="tensorrt-fp16", marks=on_gpu(tensorrt)
    ),
]


@pytest.mark.parametrize("dancers", [1, 8])
@pytest.mark.parametrize(("opened", "close"), WAYS)
def test_a_thousand_ticks_are_those_of_torch(model, monkeypatch, tmp_path, opened, close, dancers):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    backend = opened(*model[:2], dancers)
    assert furthest(backend, model, dancers) < close
    backend.close()
