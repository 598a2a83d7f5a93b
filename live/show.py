"""The show file: a performance's settings as TOML. The command line's options override it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from live.errors import BadFile, Unusable
from live.knobs import Knobs, Press, read_knobs
from live.limits import read_toml
from live.orders import Order, Value
from live.script import Script, When, check_cue, check_keys, make_script

LARGEST_FILE = 100_000
"""Bytes; a show file is a few lines."""


LONGEST_SHOWN = 100
"""Characters of a wrong value that are told."""
FOLLOW_MIDI = Order("tempo/follow", "midi")
NEEDS_MIDI = 'name its input with midi = "NAME" (`live devices` lists them)'


class Stage(BaseModel):
    """`[stage]`: metres and seconds; see `live.motion.body.MotionConfig`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    radius: Annotated[float, Field(gt=0.2, le=50)] = 2.0
    spacing: Annotated[float, Field(ge=0, le=20)] = 1.5
    entrance: Annotated[float, Field(ge=0, le=30)] = 1.5
    formation: Literal["line", "circle"] = "line"
    canon: Annotated[float, Field(ge=0, le=16)] | None = None
    """Beats by which each dances the first one's dance later than the one before; their own dances when left out."""


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
    backend: Literal["auto", "tensorrt", "cuda", "cpu", "frail"] = "auto"
    output: list[str] = Field(default_factory=lambda: ["vmc://127.0.0.1:39539"])
    tracker: str = "pulse"
    dancers: Annotated[int, Field(ge=1, le=64)] = 1
    style: str = ""
    intensity: Annotated[float, Field(ge=0, le=2)] = 1.0
    mirror: bool = False
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
    follow: Literal["link", "midi", "off"] = "off"
    """Whose beat leads while there is one: Ableton Link's, MIDI clock's, or none but the music's."""
    midi: str | None = None
    """A MIDI input by its name or a part of it."""
    midi_map: dict[str, str] = Field(default_factory=dict)
    """Orders of knobs, pads and programs, see `live.knobs`."""
    keys: dict[str, str] = Field(default_factory=dict)
    """Orders of single keys in the terminal."""
    scene: dict[str, dict[str, bool | float | str]] = Field(default_factory=dict)
    """Orders by name, see `live.orders`."""
    cue: dict[str, CueKeys] = Field(default_factory=dict)
    setlist: list[str] = Field(default_factory=list)
    """Cues in the order of the show."""
    stage: Stage = Stage()

    def script(self) -> Script:
        """Scenes, cues and set list; `Unusable` in one line where anything in the show does not fit together."""
        script = make_script(self.scene, {name: (cue.scene, cue.when) for name, cue in self.cue.items()}, self.setlist)
        for who, one in self._written(script):
            check_cue(who, one, script)
            if one.name == "dancers" and one.value is not None and float(one.value) > self.dancers:
                raise Unusable(f"{who} asks for {one.value:g} dancers: the show has dancers = {self.dancers}")
            if one == FOLLOW_MIDI and self.midi is None:
                raise Unusable(f"{who} follows MIDI clock: {NEEDS_MIDI}")
        if self.midi is None and (self.follow == "midi" or self.midi_map):
            raise Unusable(f"{'follow' if self.follow == 'midi' else 'midi_map'}: {NEEDS_MIDI}")
        return script

    def _written(self, script: Script) -> list[tuple[str, Order]]:
        """Every order of the file's scenes, keys and MIDI map, with who gives it."""
        keys = zip((f"key '{key}'" for key in self.keys), check_keys(self.keys), strict=True)
        knobs = [(f"'{name}'", knob.order) for name, knob in self.knobs().items() if isinstance(knob, Press)]
        return [
            *((f"scene of '{name}'", one) for name, cue in script.cues.items() for one in cue.orders),
            *keys,
            *knobs,
        ]

    def styles(self) -> list[tuple[str, str]]:
        """Every style that the show names, with who names it; only the model knows whether there is one."""
        named = [(who, str(one.value)) for who, one in self._written(self.script()) if one.name == "style"]
        return [("style", self.style), *named]

    def knobs(self) -> Knobs:
        """`midi_map`, read; `Unusable` in one line."""
        try:
            return read_knobs(self.midi_map)
        except ValueError as error:
            raise Unusable(f"midi_map: {error}") from None

    def leaders(self) -> set[str]:
        """Whose beat may be followed in the course of this show: everyone's that it names."""
        named = {str(one.value) for _, one in self._written(self.script()) if one.name == "tempo/follow"}
        return (named | {self.follow}) - {"off"}

    def orders(self) -> list[Order]:
        """What the file's keys ask for of what can also be asked for during the show."""
        stage = self.stage
        asked: dict[str, Value] = {
            "style": self.style, "intensity": self.intensity, "mirror": float(self.mirror),
            "anticipation": self.anticipation, "temperature": self.temperature, "tempo/follow": self.follow,
            "formation": stage.formation, "spacing": stage.spacing, "stage": stage.radius, "canon": stage.canon,
            "reset": float(self.seed),
        }  # fmt: skip
        return [Order(name, value) for name, value in asked.items()]


def read_show(path: Path) -> dict[str, Any]:
    """The file's values, checked; raises `Unusable` with the key that is wrong and the valid ones."""
    try:
        values = read_toml(path, LARGEST_FILE)
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from None
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
    return f"'{'.'.join(path)}' is {_shortly(fault['input'])}: {fault['msg'][0].lower()}{fault['msg'][1:]}"


def _shortly(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
