"""A beat result as a table: plain rows for the terminal and the page, Markdown for the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from live.errors import BadFile, Failed

BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->"
HEAD = ("F", "CMLt", "AMLt", "error median / p90 / signed (ms)", "first right / lock (s)", "re-lock (beats)", "late",
        "CPU s/s", "10 ms: p50 / p99 (ms)")  # fmt: skip


def cells(values: dict[str, Any]) -> tuple[str, ...]:
    """The columns of `HEAD` for a clip's row, or for a mean."""
    firsts = " / ".join(_first(values, key) for key in ("first_right_s", "first_lock_s"))
    errors = " / ".join((
        _number(values["error_median_ms"], ".0f"), _number(values["error_p90_ms"], ".0f"),
        _number(values["error_signed_ms"], "+.0f"),
    ))  # fmt: skip
    blocks = f"{_number(values.get('block_p50_ms'), '.3f')} / {_number(values.get('block_p99_ms'), '.3f')}"
    return (
        *(_number(values[key], ".2f") for key in ("f", "cmlt", "amlt")),
        errors, firsts, _number(values["relock_beats"], "d"), f"{values['late']} of {values['reported']}",
        _number(values.get("cpu_s_per_s"), ".4f"), blocks,
    )  # fmt: skip


def _first(values: dict[str, Any], key: str) -> str:
    """A clip's seconds; of a mean, the median over the steady clips and the share of them within 2 s."""
    seconds, share = _number(values[key], ".1f"), values.get(f"{key}_share")
    return seconds if share is None else f"{seconds} ({share:.0%})"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def note(row: dict[str, Any]) -> str:
    """A clip's name, and the octave that counted where it was not the annotated one."""
    return str(row["clip"]) if row["octave"] == "as annotated" else f"{row['clip']} ({row['octave']})"


def summary(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Rows (tracker, clips, *cells) of every tracker's means."""
    return [
        (name, f"{half} ({mean['clips']})", *cells(mean))
        for name, tracker in result["trackers"].items()
        if "mean" in tracker
        for half, mean in tracker["mean"].items()
    ]


def not_run(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Trackers that could not be run, with why."""
    return [(name, t["not_run"]) for name, t in result["trackers"].items() if "not_run" in t]


def rules(result: dict[str, Any]) -> str:
    """How it was measured, in words."""
    machine = result["machine"]
    half = [name for name, clip in result["clips"].items() if clip["felt_half"]]
    octaves = f" Of {', '.join(half)} (170 to 210 BPM) the better octave counts." if half else ""
    return (
        f"Measured on {machine['processor']} ({machine['cores']} cores), Python {machine['python']}, over "
        f"{len(result['clips'])} clips: ±70 ms, first 5 s trimmed, a beat told over 10 ms after its time missed."
        f"{octaves}"
    )


def markdown(results: Sequence[dict[str, Any]]) -> str:
    """The tables of one or more results, and under each every clip of each tracker."""
    parts = []
    for result in results:
        parts += [rules(result), "", *_lines(("Tracker", "Clips", *HEAD), summary(result)), ""]
        parts += [f"`{name}` was not run: {why}\n" for name, why in not_run(result)]
        for name, tracker in result["trackers"].items():
            if "rows" in tracker:
                rows = [(note(row), row["half"], *cells(row)) for row in tracker["rows"]]
                parts += [f"<details><summary>{name}, clip by clip</summary>", ""]
                parts += [*_lines(("Clip", "Half", *HEAD), rows), "", "</details>", ""]
    return "\n".join(parts)


def _lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def insert(path: Path, text: str) -> None:
    """Replace what stands between the marks of a Markdown file."""
    try:
        before, begin, rest = path.read_text("utf-8").partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end:
            raise BadFile(f"{path}: has no place marked {BEGIN.strip()} ... {END}")
        path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(f"{path}: cannot be written: {error}") from None
