"""A show under fire: random and mutated datagrams at its control port while it dances.

`live perform` plays in real time; another process sends `--datagrams` of them, as fast as the loop reads them. Told:
how many were counted as dropped, deadline misses, the tick, and how much memory grew after the first tenth. Exits 0.
"""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure
import psutil

ROOT = Path(__file__).parent.parent
RATE = 3300
"""Datagrams a second; the loop reads at most 8 + 48 a pose, 3360 a second."""
LIMITS = {"tick p99": (3.0, "ms"), "RSS growth": (1.0, "MB"), "recoveries": (0.0, "")}


def strange_ones() -> list[bytes]:
    """Ten thousand different datagrams, made by the tests' own mutator."""
    sys.path.insert(0, str(ROOT / "tests"))
    from test_orders import strange

    chance = random.Random(5)
    return [data for data in (strange(chance) for _ in range(10_000)) if b"tempo/lock" not in data]


def fire(port: int, count: int, show: psutil.Process) -> list[float]:
    """Send `count` datagrams; the show's RSS (MB) each second."""
    packets, memory, begun = strange_ones(), [], time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for n in range(count):
            if n % 33 == 0:
                time.sleep(max(0.0, begun + n / RATE - time.monotonic()))
            if n % RATE == 0:
                memory.append(show.memory_info().rss / 1e6)
            sock.sendto(packets[n % len(packets)], ("127.0.0.1", port))
    return memory


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def main() -> None:
    options = measure.options(__doc__)
    options.add_argument("--datagrams", type=int, default=1_000_000)
    given = options.parse_args()
    port, seconds = free_port(), given.datagrams / RATE + 4.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        settings = ["--input", "demo", "--output", "null:", "--control", f"127.0.0.1:{port}", "--report", str(path)]
        command = [sys.executable, "-m", "live", "perform", *settings, "--duration", str(seconds)]
        show = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(3.0)
        memory = fire(port, given.datagrams, psutil.Process(show.pid))
        report = measure.finish(show, path)
    measure.write("control", told(report, memory, given.datagrams), report["machine"], given.out)


def told(report: dict[str, Any], memory: list[float], count: int) -> dict[str, Any]:
    """The result's values."""
    settled = memory[len(memory) // 10]
    found = {
        "tick p99": report["stage_ms"]["total"]["p99"],
        "RSS growth": max(0.0, memory[-1] - settled),
        "recoveries": float(len(report["recoveries"])),
    }
    limits = {name: measure.compared(found[name], *LIMITS[name]) for name in LIMITS}
    keys = ("poses", "deadline_misses", "control_dropped", "stage_ms", "interval_ms", "recoveries")
    return {
        "limits": limits,
        "datagrams": count,
        "rss_mb": [round(m, 2) for m in memory[:: max(1, len(memory) // 20)]],
    } | {key: report[key] for key in keys}


if __name__ == "__main__":
    main()
