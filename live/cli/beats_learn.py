"""`live train-beats`: make music with known beats, train the beat networks on it, write `pulse.onnx` and its card."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

from rich.progress import track

from live.errors import MissingExtra, Unusable

try:
    import torch
    from joblib import Parallel, delayed

    from live.train import beats, beats_data, orchestra
    from live.train.beats_recover import recovered
except ImportError as error:
    raise MissingExtra(error.name or "torch", "train", "training") from None


def train_beats(
    midi: Path, cache: Path, out: Path, songs: int, rounds: int, threads: int, weights: Path | None = None
) -> None:
    """`midi` holds groove/ and nottingham/; `cache` keeps rendered songs and the checkpoints, from which an interrupted
    run goes on; `out` gets the ONNX file. `weights`: such a file, whose networks learn on in place of new ones."""
    if not (midi / "groove").is_dir() or not (midi / "nottingham").is_dir():
        raise Unusable(f"{midi}: needs the folders groove (Groove MIDI Dataset) and nottingham")
    begun = [None] * len(beats.ENSEMBLE) if weights is None else recovered(weights)
    if len(begun) != len(beats.ENSEMBLE):
        raise Unusable(f"{weights}: holds {len(begun)} networks, not {len(beats.ENSEMBLE)}")
    _render(midi, cache, songs, threads)
    torch.set_num_threads(threads)
    data = beats.load(cache)
    checkpoints = [cache / f"beats_{config.seed}{'_on' if weights else ''}.pt" for config in beats.ENSEMBLE]
    for network, config, checkpoint in zip(begun, beats.ENSEMBLE, checkpoints, strict=True):
        config = replace(config, rounds=rounds)
        if network is not None:
            config = replace(config, width=network.width, rate=beats.LEARNING_ON)
        _train(beats.BeatTrainer(config, data, network), checkpoint)
    beats.export(checkpoints, out)
    print(f"{out}: {out.stat().st_size / 1e3:.0f} kB")


def _train(trainer: beats.BeatTrainer, checkpoint: Path) -> None:
    if checkpoint.exists():
        trainer.resume(checkpoint)
        print(f"{checkpoint}: going on after round {trainer.round}", flush=True)
    for values in trainer.fit(checkpoint):
        print(json.dumps(values), flush=True)


def _render(midi: Path, cache: Path, songs: int, threads: int) -> None:
    missing = [font for font in orchestra.SOUNDFONTS if not Path(font).exists()]
    if missing or shutil.which("fluidsynth") is None:
        raise Unusable(
            f"songs are rendered by fluidsynth with {', '.join(orchestra.SOUNDFONTS)}: apt install fluidsynth "
            "fluid-soundfont-gm musescore-general-soundfont timgm6mb-soundfont"
        )
    jobs = (delayed(beats_data.prepare)(midi, cache, seed) for seed in range(songs))
    done = Parallel(threads, return_as="generator_unordered")(jobs)
    for _ in track(done, f"Rendering into {cache}", total=songs):
        pass
