"""A renderer's folder: `renderer.onnx` and its card, `renderer.json`, with the hashes of what belongs to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from live.card import check_hash
from live.errors import BadModel
from live.frames.maps import PLANES
from live.frames.stature import Stature

CARD, GRAPH = "renderer.json", "renderer.onnx"
CARD_VERSION = 1
SHIPPED = tuple(
    folder
    for folder in (Path(__file__).parents[1] / "exported_renderers", Path(__file__).parents[2] / "exported_renderers")
    if folder.is_dir()
)
"""Where shipped renderers lie: inside an installed package, or beside it in a checkout."""


class RendererCard(BaseModel):
    """`renderer.json`. `size`: of its pictures, pixels; `planes`: of its maps; `rate`: pictures a second of its
    footage; `stature`: of the person in them."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    card_version: int
    name: str
    title: str
    size: Annotated[int, Field(ge=32, le=4096)]
    planes: int
    rate: Annotated[float, Field(gt=0, le=1000)]
    stature: Stature
    licence: str
    provenance: str
    metrics: dict[str, float]
    sha256: dict[str, str]


def find_renderer(name: str) -> Path:
    """The folder of a shipped renderer by name, or a folder by path; raises `BadModel` with the valid names."""
    for folder in (*(shipped / name for shipped in SHIPPED), Path(name)):
        if (folder / CARD).is_file():
            return folder
    if Path(name).is_dir():
        raise BadModel(f"{name}: is a folder without a {CARD}; make one with `live train-renderer`")
    names = ", ".join(shipped_renderers()) or "(none is shipped)"
    raise BadModel(f"no renderer '{name}': choose one of {names}, or name a renderer's folder")


def shipped_renderers() -> list[str]:
    return sorted({card.parent.name for folder in SHIPPED for card in folder.glob(f"*/{CARD}")})


def read_renderer(folder: Path, check_files: bool = True) -> RendererCard:
    """Read and check a card and, unless told otherwise, the hashes of the files it names. Raises `BadModel`."""
    path = folder / CARD
    try:
        card = RendererCard.model_validate(json.loads(path.read_text()))
    except OSError as error:
        raise BadModel(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadModel(f"{path}: '{where}': {first['msg']}; export the renderer again") from None
    except (ValueError, RecursionError) as error:
        raise BadModel(f"{path}: is not JSON ({error}); export the renderer again") from None
    if (card.card_version, card.planes) != (CARD_VERSION, PLANES):
        raise BadModel(f"{path}: is for other skeleton maps than this program draws; export the renderer again")
    if GRAPH not in card.sha256:
        raise BadModel(f"{path}: has no SHA-256 for {GRAPH}; export the renderer again")
    for name, expected in card.sha256.items() if check_files else ():
        check_hash(folder / name, expected)
    return card
