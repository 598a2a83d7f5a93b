"""The benchmarks run and write what they promise; how fast anything is, is not judged here."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
PERCENTILES = {"p50", "p90", "p99", "p999", "max"}


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


@pytest.fixture
def steadiness(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("steadiness")


def test_the_tick_is_measured_by_stages(tmp_path: Path) -> None:
    values = result_of("tick.py", tmp_path / "tick.json", "--duration", "2")
    assert values["what"] == "tick" and set(values["limits"]) == {"tick p50", "tick p99"}
    assert set(values["stage_ms"]["total"]) == set(values["received_interval_ms"]["seen"]) == PERCENTILES
    assert values["ticks"] == 60 and values["frames_received"] == values["poses"] == 120


def test_starting_is_measured_and_imports_nothing_heavy(tmp_path: Path) -> None:
    values = result_of("startup.py", tmp_path / "startup.json", "--runs", "1")
    assert values["what"] == "startup" and set(values["times"]["live --help"]) == {"best_s", "median_s"}
    assert values["imported"] == {"import live": [], "live --help": []}


def test_steadiness_tells_misses_intervals_and_memory(tmp_path: Path) -> None:
    values = result_of("steadiness.py", tmp_path / "steadiness.json", "--duration", "3")
    assert values["what"] == "steadiness" and values["busy_core"]
    assert set(values["misses"]) == {"all", "seen_by_receiver", "bare_loop_too", "with_steal", "remaining"}
    assert values["memory"]["rss_max_mb"] > 0 and set(values["bare_loop"]["lateness_ms"]) == PERCENTILES


def test_sending_is_measured_by_outputs(tmp_path: Path) -> None:
    values = result_of("outputs.py", tmp_path / "outputs.json", "--frames", "60")
    assert values["what"] == "outputs" and set(values["limits"]) < {*values["cases"], "VMC + plain OSC, one dancer"}


def test_the_control_port_is_fuzzed(tmp_path: Path) -> None:
    values = result_of("control.py", tmp_path / "control.json", "--datagrams", "3300")
    assert values["what"] == "control" and values["control_dropped"] > 1000 and values["recoveries"] == []


def test_the_robot_is_danced(tmp_path: Path) -> None:
    pytest.importorskip("mujoco", reason="mujoco is not installed; `pip install mujoco`")
    values = result_of("robot.py", tmp_path / "robot.json", "--duration", "2")
    assert values["what"] == "robot" and all(row["reached"] for row in values["limits"].values())


def test_late_and_missing_poses_are_found_by_their_slots(steadiness: ModuleType) -> None:
    slots = np.delete(np.arange(10) / 60, 6)
    arrived = 100.0 + slots + np.where(slots == 3 / 60, 0.020, 0.001)
    late = steadiness.late_poses(np.stack([slots, arrived, arrived], axis=1))
    starts = [begin - 100.001 for begin, _ in late]
    assert starts == pytest.approx([3 / 60, 6 / 60])


def test_a_miss_that_the_bare_loop_felt_or_the_hypervisor_caused_is_told_apart(steadiness: ModuleType) -> None:
    samples = steadiness.Samples(began=0.0, stolen=[(2.0, 2.1, 0.03)])
    late = [(1.0, 1.02), (2.05, 2.08), (3.0, 3.02)]
    events = steadiness.explain(late, [(0.96, 0.99)], samples)
    assert [(e["bare_loop_too"], e["with_steal"]) for e in events] == [(True, False), (False, True), (False, False)]
    assert steadiness.misses(3, events)["remaining"] == 1
