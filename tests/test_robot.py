"""Robots: limits that always hold, a start and an end without a jerk, rest when the engine is gone."""

from __future__ import annotations

import importlib
import math
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from output_poses import listener, port_of, pose, unused_port
from pythonosc.osc_message import OscMessage

from live import rotation, skeleton
from live.cli.outputs import make_output
from live.errors import BadFile, BadTarget
from live.motion.stance import neutral_rotations
from live.outputs import robot
from live.outputs._limiter import Limiter, Limits, at_rest, is_safe
from live.outputs._robot_driver import (
    BLEND_IN,
    BLEND_OUT,
    DAMPING,
    DANCING,
    HOLD,
    HOLDING,
    NEUTRAL,
    OFF,
    STALE,
    STARTING,
    Driver,
)
from live.outputs._robot_profile import Reader, read_profile

ROOT = Path(__file__).parents[1]
HUMANOID = read_profile("humanoid21")


def followed(targets, limits, period=0.01):
    """Positions [T, J] of joints told to go to `targets` [T, J]."""
    limiter, state = Limiter(limits, period), at_rest((limits.low + limits.high) / 2)
    places = [state.position] * 4
    for target in targets:
        state = limiter.step(state, target, np.zeros_like(target))
        places.append(state.position)
    return np.array(places)


def within(places, limits, period=0.01):
    """Whether positions and their differences keep all limits."""
    rates = [np.abs(np.diff(places, n, axis=0)).max(0) / period**n for n in (1, 2, 3)]
    kept = [(rate <= most + 1e-6).all() for rate, most in zip(rates, limits[2:], strict=True)]
    return bool((places >= limits.low).all() and (places <= limits.high).all() and all(kept))


class Some(Limits):
    """Limits that can be cut as a tuple."""

    def __getitem__(self, part):
        return (self.low, self.high, self.velocity, self.acceleration, self.jerk)[part]


def some(joints=3, velocity=5.0, acceleration=50.0, jerk=1000.0):
    full = np.full
    return Some(full(joints, -1.0), full(joints, 2.0), full(joints, velocity), full(joints, acceleration),
                full(joints, jerk))  # fmt: skip


