"""What `live evaluate` found, as tables for the terminal and as an HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("speed", "speed m/s", ".2f"), ("spread", "spread m", ".3f"), ("freeze", "freeze", ".1%"),
    ("jerk", "jerk m/s³", ".0f"), ("skate", "foot skate m/s", ".2f"), ("skate_ratio", "foot skate", ".1%"),
    ("pfc", "PFC", ".2f"), ("motion_beats", "motion beats", ".0f"),
    ("music_to_motion", "music→motion", ".3f"), ("p_music_to_motion", "p", ".3f"),
    ("motion_to_music", "motion→music", ".3f"), ("p_motion_to_music", "p", ".3f"),
    ("beat_lock", "beat lock", ".2f"), ("lock_offset_ms", "offset ms", "+.0f"),
    ("follows_tempo", "follows tempo", ".0%"),
    ("fid_k", "FID_k", ".1f"), ("fid_g", "FID_g", ".1f"),
    ("diversity_k", "Div_k", ".1f"), ("diversity_g", "Div_g", ".1f"),
    ("response_lag_ms", "response lag ms", ".0f"),
)  # fmt: skip
"""Key, heading, format."""
GOAL_HEAD = ("what", "where", "must reach", "read", "")
SOURCES = """Speed, spread, freeze (1 s windows under 0.1 m/s) and jerk after a 10 Hz low-pass at 25 frames/s. Foot
skate: mean speed of the left foot while it is down, and share of grounded frames in which a foot moves over 0.5 m/s
(Karunratanakul et al., 2023). PFC: Tseng et al., 2023. Beat alignment: Li et al., 2021 (music to motion) and Siyao et
al., 2022 (motion to music), motion beats being minima of mean joint speed; p over 1,000 circular shifts within 10 s
windows. Follows tempo: share of 10 s windows in which the motion's period is within 3% of the beat's, its half or its
double. FID: Heusel et al., 2017, on kinetic (Onuma et al., 2008) and geometric features (Müller et al., 2005) of 5 s
clips; that of the real dances is one half's from the other. Response lag: from a burst of noise to the first pose that
it moves by 5 mm."""
WIDTH, HEIGHT = 960.0, 90.0
STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1080px; padding: 0 1em; color: #1c2733 }
table { border-collapse: collapse; font-size: 12px } td, th { padding: 2px 7px; text-align: right }
th { vertical-align: bottom; border-bottom: 1px solid #9aa7b4 } td:first-child, th:first-child
{ text-align: left; white-space: nowrap }
.scroll { overflow-x: auto } svg { width: 100%; height: auto } .speed { stroke: #2563c9; fill: none }
.beat { stroke: #c3ccd5 } .moved { fill: #d1483f } text { font-size: 11px; fill: #56636f } .bar { fill: #2563c9 }
.missed td { color: #b3261e } .reached td:last-child { color: #1a7f37 } .told { fill: #1a7f37 } .own { fill: #2563c9 }
"""
DRAWN = ("speed", "spread", "jerk", "skate_ratio", "music_to_motion", "motion_to_music", "beat_lock", "follows_tempo",
         "fid_k", "fid_g")  # fmt: skip


def rows(result: dict[str, Any], part: str = "rows") -> list[tuple[str, ...]]:
    """Name and cells of `COLUMNS`, for the model and its controls (`rows`) or song by song (`songs`)."""
    named = result[part].items() if part == "rows" else [(song["name"], song) for song in result[part]]
    return [(name, *(_cell(values.get(key), form) for key, _, form in COLUMNS)) for name, values in named]


def goal_rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """A line per goal under `GOAL_HEAD`; the last cell is the verdict in a word."""
    return [(g["what"], g["way"], g["must"], g["read"], VERDICTS[g["reached"]]) for g in result["goals"]]


VERDICTS = {None: "–", True: "reached", False: "missed"}


def _cell(value: float | None, form: str) -> str:
    return "–" if value is None else "∞" if value == float("inf") else format(value, form)


def page(result: dict[str, Any]) -> str:
    """The whole page."""
    head = ("", *(heading for _, heading, _ in COLUMNS))
    about = (
        f"{result['model']}: {len(result['songs'])} songs of up to {result['seconds']:g} s, free running, "
        f"{result['dancers']} dancer(s) to each, tracker {result['tracker']}, seed {result['seed']}, "
        f"sigma {result['sigma_ms']:g} ms."
    )
    goals = [(row, row[-1]) for row in goal_rows(result)]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>Dance</title><style>{STYLE}</style><h1>How {escape(result['model'])} dances</h1>",
        f"<p>{escape(about)}</p>{_table(GOAL_HEAD, goals)}",
        f"<h2>Beside real dances, random pairing and silence</h2>{_table(head, _plain(rows(result)))}",
        f"<p>{SOURCES}</p>",
        *(_bars(result, key, heading, form) for key, heading, form in COLUMNS if key in DRAWN),
        f"<h2>Beat lock by tempo</h2>{_locks(result['songs'])}",
        f"<h2>Song by song</h2>{_table(head, _plain(rows(result, 'songs')))}",
        "<p>Mean joint speed over the first 20 s; lines are the music's beats, dots the motion's.</p>",
        *(_curve(curve) for curve in result["curves"]),
    ]
    return "\n".join([*parts, "</html>\n"])


