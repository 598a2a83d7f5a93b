"""MIDI: knobs give orders, the clock is a beat, and a port that goes away comes back."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from test_cli import performing, recording

mido = pytest.importorskip("mido", reason="mido is not installed (the extra `midi`)")

import fake_midi  # noqa: E402

from live.control._midi_clock import MidiClock  # noqa: E402
from live.control.midi import MidiControl, find  # noqa: E402
from live.errors import NoDevice  # noqa: E402
from live.knobs import Desk, Press, Trigger, Turn, read_knobs  # noqa: E402
from live.orders import BY_NAME, Order  # noqa: E402
from live.take import read_take  # noqa: E402
from live.types import BeatState  # noqa: E402

TESTS = Path(__file__).parent
PULSE = 1 / 48  # seconds at 120 BPM


# ---- what knobs are for ------------------------------------------------------------------------------------------


def given(written, *moves):
    """The orders of moves (trigger, value)."""
    desk = Desk(read_knobs(written))
    return [desk.order(trigger, value) for trigger, value in moves]


def test_a_knob_goes_over_the_orders_range_or_over_its_own():
    knob, own = Trigger("cc", 21, 1), Trigger("cc", 22, 1)
    written = {"cc 21": "intensity", "cc 22": "stage 3 1"}
    assert given(written, (knob, 0), (knob, 127)) == [Order("intensity", 0.0), Order("intensity", 2.0)]
    assert given(written, (own, 0), (own, 127)) == [Order("stage", 3.0), Order("stage", 1.0)]


def test_a_button_gives_its_order_on_the_way_down_only():
    button = Trigger("cc", 64, 1)
    orders = given({"cc 64": "cue drop"}, (button, 100), (button, 127), (button, 0), (button, 127))
    assert orders == [Order("cue", "drop"), None, None, Order("cue", "drop")]


def test_a_switch_follows_its_knob():
    knob = Trigger("cc", 1, 1)
    assert [one.value for one in given({"cc 1": "freeze"}, (knob, 127), (knob, 0))] == [1.0, 0.0]
    assert [one.value for one in given({"cc 1": "freeze 1 0"}, (knob, 127), (knob, 0))] == [0.0, 1.0]


def test_a_pad_gives_its_order_when_struck_and_not_when_let_go():
    pad = Trigger("note", 36, 10)
    assert given({"note 36": "freeze toggle"}, (pad, 90), (pad, 0)) == [Order("freeze", "toggle"), None]


def test_the_channel_counts_where_it_is_written():
    written = {"note 36 channel 10": "tempo/tap", "note 36": "tempo/downbeat"}
    orders = given(written, (Trigger("note", 36, 10), 1), (Trigger("note", 36, 1), 1))
    assert orders == [Order("tempo/tap"), Order("tempo/downbeat")]


def test_what_is_not_in_the_map_is_no_order():
    assert given({"cc 1": "freeze"}, (Trigger("cc", 2, 1), 127), (Trigger("note", 1, 1), 127)) == [None, None]


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({"knob 1": "freeze"}, "write for example"), ({"cc": "freeze"}, "write for example"),
        ({"cc 128": "freeze"}, "0 to 127"), ({"cc 1 channel 17": "freeze"}, "1 to 16"),
        ({"cc 1 channel": "freeze"}, "write for example"), ({"cc 1": "dance"}, "'dance' is no order"),
        ({"note 1": "intensity"}, "needs a value"), ({"cc 1": "intensity 0 3"}, "needs 0 to 2"),
        ({"cc 1": "intensity low high"}, "at both ends"), ({"cc 1": ""}, "is no order"),
        ({"cc 1": "freeze", "CC 1": "neutral"}, "twice"), ({"": "freeze"}, "write for example"),
    ],
)  # fmt: skip
def test_a_map_that_makes_no_sense_is_refused_in_one_line(written, complaint):
    with pytest.raises(ValueError, match=complaint) as caught:
        read_knobs(written)
    assert "\n" not in str(caught.value)


def test_every_order_can_be_given_by_a_pad_or_a_knob():
    for spec in BY_NAME.values():
        example = {"text": spec.choices[0] if spec.choices else "x", "number": "1"}.get(spec.kind, "")
        found = read_knobs({"note 1": f"{spec.name} {example}".strip(), "cc 1": spec.name} if spec.kind != "text" else
                           {"note 1": f"{spec.name} {example}"})  # fmt: skip
        assert all(isinstance(action, (Press, Turn)) for action in found.values())


# ---- the clock ---------------------------------------------------------------------------------------------------


def ticked(clock, pulses, begun=100.0, period=PULSE, jitter=0.0, chance=None):
    """Play so many pulses, each late or early by up to `jitter` s; the time of the next."""
    chance = chance or random.Random(1)
    for n in range(pulses):
        clock.pulse(begun + n * period + chance.uniform(-jitter, jitter))
    return begun + pulses * period


def started(pulses=96, **about):
    clock = MidiClock()
    clock.start()
    return clock, ticked(clock, pulses, **about)


def test_pulses_are_beats_and_bars():
    clock, now = started(24 * 6)
    beat = clock.beat_at(now)
    assert (beat.bpm, beat.beats_per_bar) == (pytest.approx(120), 4)
    assert beat.beat_count + beat.phase == pytest.approx(6, abs=1e-6)
    assert beat.bar_phase == pytest.approx(0.5, abs=1e-6) and beat.next_beat == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("bpm", [60, 120, 174])
def test_the_tempo_stands_still_while_pulses_jitter_by_milliseconds(bpm):
    clock, chance, period = MidiClock(), random.Random(7), 60 / bpm / 24
    clock.start()
    now, bpms, phases = 100.0, [], []
    for n in range(24 * 40):
        now = ticked(clock, 1, now, period, 0.004, chance)
        if n > 24 * 5:
            beat = clock.beat_at(now)
            bpms.append(beat.bpm)
            phases.append(beat.beat_count + beat.phase - (n + 1) / 24)
    assert np.std(bpms) < 0.002 * bpm and max(np.abs(np.array(bpms) / bpm - 1)) < 0.006
    assert np.abs(phases).max() * 60 / bpm < 0.004  # seconds


def test_a_change_of_tempo_is_followed_within_a_beat_and_a_half():
    clock, now = started(200, jitter=0.002)
    faster = 60 / 140 / 24
    now = ticked(clock, 36, now, faster, 0.002)
    assert clock.beat_at(now).bpm == pytest.approx(140, rel=0.03)
    now = ticked(clock, 96, now, faster, 0.002)
    assert clock.beat_at(now).bpm == pytest.approx(140, rel=0.005)


def test_a_clock_joined_in_its_midst_is_no_beat_until_it_is_placed():
    clock = MidiClock()
    now = ticked(clock, 100)
    assert clock.beat_at(now) is None
    clock.go_on()
    assert clock.beat_at(now) is None
    clock.place(16)
    beat = clock.beat_at(now + 0.001)
    assert (beat.beat_count, beat.bar_phase) == (4, pytest.approx(0.0005, abs=1e-6))


def test_a_stopped_clock_is_no_beat_and_goes_on_where_it_stopped():
    clock, now = started(24 * 3)
    clock.stop()
    now = ticked(clock, 31, now)  # many go on ticking
    assert clock.beat_at(now) is None
    clock.go_on()
    beat = clock.beat_at(now)
    assert beat.beat_count + beat.phase == pytest.approx(3, abs=1e-6)


def test_a_clock_that_was_silent_while_stopped_goes_on_too():
    clock, now = started(24 * 3)
    clock.stop()
    clock.go_on()
    now = ticked(clock, 24, now + 60.0)
    beat = clock.beat_at(now)
    assert beat.beat_count + beat.phase == pytest.approx(4, abs=1e-6)


def test_a_clock_that_went_away_is_no_beat_and_unknown_when_it_is_back():
    clock, now = started()
    assert clock.beat_at(now + 0.3) is not None and clock.beat_at(now + 1.0) is None
    now = ticked(clock, 100, now + 5.0)
    assert clock.beat_at(now) is None
    clock.start()
    assert clock.beat_at(now).beat_count == 0 and clock.beat_at(now + 0.3).beat_count == 0


def test_pulses_at_one_time_or_backwards_give_no_beat_and_no_fault():
    clock = MidiClock()
    clock.start()
    for time_ in [5.0] * 50 + [4.0, 3.0, 2.0] * 20:
        clock.pulse(time_)
    beat = clock.beat_at(5.0)
    assert beat is None or math.isfinite(beat.bpm)


# ---- the port ----------------------------------------------------------------------------------------------------


@pytest.fixture
def backend(monkeypatch):
    """The fake back end with one port."""
    monkeypatch.setattr(mido, "backend", mido.Backend("fake_midi"))
    monkeypatch.setattr(mido, "get_input_names", mido.backend.get_input_names)
    monkeypatch.setattr(mido, "open_input", mido.backend.open_input)
    monkeypatch.setattr(fake_midi, "ports", ["Midi Through 14:0", "nanoKONTROL2 20:0"])
    monkeypatch.setattr(fake_midi, "opened", [])
    return fake_midi


@pytest.fixture
def control(backend):
    made = MidiControl("nanokontrol", look=0.01)
    made.map({"cc 21": "intensity", "note 36": "cue next", "program 3": "freeze toggle"})
    yield made
    made.close()


def test_a_port_is_found_by_a_part_of_its_name(control, backend):
    assert backend.opened[-1].name == "nanoKONTROL2 20:0"


@pytest.mark.parametrize(("names", "told"), [(["a 1", "b 2"], "there are a 1, b 2"), ([], "there is none")])
def test_a_wrong_name_is_refused_with_the_ports_that_there_are(names, told):
    with pytest.raises(NoDevice, match=told):
        find(names, "keys")


def test_messages_are_orders(control, backend):
    for message in (
        mido.Message("control_change", control=21, value=127, channel=3), mido.Message("note_on", note=36, velocity=0),
        mido.Message("note_on", note=36, velocity=80), mido.Message("note_off", note=36),
        mido.Message("program_change", program=3), mido.Message("sysex", data=[1, 2]), mido.Message("pitchwheel"),
    ):  # fmt: skip
        backend.opened[-1].play(message)
    assert control.read(8) == [Order("intensity", 2.0), Order("cue", "next"), Order("freeze", "toggle")]
    assert control.dropped == 0


def test_a_flood_is_dropped_and_counted_and_read_a_little_at_a_time(control, backend):
    for n in range(5000):
        backend.opened[-1].play(mido.Message("control_change", control=21, value=n % 128))
    assert control.dropped == 5000 - 2048
    assert len(control.read(8)) == 8


def test_the_clock_is_read_off_the_same_port(control, backend):
    port = backend.opened[-1]
    port.play(mido.Message("start"))
    begun = time.monotonic()
    for n in range(48):
        time.sleep(max(0.0, begun + n / 96 - time.monotonic()))  # 240 BPM
        port.play(mido.Message("clock"))
    control.read(8)
    beat = control.beat_at(begun + 48 / 96, BeatState())
    assert beat.bpm == pytest.approx(240, rel=0.05)
    assert beat.beat_count + beat.phase == pytest.approx(2, abs=0.1)


def until(true):
    end = time.monotonic() + 3
    while not true() and time.monotonic() < end:
        time.sleep(0.005)
    assert true()


def test_a_port_that_vanishes_is_survived_told_and_found_again(control, backend):
    backend.ports.remove("nanoKONTROL2 20:0")
    until(lambda: backend.opened[-1].closed.is_set())
    assert control.read(8) == []
    backend.ports.append("nanoKONTROL2 24:0")
    until(lambda: len(backend.opened) == 2)
    backend.opened[-1].play(mido.Message("note_on", note=36, velocity=80))
    assert control.read(8) == [Order("cue", "next")]
    lines = control.recoveries()
    assert "is gone" in lines[0] and "is back" in lines[1] and control.recoveries() == []


# ---- in a show ---------------------------------------------------------------------------------------------------


def environment(folder):
    return os.environ | {
        "MIDO_BACKEND": "fake_midi", "FAKE_MIDI": str(folder), "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path]),
    }  # fmt: skip


def live(folder, *arguments):
    command = [sys.executable, "-m", "live", *map(str, arguments)]
    return subprocess.run(command, env=environment(folder), capture_output=True, text=True, timeout=60)


@pytest.fixture
def plugged(tmp_path):
    """A folder of fake ports with one in it."""
    folder = tmp_path / "ports"
    folder.mkdir()
    (folder / "pads").touch()
    return folder


def test_a_show_with_a_wrong_port_is_refused_in_one_line(plugged):
    done = live(plugged, "perform", "--midi", "keys", "--input", "silence", "--output", "null:")
    assert done.returncode == 2 and done.stderr.splitlines() == ["live: no MIDI input is called 'keys': there are pads"]


@pytest.mark.parametrize(
    "text", ['follow = "midi"', '[midi_map]\n"cc 1" = "freeze"', '[keys]\nx = "tempo/follow midi"']
)
def test_a_show_that_needs_midi_and_names_no_port_is_refused(tmp_path, text):
    (tmp_path / "show.toml").write_text(text)
    done = live(tmp_path, "perform", tmp_path / "show.toml", "--input", "silence", "--output", "null:")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and 'midi = "NAME"' in done.stderr


def test_knobs_are_learnt_into_the_show_file_and_nothing_else_in_it_changes(plugged, tmp_path):
    show = tmp_path / "show.toml"
    show.write_text("# mine\ndancers = 2  # two\n\n[scene.drop]\nintensity = 2\n")
    command = [sys.executable, "-m", "live", "learn-midi", str(show), "intensity", "cue drop"]
    with subprocess.Popen(command, env=environment(plugged), stdout=subprocess.PIPE, text=True) as learning:
        assert learning.stdout is not None
        assert "intensity" in learning.stdout.readline()
        with (plugged / "pads").open("a") as port:
            print("f8", "902400", "b21540", "b21541", file=port, sep="\n", flush=True)  # clock, let go, knob, its twin
            assert learning.stdout.readline().strip() == '"cc 21" = "intensity"'
            assert "cue drop" in learning.stdout.readline()
            time.sleep(0.5)
            print("992464", file=port, flush=True)
            assert learning.stdout.readline().strip() == '"note 36" = "cue drop"'
        assert learning.wait(10) == 0
    text = show.read_text()
    assert text.startswith("# mine\ndancers = 2  # two\n")
    values = tomllib.loads(text)
    assert values["midi"] == "pads"
    assert values["midi_map"] == {"cc 21": "intensity", "note 36": "cue drop"}


@pytest.mark.parametrize(("order", "told"), [("dance", "is no order"), ("cue nowhere", "has no")])
def test_an_order_that_is_none_is_not_learnt(plugged, tmp_path, order, told):
    (plugged / "pads").write_text("902464\n")
    done = live(plugged, "learn-midi", tmp_path / "show.toml", order)
    assert done.returncode == 2 and told in done.stderr.splitlines()[-1]
    assert not (tmp_path / "show.toml").exists()


def shown(plugged, tmp_path, text, play):
    """The take and the report of a show of 5 s, in which `play(port)` is called when it has begun."""
    take, report = tmp_path / "a.take", tmp_path / "a.json"
    (tmp_path / "show.toml").write_text(f'midi = "pad"\ninput = "demo"\ncontrol = "off"\n{text}')
    command = [sys.executable, "-m", "live", "perform", str(tmp_path / "show.toml"), "--no-realtime", "--duration", "5",
               "--output", f"take:{take}", "--report", str(report)]  # fmt: skip
    with subprocess.Popen(command, env=environment(plugged), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as show:
        recording(take, show)
        with (plugged / "pads").open("a") as port:
            play(lambda *lines: print(*lines, file=port, sep="\n", flush=True))
        assert show.communicate(timeout=30)[1] == b""
    return read_take(take).records, json.loads(report.read_text())


@performing
def test_in_a_show_a_pad_freezes_the_dancer(plugged, tmp_path):
    text = '[midi_map]\n"note 36" = "freeze"\n"note 37" = "cue nowhere else"\n[scene."nowhere else"]\nfreeze = 0.0\n'
    records, report = shown(plugged, tmp_path, text, lambda send: send("992464", "b01540"))
    still = (np.diff(records["local_rotations"][:, 0], axis=0) == 0).all((1, 2))
    assert still[-100:].all() and not still[:5].any()
    assert report["control_dropped"] == 0


@performing
def test_in_a_show_the_clock_leads_while_it_runs_and_the_music_after_it(plugged, tmp_path):
    def play(send):
        send("fa")
        begun = time.monotonic()
        for n in range(130):
            time.sleep(max(0.0, begun + n / 64 - time.monotonic()))  # 160 BPM for two seconds; the demo has 112
            send("f8")

    records, _ = shown(plugged, tmp_path, 'follow = "midi"', play)
    bpm, beats = records["bpm"], np.unwrap(records["beat_phase"] * 2 * np.pi) / 2 / np.pi
    led = np.abs(bpm - 160) < 12
    assert led.sum() > 60 and np.abs(bpm[-30:] - 160).min() > 12
    begun = np.flatnonzero(led)[0]
    steps = np.diff(beats[begun::10]) / 10 * 3600  # BPM as seen
    assert steps.min() > 0.5 * 100 and steps.max() < 1.5 * 175  # it glides


# ---- a real port, through JACK without sound card ----------------------------------------------------------------

SENDER = """
import sys, time, mido
mido.set_backend("mido.backends.rtmidi/UNIX_JACK")
until = time.monotonic() + 5
while not (names := [n for n in mido.get_output_names() if "heard" in n]) and time.monotonic() < until:
    time.sleep(0.05)
