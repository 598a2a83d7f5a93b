"""Makes a study: a folder `page` to hand out, in which films have names that tell nothing, and the key to them.

FOLDER/page/index.html      the page, with everything in it but the films
FOLDER/page/films/*.mp4     copies
FOLDER/key.json             whose film is which; not to be handed out
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from live.errors import BadFile, Unusable

GRADES = ("poor", "fair", "good", "excellent")
"""The four grades, counted from 1."""
ENDINGS = (".mp4", ".webm")
PAGE = Path(__file__).parent / "page.html"
KEY = "key.json"
PLACE = "{/*study*/}"
"""Where the page holds what it asks."""


class Film(NamedTuple):
    """origin: whose dance it is, a model's name, `dictionary`, `real`; song: films of the same are set side by side."""

    origin: str
    song: str
    path: Path


def read_film(text: str) -> Film:
    """`ORIGIN[/SONG]=PATH`; `Unusable` in one line."""
    name, equals, path = text.partition("=")
    origin, _, song = name.strip().partition("/")
    if not equals or not origin:
        raise Unusable(f"--film {text}: write ORIGIN=FILE.mp4 or ORIGIN/SONG=FILE.mp4")
    film = Film(origin, song, Path(path).expanduser())
    if film.path.suffix.lower() not in ENDINGS:
        raise Unusable(f"--film {text}: a film's name ends in {' or '.join(ENDINGS)}")
    if not film.path.is_file() or not film.path.stat().st_size:
        raise BadFile(f"--film {text}: there is no film '{film.path}'; make one with `live render`")
    return film


def make_study(folder: Path, films: Sequence[Film], pairs: bool, title: str = "") -> int:
    """Write the study; how many questions it asks. `Unusable` where there is nothing to compare."""
    if len({film.origin for film in films}) < 2:
        raise Unusable("a study compares: name films of two origins or more, --film real=a.mp4 --film salsa=b.mp4")
    if folder.exists():
        raise BadFile(f"'{folder}' exists already: choose another name, or take it away")
    named = {secrets.token_hex(4) + film.path.suffix.lower(): film for film in films}
    asked = _pairs(named) if pairs else [[name] for name in named]
    if not asked:
        raise Unusable("no two films are of one song: write --film ORIGIN/SONG=FILE.mp4 with the same SONG for a pair")
    about = {"study": secrets.token_hex(4), "title": title, "grades": list(GRADES), "questions": asked}
    _write(folder, named, about)
    return len(asked)


def _pairs(named: dict[str, Film]) -> list[list[str]]:
    """Each two films of one song and of different origins."""
    return [[a, b] for a, b in combinations(sorted(named), 2)
            if named[a].song == named[b].song and named[a].origin != named[b].origin]  # fmt: skip


def _write(folder: Path, named: dict[str, Film], about: dict[str, Any]) -> None:
    try:
        (folder / "page" / "films").mkdir(parents=True)
        for name, film in named.items():
            shutil.copyfile(film.path, folder / "page" / "films" / name)
        told = json.dumps(about | {"questions": sorted(about["questions"])}).replace("<", "\\u003c")
        (folder / "page" / "index.html").write_text(PAGE.read_text("utf-8").replace(PLACE, told, 1), "utf-8")
        key = about | {"films": {name: {"origin": film.origin, "song": film.song} for name, film in named.items()}}
        (folder / KEY).write_text(json.dumps(key, indent=1) + "\n")
    except OSError as error:
        raise BadFile(f"'{folder}' cannot be written: {error.strerror}: choose another place") from None
