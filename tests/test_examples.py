"""The examples do what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from live.show import Show, Stage, make_show, read_show

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
SHOW = EXAMPLES / "show.toml"
PERFORM = [sys.executable, "-m", "live", "perform"]


def test_the_example_show_is_valid_and_uses_every_key() -> None:
    values = read_show(SHOW)
    make_show(values, "show.toml")
    hardware = {"midi", "midi_map"}  # not everybody has: they are there as comments
    assert set(values) == set(Show.model_fields) - hardware
    assert all(re.search(rf"^# \[?{key}\b", SHOW.read_text(), re.MULTILINE) for key in hardware)
    assert set(values["stage"]) == set(Stage.model_fields)


def test_the_example_show_is_performed() -> None:
    done = subprocess.run(
        [*PERFORM, SHOW, "--fast", "--duration", "1", "--output", "null:"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "60 poses" in done.stdout


def test_the_watcher_sees_a_dance() -> None:
    command = [sys.executable, EXAMPLES / "watch_vmc.py", "--port", "0", "--seconds", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        assert watcher.stdout is not None
        address = watcher.stdout.readline().split()[-1]
        subprocess.run(
            [*PERFORM, "--input", "silence", "--duration", "3", "--output", f"vmc://{address}"],
            cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        told = watcher.communicate()[0]
    rates = [float(rate) for rate in re.findall(r"([\d.]+) frames/s   hips at [01]\.\d\d m", told)]
    assert max(rates) > 30
    assert "the performer says goodbye" in told
