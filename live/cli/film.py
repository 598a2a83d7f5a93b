"""`live film`: a song as a film of somebody who dances to it, by a model of keypoints and a renderer.

The seed paper's own chain: keypoints from video, a generator of keypoints, Pix2PixHD.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from live import keypoints
from live.card import find_model, read_card
from live.cli.perform import automatic_lead
from live.cli.render import Pixels, Plan, check, heard, shot
from live.clock import VirtualClock
from live.contracts import BeatTracker, load_plugin
from live.engine import Engine, Timing
from live.errors import BadModel, Failed, Unusable
from live.features.extractor import Extractor
from live.frames.easel import Easel, open_easel
from live.frames.folder import find_renderer
from live.frames.stature import placed
from live.generator import Generator, style_weights
from live.look import Look, Person
from live.motion.body import Body, Motion
from live.types import FRAME_RATE, HOP, Float32


@dataclass(frozen=True)
class Dance:
    """What is danced: a model of keypoints by name or folder, and what a performer would tell it. `seconds`: of the
    song, from its beginning; all of it if None."""

    model: str
    style: str = ""
    seed: int = 1
    temperature: float | None = None
    tracker: str = "pulse"
    seconds: float | None = None


class Sketch:
    """A motion stage for dances that have no bodies: keeps the first dancer's poses, channels [36]."""

    def __init__(self) -> None:
        self.poses: list[Float32] = []

    def initial_state(self, dancers: int) -> Body:
        return Motion().initial_state(dancers)

    def step(self, raw: Float32, body: Body) -> Body:
        self.poses.append(raw[0])
        return body


def film(song: Path, out: Path, dance: Dance, person: Person, plan: Plan, say: Callable[[str], None]) -> None:
    """Film a person dancing to a song. Nothing is written before all that is named is known to be good."""
    check(out, plan)
    from live.renderers._portrait import own_size

    generator, easel = dancer(dance), open_easel(find_renderer(person.renderer), person.provider)
    sound = heard(song, say, limit(dance))
    look = plan.look if person.sized else own_size(plan.look, easel)
    fps = plan.fps or min(round(easel.card.rate), FRAME_RATE)
    say(easel.told)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        dancing = progress.add_task("dancing", total=len(sound) // HOP + 1)
        poses = danced(generator, dance.tracker, sound, lambda: progress.advance(dancing))
        at = np.arange(1e-6, len(poses), FRAME_RATE / fps).astype(int)
        points = placed(keypoints.pictured(poses[at]), easel.card.stature)
        shots = progress.track(paintings(points, easel, look), len(at), description="painting")
        told = shot(out, look, fps, shots, sound)
    say(told)


def dancer(dance: Dance) -> Generator:
    """The model on the CPU. `BadModel` where it is not of keypoints, `Unusable` where it knows no such style."""
    from live.backends.cpu import open_backend

    folder = find_model(dance.model)
    card = read_card(folder)
    if (card.pose_space, card.channels) != (keypoints.SPACE, keypoints.CHANNELS):
        raise BadModel(
            f"model '{card.name}' has bones ({card.pose_space}): perform it with --output take:PATH, "
            "and film the take with `live render`"
        )
    style, backend = style_weights(card, dance.style), open_backend(folder, card, 1)
    return Generator(card, backend, 1, style, dance.seed, dance.temperature)


def limit(dance: Dance) -> float:
    """Seconds of the song that are danced to, at most."""
    if dance.seconds is None:
        return math.inf
    if not 0.1 <= dance.seconds < math.inf:
        raise Unusable(f"--seconds {dance.seconds:g}: a film lasts a tenth of a second or longer")
    return dance.seconds


def danced(generator: Generator, tracker: str, sound: Float32, each_pose: Callable[[], None]) -> Float32:
    """Channels [T, 36], pose k at k / 60 s into the sound: the stage's own engine, its clock as fast as it goes.
    `Failed` where the model gives no body."""
    from live.audio._paced import PacedSource
    from live.audio._reel import Reel

    beats: BeatTracker = load_plugin("live.beats", tracker, "beat tracker").open_tracker()
    clock, sketch = VirtualClock(), Sketch()
    source = PacedSource("song", Reel([sound]), clock)
    timing = Timing(automatic_lead(generator, []), tempo_range=generator.card.tempo_range)
    engine = Engine(source, Extractor(beats), generator, sketch, [], clock, timing)
    source.start()
    engine.run(None, each_pose)
    poses = np.array(sketch.poses, np.float32)[: math.ceil(len(sound) / HOP)]
    if engine.ledger.recoveries or not np.ptp(poses, 1).all():
        reason = "; ".join(engine.ledger.recoveries[:1]) or "it gives nobody who could be seen"
        raise Failed(f"model '{generator.card.name}' cannot dance to this song: {reason}")
    return poses


def paintings(points: Float32, easel: Easel, look: Look) -> Iterator[Pixels]:
    """The renderer's person in keypoints [T, 18, 2] of its picture, one picture after the other, in the same pixels
    [H, W, 4]."""
    from live.renderers._drawing import blank
    from live.renderers._portrait import Mount

    pixels, before = blank(look), easel.initial_state()
    mount = Mount(pixels)
    for body in points:
        picture, before = easel.paint(body, before)
        mount.take(picture)
        mount.draw()
        yield pixels
