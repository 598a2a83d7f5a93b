"""How large a generator a stage can carry, and what size is worth: quality against milliseconds.

    .venv/bin/python benchmarks/sizes.py --data PREPARED.npz

The shipped size, the seed paper's own and one between them learn the same dances for the same number of rounds; a fifth
of the takes, drawn by lot, is kept out. Quality is the squared error on those (normalised channels), half a second at a
time fed with own poses, and that of the change from pose to pose. Milliseconds are a step's on one CPU thread at the
stage's pace with cold caches; on the stage rehearsals warm them (`live bench tick`). What was trained stays in
`--runs`, so that called again it reads the milliseconds alone.
"""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import measure
from rich.console import Console
from rich.table import Table

from live.cli import laboratory, learn
from live.errors import LiveError
from live.nn.sizes import GeneratorConfig
from live.train import checkpoint
from live.train.config import TrainConfig
from live.train.dataset import load_prepared

SIZES = {
    "as shipped": GeneratorConfig(
        convolution=64, encoder=96, attention=48, location_filters=8, prenet=128, decoder=384
    ),
    "half the paper's": GeneratorConfig(
        convolution=256, encoder=128, attention=64, location_filters=16, prenet=128, decoder=512
    ),
    "the paper's": GeneratorConfig(),
}  # fmt: skip
STAGE = 1.5
"""Milliseconds (p99) that a generator may take on one CPU thread of a stage."""
CARD = """[card]
name = "{name}"
title = "of benchmarks/sizes.py"
licence = "its dances'"
provenance = "a short run"
temperature = 0.5
tempo_range = [60.0, 240.0]
accent_offset = 0.0
emphasis = 1.0
amplitude = 1.0
"""


def trained(size: GeneratorConfig, arrays: dict[str, Any], run: Path, given: Any) -> dict[str, float]:
    """Losses on the takes kept out, after so many rounds; of the run that is there already, if it is."""
    settings = TrainConfig(
        model=size, rounds=given.rounds, batch=given.batch, ticks=given.ticks, every=given.rounds, valid_share=0.2,
        kl_weight=0.008, prior_weight=0.008,
    )  # fmt: skip
    losses = run / "losses.json"
    if not losses.exists():
        done = learn.fit(settings, arrays, run, learn.Begin(), learn.Machine(accelerator="cpu"))
        told = {name: float(value) for name, value in done.trainer.callback_metrics.items() if "valid" in name}
        losses.write_text(json.dumps(told))
    found: dict[str, float] = json.loads(losses.read_text())
    return found


def stepped(run: Path, name: str, seconds: float) -> dict[str, float]:
    """p50 and p99 (ms) of a step of the exported model, and its parameters."""
    config, model = run / "card.toml", run / "model"
    config.write_text(CARD.format(name=name.replace(" ", "-").replace("'", "")))
    if not (model / "model.json").exists():
        with contextlib.redirect_stdout(io.StringIO()):
            learn.export_checkpoint(run, config, model, None, None)
    result = laboratory.step(str(model), ["cpu"], [1], seconds, 1.0, True)
    (found,) = result.measures.values()
    parameters = sum(p.numel() for p in checkpoint.read_checkpoint(run).network().parameters())
    return {"p50_ms": found["p50"], "p99_ms": found["p99"], "parameters": parameters}


def main() -> None:
    parser = measure.options(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="prepared dances (live prepare)")
    parser.add_argument("--runs", type=Path, default=Path("runs/sizes"), help="what is trained stays here")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--ticks", type=int, default=45)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement of a step")
    given = parser.parse_args()
    try:
        arrays = load_prepared(given.data)
        rows = {name: trained(size, arrays, given.runs / str(i), given) for i, (name, size) in enumerate(SIZES.items())}
        for i, name in enumerate(SIZES):
            rows[name] |= stepped(given.runs / str(i), name, given.seconds)
    except LiveError as error:
        parser.exit(2, f"{error}\n")
    table = Table("size", "parameters", "error", "of changes", "step p50, ms", "p99", box=None, pad_edge=False)
    for name, row in rows.items():
        table.add_row(
            name, f"{row['parameters'] / 1e6:.1f} M", f"{row['valid_pose']:.4f}", f"{row['valid_difference']:.5f}",
            f"{row['p50_ms']:.2f}", f"{row['p99_ms']:.2f}",
        )  # fmt: skip
    Console().print(table)
    limits = {f"cold step p99, {name}": measure.compared(row["p99_ms"], STAGE, "ms") for name, row in rows.items()}
    how = {key: getattr(given, key) for key in ("rounds", "batch", "ticks", "seconds")}
    measure.write("sizes", {"limits": limits, "rows": rows, "how": how}, None, given.out)


if __name__ == "__main__":
    main()
