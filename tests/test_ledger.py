"""The latency ledger: percentiles that are right, in a size that never grows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.ledger import STAGES, Histogram, Ledger


def filled(values):
    histogram = Histogram()
    for value in values:
        histogram.add(float(value))
    return histogram


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99, 0.999])
def test_a_percentile_is_right_to_within_one_percent(share):
    values = np.random.default_rng(0).lognormal(-7, 1, 20_000)
    exact = np.percentile(values, 100 * share, method="inverted_cdf")
    assert filled(values).percentile(share) == pytest.approx(exact, rel=0.01)


@given(st.lists(st.floats(0, 100), min_size=1))
def test_percentiles_rise_and_end_at_the_longest(values):
    ms = list(filled(values).milliseconds().values())
    assert ms == sorted(ms)
    assert ms[-1] == pytest.approx(1e3 * max(values), abs=1e-4)


def test_the_longest_is_exact():
    assert filled([0.001, 0.0123456, 0.002]).milliseconds()["max"] == 12.3456


def test_nothing_recorded_reads_as_zero():
    assert set(Histogram().milliseconds().values()) == {0.0}


@pytest.mark.parametrize("odd", [0.0, -0.5, 1e-12, 3600.0])
def test_a_duration_out_of_range_is_counted_all_the_same(odd):
    histogram = filled([odd])
    assert histogram.count == 1
    assert histogram.percentile(0.5) <= max(odd, 0.0)


def test_the_five_figures_are_the_pinned_ones():
    assert list(filled([0.001]).milliseconds()) == ["p50", "p90", "p99", "p999", "max"]


def test_the_stages_are_the_pinned_ones():
    assert STAGES == ("capture", "features", "generator", "motion", "encode", "send", "total")
    assert tuple(Ledger().stages) == STAGES


def test_of_endless_recoveries_the_newest_thousand_stay():
    ledger = Ledger()
    for n in range(2500):
        ledger.recovered(f"number {n}")
    assert (len(ledger.recoveries), ledger.recoveries[-1]) == (1000, "number 2499")
