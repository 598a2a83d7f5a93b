"""A show whose engine is killed, stopped and killed again: the dance, the take and the report go on."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from output_poses import unused_port
from test_cli import live, performing
from test_orders import packet

from live.cli.stand_in import Still
from live.lab.drills import folder_of, is_covered, performer_of
from live.take import read_take

posix = pytest.mark.skipif(sys.platform == "win32", reason="there is no watchdog for Windows")
KILL, STOP = signal.SIGKILL, getattr(signal, "SIGSTOP", None)


@contextmanager
def watched(*options):
    """A performance under a watchdog, which has begun."""
    command = [sys.executable, "-m", "live", "perform", "--watchdog", "--no-realtime", *map(str, options)]
    show = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: show.poll() is not None or ((folder := folder_of(show.pid)) and (folder / "moment").exists()))
        yield show
    finally:
        show.terminate()
        show.communicate()


def until(true, seconds=60.0):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


def performing_now(show):
    """Its process id; None where it has just ended."""
    import psutil

    with suppress(psutil.Error):
        return performer_of(show.pid).pid


@pytest.fixture(scope="module")
def survived(tmp_path_factory):
    """The report and the take of a show in which an engine was killed, the next one stopped, and the last ended."""
    pytest.importorskip("psutil")
    folder, port = tmp_path_factory.mktemp("watched"), unused_port()
    take, report = folder / "a.take", folder / "a.json"
    options = ("--input", "demo", "--output", f"take:{take}", "--report", report, "--control", f"127.0.0.1:{port}")
    with watched(*options) as show, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hand:
        until(lambda: is_covered(show.pid))
        hand.sendto(packet("/live/freeze", 1), ("127.0.0.1", port))
        time.sleep(1.0)
        for number in (KILL, STOP):
            until(lambda: is_covered(show.pid))
            before = performer_of(show.pid)
            before.send_signal(number)
            until(lambda before=before: performing_now(show) not in (None, before.pid))
            time.sleep(1.0)
        show.send_signal(signal.SIGTERM)
        said, complaint = show.communicate(timeout=20)
    return json.loads(report.read_text()), read_take(take).records, said, (show.returncode, complaint)


@posix
@performing
@pytest.mark.slow
class TestTheShowGoesOn:
    def test_it_ends_cleanly_in_the_end(self, survived):
        *_, said, status = survived
        assert status == (0, "") and "took over" in said

    def test_both_faults_are_in_the_recoveries(self, survived):
        told = [line.partition(": ")[2] for line in survived[0]["recoveries"]]
        assert "the engine died (signal 9): another took over" in told
        assert any(line.startswith("the engine hung for 0.2") for line in told)

    def test_sequence_numbers_and_show_time_go_on_in_one_take(self, survived):
        records = survived[1]
        steps = np.diff(records["sequence"].astype(np.int64))
        assert records["sequence"][0] == 0 and steps.min() == 1
        lost = int((steps - 1).sum())  # a pose that was about to go when its engine was killed
        assert lost <= 2 and steps.max() <= 2
        assert np.diff(records["show_time"]).min() > 0.0
        assert abs(survived[0]["poses"] - len(records)) <= 2

    def test_the_longest_gap_is_told_and_short(self, survived):
        skipped, waited = np.diff(survived[1]["show_time"]).max(), 1e-3 * survived[0]["interval_ms"]["max"]
        assert 0.2 < waited < 2.0 and skipped < 2.0  # 0.6 s where the machine has time; this one may be busy

    def test_what_was_asked_for_still_holds(self, survived):
        last = survived[1]["local_rotations"][-60:]
        assert np.abs(last - last[-1]).max() == 0.0

    def test_the_beat_is_known_right_away(self, survived):
        records = survived[1]
        after = np.flatnonzero(np.diff(records["show_time"]) > 0.05)[-1] + 3
        assert abs(records["bpm"][after] - records["bpm"][after - 10]) < 10.0


@posix
@performing
@pytest.mark.slow
def test_drills_pass_and_tell_what_was_done(tmp_path):
    pytest.importorskip("psutil")
    done = live("bench", "drills", "--faults", "2", "--duration", "30", "--out", tmp_path, timeout=120)
    found = json.loads((tmp_path / "drills.json").read_text())
    assert done.returncode == 0 and len(found["details"]["faults"]) == 2
    assert (found["numbers"]["lost shows"], found["numbers"]["faults untold"]) == (0, 0), found["details"]
    assert found["numbers"]["longest gap (s)"] < 2.0


@posix
@performing
def test_an_engine_that_cannot_begin_tells_why_in_one_line(tmp_path):
    done = live("perform", "--watchdog", "--input", "silence", "--output", f"take:{tmp_path}/none/a.take")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "there is no folder" in done.stderr


@pytest.mark.parametrize("option", ["--fast", "--trace"])
def test_a_watchdog_is_for_the_stage(option, tmp_path):
    options = ("--trace", tmp_path / "a.json") if option == "--trace" else ("--fast",)
    done = live("perform", "--watchdog", "--input", "silence", "--output", "null:", "--duration", "1", *options)
    assert done.returncode == 2 and option in done.stderr


@performing
def test_a_stand_in_stands_at_ease():
    from live import skeleton
    from live.cli.stand_in import stand_in
    from live.motion.body import Motion
    from live.motion.stance import neutral_rotations
    from live.show import Show

    still = stand_in(Show(dancers=2)).generator
    assert isinstance(still, Still)
    motion = Motion()
    body = motion.initial_state(2)
    for tick in range(60):
        raw, _ = still.step(np.zeros(35, np.float32), tick, {})
        for pose in range(2):
            body = motion.step(raw[:, pose], body)
    apart = np.abs(np.vecdot(body.local_rotations[0], neutral_rotations()))
    assert apart.min() > 0.99 and body.root_position[0, 1] == pytest.approx(skeleton.REST_OFFSETS[0, 1], abs=0.05)
