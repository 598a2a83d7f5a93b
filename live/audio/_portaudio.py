"""PortAudio through PyAudio: which devices there are, found by name, and one opened for blocking reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from live.errors import MissingExtra, NoDevice
from live.quiet import quiet_stderr
from live.types import SAMPLE_RATE


class AudioDevice(NamedTuple):
    """One audio input or output: its own sample rate in Hz, most channels, and PortAudio's latencies in seconds."""

    name: str
    sample_rate: float
    channels: int
    low_latency: float
    high_latency: float
    default: bool


def load_pyaudio() -> Any:
    """The module `pyaudio`; raises `MissingExtra` without it."""
    try:
        import pyaudio
    except ImportError:
        raise MissingExtra("PyAudio", "audio", "a microphone") from None
    return pyaudio


@contextmanager
def portaudio() -> Iterator[Any]:
    """A freshly initialised PortAudio: it knows the devices of now, and never notices later ones."""
    pyaudio = load_pyaudio()
    with quiet_stderr():
        api = pyaudio.PyAudio()
    try:
        yield api
    finally:
        api.terminate()


def inputs(api: Any) -> dict[int, AudioDevice]:
    """All inputs by PortAudio's index, which holds only while `api` lives."""
    return _devices(api, "Input")


def outputs(api: Any) -> dict[int, AudioDevice]:
    """All outputs, likewise."""
    return _devices(api, "Output")


def _devices(api: Any, way: str) -> dict[int, AudioDevice]:
    """`way` as PortAudio names it."""
    default = -1
    with suppress(OSError):  # raised when there is none at all
        default = int(getattr(api, f"get_default_{way.lower()}_device_info")()["index"])
    infos = (api.get_device_info_by_index(i) for i in range(api.get_device_count()))
    return {
        int(info["index"]): AudioDevice(
            str(info["name"]),
            float(info["defaultSampleRate"]),
            int(info[f"max{way}Channels"]),
            float(info[f"defaultLow{way}Latency"]),
            float(info[f"defaultHigh{way}Latency"]),
            int(info["index"]) == default,
        )
        for info in infos
        if int(info[f"max{way}Channels"]) > 0
    }


def find(devices: dict[int, AudioDevice], wanted: str, way: str = "input") -> int:
    """Index of the device whose name is `wanted`, or else contains it, in any case; of several the quickest.

    An empty name is the default one. Raises `NoDevice` naming those there are.
    """
    if not devices:
        instead = ", or perform with `--input demo`" if way == "input" else ""
        raise NoDevice(f"there is no audio {way}: connect one{instead}")
    if not wanted:
        return next((index for index, device in devices.items() if device.default), min(devices))
    lower = wanted.casefold()
    matches = {
        index: (device.name != wanted, device.name.casefold() != lower, device.low_latency, index)
        for index, device in devices.items()
        if lower in device.name.casefold()
    }
    if not matches:
        there = ", ".join(sorted({repr(device.name) for device in devices.values()}))
        raise NoDevice(f"there is no audio {way} {wanted!r}: name one of {there}")
    return min(matches, key=lambda index: matches[index])


@contextmanager
def opened(api: Any, index: int, device: AudioDevice, block: int) -> Iterator[tuple[Any, int, int]]:
    """(stream, rate in Hz, channels): float32, mono at 48 kHz where the device agrees, else in its own way.

    `block` is in frames at 48 kHz. The latency asked for is the device's low one: PyAudio offers no other. Raises
    OSError when the device cannot be opened at all.
    """
    pyaudio = load_pyaudio()
    own = int(device.sample_rate)
    refused: Exception = OSError("the device offers no channel")
    for rate, channels in _ways(own, device.channels):
        try:
            with quiet_stderr():
                stream = api.open(
                    format=pyaudio.paFloat32,
                    channels=channels,
                    rate=rate,
                    input=True,
                    input_device_index=index,
                    frames_per_buffer=max(block * rate // SAMPLE_RATE, 16),
                )
        except (OSError, ValueError) as error:
            refused = error
            continue
        try:
            yield stream, rate, channels
        finally:
            with suppress(OSError):
                stream.close()
        return
    raise OSError(getattr(refused, "strerror", None) or str(refused))


def _ways(own_rate: int, most: int) -> list[tuple[int, int]]:
    """What to try, best first: (rate in Hz, channels)."""
    ways = [(SAMPLE_RATE, 1), (SAMPLE_RATE, 2), (SAMPLE_RATE, most), (own_rate, 1), (own_rate, 2), (own_rate, most)]
    return [way for way in dict.fromkeys(ways) if way[1] <= most]
