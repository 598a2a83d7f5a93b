"""The stage window: the newest pose, and no harm to the dance whatever happens to them."""

from __future__ import annotations

import os
import time
import types

import numpy as np
import pytest
import soundfile
from dancers import standing
from test_cli import live, performing

pytest.importorskip(
    "skia", reason="skia-python is not installed (extra `preview`), or its libraries (libEGL) are missing"
)
pytest.importorskip("pygame", reason="pygame-ce is not installed (extra `preview`)")

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
import pygame

from live import ring
from live.errors import BadTarget, MissingExtra
from live.lab import clicks
from live.look import Look
from live.outputs import _drawn, window
from live.renderers import _feed
from live.renderers import window as drawing
from live.renderers._flash import Flash
from live.take import read_take, record_dtype

SMALL = "window:?size=160x90"


@pytest.fixture(autouse=True)
def dummy(monkeypatch):
    """No test opens a window on somebody's screen."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


def opened(uri: str = SMALL, dancers: int = 1) -> window.WindowOutput:
    output = window.open_output(uri)
    output.open(dancers, True)
    return output


def now(n: int, dancers: int = 1):
    """A pose that is meant to be seen now."""
    pose = standing(n, dancers)
    pose.play_time = time.monotonic()
    return pose


def test_poses_become_pictures_soon_after_they_come():
    output = opened(dancers=2)
    for n in range(60):
        output.send(now(n, 2))
        time.sleep(1 / 60)
    output.close()
    assert (output.stats.sent, output.stats.errors) == (60, 0)
    assert output.seen["pictures"] >= 5 and output.seen["late_ms"]["p50"] > 0


def test_a_window_that_is_killed_is_noted_once_and_the_dance_goes_on():
    output = opened()
    output.send(now(0))
    output.child.kill()
    output.child.wait()
    for n in range(1, 200):
        output.send(now(n))
    assert output.stats.errors == 1 and "stage window has stopped" in output.stats.last_error
    assert not output.alive()
    output.close()


def test_a_window_that_hangs_holds_nothing_up():
    import signal

    if not hasattr(signal, "SIGSTOP"):
        pytest.skip("processes cannot be stopped here")
    output = opened()
    os.kill(output.child.pid, signal.SIGSTOP)
    begun = time.process_time()
    for n in range(500):
        output.send(now(n))
    assert time.process_time() - begun < 2.0 and output.stats.errors == 0
    os.kill(output.child.pid, signal.SIGCONT)
    output.close()


def test_closed_by_hand_reads_so(monkeypatch):
    output = opened()
    output.child.stdin.close()  # the process ends with status 0 while the engine goes on
    output.child.wait(20)
    assert not output.alive() and "closed by hand" in output.stats.last_error
    output.close()


def test_no_display_is_one_clear_line(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    monkeypatch.setenv("DISPLAY", ":9999")
    with pytest.raises(BadTarget, match=r"^[^\n]*no display \([^\n]*leave the window out$"):
        opened()


def test_a_display_that_is_not_there_is_refused():
    with pytest.raises(BadTarget, match=r"no display 7: choose 0\.\.0"):
        opened("window:?display=7")


def test_a_missing_package_names_the_command_that_brings_it(monkeypatch):
    monkeypatch.setattr(_drawn.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pygame-ce: install it with `pip install 'livedance\[preview\]'`"):
        window.open_output("window:")


# ---- inside the window's process -----------------------------------------------------------------------------------


def test_the_newest_pose_wins(memory):
    feed = _feed.Feed(memory.ring, 1)
    assert not feed.fresh() and not feed.begun
    for n in range(7):
        memory.put(standing(n))
    assert feed.fresh() and feed.record["sequence"] == 6 and not feed.fresh()


def test_a_pose_that_is_written_over_while_it_is_read_is_not_taken(memory):
    class Racing(ring.Ring):
        @property
        def memory(self):
            for n in range(5):
                memory.put(standing(n))
            return memory.ring.memory

        @memory.setter
        def memory(self, value): ...

    memory.put(standing())
    racing = Racing.__new__(Racing)
    racing._counters, racing.size, racing.slots = memory.ring._counters, memory.ring.size, memory.ring.slots
    assert racing.newest()[0] == 0


def test_dancers_fade_when_the_stream_stops_and_are_back_with_it(memory, monkeypatch):
    feed = _feed.Feed(memory.ring, 1)
    memory.put(standing())
    feed.fresh()
    assert feed.presence == 1.0
    began = time.monotonic()
    monkeypatch.setattr(_feed.time, "monotonic", lambda: began + 2.6)
    assert 0.3 < feed.presence < 0.6
    memory.put(standing(1))
    feed.fresh()
    assert feed.presence == 1.0


@pytest.fixture
def stage(memory):
    pygame.display.quit()
    look = Look(width=160, height=90, text=True)
    window = drawing.Window(look, 0, False)
    yield drawing.Stage(look, window, _feed.Feed(memory.ring, 1), drawing.Painter(look, 1, window.pixels))
    pygame.display.quit()


def press(stage, key):
    stage.obey(pygame.event.Event(pygame.KEYDOWN, key=key))


def test_keys_change_camera_text_and_screen_and_close(stage):
    press(stage, pygame.K_c)
    assert stage.painter.camera.preset == "low"
    press(stage, pygame.K_f)
    assert stage.window.fullscreen and not stage.text  # the stage is free of text
    press(stage, pygame.K_t)
    assert stage.text
    press(stage, pygame.K_ESCAPE)
    assert not stage.open


def test_closing_the_window_by_hand_ends_it(stage):
    stage.obey(pygame.event.Event(pygame.QUIT))
    assert not stage.open


def test_text_is_only_there_where_it_is_asked_for(stage, memory):
    memory.put(standing())
    stage.feed.fresh()
    stage.draw(True)
    written = pygame.surfarray.array3d(stage.window._screen)
    stage.text = False
    stage.draw(False)
    bare = pygame.surfarray.array3d(stage.window._screen)
    assert (written != bare).any()
    drawn = stage.window.pixels[..., 2::-1].swapaxes(0, 1)
    np.testing.assert_array_equal(bare, drawn)


def test_a_display_that_is_unplugged_is_left_for_another(stage, monkeypatch):
    flips = []

    def flip():
        flips.append(1)
        if len(flips) == 1:
            raise pygame.error("display gone")

    monkeypatch.setattr(pygame.display, "flip", flip)
    stage.draw(False)
    assert len(flips) == 2


def test_without_any_display_left_it_ends(stage, monkeypatch):
    def gone(*_, **__):
        raise pygame.error("none")

    monkeypatch.setattr(pygame.display, "flip", gone)
    with pytest.raises(pygame.error):
        stage.draw(False)


# ---- white at a click ----------------------------------------------------------------------------------------------


def sounding(n, loudness):
    """A pose that knows of sound so loud."""
    pose = standing(n)
    pose.features = np.array([loudness, *pose.features[1:]], np.float32)
    return pose


@pytest.fixture
def flashing(stage, memory):
    """The stage, with quiet poses behind it."""
    stage.flash, stage.text = Flash(memory.ring, record_dtype(1)), False
    heard(stage, memory, [0.2] * 60)
    return stage


def heard(stage, memory, levels):
    """Poses that come one by one, each drawn; whether the pictures were white."""
    white = []
    for level in levels:
        memory.put(sounding(memory.ring.written, level))
        stage.draw(stage.feed.fresh())
        white.append(bool((pygame.surfarray.array3d(stage.window._screen) == 255).all()))
    return white


def test_the_picture_of_the_pose_that_heard_the_click_is_white(flashing, memory):
    assert heard(flashing, memory, [0.2, 0.2, 0.9, 0.4]) == [False, False, True, True]
    assert flashing.flash.count == 1


def test_it_is_a_picture_of_the_dance_again_soon_after(flashing, memory, monkeypatch):
    before = flashing.window.pixels.copy()
    heard(flashing, memory, [0.9])
    began = time.monotonic()
    monkeypatch.setattr(drawing.time, "monotonic", lambda: began + 0.11)
    assert heard(flashing, memory, [0.2]) == [False]
    assert np.abs(flashing.window.pixels.astype(int) - before).mean() < 5


def test_a_click_between_two_pictures_is_not_missed(flashing, memory):
    for level in (0.9, 0.2):
        memory.put(sounding(memory.ring.written, level))
    assert heard(flashing, memory, [0.2]) == [True]


def test_music_that_grows_louder_slowly_is_no_click(flashing, memory):
    assert not any(heard(flashing, memory, np.linspace(0.2, 0.8, 200)))


def test_clicks_go_on_being_heard(flashing, memory, monkeypatch):
    now = time.monotonic()
    for n in range(5):
        monkeypatch.setattr(drawing.time, "monotonic", lambda n=n: now + 0.5 * (n + 1))
        assert heard(flashing, memory, [*[0.2] * 20, 0.9])[-1]


@performing
def test_every_click_of_the_laboratory_flashes_with_the_pose_that_heard_it(tmp_path):
    soundfile.write(tmp_path / "clicks.wav", clicks.track(6), 48_000)
    done = live("perform", "--input", tmp_path / "clicks.wav", "--fast", "--output", f"take:{tmp_path / 'a.take'}")
    assert done.returncode == 0
    records = read_take(tmp_path / "a.take").records
    ring_of_all = types.SimpleNamespace(written=0, slots=len(records), memory=records.data, path=None)
    flash = Flash(ring_of_all, records.dtype, begin=0)
    white = []
    for record in records:
        ring_of_all.written += 1
        white.append(flash.white(float(record["show_time"])))
    begun = records["show_time"][np.flatnonzero(np.diff(np.array(white, int)) == 1) + 1]
    assert len(begun) == 6
    late = begun - clicks.starts(6) / 48_000
    assert late.min() > 0 and late.max() < 1.1 / 60  # the frame in which it lies is full


def test_a_window_is_told_to_flash():
    output = opened("window:?size=160x90&flash=1")
    for n, level in enumerate([*[0.1] * 20, 0.9, *[0.1] * 10]):
        pose = now(n)
        pose.features = sounding(n, level).features
        output.send(pose)
        time.sleep(1 / 60)
    output.close()
    assert output.seen["flashes"] == 1


def test_without_being_asked_it_never_flashes(stage, memory):
    assert not any(heard(stage, memory, [0.1, 0.9, 0.1]))
