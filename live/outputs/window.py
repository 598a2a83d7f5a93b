"""`window:[?camera=front&fullscreen=1&display=1&...]` shows the dancers on a screen of this machine.

Options: those of `live.look`, `fullscreen=1` (without text), `display=N`, `text=0`, `flash=1` (white at every click).
"""

from __future__ import annotations

from live.errors import BadTarget
from live.look import CLEAR, NAMES, Look, make_look
from live.outputs import _drawn, _uri


def open_output(uri: str) -> WindowOutput:
    """`window:`, or `window:?option=value&...`."""
    options = _uri.alone(uri, (*NAMES, "text", "fullscreen", "display", "flash"))
    whole = _uri.switch(uri, options, "fullscreen")
    flash = _uri.switch(uri, options, "flash")
    look = make_look(options, f"output '{uri}'", Look(text=not whole and not flash))
    if look.background == CLEAR:
        raise BadTarget(f"output '{uri}': a window cannot be transparent: use background=00ff00, or film:FILE.mov")
    display = int(_uri.number(uri, options, "display", 0, 0, 15))
    return WindowOutput(uri, look, {"fullscreen": whole, "display": display, "flash": flash})


class WindowOutput(_drawn.Drawn):
    """The newest pose, drawn as soon as it comes. It may be closed at any time: the dance goes on, and it is noted."""

    what = "the stage window"
    renderer = "window"
    picture = True
    modules = ("pygame", "skia")
    slots, keeps_all, patience = 8, False, 3.0
