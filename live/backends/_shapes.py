"""What a model's graph takes and gives: the shapes that its card tells, and the refusal of a graph that has others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from live.card import ModelCard
from live.errors import BadModel
from live.gpu.cuda import Shapes
from live.types import Float32


def inputs(card: ModelCard) -> Shapes:
    """Shapes of what a tick is given besides the state, without the dancers' axis."""
    return {
        "features": (len(card.feature_names),),
        "noise": (card.latent,),
        "dropout": (card.dropout,),
        "style": (len(card.styles),),
    }


def state(card: ModelCard) -> Shapes:
    """Shapes of the state's tensors, without the dancers' axis."""
    return {name: tuple(shape) for name, shape in card.state.items()}


def poses(card: ModelCard) -> tuple[int, int]:
    """Shape of a dancer's raw poses."""
    return card.poses_per_tick, card.channels


def zeros(shapes: Shapes, dancers: int) -> dict[str, Float32]:
    """An array of each, for so many dancers."""
    return {name: np.zeros((dancers, *shape), np.float32) for name, shape in shapes.items()}


def check(path: Path, found: Mapping[str, Sequence[int]], card: ModelCard) -> None:
    """Raise `BadModel` where a graph's inputs, `found` without the dancers' axis, are not those of the card."""
    expected = inputs(card) | {f"state_{name}": shape for name, shape in state(card).items()}
    for name in expected.keys() | found.keys():
        if (wanted := expected.get(name)) is None or (has := found.get(name)) is None or tuple(has) != wanted:
            raise BadModel(
                f"{path}: input '{name}' has shape {found.get(name)}, the card says {wanted}; "
                "graph and model.json are not of one export: fetch the model folder again"
            )
