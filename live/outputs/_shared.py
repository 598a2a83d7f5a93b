"""Outputs that other programs show: what virtual camera, NDI, Spout and Syphon can all be told."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from live.errors import BadTarget
from live.look import NAMES, PROVIDERS, Look, Person, make_look
from live.outputs import _drawn, _uri

OPTIONS = (*NAMES, "fps", "model", "provider", "dancer")
ALPHAS = ("straight", "premultiplied")
SYSTEMS = {"Windows": "Windows", "Darwin": "macOS"}
NAME, LONGEST = "live", 100


class Shared(_drawn.Drawn):
    """The newest pose at each of its pictures' times. Nobody is waited for: what cannot be handed on is counted."""

    picture = True
    slots, keeps_all, patience = 8, False, 3.0
    system = ""
    """The only one on which it works, as `platform.system` calls it; all where empty."""

    def __init__(self, uri: str, look: Look, settings: dict[str, Any]) -> None:
        if self.system and platform.system() != self.system:
            raise BadTarget(f"output '{uri}': is there on {SYSTEMS[self.system]} only: use ndi: here")
        super().__init__(uri, look, settings)

    def open(self, dancers: int, paced: bool) -> None:
        """`BadTarget` when there is no such dancer or renderer, or nowhere to send pictures to."""
        person = self.settings["person"]
        if person is not None and person["dancer"] >= dancers:
            raise BadTarget(f"output '{self.uri}': there is no dancer {person['dancer']}: choose 0..{dancers - 1}")
        super().open(dancers, paced)

    def _ended(self, child: subprocess.Popen[bytes]) -> int:
        code = super()._ended(child)
        if lost := self.seen.get("lost"):
            self.stats.errors += lost
            self.stats.last_error = f"{lost} pictures could not be handed on by {self.what}"
        return code


def by_name(uri: str, kind: type[Shared]) -> Shared:
    """`scheme:[NAME][?option=value&...]`, for those that others find by a name."""
    scheme, _, rest = uri.partition(":")
    bare = uri if rest.partition("?")[0] else f"{scheme}:{NAME}{rest}"
    name, options = _uri.file_path(bare, (*OPTIONS, "alpha"))
    if len(name) > LONGEST or not name.isprintable():
        raise BadTarget(f"output '{uri}': its name is not a line of at most {LONGEST} signs: choose another")
    look, settings = told(uri, options, 60)
    return kind(uri, look, settings | {"name": name, "alpha": _uri.choice(uri, options, "alpha", ALPHAS)})


def told(uri: str, options: _uri.Options, fps: int) -> tuple[Look, dict[str, Any]]:
    """How it is drawn, and settings for the renderer; `fps` where not told otherwise."""
    look = make_look(options, f"output '{uri}'")
    rate = int(_uri.number(uri, options, "fps", fps, 1, 60))
    person = _person(uri, options)
    return look, {"fps": rate, "alpha": ALPHAS[0], "person": None if person is None else asdict(person)}


def _person(uri: str, options: _uri.Options) -> Person | None:
    """Who is shown in place of drawn bodies."""
    if "model" not in options:
        _refuse(uri, options, ("provider", "dancer"), "only a renderer's person has it: add model=RENDERER")
        return None
    _refuse(uri, options, [name for name in NAMES if name != "size"], "a renderer shows what its footage showed")
    provider, dancer = _uri.choice(uri, options, "provider", PROVIDERS), _uri.count(uri, options, "dancer", 63)
    return Person(options["model"], provider, dancer, "size" in options)


def _refuse(uri: str, options: _uri.Options, names: Sequence[str], why: str) -> None:
    for name in names:
        if name in options:
            raise BadTarget(f"output '{uri}': {name}: {why}, or leave {name} out")
