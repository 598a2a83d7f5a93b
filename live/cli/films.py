"""`live render`, `live film` and `live train-renderer`: films of takes and songs, drawn or as pictures of somebody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

films = typer.Typer()


@films.command("render")
def render_command(
    take: Annotated[Path, typer.Argument(help="A take recorded with `--output take:PATH`.")],
    out: Annotated[Path, typer.Option(help="The film to write (.mp4; .mov may be transparent).")],
    model: Annotated[
        str | None, typer.Option(help="Show a renderer's person: a shipped renderer's name, or a renderer's folder.")
    ] = None,
    sound: Annotated[Path | None, typer.Option(help="An audio file to lay under it.")] = None,
    offset: Annotated[float, typer.Option(help="Seconds into the take at which the sound begins.")] = 0.0,
    size: Annotated[str | None, typer.Option(help="Pixels; 1920x1080 or the renderer's own if left out.")] = None,
    fps: Annotated[
        int | None, typer.Option(help="Pictures a second; 60 or the renderer's own if left out.", min=1, max=60)
    ] = None,
    camera: Annotated[str | None, typer.Option(help="front, low, side, high, close, orbit or follow.")] = None,
    background: Annotated[str | None, typer.Option(help="stage, transparent or a colour such as 00ff00.")] = None,
    trails: Annotated[bool | None, typer.Option(help="Ribbons of light behind the hands.")] = None,
    dancer: Annotated[int, typer.Option(help="Which dancer the renderer's person dances, from 0.", min=0)] = 0,
    provider: Annotated[str, typer.Option(help="What a renderer paints on: auto, tensorrt, cuda or cpu.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a film that is there.")] = False,
) -> None:
    """Film a take."""
    from live.cli.render import Plan, render
    from live.errors import Unusable
    from live.look import Person, make_look

    switch = None if trails is None else str(int(trails))
    looks = {"camera": camera, "background": background, "trails": switch}
    drawn = {name: value for name, value in looks.items() if value is not None}
    if model is not None and drawn:
        raise Unusable(f"--{next(iter(drawn))}: a renderer shows what its footage showed; leave it out with --model")
    told = drawn | {"size": size or "1920x1080"}
    person = None if model is None else Person(model, provider, dancer, sized=size is not None)
    render(take, out, Plan(make_look(told, "options"), fps, sound, offset, overwrite, person), _say)


@films.command("film")
def film_command(
    song: Annotated[Path, typer.Argument(help="A wav, flac, ogg or mp3 file.")],
    model: Annotated[str, typer.Option(help="Who dances: a folder of a model of keypoints (keypoints18).")],
    out: Annotated[Path, typer.Option(help="The film to write (.mp4 or .mov).")],
    renderer: Annotated[
        str, typer.Option(help="Who is seen: a shipped renderer's name, or a renderer's folder.")
    ] = "puppet",
    seconds: Annotated[float | None, typer.Option(help="Of the song; all of it if left out.")] = None,
    style: Annotated[str, typer.Option(help="NAME[=W],NAME[=W]; the model's own if left out.")] = "",
    seed: Annotated[int, typer.Option(help="Same seed and song, same dance.", min=0, max=2**32 - 1)] = 1,
    temperature: Annotated[float | None, typer.Option(help="How freely to vary, 0 to 2.", min=0.0, max=2.0)] = None,
    tracker: Annotated[str, typer.Option(help="Hears the beat: pulse or aubio.")] = "pulse",
    size: Annotated[str | None, typer.Option(help="Pixels; the renderer's own if left out.")] = None,
    fps: Annotated[
        int | None, typer.Option(help="Pictures a second; the renderer's own if left out.", min=1, max=60)
    ] = None,
    provider: Annotated[str, typer.Option(help="What the renderer paints on: auto, tensorrt, cuda or cpu.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a film that is there.")] = False,
) -> None:
    """Film somebody dancing to a song, by a model that dances in the picture."""
    from live.cli.film import Dance, film
    from live.cli.render import Plan
    from live.look import Person, make_look

    look = make_look({} if size is None else {"size": size}, "options")
    dance = Dance(model, style, seed, temperature, tracker, seconds)
    person = Person(renderer, provider, sized=size is not None)
    film(song, out, dance, person, Plan(look, fps, overwrite=overwrite), _say)


@films.command("train-renderer")
def train_renderer_command(
    config: Annotated[
        Path | None,
        typer.Argument(help="A configuration (TOML), see `configs/renderer-*`; the small one if left out."),
    ] = None,
    video: Annotated[Path | None, typer.Option(help="One video of one person, filmed by a camera that stands.")] = None,
    footage: Annotated[Path | None, typer.Option(help="Footage with keypoints (.npz) in place of a video.")] = None,
    measure: Annotated[
        Path | None, typer.Option(help="Footage to measure with; the last tenth of the other if left out.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for checkpoint, log and renderer; runs/renderer-NAME if left out.")
    ] = None,
    rounds: Annotated[int | None, typer.Option(help="Instead of the configuration's.", min=1)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's checkpoint.")] = False,
    accelerator: Annotated[str, typer.Option(help="cpu, gpu, mps, or auto.")] = "auto",
    precision: Annotated[str, typer.Option(help="32-true or bf16-mixed.")] = "32-true",
    threads: Annotated[int, typer.Option(help="CPU threads.", min=1)] = 1,
) -> None:
    """Learn to show one person dancing anything, from one video of them (Pix2PixHD)."""
    from live.cli.learn import Machine
    from live.cli.learn_renderer import Sources, train_renderer

    machine = Machine(accelerator, "1", precision=precision, threads=threads)
    train_renderer(config, Sources(video, footage, measure), out, rounds, resume, machine)


def _say(line: str) -> None:
    print(line, flush=True)
