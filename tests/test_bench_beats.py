"""`live bench beats`: perfect beats score 1, wrong and late ones nothing, and the report is whole."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_cli import live, refusal

from live.bench.beats import GOALS, measure, result_of, run_clip, trackers
from live.bench.clips import Clip, halves, read_beats, read_clips
from live.bench.page import page
from live.bench.scores import matches, relock_beats, score
from live.bench.table import insert, markdown
from live.bench.track import STEP, Heard, ReportedBeat, told
from live.errors import BadFile, MissingExtra, Unusable
from live.types import BeatState

SCORES = {"f", "cmlt", "amlt", "octave", "error_median_ms", "error_p90_ms", "error_signed_ms", "first_right_s",
          "first_lock_s", "relock_beats", "reported", "late", "cpu_s_per_s", "cpu_ms_per_10ms", "block_p50_ms",
          "block_p99_ms"}  # fmt: skip


def grid(bpm, seconds=30.0, first=0.5):
    return np.arange(first, seconds, 60.0 / bpm)


def clip(truth, name="a"):
    return Clip(name, Path(f"{name}.ogg"), truth, "", 60.0 / np.median(np.diff(truth)), "choosing")


def on_time(times, late=0.0):
    return [ReportedBeat(time, time + late) for time in times]


class Known:
    """A tracker that knows a steady grid beforehand."""

    latency = 0.0

    def __init__(self, bpm=120.0, first=0.45):
        self.bpm, self.first, self.samples = bpm, first, 0

    def hear(self, samples):
        self.samples += len(samples)

    def now(self):
        beats = (self.samples / 48_000 - self.first) * self.bpm / 60 + 1
        if beats < 0:
            return BeatState()
        phase = beats % 1.0
        return BeatState(phase, self.bpm, 0.9, next_beat=(1 - phase) * 60 / self.bpm, beat_count=int(beats))


@pytest.fixture
def data(tmp_path):
    """Two clips of noise with beats at 120 and 180 BPM."""
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, 48_000 * 14)
    for name, bpm in (("one", 120), ("two", 180)):
        soundfile.write(tmp_path / f"{name}.ogg", noise, 48_000)
        (tmp_path / f"{name}.beats").write_text("".join(f"{t:.4f}\n" for t in grid(bpm, 14.0, 0.45)))
    about = [{"name": "one", "style": "steady & <plain>", "bpm": 120}, {"name": "two", "style": "fast", "bpm": 180}]
    (tmp_path / "index.json").write_text(json.dumps(about))
    return tmp_path


# ---- scores ------------------------------------------------------------------------------------------------------


def test_perfect_beats_score_one():
    found = score(clip(grid(120)), on_time(grid(120)))
    assert (found.f, found.cmlt, found.amlt, found.late) == (1.0, 1.0, 1.0, 0)
    assert np.abs(found.errors).max() == 0.0 and found.first_right == 0.5


def test_beats_between_the_beats_score_nothing():
    found = score(clip(grid(100)), on_time(grid(100) + 0.3))
    assert (found.f, found.cmlt, found.first_right, len(found.errors)) == (0.0, 0.0, None, 0)


def test_no_beats_at_all_score_nothing():
    assert score(clip(grid(100)), []).f == 0.0


@pytest.mark.parametrize(("late", "f"), [(-0.5, 1.0), (0.010, 1.0), (0.011, 0.0)])
def test_a_beat_told_over_10_ms_after_its_time_counts_as_missed(late, f):
    assert score(clip(grid(120)), on_time(grid(120), late)).f == f


def test_errors_are_those_of_the_beats_met():
    truth = grid(120)
    found = score(clip(truth), on_time(truth + np.where(np.arange(len(truth)) % 2, 0.02, 0.2)))
    assert found.errors == pytest.approx(0.02) and len(found.errors) == sum(truth[1::2] >= 5)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(("bpm", "f"), [(180, 1.0), (160, 2 / 3)])
def test_half_the_tempo_is_right_from_170_to_210_bpm_alone(bpm, f, first):
    truth = grid(bpm)
    found = score(clip(truth), on_time(truth[first::2]))
    assert found.f == pytest.approx(f, abs=0.01)
    assert found.octave.startswith("half" if f == 1.0 else "as annotated")


def test_the_first_right_beat_counts_from_the_musics_start_and_the_first_lock_has_a_follower():
    truth = grid(120)
    beats = np.concatenate([[truth[2]], truth[5:]])
    found = score(clip(truth), on_time(beats), music_start=0.4)
    assert (found.first_right, found.first_lock) == pytest.approx((truth[2] - 0.4, truth[5] - 0.4))


def test_each_beat_is_met_once():
    assert matches(np.array([1.0, 2.0]), np.array([0.95, 1.02, 1.04, 2.2])) == [(0, 1)]


def step_clip():
    return clip(np.concatenate([grid(100, 10.0), 10.0 + grid(130, 20.0, 0.4)]), "tempo_step")


@pytest.mark.parametrize("missed", [0, 3, 9])
def test_beats_until_a_tempo_step_is_followed_are_counted(missed):
    stepping = step_clip()
    after = stepping.change[1] + 1
    beats = np.delete(stepping.truth, np.s_[after : after + missed])
    assert relock_beats(stepping, beats) == missed


def test_beats_lost_long_after_the_step_are_not_the_steps():
    stepping = step_clip()
    assert relock_beats(stepping, np.delete(stepping.truth, np.s_[-12:-5])) == 0


def test_a_ramp_is_a_change_all_the_way():
    ramp = clip(np.cumsum(60.0 / np.linspace(90, 140, 80)), "folk_ramp90to140")
    assert ramp.change[0] < 6 and ramp.change[1] > 70
    assert relock_beats(ramp, np.delete(ramp.truth, np.s_[40:46])) == 6


def test_a_clip_that_does_not_change_has_nothing_to_re_lock():
    assert relock_beats(clip(grid(120)), grid(120)) is None


# ---- telling beats -----------------------------------------------------------------------------------------------


def heard(*states):
    return [Heard((k + 1) * STEP / 48_000, state, 0.1, 0.0, 0.0) for k, state in enumerate(states)]


def test_a_beat_is_foretold_within_a_step_and_told_once():
    before = BeatState(0.99, 120, 1, next_beat=0.005, beat_count=3)
    after = BeatState(0.01, 120, 1, next_beat=0.495, beat_count=4)
    assert next(told(heard(before, after))) == pytest.approx((0.015, 0.01))
    assert len(list(told(heard(before, after)))) == 1
    assert len(list(told(heard(before, before, after)))) == 1


def test_a_beat_that_was_not_foretold_is_told_when_known():
    states = [
        BeatState(0.6, 120, 1, next_beat=0.2, beat_count=3),
        BeatState(0.04, 120, 1, next_beat=0.48, beat_count=4),
    ]
    assert list(told(heard(*states)))[-1] == pytest.approx((0.0, 0.02))


# ---- clips -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0.5\n1.0\nx\n", "a.beats: line 3: 'x' is not a time"),
        ("0.5\n1.0\nnan\n", "a.beats: line 3: 'nan' is not a time"),
        ("0.5\n-1\n", "a.beats: line 2: '-1' is not a time"),
        ("0.5\n\n0.4\n", "a.beats: line 3: 0.4 s does not come after"),
        ("0.5\n", "a.beats: holds 1 beats"),
    ],
)
def test_a_damaged_beats_file_is_named_with_its_line(tmp_path, text, complaint):
    (tmp_path / "a.beats").write_text(text)
    with pytest.raises(BadFile, match=re.escape(complaint)):
        read_beats(tmp_path / "a.beats")


def test_a_beats_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "a.beats").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadFile, match=r"a\.beats: is not text in UTF-8"):
        read_beats(tmp_path / "a.beats")


def test_further_columns_are_left_alone(tmp_path):
    (tmp_path / "a.beats").write_text("0.5\t1\n1.0\t2\n")
    assert list(read_beats(tmp_path / "a.beats")) == [0.5, 1.0]


def test_beats_without_sound_and_a_folder_without_beats_are_refused(tmp_path):
    with pytest.raises(Unusable, match=r"holds no NAME\.beats"):
        read_clips(tmp_path)
    (tmp_path / "a.beats").write_text("0.5\n1.0\n")
    with pytest.raises(BadFile, match=r"there is no a\.ogg beside it"):
        read_clips(tmp_path)


@pytest.mark.parametrize("text", ["{", '{"name": 3}', '[{"name": "one"}]', '[{"name": "one", "bpm": "fast"}]'])
def test_a_damaged_index_is_named(data, text):
    (data / "index.json").write_text(text)
    with pytest.raises(BadFile, match=r"index\.json"):
        read_clips(data)


def test_without_an_index_the_tempo_is_the_truths(data):
    (data / "index.json").unlink()
    assert [round(c.bpm) for c in read_clips(data)] == [120, 180]


def test_the_halves_are_every_other_clip():
    assert halves(["d", "b", "a", "c"]) == {"a": "choosing", "b": "reporting", "c": "choosing", "d": "reporting"}


def test_an_unknown_tracker_is_refused_with_the_valid_ones():
    with pytest.raises(Unusable, match="aubio"):
        trackers(["oracle"])


# ---- the report --------------------------------------------------------------------------------------------------


@pytest.fixture
def result(data):
    return measure(read_clips(data), {"known": Known, "twice": lambda: Known(240.0)}, lambda _: None)


def test_a_tracker_that_knows_the_beats_reaches_everything(data):
    row = run_clip(read_clips(data)[0], Known())
    assert (row["f"], row["cmlt"], row["late"], row["first_right_s"]) == (1.0, 1.0, 0, pytest.approx(0.45, abs=0.02))
    assert row["error_p90_ms"] < 0.1


def test_the_json_has_its_keys(result):
    assert result["schema_version"] == 1 and result["machine"]["processor"] and result["what"] == "beats"
    assert set(result["clips"]) == {"one", "two"} and result["clips"]["two"]["felt_half"]
    known = result["trackers"]["known"]
    assert all(row.keys() >= SCORES | {"beats", "trace"} for row in known["rows"])
    assert set(known["mean"]) == {"all", "choosing", "reporting"} and known["mean"]["choosing"]["f"] == 1.0
    assert {goal["what"] for goal in known["goals"]} <= {name for name, *_ in GOALS}
    assert json.loads(json.dumps(result)) == result


def test_the_page_has_a_figure_per_clip_and_needs_nothing_else(result):
    html = page(result)
    assert html.count("<figure>") == 2 and html.count("<svg") == 4
    assert not re.search(r"https?:|//|src=|href=|@import|url\(", html)
    assert "steady &amp; &lt;plain&gt;" in html and "better octave" in html


def test_the_table_is_written_between_its_marks(result, tmp_path):
    file = tmp_path / "beats.md"
    file.write_text("before\n<!-- measured -->\noutdated\n<!-- /measured -->\nafter\n")
    insert(file, markdown([result]))
    text = file.read_text()
    assert text.startswith("before\n") and text.endswith("<!-- /measured -->\nafter\n") and "outdated" not in text
    assert "| known | choosing (1) | 1.00 | 1.00 | 1.00 |" in text


def test_a_side_tracker_that_cannot_be_installed_is_told_with_the_reason(data, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))
    others = importlib.import_module("other_beat_trackers")
    monkeypatch.setattr(others, "_environment", lambda name, _: others._run([str(data / "python"), name]))
    clips = read_clips(data)
    result = result_of(clips, {"madmom": others.run_side("madmom", clips, data, None)})
    reason = result["trackers"]["madmom"]["not_run"]
    assert "No such file" in reason
    assert f"`madmom` was not run: {reason}" in markdown([result]) and "was not run" in page(result)


def test_a_file_without_marks_is_refused(tmp_path):
    (tmp_path / "a.md").write_text("nothing")
    with pytest.raises(BadFile, match="no place marked"):
        insert(tmp_path / "a.md", "text")


def test_without_mir_eval_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mir_eval.beat", None)
    with pytest.raises(MissingExtra, match=r"livedance\[bench\]"):
        score(clip(grid(120)), on_time(grid(120)))


def test_the_command_writes_json_and_page(data, tmp_path):
    done = live("bench", "beats", "--data", data, "--tracker", "aubio", "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "") and "aubio" in done.stdout
    assert set(json.loads((tmp_path / "out" / "beats.json").read_text())["trackers"]) == {"aubio"}
    assert (tmp_path / "out" / "beats.html").read_text().startswith("<!doctype html>")


def test_the_command_refuses_a_damaged_clip_in_one_line(data):
    (data / "two.beats").write_text("soon\n")
    assert "two.beats: line 1: 'soon' is not a time in seconds" in refusal("bench", "beats", "--data", data)
