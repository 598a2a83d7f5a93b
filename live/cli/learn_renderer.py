"""`live train-renderer`: from footage of a person to a renderer's folder."""

from __future__ import annotations

import dataclasses
import logging
import warnings
from pathlib import Path
from typing import Any

from live.errors import MissingExtra, Unusable

try:
    import lightning
    import torch
    from lightning.pytorch.callbacks import ModelCheckpoint
    from lightning.pytorch.loggers import TensorBoardLogger
    from torch.utils.data import DataLoader

    from live.cli.learn import Machine, Shown
    from live.train.footage import Footage, Walks, load_footage, plate
    from live.train.renderer import Rendering, RendererConfig, make_config, read_config
except ImportError as error:
    raise MissingExtra(error.name or "torch", "train", "training") from None

NAME = "renderer.ckpt"


class Pictures(lightning.LightningDataModule):
    """Footage as rounds; an epoch is `config.every` of them, from the one that the run has come to."""

    def __init__(self, footage: Footage, config: RendererConfig) -> None:
        super().__init__()
        self._config = config
        self._walks = Walks(footage, config.batch, config.steps, config.seed, config.strides)

    def train_dataloader(self) -> DataLoader:
        done = self.trainer.lightning_module.rounds_done
        numbers = range(done, min(done + self._config.every, self._config.rounds))
        return DataLoader(self._walks, batch_size=None, sampler=numbers)


def fit(config: RendererConfig, footage: Footage, out: Path, resume: bool, machine: Machine) -> Rendering:
    """One run in the folder `out`, to its last round."""
    torch.set_num_threads(machine.threads)
    kept = out / NAME
    if kept.exists() and not resume:
        raise Unusable(f"{out}: holds a checkpoint already; add --resume, or name another folder with --out")
    if resume and not kept.exists():
        raise Unusable(f"{out}: holds no checkpoint to go on from; leave --resume out")
    if footage.size != config.model.size:
        raise Unusable(f"the footage is {footage.size} pixels wide, the configuration's size {config.model.size}")
    run = Rendering(config)
    if config.model.plate:
        run.learn_place(plate(footage))
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        warnings.filterwarnings("ignore", ".*treespec.*")
        _trainer(config, out, machine).fit(run, Pictures(footage, config), ckpt_path=kept if resume else None)
    return run


def _trainer(config: RendererConfig, out: Path, machine: Machine) -> lightning.Trainer:
    keep = ModelCheckpoint(
        out, Path(NAME).stem, every_n_epochs=1, save_on_train_epoch_end=True, enable_version_counter=False
    )
    try:
        return lightning.Trainer(
            accelerator=machine.accelerator, devices=machine.devices, precision=machine.precision, max_epochs=-1,
            reload_dataloaders_every_n_epochs=1, use_distributed_sampler=False, log_every_n_steps=20,
            enable_progress_bar=False, enable_model_summary=False, logger=TensorBoardLogger(out, "", "log"),
            callbacks=[keep, Shown(config.rounds, ("colours", "likeness", "features", "judged"))],
        )  # fmt: skip
    except (ValueError, RuntimeError, lightning.fabric.utilities.exceptions.MisconfigurationException) as error:
        raise Unusable(f"this machine cannot train so: {error}") from None
