"""What may happen to a running show from outside: the clock is set, the machine sleeps, the disk fills up, and there is
another show. (Signals: `test_cli`, `test_reload`; engines and devices that die: `test_watchdog`, `test_microphone`.)"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from output_poses import listener, port_of
from test_cli import live, on_stage, performing, recording

from live.take import read_take

STEPPING = """
import itertools, sys, time
real, steps = time.time, itertools.cycle((0, 3600, -86400, 1e9))
time.time = lambda: real() + next(steps)
time.time_ns = lambda: int(time.time() * 1e9)
from live.cli import main
sys.argv = ["live", *sys.argv[1:]]
main()
"""
"""`live` on a machine whose clock is set anew at every look."""


def report_of(path):
    return json.loads(path.read_text())


@performing
def test_a_clock_that_is_set_again_and_again_changes_nothing(tmp_path):
    report, take = tmp_path / "a.json", tmp_path / "a.take"
    options = (
        "--input",
        "demo",
        "--output",
        f"take:{take}",
        "--duration",
        "2",
        "--report",
        str(report),
        "--no-realtime",
    )
    done = subprocess.run(
        [sys.executable, "-c", STEPPING, "perform", *options], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    records = read_take(take).records
    assert len(records) == report_of(report)["poses"] > 0
    assert np.diff(records["show_time"]).min() > 0 and 1.5 < records["show_time"][-1] < 20  # however busy the machine


@performing
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped here")
def test_a_machine_that_slept_goes_on_where_it_is_now_and_tells(tmp_path):
    report, take = tmp_path / "a.json", tmp_path / "a.take"
    with on_stage("--input", "demo", "--output", f"take:{take}", "--duration", "4", "--report", report) as show:
        recording(take, show)
        show.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        show.send_signal(signal.SIGCONT)
        _, err = show.communicate(timeout=30)
    assert (show.returncode, err) == (0, "")
    records = read_take(take).records
    assert np.diff(records["show_time"]).max() > 1.2  # what was slept through is not made up for
    assert (np.diff(records["sequence"]) > 0).all()
    assert any("stalled" in line for line in report_of(report)["recoveries"])


@performing
@pytest.mark.skipif(sys.platform != "linux", reason="a disk is made small by a limit of Linux")
def test_a_disk_that_is_full_is_told_and_the_show_goes_on(tmp_path):
    psutil = pytest.importorskip("psutil", reason="psutil is not installed (extra `dev`)")
    report, take = tmp_path / "a.json", tmp_path / "a.take"
    with on_stage("--input", "demo", "--output", f"take:{take}", "--output", "null:", "--duration", "4",
                  "--report", report) as show:  # fmt: skip
        recording(take, show)
        children = psutil.Process(show.pid).children()
        (writer,) = (one for one in children if "_take_writer" in " ".join(one.cmdline()))
        writer.rlimit(psutil.RLIMIT_FSIZE, (1, 1))
        _, err = show.communicate(timeout=30)
    assert (show.returncode, err) == (0, "")
    to_disk, to_nowhere = report_of(report)["outputs"]
    assert to_disk["errors"] > 0 and to_nowhere["errors"] == 0 and to_nowhere["sent"] > to_disk["sent"]
    assert len(read_take(take).records) > 0  # what was written before is whole


@performing
def test_a_second_show_beside_the_first_dances_and_says_what_it_goes_without(tmp_path):
    """On the ports that nobody named: the first has them, the second is told in a line and performs."""
    report = tmp_path / "b.json"
    with listener() as sock:
        sock.settimeout(20)
        with on_stage("--input", "demo", "--output", f"vmc://127.0.0.1:{port_of(sock)}"):
            sock.recv(65536)
            done = live("perform", "--input", "demo", "--output", f"vmc://127.0.0.1:{port_of(sock)}", "--duration", "1",
                        "--no-realtime", "--report", report)  # fmt: skip
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert "9011" in done.stdout + done.stderr and report_of(report)["poses"] > 0


@performing
def test_a_second_recorder_of_the_same_take_is_refused(tmp_path):
    take = tmp_path / "a.take"
    with on_stage("--input", "demo", "--output", f"take:{take}") as show:
        recording(take, show)
        done = live("perform", "--input", "silence", "--output", f"take:{take}", "--duration", "1", "--no-realtime")
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "exists" in done.stderr
    assert os.path.getsize(take) > 5000
