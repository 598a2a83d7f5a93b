"""`live evaluate`: a model dances to songs and is measured; JSON, HTML, tables, and the model's card."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from live import realtime
from live.bench.dance_page import COLUMNS, GOAL_HEAD, goal_rows, page, rows
from live.card import LARGEST_CARD
from live.errors import Failed, MissingExtra, Unusable
from live.limits import read_json

try:
    from live.train.dancer import Dancers, Plan
    from live.train.evaluate import evaluate, units
    from live.train.prepare import read_all
    from live.train.songs import read_music
except ImportError as error:
    raise MissingExtra(error.name or "scipy", "train", "measuring a dance") from None

ABREAST = 9
"""Columns of a table in the terminal."""
COLOURS = {"missed": "red", "reached": "green", "–": "dim"}


def evaluate_model(
    model: str, data: Path, dances: Path | None, beside: Sequence[str], plan: Plan, out: Path, card: bool
) -> None:
    """Measure and write evaluate.json and evaluate.html in `out`, and with `card` the figures into the model's card.

    `dances` left out are those in `data` under the model's name, where there are any."""
    dancers, others = Dancers(model, plan), {name: Dancers(name, plan) for name in beside}
    if card and dancers.folder is None:
        raise Unusable(f"--card: {model} has no card to write into")
    own = data / dancers.card.name
    dances = dances or (own if own.is_dir() else None)
    songs, real = read_music(data, plan.seconds, dances), read_all(dances) if dances is not None else []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("dancing", total=units(dancers, songs, plan, others))
        told = evaluate(dancers, songs, real, plan, others, lambda w: progress.update(task, advance=1, description=w))
    result = {"model": dancers.card.name, "data": data.name, "machine": realtime.machine(), **told}
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "evaluate.json").write_text(as_json(result), "utf-8")
        (out / "evaluate.html").write_text(page(result), "utf-8")
        if card and dancers.folder is not None:
            write_card(dancers.folder / "model.json", result)
    except OSError as error:
        raise Failed(f"{out}: cannot be written: {error.strerror}") from None
    for shown in (*tables(result), goal_table(result)):
        Console().print(shown)
    print(f"written to {out / 'evaluate.json'} and {out / 'evaluate.html'}")


def as_json(result: dict) -> str:
    """All figures but the curves, to five digits."""
    return json.dumps(rounded({key: value for key, value in result.items() if key != "curves"}), indent=1) + "\n"


def rounded(value: Any) -> Any:
    """The same to five digits, and null for the infinities, which JSON does not know."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if not isinstance(value, float):
        return value
    return float(f"{value:.5g}") if math.isfinite(value) else None


def tables(result: dict) -> Iterator[Table]:
    """A line per measure, a column for the model and each control; models beside it in tables of their own, as a
    terminal is only so wide."""
    across = rows(result)
    for begin in range(0, len(across), ABREAST):
        part = across[begin : begin + ABREAST]
        shown = Table("", *(row[0] for row in part), box=None, header_style="bold", pad_edge=False)
        for i, (_, heading, _) in enumerate(COLUMNS, 1):
            shown.add_row(heading, *(row[i] for row in part))
        yield shown


def goal_table(result: dict) -> Table:
    """A line per goal: what, where, must reach, read, verdict."""
    shown = Table(*GOAL_HEAD, box=None, header_style="bold", pad_edge=False)
    for row in goal_rows(result):
        shown.add_row(*row[:-1], f"[{COLOURS[row[-1]]}]{row[-1]}")
    return shown


def write_card(path: Path, result: dict) -> None:
    """Put the figures in place of the card's own of the same names."""
    card = read_json(path, LARGEST_CARD)
    card["metrics"] |= card_figures(result)
    path.write_text(json.dumps(card, indent=1) + "\n", "utf-8")


def card_figures(result: dict) -> dict[str, float]:
    """What a card tells of the dance on the wire: each figure, and `_of_data` that of the real dances."""
    made, real, lock = result["rows"]["model, on the wire"], result["rows"].get("real", {}), result["lock"]
    names = [key for key, _, _ in COLUMNS if isinstance(made.get(key), float) and math.isfinite(made[key])]
    told = {name: made[name] for name in names} | {f"{name}_of_data": real[name] for name in names if name in real}
    for source, short in (("own_wire", "tracker"), ("true_wire", "true_beats")):
        if lock[source].get("strength") is not None:
            told[f"beat_lock_by_{short}"] = lock[source]["strength"]
    goals = [goal["reached"] for goal in result["goals"] if goal["reached"] is not None]
    told |= {"goals_reached": float(sum(goals)), "goals_read": float(len(goals))}
    return {name: round(float(value), 4) for name, value in told.items() if value is not None}