with mido.open_output(names[0]) as port:
    port.send(mido.Message("start"))
    begun = time.monotonic()
    for n in range(72):
        time.sleep(max(0.0, begun + n / 48 - time.monotonic()))
        port.send(mido.Message("clock"))
    port.send(mido.Message("control_change", control=21, value=127))
    time.sleep(0.1)
"""
HEARER = """
import sys, time, mido
mido.set_backend("mido.backends.rtmidi/UNIX_JACK")
from live.control import midi
opened = mido.open_input
mido.open_input = lambda name, callback: opened("heard", virtual=True, callback=callback)
midi.port_names = lambda mido: ["heard"]
control = midi.MidiControl("heard", look=60.0)
control.map({"cc 21": "intensity"})
until, orders = time.monotonic() + 10, []
while not orders and time.monotonic() < until:
    orders = control.read(8)
    time.sleep(0.01)
print(orders[0].value, round(control._clock._next * 24), flush=True)  # how evenly they came, the machine decides
"""


@pytest.fixture
def jack(tmp_path):
    """A JACK server of our own that plays to nowhere."""
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed, and containers have no ALSA sequencer")
    pytest.importorskip("rtmidi", reason="python-rtmidi is not installed (the extra `midi`)")
    name = f"live-{os.getpid()}"
    with (tmp_path / "jack.log").open("w") as log:
        server = subprocess.Popen(
            ["jackd", "-n", name, "-r", "-d", "dummy", "-r", "48000", "-p", "256"], stdout=log, stderr=log
        )
    try:
        yield os.environ | {
            "JACK_DEFAULT_SERVER": name,
            "JACK_NO_START_SERVER": "1",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)


def test_a_real_port_is_heard(jack):
    probe = [sys.executable, "-c", "import rtmidi; rtmidi.MidiIn(rtapi=rtmidi.API_UNIX_JACK).open_virtual_port('a')"]
    until = time.monotonic() + 4
    while subprocess.run(probe, env=jack, capture_output=True).returncode:
        if time.monotonic() > until:
            pytest.skip("no JACK server can be started here")
    with subprocess.Popen([sys.executable, "-c", HEARER], env=jack, stdout=subprocess.PIPE, text=True) as hearer:
        subprocess.run([sys.executable, "-c", SENDER], env=jack, check=True, timeout=20, capture_output=True)
        assert hearer.stdout is not None
        value, pulses = map(float, hearer.stdout.readline().split())
        assert (value, pulses) == (2.0, 72)
