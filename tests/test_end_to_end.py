"""The main job from end to end: music into a real PortAudio capture, VMC out to a receiver in another process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from survived import faults
from vmc_receiver import Stream, VmcReceiver

from live.audio.demo import MUSIC
from live.lab.pulse import VirtualMicrophone
from live.outputs.vmc import unity_bone
from live.skeleton import BONES

ROOT = Path(__file__).parent.parent
MODEL = "salsa"
SONG = ROOT.parent / "shared" / "data" / "music" / "victory.ogg"
TEMPI = {SONG: 99.0, MUSIC: 112.0}
"""BPM of what is played, in its first half minute."""


@pytest.fixture
def receiver() -> Iterator[VmcReceiver]:
    with VmcReceiver() as process:
        yield process


def music() -> Path:
    """Real music, or the bundled one where the shared data is absent."""
    return SONG if SONG.exists() else MUSIC


def perform(
    sound: str, receiver: VmcReceiver, report: Path, *more: str, env: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    """`live perform` in a process."""
    command = [sys.executable, "-m", "live", "perform", "--input", sound, "--model", MODEL, "--output", receiver.uri,
               "--report", str(report), *more]  # fmt: skip
    return subprocess.Popen(
        command, cwd=ROOT, env=env or dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def end_of(performance: subprocess.Popen[str], report: Path) -> dict[str, Any]:
    """Its report, when it has ended well."""
    _, complaint = performance.communicate(timeout=60)
    assert performance.returncode == 0, complaint
    assert "Traceback" not in complaint  # PortAudio itself may complain of a device that is gone
    values: dict[str, Any] = json.loads(report.read_text())
    return values


def check_stream(stream: Stream) -> None:
    """What every receiver relies on: whole frames, rising times, finite values, unit rotations, a goodbye."""
    assert set(stream.bones) == {unity_bone(bone) for bone in BONES}
    assert {len(rows) for rows in stream.bones.values()} == {len(stream.show_time)}
    assert (np.diff(stream.show_time) > 0).all()
    values = np.array(list(stream.bones.values()))
    assert np.isfinite(values).all()
    np.testing.assert_allclose(np.linalg.norm(values[..., 3:], axis=-1), 1.0, atol=1e-4)
    assert stream.last == "/VMC/Ext/OK" and stream.status[-1] == 0 and set(stream.status[:-1]) == {1}


def check_rate(stream: Stream, seconds: float) -> None:
    """At least 95% of 60 frames a second, over the whole of it."""
    assert len(stream.arrived) >= 0.95 * 60 * seconds
    assert len(stream.arrived) / (stream.arrived[-1] - stream.arrived[0]) >= 0.95 * 60


def test_music_into_a_microphone_becomes_a_dance(
    virtual_microphone: VirtualMicrophone, receiver: VmcReceiver, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    sound = f"microphone:{virtual_microphone.name}"
    player = virtual_microphone.play(music())
    try:
        told = end_of(perform(sound, receiver, report, "--duration", "12", env=virtual_microphone.env), report)
        assert player.poll() is None, "the music ended before the dance"
    finally:
        player.kill()
        player.wait()
    stream = receiver.stream()
    check_stream(stream)
    check_rate(stream, 12)
    for bone in ("Hips", "LeftUpperArm", "RightUpperArm", "LeftUpperLeg", "RightUpperLeg", "LeftLowerLeg"):
        assert stream.degrees_moved(bone) > 5, bone
    assert told["input"] == sound and faults(told["recoveries"]) == [] and told["overflows"] == 0
    assert told["beat"]["confidence"] > 0.2
    assert told["beat"]["bpm"] == pytest.approx(TEMPI[music()], rel=0.05)


def test_the_dance_goes_on_while_the_sound_server_is_gone(
    virtual_microphone: VirtualMicrophone, receiver: VmcReceiver, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    performance = perform(
        f"microphone:{virtual_microphone.name}", receiver, report, "--duration", "10", env=virtual_microphone.env
    )
    receiver.wait_for_first()
    time.sleep(3.0)
    virtual_microphone.stop()
    try:
        time.sleep(2.0)
    finally:
        virtual_microphone.start()
    told = end_of(performance, report)
    stream = receiver.stream()
    check_stream(stream)
    check_rate(stream, 10)
    assert np.diff(stream.arrived).max() < 1.0
    assert any("vmic lost" in line for line in told["recoveries"])
    assert any("vmic is back" in line for line in told["recoveries"])


def test_silence_is_danced_too(receiver: VmcReceiver, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    told = end_of(perform("silence", receiver, report, "--duration", "4"), report)
    stream = receiver.stream()
    check_stream(stream)
    check_rate(stream, 4)
    assert told["beat"]["confidence"] == 0 and told["poses"] == len(stream.arrived)


def test_ctrl_c_ends_a_performance_cleanly(receiver: VmcReceiver, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    performance = perform("demo", receiver, report)
    receiver.wait_for_first()
    time.sleep(1.0)
    performance.send_signal(signal.SIGINT)
    told = end_of(performance, report)
    stream = receiver.stream()
    check_stream(stream)
    assert told["poses"] == len(stream.arrived) > 0
