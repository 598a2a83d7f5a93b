"""A take streamed again: the same poses, with their timing."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
from fakes import FakeOutput
from output_poses import listener, port_of, pose, received
from test_formats import recorded  # noqa: F401

from live.cli.convert import Replay
from live.clock import VirtualClock
from live.take import read_take


def replayed(take, loop=False, rounds=1):
    """What an output was given, and when."""
    clock = VirtualClock(50.0)
    output = FakeOutput(clock)
    player = Replay(read_take(take), [output], clock)
    if loop:
        transmit = output._transmit
        output._transmit = lambda: (transmit(), len(output.poses) >= 97 * rounds and player.stop())
    player.run(loop)
    return output


def test_every_pose_comes_again_at_its_time(recorded):  # noqa: F811
    output, records = replayed(recorded), read_take(recorded).records
    np.testing.assert_allclose(np.array(output.sent_at) - 50.0, records["show_time"], atol=1e-9)
    for p, record in zip(output.poses, records, strict=True):
        np.testing.assert_array_equal(p.local_rotations, record["local_rotations"])
        assert p.play_time - p.capture_time == pytest.approx(0.02)


def test_in_a_loop_time_and_numbers_go_on(recorded):  # noqa: F811
    output = replayed(recorded, loop=True, rounds=3)
    assert [p.sequence for p in output.poses] == list(range(3 * 97))
    assert (np.diff([p.show_time for p in output.poses]) > 0.01).all()


def test_from_the_command_line_it_keeps_the_pace(recorded):  # noqa: F811
    with listener() as sock:
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "live", "replay", recorded, "--output", f"vmc://127.0.0.1:{port_of(sock)}"],
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        assert time.monotonic() - begun > 98 / 60
        assert (done.returncode, done.stderr) == (0, "")
        assert "97 poses" in done.stdout
        assert received(sock)[0].startswith(b"#bundle")


def test_a_take_is_not_replayed_into_itself(recorded):  # noqa: F811
    done = subprocess.run(
        [sys.executable, "-m", "live", "replay", recorded, "--output", f"take:{recorded}?overwrite=1"],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert len(read_take(recorded).records) == 97


def test_a_pose_is_read_back_as_it_was_recorded(recorded):  # noqa: F811
    from live.take import pose_of

    read = pose_of(read_take(recorded).records[0])
    assert (read.sequence, read.level, read.beat.bpm) == (0, 0.25, pose().beat.bpm)
