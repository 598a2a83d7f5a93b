"""Films: pictures and sound in time, whole whatever happens, and clear words where there can be none."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest
from dancers import BEGAN, standing, write_take

pytest.importorskip("av", reason="av is not installed (extra `film`)")
pytest.importorskip(
    "skia", reason="skia-python is not installed (extra `preview`), or its libraries (libEGL) are missing"
)

import av

from live.cli.overhear import Overheard
from live.cli.render import Plan, _missing, pictures, render
from live.errors import BadFile, BadTarget, Failed, Unusable
from live.look import Look
from live.outputs import film
from live.renderers import _encoder, _shapes
from live.sound import Track
from live.take import read_take
from live.types import HOP, SAMPLE_RATE, AudioBlock

TINY = Look(width=96, height=64, background="000000", trails=False)
MARKS = (20, 50, 80)
"""Pictures with a click."""


def click(length=HOP) -> np.ndarray:
    samples = np.zeros(length, np.float32)
    samples[:48] = 0.9
    return samples


def watched(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """When (s) pictures are bright, and when sound begins to click, as a player has them."""
    with av.open(str(path)) as file:
        bright = [float(f.time) for f in file.decode(video=0) if f.to_ndarray(format="gray").mean() > 60]
    with av.open(str(path)) as file:
        sound = [(float(f.time), f.to_ndarray()[0]) for f in file.decode(audio=0)]
    samples = np.concatenate([s for _, s in sound])
    loud = np.flatnonzero(np.abs(samples) > 0.3)
    starts = loud[np.diff(loud, prepend=-SAMPLE_RATE) > SAMPLE_RATE // 10]
    return np.array(bright), sound[0][0] + starts / SAMPLE_RATE


def test_clicks_are_heard_with_the_pictures_that_are_marked(tmp_path):
    made = _encoder.Film(tmp_path / "a.mp4", TINY, 60, sound=True)
    for n in range(100):
        made.picture(np.full((64, 96, 4), 255 if n in MARKS else 0, np.uint8), n)
        made.sound(click() if n in MARKS else np.zeros(HOP, np.float32))
    made.close()
    bright, clicks = watched(tmp_path / "a.mp4")
    np.testing.assert_allclose(bright, np.array(MARKS) / 60, atol=1e-3)
    np.testing.assert_allclose(clicks, bright, atol=0.005)


def crouching(n: int):
    """A pose that fills far less of the picture than a standing one."""
    pose = standing(n)
    pose.joint_positions[:, 1:] = pose.joint_positions[:, :1]
    return pose


def filmed(path: Path, count=100, late=0.0) -> film.FilmOutput:
    """A show with a click and a body that stands up at each mark; blocks of sound come in their own rhythm."""
    output = film.open_output(f"film:{path}?size=96x64&background=000000&trails=0")
    output.open(1, False)
    for n in range(count):
        for first in (0, 500):
            part = click()[first : first + 500] if n in MARKS else np.zeros(500 if first == 0 else 300, np.float32)
            output.hear(part, BEGAN + late + n / 60 + first / SAMPLE_RATE)
        output.send(standing(n) if n in MARKS else crouching(n))
    output.close()
    return output


def stands(path: Path) -> np.ndarray:
    """When the body fills more of the picture."""
    with av.open(str(path)) as file:
        sizes = [(float(f.time), (f.to_ndarray(format="gray") > 60).sum()) for f in file.decode(video=0)]
    limit = (max(s for _, s in sizes) + min(s for _, s in sizes)) / 2
    return np.array([t for t, s in sizes if s > limit])


@pytest.mark.parametrize("late", [0.0, 0.004])
def test_a_show_is_filmed_by_a_process_of_its_own_in_sync(tmp_path, late):
    output = filmed(tmp_path / "show.mp4", late=late)
    assert (output.stats.sent, output.stats.errors, output.seen) == (100, 0, {"pictures": 100})
    seen, (_, clicks) = stands(tmp_path / "show.mp4"), watched(tmp_path / "show.mp4")
    np.testing.assert_allclose(seen, np.array(MARKS) / 60, atol=1e-3)
    np.testing.assert_allclose(clicks, seen + late, atol=0.005)


def test_holes_in_the_sound_are_silent_and_overlaps_are_left_out():
    track, ones = Track(10.0), np.ones(480, np.float32)
    assert len(track.placed(9.995, ones)) == 240  # half of it came before the film began
    assert len(track.placed(10.006, ones)) == 480  # a read that jitters
    assert len(track.placed(10.2, ones)) == 9600 - 720 + 480
    assert len(track.placed(10.1, ones)) == 0
    assert track.written == 9600 + 480


def test_where_no_sound_comes_the_film_goes_on_in_silence():
    track = Track(10.0)
    assert len(track.silence(11.0)) == SAMPLE_RATE and len(track.silence(10.5)) == 0
    assert len(track.placed(10.9, np.ones(9600, np.float32))) == 4800


def test_a_stream_without_sound_becomes_a_film_all_the_same(tmp_path):
    output = film.open_output(f"film:{tmp_path / 'quiet.mp4'}?size=96x64&background=000000")
    output.open(1, False)
    for n in range(200):
        output.send(standing(n))
    output.close()
    assert pictures_in(tmp_path / "quiet.mp4") == 200


def test_a_film_whose_process_was_killed_plays_up_to_its_last_second(tmp_path):
    path = tmp_path / "cut.mp4"
    output = film.open_output(f"film:{path}?size=96x64&background=000000")
    output.open(1, True)
    for n in range(300):
        output.hear(np.zeros(HOP, np.float32), BEGAN + n / 60)
        output.send(standing(n))
    give_up = time.monotonic() + 90
    while pictures_in(path) < 60 and time.monotonic() < give_up:
        time.sleep(0.1)
    output.child.kill()
    output.close()
    assert "killed" in output.stats.last_error and pictures_in(path) >= 60


def pictures_in(path: Path) -> int:
    """How many can be decoded, of what there is."""
    try:
        with av.open(str(path)) as file:
            return sum(1 for _ in file.decode(video=0))
    except av.FFmpegError:
        return 0


def test_a_transparent_film_has_an_alpha_channel(tmp_path):
    look = Look(width=96, height=64, background="transparent", trails=False)
    render(write_take(tmp_path / "a.take", [standing(n) for n in range(3)]), tmp_path / "a.mov", Plan(look), print)
    with av.open(str(tmp_path / "a.mov")) as file:
        alpha = next(file.decode(video=0)).to_ndarray(format="rgba")[..., 3]
    assert alpha[0, 0] == 0 and alpha[30, 48] > 250


def test_colours_are_given_back_what_alpha_took():
    assert _shapes.straight(np.array([[[50, 100, 0, 100]]], np.uint8)).tolist() == [[[128, 255, 0, 100]]]


def test_a_take_becomes_a_film_with_a_picture_for_each_moment(tmp_path):
    poses = [standing(n) for n in range(20) if n not in (5, 6)]
    take, told = write_take(tmp_path / "a.take", poses), []
    render(take, tmp_path / "a.mp4", Plan(TINY, 30), told.append)
    with av.open(str(tmp_path / "a.mp4")) as file:
        assert [round(float(f.time) * 30) for f in file.decode(video=0)] == list(range(10))
    assert list(pictures(read_take(take), 60))[:9] == [0, 1, 2, 3, 4, 4, 4, 5, 6]
    assert "10 pictures" in told[0]


def test_a_take_that_is_cut_short_is_filmed_as_far_as_it_goes(tmp_path):
    take = write_take(tmp_path / "a.take", [standing(n) for n in range(10)])
    take.write_bytes(take.read_bytes()[:-100])
    render(take, tmp_path / "a.mp4", Plan(TINY), print)
    with av.open(str(tmp_path / "a.mp4")) as file:
        assert sum(1 for _ in file.decode(video=0)) == 9


@pytest.mark.parametrize(("offset", "first"), [(0.0, [0.0, 0.0, 1.0]), (0.05, [0.0] * 5 + [1.0])])
def test_music_begins_where_it_is_told_to(offset, first):
    from live.cli.render import _under

    heard = np.concatenate([np.zeros(2 * HOP, np.float32), np.ones(HOP, np.float32)])
    means = [_under(heard, offset, n, 60).mean() for n in range(8)]
    assert means == first + [0.0] * (8 - len(first)) and len(_under(heard, offset, 7, 60)) == HOP


def test_nothing_is_written_over_and_no_folder_is_made_up(tmp_path):
    take = write_take(tmp_path / "a.take", [standing()])
    (tmp_path / "a.mp4").write_bytes(b"precious")
    with pytest.raises(BadFile, match="--overwrite"):
        render(take, tmp_path / "a.mp4", Plan(TINY), print)
    with pytest.raises(BadTarget, match="overwrite=1"):
        film.open_output(f"film:{tmp_path / 'a.mp4'}").open(1, True)
    with pytest.raises(BadTarget, match="no folder"):
        film.open_output(f"film:{tmp_path / 'none' / 'a.mp4'}").open(1, True)
    with pytest.raises(Unusable, match="no folder"):
        render(take, tmp_path / "none" / "a.mp4", Plan(TINY), print)
    assert (tmp_path / "a.mp4").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("error", "told"),
    [(ModuleNotFoundError(name="skia"), r"livedance\[film\]"), (ImportError("libEGL.so.1: no such file"), "libegl1")],
)
def test_what_drawing_lacks_is_told_in_one_line(error, told):
    assert isinstance(missing := _missing(error), Unusable)
    assert re.search(rf"^[^\n]*{told}[^\n]*$", str(missing))


def test_without_a_codec_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(_encoder, "VIDEO", ("h264_none",))
    with pytest.raises(Unusable, match=r"^film [^\n]*h264_none: install av"):
        _encoder.Film(tmp_path / "a.mp4", TINY, 60, sound=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_ends_the_film_and_is_told(tmp_path):
    (tmp_path / "full.mp4").symlink_to("/dev/full")
    with pytest.raises((Failed, Unusable), match=r"No space left"):
        made = _encoder.Film(tmp_path / "full.mp4", TINY, 60, sound=False)
        for n in range(200):
            made.picture(np.random.default_rng(n).integers(0, 255, (64, 96, 4), np.uint8), n)
        made.close()


class Source:
    name, latency, overflows, finished = "source", 0.25, 3, False

    def read_available(self):
        return AudioBlock(np.ones(7, np.float32), 70)

    def capture_time(self, sample):
        return sample / 10


def test_a_film_hears_what_the_dancers_hear_and_its_troubles_are_its_own(tmp_path):
    class Deaf(film.FilmOutput):
        def hear(self, samples, captured):
            heard.append((len(samples), captured))
            raise OSError

    heard: list[tuple[int, float]] = []
    output = Deaf("film:a.mp4", tmp_path / "a.mp4", TINY, 60, False)
    outputs: list[film.FilmOutput] = []
    source = Overheard(Source(), outputs)
    source.read_available()
    outputs.append(output)  # as a show file that is read again may
    assert len(source.read_available().samples) == 7 and heard == [(7, 7.0)]
    assert (source.name, source.latency, source.overflows) == ("source", 0.25, 3)
