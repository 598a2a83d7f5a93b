"""Takes: what is recorded is read back, and stays whole however the recording ends."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from output_poses import pose

from live.errors import BadFile, BadTarget
from live.outputs import take as take_output
from live.ring import memory_folder
from live.take import head, pose_of, read_take, record_dtype

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits another process's file size, which only Linux can")


def recorder(path: Path, dancers=1, paced=True, query="") -> take_output.TakeOutput:
    output = take_output.open_output(f"take:{path}{query}")
    output.open(dancers, paced)
    return output


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Path:
    """A take of 100 poses of two dancers."""
    path = tmp_path_factory.mktemp("take") / "show.take"
    output = recorder(path, dancers=2)
    for n in range(100):
        output.send(pose(n, 2))
    output.close()
    assert (output.stats.sent, output.stats.errors) == (100, 0)
    return path


def test_every_number_of_every_pose_is_read_back(recorded):
    records = read_take(recorded).records
    for n, record in enumerate(records):
        p = pose(n, 2)
        for name in ("sequence", "capture_time", "play_time", "show_time"):
            assert record[name] == getattr(p, name)
        for name in ("root_position", "local_rotations", "joint_positions", "contacts"):
            np.testing.assert_array_equal(record[name], getattr(p, name))
        assert record["beat_phase"] == np.float32(p.beat.phase)
        assert (record["bpm"], record["beat_count"], record["level"]) == (120, p.beat.beat_count, 0.25)
        np.testing.assert_array_equal(record["features"], p.features)
        assert pose_of(record).signals == p.signals
    assert len(records) == 100


def test_times_are_seconds_since_the_show_began(recorded):
    take = read_take(recorded)
    np.testing.assert_allclose(take.time, np.arange(100) / 60)
    np.testing.assert_allclose(take.capture_time, np.arange(100) / 60 - 0.02, atol=1e-9)


def test_cutting_the_file_anywhere_loses_at_most_the_last_record(tmp_path):
    raw = head(1) + np.zeros(3, record_dtype(1)).tobytes()
    start, size, path = len(head(1)), record_dtype(1).itemsize, tmp_path / "cut.take"
    for end in range(start + size, len(raw)):
        path.write_bytes(raw[:end])
        assert len(read_take(path).records) == (end - start) // size


def test_a_file_cut_before_its_first_record_is_refused_in_one_line(tmp_path):
    raw, path = head(1) + bytes(record_dtype(1).itemsize - 1), tmp_path / "cut.take"
    for end in range(len(raw)):
        path.write_bytes(raw[:end])
        with pytest.raises(BadFile, match=r"^[^\n]+$"):
            read_take(path)


@pytest.mark.parametrize(
    "header", ["[]", "null", "{}", '{"version": 1}', "[" * 5000, "\xff", head(1)[12:].decode() + "]"]
)
def test_a_damaged_header_is_refused(tmp_path, header):
    path, text = tmp_path / "bad.take", header.encode("latin-1")
    path.write_bytes(b"LIVETAKE" + len(text).to_bytes(4, "little") + text)
    with pytest.raises(BadFile, match="damaged header"):
        read_take(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"dancers": 1', b'"dancers": 2'), (b'"<i8"', b'"|O8"'), (b"hips", b"hats"), (b'"version": 2', b'"version": 9')],
)
def test_a_header_that_promises_something_else_is_refused(tmp_path, old, new):
    path = tmp_path / "odd.take"
    path.write_bytes(head(1).replace(old, new) + bytes(2000))
    with pytest.raises(BadFile, match=r"does not describe|version 9"):
        read_take(path)


def test_a_missing_file_and_one_of_another_kind_are_refused(tmp_path):
    with pytest.raises(BadFile, match="No such file"):
        read_take(tmp_path / "none.take")
    with pytest.raises(BadFile, match="is not a take"):
        read_take(__file__)


def test_an_existing_file_is_kept_unless_told_otherwise(tmp_path):
    path = tmp_path / "show.take"
    path.write_bytes(b"precious")
    with pytest.raises(BadTarget, match="overwrite=1"):
        recorder(path)
    assert path.read_bytes() == b"precious"
    output = recorder(path, query="?overwrite=1")
    output.send(pose())
    output.close()
    assert len(read_take(path).records) == 1


@pytest.mark.parametrize("place", ["none/show.take", "", "/dev/full"])
def test_a_place_that_cannot_be_written_is_refused_when_opening(tmp_path, place):
    if place == "/dev/full" and not os.path.exists(place):
        pytest.skip("no /dev/full here")
    with pytest.raises(BadTarget, match=r"^take '[^\n]+$"):
        recorder(tmp_path / place, query="?overwrite=1")


def test_a_show_without_a_pose_leaves_no_file(tmp_path):
    recorder(tmp_path / "show.take").close()
    assert list(tmp_path.iterdir()) == []


def test_unpaced_recording_waits_for_the_disk_and_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(take_output.TakeOutput, "slots", 16)
    output = recorder(tmp_path / "fast.take", paced=False)
    for n in range(100):
        output.send(pose(n))
    output.close()
    assert read_take(tmp_path / "fast.take").records["sequence"].tolist() == list(range(100))


def test_paced_recording_drops_and_counts_what_the_disk_cannot_take(tmp_path, monkeypatch):
    monkeypatch.setattr(take_output.TakeOutput, "slots", 16)
    output = recorder(tmp_path / "slow.take")
    for n in range(100):
        output.send(pose(n))
    output.close()
    assert output.stats.errors > 0
    assert output.stats.sent + output.stats.errors == 100
    assert len(read_take(tmp_path / "slow.take").records) == output.stats.sent


@linux
def test_a_disk_that_fills_up_is_counted_and_leaves_what_fitted(tmp_path):
    import resource

    output = recorder(tmp_path / "full.take")
    resource.prlimit(output.child.pid, resource.RLIMIT_FSIZE, (5000, 5000))
    for n in range(90):
        output.send(pose(n))
    output.close()
    assert "File too large" in output.stats.last_error
    assert output.stats.errors == 90
    assert 0 < len(read_take(tmp_path / "full.take").records) < 10


def test_a_writer_that_is_killed_is_noticed_within_a_second_of_poses(tmp_path):
    output = recorder(tmp_path / "killed.take")
    output.send(pose())
    output.child.kill()
    output.child.wait()
    for n in range(1, 120):
        output.send(pose(n))
    assert "killed" in output.stats.last_error
    assert output.stats.errors >= 119
    output.close()


ENGINE = """
import sys, time
sys.path[:0] = [{tests!r}]
from output_poses import pose
from live.outputs import take
output = take.open_output("take:" + sys.argv[1])
output.open(1, True)
for n in range(120):
    output.send(pose(n))
