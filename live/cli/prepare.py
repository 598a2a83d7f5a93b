"""`live prepare`: recorded dances to training data, with progress, and a table of what was kept and what was not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from live.errors import MissingExtra

try:
    from live.train.prepare import Outcome, Settings, find, join, run
except ImportError as error:
    raise MissingExtra(error.name or "scipy", "train", "preparing dances") from None

STRETCHES = (0.8, 0.9, 1.0, 1.12, 1.26, 1.42, 1.58)
"""Each dance with a beat grid lasts this many times as long: 175 BPM becomes 219 to 111."""


def prepare_data(data: Path, out: Path, settings: Settings, jobs: int) -> None:
    """Prepare every dance of a folder and write what was kept."""
    layout, paths = find(data)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    ) as progress:
        task = progress.add_task(f"{layout} layout", total=len(paths))
        outcomes = []
        for outcome in run(layout, paths, settings, jobs):
            outcomes.append(outcome)
            progress.update(task, advance=1, description=outcome.name)
    Console().print(table(outcomes))
    arrays = join(outcomes)
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file:
        np.savez(file, **arrays)
    kept, minutes = sum(o.part is not None for o in outcomes), len(arrays["count"]) / 3600
    print(f"{out}: {kept} of {len(paths)} dances, {minutes:.0f} minutes, {arrays['usable'].mean():.1%} of it clean")


def table(outcomes: list[Outcome]) -> Table:
    """A line per dance, the dropped ones last."""
    shown = Table("dance", "style", "minutes", "clean", "", box=None, header_style="bold", pad_edge=False)
    for o in sorted(outcomes, key=lambda o: o.part is None):
        if o.part is not None:
            shown.add_row(o.name, o.style, f"{o.seconds / 60:.1f}", f"{o.clean:.1%}", o.note)
        else:
            shown.add_row(o.name, "[red]dropped[/]", "", "", o.note)
    return shown
