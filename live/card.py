"""A model folder's card, `model.json`: what the model hears and gives, where it comes from, and its files' hashes."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from live.channels import COUNT as CHANNELS
from live.contracts import FEATURE_NAMES
from live.errors import BadFile, BadModel
from live.limits import GB, MB, digest, read_bytes, read_json
from live.skeleton import BONES

CARD_VERSION = 1
SHIPPED = tuple(
    folder
    for folder in (Path(__file__).parent / "exported_models", Path(__file__).parent.parent / "exported_models")
    if folder.is_dir()
)
"""Where shipped models lie: inside an installed package, or beside it in a checkout."""
GRAPH = "generator.onnx"
"""The exact graph of a model's folder; an int8 one may lie beside it."""
LARGEST_CARD, LARGEST_FILE = MB, 4 * GB
"""Bytes of `model.json`, and of a file that it names."""
LARGEST_STATE = 10_000_000
"""Numbers of a dancer's state."""
LONGEST_BAR = 16
"""Beats of a metre of its own."""
Count = Annotated[int, Field(ge=1, le=100_000)]


def _rising(tempi: tuple[float, float]) -> tuple[float, float]:
    if not 0.0 <= tempi[0] < tempi[1]:
        raise PydanticCustomError("tempi", "must be two tempi, the slower one first")
    return tempi


class StageCard(BaseModel):
    """What a card says that no network knows: whence it comes and how it is danced. `default_style` is danced where
    none is asked for, the first where it is empty; `beats_per_bar` names the styles of a metre of their own;
    `tempo_range`: the slowest and fastest bpm danced; `commands`: the lines that made the model from raw data."""

    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=(), allow_inf_nan=False)

    name: str
    title: str
    licence: str
    provenance: str
    commands: list[str] = []
    styles: list[str] = Field(min_length=1)
    default_style: str = ""
    beats_per_bar: dict[str, Annotated[int, Field(ge=1, le=LONGEST_BAR)]] = {}
    dropout_rate: float = Field(ge=0.0, lt=1.0)
    temperature: float = Field(ge=0.0, le=2.0)
    tempo_range: Annotated[tuple[float, float], AfterValidator(_rising)]
    accent_offset: float

    @field_validator("default_style", "beats_per_bar")
    @classmethod
    def _of_its_styles(cls, named: str | dict[str, int], info: ValidationInfo) -> str | dict[str, int]:
        styles = info.data.get("styles", [])
        names = {named} - {""} if isinstance(named, str) else set(named)
        if strange := names - set(styles):
            raise PydanticCustomError("style", f"'{min(strange)}' is none of {', '.join(styles)}")
        return named


class ModelCard(StageCard):
    """`model.json`. `state` gives each state tensor's shape without the dancers' axis."""

    card_version: int
    pose_space: str
    feature_names: list[str]
    bones: list[str]
    tick_rate: Count
    poses_per_tick: Count
    channels: Count
    latent: Annotated[int, Field(ge=0, le=65_536)]
    dropout: Count
    state: dict[str, list[Count]]
    metrics: dict[str, float]
    sha256: dict[str, str]


def find_model(name: str) -> Path:
    """The folder of a shipped model by name, or a folder by path; raises `BadModel` with the valid names."""
    for shipped in SHIPPED:
        if (shipped / name / "model.json").is_file():
            return shipped / name
    if (Path(name) / "model.json").is_file():
        return Path(name)
    if Path(name).is_dir():
        raise BadModel(f"{name}: is a folder without a model.json; make one with `live export`")
    names = ", ".join(shipped_models()) or "(none is shipped)"
    raise BadModel(f"no model '{name}': choose one of {names}, or name a model folder")


def shipped_models() -> list[str]:
    return sorted({card.parent.name for folder in SHIPPED for card in folder.glob("*/model.json")})


def read_card(folder: Path, check_files: bool = True) -> ModelCard:
    """Read and check a card and, unless told otherwise, the hashes of the files it names. Raises `BadModel`."""
    path = folder / "model.json"
    try:
        card = ModelCard.model_validate(read_json(path, LARGEST_CARD))
    except OSError as error:
        raise BadModel(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise BadModel(f"{path}: {what_is_wrong(error)}; export the model again") from None
    except BadFile as error:
        raise BadModel(f"{error}; export the model again") from None
    _check_meaning(path, card)
    graphs = {graph.name for graph in folder.glob("*.onnx")} | {GRAPH}
    if unnamed := sorted(graphs - set(card.sha256)):
        raise BadModel(f"{path}: has no SHA-256 for {', '.join(unnamed)}; export the model again")
    for name, expected in card.sha256.items() if check_files else ():
        check_hash(folder / name, expected)
    return card


def what_is_wrong(error: ValidationError) -> str:
    """The first key that is wrong, and what about it."""
    first = error.errors()[0]
    return f"'{'.'.join(str(part) for part in first['loc'])}': {first['msg']}"


def _check_meaning(path: Path, card: ModelCard) -> None:
    if card.card_version != CARD_VERSION:
        raise BadModel(f"{path}: card version {card.card_version}, this program reads {CARD_VERSION}; export it again")
    if tuple(card.feature_names) != FEATURE_NAMES:
        raise BadModel(f"{path}: hears other features than this program gives; export it again with this version")
    if card.pose_space == "rotations22" and card.channels != CHANNELS:
        raise BadModel(f"{path}: has {card.channels} channels a pose, this program reads {CHANNELS}; export it again")
    if tuple(card.bones) != BONES:
        raise BadModel(f"{path}: has other bones than the 22 of this program; export it again with this version")
    if sum(map(math.prod, card.state.values())) > LARGEST_STATE:
        raise BadModel(f"{path}: has a state of more than {LARGEST_STATE} numbers; export a smaller model")
    if strays := [name for name in card.sha256 if Path(name).name != name or name == ".."]:
        raise BadModel(f"{path}: names '{strays[0]}', which is no file of its folder; fetch the model folder again")


def check_hash(path: Path, expected: str) -> None:
    """Raises `BadModel` where the file is missing or its SHA-256 is another."""
    try:
        found = digest(path, LARGEST_FILE)
    except OSError:
        raise BadModel(f"{path}: is missing; fetch the model folder again") from None
    except BadFile as error:
        raise BadModel(f"{error}; fetch the model folder again") from None
    if found != expected:
        raise BadModel(f"{path}: was altered (its SHA-256 is not the card's); fetch the model folder again")


def read_listed(folder: Path, name: str, card: ModelCard) -> bytes:
    """A file of the folder, whole, as the card's hash has it: what was checked and what is used are the same bytes."""
    try:
        raw = read_bytes(folder / name, LARGEST_FILE)
    except OSError:
        raise BadModel(f"{folder / name}: is missing; fetch the model folder again") from None
    except BadFile as error:
        raise BadModel(f"{error}; fetch the model folder again") from None
    if hashlib.sha256(raw).hexdigest() != card.sha256.get(name):
        raise BadModel(f"{folder / name}: was altered (its SHA-256 is not the card's); fetch the model folder again")
    return raw
