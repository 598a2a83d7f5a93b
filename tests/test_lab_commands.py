"""`live bench` as a user meets it: every measurement runs, and leaves its JSON and its page."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import pytest
from test_cli import live, performing, refusal

from live.lab.pulse import VirtualMicrophone, missing

FIGURES = {"p50", "p90", "p99", "p999", "max", "histogram", "count", "mean", "unit"}
watched = pytest.mark.skipif(importlib.util.find_spec("psutil") is None, reason="psutil is not installed")

WINDOW = ["--preview"] if importlib.util.find_spec("pygame") and importlib.util.find_spec("skia") else []


def measured(folder, what, *options, env=os.environ):
    """The result of `live bench WHAT`, in a terminal that is wide enough."""
    done = live("bench", what, "--out", folder, *options, timeout=180, env={**env, "COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    text = (folder / f"{what}.json").read_text()
    told = json.loads(text)
    assert tempfile.gettempdir() + os.sep not in text  # nobody else has such a file
    assert told["schema_version"] == 2 and told["what"] == what and told["machine"]["processor"]
    assert all(set(one) >= FIGURES for one in told["measures"].values() if one["count"])
    assert all(name in done.stdout for name in (*told["measures"], *told["limits"]))
    assert (folder / f"{what}.html").read_text().startswith("<!doctype html>")
    return told


@performing
def test_a_step_is_measured_by_backend_and_dancers(tmp_path):
    told = measured(tmp_path, "step", "--seconds", "0.1", "--warm-up", "0", "--backend", "cpu", "--dancers", "1",
                    "--dancers", "2")  # fmt: skip
    assert list(told["measures"]) == ["cpu, 1 dancer", "cpu, 2 dancers"] and "ONNX" in told["details"]["devices"]["cpu"]


@performing
@watched
def test_the_tick_is_measured_by_stages(tmp_path):
    told = measured(tmp_path, "tick", "--duration", "2", "--warm-up", "1")
    misses = told["details"]["deadline_misses"]
    assert 62 > told["measures"]["tick"]["count"] == told["measures"]["generator"]["count"] >= 58 - misses
    assert set(told["limits"]) == {"tick p50", "tick p99", "tick p999", "trace, share of a tick"}
    assert told["details"]["frames_received"] == told["details"]["poses"]
    assert 183 > told["details"]["poses"] >= 177 - misses  # paced by the sound's clock, which a busy machine reads late


@performing
def test_jitter_is_measured_beside_a_bare_loop(tmp_path):
    told = measured(tmp_path, "jitter", "--duration", "1", "--warm-up", "1")
    assert 56 <= told["measures"]["interval, arrived"]["count"] <= 62
    assert told["measures"]["bare loop, late"]["count"] > 50


def test_sending_is_measured_by_outputs(tmp_path):
    told = measured(tmp_path, "outputs", "--seconds", "0.1", "--warm-up", "0", "--rounds", "2")
    assert {one["unit"] for one in told["measures"].values()} == {"us"} and len(told["limits"]) == 2
    assert {len(rounds) for rounds in told["details"]["rounds_p50_us"].values()} == {2}


def test_hearing_is_measured_by_stages(tmp_path):
    told = measured(tmp_path, "audio", "--tracker", "aubio", "--seconds", "0.05", "--warm-up", "0")
    assert list(told["measures"]) == ["tracker aubio", "features with aubio", "signals"]


@performing
@watched
def test_a_soak_tells_misses_gaps_and_memory(tmp_path):
    told = measured(tmp_path, "soak", "--duration", "2", "--warm-up", "1", "--recorder", *WINDOW)
    assert told["numbers"]["RSS, largest (MB)"] > 0 and told["numbers"]["longest gap (ms)"] > 16
    kinds = {output["uri"].partition(":")[0] for output in told["details"]["outputs"]}
    assert told["how"]["busy_core"] and kinds == ({"take", "vmc", "window"} if WINDOW else {"take", "vmc"})


@performing
@pytest.mark.skipif(bool(missing()), reason=missing())
def test_clicks_are_found_from_end_to_end(tmp_path):
    told = measured(tmp_path, "end-to-end", "--duration", "3", "--warm-up", "1")
    assert told["measures"]["sound to packet, danced"]["count"] >= 4
    assert 10 < told["numbers"]["measured, median (ms)"] < 150


@performing
@pytest.mark.parametrize("flash", [False, True])
def test_clicks_are_found_through_a_speaker_and_a_microphone(virtual_microphone: VirtualMicrophone, tmp_path, flash):
    if flash and not all(importlib.util.find_spec(name) for name in ("skia", "pygame")):
        pytest.skip("pygame-ce or skia-python is not installed (extra `preview`)")
    told = measured(tmp_path, "loopback", "--duration", "3", "--warm-up", "1", "--speaker", "default", "--microphone",
                    virtual_microphone.name, *["--flash"] * flash,
                    env={**virtual_microphone.env, "SDL_VIDEODRIVER": "dummy"})  # fmt: skip
    assert told["measures"]["sound to packet, heard"]["count"] >= 4 and told["how"]["speaker"] == "default"
    assert any("flash=1" in output["uri"] for output in told["details"]["outputs"]) == flash


def test_a_speaker_or_microphone_that_is_not_there_is_refused(tmp_path):
    assert "no audio output" in refusal("bench", "loopback", "--speaker", "no such thing", "--out", tmp_path)


def test_two_results_are_compared(tmp_path):
    measured(tmp_path, "audio", "--tracker", "aubio", "--seconds", "0.05", "--warm-up", "0")
    path = tmp_path / "audio.json"
    done = live("bench", "compare", path, path)
    assert done.returncode == 0 and "signals" in done.stdout and "1.000" in done.stdout


def test_what_is_no_result_is_not_compared(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    assert "no result of `live bench`" in refusal("bench", "compare", tmp_path / "a.json", tmp_path / "a.json")


@pytest.mark.parametrize("options", [["--dancers", "0"], ["--backend", "abacus"], ["--seconds", "0"]])
def test_a_step_that_makes_no_sense_is_refused(options):
    refusal("bench", "step", *options)


@performing
@watched
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_terminated_measurement_leaves_nobody_behind(tmp_path):
    import psutil

    with subprocess.Popen([sys.executable, "-m", "live", "bench", "jitter", "--out", tmp_path]) as bench:
        for _ in range(100):
            theirs = psutil.Process(bench.pid).children(recursive=True)
            if len(theirs) > 1:
                break
            time.sleep(0.1)
        bench.terminate()
        assert bench.wait(20) == 128 + signal.SIGTERM
    gone, alive = psutil.wait_procs(theirs, 10)
    assert len(gone) > 1 and not alive
