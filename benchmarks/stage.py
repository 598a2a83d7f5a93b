"""How fast the stage is drawn: the window with four dancers on one core, a film at 1080p, and what both cost the tick.

The window runs with SDL's dummy driver (no screen is needed), held to one core where the system can. The tick is read
from performances without and with window, film and monitor page, in turns, as the machine's speed varies; their medians
are compared. It exits 0 whether limits are reached or not.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure
import numpy as np

from live import realtime
from live.outputs import window
from live.take import pose_of, read_take

DANCERS = 4
SIZE = "1280x720"
TURNS = 3
PICTURE = 1000 / 60


def live(*arguments: str) -> str:
    """A command in a process of its own; what it says."""
    environment = os.environ | {"SDL_VIDEODRIVER": "dummy"}
    done = subprocess.run(
        [sys.executable, "-m", "live", *arguments], cwd=measure.ROOT, capture_output=True, text=True, env=environment
    )
    if done.returncode:
        sys.exit(f"live {arguments[0]} failed with status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def danced(folder: Path, seconds: float, dancers: int) -> Path:
    """A take of so many dancers."""
    take = folder / f"{dancers}.take"
    live("perform", "--input", "demo", "--fast", "--duration", str(seconds), "--dancers", str(dancers), "--no-preview",
         "--output", f"take:{take}")  # fmt: skip
    return take


def shown(take: Path) -> dict[str, Any]:
    """The take in a window at its own pace: pictures a second, how late they are, and the core's share."""
    records = read_take(take).records
    output = window.open_output(f"window:?size={SIZE}&text=0")
    output.open(DANCERS, True)
    cores = set(realtime.cores())
    if output.child is not None and len(cores) > 1:  # a core for the window, the others for who sends
        os.sched_setaffinity(output.child.pid, {max(cores)})
        os.sched_setaffinity(0, cores - {max(cores)})
    begun = time.monotonic()
    for n, record in enumerate(records):
        due = begun + n / 60
        time.sleep(max(0.0, due - time.monotonic()))
        pose = pose_of(record)
        pose.play_time = due
        output.send(pose)
    seconds = time.monotonic() - begun
    output.close()
    if cores:
        os.sched_setaffinity(0, cores)
    return output.seen | {"seconds": seconds}


def filmed(take: Path) -> dict[str, float]:
    """The take as a 1080p film with sound."""
    out, begun = take.with_suffix(".mp4"), time.monotonic()
    live("render", str(take), "--out", str(out), "--size", "1920x1080", "--sound", "live/audio/demo.ogg")
    return {"seconds": time.monotonic() - begun, "length": float(read_take(take).time[-1]), "bytes": out.stat().st_size}


def tick(folder: Path, seconds: float, *more: str) -> float:
    """p99 (ms) of the tick of a performance."""
    report = folder / "report.json"
    live("perform", "--input", "demo", "--duration", str(seconds), "--output", "null:", "--report", str(report), *more)
    return float(json.loads(report.read_text())["stage_ms"]["total"]["p99"])


def ticks(folder: Path, seconds: float) -> dict[str, list[float]]:
    """p99 (ms) of the tick alone and beside all that shows the dance, turn by turn."""
    read: dict[str, list[float]] = {"alone": [], "with window, film and monitor": []}
    for turn in range(TURNS):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            page = f"127.0.0.1:{free.getsockname()[1]}"
        beside = ("--preview", "--record", str(folder / f"show{turn}.mp4"), "--monitor", page)
        for values, more in zip(read.values(), (("--no-preview",), beside), strict=True):
            values.append(tick(folder, seconds, *more))
    return read


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, help="where to write the JSON (default: benchmarks/results/stage.json)")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each part (default: %(default)g)")
    given = parser.parse_args()
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        takes = [danced(folder, given.seconds, dancers) for dancers in (1, DANCERS)]
        seen, films = shown(takes[-1]), [filmed(take) for take in takes]
        read = ticks(folder, given.seconds)
    shares = [film["seconds"] / film["length"] for film in films]
    alone, watched = (float(np.median(values)) for values in read.values())
    limits = {
        "window: ms per picture": measure.compared(
            1e3 * seen["seconds"] / max(seen["pictures"], 1), PICTURE * 1.01, "ms"
        ),
        "window: pose to pixel p50": measure.compared(seen["late_ms"].get("p50", 1e9), PICTURE, "ms"),
        "window: pose to pixel p99": measure.compared(seen["late_ms"].get("p99", 1e9), PICTURE, "ms"),
        "film: share of its own length": measure.compared(shares[0], 1.0, ""),
        "tick p99 beside window, film and monitor, times alone": measure.compared(watched / max(alone, 1e-6), 1.1, ""),
    }
    values = {"limits": limits, "dancers": DANCERS, "size": SIZE, "window": seen, "films": films,
              "film of four: share of its own length": round(shares[1], 3), "tick_p99_ms": read}  # fmt: skip
    measure.write("stage", values, None, given.out)


if __name__ == "__main__":
    main()
