"""How long a tick takes: from the block in hand to the last byte sent, over the ticks that run the generator.

`live perform` plays in a process of its own at the clock's pace, sending VMC to a receiver in another; the numbers are
those of its `--report`. This is a measurement, not a test: it exits 0 whether the limits are reached or not.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import measure

LIMITS = {"p50": 1.5, "p99": 3.0}
"""ms"""


def compare(total: dict[str, float]) -> dict[str, dict[str, Any]]:
    """The tick's percentiles beside their limits."""
    return {f"tick {name}": measure.compared(total[name], limit, "ms") for name, limit in LIMITS.items()}


def main() -> None:
    given = measure.options(__doc__, duration=60.0).parse_args()
    with tempfile.TemporaryDirectory() as folder, measure.Receiver() as receiver:
        path = Path(folder) / "report.json"
        report = measure.finish(measure.perform(given, receiver, path), path)
        frames = receiver.frames()
    keys = ("model", "backend", "input", "duration_s", "ticks", "poses", "deadline_misses", "overflows", "stage_ms",
            "interval_ms", "reaction_ms", "recoveries")  # fmt: skip
    values = {key: report[key] for key in keys}
    values |= {"frames_received": len(frames), "received_interval_ms": measure.intervals(frames)}
    print_stages(report["stage_ms"])
    measure.write("tick", {"limits": compare(report["stage_ms"]["total"])} | values, report["machine"], given.out)


def print_stages(stages: dict[str, dict[str, float]]) -> None:
    """A line per stage."""
    print(f"{'stage, ms':12}" + "".join(f"{name:>9}" for name in measure.PERCENTILES))
    for stage, row in stages.items():
        print(f"{stage:12}" + "".join(f"{row[name]:9.3f}" for name in measure.PERCENTILES))


if __name__ == "__main__":
    main()
