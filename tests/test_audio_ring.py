"""The ring between the capturing thread and the loop."""

from __future__ import annotations

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from live.samples import SampleRing
from live.types import AudioBlock, Float32


def count(first: int, length: int) -> Float32:
    """Samples that tell their own number, in millionths."""
    return (np.arange(first, first + length) * 1e-6).astype(np.float32)


@given(st.lists(st.tuples(st.sampled_from(["write", "read", "skip"]), st.integers(0, 130)), max_size=60))
def test_whatever_the_ring_gives_carries_its_own_number(steps: list[tuple[str, int]]) -> None:
    ring, end = SampleRing(100, grid=7), 0
    for what, size in steps:
        if what == "write":
            ring.write(count(ring.written, size))
        elif what == "skip":
            ring.skip_to(ring.written + size)
        else:
            block = ring.read()
            assert (block.start >= end and (block.start - end) % 7 == 0) or len(block.samples) == 0
            assert np.array_equal(block.samples, count(block.start, len(block.samples)))
            end = block.start + len(block.samples)


def test_what_fits_comes_out_whole() -> None:
    ring = SampleRing(100)
    got = []
    for begin in range(0, 1000, 50):
        ring.write(count(begin, 50))
        got.append(ring.read().samples)
    assert np.array_equal(np.concatenate(got), count(0, 1000)) and ring.overflows == 0


class LappedRing(SampleRing):
    """Its writer is quick: it writes `lap` more samples each time that the reader has made its copy."""

    lap = 0

    def _untorn(self, copy: AudioBlock) -> AudioBlock:
        self.write(np.full(self.lap, -1, np.float32))
        return super()._untorn(copy)


@given(st.integers(0, 250))
def test_what_was_overwritten_while_it_was_copied_is_dropped_and_counted(lap: int) -> None:
    ring = LappedRing(100, grid=7)
    ring.write(count(0, 75))
    ring.lap = lap
    block = ring.read()
    untouched = max(0, min(75, 175 - lap))
    assert 75 - block.start <= untouched and np.array_equal(block.samples, count(block.start, len(block.samples)))
    assert ring.overflows == (lap > 25) and (block.start % 7 == 0 or len(block.samples) == 0)


def test_a_writer_and_a_reader_at_once_never_mix_samples_up() -> None:
    ring, done = SampleRing(4000), threading.Event()

    def write() -> None:
        for begin in range(0, 2_000_000, 100):
            ring.write(np.arange(begin, begin + 100).astype(np.float32))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    blocks = []
    while not done.is_set():
        if len((block := ring.read()).samples):
            blocks.append(block)
    writer.join()
    for block in blocks:
        assert np.array_equal(block.samples, np.arange(block.start, block.start + len(block.samples)))
