"""A GPU is lost in the middle: the CPU goes on within a second, from where the dance was, without a jump."""

from __future__ import annotations

import json
import threading
import time

import numpy as np
import pytest

from live import choice, fallback
from live.backends import cpu, cuda, frail, tensorrt
from live.card import find_model, read_card
from live.choice import choose
from live.cli.perform import Run, perform
from live.contracts import FEATURE_NAMES, HANG, LOSE, Backend
from live.errors import BadModel, Unusable
from live.fallback import BLEND, LIMIT, MIRRORED_EVERY, Fallback
from live.generator import Generator, style_weights
from live.show import make_show
from live.take import read_take

FOLDER = find_model("salsa")
CARD = read_card(FOLDER)


class Gpu(Backend):
    """A stand-in that dances as the CPU does, `off` by so much in every channel. `fails[n]` is raised, or called, at
    step n; copies arrive when they are asked for the `slow`th time."""

    name, device = "gpu", "a stand-in"

    def __init__(self, fails=None, off=0.0, slow=0, dancers=1):
        self.inner, self.fails, self.off, self.slow = cpu.open_backend(FOLDER, CARD, dancers), fails or {}, off, slow
        self.steps = self.copies = 0
        self.closed = False

    def step(self, inputs, state):
        self.steps += 1
        fault = self.fails.get(self.steps)
        if isinstance(fault, Exception):
            raise fault
        if fault is not None:
            fault()
        poses, following = self.inner.step(inputs, state)
        return poses + np.float32(self.off), following

    def copied(self, state):
        self.copies += 1
        asked = 0

        def copy():
            nonlocal asked
            asked += 1
            return state if asked > self.slow else None

        return copy

    def close(self):
        self.closed = True


@pytest.fixture
def hang():
    """Called, it waits until the test is over."""
    over = threading.Event()
    yield lambda: over.wait(20)
    over.set()


def with_cpu(gpu, dancers=1):
    return Fallback(lambda: gpu, lambda: cpu.open_backend(FOLDER, CARD, dancers))


def danced(backend, ticks, dancers=1, rehearsals=0, seed=1):
    """Raw poses [ticks * poses, channels] of the first dancer, and the last state."""
    generator = Generator(CARD, backend, dancers, style_weights(CARD, ""), seed, None)
    state, out = generator.initial_state(), []
    heard = np.random.default_rng(0).normal(size=(ticks, len(FEATURE_NAMES))).astype(np.float32)
    for tick in range(ticks):
        for _ in range(rehearsals):
            generator.step(heard[tick], tick, state)
        raw, state = generator.step(heard[tick], tick, state)
        out += list(raw[0])
    return np.stack(out), state


LOST = RuntimeError("it fell off the bus")


@pytest.mark.parametrize("at", [1, 2, 14, 15, 16, 17, 33])
def test_the_dance_goes_on_as_if_nothing_had_happened(at):
    found, state = danced(with_cpu(Gpu({at: LOST})), 50)
    wanted, kept = danced(Gpu(), 50)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    np.testing.assert_allclose(state["pose"], kept["pose"], atol=1e-5)


@pytest.mark.parametrize("slow", [0, 1, 3, 1000])
def test_copies_may_take_their_time(slow):
    found, _ = danced(with_cpu(Gpu({40: LOST}, slow=slow)), 50)
    np.testing.assert_allclose(found, danced(Gpu(), 50)[0], atol=1e-5)


def test_a_rehearsed_dance_is_the_same_and_copied_no_more_often():
    gpu = Gpu({150: LOST})
    found, _ = danced(with_cpu(gpu), 50, rehearsals=3)
    np.testing.assert_allclose(found, danced(Gpu(), 50)[0], atol=1e-5)
    assert gpu.copies == 37 // (MIRRORED_EVERY + 1)


def test_it_is_told_once_and_then_the_cpu_is_what_dances():
    gpu = Gpu({5: LOST})
    backend = with_cpu(gpu)
    danced(backend, 20)
    assert backend.recoveries() == ["gpu was lost (it fell off the bus); cpu goes on"]
    assert (backend.recoveries(), backend.name, gpu.steps) == ([], "cpu", 5)


def test_a_gpu_that_never_answers_is_given_up_in_time(hang):
    backend, took = with_cpu(Gpu({20: hang})), []
    generator = Generator(CARD, backend, 1, style_weights(CARD, ""), 1, None)
    state = generator.initial_state()
    for tick in range(25):
        begun = time.monotonic()
        _, state = generator.step(np.zeros(35, np.float32), tick, state)
        took.append(time.monotonic() - begun)
    assert LIMIT <= took[19] < 1.0
    assert f"no answer for {LIMIT:g} s" in backend.recoveries()[0]


