"""Who performs a show, and where its sound comes from: all that takes long to load, and what opens hardware."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live import dictionary
from live.card import find_model, read_card
from live.choice import choose
from live.clock import Clock
from live.contracts import AudioSource, load_plugin
from live.dictionary import Player
from live.errors import BadModel, MissingExtra, NoDevice
from live.features.extractor import Extractor
from live.features.signals import Listener
from live.generator import Generator, style_weights
from live.hand import Hand
from live.show import Show


@dataclass(frozen=True)
class Troupe:
    """Who performs: all that takes long to load. `backend` is in words."""

    generator: Any
    backend: str
    hand: Hand
    features: Any
    listener: Any


def gather(show: Show, say: Callable[[str], None] = lambda line: None) -> Troupe:
    """Everyone a show needs, loaded; which backend was chosen is said."""
    generator, backend = load_generator(show, say)
    hand = Hand(load_plugin("live.beats", show.tracker, "beat tracker").open_tracker())
    lightest = load_plugin("live.beats", "aubio", "beat tracker").open_tracker()
    features = Extractor(hand, twin=Extractor(lightest))  # the twin is only practised on
    return Troupe(generator, backend, hand, features, Listener())


def load_generator(show: Show, say: Callable[[str], None] = lambda line: None) -> tuple[Generator | Player, str]:
    """The show's model on its backend, and the backend in words."""
    if show.model.startswith("dictionary:"):
        return load_player(show), "dictionary playback"
    folder = find_model(show.model)
    card = read_card(folder)
    if card.pose_space != "rotations22":
        raise BadModel(
            f"model '{card.name}' dances in the picture ({card.pose_space}) and has no bones to perform with: "
            "`live film` films it, or train one from dances prepared with --pose-space rotations22"
        )
    style = style_weights(card, show.style)
    backend, why = choose(show.backend, folder, card, show.dancers)
    if show.backend == "auto":
        say(why)
    return Generator(card, backend, show.dancers, style, show.seed, show.temperature), backend.device


def load_player(show: Show) -> Player:
    """The dictionary of `--model dictionary:DIR`."""
    folder = Path(show.model.partition(":")[2])
    found = dictionary.load(folder)
    style = style_weights(dictionary.card(found, folder.name), show.style or ",".join(map(str, found.styles)))
    return Player(found, folder.name, show.dancers, style, show.seed, show.temperature)


def make_source(show: Show, clock: Clock, say: Callable[[str], None]) -> AudioSource:
    """The show's sound; when it names none, the default microphone or else the demo, and says which."""
    wanted = show.input
    if wanted is None:
        wanted = _default_input(clock)
        say(f"input: {wanted} (none was named)")
    kind, _, argument = wanted.partition(":")
    if kind in ("demo", "silence", "microphone"):
        module, argument = kind, argument
    else:
        module, argument = "file", wanted
    source: AudioSource = load_plugin("live.audio", module, "input").open_source(argument, clock)
    return source


def _default_input(clock: Clock) -> str:
    if not clock.paced:
        return "demo"
    try:
        load_plugin("live.audio", "microphone", "input").open_source("", clock)
    except (NoDevice, MissingExtra):
        return "demo"
    return "microphone"
