"""The show file read again while the show goes on: taken over where it is right, refused whole where it is not."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
from test_cli import on_stage, performing, recording
from test_describe import free_port
from test_director import Led
from test_orders import packet

from live.errors import Unusable
from live.orders import Order
from live.reload import HANDS, Reader, main, taken_over
from live.show import Show, Stage
from live.take import read_take

# ---- what is taken over ------------------------------------------------------------------------------------------


def test_only_what_changed_in_the_file_is_asked_for():
    before = Show(style="a", intensity=0.5, stage=Stage(radius=2.0))
    after = Show(style="a", intensity=0.8, stage=Stage(radius=3.0), keys={"x": "freeze"})
    orders, taken, restart = taken_over(before, after)
    assert orders == [Order("intensity", 0.8), Order("stage", 3.0)]
    assert (taken, restart) == (["intensity", "keys", "stage"], [])


def test_the_same_file_changes_nothing():
    assert taken_over(Show(), Show()) == ([], [], [])


@pytest.mark.parametrize(
    "changed",
    [{"model": "other"}, {"dancers": 2}, {"tracker": "aubio"}, {"control": "off"}, {"input": "demo"}, {"midi": "x"}],
)
def test_what_needs_a_restart_is_told(changed):
    orders, taken, restart = taken_over(Show(), Show(**changed))
    assert (orders, taken, restart) == ([], [], list(changed))


def test_a_leader_that_was_not_joined_at_the_start_needs_a_restart():
    assert taken_over(Show(), Show(follow="link"))[2] == ["follow"]
    assert taken_over(Show(keys={"x": "tempo/follow link"}), Show(follow="link"))[2] == []


def test_the_entrance_lies_behind():
    assert taken_over(Show(), Show(stage=Stage(entrance=3.0)))[2] == ["stage.entrance"]


def test_every_key_is_either_taken_over_or_needs_a_restart():
    assert set(Show.model_fields) >= HANDS
    asked = {"formation", "spacing", "stage", "canon"}
    named = {"tempo/follow": "follow", "reset": "seed"}
    for one in Show().orders():
        assert one.name in asked or named.get(one.name, one.name) in HANDS


# ---- reading -----------------------------------------------------------------------------------------------------


def read(path, options=None):
    reader, until = Reader(path, options or {}), time.monotonic() + 15
    try:
        reader.ask()
        while time.monotonic() < until:
            if (show := reader.look()) is not None:
                return show
            time.sleep(0.01)
    finally:
        reader.close()
    raise AssertionError("the reader never came to an end")


def test_another_process_reads_the_file_under_the_options(tmp_path):
    (tmp_path / "show.toml").write_text(
        "dancers = 2\nseed = 5\n[scene.a]\nfreeze = true\n[midi_map]\n[stage]\ncanon = 1"
    )
    show = read(tmp_path / "show.toml", {"dancers": 3})
    assert (show.dancers, show.seed, show.scene, show.stage.canon) == (3, 5, {"a": {"freeze": True}}, 1.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [("dancers =", "is not TOML"), ("dance = 1", "valid keys are"), ('setlist = ["a"]', "set list"),
     ('[midi_map]\n"cc 1" = "dance"', "no order"), ("x = [" * 3000, "is not TOML"), ("\0", "is not TOML")],
)  # fmt: skip
def test_a_file_that_is_wrong_is_refused_in_one_line(tmp_path, text, told):
    (tmp_path / "show.toml").write_text(text)
    fault = main(tmp_path / "show.toml", {})["fault"]
    assert told in fault and "\n" not in fault and "show.toml" in fault


def test_a_file_that_is_gone_is_refused_by_the_reader_too(tmp_path):
    with pytest.raises(Unusable, match="cannot be read"):
        read(tmp_path / "none.toml")


def test_a_reader_that_died_is_a_refusal(tmp_path):
    (tmp_path / "show.toml").write_text("")
    reader = Reader(tmp_path / "show.toml", {})
    reader._process.kill()
    reader._process.wait()
    with pytest.raises(Unusable, match="could not be read again"):
        reader.ask()
        reader.look()
    reader.close()


def test_a_file_can_be_read_any_number_of_times_and_costs_the_loop_next_to_nothing(tmp_path):
    file, spent = tmp_path / "show.toml", []
    file.write_text("".join(f'[scene.s{n}]\nintensity = 1\nstyle = "a"\n' for n in range(100)))
    reader = Reader(file, {})
    for _ in range(5):
        begun, show = time.thread_time(), None
        reader.ask()
        while show is None:
            spent.append(time.thread_time() - begun)
            time.sleep(0.005)
            begun = time.thread_time()
            show = reader.look()
        show.script()
        spent.append(time.thread_time() - begun)
    reader.close()
    assert max(spent) < 0.008  # half a period, for a hundred scenes


# ---- in a show ---------------------------------------------------------------------------------------------------

FIRST = """
input = "demo"
dancers = 2
[cue.halt]
scene = "go"
[scene.go]
freeze = false
"""
SECOND = FIRST + '[scene.stop]\nfreeze = true\n[cue.end]\nscene = "stop"\n[stage]\nspacing = 5.0\n'


@contextmanager
def going_on(folder):
    """A show of FIRST in `folder`: its process, and a function that sends it orders; it is ended afterwards."""
    port = free_port(socket.SOCK_DGRAM)
    (folder / "show.toml").write_text(FIRST)
    options = ["--output", f"take:{folder / 'a.take'}", "--control", f"127.0.0.1:{port}", "--duration", 60,
               "--report", folder / "a.json"]  # fmt: skip
    with on_stage(folder / "show.toml", *options) as show, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        recording(folder / "a.take", show)
        yield show, lambda address, *values: sock.sendto(packet(address, *values), ("127.0.0.1", port))


def danced(folder, seconds=1.2):
    """Wait until so much more has been danced."""
    size, until = (folder / "a.take").stat().st_size, time.monotonic() + 30
    record = len(read_take(folder / "a.take").records[:1].tobytes())
    while (folder / "a.take").stat().st_size < size + 60 * seconds * record and time.monotonic() < until:
        time.sleep(0.05)


def ended(folder, show):
    """Report, poses, and what was said until the end, which comes now."""
    show.send_signal(signal.SIGINT)
    said, complaint = show.communicate(timeout=60)
    assert show.returncode == 0
    return json.loads((folder / "a.json").read_text()), read_take(folder / "a.take").records, said, complaint


def apart(records):
    """How far the two dancers are from each other, left to right, in each pose."""
    return np.diff(records["root_position"][:, :, 0], axis=1)[:, 0]


@performing
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_a_show_takes_a_new_file_over_and_refuses_a_bad_one(tmp_path):
    file = tmp_path / "show.toml"
    with going_on(tmp_path) as (show, send):
        send("/live/cue", "end")  # there is none yet
        danced(tmp_path, 0.2)
        file.write_text(SECOND)
        show.send_signal(signal.SIGHUP)
        assert show.stdout.readline().strip() == "show reloaded: taken over scene, cue, stage"
        danced(tmp_path, 3.0)
        file.write_text(SECOND + "nonsense = 1")
        show.send_signal(signal.SIGHUP)
        complaint = show.stderr.readline()
        send("/live/cue", "end")
        danced(tmp_path, 2.0)
        report, records, _, more = ended(tmp_path, show)
    assert complaint.startswith("live: show not reloaded: ") and "nonsense" in complaint and more == ""
    assert report["control_dropped"] == 2 and any("nonsense" in line for line in report["recoveries"])
    assert apart(records)[:20].mean() < 2.2 and apart(records)[-60:].mean() > 3.0  # spacing 1.5, then 5
    assert np.abs(np.diff(records["root_position"], axis=0)).max() < 0.08
    still = (np.diff(records["local_rotations"][:, 0], axis=0) == 0).all((1, 2))
    assert still[-30:].all() and not still[:100].any()


@performing
def test_an_order_reloads_too_and_says_what_needs_a_restart(tmp_path):
    with going_on(tmp_path) as (show, send):
        (tmp_path / "show.toml").write_text(FIRST.replace("dancers = 2", "dancers = 3\nmirror = true"))
        send("/live/reload")
        assert show.stdout.readline().strip() == "show reloaded: taken over mirror; needs a restart for dancers"
        report, _, _, complaint = ended(tmp_path, show)
    assert complaint == "" and report["control_dropped"] == 0


@performing
def test_a_style_that_the_model_lacks_is_refused_whole(tmp_path):
    with going_on(tmp_path) as (show, send):
        (tmp_path / "show.toml").write_text(FIRST + '[scene.odd]\nstyle = "nobody"\n[stage]\nspacing = 3.0\n')
        send("/live/reload")
        assert "nobody" in show.stderr.readline()
        danced(tmp_path, 2.0)
        report, records, said, _ = ended(tmp_path, show)
    assert "taken over" not in said and report["control_dropped"] == 1 and apart(records)[-30:].mean() < 2.2


@performing
def test_outputs_come_and_go_during_a_show(tmp_path):
    a, b, c = (f"take:{tmp_path / name}.take" for name in "abc")
    file = tmp_path / "show.toml"

    def written(*outputs):
        return f"output = {json.dumps(outputs)}\n" + FIRST

    file.write_text(written(a, b))
    with on_stage(file, "--control", "off", "--duration", 60, "--report", tmp_path / "a.json") as show:
        recording(tmp_path / "a.take", show)
        file.write_text(written(b, c))
        show.send_signal(signal.SIGHUP)
        assert show.stdout.readline().strip() == "show reloaded: taken over output"
        recording(tmp_path / "c.take", show)
        file.write_text(written(b, c, "vmc://no such host"))
        show.send_signal(signal.SIGHUP)
        assert "no such host" in show.stderr.readline()
        show.send_signal(signal.SIGINT)
        show.communicate(timeout=60)
    report = json.loads((tmp_path / "a.json").read_text())
    lengths = [len(read_take(tmp_path / f"{name}.take").records) for name in "abc"]
    assert lengths[1] == report["poses"] == lengths[0] + lengths[2]  # one came as the other went
    assert [output["uri"] for output in report["outputs"]] == [a, b, c]


def test_another_latency_moves_an_automatic_anticipation_and_no_other():
    led = Led()
    led.director.follow(Order("anticipation", None))
    led.director.latency_is(0.1)
    assert (led.engine.timing.latency, led.director.goals.lead) == (0.1, pytest.approx(0.18))
    led.director.follow(Order("anticipation", 30.0))
    led.director.latency_is(0.0)
    assert led.director.goals.lead == 0.03
    led.director.follow(Order("anticipation", None))
    assert led.director.goals.lead == pytest.approx(0.08)


CLOSED = """
import os, pty, sys, time
pid, master = pty.fork()
if pid == 0:
    os.execv(sys.executable, [sys.executable, "-m", "live", "perform", *sys.argv[1:], "--no-realtime", "--no-preview"])
time.sleep(float(3))
os.close(master)
until = time.monotonic() + 10
while time.monotonic() < until:
    if os.waitpid(pid, os.WNOHANG)[0]:
        print("ended")
        break
    time.sleep(0.05)
else:
    os.kill(pid, 9)
"""


@performing
def test_a_terminal_that_is_closed_ends_the_show_as_ever(tmp_path):
    pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    (tmp_path / "show.toml").write_text('input = "silence"\noutput = ["null:"]\ncontrol = "off"')
    done = subprocess.run([sys.executable, "-c", CLOSED, str(tmp_path / "show.toml")], capture_output=True, text=True)
    assert done.stdout == "ended\n"
