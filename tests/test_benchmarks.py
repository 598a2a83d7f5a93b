"""The benchmarks run and write what they promise; how fast anything is, is not judged here."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from survived import faults

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
    assert values["what"] == "control" and values["control_dropped"] > 1000 and faults(values["recoveries"]) == []


@pytest.mark.slow
def test_mutants_of_every_kind_of_file_are_read_or_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed (extra `train`)")
    options = ("--files", "12", "--keep", str(tmp_path / "found"))
    values = result_of("fuzz.py", tmp_path / "fuzz.json", *options)
    assert all(kind["files"] == 12 and kind["findings"] == 0 for kind in values["kinds"].values())
    assert 20 < sum(kind["refused"] for kind in values["kinds"].values()) < 72


AWKWARD = """
import os, time
from random import Random
from live.errors import BadFile
ACTS = ["1", "raise BadFile('no')", "1 / 0", "os.abort()", "time.sleep(60)", "bytes(1 << 34)",
        "raise Chatty()"]
class Chatty(BadFile):
    def __str__(self): return "x " * 9999
def seeds(folder): return [Random(f"awkward {n}").random() for n in range(len(ACTS))]
def mutant(seeds, rng): return {"file": ACTS[seeds.index(rng.random())].encode()}
def read(folder): exec((folder / "file").read_text())
"""


def test_what_dies_hangs_or_complains_at_length_is_found_and_its_file_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "awkward.py").write_text(AWKWARD)
    for name, value in (("LIVE_MUTANTS", "strange"), ("PYTHONPATH", f"{tmp_path}:{ROOT}")):
        monkeypatch.setenv(name, value)
    for folder in (tmp_path, ROOT / "benchmarks"):
        monkeypatch.syspath_prepend(str(folder))
    fuzz = importlib.reload(importlib.import_module("fuzz"))
    monkeypatch.setattr(fuzz, "SECONDS", 1.0)
    (scratch := tmp_path / "scratch").mkdir()
    (keep := tmp_path / "found").mkdir()
    values = fuzz.fuzz("awkward", 0, 7, 1, scratch, keep)
    assert (values["files"], values["refused"], values["findings"]) == (7, 2, 5)
    told = {found.name: (found / "FOUND.txt").read_text() for found in keep.iterdir()}
    assert "ZeroDivisionError" in told["awkward-2"] and (keep / "awkward-2" / "file").read_text() == "1 / 0"
    assert "status -6" in told["awkward-3"] and "more than 1 s" in told["awkward-4"]
    assert "MemoryError" in told["awkward-5"] and "19998 characters" in told["awkward-6"]


def test_pictures_are_measured_beside_the_nearest_ones(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed (extra `train`)")
    pytest.importorskip("skia", reason="skia-python is not installed (extra `preview`), or its libraries are missing")
    from renderers import echo_graph, folder_with, points

    from live.train.footage import Footage

    grey = np.full((10, 64, 64, 3), 90, np.uint8)
    Footage(grey, points(10), np.zeros(10, np.int32), 30.0, grey[..., 0] + 90).save(tmp_path / "a.npz")
    folder = folder_with(tmp_path / "renderer", echo_graph())
    command = [ROOT / "benchmarks" / "frames.py", "--renderer", folder, "--footage", *2 * [tmp_path / "a.npz"]]
    more = ["--pictures", "3", "--picture", tmp_path / "a.png", "--out", tmp_path / "a.json"]
    done = subprocess.run([sys.executable, *command, *more], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    values = json.loads((tmp_path / "a.json").read_text())
    assert values["likeness"]["nearest"] > 0.999 > values["likeness"]["made"] and values["likeness"]["pictures"] == 10
    assert (tmp_path / "a.png").stat().st_size > 1000
    assert {name for name, row in values["limits"].items() if not row["reached"]} >= {"likeness inside the mask"}


def test_painting_is_timed_where_it_can_be_and_said_not_to_have_run_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed (extra `train`)")
    pytest.importorskip("onnx", reason="onnx is not installed (extra `gpu`)")
    small = ("--config", str(ROOT / "configs" / "renderer-small.toml"), "--seconds", "0.1")
    rows = result_of("painting.py", tmp_path / "painting.json", *small)["rows"]
    assert [row["provider"] for row in rows] == ["tensorrt", "tensorrt", "cuda", "cuda", "cpu"]
    assert all(("not run" in row) != ("rate" in row) for row in rows) and rows[-1]["rate"] > 0


def test_the_robot_is_danced(tmp_path: Path) -> None:
    pytest.importorskip("mujoco", reason="mujoco is not installed; `pip install mujoco`")
    values = result_of("robot.py", tmp_path / "robot.json", "--duration", "2")
    assert values["what"] == "robot" and all(row["reached"] for row in values["limits"].values())


@pytest.mark.slow
def test_the_stage_is_measured(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="av is not installed (extra `film`)")
    pytest.importorskip("pygame", reason="pygame-ce is not installed (extra `preview`)")
    pytest.importorskip("aiohttp", reason="aiohttp is not installed (extra `monitor`)")
    values = result_of("stage.py", tmp_path / "stage.json", "--seconds", "1")
    assert values["what"] == "stage" and values["window"]["pictures"] > 0
    assert all(film["bytes"] > 1000 for film in values["films"])
    assert [len(turns) for turns in values["tick_p99_ms"].values()] == [3, 3]


def test_the_readme_table_tells_every_limit_and_who_measured_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    machine = {"processor": "a processor", "cores": 2, "python": "3.11"}
    limit = {"measured": 9.0, "limit": 8.0, "unit": "", "reached": True, "way": ">="}
    tick = {"machine": machine, "how": {"duration": 120.0}, "limits": {"dancers a core": limit}}
    (tmp_path / "tick.json").write_text(json.dumps(tick))
    soak = {"machine": machine | {"processor": "another one"}, "how": {"duration": 60.0}, "limits": {}}
    (tmp_path / "soak.json").write_text(json.dumps(soak))
    told = importlib.import_module("readme").table(tmp_path)
    assert (
        told.count("a processor (virtual, 2 cores)")
        == 1
        == told.count("; on another one (virtual, 2 cores), Python 3.11*")
    )
    assert "performed for 2 min, nothing else running* (`live bench tick`)" in told
    assert "| dancers a core | 9 | >= 8 |" in told
