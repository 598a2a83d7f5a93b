"""The laboratory's arithmetic: figures that are right, misses that are told apart, clicks that are found."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import FakeGenerator, FakeOutput, PacedVirtualClock, Stage
from hypothesis import given, settings
from hypothesis import strategies as st

from live import realtime
from live.cli import laboratory
from live.clock import VirtualClock
from live.errors import BadFile, Failed, MissingExtra, Unusable
from live.lab import clicks, hearing, receiver, sending, show, soak, sound, stage, step
from live.lab.bare_loop import BareLoop, Woke
from live.lab.compare import compare
from live.lab.figures import BINS, SLICES, compared, course, histogram, longest_run, measured
from live.lab.loop import timed
from live.lab.page import page
from live.lab.receiver import Received
from live.lab.result import Result, read, write
from live.lab.show import Performance, Plan, Samples, Told
from live.outputs.vmc import open_output
from live.pace import PERIOD
from live.trace import events, tracing

MACHINE = {"processor": "a <processor>", "cores": 2, "system": "a system", "python": "3.11", "realtime": ["locked"]}
values = st.lists(st.floats(0, 1e3), min_size=1, max_size=200)


def result(**changes):
    measures = {"a & b": measured([0.001, 0.002, 0.009], deadline=0.005, at=np.arange(3.0)), "nothing": measured([])}
    given = Result("tick", {"model": "salsa"}, measures, {"p50": compared(2.0, 1.0, "ms")}, {"n": 4.0}, {}, MACHINE)
    return replace(given, **changes)


# ---- figures -----------------------------------------------------------------------------------------------------


def test_percentiles_are_those_of_numpy():
    seconds = np.random.default_rng(0).exponential(0.001, 10_000)
    told = measured(seconds)
    assert told["p999"] == pytest.approx(np.percentile(seconds, 99.9) * 1e3, abs=1e-4)
    assert (told["count"], told["max"]) == (10_000, pytest.approx(seconds.max() * 1e3, abs=1e-4))


@given(values)
@settings(deadline=None)
def test_a_histogram_holds_every_value(found):
    told = histogram(np.array(found))
    assert sum(told["counts"]) == len(found) and len(told["counts"]) == BINS == len(told["edges"]) - 1


@given(st.lists(st.booleans()))
def test_the_longest_run_is_the_longest_run(missed):
    runs = re.findall("1+", "".join("01"[one] for one in missed))
    assert longest_run(np.array(missed, bool)) == max(map(len, runs), default=0)


def test_misses_are_those_beyond_the_deadline():
    told = measured([0.01, 0.021, 0.02, 0.03, 0.04], deadline=0.02)
    assert (told["deadline"], told["misses"], told["longest_run_of_misses"]) == (20.0, 3, 2)


def test_the_course_keeps_every_peak():
    found = np.zeros(100_000)
    found[[7, 50_000, 99_999]] = [3, 4, 5]
    told = course(np.arange(100_000) / 60, found)
    assert len(told) == SLICES and sorted(value for _, value in told)[-4:] == [0, 3, 4, 5]


def test_of_nothing_only_the_count_is_told():
    assert measured([]) == {"unit": "ms", "count": 0}


@pytest.mark.parametrize(("least", "reached"), [(False, False), (True, True)])
def test_a_limit_bounds_from_above_or_from_below(least, reached):
    assert compared(2.0, 1.0, "", least)["reached"] is reached


# ---- results -----------------------------------------------------------------------------------------------------


def test_a_result_is_read_as_it_was_written(tmp_path):
    path = write(result(), tmp_path / "new")
    told = read(path)
    assert (path.name, told["schema_version"], told["what"]) == ("tick.json", 2, "tick")
    assert told["measures"] == json.loads(json.dumps(result().measures))


def test_the_page_needs_nothing_else_and_shows_everything(tmp_path):
    page = write(result(), tmp_path).with_suffix(".html").read_text()
    assert not re.search(r"(src|href)=|https?://|@import|url\(", page)
    assert page.count("<svg") == page.count("</svg>") == 2 and "a &amp; b" in page and "a &lt;processor&gt;" in page
    assert "class=missed" in page and "deadline" in page


def test_a_comparison_tells_ratios(tmp_path):
    twice = {"a & b": measured([0.002, 0.004, 0.018], deadline=0.005), "other": measured([1.0])}
    a, b = write(result(), tmp_path, "a"), write(result(measures=twice, numbers={"n": 2.0}), tmp_path, "b")
    rows = {(name, figure): ratio for name, figure, _, _, ratio in compare(a, b)}
    assert rows["a & b", "p50, ms"] == "2.000" and rows["n", ""] == "0.500" and rows["a & b", "misses"] == "1.000"
    assert ("other", "p50, ms") not in rows


def test_different_measurements_are_not_compared(tmp_path):
    a, b = write(result(), tmp_path), write(result(what="soak"), tmp_path)
    with pytest.raises(Unusable, match=r"measures tick, .* soak"):
        compare(a, b)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"measures": 3}', '{"schema_version": 1, "measures": {}}', "\ud800"])
def test_what_is_no_result_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(BadFile, match=r"a\.json: "):
        read(tmp_path / "a.json")


def test_a_result_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Failed, match="cannot be written"):
        write(result(), tmp_path / "file")


# ---- timing in this process --------------------------------------------------------------------------------------


class FakeTime:
    """Sleeping takes as long as it should, everything else `step` seconds a look."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def perf_counter(self):
        self.now += self.step
        return self.now

    def sleep(self, seconds):
        self.now += seconds

    thread_time = perf_counter


