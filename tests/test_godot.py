"""Godot dances: the scene in `examples/godot` hears VMC and puts the hands where the engine has them."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from foreign import started
from output_poses import unused_port

from live import skeleton
from live.cli.outputs import make_output
from live.take import pose_of, read_take

SCENE = Path(__file__).parents[1] / "examples" / "godot"
HANDS = [skeleton.INDEX["leftHand"], skeleton.INDEX["rightHand"]]
FRAMES = 120


def danced_in_godot(poses, query):
    """(show times [T], hands [T, 2, 3]) as Godot printed them; what it should have printed."""
    port, told = unused_port(), []
    with started(["godot3-server", "--path", str(SCENE), f"--port={port}"], port) as printed:
        output = make_output(f"vmc://127.0.0.1:{port}{query}")
        output.open(1, paced=True)
        for pose in poses:
            output.send(pose)
            time.sleep(0.003)
        output.close()
        for line in printed:
            numbers = line.replace(",", "").split()
            if len(numbers) == 7 and numbers[0][:1].isdigit():
                told.append([float(number) for number in numbers])
            if len(told) == len(poses):
                break
    numbers = np.array(told)
    return numbers[:, 0], numbers[:, 1:].reshape(-1, 2, 3), [output.placement.placed(pose) for pose in poses]


@pytest.mark.skipif(shutil.which("godot3-server") is None, reason="godot3-server is missing: apt install godot3-server")
@pytest.mark.parametrize("query", ["", "?root=root", "?mirror=1&scale=1.5&offset=1,0,-2"])
def test_the_hands_lie_in_godot_within_a_centimetre_of_the_engines(dance, query):
    times, hands, wanted = danced_in_godot([pose_of(record) for record in read_take(dance).records[:FRAMES]], query)
    np.testing.assert_allclose(times, [pose.show_time for pose in wanted], atol=1e-5)
    assert np.abs(hands - [pose.joint_positions[0, HANDS] for pose in wanted]).max() < 0.01
    assert np.ptp(hands, axis=0).max() > 0.05  # they did dance
