"""Orders to a show that is going on, from the datagram to the pose."""

from __future__ import annotations

import json
import socket
import time

import numpy as np
import pytest
from survived import faults
from test_cli import live, on_stage, performing, recording, refusal
from test_describe import free_port
from test_orders import packet, strange

from live.orders import TABLE
from live.take import read_take

pytestmark = performing
SHOW = """
[scene.stop]
freeze = true
[cue.halt]
scene = "stop"
when = "now"
"""


def ordered(folder, orders, seconds=4, show=None):
    """Report and take of a show of the demo that is given (time, datagram) orders."""
    port, take, report = free_port(socket.SOCK_DGRAM), folder / "a.take", folder / "a.json"
    options = [show] if show else []
    options += ["--input", "demo", "--output", f"take:{take}", "--control", f"127.0.0.1:{port}"]
    with on_stage(*options, "--duration", seconds, "--report", report) as running, socket.socket(
        socket.AF_INET, socket.SOCK_DGRAM
    ) as sock:  # fmt: skip
        recording(take, running)
        begun = time.monotonic()
        for at, data in orders:
            time.sleep(max(0.0, begun + at - time.monotonic()))
            sock.sendto(data, ("127.0.0.1", port))
        _, complaint = running.communicate(timeout=30)
        assert (running.returncode, complaint) == (0, "")
    return json.loads(report.read_text()), read_take(take).records


def still(records):
    """Whether each pose is the one before it."""
    return (np.diff(records["local_rotations"][:, 0], axis=0) == 0).all((1, 2))


def test_freeze_stops_a_running_show_and_lets_it_go(tmp_path):
    report, records = ordered(tmp_path, [(1.0, packet("/live/freeze", 1)), (2.0, packet("/live/freeze", 0))])
    frozen = np.flatnonzero(still(records))
    assert 45 < len(frozen) < 70 and np.ptp(frozen) == len(frozen) - 1
    assert report["control_dropped"] == 0


def test_a_cue_of_the_show_file_is_run_by_name(tmp_path):
    (tmp_path / "show.toml").write_text(SHOW)
    _, records = ordered(tmp_path, [(1.0, packet("/live/cue", "halt"))], 3, tmp_path / "show.toml")
    assert still(records)[-30:].all() and not still(records)[:50].any()


def test_a_flood_of_strange_datagrams_does_no_harm(tmp_path):
    import random

    chance = random.Random(3)
    flood = [(1.0 + n / 2000, strange(chance)) for n in range(3000)]
    report, records = ordered(tmp_path, [*flood, (3.0, packet("/live/reset"))], 5)
    assert report["control_dropped"] > 1000 and faults(report["recoveries"]) == []
    assert len(records) == report["poses"] <= 300


def test_the_report_counts_what_was_dropped(tmp_path):
    report, _ = ordered(tmp_path, [(0.1, b"nonsense"), (0.2, packet("/live/style", "nobody"))], 2)
    assert report["control_dropped"] == 2


def test_a_show_that_is_not_in_order_is_refused_before_anything_opens(tmp_path):
    for text in ('setlist = ["a"]', '[scene.a]\ndance = 1', '[cue.a]\nscene = "b"', '[keys]\nab = "freeze"',
                 '[scene.a]\nstyle = "nobody"', '[cue.a]\nscene = 1', '[cue.a]\nscene = "b"\nwhat = 1'):  # fmt: skip
        (tmp_path / "show.toml").write_text(text)
        line = refusal("perform", tmp_path / "show.toml", "--output", f"take:{tmp_path / 'a.take'}", "--input", "demo")
        assert "a" in line and not (tmp_path / "a.take").exists()


@pytest.mark.parametrize("where", ["0.0.0.0:9", "nonsense", "127.0.0.1:0"])
def test_a_control_port_that_cannot_be_is_refused(where):
    assert "control" in refusal("perform", "--control", where, "--input", "demo", "--output", "null:")


def test_two_shows_at_once_share_nothing_and_the_second_says_so():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        try:
            taken.bind(("127.0.0.1", 9011))
        except OSError:
            pytest.skip("something else uses port 9011 here")
        done = live("perform", "--input", "silence", "--output", "null:", "--duration", "0.2", "--no-realtime")
        assert done.returncode == 0 and "no orders over OSC" in done.stdout


def test_every_order_is_documented():
    from test_osc_output import DOCUMENT

    text = DOCUMENT.read_text()
    assert [spec.address for spec in TABLE if f"`{spec.address}`" not in text] == []
