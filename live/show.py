"""The show file: a performance's settings as TOML. The command line's options override it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from live.errors import BadFile, Unusable

LARGEST_FILE = 1_000_000
"""Bytes; a show file is a few lines."""


class Stage(BaseModel):
    """`[stage]`: metres and seconds; see `live.motion.body.MotionConfig`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    radius: Annotated[float, Field(gt=0.2, le=50)] = 2.0
    spacing: Annotated[float, Field(ge=0, le=20)] = 1.5
    entrance: Annotated[float, Field(ge=0, le=30)] = 1.5


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
    stage: Stage = Stage()


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
        return Show.model_validate(values)
    except ValidationError as error:
        raise Unusable(f"{where}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    fault = error.errors()[0]
    path = [str(part) for part in fault["loc"]]
    if fault["type"] == "extra_forbidden":
        valid = Stage.model_fields if path[0] == "stage" else Show.model_fields
        return f"unknown key '{'.'.join(path)}'; valid keys are {', '.join(valid)}"
    return f"'{'.'.join(path)}' is {fault['input']!r}: {fault['msg'][0].lower()}{fault['msg'][1:]}"