# ---- the limiter -------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    hold=st.integers(1, 40),
    velocity=st.floats(0.5, 20),
    acceleration=st.floats(5, 200),
    jerk=st.floats(100, 20_000),
)
def test_limits_hold_however_wild_the_targets(seed, hold, velocity, acceleration, jerk):
    chance = np.random.default_rng(seed)
    targets = np.repeat(chance.normal(size=(150 // hold + 1, 3)) * 3, hold, 0)
    limits = some(3, velocity, acceleration, jerk)
    assert within(followed(targets, limits), limits)


def test_a_joint_arrives_and_stands_still():
    places = followed(np.full((300, 3), 1.5), some())
    np.testing.assert_allclose(places[-50:], 1.5, atol=1e-9)


def test_a_target_out_of_reach_is_met_at_the_limit():
    places = followed(np.full((400, 3), 99.0), some())
    assert (places[-1] <= 2.0).all() and (places[-1] > 1.99).all()


def test_a_slow_dance_is_followed_closely():
    times = np.arange(600) / 100
    limiter, state, errors = Limiter(some(1), 0.01), at_rest(np.zeros(1)), []
    for t in times:
        target, pace = 0.8 * math.sin(2 * math.pi * t), 0.8 * 2 * math.pi * math.cos(2 * math.pi * t)
        state = limiter.step(state, np.array([target]), np.array([pace]))
        errors.append(abs(state.position[0] - target))
    assert max(errors[100:]) < 0.12


def test_after_every_step_there_is_still_a_way_to_stop():
    limits, chance = some(), np.random.default_rng(3)
    limiter, state = Limiter(limits, 0.01), at_rest(np.zeros(3))
    for _ in range(300):
        state = limiter.step(state, chance.normal(size=3) * 9, np.zeros(3))
        assert is_safe(state, some(3, 5 + 1e-6, 50 + 1e-6, 1000 + 1e-3)).all()


# ---- profiles ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "joints"), [("humanoid21", 21), ("nao", 20)])
def test_the_shipped_profiles_stand_at_ease_as_the_dancer_does(name, joints):
    profile = read_profile(name)
    angles = np.degrees(Reader(profile).angles(neutral_rotations()))
    assert len(profile.joints) == joints and np.isfinite(angles).all()
    if name == "nao":
        found = dict(zip([joint.name for joint in profile.joints], angles, strict=True))
        assert found["LShoulderPitch"] == pytest.approx(90, abs=1) and found["RShoulderPitch"] == pytest.approx(
            90, abs=1
        )
        assert found["LShoulderRoll"] == pytest.approx(18, abs=1) and found["RShoulderRoll"] == pytest.approx(
            -18, abs=1
        )


def test_left_and_right_are_mirrored():
    turned, mirrored = pose().local_rotations[0], np.array(skeleton.MIRROR)
    other = turned[mirrored] * [1, -1, -1, 1]
    here, there = Reader(HUMANOID).angles(turned), Reader(HUMANOID).angles(other)
    names = [joint.name for joint in HUMANOID.joints]
    for n, name in enumerate(names):
        if name.startswith("left"):
            assert here[n] == pytest.approx(there[names.index(name.replace("left", "right"))], abs=1e-6), name


def test_a_knee_bent_by_an_angle_reads_that_angle():
    rotations = np.tile(rotation.IDENTITY, (skeleton.COUNT, 1))
    rotations[skeleton.INDEX["leftLowerLeg"]] = [np.sin(0.4), 0, 0, np.cos(0.4)]
    names = [joint.name for joint in HUMANOID.joints]
    assert Reader(HUMANOID).angles(rotations)[names.index("left_knee")] == pytest.approx(0.8)


JOINT = '{ name = "a", low = -9, high = 9, velocity = 1, acceleration = 1, jerk = 1 }'
GROUP = f'[[group]]\nbones = ["spine"]\naxes = "xyz"\njoints = [{JOINT}]'


@pytest.mark.parametrize(
    "text",
    [
        "", "name = ", 'name = "x"', GROUP, 'name = "x"\n' + GROUP.replace("spine", "tail"),
        'name = "x"\n' + GROUP.replace("xyz", "xxz"), 'name = "x"\n' + GROUP.replace("high = 9", "high = -20"),
        'name = "x"\n' + GROUP.replace("jerk = 1", "jerk = nan"), 'name = "x"\nrate = 0\n' + GROUP,
        'name = "x"\n' + GROUP.replace("velocity = 1", "velocity = -1"), 'colour = 1\nname = "x"\n' + GROUP,
    ],
)  # fmt: skip
def test_a_profile_that_makes_no_sense_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(BadFile, match=r"^robot profile [^\n]+$"):
        robot.open_output(f"robot://127.0.0.1?profile={path}")


def test_an_unknown_profile_names_those_there_are():
    with pytest.raises(BadTarget, match="humanoid21, nao"):
        robot.open_output("robot://127.0.0.1?profile=atlas")


def test_poses_so_rare_that_it_would_hold_between_them_are_refused():
    with pytest.raises(BadTarget, match=r"^output 'robot:[^\n]+rate=4[^\n]+write 10 or more$"):
        make_output("robot://127.0.0.1?rate=4").open(1, paced=True)


def test_a_dancer_who_is_not_there_and_a_fast_show_are_refused():
    with pytest.raises(BadTarget, match=r"choose 0\.\.1"):
        robot.open_output("robot://127.0.0.1?dancer=2").open(2, paced=True)
    with pytest.raises(BadTarget, match="leave out --fast"):
        robot.open_output("robot://127.0.0.1").open(1, paced=False)


# ---- the driver --------------------------------------------------------------------------------------------------


def driven(seconds_of, seconds_after, ended=False, profile=HUMANOID):
    """States and angles of a driver whose engine beats for a while, then says nothing more."""
    driver, reader, states, places = Driver(profile), Reader(profile), [], []
    for n in range(round((seconds_of + seconds_after) * profile.rate)):
        beating = n < seconds_of * profile.rate
        beat = float(n + 1) if beating else float(seconds_of * profile.rate)
        places.append(driver.step(beat, reader.angles(pose(n // 30).local_rotations[0]), ended and not beating))
        states.append(driver.state)
    return np.array(states), np.array(places)


def test_it_is_blended_in_and_dances():
    states, places = driven(4, 0)
    start = round(BLEND_IN * HUMANOID.rate)
    assert set(states[: start - 2]) == {STARTING} and set(states[start + 2 :]) == {DANCING}
    assert np.abs(places[30] - HUMANOID.neutral).max() < 0.1


def test_when_the_engine_stalls_it_holds_and_then_comes_to_rest_in_time():
    states, places = driven(4, STALE + HOLD + BLEND_OUT + 3)
    order = [state for n, state in enumerate(states) if n == 0 or states[n - 1] != state]
    assert order == [STARTING, DANCING, HOLDING, DAMPING, NEUTRAL]
    held = np.flatnonzero(states == HOLDING)
    assert len(held) == pytest.approx(HOLD * HUMANOID.rate, abs=3)
    assert np.abs(places[held[-1]] - places[held[-30]]).max() < 0.02
    rested = np.flatnonzero(states == NEUTRAL)[0] / HUMANOID.rate - 4
    assert rested < STALE + HOLD + BLEND_OUT + 0.7
    np.testing.assert_allclose(places[-1], HUMANOID.neutral, atol=1e-3)


def test_an_end_that_was_announced_comes_to_rest_at_once():
    states, _ = driven(4, 5, ended=True)
    assert HOLDING not in states and states[-1] == NEUTRAL


def test_what_is_not_finite_is_no_heartbeat():
    driver = Driver(HUMANOID)
    for n in range(100):
        assert np.isfinite(driver.step(float(n + 1), np.full(21, np.nan), False)).all()
    assert driver.state == NEUTRAL


@pytest.mark.parametrize("name", ["humanoid21", "nao"])
def test_limits_hold_over_a_whole_show_with_a_stall(name):
    profile = read_profile(name)
    _, places = driven(6, 6, profile=profile)
    limits = profile.limits()
    kept = Some(limits.low, limits.high, limits.velocity, limits.acceleration, limits.jerk)
    assert within(places, kept, 1 / profile.rate) and np.ptp(places, axis=0).max() > 0.5


# ---- the process -------------------------------------------------------------------------------------------------


def commands(sock, seconds):
    """(arrival, parameters) of each command that comes within `seconds`."""
    sock.settimeout(0.3)
    found, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            found.append((time.monotonic(), OscMessage(sock.recv(4096)).params))
        except TimeoutError:
            if found and found[-1][1][1] == OFF:
                break
    return found


def begun(sock, state):
    """Wait for the first command in `state`: a process takes its time to start on a busy machine."""
    sock.settimeout(20.0)
    while (params := OscMessage(sock.recv(4096)).params)[1] != state:
        pass
    return params


def test_commands_come_at_the_profiles_rate_and_end_with_off():
    with listener() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        output = robot.open_output(f"robot://127.0.0.1:{port_of(sock)}")
        output.open(1, paced=True)
        first = begun(sock, NEUTRAL)[0]
        for n in range(60):
            output.send(pose(n // 20))
            time.sleep(1 / 60)
        output.close()
        found = commands(sock, 5)
    assert output.stats.sent == 60 and output.stats.errors == 0
    assert len(found[0][1]) == 3 + 21 and found[-1][1][1] == OFF
    states = [params[1] for _, params in found]
    assert STARTING in states and NEUTRAL in states
    np.testing.assert_allclose(found[-1][1][3:], HUMANOID.neutral, atol=2e-3)
    assert np.array_equal([params[0] for _, params in found[:-1]], first + np.arange(1, len(found)))


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process the POSIX way")
def test_a_killed_engine_leaves_a_robot_that_comes_to_rest():
    code = (
        "import sys, time; sys.path.insert(0, 'tests')\n"
        "from output_poses import pose\n"
        "from live.outputs import robot\n"
        "output = robot.open_output(f'robot://127.0.0.1:{sys.argv[1]}'); output.open(1, True)\n"
        "for n in range(10**6): output.send(pose(n // 20)); time.sleep(1 / 60)\n"
    )
    with listener() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        engine = subprocess.Popen([sys.executable, "-c", code, str(port_of(sock))], cwd=ROOT)
        begun(sock, STARTING)
        time.sleep(1.0)
        os.kill(engine.pid, signal.SIGKILL)
        engine.wait()
        found = commands(sock, 12)
    states = [params[1] for _, params in found]
    assert HOLDING in states and DAMPING in states and states[-1] == OFF
    np.testing.assert_allclose(found[-1][1][3:], HUMANOID.neutral, atol=2e-3)


def test_where_nobody_listens_it_goes_on():
    output = robot.open_output(f"robot://127.0.0.1:{unused_port()}")
    output.open(1, paced=True)
    for n in range(30):
        output.send(pose(n))
        time.sleep(1 / 60)
    output.close()
    assert (output.stats.sent, output.stats.errors) == (30, 0)


def test_in_mujoco_half_a_minute_of_nonsense_exceeds_no_limit(monkeypatch):
    pytest.importorskip("mujoco", reason="mujoco is not installed; `pip install mujoco`")
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    bench = importlib.import_module("robot")
    monkeypatch.setattr(bench, "WILD", 1)
    dance = np.array([pose(n).local_rotations[0] for n in range(60)])
    worst = bench.danced(dance, 10.0)
    exceeded = {name: share for name, share in worst.items() if share > 1.0 and name not in ("steps_per_s",)}
    assert exceeded == {}
