"""`live bench WHAT`: quality measured on recorded data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

bench = typer.Typer(help="Measure quality on recorded data.", no_args_is_help=True)


@bench.callback()
def root() -> None:
    """Measure quality on recorded data."""


@bench.command()
def beats(
    data: Annotated[Path, typer.Option(help="Folder of clips: NAME.ogg beside NAME.beats.")],
    tracker: Annotated[list[str] | None, typer.Option(help="Beat tracker (several); all if left out.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for beats.json and beats.html.")] = Path("runs/bench-beats"),
    markdown: Annotated[
        Path | None, typer.Option(help="Also write the tables between the `measured` marks of this Markdown file.")
    ] = None,
) -> None:
    """Run online beat trackers over clips with known beats: scores, timing, cost; JSON and an HTML page."""
    import json

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table

    from live.bench import table
    from live.bench.beats import measure, read_clips, trackers, write
    from live.bench.page import page

    clips, openers = read_clips(data), trackers(tracker or [])
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("", total=len(clips) * len(openers))
        result = measure(clips, openers, lambda what: progress.update(task, description=what, advance=1))
    write(out, {"beats.json": json.dumps(result) + "\n", "beats.html": page(result)})
    if markdown is not None:
        table.insert(markdown, table.markdown([result]))
    shown = Table("tracker", "clips", *table.HEAD, box=None, header_style="bold", pad_edge=False)
    for row in table.summary(result):
        shown.add_row(*row)
    Console().print(shown)
    print(f"written to {out / 'beats.json'} and {out / 'beats.html'}")
