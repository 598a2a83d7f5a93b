"""What the benchmarks share: a performance to measure, a receiver in a process of its own, percentiles, the JSON.

Run as a script this file *is* that receiver: it takes VMC on a free port until its standard input closes, then prints
one line `[show time, arrived, seen]` per frame as JSON. `show time` is the pose's slot as the performer sent it
(`/VMC/Ext/T`), `arrived` when the kernel took the datagram, `seen` when this process had it; the last two are host
monotonic seconds. So a late frame can be told from a receiver that was late itself.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from live import realtime

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
SCHEMA_VERSION = 1
PERIOD = 1.0 / 60.0
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9, "max": 100.0}
TIME_MESSAGE = b"/VMC/Ext/T\0\0,f\0\0"
SO_TIMESTAMPNS = 35
"""Linux's number; Python does not name it."""


def options(description: str | None, duration: float | None = None) -> argparse.ArgumentParser:
    """The options that every benchmark has, and those of a performance where there is a `duration`."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, help="where to write the JSON (default: benchmarks/results/NAME.json)")
    if duration is not None:
        parser.add_argument("--duration", type=float, default=duration, help="seconds (default: %(default)g)")
        parser.add_argument("--input", default="demo", help="as `live perform --input` (default: %(default)s)")
        parser.add_argument("--model", default="salsa", help="as `live perform --model` (default: %(default)s)")
    return parser


def perform(given: argparse.Namespace, receiver: Receiver, report: Path) -> subprocess.Popen[str]:
    """`live perform` in a process, sending VMC to `receiver` and writing its report at the end."""
    settings = ["--input", given.input, "--model", given.model, "--duration", str(given.duration)]
    command = [sys.executable, "-m", "live", "perform", *settings, "--output", receiver.uri, "--report", str(report)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(performance: subprocess.Popen[str], report: Path) -> dict[str, Any]:
    """Wait for its end; its report. A performance that failed ends the benchmark with its own words."""
    _, complaint = performance.communicate()
    if performance.returncode:
        sys.exit(f"live perform failed with status {performance.returncode}: {complaint.strip()}")
    values: dict[str, Any] = json.loads(report.read_text())
    return values


def percentiles(seconds: np.ndarray[Any, Any]) -> dict[str, float]:
    """p50 to max in ms; empty where nothing was measured."""
    if not len(seconds):
        return {}
    return {name: round(float(np.percentile(seconds, share)) * 1e3, 4) for name, share in PERCENTILES.items()}


def intervals(frames: np.ndarray[Any, Any]) -> dict[str, dict[str, float]]:
    """Intervals between frames [n, 3] in ms, as the receiving process saw them and as they reached its host."""
    return {
        "seen": percentiles(np.diff(frames[:, 2])),
        "arrived": percentiles(np.diff(frames[:, 1])),
    }


def compared(measured: float, limit: float, unit: str) -> dict[str, Any]:
    """A measured value beside the limit that it must not exceed."""
    return {"measured": round(measured, 4), "limit": limit, "unit": unit, "reached": measured <= limit}


def write(name: str, values: dict[str, Any], machine: dict[str, Any] | None, out: Path | None) -> None:
    """Write a result under the keys that all results have; says where, and what was reached."""
    path = out or RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = {"schema_version": SCHEMA_VERSION, "what": name, "machine": machine or realtime.machine()}
    path.write_text(json.dumps(head | values, indent=1) + "\n")
    for what, row in values["limits"].items():
        verdict = "reached" if row["reached"] else "MISSED"
        print(f"{what:32} {row['measured']:10.3f} {row['unit']:3}  limit {row['limit']:8.3f}  {verdict}")
    print(f"written to {path}")


class Receiver:
    """The receiver's process; `frames` ends it. Use as a context, so that it ends in any case."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.uri = f"vmc://127.0.0.1:{self._process.stdout.readline().strip()}"

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def frames(self) -> np.ndarray[Any, Any]:
        """[n, 3]: show time, arrived, seen, in seconds."""
        told, _ = self._process.communicate()
        return np.array(json.loads(told), np.float64).reshape(-1, 3)


def receive() -> None:
    """Body of the receiver's process."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        if sys.platform == "linux":
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.bind(("127.0.0.1", 0))
        print(sock.getsockname()[1], flush=True)
        frames: list[tuple[float, float, float]] = []
        while True:
            ready, _, _ = select.select([sock, sys.stdin], [], [])
            if sock in ready:
                _take(sock, frames)
            elif sys.stdin in ready:
                break
    print(json.dumps(frames))


def _take(sock: socket.socket, frames: list[tuple[float, float, float]]) -> None:
    """One datagram; the one that carries the show time stands for its frame."""
    packet, ancillary, _, _ = sock.recvmsg(65536, 64)
    seen = time.monotonic()
    at = packet.find(TIME_MESSAGE)
    if at >= 0:
        (show_time,) = struct.unpack_from(">f", packet, at + len(TIME_MESSAGE))
        frames.append((show_time, seen - _age(ancillary), seen))


def _age(ancillary: list[Any]) -> float:
    """Seconds since the kernel took the datagram; 0 where it does not say."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("@qq", data)
            return float(time.time_ns() - seconds * 1_000_000_000 - nanoseconds) * 1e-9
    return 0.0


if __name__ == "__main__":
    receive()
