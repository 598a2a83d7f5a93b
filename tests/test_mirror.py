"""What one process leaves in memory for the next: whole records only, and nothing lost of what was counted."""

from __future__ import annotations

import numpy as np
import pytest

from live.ledger import Ledger
from live.mirror import SLOTS, Mirror

ARRAYS = {"numbers": np.arange(3.0), "state": np.ones((2, 4), np.float32)}


def test_another_mirror_of_the_same_memory_shows_the_newest(tmp_path):
    ours, theirs = Mirror(tmp_path / "m", ARRAYS), Mirror(tmp_path / "m", ARRAYS)
    for n in range(2 * SLOTS + 1):
        ours.write({"numbers": np.full(3, n), "state": np.full((2, 4), -n)})
    newest = theirs.newest()
    assert theirs.written == 2 * SLOTS + 1
    assert newest["numbers"].tolist() == [8.0] * 3 and (newest["state"] == -8).all()


def test_a_mirror_that_nobody_wrote_shows_nothing(tmp_path):
    assert Mirror(tmp_path / "m", ARRAYS).newest() is None


def test_a_record_that_was_not_finished_does_not_show(tmp_path):
    mirror = Mirror(tmp_path / "m", ARRAYS)
    mirror.write(ARRAYS)
    with pytest.raises(ValueError):
        mirror.write({"numbers": np.full(3, 9.0), "state": np.zeros(7)})
    assert mirror.newest()["numbers"].tolist() == [0.0, 1.0, 2.0]


def test_memory_of_another_shape_is_refused(tmp_path):
    Mirror(tmp_path / "m", ARRAYS)
    with pytest.raises(ValueError, match="something else"):
        Mirror(tmp_path / "m", {"numbers": np.zeros(99)})


def test_a_ledger_counts_on_from_another_ones_figures():
    before, after = Ledger(), Ledger()
    before.poses, before.extrapolated = 120, 3
    for seconds in (0.001, 0.002, 0.5):
        before.interval.add(seconds)
    after.put_back(before.figures())
    after.put_back_counters(before.counters())
    after.interval.add(0.25)
    assert (after.poses, after.extrapolated, after.interval.count) == (120, 3, 4)
    assert after.interval.milliseconds()["max"] == 500.0
