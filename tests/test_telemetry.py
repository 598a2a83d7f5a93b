"""How a show is going, as outputs that watch are told, and the option that asks for the page."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from live.cli.app import app
from live.cli.commands import MONITOR, filled
from live.cli.perform import Run, perform
from live.cli.telemetry import TICKS, Recent
from live.errors import Unusable
from live.ledger import STAGES
from live.outputs.null import NullOutput
from live.show import make_show

SHOW = {
    "input": "demo", "output": ["null:"], "duration": 2.0, "style": "lead", "intensity": 0.8,
    "scene": {"drop": {"intensity": 1.2}}, "setlist": ["drop"],
}  # fmt: skip


@pytest.fixture
def told(monkeypatch):
    """What `null:` is told, if it watches."""
    found: list[dict] = []
    monkeypatch.setattr(NullOutput, "watches", True)
    monkeypatch.setattr(NullOutput, "watch", lambda self, status: found.append(json.loads(json.dumps(status))))
    return found


def test_a_watcher_is_told_fifteen_times_a_second(told):
    perform(make_show(SHOW, "test"), Run(fast=True), lambda line: None)
    assert len(told) == 30
    last = told[-1]
    assert last["model"] == "salsa" and last["targets"] == [["null:", 120, 0]] and last["orders_at"] == ""
    assert last["ticks"]["count"] == 60 and len(last["ticks"]["ms"]) == TICKS
    assert all(len(row) == len(STAGES) for row in last["ticks"]["ms"])


def test_what_was_asked_for_is_told(told):
    perform(make_show(SHOW, "test"), Run(fast=True), lambda line: None)
    asked = told[0]["asked"]
    assert asked["intensity"] == 0.8 and not asked["freeze"]
    assert dict(zip(asked["styles"], asked["style"], strict=True))["lead"] == 1.0
    assert (asked["cues"], asked["setlist"], asked["last"]) == (["drop"], ["drop"], "")


def test_an_output_that_cannot_be_told_holds_nothing_up(told, monkeypatch):
    monkeypatch.setattr(NullOutput, "watch", lambda self, status: status["nothing"])
    lines: list[str] = []
    perform(make_show(SHOW, "test"), Run(fast=True), lines.append)
    assert any(line.startswith("120 poses") for line in lines)


def test_only_ticks_count_and_their_stages_add_up():
    recent = Recent()
    recent.add(0, 0.0, *[float(n) for n in range(8)])
    recent.add(1, 0.0, 1.0, 1.1, 1.2, 1.4, 1.5, 1.6, 1.7, 1.8)
    (row,) = recent.told()["ms"]
    assert recent.told()["count"] == 1
    assert row == pytest.approx([100, 100, 200, 100, 100, 100, 600], abs=1e-3)
    assert sum(row[1:6]) == pytest.approx(row[6], abs=1e-3)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["--monitor"], ["--monitor", MONITOR]),
        (["--monitor", "--fast"], ["--monitor", MONITOR, "--fast"]),
        (["--monitor", "0.0.0.0:80"], ["--monitor", "0.0.0.0:80"]),
        (["--monitor", "show.toml"], ["--monitor", MONITOR, "show.toml"]),
        (["show.toml"], ["show.toml"]),
    ],
)
def test_the_pages_place_may_be_left_out(given, meant):
    assert filled(given, "--monitor", MONITOR) == meant


def test_orders_from_no_page_are_refused():
    done = CliRunner().invoke(app, ["perform", "--monitor-orders", "--fast"])
    assert isinstance(done.exception, Unusable) and "add --monitor" in str(done.exception)
