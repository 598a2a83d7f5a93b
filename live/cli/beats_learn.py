"""`live train-beats`: make music with known beats, train the beat network on it, write `pulse.onnx` and its card."""

from __future__ import annotations

import json
from pathlib import Path

from live.errors import MissingExtra, Unusable

try:
    import torch

    from live.train import beats, beats_data
except ImportError as error:
    raise MissingExtra(error.name or "torch", "train", "training") from None


def train_beats(midi: Path, cache: Path, out: Path, songs: int, rounds: int, threads: int) -> None:
    """`midi` holds groove/ and nottingham/; `cache` keeps prepared songs and checkpoint; `out` gets the ONNX file."""
    if not (midi / "groove").is_dir() or not (midi / "nottingham").is_dir():
        raise Unusable(f"--midi {midi}: needs the folders groove (Groove MIDI Dataset) and nottingham")
    torch.set_num_threads(threads)
    beats_data.prepare(midi, cache, range(songs))
    trainer = beats.BeatTrainer(beats.BeatTraining(rounds=rounds), beats.load(cache))
    checkpoint = cache / "beats.pt"
    for values in trainer.fit(checkpoint):
        print(json.dumps(values), flush=True)
    export_beats([checkpoint], out)


def export_beats(checkpoints: list[Path], out: Path) -> None:
    """The networks of one or more checkpoints as `out` and its card beside it."""
    beats.export(checkpoints, out)
    print(f"{out}: {out.stat().st_size / 1e3:.0f} kB")
