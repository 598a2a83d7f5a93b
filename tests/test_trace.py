"""The trace: every stage of every slot in Perfetto's format, in memory that never grows, whole even after a crash."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
from fakes import PacedVirtualClock, Stage
from output_poses import listener, port_of
from test_cli import refused

from live.errors import Failed
from live.ledger import Ledger
from live.pace import PERIOD
from live.trace import LATE, STAGES, Ring, Row, events, tracing

ROW = Row(1, 10.0, 10.001, 10.002, 10.004, 10.005, 10.006, 10.007, 10.008, 10.009)


@pytest.fixture
def ring():
    ring = Ring(slots=8)
    yield ring
    ring.close()
    ring.path.unlink(missing_ok=True)


def slices(rows, name=None):
    return [e for e in events(rows, rows[0].due) if e["ph"] == "X" and name in (None, e["name"])]


def traced(out, seconds=2.0, **changes):
    """What a performance among fakes leaves in `out`."""
    stage = Stage(PacedVirtualClock(1000.0), **changes)
    with tracing(out, stage.ledger):
        stage.engine.run(seconds)
    return stage, json.loads(out.read_text())["traceEvents"]


def test_a_stage_ends_where_the_next_begins():
    found = {e["name"]: (e["ts"], e["dur"]) for e in slices([ROW]) if e["tid"] == 2}
    assert tuple(found) == STAGES
    assert found["features"] == (2000.0, 2000.0) and found["signals"] == (8000.0, 1000.0)


def test_a_pose_without_a_tick_has_no_generator_slice():
    assert slices([ROW._replace(ticked=0)], "generator") == [] and slices([ROW._replace(ticked=0)], "tick") == []


@pytest.mark.parametrize(("after", "marks"), [(0.9 * PERIOD, 0), (1.1 * PERIOD, 1)])
def test_a_late_pose_is_marked(after, marks):
    found = events([ROW._replace(signals=10.0 + after, end=10.03)], 10.0)
    assert sum(e["name"] == LATE for e in found) == marks


def test_the_newest_rows_stay(ring):
    for n in range(20):
        ring.add(*ROW._replace(due=float(n)))
    assert [row.due for row in ring.rows()] == [13, 14, 15, 16, 17, 18, 19] and ring.began == 0.0
    assert [row.due for row in Ring(ring.path).rows()] == [13, 14, 15, 16, 17, 18, 19]


def test_every_slot_of_a_show_is_traced_with_what_was_survived(tmp_path):
    stage, found = traced(tmp_path / "t.json", takes={60: 0.5}, does={10: ValueError("broken")})
    poses = [e for e in found if e["ph"] == "X" and e["tid"] == 1]
    assert len(poses) == len(stage.poses) and sum(e["name"] == "tick" for e in poses) == stage.ledger.ticks
    assert [e["ts"] for e in poses] == sorted(e["ts"] for e in poses)
    marks = {e["name"]: e["ts"] for e in found if e["ph"] == "i"}
    assert marks["stalled, 29 poses skipped"] == pytest.approx(1.5e6, abs=6e4)
    assert any(name.startswith("the generator failed") for name in marks) and LATE in marks


def test_nothing_is_traced_after_the_show(tmp_path):
    assert traced(tmp_path / "t.json", 0.1)[0].ledger.traces == []


def test_a_trace_that_cannot_be_written_is_told_after_the_show(tmp_path):
    ledger = Ledger()
    with pytest.raises(Failed, match="cannot be written: No such file"), tracing(tmp_path / "gone" / "t.json", ledger):
        ledger.traces[0](*ROW)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this platform has no SIGKILL")
def test_a_performance_that_is_killed_leaves_a_whole_trace(tmp_path):
    out = tmp_path / "t.json"
    with listener() as sock:
        uri = f"vmc://127.0.0.1:{port_of(sock)}"
        options = ["--input", "silence", "--output", uri, "--no-realtime", "--control", "off", "--trace", str(out)]
        with subprocess.Popen([sys.executable, "-m", "live", "perform", *options], stdout=subprocess.DEVNULL) as show:
            try:
                sock.settimeout(50.0)
                for _ in range(60):
                    sock.recv(65536)
            finally:
                show.kill()
    patience = time.monotonic() + 30.0
    while not out.exists() and time.monotonic() < patience:
        time.sleep(0.05)
    found = json.loads(out.read_text())["traceEvents"]
    assert sum(e["name"] in ("tick", "pose") for e in found) >= 28


def test_a_trace_needs_a_clock_and_a_folder(tmp_path):
    assert "--fast" in refused("--trace", tmp_path / "t.json")
    assert "make it first" in refused("--trace", tmp_path / "gone" / "t.json")
