"""`live train-paper`, `live evaluate --paper`: the seed paper's comparison, trained and told."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from live.bench import paper_page
from live.cli.evaluate import rounded
from live.cli.learn import Begin, Machine, fit
from live.errors import Failed, MissingExtra

try:
    import torch

    from live.train import compare, dataset, paper
    from live.train.config import read_config, train_config
except ImportError as error:
    raise MissingExtra(error.name or "torch", "train", "the paper's comparison") from None


def train_paper(config: Path, data: Path, out: Path, rounds: int | None, machine: Machine) -> None:
    """Train every variant in turn, each in a folder of its own in `out`; finished ones are left, interrupted ones
    resumed."""
    settings, arrays = train_config(read_config(config)), dataset.load_prepared(data)
    settings = settings if rounds is None else dataclasses.replace(settings, rounds=rounds)
    for name, variant in paper.variants(settings).items():
        folder = out / paper.folder_of(name)
        done = paper.rounds_done(folder)
        print(f"{name}: {done} of {variant.rounds} rounds", flush=True)
        if done < variant.rounds:
            fit(variant, arrays, folder, Begin(resume=done > 0), machine)


def evaluate_paper(runs: Path, data: Path, out: Path) -> None:
    """Measure the variants in the folder `runs`, print both tables, write paper.json and paper.html in `out`."""
    torch.set_num_threads(1)
    arrays = dataset.load_prepared(data)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("measuring", total=len(list(runs.glob("*/*.ckpt"))))
        result = compare.compare(runs, arrays, lambda what: progress.update(task, advance=1, description=what))
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "paper.json").write_text(json.dumps(rounded(result), indent=1) + "\n", "utf-8")
        (out / "paper.html").write_text(paper_page.page(result), "utf-8")
    except OSError as error:
        raise Failed(f"{out}: cannot be written: {error.strerror}") from None
    print(paper_page.how(result))
    for told in (paper_page.losses(result), paper_page.dances(result)):
        Console().print(shown(told))
    print(f"written to {out / 'paper.json'} and {out / 'paper.html'}")


def shown(told: paper_page.Table) -> Table:
    """A table of the page for the terminal."""
    table = Table(*told[0], box=None, header_style="bold", pad_edge=False)
    for row in told[1]:
        table.add_row(*row)
    return table
