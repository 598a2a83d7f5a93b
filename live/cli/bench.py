"""`live bench WHAT`: how well beats are heard, and how long everything takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

bench = typer.Typer(help="Measure beats and time.", no_args_is_help=True)
Out = Annotated[Path, typer.Option(help="Folder for WHAT.json and WHAT.html.")]
Seconds = Annotated[float, typer.Option(min=0.05, help="Seconds of each measurement.")]
WarmUp = Annotated[float, typer.Option(min=0.0, help="Seconds before it that do not count.")]
Duration = Annotated[float, typer.Option(min=1.0, help="Seconds that are performed.")]
Input = Annotated[str, typer.Option(help="As `live perform --input`.")]
Model = Annotated[str, typer.Option(help="As `live perform --model`.")]
Backend = Annotated[str, typer.Option(help="As `live perform --backend`.")]
Dancers = Annotated[int, typer.Option(min=1, max=64, help="How many dance.")]
LAB = Path("runs/bench")


@bench.callback()
def root() -> None:
    """Measure beats and time, as JSON and HTML: times as percentiles, histogram and runs of misses."""


@bench.command()
def beats(
    data: Annotated[Path, typer.Option(help="Folder of clips: NAME.ogg beside NAME.beats.")],
    tracker: Annotated[list[str] | None, typer.Option(help="Beat tracker (several); all if left out.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for beats.json and beats.html.")] = Path("runs/bench-beats"),
    markdown: Annotated[
        Path | None, typer.Option(help="Also write the tables between the `measured` marks of this Markdown file.")
    ] = None,
) -> None:
    """Run online beat trackers over clips with known beats: scores, timing, cost; JSON and an HTML page."""
    import json

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table

    from live.bench import table
    from live.bench.beats import measure, read_clips, trackers, write
    from live.bench.page import page

    clips, openers = read_clips(data), trackers(tracker or [])
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("", total=len(clips) * len(openers))
        result = measure(clips, openers, lambda what: progress.update(task, description=what, advance=1))
    write(out, {"beats.json": json.dumps(result) + "\n", "beats.html": page(result)})
    if markdown is not None:
        table.insert(markdown, table.markdown([result]))
    shown = Table("tracker", "clips", *table.HEAD, box=None, header_style="bold", pad_edge=False)
    for row in table.summary(result):
        shown.add_row(*row)
    Console().print(shown)
    print(f"written to {out / 'beats.json'} and {out / 'beats.html'}")


@bench.command()
def step(
    backend: Annotated[
        list[str] | None, typer.Option(help="tensorrt, cuda or cpu (several); all that are there if left out.")
    ] = None,
    dancers: Annotated[list[int] | None, typer.Option(min=1, max=64, help="Several; 1, 8, 64 if left out.")] = None,
    model: Model = "salsa",
    seconds: Seconds = 20.0,
    warm_up: WarmUp = 1.0,
    paced: Annotated[bool, typer.Option("--paced", help="At the stage's rate instead of back to back.")] = False,
    out: Out = LAB,
) -> None:
    """The generator alone, one step."""
    from live.cli import laboratory as lab

    lab.tell(lab.step(model, backend or [], dancers or [1, 8, 64], seconds, warm_up, paced), out)


@bench.command()
def tick(
    input: Input = "demo", model: Model = "salsa", backend: Backend = "auto", dancers: Dancers = 1,
    duration: Duration = 60.0, warm_up: WarmUp = 2.0, out: Out = LAB,
) -> None:  # fmt: skip
    """A performance's tick, block in hand to last byte sent, by stages (the last ten minutes of it)."""
    from live.cli import laboratory as lab
    from live.lab.show import Plan

    lab.tell(lab.tick(Plan(input, model, backend, dancers, duration, warm_up)), out)


@bench.command()
def jitter(
    input: Input = "demo", model: Model = "salsa", backend: Backend = "auto", dancers: Dancers = 1,
    duration: Duration = 60.0, warm_up: WarmUp = 2.0, out: Out = LAB,
) -> None:  # fmt: skip
    """Intervals between poses at a receiver in another process, beside a bare control loop."""
    from live.cli import laboratory as lab
    from live.lab.show import Plan

    lab.tell(lab.jitter(Plan(input, model, backend, dancers, duration, warm_up)), out)


@bench.command()
def outputs(
    seconds: Seconds = 4.0,
    warm_up: WarmUp = 0.1,
    rounds: Annotated[int, typer.Option(min=1, help="Turns that the outputs take within the seconds.")] = 7,
    out: Out = LAB,
) -> None:
    """Encoding and sending a frame: one dancer to each output, 32 to three targets."""
    from live.cli import laboratory as lab

    lab.tell(lab.outputs(seconds, warm_up, rounds), out)


