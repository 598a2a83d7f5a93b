"""Other people's OSC programs, started as receivers that print each message as a line `address value value ...`."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

FOLDER = Path(__file__).parent / "receivers"
PATIENCE = 15.0
"""Seconds that a program may take to start, or to print."""


class Program(NamedTuple):
    """`command` with {port}; `strip` what it prints before an address; `needs` a file beside the program itself."""

    command: str
    package: str
    strip: str = ""
    needs: str = ""

    def missing(self) -> str:
        """Why it cannot run, empty where it can."""
        name = self.command.split()[0]
        if shutil.which(name) is None or not (FOLDER / self.needs).exists():
            return f"{name} or what it needs is missing: {self.package}"
        return ""


PROGRAMS = {
    "liblo": Program("oscdump -L {port}", "apt install liblo-tools"),
    "pure data": Program(
        'pd -nogui -nrt -noaudio -nomidi -stderr -send "port {port}" print.pd', "apt install puredata-core", "print: "
    ),
    "supercollider": Program("sclang print.scd {port}", "apt install supercollider-language"),
    "node": Program("node print.js {port}", "scripts/setup.sh with npm", needs="node_modules/osc"),
}


class Printed:
    """The lines of a process as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._lines.put(line.rstrip("\n"))

    def __iter__(self) -> Iterator[str]:
        """Lines until none has come for `PATIENCE`."""
        while True:
            try:
                yield self._lines.get(timeout=PATIENCE)
            except queue.Empty:
                return


@contextmanager
def started(command: Sequence[str], port: int, folder: Path = FOLDER) -> Iterator[Printed]:
    """A program that has begun to listen to UDP `port`; ended with everything that it started."""
    headless = {"QT_QPA_PLATFORM": "offscreen", "QTWEBENGINE_DISABLE_SANDBOX": "1"}
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | headless, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        printed = Printed(process)
        _wait_for(port, process)
        yield printed
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    """Until somebody listens to `port`."""
    until = time.monotonic() + PATIENCE
    while all(connection.laddr.port != port for connection in psutil.net_connections("udp")):
        assert process.poll() is None and time.monotonic() < until, f"{process.args} does not listen to {port}"
        time.sleep(0.02)
