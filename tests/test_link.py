"""Ableton Link: followed while somebody is there and plays; two real peers where that can be tried."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import time

import pytest

from live.control.link import LinkControl
from live.types import BeatState

NOW = 50.0


class Session:
    """A Link session with `peers` others at `bpm`, at beat 9.5 now."""

    def __init__(self, peers=1, bpm=128.0, playing=False):
        self.peers, self.bpm, self.playing = peers, bpm, playing
        self.enabled = self.startStopSyncEnabled = False
        self.asked = []

    def numPeers(self):
        return self.peers

    def captureAppSessionState(self):
        return self

    commitAppSessionState = captureSessionState = lambda self, *_: self

    def clock(self):
        return self

    def micros(self):
        return 7_000_000

    def tempo(self):
        return self.bpm

    def setTempo(self, bpm, _at):
        self.asked.append(bpm)
        self.bpm = bpm

    def isPlaying(self):
        return self.playing

    def beatAtTime(self, micros, quantum):
        assert quantum == 4
        return 9.5 + (micros - 7_000_000) / 1e6 * self.bpm / 60


@pytest.fixture
def host(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: NOW)


def test_the_session_is_joined_and_left():
    session = Session()
    control = LinkControl(session)
    assert session.enabled and session.startStopSyncEnabled
    control.close()
    assert not session.enabled


def test_tempo_phase_and_bar_are_the_sessions_at_the_time_asked_for(host):
    beat = LinkControl(Session(bpm=120.0)).beat_at(NOW - 0.1, BeatState())
    assert (beat.bpm, beat.beat_count, beat.beats_per_bar) == (120.0, 9, 4)
    assert (beat.phase, beat.bar_phase) == (pytest.approx(0.3), pytest.approx(9.3 / 4 % 1))
    assert beat.next_beat == pytest.approx(0.35) and min(beat.confidence, beat.bar_confidence) > 0.9


def test_alone_there_is_nobody_to_follow_and_the_music_tells_the_tempo(host):
    session = Session(peers=0)
    control = LinkControl(session)
    assert control.beat_at(NOW, BeatState(bpm=97.0)) is None
    assert control.beat_at(NOW + 1, BeatState(bpm=99.0)) is None  # not at every pose
    assert control.beat_at(NOW + 5, BeatState(bpm=97.2)) is None  # nor for next to nothing
    assert control.beat_at(NOW + 10, BeatState()) is None
    assert session.asked == [97.0]


def test_in_company_nobody_is_told_a_tempo(host):
    session = Session()
    assert LinkControl(session).beat_at(NOW, BeatState(bpm=97.0)) is not None
    assert session.asked == []


def test_a_session_that_was_stopped_is_not_followed_until_it_plays_again(host):
    session = Session()
    control = LinkControl(session)
    follows = []
    for playing in (False, True, False, True):  # one that never played has no transport: most programs share none
        session.playing = playing
        follows.append(control.beat_at(NOW, BeatState()) is not None)
    assert follows == [True, True, False, True]


def test_without_link_installed_the_extra_is_named(monkeypatch):
    from live.control.link import open_control
    from live.errors import MissingExtra

    monkeypatch.setitem(sys.modules, "link", None)
    with pytest.raises(MissingExtra, match=r"livedance\[link\]"):
        open_control("")


# ---- two peers in a network of their own -------------------------------------------------------------------------

OF_THEIR_OWN = 'ip link set lo up && ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo && exec "$@"'
"""Link talks to every network there is; in a namespace of its own that is the loopback alone."""
ALONE = ["unshare", "-rn", "sh", "-c", OF_THEIR_OWN, "sh"]
DJ = """
import sys, time, link
session = link.Link(133.0)
session.startStopSyncEnabled = session.enabled = True
print("there", flush=True)
for order in sys.stdin:
    state = session.captureSessionState()
    now = session.clock().micros()
    if order.startswith("tempo"): state.setTempo(float(order.split()[1]), now)
    else: state.setIsPlaying(order.strip() == "play", now)
    session.commitSessionState(state)
    print(state.tempo(), state.beatAtTime(now, 4), time.monotonic(), flush=True)
session.enabled = False
"""
PEERS = f"""
import json, subprocess, sys, time
from live.control.link import open_control
from live.types import BeatState
dj = subprocess.Popen([sys.executable, "-c", {DJ!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
dj.stdout.readline()
time.sleep(0.3)
control = open_control("")
def until(true, patience=8.0):
    end = time.monotonic() + patience
    while not true(found := control.beat_at(time.monotonic(), BeatState())) and time.monotonic() < end:
        time.sleep(0.02)
    return found
def say(order):
    print(order, file=dj.stdin, flush=True)
    return [float(word) for word in dj.stdout.readline().split()]
told = {{"joined": until(lambda beat: beat is not None) is not None}}
say("play")
say("tempo 133")
told["playing"] = until(lambda beat: beat is not None and control._played and abs(beat.bpm - 133) < 0.1).bpm
bpm, beats, at = say("play")
ours = control.beat_at(at, BeatState())
told["apart"] = (ours.bar_phase * 4 - beats + 2) % 4 - 2
say("tempo 97")
told["slower"] = until(lambda beat: abs(beat.bpm - 97) < 0.1).bpm
say("stop")
told["stopped"] = until(lambda beat: beat is None) is None
say("play")
told["again"] = until(lambda beat: beat is not None) is not None
dj.stdin.close()
dj.wait()
told["left"] = until(lambda beat: beat is None) is None
control.close()
print(json.dumps(told))
"""


@pytest.mark.skipif(
    importlib.util.find_spec("link") is None, reason="LinkPython-extern is not installed (extra `link`)"
)
@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run([*ALONE, "true"], capture_output=True).returncode != 0,
    reason="no network of one's own can be made here (unshare, ip), and Link would talk to the real one",
)
def test_a_session_of_another_process_is_followed():
    done = subprocess.run([*ALONE, sys.executable, "-c", PEERS], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert all(told[name] for name in ("joined", "stopped", "again", "left"))
    assert (told["playing"], told["slower"]) == (pytest.approx(133, abs=0.01), pytest.approx(97, abs=0.01))
    assert abs(told["apart"]) < 0.01
