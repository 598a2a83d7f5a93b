"""The commands and their options. What they do is imported when they are called, so that `live --help` is quick."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from live import __version__
from live.cli import commands
from live.cli.bench import bench
from live.cli.films import films
from live.cli.learning import learning
from live.cli.study import study
from live.errors import Failed, LiveError, MissingExtra, Unusable

if TYPE_CHECKING:
    from live.cli.perform import Run

app = typer.Typer(
    name="live", help="Music in, dance out, while it plays.", no_args_is_help=True, pretty_exceptions_enable=False,
    add_completion=False,
)  # fmt: skip
app.add_typer(bench, name="bench")
app.add_typer(study, name="study")
app.add_typer(learning)
app.add_typer(films)


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Tell the version and end.")] = False) -> None:
    if version:
        print(f"live {__version__}")
        raise typer.Exit


@app.command("perform", cls=commands.Perform)
def perform_command(
    show: Annotated[Path | None, typer.Argument(help="Show file (TOML); options override it.")] = None,
    input: Annotated[str | None, typer.Option(help="demo, microphone[:NAME], an audio file, or silence.")] = None,
    model: Annotated[str | None, typer.Option(help="A shipped model's name, or a model folder.")] = None,
    backend: Annotated[str | None, typer.Option(help="auto, tensorrt, cuda or cpu.")] = None,
    output: Annotated[
        list[str] | None,
        typer.Option(
            help="vmc://HOST:PORT, vrchat://, osc://, take:PATH, window:, film:FILE.mp4, photoreal:, monitor:,"
            " null: (several)."
        ),
    ] = None,
    tracker: Annotated[str | None, typer.Option(help="Beat tracker.")] = None,
    dancers: Annotated[int | None, typer.Option(help="How many dance.")] = None,
    style: Annotated[str | None, typer.Option(help="NAME[=WEIGHT],...")] = None,
    anticipation: Annotated[
        float | None, typer.Option(help="Meet the beat this many ms early; automatic if left out.")
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="How freely to vary, 0 to 2.")] = None,
    control: Annotated[
        str | None, typer.Option(help="HOST:PORT where OSC orders are heard, or off; this machine's 9011 if left out.")
    ] = None,
    midi: Annotated[str | None, typer.Option(help="A MIDI input by its name or a part of it.")] = None,
    follow: Annotated[
        str | None, typer.Option(help="Whose beat leads while there is one: link, midi or off (the music's).")
    ] = None,
    oscquery: Annotated[
        str | None,
        typer.Option(help="PORT of this machine (or HOST:PORT) that describes the OSC addresses, or off."),
    ] = None,
    duration: Annotated[float | None, typer.Option(help="Seconds; without end if left out.")] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed and sound, same dance.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a JSON report here at the end.")] = None,
    trace: Annotated[
        Path | None, typer.Option(help="Write what each pose's time was spent on here, for ui.perfetto.dev.")
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="As fast as it goes instead of at the clock's pace.")] = False,
    realtime: Annotated[bool, typer.Option(help="Real-time scheduling and locked memory where permitted.")] = True,
    watchdog: Annotated[
        bool, typer.Option("--watchdog", help="Have a second engine take over where the first one dies or hangs.")
    ] = False,
    preview: Annotated[
        bool | None,
        typer.Option(
            help="Show the dancers in a window (the same as --output window:), or nothing at all;"
            " a live view in the terminal if left out."
        ),
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Film the show with its sound: FILE.mp4 (the same as --output film:FILE.mp4).")
    ] = None,
    monitor: Annotated[
        str | None,
        typer.Option(
            metavar="[HOST:PORT]",
            help="Serve a page with the dance and how the show goes; this machine's port 8011 if nothing follows.",
        ),
    ] = None,
    monitor_orders: Annotated[bool, typer.Option("--monitor-orders", help="Let the monitor page give orders.")] = False,
) -> None:
    """Dance to music as it plays, and stream the poses."""
    from live.cli.perform import Run

    options = {
        "input": input, "model": model, "backend": backend, "output": output or None, "tracker": tracker,
        "dancers": dancers, "style": style, "anticipation": anticipation, "temperature": temperature,
        "duration": duration, "seed": seed, "control": control, "oscquery": oscquery,
        "midi": midi, "follow": follow,
    }  # fmt: skip
    given = {name: value for name, value in options.items() if value is not None}
    run = Run(fast, realtime, preview is not False, report, trace, show, given)
    _perform(run, _shown(bool(preview), record, monitor, monitor_orders), watchdog)


def _perform(run: Run, shown: list[str], watchdog: bool) -> None:
    """The show of `run.file` and `run.options`, with the outputs `shown` beside its own."""
    from live.cli.perform import perform
    from live.show import make_show, read_show

    values: dict[str, Any] = {**(read_show(run.file) if run.file is not None else {}), **run.options}
    for name, path in (("--report", run.report), ("--trace", run.trace)):
        _check_writable(name, path)
    if run.trace is not None and run.fast:
        raise Unusable("--trace: with --fast there are no times to tell; leave one of them out")
    if shown:
        outputs = {"output": [*make_show(values, "options").output, *shown]}
        values, run = values | outputs, replace(run, options={**run.options, **outputs})
    if not watchdog:
        perform(make_show(values, "options"), run, _say)
        return
    from live.cli.watchdog import watch_over

    raise typer.Exit(watch_over(make_show(values, "options"), run, _say))


def _shown(preview: bool, record: Path | None, monitor: str | None, orders: bool) -> list[str]:
    """The outputs that these options stand for."""
    if orders and monitor is None:
        raise Unusable("--monitor-orders: there is no page to give orders; add --monitor")
    window = ["window:"] if preview else []
    film = [f"film:{record}"] if record is not None else []
    page = [f"monitor://{monitor}{'?orders=1' * orders}"] if monitor is not None else []
    return [*window, *film, *page]


def _check_writable(option: str, path: Path | None) -> None:
    if path is not None and not path.absolute().parent.is_dir():
        raise Unusable(f"{option} {path}: the folder does not exist; make it first")
    if path is not None and path.is_dir():
        raise Unusable(f"{option} {path}: is a folder; name a file in it")


@app.command("learn-midi")
def learn_midi_command(
    show: Annotated[Path, typer.Argument(help="Show file (TOML); it is made if it is not there.")],
    orders: Annotated[list[str], typer.Argument(help='Orders, for example intensity "freeze toggle" "cue next".')],
    port: Annotated[str | None, typer.Option(help="A MIDI input; the show file's, or the first one.")] = None,
) -> None:
    """Give each order a knob, pad or program by moving it, and write that into the show file."""
    from live.cli.learn_midi import learn_midi

    learn_midi(show, orders, port, _say)


@app.command("build-engine")
def build_engine_command(
    model: Annotated[str, typer.Argument(help="A shipped model's name, or a model folder.")],
    precision: Annotated[list[str] | None, typer.Option(help="fp16 or fp32; both if left out.")] = None,
    dancers: Annotated[list[int] | None, typer.Option(min=1, max=64, help="For how many (several); 1.")] = None,
    gpu: Annotated[
        list[str] | None,
        typer.Option(help="sm86, sm89, sm120, ... (several); this machine's, or those three where it has none."),
    ] = None,
) -> None:
    """Make TensorRT engines of a model, ahead of a show, and tell how exact they are."""
    from live.cli.engines import build_engines

    build_engines(model, precision or ["fp16", "fp32"], dancers or [1], gpu or [], _say)


@app.command()
def devices() -> None:
    """List audio inputs by name, with sample rates and latencies, and MIDI inputs."""
    from live.audio.microphone import list_devices
    from live.control.midi import load_mido, port_names

    rows: list[tuple[str, ...]] = [
        (d.name, f"{d.sample_rate:.0f} Hz", str(d.channels), f"{d.low_latency * 1e3:.0f} ms",
         f"{d.high_latency * 1e3:.0f} ms", "default" if d.default else "")
        for d in list_devices()
    ]  # fmt: skip
    with contextlib.suppress(MissingExtra):
        rows += [(name, "", "", "", "", "MIDI") for name in port_names(load_mido())]
    _table(
        ("name", "sample rate", "channels", "latency low", "latency high", ""),
        rows,
        "no audio input was found: plug one in, or play a file with `live perform --input FILE`",
    )  # fmt: skip


@app.command()
def models() -> None:
    """List the shipped models and renderers from their cards."""
    from live.card import find_model, read_card, shipped_models
    from live.frames.folder import find_renderer, read_renderer, shipped_renderers

    cards = [read_card(find_model(name), check_files=False) for name in shipped_models()]
    renderers = [read_renderer(find_renderer(name), check_files=False) for name in shipped_renderers()]
    rows: list[tuple[str, ...]] = [(c.name, c.title, ", ".join(c.styles), c.licence) for c in cards]
    _table(
        ("name", "what", "styles", "licence"),
        rows + [(r.name, r.title, "(pictures)", r.licence) for r in renderers],
        "no model is shipped with this installation: make one with `live train` and `live export`",
    )


@app.command()
def beats(
    audio: Annotated[Path, typer.Argument(help="An audio file.")],
    tracker: Annotated[str, typer.Option(help="Beat tracker.")] = "pulse",
    json: Annotated[bool, typer.Option("--json", help="Each beat with its time and when it was reported.")] = False,
    events: Annotated[
        bool, typer.Option("--events", help="Also what else happens: a line `time name strength` each.")
    ] = False,
) -> None:
    """Print the beat times (s) that the online tracker reports, one a line."""
    from live.cli.beats import print_beats

    print_beats(audio, tracker, json, events)


@app.command("convert")
def convert_command(
    take: Annotated[Path, typer.Argument(help="A take recorded with `--output take:PATH`.")],
    out: Annotated[Path, typer.Argument(help="Where to write; the ending says what (.npz, .bvh, .glb, .csv).")],
    dancer: Annotated[int, typer.Option(help="Which dancer, from 0.")] = 0,
) -> None:
    """Write a take in another format."""
    from live.cli.convert import convert

    _say(convert(take, out, dancer))


@app.command("replay")
def replay_command(
    take: Annotated[Path, typer.Argument(help="A take recorded with `--output take:PATH`.")],
    output: Annotated[list[str] | None, typer.Option(help="As `live perform --output` (several).")] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Again and again until Ctrl-C.")] = False,
    fast: Annotated[bool, typer.Option("--fast", help="As fast as it goes instead of with its timing.")] = False,
) -> None:
    """Stream a take again, with its timing, to any output."""
    from live.cli.convert import replay

    replay(take, output or ["vmc://127.0.0.1:39539"], loop, fast, _say)


@app.command("preview")
def preview_command(
    stream: Annotated[
        str, typer.Argument(help="Where it comes in: vmc://HOST:PORT or osc://HOST:PORT; 0.0.0.0 for any.")
    ],
    output: Annotated[list[str] | None, typer.Option(help="As `live perform --output` (several).")] = None,
    dancers: Annotated[
        int, typer.Option(help="How many dance; VMC's dancer n comes in at port + n.", min=1, max=64)
    ] = 1,
    duration: Annotated[float | None, typer.Option(help="Seconds; until the window is closed if left out.")] = None,
) -> None:
    """Show the dance that another machine streams."""
    from live.cli.preview import preview

    preview(stream, output or ["window:"], dancers, duration, _say)


def _say(line: str) -> None:
    print(line, flush=True)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]], nothing: str) -> None:
    from rich.console import Console
    from rich.table import Table

    if not rows:
        raise Unusable(nothing)
    table = Table(*head, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def main() -> None:
    """Run the command line; exit status 0 done, 1 failed while running, 2 unusable (one line, never a traceback)."""
    signal.signal(signal.SIGTERM, _terminated)
    code = told_as_status(lambda: app(standalone_mode=False))
    sys.exit(1 if code == 130 else code)  # interrupted before the show could begin


def _terminated(number: int, _frame: FrameType | None) -> None:
    """End as from an exception, so that what was begun is tidied up: other processes, temporary files."""
    sys.exit(128 + number)


def told_as_status(work: Callable[[], Any]) -> Any:
    """What `work` returns, or an exit status whose reason has been told in one line."""
    try:
        return work()
    except Unusable as error:
        return _fail(str(error), 2)
    except LiveError as error:
        return _fail(str(error), 1)
    except (KeyboardInterrupt, BrokenPipeError):
        return 1
    except Exception as error:
        if not hasattr(error, "format_message"):
            return _fail(f"{Failed.__doc__} {type(error).__name__}: {error}. Please report this.", 1)
        return _fail(f"{error.format_message()} (see `live --help`)", 2)


def _fail(message: str, code: int) -> int:
    print(f"live: {' '.join(message.split())}", file=sys.stderr)
    return code
