"""`live evaluate`: a model dances to songs and is measured; JSON, HTML and a table."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from live.bench.dance_page import COLUMNS, page, rows
from live.card import find_model
from live.errors import Failed, MissingExtra

try:
    from live.train.evaluate import Dancer, Plan, evaluate, read_music
    from live.train.prepare import read_all
except ImportError as error:
    raise MissingExtra(error.name or "scipy", "train", "measuring a dance") from None


def evaluate_model(model: str, data: Path, dances: Path | None, plan: Plan, out: Path) -> None:
    """Measure and write evaluate.json and evaluate.html in `out`."""
    dancer = Dancer(find_model(model), plan)
    songs, real = read_music(data, plan.seconds), read_all(dances) if dances is not None else []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("dancing", total=len(songs) + 2)
        told = evaluate(dancer, songs, real, plan, lambda what: progress.update(task, advance=1, description=what))
    result = {"model": dancer.card.name, "data": data.name, **told}
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "evaluate.json").write_text(json.dumps(finite(result), indent=1) + "\n", "utf-8")
        (out / "evaluate.html").write_text(page(result), "utf-8")
    except OSError as error:
        raise Failed(f"{out}: cannot be written: {error.strerror}") from None
    Console().print(table(result))
    print(f"written to {out / 'evaluate.json'} and {out / 'evaluate.html'}")


def finite(value: Any) -> Any:
    """The same without infinities, which JSON does not know: null."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table(result: dict) -> Table:
    """A line per measure, a column for the model and each control."""
    across = rows(result)
    shown = Table("", *(row[0] for row in across), box=None, header_style="bold", pad_edge=False)
    for i, (_, heading, _) in enumerate(COLUMNS, 1):
        shown.add_row(heading, *(row[i] for row in across))
    return shown
