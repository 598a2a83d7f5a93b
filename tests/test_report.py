"""What a performance tells afterwards: the pinned keys, figures that add up, a file that is whole."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fakes import FakeOutput, performed

from live import __version__
from live.clock import VirtualClock
from live.report import Setting, report, summary, write_report

KEYS = [
    "version", "machine", "model", "backend", "input", "duration_s", "ticks", "poses", "deadline_ms",
    "deadline_misses", "overflows", "stage_ms", "interval_ms", "reaction_ms", "declared_ms", "outputs",
    "control_dropped", "beat", "recoveries",
]  # fmt: skip
STAGES = ["capture", "features", "generator", "motion", "encode", "send", "total"]
FIGURES = ["p50", "p90", "p99", "p999", "max"]
SETTING = Setting("salsa", "a backend", "demo", ["memory locked"])


@pytest.fixture(scope="module")
def values():
    """The report of four seconds with a stall, a fault of the generator, and an output that always fails."""
    broken = FakeOutput(VirtualClock(), fails=OSError("refused"))
    stage = performed(4.0, takes={60: 0.5}, does={50: np.nan}, outputs=[broken])
    return report(SETTING, stage.engine, stage.source, stage.outputs, 4.0)


def test_the_keys_are_exactly_the_pinned_ones(values):
    assert list(values) == KEYS


def test_the_stages_and_their_figures_are_exactly_the_pinned_ones(values):
    assert list(values["stage_ms"]) == STAGES
    figures = [*values["stage_ms"].values(), values["interval_ms"], values["reaction_ms"]]
    assert [list(one) for one in figures] == [FIGURES] * 9


def test_an_output_is_told_by_uri_sent_and_errors(values):
    poses = values["poses"]
    assert values["outputs"] == [
        {"uri": "fake:", "sent": 0, "errors": poses},
        {"uri": "fake:", "sent": poses, "errors": 0},
    ]


def test_the_beat_is_told_by_bpm_and_confidence(values):
    assert values["beat"] == {"bpm": 120.0, "confidence": 0.9}


def test_figures_are_those_of_the_performance(values):
    assert (values["version"], values["model"], values["input"]) == (__version__, "salsa", "demo")
    assert (values["ticks"], values["poses"]) == (106, 211)
    assert values["deadline_ms"] == 16.6667
    assert values["deadline_misses"] == pytest.approx(30, abs=1)
    assert values["interval_ms"]["max"] == pytest.approx(516.67, abs=0.1)


def test_what_was_survived_is_told_in_order(values):
    assert ["stalled" in values["recoveries"][0], "generator" in values["recoveries"][1]] == [True, True]


def test_figures_of_a_stage_rise_from_the_median_to_the_longest(values):
    for figures in values["stage_ms"].values():
        assert list(figures.values()) == sorted(figures.values())


def test_a_written_report_is_read_back_whole(values, tmp_path):
    write_report(tmp_path / "report.json", values)
    assert json.loads((tmp_path / "report.json").read_text()) == values
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_an_older_report_is_replaced(values, tmp_path):
    (tmp_path / "report.json").write_text("old")
    write_report(tmp_path / "report.json", values)
    assert json.loads((tmp_path / "report.json").read_text())["poses"] == values["poses"]


def test_a_performance_of_nothing_has_a_report_too():
    stage = performed(0.0)
    values = report(SETTING, stage.engine, stage.source, stage.outputs, 0.0)
    assert json.loads(json.dumps(values, allow_nan=False))["interval_ms"]["max"] == 0
    assert all(summary(SETTING, values, 0.033))


def test_the_summary_names_what_matters_in_short_lines(values):
    lines = summary(SETTING, values, 0.033)
    assert max(len(line) for line in lines) < 120
    text = "\n".join(lines)
    for part in ("211 poses in 4.0 s from demo", "salsa on a backend", "memory locked", "stalled", "33 ms"):
        assert part in text
