"""The benchmarks run and write what they promise; how fast anything is, is not judged here."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


def result_of(script: str, out: Path, *options: str) -> dict[str, Any]:
    """What a benchmark writes."""
    command = [sys.executable, ROOT / "benchmarks" / script, "--out", out, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    values: dict[str, Any] = json.loads(out.read_text())
    assert values["schema_version"] == 1 and values["machine"]["processor"]
    assert all(set(row) == {"measured", "limit", "unit", "reached"} for row in values["limits"].values())
    assert all(name in done.stdout for name in values["limits"])
    return values


def test_starting_is_measured_and_imports_nothing_heavy(tmp_path: Path) -> None:
    values = result_of("startup.py", tmp_path / "startup.json", "--runs", "1")
    assert values["what"] == "startup" and set(values["times"]["live --help"]) == {"best_s", "median_s"}
    assert values["imported"] == {"import live": [], "live --help": []}


def test_the_control_port_is_fuzzed(tmp_path: Path) -> None:
    values = result_of("control.py", tmp_path / "control.json", "--datagrams", "3300")
    assert values["what"] == "control" and values["control_dropped"] > 1000 and values["recoveries"] == []


def test_the_robot_is_danced(tmp_path: Path) -> None:
    pytest.importorskip("mujoco", reason="mujoco is not installed; `pip install mujoco`")
    values = result_of("robot.py", tmp_path / "robot.json", "--duration", "2")
    assert values["what"] == "robot" and all(row["reached"] for row in values["limits"].values())


@pytest.mark.slow
def test_the_stage_is_measured(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="av is not installed (extra `film`)")
    pytest.importorskip("pygame", reason="pygame-ce is not installed (extra `preview`)")
    values = result_of("stage.py", tmp_path / "stage.json", "--seconds", "1")
    assert values["what"] == "stage" and values["window"]["pictures"] > 0 and values["film"]["bytes"] > 1000


def test_the_readme_table_tells_every_limit_and_who_measured_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    machine = {"processor": "a processor", "cores": 2, "python": "3.11"}
    limit = {"measured": 9.0, "limit": 8.0, "unit": "", "reached": True, "way": ">="}
    tick = {"machine": machine, "how": {"duration": 120.0}, "limits": {"dancers a core": limit}}
    (tmp_path / "tick.json").write_text(json.dumps(tick))
    told = importlib.import_module("readme").table(tmp_path)
    assert "a processor" in told and "performed for 2 min, nothing else running* (`live bench tick`)" in told
    assert "| dancers a core | 9 | >= 8 |" in told