@pytest.mark.parametrize(("rate", "count", "apart"), [(50.0, 10, 0.02), (None, 67, 0.003)])
def test_a_loop_keeps_its_pace_or_none(monkeypatch, rate, count, apart):
    monkeypatch.setattr("live.lab.loop.time", FakeTime(0.001))
    found = timed(lambda: None, 0.2, 0.1, rate)
    assert len(found.at) == pytest.approx(count, abs=1)
    assert np.diff(found.at)[1:] == pytest.approx(apart, abs=1e-6) and found.took == pytest.approx(0.001)


def test_a_warm_up_does_not_count():
    done = []
    found = timed(lambda: done.append(1), 0.0, 0.0)
    assert (len(done), len(found.took)) == (2, 1)


def test_a_step_goes_on_from_the_state_before():
    generator = FakeGenerator()
    told, casts = step.run(generator, 0.02, 0.0, paced=False)
    assert told["count"] == len(generator.ticks) - 1 and generator.states == generator.ticks and casts > 0
    assert told["deadline"] == pytest.approx(33.3333)


def test_a_backend_that_is_not_to_be_had_is_not_run_and_a_named_one_is_refused(monkeypatch):
    def load(show):
        if show.backend == "tensorrt":
            raise Unusable("backend tensorrt: no CUDA device; take another")
        return FakeGenerator(), show.backend

    monkeypatch.setattr(laboratory, "load_generator", load)
    result = laboratory.step("salsa", [], [1, 8], 0.05, 0.0, False)
    assert [*result.measures] == ["cuda, 1 dancer", "cuda, 8 dancers", "cpu, 1 dancer", "cpu, 8 dancers"]
    assert result.details["not_run"] == {f"tensorrt, {who}": "no CUDA device" for who in ("1 dancer", "8 dancers")}
    assert "tensorrt, 8 dancers" in page({"version": "0", **asdict(result), "machine": MACHINE})
    with pytest.raises(Unusable, match="no CUDA device"):
        laboratory.step("salsa", ["tensorrt"], [1], 0.05, 0.0, False)


def test_tensorrt_alone_has_limits_for_a_step():
    told = dict(step.limits({("tensorrt", 1): {"p99": 0.4}, ("cpu", 64): {"p99": 40.0}}))
    assert list(told) == ["tensorrt, 1 dancers, p99"] and not told["tensorrt, 1 dancers, p99"]["reached"]


def test_hearing_goes_through_the_sound_block_by_block():
    heard = []
    found = list(hearing.run({"ears": heard.append}, np.arange(2000, dtype=np.float32), 0.01, 0.0))
    assert [name for name, _, _ in found] == ["ears"] and found[0][1]["count"] == len(heard) - 1
    assert [block[0] for block in heard[:3]] == [0, 800, 0] and {len(block) for block in heard} == {800}


def test_sending_hands_ever_later_poses_to_open_outputs():
    output = FakeOutput(VirtualClock())
    send = sending.sending([output], 3)
    send(), send()
    assert output.stats.sent == 2 and output.poses[1].sequence == 1 and output.poses[1].dancers == 3


# ---- a performance, watched --------------------------------------------------------------------------------------


def test_a_performance_that_fails_says_why():
    with Performance(Plan(model="no-such-model", duration=1.0)) as performance, pytest.raises(Failed, match="no-such"):
        performance.end()


def test_without_psutil_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psutil", None)
    with pytest.raises(MissingExtra, match=r"livedance\[bench\]"):
        show.load_psutil()


def test_ticks_are_read_from_a_trace(tmp_path):
    performed = Stage(PacedVirtualClock(1000.0))
    with tracing(tmp_path / "t.json", performed.ledger):
        performed.engine.run(2.0)
    stages, at = stage.ticks(json.loads((tmp_path / "t.json").read_text())["traceEvents"], warm_up=0.5)
    assert len(at) == len(stages["total"]) == 45 and at[0] >= 0.5
    ledger = performed.ledger.stages["total"]
    assert np.median(stages["total"]) == pytest.approx(ledger.percentile(0.5), rel=0.02)


