"""Write the figures of benchmarks/results/*.json into README.md, between its `measured` marks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
BEGIN, END = "<!-- measured: written by benchmarks/readme.py -->\n", "<!-- /measured -->"
SCRIPTS = {
    "tick": "the demo performed for a minute, nothing else running",
    "steadiness": "ten minutes, one core kept busy by another process",
    "startup": "start",
    "outputs": "encode and send of a frame; 32 dancers as a share of one core",
    "control": "a million random and mutated datagrams at the control port",
    "robot": "an hour of dance, a quarter of it nonsense, to a humanoid in MuJoCo; shares of its limits",
}


def table(results: Path) -> str:
    """Every limit that was measured as a row, with the machine named."""
    found = {name: json.loads(path.read_text()) for name in SCRIPTS if (path := results / f"{name}.json").exists()}
    lines = [_machine(next(iter(found.values()))["machine"]), "", "| | Measured | To reach |", "|---|---|---|"]
    for name, result in found.items():
        lines.append(f"| *{SCRIPTS[name]}* (`benchmarks/{name}.py`) | | |")
        lines += [_row(what, limit) for what, limit in result["limits"].items()]
    return "\n".join(lines) + "\n"


def _row(what: str, limit: dict[str, Any]) -> str:
    unit = f" {limit['unit']}" if limit["unit"] else ""
    return f"| {what} | {limit['measured']:.4g}{unit} | <= {limit['limit']:g}{unit} |"


def _machine(machine: dict[str, Any]) -> str:
    return f"Measured on {machine['processor']} (virtual, {machine['cores']} cores), Python {machine['python']}:"


def main() -> None:
    """Replace what stands between the marks."""
    head, rest = README.read_text().split(BEGIN)
    README.write_text(head + BEGIN + "\n" + table(HERE / "results") + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
