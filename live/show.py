"""The show file: a performance's settings as TOML. The command line's options override it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from live.errors import BadFile, Unusable
from live.script import Script, When, check_keys, make_script

LARGEST_FILE = 1_000_000
"""Bytes; a show file is a few lines."""


class Stage(BaseModel):
    """`[stage]`: metres and seconds; see `live.motion.body.MotionConfig`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    radius: Annotated[float, Field(gt=0.2, le=50)] = 2.0
    spacing: Annotated[float, Field(ge=0, le=20)] = 1.5
    entrance: Annotated[float, Field(ge=0, le=30)] = 1.5


class CueKeys(BaseModel):
    """`[cue.NAME]`: a scene, and whether it begins at once, on the next beat or on the next bar."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scene: str
    when: When = "now"


class Show(BaseModel):
    """Everything `live perform` can be told."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    input: str | None = None
    """demo, silence, microphone[:NAME] or an audio file; the microphone if there is one when left out."""
    model: str = "salsa"
    backend: Literal["auto", "tensorrt", "cuda", "cpu"] = "auto"
    output: list[str] = Field(default_factory=lambda: ["vmc://127.0.0.1:39539"])
    tracker: str = "pulse"
    dancers: Annotated[int, Field(ge=1, le=64)] = 1
    style: str = ""
    anticipation: Annotated[float, Field(ge=-1000, le=1000)] | None = None
    """ms by which the beat is met early; automatic when left out."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    duration: Annotated[float, Field(gt=0)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    control: str | None = None
    """HOST:PORT where orders are heard, or off; this machine's port 9011, if it is free, when left out."""
    control_from: list[str] = Field(default_factory=list)
    """Addresses of other machines that may send orders."""
    oscquery: str = "off"
    """HOST:PORT where the OSC addresses are described over HTTP, or off."""
    keys: dict[str, str] = Field(default_factory=dict)
    """Orders of single keys in the terminal."""
    scene: dict[str, dict[str, bool | float | str]] = Field(default_factory=dict)
    """Orders by name, see `live.orders`."""
    cue: dict[str, CueKeys] = Field(default_factory=dict)
    setlist: list[str] = Field(default_factory=list)
    """Cues in the order of the show."""
    stage: Stage = Stage()

    def script(self) -> Script:
        """Scenes, cues and set list; `Unusable` in one line where they do not fit together."""
        script = make_script(self.scene, {name: (cue.scene, cue.when) for name, cue in self.cue.items()}, self.setlist)
        check_keys(self.keys, script)
        return script


def read_show(path: Path) -> dict[str, Any]:
    """The file's values, checked; raises `Unusable` with the key that is wrong and the valid ones."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BadFile(f"{path}: is larger than {LARGEST_FILE} bytes; a show file is a few lines of TOML")
        values = tomllib.loads(path.read_text())
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadFile(f"{path}: is not TOML: {error}") from None
    make_show(values, str(path))
    return values


def make_show(values: dict[str, Any], where: str) -> Show:
    """Values as a `Show`; raises `Unusable` with one line on the first thing wrong."""
    try:
        show = Show.model_validate(values)
        show.script()
        return show
    except ValidationError as error:
        raise Unusable(f"{where}: {_first(error)}") from None
    except Unusable as error:
        raise Unusable(f"{where}: {error}") from None


def _first(error: ValidationError) -> str:
    fault = error.errors()[0]
    path = [str(part) for part in fault["loc"]]
    if fault["type"] == "extra_forbidden":
        models: dict[str, type[BaseModel]] = {"stage": Stage, "cue": CueKeys}
        valid = models.get(path[0], Show).model_fields
        return f"unknown key '{'.'.join(path)}'; valid keys are {', '.join(valid)}"
    return f"'{'.'.join(path)}' is {fault['input']!r}: {fault['msg'][0].lower()}{fault['msg'][1:]}"
