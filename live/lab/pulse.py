"""A private PulseAudio with two virtual microphones, for real PortAudio captures without hardware.

`vmic` hears what is played into a null sink, by `paplay` or as the output called `default`; `vclick` hears the samples
that are written into a pipe, as they come: its time is the writer's.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

DEVICE, CLICKS = "vmic", "vclick"
ASOUND = """
pcm.!default { type pulse }
ctl.!default { type pulse }
pcm.vmic { type pulse device vmic.monitor hint { show on description "vmic" } }
pcm.vclick { type pulse device vclick hint { show on description "vclick" } }
"""


@dataclass
class VirtualMicrophone:
    """What is played into it is what PortAudio captures from the input called `name`, in processes with `env`."""

    folder: Path
    name: str = DEVICE
    env: dict[str, str] = field(default_factory=dict)
    server: subprocess.Popen[bytes] | None = None
    realtime: bool = False
    """Let the server have real-time scheduling, as sound servers do, where that is permitted."""

    @property
    def pipe(self) -> Path:
        """Where samples for `vclick` are written: mono, 16 bits, 48 kHz."""
        return self.folder / "clicks"

    def start(self) -> None:
        """Start the server; returns when it takes connections."""
        arguments = [
            "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=3600", "--disallow-exit=false",
            "--use-pid-file=true", f"--realtime={self.realtime:d}", f"--high-priority={self.realtime:d}",
            "-L", f"module-native-protocol-unix auth-anonymous=1 socket={self.folder}/xdg/pulse/native",
            "-L", f"module-null-sink sink_name={DEVICE} rate=48000 channels=1 format=s16le",
            "-L", f"module-pipe-source source_name={CLICKS} file={self.pipe} rate=48000 channels=1 format=s16le",
        ]  # fmt: skip
        with (self.folder / "pulseaudio.log").open("ab") as log:
            self.server = subprocess.Popen(arguments, env=self.env, stdout=log, stderr=log)
        for _ in range(100):
            if subprocess.run(["pactl", "info"], env=self.env, capture_output=True, timeout=10).returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError((self.folder / "pulseaudio.log").read_text())

    def play(self, path: Path | str) -> subprocess.Popen[bytes]:
        """Begin to play a sound file into the microphone."""
        command = ["paplay", f"--device={DEVICE}", "--latency-msec=100", str(path)]
        return subprocess.Popen(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        """Kill the server, as if the device were pulled out. Safe to call twice."""
        if self.server is not None:
            self.server.kill()
            self.server.wait(timeout=10)
            self.server = None
        for left in ("pid", "native"):
            with suppress(FileNotFoundError):
                (self.folder / "xdg" / "pulse" / left).unlink()


def missing() -> str:
    """Why no virtual microphone can be had here; empty if it can."""
    programs = [name for name in ("pulseaudio", "pactl", "paplay") if shutil.which(name) is None]
    if programs:
        return f"not installed: {', '.join(programs)} (apt-get install pulseaudio pulseaudio-utils libasound2-plugins)"
    if importlib.util.find_spec("pyaudio") is None:
        return "PyAudio is not installed (apt-get install portaudio19-dev, pip install PyAudio)"
    return ""


@contextmanager
def virtual_microphone(folder: Path, realtime: bool = False) -> Iterator[VirtualMicrophone]:
    """A running one whose files lie in `folder`."""
    (folder / "xdg" / "pulse").mkdir(mode=0o700, parents=True)
    (folder / "xdg").chmod(0o700)
    (folder / "asound.conf").write_text(ASOUND)
    env = os.environ | {
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder / "xdg"),
        "PULSE_SERVER": f"unix:{folder}/xdg/pulse/native",
        "ALSA_CONFIG_PATH": str(folder / "asound.conf"),
    }
    microphone = VirtualMicrophone(folder, env=env, realtime=realtime)
    try:
        microphone.start()
        yield microphone
    finally:
        microphone.stop()
