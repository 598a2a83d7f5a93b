"""How long `import live` and `live --help` take, and that neither touches torch, PyAudio or ONNX Runtime.

Each runs ten times as a process of its own, interpreter's start included; that of an interpreter which does nothing is
measured beside them. A measurement, not a test: it exits 0 either way.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import measure

LIMIT = 0.5
"""s"""
FORBIDDEN = ("torch", "pyaudio", "onnxruntime")
HELP = """
import sys
from live.cli import main
sys.argv = ["live", "--help"]
try:
    main()
except SystemExit:
    pass
"""
TELL = "import json, sys; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"


def commands() -> dict[str, list[str]]:
    """What is timed; the console command where it is installed."""
    script = Path(sys.executable).with_name("live")
    live = [str(script)] if script.exists() else [sys.executable, "-m", "live"]
    return {
        "python": [sys.executable, "-c", "pass"],
        "import live": [sys.executable, "-c", "import live"],
        "live --help": [*live, "--help"],
    }


def timed(command: list[str], runs: int) -> dict[str, float]:
    """Best and median seconds of `runs`."""
    took = []
    for _ in range(runs):
        begun = time.perf_counter()
        subprocess.run(command, cwd=measure.ROOT, check=True, stdout=subprocess.DEVNULL)
        took.append(time.perf_counter() - begun)
    return {"best_s": round(min(took), 4), "median_s": round(statistics.median(took), 4)}


def imported_by(code: str) -> list[str]:
    """Which of the forbidden modules `code` imports."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{TELL}"], cwd=measure.ROOT, check=True, capture_output=True, text=True
    )
    modules = set(json.loads(done.stderr.splitlines()[-1]))
    return [name for name in FORBIDDEN if name in modules]


def main() -> None:
    parser = measure.options(__doc__)
    parser.add_argument("--runs", type=int, default=10, help="of each command (default: %(default)d)")
    given = parser.parse_args()
    times = {name: timed(command, given.runs) for name, command in commands().items()}
    heavy = {"import live": imported_by("import live"), "live --help": imported_by(HELP)}
    limits: dict[str, Any] = {f"{name} median": measure.compared(times[name]["median_s"], LIMIT, "s") for name in heavy}
    limits |= {f"{name} heavy modules": measure.compared(len(found), 0, "") for name, found in heavy.items()}
    values = {"limits": limits, "runs": given.runs, "times": times, "forbidden": FORBIDDEN, "imported": heavy}
    measure.write("startup", values, None, given.out)


if __name__ == "__main__":
    main()
