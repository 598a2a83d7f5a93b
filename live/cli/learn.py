"""`live train`, `live export`: from prepared dances to a model folder."""

from __future__ import annotations

import dataclasses
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from live import channels, dictionary, keypoints
from live.card import what_is_wrong
from live.errors import BadFile, MissingExtra, Unusable

try:
    import lightning
    import torch
    from lightning.pytorch.callbacks import Callback, ModelCheckpoint
    from lightning.pytorch.loggers import TensorBoardLogger

    from live.train import checkpoint, dataset, export, footing, quality
    from live.train import dictionary as lookup
    from live.train.config import CardConfig, TrainConfig, read_config, train_config
    from live.train.dance import merged
    from live.train.prepare import read_all
    from live.train.rounds import Dances
    from live.train.trainer import Dancing
except ImportError as error:
    raise MissingExtra(error.name or "torch", "train", "training") from None


@dataclass(frozen=True)
class Machine:
    """What to train on, in Lightning's words."""

    accelerator: str = "auto"
    devices: str = "auto"
    nodes: int = 1
    strategy: str = "auto"
    precision: str = "32-true"
    threads: int = 1
    workers: int = 0


@dataclass(frozen=True)
class Begin:
    """How a run begins: anew, from the weights of another (and its round), or where its own checkpoint stopped."""

    weights: Path | None = None
    resume: bool = False


def train_model(
    config: Path, data: list[Path], out: Path | None, rounds: int | None, begin: Begin, machine: Machine
) -> None:
    """Train to the end, with a checkpoint every so many rounds and TensorBoard's log in `out`."""
    values = read_config(config)
    name = values.get("card", {}).get("name", config.stem)
    out = out or Path("runs") / name
    settings = train_config(values)
    settings = settings if rounds is None else dataclasses.replace(settings, rounds=rounds)
    arrays = merged([dataset.load_prepared(path) for path in data or [Path("runs") / f"{name}.npz"]])
    run = fit(settings, arrays, out, begin, machine)
    print(f"{out / checkpoint.NAME}: {run.rounds_done} rounds")


def fit(settings: TrainConfig, arrays: dict[str, Any], out: Path, begin: Begin, machine: Machine) -> Dancing:
    """One run in the folder `out`, to its last round."""
    torch.set_num_threads(machine.threads)
    styles = [str(style) for style in arrays["styles"]]
    flat = str(arrays["pose_space"]) == keypoints.SPACE
    if flat and (settings.kinematics > 0 or settings.contact > 0):
        raise Unusable(f"dances of {keypoints.SPACE} have no bones: write kinematics = 0 and contact = 0 under [train]")
    shape = {"styles": len(styles), "channels": arrays["channels"].shape[1]}
    settings = dataclasses.replace(settings, model=dataclasses.replace(settings.model, **shape))
    kept = out / checkpoint.NAME
    if kept.exists() and not begin.resume:
        raise Unusable(f"{out}: holds a checkpoint already; add --resume, or name another folder with --out")
    begins = kept if begin.resume else begin.weights
    dances, run = Dances(arrays, settings, machine.workers), Dancing(settings, styles)
    if begins is None:
        run.normalise(dances.sample())
    else:
        checkpoint.load_weights(run, checkpoint.read_checkpoint(begins), begins)
    if run.rounds_done >= settings.rounds:
        raise Unusable(f"{begins}: has {run.rounds_done} rounds already; ask for more with --rounds")
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="lightning")
        warnings.filterwarnings("ignore", ".*treespec.*")
        trainer = _trainer(settings, out, machine)
        if machine.precision.startswith("bf16") and trainer.strategy.root_device.type == "cpu" and not _has_bf16():
            raise Unusable(f"--precision {machine.precision}: this processor computes no bfloat16; leave it out")
        trainer.fit(run, dances, ckpt_path=kept if begin.resume else None, weights_only=True)
    return run


def _trainer(settings: TrainConfig, out: Path, machine: Machine) -> lightning.Trainer:
    keep = ModelCheckpoint(
        out, Path(checkpoint.NAME).stem, every_n_epochs=1, save_on_train_epoch_end=True, enable_version_counter=False
    )
    several = machine.nodes > 1 or machine.devices not in ("auto", "1")
    strategy = "ddp_find_unused_parameters_true" if machine.strategy == "auto" and several else machine.strategy
    try:
        return lightning.Trainer(
            accelerator=machine.accelerator, devices=machine.devices, num_nodes=machine.nodes, strategy=strategy,
            precision=machine.precision, max_epochs=-1, reload_dataloaders_every_n_epochs=1,
            use_distributed_sampler=False, num_sanity_val_steps=0, log_every_n_steps=20, enable_progress_bar=False,
            enable_model_summary=False, logger=TensorBoardLogger(out, "", "log"),
            callbacks=[keep, Shown(settings.rounds)],
        )  # fmt: skip
    except (ValueError, RuntimeError, lightning.fabric.utilities.exceptions.MisconfigurationException) as error:
        raise Unusable(f"this machine cannot train so: {error}") from None


