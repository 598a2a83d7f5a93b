"""Every `live` command of the README is run, in its order, in a folder with a song and a small dance."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flat_models import flat_graph, flat_model, stance
from motion_files import ballroom_file, salsa_folder
from renderers import TINY_RUN, footage

pytest.importorskip("torch", reason="torch is not installed (extra `train`)")
pytest.importorskip("pygame", reason="pygame-ce is not installed (extra `preview`)")
pytest.importorskip("av", reason="av is not installed (extra `film`)")

from live.audio.demo import MUSIC

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
COMMANDS = [line.split("#")[0].strip() for block in BLOCKS for line in block.splitlines() if line.startswith("live ")]
INSTEAD = {
    "192.168.1.20": "127.0.0.1",
    "examples/show.toml": str(ROOT / "examples/show.toml"),
    "configs/": f"{ROOT / 'configs'}/",
    "exported_models/": "models/",
    "SALSA_FOLDER": "dances",
    "BALLROOM_FOLDER": "ballroom",
    "SONGS": ".",
    "--video ann.mp4": "tiny.toml --footage ann.npz",
}
MORE = {
    "perform": ["--duration", "1"],
    "preview": ["--duration", "1"],
    "render": ["--size", "320x180"],
    "film": ["--seconds", "1"],
    "train": ["--rounds", "1"],
    "bench": ["--tracker", "aubio"],
    "evaluate": ["--seconds", "10"],
}
"""Options that make a command short."""


def adapted(command):
    for there, here in INSTEAD.items():
        command = command.replace(there, here)
    words = shlex.split(command)[1:]
    # weights to begin with have a round already, those of a second stage two
    more = ["--rounds", "3" if "second" in words[-1] else "2"] if "--from-weights" in words else MORE.get(words[0], [])
    return words + more


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    shutil.copy(MUSIC, folder / "song.ogg")
    (folder / "dances").mkdir()
    salsa_folder(folder / "dances")
    (folder / "ballroom").mkdir()
    for name, genre in (("C_4", "cha-cha"), ("R_2", "rumba"), ("W_1", "waltz"), ("W_8", "waltz")):
        ballroom_file(folder / "ballroom", f"DANCE_{name}", 300, genre=genre)
    footage(100).save(folder / "ann.npz")
    flat_model(folder / "models" / "ann", flat_graph(stance()))
    (folder / "tiny.toml").write_text(TINY_RUN)
    return folder


def test_the_readme_shows_commands():
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_runs(folder, command):
    words = adapted(command)
    run = subprocess.run(
        [sys.executable, "-m", "live", *words], cwd=folder, capture_output=True,
        text=True, timeout=120, stdin=subprocess.DEVNULL, env=os.environ | {"SDL_VIDEODRIVER": "dummy"},
    )  # fmt: skip
    no_input = words[0] == "devices" or "microphone" in command
    assert run.returncode == 0 or (no_input and run.returncode == 2 and "no audio input" in run.stderr), run.stderr
