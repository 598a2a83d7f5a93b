"""States that stay on a device: on a stand-in for CUDA, backends dance as the CPU does, and a state stays a value."""

from __future__ import annotations

import gc

import numpy as np
import onnxruntime
import pytest
from fake_cuda import FakeCuda

from live.backends import _slots, cpu, cuda, tensorrt
from live.backends._reference import deviation
from live.backends._resident import OnDevice
from live.card import GRAPH, find_model, read_card
from live.contracts import FEATURE_NAMES
from live.errors import BadModel, Failed, Unusable
from live.gpu import cuda as gpu
from live.gpu import engines

FOLDER = find_model("salsa")
CARD = read_card(FOLDER)


def cuda_backend(dancers=1):
    """The CUDA backend on the fake GPU's memory, run by the CPU."""
    slots, path = _slots.slots_for(CARD, dancers), FOLDER / GRAPH
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    cuda.start(session, slots, path, CARD, "cpu")
    return OnDevice("cuda", "fake", slots)


@pytest.fixture(params=["tensorrt", "cuda"])
def opened(request, fake):
    """Opens one of the two for so many dancers."""
    if request.param == "cuda":
        return cuda_backend
    request.getfixturevalue("trt")
    return lambda dancers=1: tensorrt.open_backend(FOLDER, CARD, dancers, "fp32")


def drawn(tick, dancers=1):
    noise = np.random.default_rng(tick)
    sizes = {"features": len(FEATURE_NAMES), "noise": CARD.latent, "dropout": CARD.dropout, "style": len(CARD.styles)}
    return {name: noise.random((dancers, size)).astype(np.float32) for name, size in sizes.items()}


def start(dancers=1):
    return {name: np.zeros((dancers, *shape), np.float32) for name, shape in CARD.state.items()}


def danced(backend, ticks, dancers=1, rehearsals=0):
    state, poses = start(dancers), []
    for tick in range(ticks):
        for _ in range(rehearsals):
            backend.step(drawn(tick + 1000, dancers), state)
        raw, state = backend.step(drawn(tick, dancers), state)
        poses.append(raw)
    return np.stack(poses), state


@pytest.mark.parametrize("dancers", [1, 3])
def test_ticks_on_a_device_are_those_of_the_cpu(opened, dancers):
    found, state = danced(opened(dancers), 12, dancers)
    wanted, kept = danced(cpu.open_backend(FOLDER, CARD, dancers, GRAPH), 12, dancers)
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert [*state] == [*kept]
    for name in kept:
        np.testing.assert_allclose(state[name], kept[name], atol=1e-4)


def test_a_rehearsed_dance_is_the_same(opened):
    np.testing.assert_array_equal(danced(opened(), 8)[0], danced(opened(), 8, rehearsals=3)[0])


def test_a_tick_can_be_run_from_any_state_that_somebody_kept(opened):
    backend, state, states, poses = opened(), start(), [], []
    for tick in range(6):
        states.append(state)
        raw, state = backend.step(drawn(tick), state)
        poses.append(raw)
    for tick in (5, 0, 3, 2):
        np.testing.assert_array_equal(backend.step(drawn(tick), states[tick])[0], poses[tick])


def test_the_usual_order_leaves_every_state_on_the_device(opened, monkeypatch):
    backend = opened()
    _, state = backend.step(drawn(0), start())
    monkeypatch.setattr(backend._slots, "fetch", None)
    monkeypatch.setattr(backend._slots, "upload", None)
    for tick in range(1, 6):
        for _ in range(2):
            _, _rehearsed = backend.step(drawn(tick), state)
            del _rehearsed, _
        _, state = backend.step(drawn(tick), state)


def test_what_a_state_was_read_as_does_not_change(opened):
    backend = opened()
    _, state = backend.step(drawn(0), start())
    before = {name: value.copy() for name, value in state.items()}
    for tick in range(4):
        backend.step(drawn(tick), state)
    for name, value in before.items():
        np.testing.assert_array_equal(state[name], value)


def test_poses_are_arrays_of_their_own(opened):
    backend = opened()
    first, state = backend.step(drawn(0), start())
    kept = first.copy()
    backend.step(drawn(1), state)
    np.testing.assert_array_equal(first, kept)


