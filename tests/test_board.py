"""The status board: what one process writes another reads, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from live.board import _HEAD, SIZE, Board


@pytest.fixture
def boards():
    """A board, and the same as another process sees it."""
    mine = Board()
    theirs = Board(mine.path)
    yield mine, theirs
    theirs.close()
    mine.close()


def test_what_is_written_is_read_by_another(boards):
    mine, theirs = boards
    mine.write({"bpm": 120.5, "model": "salsa", "targets": [["null:", 3, 0]]})
    assert theirs.read() == {"bpm": 120.5, "model": "salsa", "targets": [["null:", 3, 0]]}


def test_the_newest_values_are_read(boards):
    mine, theirs = boards
    for n in range(10):
        mine.write({"n": n, "padding": "x" * (100 - 10 * n)})
    assert theirs.read() == {"n": 9, "padding": "x" * 10}


def test_before_the_first_write_there_is_nothing(boards):
    assert boards[1].read() is None


def test_a_torn_write_gives_none(boards):
    mine, theirs = boards
    mine.write({"n": 1})
    mine._map[: _HEAD.size] = _HEAD.pack(2, 8)  # the next write has begun, its end mark is still the old one
    assert theirs.read() is None


def test_a_write_that_ended_after_the_head_was_read_gives_none(boards):
    mine, theirs = boards
    mine.write({"n": 1})
    mine._map[-_HEAD.size :] = _HEAD.pack(2, 8)
    assert theirs.read() is None


def test_text_cut_in_the_middle_gives_none(boards):
    mine, theirs = boards
    mine.write({"name": "a name"})
    mine._map[_HEAD.size : _HEAD.size + 4] = b"\0\0\0\0"
    assert theirs.read() is None


def test_a_senseless_size_gives_none(boards):
    mine, theirs = boards
    mine._map[: _HEAD.size] = mine._map[-_HEAD.size :] = _HEAD.pack(1, 2**31)
    assert theirs.read() is None


def test_what_does_not_fit_leaves_what_was_there(boards):
    mine, theirs = boards
    mine.write({"n": 1})
    mine.write({"text": "x" * SIZE})
    assert theirs.read() == {"n": 1}


def test_the_largest_text_that_fits_is_read_whole(boards):
    mine, theirs = boards
    text = "x" * (SIZE - 2 * _HEAD.size - len('{"t": ""}'))
    mine.write({"t": text})
    assert theirs.read() == {"t": text}


def test_a_closed_board_leaves_no_file():
    board = Board()
    board.close()
    assert not Path(board.path).exists()


def test_a_reader_that_closes_leaves_the_board_standing(boards):
    mine, _ = boards
    Board(mine.path).close()
    assert Path(mine.path).exists()
