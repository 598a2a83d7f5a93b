"""`live train-renderer`: from one video of a person to a renderer's folder."""

from __future__ import annotations

import hashlib
import logging
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from live.errors import BadFile, MissingExtra, Unusable
from live.frames.easel import open_easel

try:
    import lightning
    import torch
    from lightning.pytorch.callbacks import ModelCheckpoint
    from lightning.pytorch.loggers import TensorBoardLogger
    from torch.utils.data import DataLoader

    from live.cli.learn import Machine, Shown
    from live.train.footage import Footage, Walks, load_footage, split
    from live.train.place import plate
    from live.train.pose_tool import home
    from live.train.renderer import CARD_KEYS, SMALL, RendererConfig, Rendering, make_config, read_config
    from live.train.renderer_export import export_renderer, read_checkpoint
    from live.train.renderer_quality import likeness
except ImportError as error:
    raise MissingExtra(error.name or "torch", "train", "training") from None

NAME = "renderer.ckpt"
HELD_OUT = 0.1
"""Share of the footage, its end, that is not trained on but measured with."""


@dataclass(frozen=True)
class Sources:
    """What is learnt from: a video, or footage that was made before; `measure`: footage to measure with, in place of
    the end of what is learnt from."""

    video: Path | None = None
    footage: Path | None = None
    measure: Path | None = None


def train_renderer(
    config: Path | None, sources: Sources, out: Path | None, rounds: int | None, resume: bool, machine: Machine
) -> None:
    """Train to the end, with checkpoints and TensorBoard's log in `out`; measure; export to out/renderer. A run that is
    at its end already is only measured and exported."""
    values: dict[str, Any] = {} if config is None else read_config(config)
    settings = SMALL if config is None else make_config({**values.get("train", {}), "model": values.get("model", {})})
    settings = settings if rounds is None else replace(settings, rounds=rounds)
    source = sources.video or sources.footage
    if source is None or (sources.video is not None and sources.footage is not None):
        raise Unusable("name what to learn from: either --video PERSON.mp4 or --footage FILE.npz")
    out = out or Path("runs") / f"renderer-{source.stem}"
    whole = load_footage(source) if sources.video is None else _watched(source, settings.model.size)
    trained, rest = (whole, load_footage(sources.measure)) if sources.measure else split(whole, HELD_OUT)
    if not (resume and (out / NAME).exists() and read_checkpoint(out / NAME)[2] >= settings.rounds):
        fit(settings, trained, out, resume, machine)
    card = {key: source.stem if key in ("name", "title") else "not told" for key in CARD_KEYS} | values.get("card", {})
    folder = out / "renderer"
    export_renderer(out / NAME, card, trained, folder)
    found = likeness(open_easel(folder, "cpu"), rest, trained)
    export_renderer(out / NAME, card | {"metrics": found._asdict()}, trained, folder)
    size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    print(
        f"{folder}: {size:.1f} MB, {settings.rounds} rounds; likeness to {found.pictures} pictures that it never saw "
        f"{found.made:.3f} (the nearest that it saw: {found.nearest:.3f}); "
        f"film a take with `live render TAKE --model {folder} --out FILM.mp4`"
    )


def _watched(video: Path, size: int) -> Footage:
    """A video's footage, remembered by its content."""
    try:
        from live.train.filmed import filmed
    except ImportError as error:
        raise MissingExtra(error.name or "av", "video", "watching a video") from None
    if not video.is_file():
        raise BadFile(f"{video}: there is no such file")
    kept = home() / f"footage-{hashlib.sha256(video.read_bytes()).hexdigest()[:32]}-{size}.npz"
    if not kept.exists():
        watching = Watching()
        try:
            found, seconds = filmed(video, size, watching)
        finally:
            watching.close()
        found.save(kept)
        used = len(found.pictures) / found.rate
        print(
            f"{video}: {len(found.pictures)} pictures at {found.rate:.0f} a second: "
            f"one person is seen in {used:.1f} of its {seconds:.1f} s"
        )
    return load_footage(kept)


class Watching:
    """A progress bar over a video's frames; none where they were watched before."""

    def __init__(self) -> None:
        columns = (TextColumn("watching"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns)

    def __call__(self, frame: int, frames: int) -> None:
        if not self._progress.tasks:
            self._progress.start()
            self._progress.add_task("", total=frames or None)  # some videos do not tell
        self._progress.update(self._progress.task_ids[0], completed=frame)

    def close(self) -> None:
        if self._progress.tasks:
            self._progress.stop()


class Pictures(lightning.LightningDataModule):
    """Footage as rounds; an epoch is `config.every` of them, from the one that the run has come to."""

    def __init__(self, footage: Footage, config: RendererConfig) -> None:
        super().__init__()
        self._config = config
        self._walks = Walks(footage, config.batch, config.steps, config.seed, config.strides)

    def train_dataloader(self) -> DataLoader:
        assert self.trainer is not None
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
        raise Unusable(f"the footage is {footage.size} pixels wide, the configuration's size is {config.model.size}")
    run = Rendering(config)
    if config.model.plate:
        run.learn_place(plate(footage))
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        warnings.filterwarnings("ignore", ".*treespec.*")
        trainer = _trainer(config, out, machine)
        trainer.fit(run, Pictures(footage, config), ckpt_path=kept if resume else None, weights_only=True)
    if run.rounds_done < config.rounds:
        raise Unusable(f"{out}: stopped after {run.rounds_done} rounds; --resume goes on from the last checkpoint")
    return run


def _trainer(config: RendererConfig, out: Path, machine: Machine) -> lightning.Trainer:
    keep = ModelCheckpoint(
        out, Path(NAME).stem, every_n_epochs=1, save_on_train_epoch_end=True, enable_version_counter=False
    )
    shown = Shown(config.rounds, ("colours", "likeness", "features", "judged"))
    try:
        return lightning.Trainer(
            accelerator=machine.accelerator, devices=machine.devices, precision=machine.precision, max_epochs=-1,
            reload_dataloaders_every_n_epochs=1, use_distributed_sampler=False, log_every_n_steps=20,
            enable_progress_bar=False, enable_model_summary=False, logger=TensorBoardLogger(out, "", "log"),
            callbacks=[keep, shown],
        )  # fmt: skip
    except (ValueError, RuntimeError, lightning.fabric.utilities.exceptions.MisconfigurationException) as error:
        raise Unusable(f"this machine cannot train so: {error}") from None
