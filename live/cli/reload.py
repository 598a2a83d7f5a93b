"""A show file taken over while the show goes on: read by another process, and refused whole if anything is wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable

from live.cli.direct import Controls, check_styles
from live.director import Director
from live.errors import Unusable
from live.reload import Reader, taken_over
from live.show import Show


class Reloading:
    """`ask` (from a signal handler too) for the file to be read, `look` at every pose; `notice` tells how it went.

    `say` None: a terminal view shows the notice, so that nothing is printed into it.
    """

    def __init__(
        self,
        reader: Reader | None,
        show: Show,
        director: Director,
        controls: Controls,
        say: Callable[[str], None] | None,
    ) -> None:
        self.notice = ""
        self._reader, self._show = reader, show
        self._director, self._controls, self._say = director, controls, say
        self._asked = self._reading = False
        if reader is not None:
            director.reload = self.ask

    def ask(self) -> None:
        self._asked = True

    def look(self) -> None:
        """Ask for what was asked for; take over what has been read. Takes a fraction of a millisecond."""
        if self._reader is None or not (self._asked or self._reading):
            return
        try:
            if not self._reading:
                self._asked, self._reading = False, True
                self._reader.ask()
            elif (show := self._reader.look()) is not None:
                self._reading = False
                self._take(show)
        except Unusable as error:
            self._reading = False
            self._refuse(f"show not reloaded: {error}")

    def _take(self, show: Show) -> None:
        check_styles(self._director.cast, show)
        orders, taken, restart = taken_over(self._show, show)
        self._director.rewrite(show.script(), orders)
        self._controls.map(show)
        self._show = show
        parts = [f"taken over {', '.join(taken)}"] if taken else []
        parts += [f"needs a restart for {', '.join(restart)}"] if restart else []
        self._tell(f"show reloaded: {'; '.join(parts) or 'nothing has changed'}")

    def _tell(self, line: str) -> None:
        self.notice = line
        if self._say is not None:
            self._say(line)

    def _refuse(self, line: str) -> None:
        self.notice = line = " ".join(line.split())
        self._director.refused += 1
        self._director.cast.engine.note(line)
        if self._say is not None:
            print(f"live: {line}", file=sys.stderr, flush=True)
