"""Sound through shared memory: as if the source itself were read, for whoever comes, and whenever."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeSource

from live.clock import VirtualClock
from live.relay import HANDED_ON, LINES, SECONDS, Relay, Relayed
from live.types import HOP, SAMPLE_RATE


class Counting(FakeSource):
    """Samples that are their own numbers."""

    def read_available(self):
        block = super().read_available()
        return block._replace(samples=np.arange(block.start, block.start + len(block.samples), dtype=np.float32))


@pytest.fixture
def relayed(tmp_path):
    """`after(seconds)` lets so much time pass; the folder; the source."""
    clock = VirtualClock(1000.0)
    source = Counting(clock, losses={SAMPLE_RATE: 1200}, latency=0.01)
    relay = Relay(tmp_path, source)

    def after(seconds):
        for _ in range(round(seconds / 0.002)):
            clock.time += 0.002
            relay.pump()

    after.relay = relay
    return after, tmp_path, source


def test_every_sample_comes_with_its_number(relayed):
    after, folder, _ = relayed
    after(0.1)
    there = Relayed(folder, "fake")
    there.begin(10.0)
    heard = [there.read_available()]
    for _ in range(20):
        after(0.016)
        heard.append(there.read_available())
    numbers = np.concatenate([block.samples for block in heard])
    np.testing.assert_array_equal(numbers, np.arange(len(numbers)))
    assert [block.start for block in heard] == [0, *np.cumsum([len(block.samples) for block in heard])[:-1]]


def test_lost_samples_are_a_hole_of_whole_frames(relayed):
    after, folder, _ = relayed
    after(0.9)
    there = Relayed(folder, "fake")
    there.begin(0.1)
    end = there.read_available()
    after(0.3)
    hole = there.read_available()
    assert (hole.start - end.start - len(end.samples)) % HOP == 0
    assert hole.samples[0] == hole.start


def test_times_are_those_of_the_source_and_handing_on_is_declared(relayed):
    after, folder, source = relayed
    after(0.5)
    there = Relayed(folder, "fake")
    there.read_available()
    assert there.capture_time(12_345) == pytest.approx(source.capture_time(12_345), abs=1e-6)
    assert there.latency == pytest.approx(0.01 + HANDED_ON)


def test_who_comes_late_hears_the_last_seconds_on_whole_frames(relayed):
    after, folder, _ = relayed
    after(20.0)
    there = Relayed(folder, "fake")
    first = there.begin(6.0)
    block = there.read_available()
    assert block.start == first == block.samples[0] and first % HOP == 0
    assert len(block.samples) == pytest.approx(6.0 * SAMPLE_RATE, abs=HOP)


def test_who_wants_more_than_is_kept_gets_what_there_is(relayed):
    after, folder, _ = relayed
    after(20.0)
    there = Relayed(folder, "fake")
    there.begin(100.0)
    assert 0.7 * SECONDS * SAMPLE_RATE < len(there.read_available().samples) <= SECONDS * SAMPLE_RATE


def test_what_the_source_survived_is_told_once_to_each_who_has_not_heard_it(relayed):
    after, folder, source = relayed
    source.events = ["lost", "back"]
    after(0.01)
    first = Relayed(folder, "fake")
    assert (first.recoveries(), first.recoveries()) == (["lost", "back"], [])
    after.relay.tell("ü" * 1000)
    after(0.01)
    second = Relayed(folder, "fake", heard=first.heard)
    (line,) = second.recoveries()
    assert set(line) == {"ü"} and len(line) > 200


def test_of_very_many_lines_the_newest_are_told(relayed):
    after, folder, _ = relayed
    for number in range(LINES + 10):
        after.relay.tell(str(number))
    assert Relayed(folder, "fake").recoveries() == [str(number) for number in range(10, LINES + 10)]


def test_the_end_of_the_source_is_told(tmp_path):
    clock = VirtualClock(1000.0)
    relay = Relay(tmp_path, FakeSource(clock, ends=0.5))
    there = Relayed(tmp_path, "fake")
    for seconds, ended in ((0.3, False), (0.3, True)):
        clock.time += seconds
        relay.pump()
        there.read_available()
        assert there.finished is ended
