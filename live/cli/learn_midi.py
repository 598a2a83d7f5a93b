"""`live learn-midi`: the show file's MIDI map, written by moving the knobs."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from live.errors import MissingExtra, NoDevice, Unusable
from live.knobs import Trigger, read_action
from live.show import make_show, read_show

REST = 0.4
"""Seconds after which a knob that was just learnt is at rest."""


def learn_midi(show: Path, orders: Sequence[str], port: str | None, say: Callable[[str], None]) -> None:
    """Wait for a knob, pad or program for each order, and write it into the show file at once."""
    from live.control.midi import find, load_mido, port_names, trigger_of
    from live.quiet import quiet_stderr

    tomlkit = _tomlkit()
    values = read_show(show) if show.exists() else {}
    for text in orders:
        _check(text)
    mido = load_mido()
    names, wanted = port_names(mido), port or values.get("midi")
    if wanted is None and not names:
        raise NoDevice("there is no MIDI input; plug one in")
    name = find(names, wanted or next((name for name in names if "through" not in name.lower()), names[0]))
    moves: queue.Queue[tuple[Trigger, int] | None] = queue.Queue()
    with quiet_stderr():
        listening = mido.open_input(name, callback=lambda message: moves.put(trigger_of(message)))
    try:
        learnt: Trigger | None = None
        for text in orders:
            say(f"{text}: move its knob on {name}, strike its pad or send its program (Ctrl-C ends)")
            learnt = _wait(moves, learnt, text, say)
            _write(tomlkit, show, wanted or name, learnt, text)
            say(f'"{learnt}" = "{text}"')
    finally:
        listening.close()
    say(f"{show} is written; a show that is going on takes it over at the key R, /live/reload or SIGHUP")


def _tomlkit() -> Any:
    try:
        import tomlkit
    except ImportError:
        raise MissingExtra("tomlkit", "midi", "writing the show file") from None
    return tomlkit


def _check(text: str) -> None:
    """`Unusable` where neither a knob nor a pad could give such an order."""
    try:
        read_action(Trigger("cc", 0), text)
    except ValueError as error:
        raise Unusable(str(error)) from None


def _wait(
    moves: queue.Queue[tuple[Trigger, int] | None], last: Trigger | None, text: str, say: Callable[[str], None]
) -> Trigger:
    """The next knob that is moved and can give this order; the last one must have come to rest before."""
    while True:
        try:
            move = moves.get(timeout=REST)
        except queue.Empty:
            last = None
            continue
        if move is None or move[1] == 0:
            continue
        trigger = move[0]._replace(channel=0)
        if trigger == last:
            continue
        try:
            read_action(trigger, text)
            return trigger
        except ValueError as error:
            say(f"{trigger} cannot: {error}")


def _write(tomlkit: Any, show: Path, port: str, trigger: Trigger, text: str) -> None:
    """Into the file, with all else in it as it was; never half of it."""
    document = tomlkit.parse(show.read_text()) if show.exists() else tomlkit.document()
    if "midi" not in document:
        document["midi"] = port
    if "midi_map" not in document:
        document["midi_map"] = tomlkit.table()
    document["midi_map"][str(trigger)] = text
    make_show(document.unwrap(), str(show))
    half = show.with_name(f".{show.name}.new")
    half.write_text(tomlkit.dumps(document))
    os.replace(half, show)
