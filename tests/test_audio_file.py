"""Sources that play: files of every kind, the demo, silence."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live.audio import demo, file, silence
from live.clock import VirtualClock
from live.contracts import AudioSource, load_plugin, plugin_names
from live.errors import BadFile
from live.types import SAMPLE_RATE, Float32


class SteppedClock(VirtualClock):
    """Says that waiting takes time, and moves only when told."""

    paced = True


def tone(rate: int, seconds: float, channels: int = 1, pitch: float = 440.0) -> Float32:
    """A sine of half amplitude, [n, channels]."""
    wave = 0.5 * np.sin(2 * np.pi * pitch * np.arange(int(rate * seconds)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def heard(
    source: AudioSource, clock: VirtualClock, steps: tuple[float, ...] = (1 / 60,), limit: float = 30.0
) -> Float32:
    """All of a source, read after each of `steps` seconds in turn."""
    source.start()
    blocks: list[Float32] = []
    began = clock.now()
    while not source.finished and clock.now() < began + limit:
        clock.sleep_until(clock.now() + steps[len(blocks) % len(steps)])
        block = source.read_available()
        assert block.start == sum(map(len, blocks))
        blocks.append(block.samples)
    source.close()
    return np.concatenate(blocks)


FORMATS = [
    ("a.wav", 48_000, 1),
    ("a.wav", 44_100, 2),
    ("a.flac", 44_100, 2),
    ("a.ogg", 44_100, 2),
    ("a.ogg", 48_000, 2),
    ("a.mp3", 44_100, 2),
    ("a.mp3", 48_000, 1),
    ("a.wav", 8_000, 1),
    ("a.wav", 192_000, 6),
]


@pytest.mark.parametrize(("name", "rate", "channels"), FORMATS)
def test_every_format_becomes_mono_at_48_khz(tmp_path: Path, name: str, rate: int, channels: int) -> None:
    soundfile.write(tmp_path / name, tone(rate, 1.5, channels), rate)
    clock = VirtualClock(100.0)
    samples = heard(file.open_source(str(tmp_path / name), clock), clock)
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(1.5 * SAMPLE_RATE, abs=2500)  # mp3 pads to whole frames
    middle = samples[12_000:60_000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) == 440
    assert middle.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.03)


@pytest.mark.parametrize("rate", [44_100, 48_000, 22_050])
def test_any_polling_yields_the_same_samples(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "noise.flac"
    soundfile.write(path, np.random.default_rng(1).uniform(-0.5, 0.5, (2 * rate, 2)), rate)
    heards = []
    for steps in [(1 / 60,), (0.0, 0.001, 0.7), (10.0,)]:
        clock = VirtualClock()
        heards.append(heard(file.open_source(str(path), clock), clock, steps))
    assert all(np.array_equal(heards[0], other) for other in heards[1:])


def test_reading_ahead_yields_the_same_samples(tmp_path: Path) -> None:
    path = tmp_path / "noise.wav"
    soundfile.write(path, np.random.default_rng(1).uniform(-0.5, 0.5, 30 * 44_100), 44_100)
    virtual = VirtualClock()
    expected = heard(file.open_source(str(path), virtual), virtual)
    paced = SteppedClock()
    source = file.open_source(str(path), paced)
    source.start()
    got: list[Float32] = []
    patience = time.monotonic() + 10.0
    while not source.finished and time.monotonic() < patience:
        paced.sleep_until(paced.now() + 1.0)
        got.append(source.read_available().samples)
        time.sleep(0)  # let the reading thread in
    source.close()
    assert np.array_equal(np.concatenate(got), expected)


def test_stereo_is_averaged(tmp_path: Path) -> None:
    left_only = tone(48_000, 0.5, 2) * np.array([1.0, 0.0], np.float32)
    soundfile.write(tmp_path / "a.wav", left_only, 48_000, subtype="FLOAT")
    clock = VirtualClock()
    samples = heard(file.open_source(str(tmp_path / "a.wav"), clock), clock)
    assert np.allclose(samples, left_only[:, 0] / 2)


def test_samples_come_due_with_the_clock(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(48_000, 1.0), 48_000)
    clock = VirtualClock(12_345.678)
    source = file.open_source(str(tmp_path / "a.wav"), clock)
    source.start()
    counts = []
    for frame in range(1, 31):
        clock.sleep_until(12_345.678 + frame / 60)
        counts.append(len(source.read_available().samples))
    assert counts == [800] * 30
    assert source.capture_time(24_000) == pytest.approx(12_346.178, abs=1e-9)


def test_nothing_comes_before_the_start(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(48_000, 1.0), 48_000)
    clock = VirtualClock()
    source = file.open_source(str(tmp_path / "a.wav"), clock)
    clock.sleep_until(5.0)
    assert len(source.read_available().samples) == 0
    assert np.isfinite(source.capture_time(0))


@pytest.mark.parametrize("asleep", [3.0, 3600.0])
def test_after_a_sleep_of_the_machine_the_music_goes_on_where_it_was(tmp_path: Path, asleep: float) -> None:
    path = tmp_path / "a.wav"
    samples = tone(SAMPLE_RATE, 8.0)
    soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")
    clock = SteppedClock(1000.0)
    source = file.open_source(str(path), clock)
    source.start()
    blocks = []
    for seconds in (1.0, asleep, 1.0, 1.0):
        clock.sleep_until(clock.now() + seconds)
        time.sleep(0.05)
        blocks.append(source.read_available())
    source.close()
    assert [len(block.samples) for block in blocks] == [SAMPLE_RATE, 0, SAMPLE_RATE, SAMPLE_RATE]
    np.testing.assert_array_equal(np.concatenate([b.samples for b in blocks]), samples[: 3 * SAMPLE_RATE, 0])
    assert source.capture_time(3 * SAMPLE_RATE) == pytest.approx(clock.now())
    assert f"nobody listened for {asleep:.1f} s" in source.recoveries()[0]


def test_a_file_finishes_with_its_last_sample(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(48_000, 1.0), 48_000)
    clock = VirtualClock()
    source = file.open_source(str(tmp_path / "a.wav"), clock)
    source.start()
    clock.sleep_until(47_999 / 48_000)
    source.read_available()
    assert not source.finished
    clock.sleep_until(1.0)
    source.read_available()
    assert source.finished


def test_the_demo_begins_again_at_its_end() -> None:
    length = len(soundfile.read(demo.MUSIC)[0])
    clock = VirtualClock()
    samples = heard(demo.open_source("", clock), clock, (1.0,), limit=1.5 * length / SAMPLE_RATE)
    assert len(samples) > 1.4 * length
    assert np.allclose(samples[length : length + 48_000], samples[:48_000], atol=1e-3)


def test_silence_is_endless_zeros() -> None:
    clock = VirtualClock()
    samples = heard(silence.open_source("", clock), clock, limit=2.0)
    assert len(samples) >= 95_999 and not samples.any()


def test_samples_that_are_not_numbers_become_silence_and_are_told_once(tmp_path: Path) -> None:
    broken = tone(48_000, 1.0)
    broken[1000:9000:7] = np.nan
    broken[20_000] = np.inf
    soundfile.write(tmp_path / "a.wav", broken, 48_000, subtype="FLOAT")
    clock = VirtualClock()
    source = file.open_source(str(tmp_path / "a.wav"), clock)
    samples = heard(source, clock)
    assert np.isfinite(samples).all() and samples[20_000] == 0.0
    assert len(source.recoveries()) == 1 and source.recoveries() == []


def _cut(path: Path, part: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.mp3", "a.wav"])
def test_a_file_cut_short_plays_what_it_has_and_ends(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, np.random.default_rng(1).uniform(-0.5, 0.5, 480_000), 48_000)
    _cut(tmp_path / name, 0.5)
    clock = VirtualClock()
    source = file.open_source(str(tmp_path / name), clock)
    samples = heard(source, clock)
    assert source.finished and np.isfinite(samples).all() and 100_000 < len(samples) <= 490_000


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.mp3"])
def test_garbage_in_the_middle_never_raises(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    soundfile.write(path, np.random.default_rng(2).uniform(-0.5, 0.5, 96_000), 48_000)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(3).bytes(3000)
    path.write_bytes(bytes(data))
    clock = VirtualClock()
    assert np.isfinite(heard(file.open_source(str(path), clock), clock)).all()


def _write(path: Path, what: bytes) -> str:
    path.write_bytes(what)
    return str(path)


def _sound(path: Path, rate: int, count: int = 1000) -> str:
    soundfile.write(path, np.zeros(count), rate)
    return str(path)


BAD: dict[str, tuple[Callable[[Path], str], str]] = {
    "missing": (lambda folder: str(folder / "no.ogg"), "there is no file"),
    "folder": (str, "is a folder"),
    "nothing named": (lambda folder: "", "no music file named"),
    "empty": (lambda folder: _write(folder / "a.wav", b""), "is empty"),
    "no samples": (lambda folder: _sound(folder / "a.wav", 48_000, 0), "holds no sound"),
    "10 Hz": (lambda folder: _sound(folder / "a.wav", 10), "sample rate of 10 Hz"),
    "a megahertz": (lambda folder: _sound(folder / "a.wav", 1_000_000), "sample rate of 1000000 Hz"),
    "text": (lambda folder: _write(folder / "a.ogg", b"not music at all\n" * 100), "cannot decode"),
    "text as mp3": (lambda folder: _write(folder / "a.mp3", b"not music at all\n" * 100), ""),
    "headless": (lambda folder: _write(folder / "a.raw", bytes(1000)), "cannot decode"),
    "header only": (lambda folder: _write(folder / "a.flac", b"fLaC"), ""),
    "a device": (lambda folder: "/dev/null", "is not a regular file"),
    "a zero byte": (lambda folder: "a\0b.wav", ""),
    "a name of two lines": (lambda folder: "a\nb.wav", "there is no file"),
    "an endless name": (lambda folder: "a" * 5000, ""),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_gives_one_line(tmp_path: Path, case: str) -> None:
    make, says = BAD[case]
    with pytest.raises(BadFile) as caught:
        file.open_source(make(tmp_path), VirtualClock())
    assert says in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) > 20


def test_a_file_that_may_not_be_read_gives_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = _sound(tmp_path / "a.wav", 48_000)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BadFile, match="Permission denied"):
        file.open_source(path, VirtualClock())


def test_every_source_is_found_by_its_name() -> None:
    assert plugin_names("live.audio") == ["demo", "file", "microphone", "silence"]
    assert load_plugin("live.audio", "silence", "input").open_source("", VirtualClock()).name == "silence"