def test_a_gpu_is_opened_asked_and_closed_in_one_thread_of_its_own():
    threads = []

    class Noting(Gpu):
        def __init__(self):
            threads.append(threading.get_ident())
            super().__init__()

        def step(self, inputs, state):
            threads.append(threading.get_ident())
            return super().step(inputs, state)

        def close(self):
            threads.append(threading.get_ident())

    backend = Fallback(Noting, lambda: cpu.open_backend(FOLDER, CARD, 1))
    danced(backend, 2)
    backend.close()
    assert len(threads) == 4 and len(set(threads)) == 1 and threading.get_ident() not in threads


def test_many_dancers_are_led_on_in_time():
    backend = with_cpu(Gpu({31: LOST}, dancers=64), 64)
    generator = Generator(CARD, backend, 64, style_weights(CARD, ""), 1, None)
    state = generator.initial_state()
    for tick in range(31):
        begun = time.monotonic()
        _, state = generator.step(np.zeros(35, np.float32), tick, state)
    assert time.monotonic() - begun < 1.0 and backend.recoveries()


@pytest.mark.parametrize("patience", [fallback.CATCHING_UP, 0.0])
def test_where_both_differ_the_difference_runs_out_without_a_jump(monkeypatch, patience):
    monkeypatch.setattr(fallback, "CATCHING_UP", patience)
    lost_at = 40
    found, _ = danced(with_cpu(Gpu({lost_at: LOST}, off=0.5)), 80)
    usual = np.abs(np.diff(danced(Gpu(), 80)[0], axis=0)).max()
    pose = CARD.poses_per_tick * (lost_at - 1)
    jump = np.abs(found[pose] - found[pose - 1]).max()
    assert jump < usual + 0.1 if patience else jump < 2 * usual + 0.1
    off = np.abs(found - danced(Gpu(), 80)[0])
    assert off[pose - 1].min() == pytest.approx(0.5, abs=1e-4)
    if patience:
        assert (np.diff(off[pose - 1 : pose + BLEND].mean(1)) < 1e-4).all()
        assert off[pose + BLEND :].max() < 1e-4


def test_a_state_can_be_read_from_a_gpu_that_was_lost():
    gpu = Gpu()
    backend = with_cpu(gpu)
    _, state = danced(backend, 20)
    wanted = {name: value.copy() for name, value in state.items()}
    backend._lose(LOST)
    assert [*state] == [*CARD.state]
    for name, value in wanted.items():
        np.testing.assert_allclose(state[name], value, atol=1e-5)


def test_a_state_is_fetched_once_however_often_it_is_read(monkeypatch):
    backend = with_cpu(Gpu())
    _, state = danced(backend, 3)
    first = dict(state)
    monkeypatch.setattr(backend, "read", None)
    assert dict(state).keys() == first.keys()


def test_what_is_heard_since_a_copy_stays_short():
    _, state = danced(with_cpu(Gpu(slow=1)), 200)
    assert len(state.since) <= MIRRORED_EVERY + 2


def test_fewer_dancers_may_dance_once_the_blend_is_over():
    backend = with_cpu(Gpu({3: LOST}, dancers=4), 4)
    generator = Generator(CARD, backend, 4, style_weights(CARD, ""), 1, None)
    state, able = generator.initial_state(), []
    generator.awake = 1
    for tick in range(30):
        _, state = generator.step(np.zeros(35, np.float32), tick, state)
        able.append(backend.any_batch)
    assert able.index(True) == 2 + BLEND // CARD.poses_per_tick - 1 and all(able[able.index(True) :])


def test_what_is_there_is_closed_and_what_was_lost_is_left_alone():
    there, lost = Gpu(), Gpu({1: LOST})
    for gpu in (there, lost):
        backend = with_cpu(gpu)
        danced(backend, 2)
        backend.close()
    assert there.closed and not lost.closed


# ---- which one is taken ------------------------------------------------------------------------------------------


@pytest.fixture
def plugins(monkeypatch):
    """Both GPU backends, each with why it is missing and what opening it does."""

    def are(**given):
        for module, name in ((tensorrt, "tensorrt"), (cuda, "cuda")):
            missing, opened = given.get(name, ("not installed", None))
            monkeypatch.setattr(module, "missing", lambda missing=missing: missing)
            monkeypatch.setattr(module, "open_backend", lambda *given, opened=opened: opened())

    return are