@bench.command()
def audio(
    input: Input = "demo",
    tracker: Annotated[
        list[str] | None, typer.Option(help="Beat tracker (several); pulse and aubio if left out.")
    ] = None,
    seconds: Seconds = 10.0,
    warm_up: WarmUp = 1.0,
    out: Out = LAB,
) -> None:
    """Beat tracker, features and signals, each alone, for a block of 1/60 s."""
    from live.cli import laboratory as lab

    lab.tell(lab.audio(input, tracker or ["pulse", "aubio"], seconds, warm_up), out)


@bench.command("end-to-end")
def end_to_end(
    model: Model = "salsa", backend: Backend = "auto", dancers: Dancers = 1,
    duration: Duration = 120.0, warm_up: WarmUp = 5.0, out: Out = LAB,
) -> None:  # fmt: skip
    """Sound to packet: clicks go into a virtual microphone (PulseAudio) and are found in what a receiver is sent.

    Measured beside the sum of what the stages declare.
    """
    from live.cli import laboratory as lab
    from live.lab.show import Plan

    lab.tell(lab.end_to_end(Plan("", model, backend, dancers, duration, warm_up)), out)


@bench.command()
def loopback(
    speaker: Annotated[str, typer.Option(help="Output device by (part of) its name; the default if left out.")] = "",
    microphone: Annotated[str, typer.Option(help="Input device, likewise.")] = "",
    flash: Annotated[bool, typer.Option("--flash", help="Show the dance full screen, white at every click.")] = False,
    model: Model = "salsa", backend: Backend = "auto", dancers: Dancers = 1,
    duration: Duration = 60.0, warm_up: WarmUp = 5.0, out: Out = LAB,
) -> None:  # fmt: skip
    """Sound to packet through real devices: clicks leave a speaker and reach a microphone, by cable or through the air
    (3 ms a metre).

    When a click sounds is known as well as the speaker's driver tells it. With --flash a camera or a light sensor can
    tell sound from light: docs/latency.md says how.
    """
    from live.cli import laboratory as lab
    from live.lab.show import Plan

    seen = (lab.FLASHING,) if flash else ()
    plan = Plan("", model, backend, dancers, duration, warm_up, seen)
    lab.tell(lab.loopback(plan, speaker, microphone), out)


@bench.command()
def soak(
    input: Input = "demo", model: Model = "salsa", backend: Backend = "auto", dancers: Dancers = 1,
    duration: Duration = 3600.0, warm_up: WarmUp = 2.0,
    busy: Annotated[bool, typer.Option(help="Keep one core busy with another process.")] = True,
    recorder: Annotated[bool, typer.Option("--recorder", help="Record a take meanwhile (2 MB a minute).")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Draw the stage window too, without a display.")] = False,
    out: Out = LAB,
) -> None:  # fmt: skip
    """Deadline misses, the longest gap and the memory of a long performance, beside a bare control loop."""
    from live.cli import laboratory as lab
    from live.lab.show import Plan

    lab.tell(lab.soaked(Plan(input, model, backend, dancers, duration, warm_up), busy, recorder, preview), out,
             "soak" if busy else "soak_idle")  # fmt: skip


@bench.command()
def drills(
    faults: Annotated[int, typer.Option(min=1, help="How many.")] = 200,
    duration: Annotated[float, typer.Option(min=20.0, help="Seconds that are performed.")] = 1800.0,
    seed: Annotated[int, typer.Option(help="Same seed, same faults.")] = 0,
    model: Model = "salsa", backend: Backend = "auto", dancers: Dancers = 1, out: Out = LAB,
) -> None:  # fmt: skip
    """A show under its watchdog, and random faults: engines killed and stopped, recorder, window, receiver and
    microphone lost, a full disk, a suspended machine. Lost shows, the longest gap, and what was told of each."""
    from live.cli import laboratory as lab
    from live.lab.show import Plan

    lab.tell(lab.drilled(Plan("demo", model, backend, dancers, duration, 0.0), faults, seed), out)


@bench.command()
def compare(
    a: Annotated[Path, typer.Argument(help="A result (JSON).")],
    b: Annotated[Path, typer.Argument(help="Another of the same measurement.")],
) -> None:
    """Ratios B / A of all figures that two results have in common."""
    from live.cli import laboratory as lab

    lab.tell_ratios(a, b)
