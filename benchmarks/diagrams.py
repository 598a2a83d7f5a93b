"""The drawings of the README: where a tick's time goes, and how sound becomes movement.

    python benchmarks/diagrams.py [--result benchmarks/results/tick.json] [--out docs/images]

Needs matplotlib (`pip install matplotlib`) and Graphviz (`apt install graphviz`). The result is `live bench tick`'s.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt

ROOT = Path(__file__).parent.parent
INK, ACCENT, LIMIT = "#444444", "#d9534f", "#3b7ea1"
ARCHITECTURE = """
digraph live {
  rankdir=LR; bgcolor=white; nodesep=0.25; ranksep=0.45; fontname="Helvetica";
  node [shape=box, style="rounded,filled", fillcolor="#f4f4f4", color="#888888", fontname="Helvetica", fontsize=12];
  edge [color="#666666", fontname="Helvetica", fontsize=10, fontcolor="#555555"];
  source [label="sound\\nmicrophone, file, demo"];
  subgraph cluster_tick {
    label="one tick, 30 / s"; color="#d9534f"; style=rounded; fontsize=11; fontcolor="#d9534f";
    features [label="features\\n35 numbers, 60 / s"];
    beat [label="beat tracker\\nphase of now"];
    generator [label="generator\\nconvolution, LSTM, attention\\n2 poses a tick"];
    motion [label="motion\\nfeet, limits, moods, stage"];
    features -> generator; beat -> generator; generator -> motion;
  }
  subgraph cluster_out {
    label="outputs"; color="#888888"; style=rounded; fontsize=11; fontcolor="#555555";
    packets [label="packets\\nVMC, VRChat, OSC"];
    robot [label="robot\\nits limits in a process of its own"];
    pictures [label="window, film, monitor page\\nprocesses of their own"];
    take [label="take\\neverything, crash-safely"];
  }
  orders [label="orders\\nOSC, MIDI, Link, keys, show file"];
  director [label="director\\nscenes, cues, tempo, moods"];
  source -> features [label="48 kHz"]; source -> beat;
  motion -> packets [label="60 poses / s"]; motion -> robot; motion -> pictures; motion -> take;
  orders -> director; director -> beat [style=dashed]; director -> generator [style=dashed];
  director -> motion [style=dashed];
}
"""


def write_latency(result: dict[str, Any], path: Path) -> None:
    """How often a tick took how long, with its median and its tail, and the median of each stage below."""
    tick, stages = result["measures"]["tick"], result["measures"]
    edges, counts = tick["histogram"]["edges"], tick["histogram"]["counts"]
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 4.2), height_ratios=[4, 1], layout="constrained")
    above.stairs(counts, edges, fill=True, color=ACCENT, alpha=0.85)
    above.set_xlim(0, max(1.15 * tick["p999"], 3.2))
    above.set_ylim(0, 1.35 * max(counts))
    above.set_ylabel("ticks")
    above.set_xlabel("from the block in hand to the last byte sent (ms)")
    for n, name in enumerate(("p50", "p99", "p999")):
        above.axvline(tick[name], color=LIMIT, linestyle="--", linewidth=1)
        height = (1.25 - 0.12 * n) * max(counts)
        above.annotate(f" {name} {tick[name]:.2f} ms", (tick[name], height), color=LIMIT, fontsize=9)
    left = 0.0
    for n, name in enumerate(name for name in ("features", "generator", "motion", "encode", "send") if name in stages):
        took = stages[name]["p50"]
        below.barh(0, took, left=left, color=plt.get_cmap("Set2")(n), label=f"{name} {took:.2f}")
        left += took
    below.set_yticks([])
    below.set_xlabel("median of each stage (ms)")
    below.legend(ncols=5, loc="upper center", bbox_to_anchor=(0.5, 1.9), fontsize=8, frameon=False)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    machine = result["machine"]
    figure.suptitle(
        f"{tick['count']} ticks on {machine['processor']}, {machine['cores']} cores", fontsize=10, color=INK
    )
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--result", type=Path, default=ROOT / "benchmarks" / "results" / "tick.json")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    arguments = parser.parse_args()
    matplotlib.rcParams["svg.hashsalt"] = "live"  # the same result gives the same file
    write_latency(json.loads(arguments.result.read_text()), arguments.out / "latency.svg")
    drawn = subprocess.run(["dot", "-Tsvg"], input=ARCHITECTURE.encode(), stdout=subprocess.PIPE, check=True).stdout
    (arguments.out / "architecture.svg").write_bytes(drawn)


if __name__ == "__main__":
    main()