def refuse(error):
    def opened():
        raise error

    return opened


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"tensorrt": ("", Gpu), "cuda": ("", Gpu)}, "backend: tensorrt"),
        ({"cuda": ("", Gpu)}, "backend: cuda (tensorrt: not installed)"),
        ({"cuda": ("no CUDA device", None)}, "backend: cpu (tensorrt: not installed; cuda: no CUDA device)"),
        (
            {"tensorrt": ("", refuse(Unusable("it knows no GPU sm90"))), "cuda": ("", refuse(OSError("a\nb")))},
            "backend: cpu (tensorrt: it knows no GPU sm90; cuda: a b)",
        ),
    ],
)  # fmt: skip
def test_auto_takes_the_best_one_and_tells_why_not_a_better(plugins, given, line):
    plugins(**given)
    assert choose("auto", FOLDER, CARD, 1)[1] == line


def test_a_named_backend_that_is_not_to_be_had_is_refused_in_one_line(plugins):
    plugins(cuda=("no CUDA device", None))
    with pytest.raises(Unusable, match=r"^backend cuda: no CUDA device; [^\n]*$"):
        choose("cuda", FOLDER, CARD, 1)


def test_a_wrong_model_is_not_a_matter_of_the_backend(plugins):
    plugins(tensorrt=("", refuse(BadModel("of another export"))))
    with pytest.raises(BadModel, match="of another export"):
        choose("auto", FOLDER, CARD, 1)


def test_the_cpu_stands_by_for_a_gpu_and_for_nothing_else(plugins):
    plugins(cuda=("", Gpu))
    assert isinstance(choose("cuda", FOLDER, CARD, 1)[0], Fallback)
    assert not isinstance(choose("cpu", FOLDER, CARD, 1)[0], Fallback)


def test_the_order_is_that_of_speed():
    assert choice.BEST_FIRST == ("tensorrt", "cuda", "cpu")


# ---- a whole show ------------------------------------------------------------------------------------------------


def performed(folder, seconds=4.0):
    """A fast show: its report, its joints [T, 22, 3], what was said."""
    said, take, report = [], folder / f"{len([*folder.iterdir()])}.take", folder / "a.json"
    options = {"input": "demo", "duration": seconds, "output": [f"take:{take}"], "control": "off", "backend": "auto"}
    perform(make_show(options, "options"), Run(fast=True, report=report), said.append)
    return json.loads(report.read_text()), read_take(take).records["joint_positions"][:, 0], said


def test_a_show_goes_on_over_a_lost_gpu_and_tells_of_it(plugins, tmp_path):
    plugins(cuda=("", lambda: Gpu({61: LOST})))
    report, joints, said = performed(tmp_path)
    assert "backend: cuda (tensorrt: not installed)" in said
    assert report["poses"] == len(joints) == 240
    (told,) = report["recoveries"]
    assert told == "2.0 s: gpu was lost (it fell off the bus); cpu goes on"
    plugins()
    _, unharmed, _ = performed(tmp_path)
    np.testing.assert_allclose(joints, unharmed, atol=1e-4)


def test_the_bodies_of_a_show_do_not_jump_where_the_gpu_was_otherwise_exact(plugins, tmp_path):
    plugins(cuda=("", lambda: Gpu({61: LOST}, off=0.05)))
    _, joints, _ = performed(tmp_path)
    plugins()
    _, unharmed, _ = performed(tmp_path)
    parting = np.linalg.norm(np.diff(joints - unharmed, axis=0), axis=-1).max(1)
    assert parting[115:150].max() <= 2.0 * parting[60:115].max()


def test_a_show_goes_on_over_a_gpu_that_hangs(plugins, tmp_path, hang):
    plugins(cuda=("", lambda: Gpu({31: hang})))
    report, joints, _ = performed(tmp_path, 2.0)
    assert len(joints) == report["poses"] == 120
    assert f"no answer for {LIMIT:g} s" in report["recoveries"][0]


@pytest.mark.parametrize("word", ["fail", HANG])
def test_a_stand_in_is_lost_when_it_is_told_to(word, tmp_path, monkeypatch):
    monkeypatch.setenv(LOSE, str(tmp_path / "order"))
    monkeypatch.setattr(frail, "HUNG", 2 * LIMIT)
    backend, told = choose("frail", FOLDER, CARD, 1)
    generator = Generator(CARD, backend, 1, style_weights(CARD, None), 1, 0.5)
    features, state = np.zeros(len(FEATURE_NAMES), np.float32), generator.initial_state()
    for tick in range(30):
        if tick == 20:
            (tmp_path / "order").write_text(word)
        raw, state = generator.step(features, tick, state)
        assert np.isfinite(raw).all() and len(generator.recoveries()) == (tick == 20)
    assert told == "backend: frail" and backend.name == "cpu" and not (tmp_path / "order").exists()
    backend.close()


def test_a_stand_in_is_for_drills_alone(monkeypatch):
    monkeypatch.delenv(LOSE, raising=False)
    with pytest.raises(Unusable, match="live bench drills"):
        choose("frail", FOLDER, CARD, 1)