def test_a_trace_of_nothing_gives_no_ticks():
    told = stage.tick_measures(list(events([], 0.0)), 0.0, 1.0)
    assert told["tick"]["count"] == 0 and stage.tick_limits(told["tick"], 1e-6, 0, 1, 0.1) == {}


def test_with_eight_dancers_a_core_has_to_carry_them():
    limits = stage.tick_limits({"count": 9, "p50": 1.0}, 1e-6, 0, 8, cores=2.0)
    assert limits["dancers a core"]["measured"] == 4.0 and not limits["dancers a core"]["reached"]
    assert limits["trace, share of a tick"]["measured"] == pytest.approx(0.1)


def test_tracing_is_cheap():
    assert stage.trace_cost(5000) < 20e-6  # 2% of a millisecond


def test_late_and_missing_poses_are_found_by_their_slots():
    slots = np.delete(np.arange(10) / 60, 6)
    arrived = 100.0 + slots + np.where(slots == 3 / 60, 0.020, 0.001)
    late = soak.late_poses(np.stack([slots, arrived, arrived], axis=1))
    starts = [begin - 100.001 for begin, _ in late]
    assert starts == pytest.approx([3 / 60, 6 / 60])


def test_a_miss_that_the_bare_loop_felt_or_the_hypervisor_caused_is_told_apart():
    samples = Samples(began=0.0, stolen=[(2.0, 2.1, 0.03)])
    late = [(1.0, 1.02), (2.05, 2.08), (3.0, 3.02)]
    told = soak.explain(late, [(0.96, 0.99)], samples)
    assert [(e["bare_loop_too"], e["with_steal"]) for e in told] == [(True, False), (False, True), (False, False)]
    assert [soak.misses(reported, told)["misses remaining"] for reported in (0, 3, 5)] == [1, 1, 3]


def test_memory_is_looked_at_after_the_warm_up():
    samples = Samples(process=[(n, 50.0 + n if n < 60 else 110.0 + n / 100, n / 10) for n in map(float, range(600))])
    told = soak.memory(samples)
    assert told["RSS growth (MB)"] == told["RSS growth, fitted (MB)"] == pytest.approx(5.39)
    assert samples.cores(60.0) == pytest.approx(0.1) and soak.limits(told)["RSS growth (MB)"]["reached"] is False


def test_a_receiver_that_is_interrupted_between_its_clocks_reads_them_again(monkeypatch):
    ticks = iter([1.0, 1.010, 1.011, 1.011001])
    monkeypatch.setattr(receiver, "time", SimpleNamespace(monotonic=lambda: next(ticks), time_ns=lambda: 7))
    assert receiver._both_clocks() == (1.011, 7)


def test_a_process_that_has_ended_but_was_not_asked_yet_is_no_sample_of_its_memory(monkeypatch):
    psutil = pytest.importorskip("psutil")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    # a zombie from here on: in the system's list, without memory
    assert psutil.Process(ended.pid).memory_info().rss == 0
    polls = iter([None, ended.pid])
    monkeypatch.setattr(ended, "poll", lambda: next(polls))
    assert show.watch(SimpleNamespace(process=ended)).process == []
    ended.wait()


def test_a_soak_that_nothing_was_received_of_is_told_all_the_same():
    nothing = Received(np.zeros((0, 3)), np.zeros((0, 2)))
    told, late = soak.numbers(5, nothing, Woke(np.zeros(0), np.zeros(0), []), Samples())
    assert told["misses remaining"] == 5 and late == [] and "RSS growth (MB)" not in told
    assert soak.measures(Samples())["RSS"]["count"] == 0


def test_jitter_is_told_of_what_comes_after_the_warm_up():
    slots = np.arange(120) * PERIOD
    frames = np.stack([slots, 50 + slots, 50 + slots + 0.001], 1)
    bare = Woke(49 + np.arange(400) * PERIOD, np.full(400, 1e-4), [])
    told = stage.jitter_measures(Received(frames, np.zeros((0, 2))), bare, warm_up=1.0)
    assert told["interval, arrived"]["count"] == 59 and told["bare loop, late"]["count"] == pytest.approx(60, abs=1)
    assert all(limit["reached"] for limit in stage.interval_limits(told).values())


def test_the_bare_loop_wakes_sixty_times_a_second_on_each_core():
    begun, loops = time.monotonic(), max(len(realtime.cores()), 1)
    with BareLoop() as loop:
        time.sleep(0.5)
        woke = loop.end()
    assert 5 * loops < len(woke.lateness) < 60 * loops * (time.monotonic() - begun) and (woke.lateness >= 0).all()
    apart = np.diff(woke.deadlines)
    assert (apart >= 0).all() and apart[-4 * loops :].max() <= PERIOD * 1.001


