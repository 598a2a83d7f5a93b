"""What the benchmarks share: their options, the end of a performance, the JSON."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from live import realtime
from live.lab.figures import compared

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
SCHEMA_VERSION = 1


def options(description: str | None) -> argparse.ArgumentParser:
    """The option that every benchmark has."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, help="where to write the JSON (default: benchmarks/results/NAME.json)")
    return parser


def finish(performance: subprocess.Popen[str], report: Path) -> dict[str, Any]:
    """Wait for its end; its report. A performance that failed ends the benchmark with its own words."""
    _, complaint = performance.communicate()
    if performance.returncode:
        sys.exit(f"live perform failed with status {performance.returncode}: {complaint.strip()}")
    values: dict[str, Any] = json.loads(report.read_text())
    return values


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


__all__ = ["compared", "finish", "options", "write"]
