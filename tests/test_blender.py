"""Blender opens what `live convert` writes, and the dancer's joints lie in it where they lay in the show."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from live import skeleton
from live.cli.convert import convert
from live.take import read_take

SCRIPT = Path(__file__).parent / "receivers" / "blender_places.py"
FRAMES = (0, 17, 100, 179)


@pytest.mark.skipif(shutil.which("blender") is None, reason="blender is missing: apt install blender python3-numpy")
@pytest.mark.parametrize("ending", ["bvh", "glb"])
def test_blender_shows_each_joint_within_a_centimetre_of_the_show(dance, tmp_path, ending):
    convert(dance, tmp_path / f"dance.{ending}", 0)
    command = ["blender", "-b", "--factory-startup", "-noaudio", "--python", SCRIPT, "--"]
    arguments = [tmp_path / f"dance.{ending}", *map(str, FRAMES)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=180)
    lines = [line.removeprefix("PLACES ") for line in done.stdout.splitlines() if line.startswith("PLACES ")]
    assert lines, done.stdout + done.stderr
    shown = np.array([[places[bone] for bone in skeleton.BONES] for places in json.loads(lines[0])])
    x, y, z = np.moveaxis(read_take(dance).records["joint_positions"][list(FRAMES), 0], -1, 0)
    wanted = np.stack([x, -z, y], -1)  # Blender's Z is up; the dancer faces the front view's eye, at -Y
    assert np.abs(shown - wanted).max() < 0.01
