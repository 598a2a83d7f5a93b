"""A show file taken over while the show goes on: read by another process, and refused whole if anything is wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from live.cli.direct import Controls, check_styles
from live.cli.outputs import Outputs, slowest
from live.director import Director
from live.errors import Unusable
from live.reload import Reader, taken_over
from live.show import Show


@dataclass(frozen=True)
class Stagehands:
    """Who takes a show over."""

    director: Director
    controls: Controls
    outputs: Outputs


class Reloading:
    """`ask` (from a signal handler too) for the file to be read, `look` at every pose; `notice` tells how it went.

    `say` None: a terminal view shows the notice, so that nothing is printed into it.
    """

    def __init__(self, reader: Reader | None, show: Show, hands: Stagehands, say: Callable[[str], None] | None) -> None:
        self.notice = ""
        self._reader, self._show, self._hands, self._say = reader, show, hands, say
        self._asked = False
        self._waiting: Callable[[], None] | None = None  # for the reader, or for outputs to open
        if reader is not None:
            hands.director.reload = self.ask

    def ask(self) -> None:
        self._asked = True

    def look(self) -> None:
        """Ask for what was asked for, take over what has been read. Takes a fraction of a millisecond."""
        if self._reader is None or not (self._asked or self._waiting):
            return
        try:
            if self._waiting is not None:
                self._waiting()
            else:
                self._asked = False
                self._reader.ask()
                self._waiting = partial(self._read, self._reader)
        except Unusable as error:
            self._waiting = None
            self._refuse(f"show not reloaded: {error}")

    def _read(self, reader: Reader) -> None:
        show = reader.look()
        if show is None:
            return
        check_styles(self._hands.director.cast, show)
        if show.output != self._show.output:
            self._hands.outputs.prepare(show.output)
        self._waiting = partial(self._change, show)

    def _change(self, show: Show) -> None:
        """Take over all at once, as soon as new outputs are open."""
        hands = self._hands
        before = list(hands.outputs.now)
        if show.output != self._show.output:
            if not hands.outputs.ready():
                return
            hands.outputs.change()
            hands.director.latency_is(slowest(hands.outputs.now))
        orders, taken, restart = taken_over(self._show, show)
        hands.director.rewrite(show.script(), orders)
        hands.controls.map(show)
        self._show, self._waiting = show, None
        hands.director.lasting["reload"] = None  # whoever takes over begins with the show of the beginning
        parts = [f"taken over {', '.join(taken)}"] if taken else []
        parts += [f"needs a restart for {', '.join(restart)}"] if restart else []
        parts += [output.notice for output in hands.outputs.now if output.notice and output not in before]
        self._tell(f"show reloaded: {'; '.join(parts) or 'nothing has changed'}")

    def _tell(self, line: str) -> None:
        self.notice = line
        if self._say is not None:
            self._say(line)

    def _refuse(self, line: str) -> None:
        self.notice = line = " ".join(line.split())
        self._hands.director.refused += 1
        self._hands.director.cast.engine.note(line)
        if self._say is not None:
            print(f"live: {line}", file=sys.stderr, flush=True)
