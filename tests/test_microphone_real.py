"""A real PortAudio capture of a virtual microphone, in a process that knows only that one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from live.audio.demo import MUSIC
from live.lab.pulse import VirtualMicrophone

ROOT = Path(__file__).parent.parent
CAPTURE = """
import json, sys
import numpy as np
from live.audio import microphone
from live.clock import HostClock

names, name, seconds, path = [d.name for d in microphone.list_devices()], sys.argv[1], float(sys.argv[2]), sys.argv[3]
clock = HostClock()
source = microphone.open_source(name, clock)
source.start()
print("listening", flush=True)
samples, times, slowest, slot = [], [], 0.0, clock.now()
end = slot + seconds
while slot < end:
    slot += 1 / 60
    clock.sleep_until(slot)
    block = source.read_available()
    samples.append(block.samples)
    if len(block.samples):
        times.append((block.start, source.capture_time(block.start)))
heard = np.concatenate(samples)
np.save(path, heard)
late = [when for number, when in times[len(times) // 2 :]]
numbers = [number for number, when in times[len(times) // 2 :]]
source.close()
print(json.dumps({
    "names": names,
    "rate": (numbers[-1] - numbers[0]) / (late[-1] - late[0]),
    "monotone": all(a[1] < b[1] for a, b in zip(times, times[1:])),
    "numbers": [times[0][0], times[-1][0]], "delivered": len(heard),
    "overflows": source.overflows, "recoveries": source.recoveries(), "latency": source.latency,
}))
"""


def listen(microphone: VirtualMicrophone, folder: Path, seconds: float) -> subprocess.Popen[str]:
    """A process that has begun to capture."""
    command = [sys.executable, "-c", CAPTURE, microphone.name, str(seconds), str(folder / "heard.npy")]
    listener = subprocess.Popen(
        command, env=microphone.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert listener.stdout is not None
    listener.stdout.readline()
    return listener


def told_by(listener: subprocess.Popen[str]) -> dict[str, Any]:
    """What it says at its end."""
    told, noise = listener.communicate(timeout=60)
    assert listener.returncode == 0, noise
    answer: dict[str, Any] = json.loads(told)
    return answer


def likeness(heard: np.ndarray[Any, Any], played: np.ndarray[Any, Any]) -> float:
    """Correlation at the best alignment, -1 to 1, of two seconds heard with all that was played."""
    piece = heard[-96_000:]
    size = len(played) + len(piece)
    cross = np.fft.irfft(np.fft.rfft(played, size) * np.conj(np.fft.rfft(piece, size)), size)
    at = int(np.argmax(cross[: len(played) - len(piece)]))
    return float(np.corrcoef(piece, played[at : at + len(piece)])[0, 1])


def test_music_played_into_a_microphone_is_heard(virtual_microphone: VirtualMicrophone, tmp_path: Path) -> None:
    played, rate = soundfile.read(MUSIC, dtype="float32", always_2d=True)
    assert rate == 48_000
    soundfile.write(tmp_path / "song.wav", played[: 20 * rate], rate)
    for _ in range(3):  # on a busy machine the sound server itself drops some
        listener = listen(virtual_microphone, tmp_path, seconds=6.0)
        player = virtual_microphone.play(tmp_path / "song.wav")
        told = told_by(listener)
        player.kill()
        player.wait()
        heard = np.load(tmp_path / "heard.npy")
        if likeness(heard, played[: 20 * rate].mean(axis=1)) > 0.95:
            break
    assert virtual_microphone.name in told["names"]
    assert told["rate"] == pytest.approx(48_000, rel=0.01) and told["monotone"]
    assert told["overflows"] == 0 and told["recoveries"] == []
    assert likeness(heard, played[: 20 * rate].mean(axis=1)) > 0.95


def test_a_microphone_pulled_out_is_heard_again(virtual_microphone: VirtualMicrophone, tmp_path: Path) -> None:
    listener = listen(virtual_microphone, tmp_path, seconds=8.0)
    time.sleep(2.0)
    virtual_microphone.stop()
    time.sleep(0.5)
    virtual_microphone.start()
    told = told_by(listener)
    lost, back = told["recoveries"]
    assert "vmic lost: " in lost and "vmic is back after " in back
    first, last = told["numbers"]
    assert last - first > told["delivered"] + 24_000 and told["monotone"]  # a hole of half a second or more