print("recorded", flush=True)
time.sleep(60)
"""


def test_a_killed_engine_leaves_a_whole_take(tmp_path):
    path = tmp_path / "killed.take"
    code = ENGINE.format(tests=str(Path(__file__).parent))
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == b"recorded\n"
        engine.kill()
    whole = len(head(1)) + 120 * record_dtype(1).itemsize
    give_up = time.monotonic() + 10
    while path.stat().st_size < whole and time.monotonic() < give_up:
        time.sleep(0.02)
    assert read_take(path).records["sequence"].tolist() == list(range(120))


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are POSIX")
def test_ctrl_c_does_not_reach_the_writer(tmp_path):
    output = recorder(tmp_path / "show.take")
    assert os.getpgid(output.child.pid) != os.getpgid(0)
    output.close()


# ---- engines and writers that replace each other -----------------------------------------------------------------


def kept(path, memory):
    """A recorder whose memory has a name."""
    output = take_output.open_output(f"take:{path}")
    output.memory = memory
    return output


@pytest.fixture
def memory():
    """Where memory that has a name lies."""
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        yield Path(folder) / "take"


def danced(outputs, first, count):
    """So many poses from number `first` on, to each of `outputs`."""
    for number in range(first, first + count):
        for output in outputs:
            output.send(pose(number))


def test_another_engine_joins_and_the_take_goes_on(tmp_path, memory):
    owner, first, second = (kept(tmp_path / "a.take", memory) for _ in range(3))
    owner.open(1, True)
    first.join(1)
    danced([first], 0, 50)
    second.join(1)
    danced([second], 50, 50)
    second.close()
    owner.close()
    assert read_take(tmp_path / "a.take").records["sequence"].tolist() == list(range(100))


def test_a_writer_that_was_killed_is_revived_and_not_a_pose_is_lost(tmp_path, memory):
    owner, engine = (kept(tmp_path / "a.take", memory) for _ in range(2))
    owner.open(1, True)
    engine.join(1)
    assert owner.revive() == ""
    danced([engine], 0, 50)
    time.sleep(0.3)
    owner.child.kill()
    owner.child.wait()
    danced([engine], 50, 50)
    assert "killed" in owner.revive() and owner.revive() == ""
    engine.close()
    owner.close()
    assert read_take(tmp_path / "a.take").records["sequence"].tolist() == list(range(100))
    assert (owner.stats.sent, owner.stats.errors) == (100, 0)


def test_a_record_that_a_dying_writer_left_unfinished_is_written_again(tmp_path, memory):
    owner = kept(tmp_path / "a.take", memory)
    owner.open(1, True)
    danced([owner], 0, 10)
    time.sleep(0.3)
    owner.child.kill()
    owner.child.wait()
    with open(tmp_path / "a.take", "ab") as file:
        file.write(b"half a record")
    danced([owner], 10, 5)
    owner.revive()
    owner.close()
    assert read_take(tmp_path / "a.take").records["sequence"].tolist() == list(range(15))


@linux
def test_a_take_goes_on_once_there_is_room_on_the_disk_again(tmp_path, memory):
    psutil = pytest.importorskip("psutil")
    owner = kept(tmp_path / "a.take", memory)
    owner.open(1, True)
    danced([owner], 0, 10)
    psutil.Process(owner.child.pid).rlimit(psutil.RLIMIT_FSIZE, (5000, 5000))
    danced([owner], 10, 100)
    owner.child.wait(5)
    assert "File too large" in owner.revive()
    owner.close()
    assert read_take(tmp_path / "a.take").records["sequence"].tolist() == list(range(110))
