"""`live prepare`, `train`, `evaluate` and their like: from recorded dances to models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from live.errors import Unusable

learning = typer.Typer()


@learning.command()
def prepare(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="[DATA] OUT",
            help="A folder of dances (BVH, AIST++, OpenPose JSON, videos, ballroom, salsa), and the .npz to write.",
        ),
    ],
    video: Annotated[Path | None, typer.Option(help="A clip of one dancer in place of DATA.")] = None,
    pose_space: Annotated[str, typer.Option(help="What a video becomes: rotations22 or keypoints18.")] = "rotations22",
    fps: Annotated[float, typer.Option(help="Frames a second of OpenPose folders, which do not tell.")] = 30.0,
    seed: Annotated[int, typer.Option(help="Picks the rendered music.")] = 1,
    stretch: Annotated[
        str, typer.Option(help="How many times as long to make each dance with a beat grid; none: own music only.")
    ] = "",
    quantise: Annotated[bool, typer.Option(help="Move the accents of dances with a beat grid onto its beats.")] = False,
    music: Annotated[Path | None, typer.Option(help="Folder with the songs, if not beside the dances.")] = None,
    names: Annotated[
        Path | None, typer.Option(help="A table of joint names (TOML) for an unknown BVH skeleton.")
    ] = None,
    style: Annotated[str | None, typer.Option(help="Label for all dances, in place of the layout's.")] = None,
    cache: Annotated[Path, typer.Option(help="Where to keep what is done, to resume from.")] = Path("runs/prepare"),
    jobs: Annotated[int, typer.Option(help="Processes; -1 for one a core.")] = -1,
) -> None:
    """Turn recorded dances into training data, with music rendered on their beat grids."""
    from live.cli.prepare import STRETCHES, prepare_data
    from live.train.choice import Choice
    from live.train.prepare import Settings

    stretches = () if stretch == "none" else tuple(_numbers(stretch, "--stretch")) or STRETCHES
    if len(paths) != (2 if video is None else 1):
        raise Unusable("name a folder of dances and the file to write, or --video CLIP and the file to write")
    if pose_space not in ("rotations22", "keypoints18"):
        raise Unusable(f"--pose-space {pose_space}: choose rotations22 or keypoints18")
    if not 1.0 <= fps <= 1000.0:
        raise Unusable(f"--fps {fps:g}: frames a second lie between 1 and 1000")
    choice = Choice(music, names, style, fps, pose_space)
    prepare_data(video or paths[0], paths[-1], Settings(stretches, seed, quantise, choice, cache), jobs)


@learning.command()
def train(
    config: Annotated[Path, typer.Argument(help="A training configuration (TOML), see `configs/`.")],
    data: Annotated[
        list[Path] | None, typer.Option(help="Prepared data (.npz), several are joined; runs/NAME.npz if left out.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for checkpoint and log; runs/NAME if left out.")] = None,
    rounds: Annotated[int | None, typer.Option(help="Instead of the configuration's.", min=1)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's checkpoint.")] = False,
    from_weights: Annotated[
        Path | None, typer.Option(help="Begin with a checkpoint's or model folder's weights, at its round.")
    ] = None,
    accelerator: Annotated[str, typer.Option(help="cpu, gpu, mps, or auto.")] = "auto",
    devices: Annotated[str, typer.Option(help="How many of this machine's, or which (0,1).")] = "auto",
    nodes: Annotated[int, typer.Option(help="How many machines.", min=1)] = 1,
    strategy: Annotated[str, typer.Option(help="How devices share the work (Lightning's name).")] = "auto",
    precision: Annotated[str, typer.Option(help="32-true, bf16-mixed, 64-true.")] = "32-true",
    threads: Annotated[int, typer.Option(help="CPU threads.", min=1)] = 1,
    workers: Annotated[int, typer.Option(help="Processes that make batches beside the training.", min=0)] = 0,
) -> None:
    """Train a generator: on one CPU, a GPU, several, or several machines."""
    from live.cli.learn import Begin, Machine, train_model

    machine = Machine(accelerator, devices, nodes, strategy, precision, threads, workers)
    train_model(config, data or [], out, rounds, Begin(from_weights, resume), machine)


@learning.command("train-paper")
def train_paper_command(
    config: Annotated[Path, typer.Argument(help="The whole system, such as configs/paper.toml.")],
    data: Annotated[Path, typer.Option(help="Prepared data (.npz).")] = Path("runs/paper.npz"),
    out: Annotated[Path, typer.Option(help="Folder for the variants' folders.")] = Path("runs/paper"),
    rounds: Annotated[int | None, typer.Option(help="Of each variant, instead of the configuration's.", min=1)] = None,
    accelerator: Annotated[str, typer.Option(help="cpu, gpu, mps, or auto.")] = "auto",
    precision: Annotated[str, typer.Option(help="32-true, bf16-mixed, 64-true.")] = "32-true",
    threads: Annotated[int, typer.Option(help="CPU threads.", min=1)] = 1,
) -> None:
    """Train all variants of the seed paper's comparison; called again, it goes on where it was."""
    from live.cli.learn import Machine
    from live.cli.paper import train_paper

    machine = Machine(accelerator, "1", precision=precision, threads=threads)
    train_paper(config, data, out, rounds, machine)


