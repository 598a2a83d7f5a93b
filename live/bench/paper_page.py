"""What `live evaluate --paper` found, as tables for the terminal and as an HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from live.bench.dance_page import STYLE

LOSSES: tuple[tuple[str, str], ...] = (
    ("train", "train"), ("valid", "valid"), ("test", "test"), ("train_fed", "train, real poses fed"),
    ("valid_fed", "valid, real poses fed"), ("test_fed", "test, real poses fed"),
)  # fmt: skip
DANCES: tuple[tuple[str, str, str], ...] = (
    ("similarity", "dance similarity", ".4f"), ("speed", "speed m/s", ".2f"), ("spread", "spread m", ".3f"),
    ("fid_k", "FID_k", ".1f"), ("fid_g", "FID_g", ".1f"),
)  # fmt: skip
CITED = "the paper's full model, as cited"
COLOURS = ("#7a8793", "#2563c9", "#d1483f", "#14804a", "#9333a8", "#e0a100", "#0e7f8a")
WIDTH, HEIGHT = 960.0, 260.0
MEANING = """Losses: squared error of normalised channels, fed with the network's own poses after the first (as on a
stage), and with the real ones. Dance similarity: distance of the joints, in body heights, from what the dictionary
(K-means, k = 5, then the nearest neighbour) looks up for a song that was not trained on; 0 is the same dance. It
favours who stands still in the mean pose: read it beside speed, spread and FID. The paper's figures are in its own
units and on its own data: they stand beside ours, and nothing is scaled to them."""

Table = tuple[Sequence[str], list[Sequence[str]]]


def how(result: dict[str, Any]) -> str:
    """One line: rounds and settings."""
    a, rounds = result["about"], sorted({row["rounds"] for row in result["rows"].values()})
    takes = a["takes"]
    return (
        f"{', '.join(map(str, rounds))} rounds each, batch {a['batch']}, {a['ticks']} ticks, decoder {a['decoder']}, "
        f"lambda 1 = {a['lambda_1']:g}, lambda 2 = {a['lambda_2']:g}, seed {a['seed']}; {takes['train']} dances to "
        f"train, {takes['valid']} to validate, {takes['test']} kept out; {a['seconds']:g} s of each song danced."
    )


def losses(result: dict[str, Any]) -> Table:
    """The first table: a line per variant, and the paper's own figures."""
    rows: list[Sequence[str]] = [
        (name, *(f"{row[key]:.4f}" for key, _ in LOSSES)) for name, row in result["rows"].items()
    ]
    cited = result["cited"]
    rows.append((CITED, *(f"{cited[key]:.2f}" if key in cited else "–" for key, _ in LOSSES)))
    return ("", *(heading for _, heading in LOSSES)), rows


def dances(result: dict[str, Any]) -> Table:
    """The second: dances to songs kept out, the controls, and the paper's own figure."""
    every = {**result["rows"], **result["controls"]}
    rows: list[Sequence[str]] = [
        (name, *(format(row[key], form) for key, _, form in DANCES)) for name, row in every.items()
    ]
    rows.append((CITED, f"{result['cited']['similarity']:.3f}", *("–" for _ in DANCES[1:])))
    return ("", *(heading for _, heading, _ in DANCES)), rows


def page(result: dict[str, Any]) -> str:
    """The whole page."""
    bars = "".join(_bars(result["rows"], key, heading) for key, heading in LOSSES[:3])
    danced = {**result["rows"], **result["controls"]}
    return "\n".join([
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>The paper's comparison</title><style>{STYLE}</style><h1>The seed paper's comparison</h1>",
        f"<p>{escape(how(result))}</p><h2>Losses</h2>{_html(losses(result))}{_curves(result['curves'])}{bars}",
        f"<h2>Dances to songs kept out</h2>{_html(dances(result))}",
        *(_bars(danced, key, heading) for key, heading, _ in DANCES), f"<p>{escape(MEANING)}</p></html>\n",
    ])  # fmt: skip


def markdown(table: Table) -> str:
    """The table for a page of docs."""
    head, rows = table
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _html(table: Table) -> str:
    head, rows = table
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in rows)
    return f"<div class=scroll><table><tr>{top}</tr>{body}</table></div>"


def _bars(rows: dict[str, dict[str, float]], key: str, heading: str) -> str:
    """One bar a line; far larger ones than the others' median end at the edge."""
    found = {name: row[key] for name, row in rows.items()}
    most = max(min(max(found.values()), 4 * sorted(found.values())[len(found) // 2]), 1e-9)
    lines = [
        f"<text x=0 y={14 + 18 * i}>{escape(name)}</text>"
        f"<rect class=bar x=280 y={4 + 18 * i} width={600 * min(value / most, 1.0):.1f} height=12 />"
        f"<text x={288 + 600 * min(value / most, 1.0):.1f} y={14 + 18 * i}>{value:.4g}</text>"
        for i, (name, value) in enumerate(found.items())
    ]
    return f"<h3>{escape(heading)}</h3><svg viewBox='0 0 {WIDTH:g} {6 + 18 * len(found)}'>{''.join(lines)}</svg>"


def _curves(curves: dict[str, list[list[float]]]) -> str:
    """Validated error over the rounds, a line a variant."""
    points = [point for curve in curves.values() for point in curve]
    if not points:
        return ""
    last, low, high = max(p[0] for p in points), min(p[1] for p in points), max(p[1] for p in points)
    drawn = []
    for i, (name, curve) in enumerate(curves.items()):
        place = " ".join(
            f"{40 + (WIDTH - 60) * r / max(last, 1):.1f},{10 + (HEIGHT - 30) * (high - v) / max(high - low, 1e-9):.1f}"
            for r, v in curve
        )
        colour = COLOURS[i % len(COLOURS)]
        drawn.append(f"<polyline points='{place}' fill=none stroke='{colour}' />")
        drawn.append(f"<text x={WIDTH - 300:g} y={14 + 14 * i} style='fill:{colour}'>{escape(name)}</text>")
    axis = f"<text x=0 y=16>{high:.3g}</text><text x=0 y={HEIGHT - 20:g}>{low:.3g}</text>"
    axis += f"<text x={WIDTH - 60:g} y={HEIGHT - 4:g}>{last:g} rounds</text>"
    return (
        "<h3>Error on the dances to validate with, by rounds (self-fed in segments)</h3>"
        f"<svg viewBox='0 0 {WIDTH:g} {HEIGHT:g}'>{axis}{''.join(drawn)}</svg>"
    )