@pytest.mark.skipif(len(realtime.cores()) < 2, reason="needs two cores that have numbers")
def test_each_bare_loop_stays_on_its_core():
    with BareLoop() as loop:
        found = [os.sched_getaffinity(process.pid) for process in loop._processes]
        ended = [process.poll() for process in loop._processes]
        processes = loop._processes
    assert found == [{core} for core in realtime.cores()] and ended == [None] * len(found)
    assert all(process.poll() is not None for process in processes)


def test_what_keeps_a_core_busy_ends_with_its_parent():
    code = f"import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', {show.BUSY!r}, str(os.getpid())])"
    subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)  # returns when both let go of stdout


# ---- clicks ------------------------------------------------------------------------------------------------------


def heard(played, late, lost=()):
    """Mouths [m, 2] of poses that know, `late` seconds after its end, of each frame; told as `vmc://` does."""
    frames = np.arange(int(60 * (played[-1] + 2.0)))
    loud = np.zeros(len(frames))
    for click in np.delete(played, lost):
        loud[int(click * 60)] = 0.8
    mouths = np.zeros(len(frames))
    for n, one in enumerate(loud):
        mouths[n] = mouths[n - 1] + 0.5 * (one - mouths[n - 1])
    return np.stack([(frames + 1) / 60 + late, mouths], 1)


PLAYED = clicks.starts(200) / 48_000


def test_clicks_fall_evenly_over_a_tick():
    places = np.sort(clicks.starts(200) % clicks.TICK / clicks.TICK)
    assert np.abs(places - np.arange(200) / 200).max() < 0.02


def test_the_track_is_loud_from_the_first_sample_of_each_click():
    track = clicks.track(5)
    assert (np.abs(track[clicks.starts(5)]) == clicks.AMPLITUDE).all() and track[clicks.starts(5) - 1].max() == 0
    assert np.count_nonzero(track) == 5 * clicks.LENGTH


def test_a_click_is_found_in_the_first_packet_that_tells_of_it():
    found = clicks.found(PLAYED, heard(PLAYED, 0.010), poses_per_tick=2)
    frame_end = (np.floor(PLAYED * 60) + 1) / 60
    assert found.heard == pytest.approx(frame_end + 0.010 - PLAYED) and found.lost == 0
    waits = np.round((found.danced - found.heard) / PERIOD, 6)
    assert set(waits) == {0.0, 1.0} and 0.3 < waits.mean() < 0.7


def test_clicks_that_were_not_heard_are_lost():
    found = clicks.found(PLAYED, heard(PLAYED, 0.010, lost=[3, 4]), poses_per_tick=1)
    assert found.lost == 2 and len(found.heard) == 198 and found.danced == pytest.approx(found.heard)


def test_the_mouth_of_a_real_packet_is_undone():
    output = open_output("vmc://127.0.0.1:9?face=loudness")
    output._mouth = output._mood = 0.0
    output._dancers = 1
    written, made = [], sending.poses(1)[0]
    for level in (0.0, 0.1, 0.1, 0.0, 1e-2):
        made.level = level
        written.append(output._face(made)["face"][-1])
    assert clicks.loudness(np.array(written)) == pytest.approx([0.0, 0.75, 0.75, 0.0, 0.25])


def told(late, source=10.0):
    """What a performance leaves that tells of each frame `late` seconds after its end, and declares `source` ms."""
    report = {"poses": 1200, "ticks": 600, "stage_ms": {"total": {"p50": 1.0}},
              "declared_ms": {"source": source, "features": 16.6667, "generator": 16.6667}}  # fmt: skip
    return Told(report, Received(np.zeros((0, 3)), heard(PLAYED, late)), [])


@pytest.mark.parametrize(("late", "reached"), [(0.011, True), (0.016, False)])
def test_declared_and_measured_are_held_against_each_other(late, reached):
    left = told(late)
    found = clicks.found(PLAYED, left.received.mouths, sound.poses_per_tick(left))
    numbers = sound.numbers(left, found)
    assert numbers["measured less declared (ms)"] == pytest.approx(late * 1e3 - 11.0, abs=0.3)
    limits = sound.limits(sound.measures(found), numbers)
    assert limits["declared and measured apart"]["reached"] is reached
    assert limits["sound to packet p99"]["limit"] == pytest.approx(46.33)


def test_what_the_device_collects_counts_half_for_the_middle_and_whole_for_the_longest():
    left = told(0.012)
    found = clicks.found(PLAYED, left.received.mouths, sound.poses_per_tick(left))
    numbers = sound.numbers(left, found, handed=0.002)
    assert numbers["declared, median (ms)"] == sound.numbers(left, found)["declared, median (ms)"] + 1.0
    assert sound.limits(sound.measures(found), numbers)["sound to packet p99"]["limit"] == pytest.approx(48.33)