def _plain(lines: Iterable[Sequence[str]]) -> list[tuple[Sequence[str], str]]:
    return [(line, "") for line in lines]


def _table(head: Sequence[str], lines: Iterable[tuple[Sequence[str], str]]) -> str:
    """Lines of cells, each with the class that it is shown as."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr class='{kind}'>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line, kind in lines
    )
    return f"<div class=scroll><table><tr>{top}</tr>{body}</table></div>"


def _bars(result: dict[str, Any], key: str, heading: str, form: str) -> str:
    found = {
        name: values[key] for name, values in result["rows"].items() if values.get(key) not in (None, float("inf"))
    }
    if not found:
        return ""
    most = max([*found.values(), 1e-9])
    lines = [
        f"<text x=0 y={14 + 18 * i}>{escape(name)}</text>"
        f"<rect class=bar x=280 y={4 + 18 * i} width={600 * max(value, 0) / most:.1f} height=12 />"
        f"<text x={288 + 600 * max(value, 0) / most:.1f} y={14 + 18 * i}>{format(value, form)}</text>"
        for i, (name, value) in enumerate(found.items())
    ]
    return f"<h3>{escape(heading)}</h3><svg viewBox='0 0 {WIDTH:g} {6 + 18 * len(found)}'>{''.join(lines)}</svg>"


def _locks(songs: Sequence[dict[str, Any]]) -> str:
    """A dot per song with written beats, tempo to the right, lock upward: told the beats, and by its own tracker."""
    tall = 200.0
    written = [song for song in songs if song["written"]]
    if not written:
        return "<p>No song's beats are written down.</p>"
    low, high = min(song["bpm"] for song in written) - 5, max(song["bpm"] for song in written) + 5

    def dot(song: dict[str, Any], key: str, kind: str) -> str:
        x, y = 40 + (WIDTH - 50) * (song["bpm"] - low) / (high - low), tall * (1 - song[key])
        size = 5 if song["steady"] else 3
        name = f"{song['name']}, {song['bpm']:.0f} BPM, {song[key]:.2f}"
        return f"<circle class={kind} cx={x:.1f} cy={y:.1f} r={size}><title>{escape(name)}</title></circle>"

    grid = "".join(
        f"<path class=beat d='M40 {tall * (1 - v):g}H{WIDTH:g}' /><text x=0 y={tall * (1 - v) + 4:g}>{v:g}</text>"
        for v in (0.2, 0.4, 0.6, 0.8)
    )
    dots = "".join(
        dot(song, key, kind)
        for song in written
        for key, kind in (("told_lock", "told"), ("beat_lock", "own"))
        if key in song
    )
    ends = (
        f"<text x=40 y={tall + 14:g}>{low:.0f} BPM</text><text x={WIDTH - 60:g} y={tall + 14:g}>{high:.0f} BPM</text>"
    )
    drawn = f"<svg viewBox='0 0 {WIDTH:g} {tall + 18:g}'>{grid}{dots}{ends}</svg>"
    return f"{drawn}<p>Green: told the beats; blue: by the tracker; small: songs whose tempo changes.</p>"


def _curve(curve: dict[str, Any]) -> str:
    scale, top = WIDTH / 20.0, max([*curve["speed"], 0.1])
    points = " ".join(
        f"{(curve['begun'] + (i + 0.5) / curve['rate']) * scale:.1f},{HEIGHT * (1 - v / top):.1f}"
        for i, v in enumerate(curve["speed"])
    )
    beats = "".join(f"<path class=beat d='M{b * scale:.1f} 0V{HEIGHT:g}' />" for b in curve["beats"])
    dots = "".join(f"<circle class=moved cx={m * scale:.1f} cy={HEIGHT - 4:g} r=3 />" for m in curve["moved"])
    drawn = f"{beats}<polyline class=speed points='{points}' />{dots}"
    return f"<h3>{escape(curve['name'])}</h3><svg viewBox='0 0 {WIDTH:g} {HEIGHT:g}'>{drawn}</svg>"
