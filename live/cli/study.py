"""`live study`: make an audience test, and read its results."""

from __future__ import annotations

import json as jsons
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from live.errors import BadFile

if TYPE_CHECKING:
    from live.study.results import Answers, Estimate, Key

study = typer.Typer(help="A blind audience test of dances.", no_args_is_help=True)


@study.command("make")
def make_command(
    folder: Annotated[Path, typer.Argument(help="A new folder: `page` in it is handed out, `key.json` is kept.")],
    film: Annotated[
        list[str], typer.Option(help="ORIGIN[/SONG]=FILE.mp4, for example real/one=a.mp4 (several; `live render`).")
    ],
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Two films of one song side by side, instead of one after the other.")
    ] = False,
    title: Annotated[str, typer.Option(help="What raters read at the top.")] = "Which dance do you like?",
) -> None:
    """Make a page on which people grade dances without knowing whose they are."""
    from live.study.plan import make_study, read_film

    asked = make_study(folder, [read_film(text) for text in film], pairs, title)
    print(f"{asked} questions: hand out {folder / 'page'}, open its index.html; keep {folder / 'key.json'}")


@study.command("real")
def real_command(
    dance: Annotated[Path, typer.Argument(help="The file of a recorded dance, as `live prepare` reads them.")],
    out: Annotated[Path, typer.Argument(help="The take to write, for `live render`.")],
    begin: Annotated[float, typer.Option(help="Seconds into the dance.", min=0)] = 0.0,
    seconds: Annotated[float | None, typer.Option(help="How long; to its end if left out.")] = None,
) -> None:
    """Turn a recorded dance into a take, so that it is filmed as the others are."""
    from live.cli.real_dance import record

    print(record(dance, out, begin, seconds))


@study.command("results")
def results_command(
    file: Annotated[list[Path], typer.Argument(help="What raters saved on the page, a file each.")],
    key: Annotated[
        Path | None, typer.Option(help="The study's key.json; sought beside the first file and above, if left out.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print grades and preferences with their confidence intervals."""
    from live.study.results import read_answers, read_key

    read = read_key(key or _found(file[0]))
    answers = read_answers(file, read)
    if not answers.ratings and not answers.preferences:
        raise BadFile("the files hold no ratings: nothing could be played, or nothing was graded")
    if json:
        print(jsons.dumps(_values(answers, read), indent=1))
    else:
        _print(answers, read)


def _found(beside: Path) -> Path:
    folder = beside.absolute().parent
    for place in (folder / "key.json", folder.parent / "key.json"):
        if place.is_file():
            return place
    raise BadFile(f"there is no key.json beside '{beside}' or above: name it with --key")


def _values(answers: Answers, key: Key) -> dict[str, Any]:
    from live.study.results import SURE, by_origin, by_pair

    grades = {origin: found._asdict() | {"shares": shares}
              for origin, (found, shares) in by_origin(answers, len(key.grades)).items()}  # fmt: skip
    pairs = [{"first": a, "second": b} | found._asdict() for (a, b), found in by_pair(answers).items()]
    return {"study": key.study, "interval_percent": SURE, "grades": list(key.grades), "origins": grades, "pairs": pairs}


def _print(answers: Answers, key: Key) -> None:
    from rich.console import Console
    from rich.table import Table

    from live.study.results import SURE, by_origin, by_pair

    interval = f"{SURE}% interval"
    table = Table("dances of", "grade", interval, *key.grades, "ratings", "raters", box=None, pad_edge=False)
    for origin, (found, shares) in by_origin(answers, len(key.grades)).items():
        parts = [f"{100 * share:.0f}%" for share in shares]
        table.add_row(
            origin, f"{found.mean:.2f}", _interval(found, 1.0, 2), *parts, str(found.given), str(found.raters)
        )
    console = Console()
    console.print(table)
    if pairs := by_pair(answers):
        liked = Table("liked better", "than", "share", interval, "answers", "raters", box=None, pad_edge=False)
        for (a, b), found in pairs.items():
            told = (f"{100 * found.mean:.0f}%", _interval(found, 100.0, 0), str(found.given), str(found.raters))
            liked.add_row(a, b, *told)
        console.print()
        console.print(liked)
    numbered = ", ".join(f"{n} {grade}" for n, grade in enumerate(key.grades, 1))
    console.print(f"\nGrades: {numbered}. Intervals by drawing raters anew; none for a single rater.", highlight=False)


def _interval(found: Estimate, scale: float, digits: int) -> str:
    if found.low is None or found.high is None:
        return "–"
    return f"{scale * found.low:.{digits}f} to {scale * found.high:.{digits}f}"
