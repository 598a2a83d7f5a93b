"""A result as one HTML page that needs nothing else: limits, percentiles, histograms and the course of each measure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import log10
from typing import Any

from live.lab.figures import PERCENTILES

WIDTH, LEFT, HEIGHT, AXIS = 960.0, 60.0, 130.0, 18.0
STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1080px; padding: 0 1em; color: #1c2733 }
h1 { font-size: 1.5em } h2 { font-size: 1.1em; margin-top: 2em } table { border-collapse: collapse; font-size: 13px }
td, th { padding: 2px 9px; text-align: right } th { border-bottom: 1px solid #9aa7b4 }
td:first-child, th:first-child { text-align: left } .missed { color: #b3261e } .scroll { overflow-x: auto }
svg { width: 100%; height: auto; display: block; margin: .4em 0 } text { font-size: 10px; fill: #56636f }
.box { fill: #f4f6f8 } .bar { fill: #2563c9 } .line { stroke: #2563c9; fill: none } .at { stroke: #9aa7b4 }
.deadline { stroke: #b3261e; stroke-dasharray: 4 3 }
"""
COLUMNS = ("count", "mean", *PERCENTILES)


def page(result: dict[str, Any]) -> str:
    """The whole page."""
    title, measures = escape(f"live bench {result['what']}"), result["measures"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>{title}</title><style>{STYLE}</style><h1>{title}</h1>",
        f"<p>{escape(machine_line(result['machine']))}; live {escape(result['version'])}.</p>",
        table(("how", ""), [(str(key), str(value)) for key, value in result["how"].items()]),
        _limits(result["limits"]),
        table(("", "unit", *COLUMNS, "misses", "longest run"), map(row, measures, measures.values())),
        table(("not run", "why"), list(result["details"].get("not_run", {}).items())),
        table(("", "value"), [(name, f"{value:g}") for name, value in result["numbers"].items()]),
        *(_plots(name, one) for name, one in measures.items() if one["count"]),
    ]
    return "\n".join([*parts, "</html>\n"])


def machine_line(machine: dict[str, Any]) -> str:
    """The machine in words."""
    words = [f"{machine['processor']}, {machine['cores']} cores", machine["system"], f"Python {machine['python']}"]
    return "; ".join([*words, *machine.get("realtime", [])])


def row(name: str, measure: dict[str, Any]) -> tuple[str, ...]:
    """A measure as cells: name, unit, `COLUMNS`, misses and their longest run."""
    figures = [f"{measure[key]:.4g}" if key in measure else "–" for key in COLUMNS[1:]]
    misses = [str(measure.get(key, "–")) for key in ("misses", "longest_run_of_misses")]
    return (name, measure["unit"], str(measure["count"]), *figures, *misses)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Nothing where there are no rows."""
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in cells) for cells in rows]
    if not lines:
        return ""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    return f"<div class='scroll'><table><tr>{top}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table></div>"


def _limits(limits: dict[str, dict[str, Any]]) -> str:
    def line(name: str, limit: dict[str, Any]) -> str:
        mark, verdict = ("", "reached") if limit["reached"] else (" class=missed", "missed")
        numbers = f"{limit['measured']:.4g} {limit['unit']} ({limit.get('way', '<=')} {limit['limit']:g}), {verdict}"
        return f"<li{mark}>{escape(name)}: {escape(numbers)}</li>"

    return f"<h2>To reach</h2><ul>{''.join(map(line, limits, limits.values()))}</ul>" if limits else ""


def _plots(name: str, measure: dict[str, Any]) -> str:
    drawn = _histogram(measure) + (_course(measure) if len(measure.get("course", [])) > 1 else "")
    return f"<h2>{escape(name)}</h2>{drawn}"


def _histogram(measure: dict[str, Any]) -> str:
    """Bars of equal width, one a bin, their height the logarithm of the count; labels tell the edges."""
    edges, counts = measure["histogram"]["edges"], measure["histogram"]["counts"]
    step, top = (WIDTH - LEFT) / len(counts), log10(max(counts) + 1)
    bars = []
    for n, count in enumerate(counts):
        if count:
            height = (HEIGHT - 8) * log10(count + 1) / top
            about = f"<title>{edges[n]:.4g} to {edges[n + 1]:.4g} {measure['unit']}: {count}</title>"
            bars.append(f"<rect class='bar' x='{LEFT + n * step + 0.5:.1f}' y='{HEIGHT - height:.1f}' "
                        f"width='{step - 1:.1f}' height='{height:.1f}'>{about}</rect>")  # fmt: skip
    labels = [_label(LEFT + n * step, f"{edges[n]:.3g} {measure['unit']}") for n in range(0, len(edges) - 5, 10)]
    return _frame("how often (log)", max(counts), [*bars, *labels])


def _course(measure: dict[str, Any]) -> str:
    """The largest value of each slice of time, and the deadline."""
    points = measure["course"]
    long, high = points[-1][0] or 1.0, 1.05 * max(*(value for _, value in points), 1e-9)

    def place(at: float, value: float) -> str:
        return f"{LEFT + at / long * (WIDTH - LEFT):.1f} {HEIGHT * (1 - value / high):.1f}"

    drawn = [f"<path class='line' d='M{'L'.join(place(*point) for point in points)}' />"]
    if (deadline := measure.get("deadline", high)) < high:
        drawn.append(f"<path class='deadline' d='M{place(0, deadline)}L{place(long, deadline)}' />")
    marks = [_label(LEFT + n / 8 * (WIDTH - LEFT), f"{n / 8 * long:.4g} s") for n in range(8)]
    return _frame(f"largest, {measure['unit']}", high, [*drawn, *marks])


def _frame(what: str, high: float, drawn: Sequence[str]) -> str:
    box = f"<rect class='box' x='{LEFT:g}' width='{WIDTH - LEFT:g}' height='{HEIGHT:g}' />"
    scale = f"<text x='0' y='10'>{high:.3g}</text><text x='0' y='{HEIGHT:g}'>0</text>"
    head = f"<svg viewBox='0 0 {WIDTH:g} {HEIGHT + AXIS:g}' role='img'><title>{escape(what)}</title>"
    return "".join([head, box, scale, f"<text x='0' y='{HEIGHT / 2:g}'>{escape(what[:10])}</text>", *drawn, "</svg>"])


def _label(x: float, text: str) -> str:
    return f"<text x='{x:.1f}' y='{HEIGHT + 13:g}'>{escape(text)}</text>"
