"""A beat result as one HTML page that needs nothing else: tables, and a figure per clip with a panel per tracker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise
from typing import Any

from live.bench.scores import LATEST, WINDOW
from live.bench.table import HEAD, cells, not_run, note, rules, summary

WIDTH, LEFT = 960.0, 56.0
BEATS, ERRORS, TEMPO, SURE = 44.0, 74.0, 74.0, 34.0
"""Heights of a panel's strips: beats, errors, tempo curve, confidence."""
GAP, AXIS = 8.0, 18.0
PANEL = BEATS + ERRORS + TEMPO + SURE + 4 * GAP + AXIS
STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1080px; padding: 0 1em; color: #1c2733 }
h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin-top: 2em }
figure { margin: 1.6em 0 } figcaption { font-weight: 600 }
table { border-collapse: collapse; font-size: 12px } td, th { padding: 2px 7px; text-align: right; white-space: nowrap }
th { white-space: normal; vertical-align: bottom; border-bottom: 1px solid #9aa7b4 }
td:first-child, th:first-child { text-align: left }
.missed { color: #b3261e } .scroll { overflow-x: auto }
svg { width: 100%; height: auto; display: block; margin-top: .4em } text { font-size: 10px; fill: #56636f }
.name { font-weight: 600; fill: #1c2733 } .box { fill: #f4f6f8 } .zero { stroke: #c3ccd5 }
.true { stroke: #7a8793; fill: none } .on { stroke: #14804a; fill: none } .off { stroke: #d1483f; fill: none }
.late { stroke: #e0a100; fill: none } .dot { fill: #14804a } .bpm { stroke: #2563c9; fill: none; stroke-width: 1.4 }
.sure { fill: #2563c9; fill-opacity: .3 }
"""


def page(result: dict[str, Any]) -> str:
    """The whole page."""
    ran = {name: tracker for name, tracker in result["trackers"].items() if "rows" in tracker}
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>Beats</title><style>{STYLE}</style><h1>Online beat trackers</h1><p>{escape(rules(result))}</p>",
        _table(("Tracker", "Clips", *HEAD), summary(result)),
        *(f"<p><b>{escape(name)}</b> was not run: {escape(why)}</p>" for name, why in not_run(result)),
        *(_goals(name, tracker["goals"]) for name, tracker in ran.items()),
        "<h2>Clip by clip</h2><p>Ticks: true beats in grey below; reported ones above in green where they meet a true "
        "beat of the octave that counts, red where not, yellow where told too late. Then the error of each beat met "
        "(±70 ms, late is up), the tempo (true grey, tracked blue) and the confidence (0 to 1).</p>",
    ]
    for name, clip in result["clips"].items():
        parts.append(_figure(name, clip, {t: _row(tracker, name) for t, tracker in ran.items()}))
    return "\n".join([*parts, "</html>\n"])


def _row(tracker: dict[str, Any], clip: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in tracker["rows"] if row["clip"] == clip)
    return found


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    return f"<div class='scroll'><table><tr>{top}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table></div>"


def _goals(name: str, goals: Sequence[dict[str, Any]]) -> str:
    def verdict(goal: dict[str, Any]) -> str:
        mark = "" if goal["reached"] else " class=missed"
        numbers = f"{goal['measured']:.3g} (to reach: {goal['way']} {goal['limit']:g})"
        return f"<li{mark}>{escape(goal['what'])}: {escape(numbers)}{'' if goal['reached'] else ', missed'}</li>"

    return f"<h2>{escape(name)}: what must be reached</h2><ul>{''.join(map(verdict, goals))}</ul>"


def _figure(name: str, clip: dict[str, Any], rows: dict[str, dict[str, Any]]) -> str:
    caption = f"{escape(name)} <small>{escape(clip['style'])}, {clip['bpm']:g} BPM, {clip['half']} half</small>"
    table = _table(("Tracker", *HEAD), [(f"{t}: {note(row)}", *cells(row)) for t, row in rows.items()])
    drawings = "".join(_panel(tracker, clip["truth"], row) for tracker, row in rows.items())
    return f"<figure><figcaption>{caption}</figcaption>{table}{drawings}</figure>"


def _panel(tracker: str, truth: Sequence[float], row: dict[str, Any]) -> str:
    """One tracker on one clip, as inline SVG."""
    ends = [truth[-1], *(beat[0] for beat in row["beats"][-1:]), *(point[0] for point in row.get("trace", [])[-1:])]
    scale = (WIDTH - LEFT) / max(*ends, 1.0)
    counted = {"half, from the first beat": truth[::2], "half, from the second beat": truth[1::2]}
    meant = counted.get(row["octave"], truth)
    top = 0.0
    parts = [f"<svg viewBox='0 0 {WIDTH:g} {PANEL:g}' role='img'><title>{escape(tracker)}: {row['clip']}</title>"]
    for draw, height in ((_beats, BEATS), (_errors, ERRORS), (_tempo, TEMPO), (_sure, SURE)):
        box = f"<rect class='box' width='{WIDTH - LEFT:g}' height='{height:g}' />"
        parts.append(f"<g transform='translate({LEFT:g} {top:g})'>{box}")
        parts.append(draw(meant, row, scale, height))
        parts.append("</g>")
        top += height + GAP
    ticks = (
        f"<text x='{LEFT + t * scale:.1f}' y='{top + 6:.1f}'>{t} s</text>" for t in range(0, int(max(ends)) + 1, 5)
    )
    label = f"<text class='name' x='0' y='14'>{escape(tracker[:9])}</text>"
    return "".join([*parts, *ticks, label, "</svg>"])


def _beats(truth: Sequence[float], row: dict[str, Any], scale: float, height: float) -> str:
    half = height / 2.0
    kinds: dict[str, list[float]] = {"on": [], "off": [], "late": []}
    for time, told_at in row["beats"]:
        met = _nearest(truth, time) is not None
        kinds["late" if told_at - time > LATEST + 1e-9 else "on" if met else "off"].append(time)
    drawn = [_ticks("true", truth, scale, half + 2, height - 2)]
    return "".join(drawn + [_ticks(kind, times, scale, 2, half - 2) for kind, times in kinds.items()])


def _ticks(kind: str, times: Iterable[float], scale: float, top: float, bottom: float) -> str:
    path = "".join(f"M{t * scale:.1f} {top:g}V{bottom:g}" for t in times)
    return f"<path class='{kind}' d='{path}' />" if path else ""


def _errors(truth: Sequence[float], row: dict[str, Any], scale: float, height: float) -> str:
    half = height / 2.0
    dots = []
    for time, _ in row["beats"]:
        nearest = _nearest(truth, time)
        if nearest is not None:
            y = half - (time - nearest) / WINDOW * (half - 3)
            dots.append(f"<circle class='dot' cx='{time * scale:.1f}' cy='{y:.1f}' r='2' />")
    zero = f"<path class='zero' d='M0 {half:g}H{WIDTH - LEFT:g}' />"
    return f"{zero}<text x='-50' y='10'>+70 ms</text><text x='-50' y='{height - 2:g}'>-70 ms</text>{''.join(dots)}"


def _nearest(truth: Sequence[float], time: float) -> float | None:
    """The true beat within the window of `time`."""
    best = min(truth, key=lambda t: abs(t - time))
    return best if abs(best - time) <= WINDOW else None


def _tempo(truth: Sequence[float], row: dict[str, Any], scale: float, height: float) -> str:
    true = [(b, 60.0 / (b - a)) for a, b in pairwise(truth)]
    tracked = [(t, bpm) for t, bpm, _ in row.get("trace", []) if bpm > 0.0]
    values = sorted(bpm for _, bpm in [*true, *tracked])
    low, high = 0.9 * values[len(values) // 50], 1.1 * values[-1 - len(values) // 50]

    def curve(kind: str, points: Sequence[tuple[float, float]]) -> str:
        inside = [(t * scale, height * (1.0 - (min(max(v, low), high) - low) / (high - low))) for t, v in points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in inside)
        return f"<path class='{kind}' d='M{path}' />" if path else ""

    labels = f"<text x='-50' y='10'>{high:.0f} BPM</text><text x='-50' y='{height - 2:g}'>{low:.0f}</text>"
    return labels + curve("true", true) + curve("bpm", tracked)


def _sure(_: Sequence[float], row: dict[str, Any], scale: float, height: float) -> str:
    points = [(t * scale, height * (1.0 - c)) for t, _bpm, c in row.get("trace", [])]
    if not points:
        return ""
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in [(points[0][0], height), *points, (points[-1][0], height)])
    return f"<path class='sure' d='M{path}Z' /><text x='-50' y='{height / 2 + 4:g}'>sure</text>"
