"""The microphone over a fake PortAudio."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from fake_pyaudio import FakePyAudio, device

from live.audio import microphone
from live.audio._portaudio import find, inputs
from live.audio._speaker import _times
from live.audio.microphone import LossMeter, Microphone, MicrophoneConfig
from live.clock import VirtualClock
from live.errors import Failed, MissingExtra, NoDevice
from live.quiet import quiet_stderr
from live.types import HOP, Float32

BLOCK = 256
START = 50.0
Open = Callable[..., Microphone]


@pytest.fixture
def audio(monkeypatch: pytest.MonkeyPatch) -> FakePyAudio:
    fake = FakePyAudio(VirtualClock(START), [device("stage mic")])
    monkeypatch.setitem(sys.modules, "pyaudio", fake)
    return fake


@pytest.fixture
def listen(audio: FakePyAudio) -> Iterator[Open]:
    """Start a microphone; it is closed at the end."""
    started: list[Microphone] = []

    def start(name: str = "stage mic", **config: float) -> Microphone:
        mic = Microphone(name, audio.clock, MicrophoneConfig(retry=0.001, hang=0.05, **config))  # type: ignore[arg-type]
        mic.start()
        started.append(mic)
        return mic

    yield start
    for mic in started:
        threading.Timer(0.01, audio.fail, (audio.clock.now(),)).start()
        mic.close()


def count(first: int, length: int = BLOCK) -> Float32:
    """Samples that tell their own number, in millionths."""
    return (np.arange(first, first + length) * 1e-6).astype(np.float32)


def play(audio: FakePyAudio, first: int, seconds: float, late: float = 0.0) -> int:
    """Deliver numbered blocks on time (but `late`); returns the next number."""
    for begin in range(first, first + int(seconds * 48_000), BLOCK):
        audio.deliver(count(begin), START + (begin + BLOCK) / 48_000 + late)
    return begin + BLOCK


# ---- finding the device ---------------------------------------------------------------------------------------------


def test_an_unknown_name_is_answered_with_those_there_are(audio: FakePyAudio) -> None:
    audio.devices.append(device("Scarlett 2i2"))
    with pytest.raises(NoDevice, match=r"no audio input 'banjo': name one of 'Scarlett 2i2', 'stage mic'"):
        microphone.open_source("banjo", audio.clock)


def test_no_input_at_all_says_how_to_go_on(audio: FakePyAudio) -> None:
    audio.devices.clear()
    with pytest.raises(NoDevice, match="--input demo"):
        microphone.open_source("", audio.clock)


def test_without_pyaudio_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    with pytest.raises(MissingExtra, match=r"livedance\[audio\]"):
        microphone.open_source("", VirtualClock())


def test_nothing_is_opened_before_the_start(audio: FakePyAudio) -> None:
    source = microphone.open_source("stage", audio.clock)
    assert audio.opened == [] and source.name == "microphone:stage"


@pytest.mark.parametrize(
    ("wanted", "index"), [("Mic", 3), ("mic", 2), ("MIC", 2), ("usb", 0), ("bus", 4), ("quick", 5), ("", 1)]
)
def test_a_name_is_matched_exactly_before_in_any_case_before_in_part(
    audio: FakePyAudio, wanted: str, index: int
) -> None:
    names = ["USB Mic", "Line", "mic", "Mic", "bus", "quicker"]
    audio.devices = [device(name) for name in names]
    audio.devices.append(device("quick and slow", latency=0.1))
    audio.default = 1
    assert find(inputs(audio), wanted) == index


def test_outputs_are_no_inputs(audio: FakePyAudio) -> None:
    audio.devices.insert(0, device("loudspeaker", channels=0))
    audio.default = 1
    assert [(d.name, d.default) for d in microphone.list_devices()] == [("stage mic", True)]


# ---- capturing ------------------------------------------------------------------------------------------------------


def test_samples_arrive_in_order_and_numbered(audio: FakePyAudio, listen: Open) -> None:
    mic = listen()
    play(audio, 0, 0.1)
    block = mic.read_available()
    assert block.start == 0 and np.array_equal(block.samples, count(0, len(block.samples)))
    play(audio, len(block.samples), 0.1)
    assert mic.read_available().start == len(block.samples)
    assert len(mic.read_available().samples) == 0


def test_it_asks_for_mono_at_48_khz_and_its_block(audio: FakePyAudio, listen: Open) -> None:
    listen()
    audio.wait()
    assert {"rate": 48_000, "channels": 1, "frames_per_buffer": BLOCK}.items() <= audio.opened[0].how.items()


def test_capture_time_is_the_time_of_the_sample(audio: FakePyAudio, listen: Open) -> None:
    mic = listen()
    assert np.isfinite(mic.capture_time(0))
    play(audio, 0, 1.0, late=0.005)
    assert mic.capture_time(24_000) == pytest.approx(START + 0.505, abs=1e-4)


def test_what_waits_behind_a_block_is_taken_with_it(audio: FakePyAudio, listen: Open) -> None:
    """A device that delivers 288 frames at a time: left in it, they would make the clock late by up to a block."""
    mic = listen()
    for first in range(0, 100 * 288, 288):
        audio.deliver(count(first, 288), START + (first + 288) / 48_000)
    assert mic.capture_time(24_000) == pytest.approx(START + 0.5, abs=1e-4)
    assert np.array_equal(mic.read_available().samples, count(0, 100 * 288))


def test_another_rate_and_stereo_are_converted(audio: FakePyAudio, listen: Open) -> None:
    audio.devices = [device("stage mic", 44_100.0, 2)]
    audio.accepts = {(44_100, 2)}
    mic = listen()
    wave = np.sin(2 * np.pi * 441 * np.arange(44_100) / 44_100)
    for begin in range(0, 44_100 - 235, 235):  # 256 frames at 48 kHz
        both = np.stack([wave[begin : begin + 235], np.zeros(235)], axis=1)
        audio.deliver(both, START + (begin + 235) / 44_100)
    samples = mic.read_available().samples
    expected = 0.5 * np.sin(2 * np.pi * 441 * np.arange(len(samples)) / 48_000)
    assert len(samples) > 47_500
    assert np.abs(samples - expected)[500:].max() < 0.01
    assert mic.capture_time(24_000) == pytest.approx(START + 0.5, abs=1e-4)
    assert 0.010 <= mic.latency < 0.011


def test_not_a_number_becomes_silence_and_is_told_once(audio: FakePyAudio, listen: Open) -> None:
    mic = listen()
    for block in range(3):
        audio.deliver(np.full(BLOCK, np.nan, np.float32), START + block * BLOCK / 48_000)
    assert not mic.read_available().samples.any()
    assert len(mic.recoveries()) == 1


def test_late_bursts_are_no_overflow(audio: FakePyAudio, listen: Open) -> None:
    mic = listen()
    begin = 0
    for burst in range(100):
        until = START + 0.04 * burst
        while (begin + BLOCK) / 48_000 + START <= until:
            audio.deliver(count(begin), until)
            begin += BLOCK
    assert mic.overflows == 0 and mic.recoveries() == []
    assert len(mic.read_available().samples) == begin


def test_lost_samples_are_counted_and_leave_a_hole(audio: FakePyAudio, listen: Open) -> None:
    mic = listen()
    after = play(audio, 0, 2.0)
    mic.read_available()
    play(audio, after + 4800, 1.0)  # 100 ms were lost
    block = mic.read_available()
    assert mic.overflows == 1
    told = re.fullmatch(r"microphone:stage mic lost (\d+) ms of sound: .*", mic.recoveries()[0])
    assert told and 90 <= int(told[1]) <= 101
    number = round(float(block.samples[-1]) * 1e6)
    assert block.start + len(block.samples) - 1 == pytest.approx(number, abs=200)  # numbers count host time


def test_a_loop_that_comes_too_late_hears_the_newest(audio: FakePyAudio, listen: Open) -> None:
    mic = listen(ring=1.0)
    end = play(audio, 0, 2.5)
    block = mic.read_available()
    assert mic.overflows == 1
    assert block.start + len(block.samples) == end
    assert np.array_equal(block.samples, count(block.start, len(block.samples)))


# ---- devices that misbehave -----------------------------------------------------------------------------------------


def test_a_vanished_device_is_found_again_and_numbers_keep_counting_host_time(audio: FakePyAudio, listen: Open) -> None:
    mic = listen()
    after = play(audio, 0, 1.0)
    mic.read_available()
    before = mic.capture_time(after)
    kept, audio.devices = audio.devices, []
    audio.fail(START + 1.0)
    audio.devices = kept
    play(audio, after + 4 * 48_000, 1.0)  # it speaks again four seconds later
    block = mic.read_available()
    lost, back = mic.recoveries()
    assert lost == "microphone:stage mic lost: Unanticipated host error; looking for it again"
    assert back.startswith("microphone:stage mic is back after 4.0 s")
    assert block.start == pytest.approx(after + 4 * 48_000, abs=HOP + BLOCK)
    assert (block.start - after) % HOP == 0
    assert mic.capture_time(block.start) == pytest.approx(before + 4.0, abs=0.01)
    assert mic.overflows == 0


def test_a_device_that_is_gone_is_told_once(audio: FakePyAudio, listen: Open) -> None:
    mic = listen()
    play(audio, 0, 0.1)
    audio.devices = []
    audio.fail(START + 0.2)
    threading.Event().wait(0.05)  # dozens of looks for it
    assert len(mic.recoveries()) == 1
    audio.devices = [device("stage mic")]
    audio.wait()


def test_a_device_that_refuses_to_open_is_told_and_tried_again(audio: FakePyAudio, listen: Open) -> None:
    audio.accepts = {(1, 1)}
    mic = listen()
    threading.Event().wait(0.05)
    assert [line for line in mic.recoveries() if "does not open" in line and "Invalid sample rate" in line]
    audio.accepts = set()
    play(audio, 0, 0.1)
    assert len(mic.read_available().samples) > 0


def test_a_hanging_device_is_told_once_and_holds_up_nobody(audio: FakePyAudio, listen: Open) -> None:
    mic = listen()
    play(audio, 0, 0.1)
    audio.clock.time += 2.0
    mic.read_available()
    assert len(mic.read_available().samples) == 0
    assert len(mic.recoveries()) == 1
    mic.close()  # returns although the device never answers
    assert mic.finished


def test_a_device_whose_driver_never_answers_again_is_opened_anew(audio: FakePyAudio, listen: Open) -> None:
    mic = listen()
    begun = play(audio, 0, 0.1)
    audio.clock.time += 4.0
    mic.read_available()
    end = time.monotonic() + 5.0
    while len(audio.opened) < 2 and time.monotonic() < end:
        time.sleep(0.001)
    later = begun + 4 * 48_000
    audio.opened[0].events.put(count(later))  # the old thread's, which is not heard any more
    play(audio, later + BLOCK, 0.1)
    heard = mic.read_available()
    assert heard.samples[0] == pytest.approx(heard.start * 1e-6, abs=5e-6) and heard.start > later
    told = mic.recoveries()
    assert "no sound" in told[0] and "its driver hangs" in told[1] and "is back after 4." in told[2]


def test_closing_one_that_never_started_is_fine(audio: FakePyAudio) -> None:
    source = microphone.open_source("", audio.clock)
    source.close()
    source.close()
    assert source.finished and np.isfinite(source.capture_time(10))


def test_a_loss_stays_and_a_late_read_does_not() -> None:
    meter = LossMeter(0.02)
    late = [meter.observe(0.1 if n % 10 else 0.0, n * 0.01) for n in range(1, 101)]
    stays = [meter.observe(0.1 + 0.01 * (n % 3), 2.0 + n * 0.01) for n in range(30)]
    assert sum(late) == 0.0 and sum(stays) == pytest.approx(0.1)


def test_stderr_is_back_after_being_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_stderr():
        os.write(2, b"noise")
    os.write(2, b"music")
    assert capfd.readouterr().err == "music"


def test_a_gap_in_what_is_played_moves_the_times_after_it() -> None:
    numbers = np.arange(100.0) * 2048
    at = 50.0 + numbers / 48_000 + np.where(numbers >= 50 * 2048, 0.25, 0.0)
    at[20] += 0.05  # what drivers tell jitters
    times = _times(np.stack([numbers, at], 1))
    assert times(np.array([0, 20 * 2048, 90 * 2048])) == pytest.approx([50.0, at[20] - 0.05, at[90]])


def test_a_speaker_that_took_nothing_is_told() -> None:
    with pytest.raises(Failed, match="took no sound"):
        _times(np.zeros((1, 2)))