def test_a_copy_does_not_wait_and_is_of_the_state_that_it_was_asked_of(opened, fake):
    backend = opened()
    _, state = backend.step(drawn(0), start())
    fake.slow = True
    copy = backend.copied(state)
    assert copy() is None
    fake.slow = False
    wanted = dict(state)
    _, following = backend.step(drawn(1), state)
    backend.step(drawn(2), following)
    assert fake.waited
    for name, value in copy().items():
        np.testing.assert_array_equal(value, wanted[name])


def test_a_second_copy_leaves_the_first_one_as_it_was(opened, fake):
    backend = opened()
    _, state = backend.step(drawn(0), start())
    fake.slow = True
    first, wanted = backend.copied(state), state["pose"]
    _, state = backend.step(drawn(1), state)
    fake.slow = True
    second = backend.copied(state)
    fake.slow = False
    np.testing.assert_array_equal(first()["pose"], wanted)
    np.testing.assert_array_equal(second()["pose"], state["pose"])


def test_a_state_on_the_host_is_its_own_copy(opened):
    state = start()
    assert opened().copied(state)() is state


def test_what_fails_on_the_device_says_which_call(opened, fake):
    backend = opened()
    _, state = backend.step(drawn(0), start())
    fake.broken = "cudaStreamSynchronize"
    with pytest.raises(Failed, match="cudaStreamSynchronize: cudaErrorLaunchFailure"):
        backend.step(drawn(1), state)


def test_a_closed_backend_leaves_nothing_on_the_device_but_its_last_state_can_be_read(opened, fake):
    backend = opened()
    _, state = backend.step(drawn(0), start())
    backend.close()
    gc.collect()
    assert not fake.held and state["pose"].any()


# ---- TensorRT ----------------------------------------------------------------------------------------------------


def test_a_tick_is_one_recorded_graph(fake, trt):
    backend = tensorrt.open_backend(FOLDER, CARD, 1)
    executed = trt.executed
    danced(backend, 5)
    assert (trt.executed, fake.launched) == (executed, 5)


def test_what_cannot_be_recorded_is_run_step_by_step(fake, trt):
    trt.capturable = False
    danced(tensorrt.open_backend(FOLDER, CARD, 1), 5)
    assert trt.executed >= 5 and not fake.launched


def test_compiled_kernels_are_kept_and_read_again(trt):
    tensorrt.open_backend(FOLDER, CARD, 1)
    assert not trt.known
    tensorrt.open_backend(FOLDER, CARD, 1)
    assert trt.known == [b"kernels"]


def test_the_device_is_told_in_words(trt):
    assert tensorrt.open_backend(FOLDER, CARD, 1).device == "fake_tensorrt 1, fp16, A fake GPU"


def test_the_engine_follows_the_reference(trt):
    found = deviation(tensorrt.open_backend(FOLDER, CARD, 1, "fp32").step, FOLDER, CARD)
    assert found.channels < 1e-4 and found.joints < 1e-4 and found.ticks == 60


def test_an_engine_that_is_of_another_model_is_refused(trt):
    other = CARD.model_copy(update={"latent": CARD.latent + 1})
    with pytest.raises(BadModel, match="input 'noise'"):
        tensorrt.open_backend(FOLDER, other, 1)


def test_an_engine_that_cannot_be_loaded_is_told_in_one_line(trt, monkeypatch):
    monkeypatch.setattr(engines, "build", lambda graph, gpu: b"")
    with pytest.raises(Unusable, match="TensorRT cannot be used on A fake GPU: the engine cannot be loaded"):
        tensorrt.open_backend(FOLDER, CARD, 1)


# ---- finding one -------------------------------------------------------------------------------------------------


def test_a_gpu_is_found_with_its_capability():
    assert gpu.find_gpu(FakeCuda((12, 0))) == ("A fake GPU", "sm120")


@pytest.mark.parametrize("cuda", [None, FakeCuda(count=0)])
def test_without_bindings_or_devices_there_is_no_gpu(cuda):
    assert gpu.find_gpu(cuda) is None


def test_a_driver_that_fails_is_no_gpu():
    fake = FakeCuda()
    fake.broken = "cudaGetDeviceCount"
    assert gpu.find_gpu(fake) is None