def _has_bf16() -> bool:
    """Whether the processor's LSTMs know bfloat16 (on x86 from AVX-512 on)."""
    return not torch.backends.mkldnn.is_available() or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class Shown(Callback):
    """A progress bar over the rounds, with the latest losses."""

    def __init__(self, rounds: int, losses: tuple[str, ...] = ("pose", "valid_pose", "judged")) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress, self._rounds, self._losses = Progress(*columns), rounds, losses

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        if trainer.is_global_zero:
            self._progress.start()
            self._task = self._progress.add_task("training", total=self._rounds, completed=module.rounds_done)

    def on_train_batch_end(self, trainer: lightning.Trainer, module: Any, outputs: Any, batch: Any, index: int) -> None:
        if trainer.is_global_zero:
            self._progress.update(self._task, completed=module.rounds_done)

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        if trainer.is_global_zero:
            shown = {k: v for k, v in trainer.callback_metrics.items() if k in self._losses}
            self._progress.update(self._task, description="  ".join(f"{k} {v:.3f}" for k, v in shown.items()))

    def on_train_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        self._progress.stop()

    def on_exception(self, trainer: lightning.Trainer, module: Any, exception: BaseException) -> None:
        self._progress.stop()
        if isinstance(exception, KeyboardInterrupt) and trainer.is_global_zero:
            print(f"stopped after {module.rounds_done} rounds; --resume goes on from the last checkpoint")


def make_dictionary(data: Path, out: Path, seed: int) -> None:
    """Write the dictionary of prepared dances."""
    found = lookup.build(dataset.load_prepared(data), seed)
    dictionary.save(found, out)
    print(f"{out / 'dictionary.npz'}: {len(found.at)} entries of a second in {lookup.CLUSTERS} clusters")


def export_checkpoint(run: Path, config: Path, out: Path, data: Path | None, plant: Path | None) -> None:
    """Write the model folder; with prepared dances to `plant` by, its feet stand more firmly; with the recorded dances
    at hand, measure the model beside them into its card."""
    trained = checkpoint.read_checkpoint(run)
    if trained.config.model.bidirectional:
        raise Unusable(f"{run}: hears the whole song ahead, so it cannot dance live; export one that does not")
    generator, card = trained.network(), _card(config, trained)
    generator.config = dataclasses.replace(
        generator.config, emphasis=card.pop("emphasis"), amplitude=card.pop("amplitude")
    )
    if plant is not None:
        dances = footing.as_on_stage(dataset.load_prepared(plant), card["tempo_range"], card.get("beats_per_bar", {}))
        windows = footing.long_windows(dances, trained.config.ticks)
        bones = trained.config.network == "generator" and generator.config.channels == channels.COUNT
        if windows.styles != trained.styles or not bones:
            raise Unusable(f"--plant {plant}: {run} was not trained on these dances; name those that it was")
        generator = footing.planted(generator, windows, card["temperature"], card["dropout_rate"])
    generator.config = dataclasses.replace(generator.config, smoothing=card.pop("smoothing", 0.0))
    export.export_model(generator, out, card, quality.demo_features())
    if data is not None:
        card["metrics"] = quality.measure(out, read_all(data))
        export.export_model(generator, out, card, quality.demo_features())
    size = sum(file.stat().st_size for file in out.iterdir()) / 1e6
    print(f"{out}: {size:.1f} MB, {card['metrics'] or 'not measured (name the dances with --data)'}")


def _card(config: Path, trained: checkpoint.Trained) -> dict[str, Any]:
    """[card] of a configuration with what the training tells; raises `BadFile` where no stage would take it."""
    given = {"dropout_rate": trained.config.dropout} | read_config(config).get("card", {})
    try:
        card = CardConfig.model_validate(given | {"styles": trained.styles})
    except ValidationError as error:
        raise BadFile(f"{config}: [card] {what_is_wrong(error)}") from None
    training = dataclasses.asdict(trained.config) | {"rounds_done": trained.rounds}
    return card.model_dump(exclude_unset=True) | {"training": training, "metrics": {}}
