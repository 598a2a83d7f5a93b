"""`live train`, `live export`: from prepared dances to a model folder."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from live import dictionary
from live.errors import BadFile, MissingExtra, Unusable

try:
    import torch

    from live.nn.generator import Generator, GeneratorConfig
    from live.train import dataset, export, quality, trainer
    from live.train import dictionary as lookup
    from live.train.prepare import read_all
except ImportError as error:
    raise MissingExtra(error.name or "torch", "train", "training") from None

CARD_KEYS = ("name", "title", "licence", "provenance", "temperature", "tempo_range", "accent_offset")


def train_model(config: Path, data: Path, out: Path, rounds: int | None, resume: bool, threads: int) -> None:
    """Train to the end, with checkpoints and a log in `out`; Ctrl-C keeps the last checkpoint."""
    torch.set_num_threads(threads)
    settings = _train_config(read_config(config), rounds)
    arrays = dataset.load_prepared(data)
    names = list(arrays["takes"])
    held_out = np.array([names.index(n) for n in settings.valid_takes if n in names], np.int64)
    others = np.setdiff1d(np.arange(len(names)), held_out)
    valid = dataset.Windows(arrays, settings.ticks, held_out) if len(held_out) else None
    run = trainer.Trainer(settings, dataset.Windows(arrays, settings.ticks, others), valid)
    if resume:
        run.resume(out / "checkpoint.pt")
    elif (out / "checkpoint.pt").exists():
        raise Unusable(f"{out}: holds a checkpoint already; add --resume, or name another folder with --out")
    with _progress() as progress:
        task = progress.add_task("training", total=settings.rounds, completed=run.round)
        for values in run.fit(out):
            described = "  ".join(f"{k} {v:.3f}" for k, v in values.items() if k not in ("round", "seconds"))
            progress.update(task, completed=values["round"], description=described)
    print(f"{out / 'checkpoint.pt'}: {run.round} rounds")


def make_dictionary(data: Path, out: Path, seed: int) -> None:
    """Write the dictionary of prepared dances."""
    found = lookup.build(dataset.load_prepared(data), seed)
    dictionary.save(found, out)
    print(f"{out / 'dictionary.npz'}: {len(found.at)} entries of a second in {lookup.CLUSTERS} clusters")


def export_checkpoint(run: Path, config: Path, out: Path, data: Path | None) -> None:
    """Write the model folder; with the recorded dances at hand, measure the model beside them into its card."""
    parts = trainer.read_checkpoint(run / "checkpoint.pt")
    trained = trainer.config_from_json(parts["config"])
    generator = Generator(trained.model)
    generator.load_state_dict(parts["generator"])
    card = read_config(config)["card"]
    if missing := [key for key in CARD_KEYS if key not in card]:
        raise BadFile(f"{config}: [card] lacks {', '.join(missing)}")
    card |= {
        "styles": json.loads(parts["styles"]),
        "dropout_rate": trained.dropout,
        "training": json.loads(parts["config"]) | {"rounds_done": parts["round"]},
        "metrics": {},
    }
    export.export_model(generator, out, card, quality.demo_features())
    if data is not None:
        card["metrics"] = quality.measure(out, read_all(data))
        export.export_model(generator, out, card, quality.demo_features())
    size = sum(file.stat().st_size for file in out.iterdir()) / 1e6
    print(f"{out}: {size:.1f} MB, {card['metrics'] or 'not measured (name the dances with --data)'}")


def read_config(path: Path) -> dict[str, Any]:
    """The TOML configuration; raises `BadFile` naming what is wrong."""
    try:
        values = tomllib.loads(path.read_text())
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise BadFile(f"{path}: is not TOML: {error}") from None
    valid = {
        "card": set(CARD_KEYS),
        "train": {f.name for f in dataclasses.fields(trainer.TrainConfig)} - {"model"},
        "model": {f.name for f in dataclasses.fields(GeneratorConfig)},
    }
    for section, given in values.items():
        if section not in valid:
            raise BadFile(f"{path}: unknown section [{section}]; valid ones are {', '.join(valid)}")
        if unknown := sorted(set(given) - valid[section]):
            raise BadFile(
                f"{path}: unknown key '{unknown[0]}' in [{section}]; valid: {', '.join(sorted(valid[section]))}"
            )
    return values


def _train_config(values: dict[str, Any], rounds: int | None) -> trainer.TrainConfig:
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in values.get("train", {}).items()}
    if rounds is not None:
        given["rounds"] = rounds
    return trainer.TrainConfig(model=GeneratorConfig(**values.get("model", {})), **given)


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
