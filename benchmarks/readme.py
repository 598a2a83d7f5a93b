"""Write the figures of benchmarks/results/*.json into README.md, between its `measured` marks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
BEGIN, END = "<!-- measured: written by benchmarks/readme.py -->\n", "<!-- /measured -->"
SOURCES = {
    "tick": ("`live bench tick`", "the demo performed for {minutes:g} min, nothing else running"),
    "end-to-end": (
        "`live bench end-to-end`",
        "clicks into a virtual microphone for {minutes:g} min, found in the stream",
    ),
    "soak": ("`live bench soak`", "{minutes:g} min with window and recorder, one core kept busy"),
    "drills": ("`live bench drills`", "{minutes:g} min under the watchdog, 200 random faults, both cores kept busy"),
    "startup": ("`benchmarks/startup.py`", "start"),
    "outputs": ("`live bench outputs`", "encode and send of a frame; 32 dancers as a share of one core"),
    "stage": (
        "`benchmarks/stage.py`",
        "four dancers in a window of 1280 x 720, on one core; one filmed at 1920 x 1080; show with and without",
    ),
    "monitor": (
        "`benchmarks/monitor.py`",
        "the page in a headless Chromium for ten minutes, then fifty browsers and one that never reads",
    ),
    "frames": ("`benchmarks/frames.py`", "Pix2PixHD at 256 x 256, on one core; pictures that it never saw"),
    "control": ("`benchmarks/control.py`", "a million random and mutated datagrams at the control port"),
    "robot": (
        "`benchmarks/robot.py`",
        "an hour of dance, a quarter of it nonsense, to a humanoid in MuJoCo; shares of its limits",
    ),
}
"""Of each result: what measures it, and what it is."""


def table(results: Path) -> str:
    """Every limit that was measured as a row, with the machine named: that of the first result, and where another's is
    another."""
    found = {name: json.loads(path.read_text()) for name in SOURCES if (path := results / f"{name}.json").exists()}
    here = _machine(next(iter(found.values()))["machine"])
    lines = [f"Measured on {here}:", "", "| | Measured | To reach |", "|---|---|---|"]
    for name, result in found.items():
        command, what = SOURCES[name]
        elsewhere = "" if (there := _machine(result["machine"])) == here else f"; on {there}"
        lines.append(f"| *{what.format(minutes=_minutes(result))}{elsewhere}* ({command}) | | |")
        lines += [_row(what, limit) for what, limit in result["limits"].items()]
    return "\n".join(lines) + "\n"


def _minutes(result: dict[str, Any]) -> float:
    """How long was performed."""
    seconds = result.get("how", {}).get("duration", result.get("duration_s", 0.0))
    return round(seconds / 60.0, 1)


def _row(what: str, limit: dict[str, Any]) -> str:
    unit = f" {limit['unit']}" if limit["unit"] else ""
    return f"| {what} | {limit['measured']:.4g}{unit} | {limit.get('way', '<=')} {limit['limit']:g}{unit} |"


def _machine(machine: dict[str, Any]) -> str:
    return f"{machine['processor']} (virtual, {machine['cores']} cores), Python {machine['python']}"


def main() -> None:
    """Replace what stands between the marks."""
    head, rest = README.read_text().split(BEGIN)
    README.write_text(head + BEGIN + "\n" + table(HERE / "results") + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
