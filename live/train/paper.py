"""The seed paper's comparison: its variants (Fig. 8 and 9) trained alike, their losses, and how similar their dances to
music that was not trained on are to the dictionary's.

All variants come from one configuration and get the same rounds, windows, optimiser and self-feeding. The whole system
is G + D + AE with the stage's encoder; beside it the paper's own encoder, which hears the whole song ahead (the price
of causality), and the newest encoder state in place of attention.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from live.errors import BadFile
from live.train import checkpoint
from live.train.config import TrainConfig

WHOLE = "G + D + AE"
CITED = {"train": 15.36, "valid": 17.19, "test": 19.12, "similarity": 0.063}
"""What the paper tells of its whole system, in its own units: to stand beside ours, never to be scaled to."""


def variants(config: TrainConfig) -> dict[str, TrainConfig]:
    """Name and configuration of each, from that of the whole system; raises `BadFile` where that is not whole."""
    if config.adversary <= 0 or config.autoencoder <= 0 or config.network != "generator":
        raise BadFile("the configuration of the paper's comparison needs `adversary` and `autoencoder` above 0")
    plain = replace(config, adversary=0.0, autoencoder=0.0)
    return {
        "plain LSTM": replace(plain, network="lstm"),
        "G": plain,
        "G + D": replace(config, autoencoder=0.0),
        "G + AE": replace(config, adversary=0.0),
        WHOLE: config,
        f"{WHOLE}, whole song heard ahead": replace(config, model=replace(config.model, bidirectional=True)),
        f"{WHOLE}, newest state for attention": replace(config, model=replace(config.model, attend=False)),
    }


def folder_of(name: str) -> str:
    """`g-d-ae` of `G + D + AE`."""
    return "-".join(name.lower().replace("+", " ").replace(",", " ").split())


def rounds_done(folder: Path) -> int:
    """How far a variant's run has come; 0 when it has not begun."""
    return checkpoint.read_checkpoint(folder).rounds if (folder / checkpoint.NAME).exists() else 0