@learning.command("train-beats")
def train_beats_command(
    midi: Annotated[Path, typer.Argument(help="Folder with groove/ and nottingham/ (MIDI).")],
    cache: Annotated[Path, typer.Option(help="Folder for rendered songs and checkpoints.")] = Path("runs/beats"),
    out: Annotated[Path, typer.Option(help="ONNX file to write.")] = Path("runs/beats/pulse.onnx"),
    songs: Annotated[int, typer.Option(help="How many songs to make.")] = 1500,
    rounds: Annotated[int, typer.Option(help="Training rounds of each network.")] = 8000,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
    from_weights: Annotated[
        Path | None, typer.Option(help="An ONNX file that this wrote: its networks learn on, in place of new ones.")
    ] = None,
) -> None:
    """Make music with known beats and train the beat networks on it."""
    from live.cli.beats_learn import train_beats

    train_beats(midi, cache, out, songs, rounds, threads, from_weights)


@learning.command("dictionary")
def dictionary_command(
    data: Annotated[Path, typer.Argument(help="Prepared data (.npz).")],
    out: Annotated[Path, typer.Argument(help="The folder to write; perform it with `--model dictionary:FOLDER`.")],
    seed: Annotated[int, typer.Option(help="Where the clusters begin.")] = 1,
) -> None:
    """Make a dictionary of prepared dances: what was danced to which music."""
    from live.cli.learn import make_dictionary

    make_dictionary(data, out, seed)


@learning.command()
def export(
    run: Annotated[Path, typer.Argument(help="A training folder, a checkpoint, or a model folder.")],
    config: Annotated[Path, typer.Argument(help="The training configuration, for the card.")],
    out: Annotated[Path, typer.Argument(help="The model folder to write.")],
    data: Annotated[Path | None, typer.Option(help="The recorded dances: measure the model beside them.")] = None,
    plant: Annotated[
        Path | None, typer.Option(help="The prepared dances (.npz): learn from dancing to them to plant the feet.")
    ] = None,
) -> None:
    """Write a model folder from a checkpoint, or another from a model folder."""
    from live.cli.learn import export_checkpoint

    export_checkpoint(run, config, out, data, plant)


@learning.command("evaluate")
def evaluate_command(
    data: Annotated[
        Path,
        typer.Option(
            help="Folder of songs (true beats as NAME.beats) or one with beats/ and music/; for --paper prepared data."
        ),
    ],
    model: Annotated[str | None, typer.Argument(help="A shipped model's name, or a model folder.")] = None,
    paper: Annotated[
        Path | None, typer.Option(help="In place of a model, the folder of `live train-paper`: the paper's tables.")
    ] = None,
    dances: Annotated[
        Path | None, typer.Option(help="The recorded dances that it should resemble; if left out, DATA/NAME.")
    ] = None,
    beside: Annotated[
        list[str] | None, typer.Option(help="Another model (several), or dictionary:DIR, to dance to the same songs.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for evaluate.json and evaluate.html.")] = Path("runs/evaluate"),
    seconds: Annotated[float, typer.Option(help="Of each song.", min=10.0)] = 60.0,
    tracker: Annotated[str, typer.Option(help="Beat tracker; `true` tells it the beats of NAME.beats.")] = "pulse",
    style: Annotated[str, typer.Option(help="NAME[=WEIGHT],...; the model's own if left out.")] = "",
    temperature: Annotated[float | None, typer.Option(help="The model's own if left out.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same dances.")] = 1,
    sigma: Annotated[float, typer.Option(help="Width of the beat alignment, ms.", min=1.0)] = 70.0,
    dancers: Annotated[int, typer.Option(help="So many at once; the figures are their means.", min=1, max=64)] = 4,
    warped: Annotated[
        int, typer.Option(help="How many songs at most are also danced to at 0.8 and 1.25 times.", min=0)
    ] = 16,
    hour: Annotated[bool, typer.Option("--hour", help="Also dance for an hour without stopping.")] = False,
    card: Annotated[bool, typer.Option("--card", help="Write the figures into the model's card.")] = False,
) -> None:
    """Let a model dance to songs by itself and measure it beside real dances, random pairing and silence."""
    if paper is not None and model is None:
        from live.cli.paper import evaluate_paper

        evaluate_paper(paper, data, out)
        return
    if paper is not None or model is None:
        raise Unusable("name either a model or, with --paper, the folder of `live train-paper`")
    from live.cli.evaluate import evaluate_model
    from live.train.dancer import Plan

    plan = Plan(
        seconds=seconds, tracker=tracker, style=style, seed=seed, temperature=temperature, sigma_ms=sigma,
        hour=3600.0 if hour else 0.0, warped=warped, dancers=dancers,
    )  # fmt: skip
    evaluate_model(model, data, dances, beside or [], plan, out, card)


def _numbers(text: str, option: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        numbers = [0.0]
    if not all(0.1 <= number <= 10.0 for number in numbers):
        raise Unusable(f"{option} {text}: write numbers between 0.1 and 10 with commas, for example 0.8,1,1.25")
    return numbers
