"""`webcam:[?device=NAME&...]` shows the dancers as a camera that video calls and mixers can choose.

Options: those of `live.look`, `device=` (such as /dev/video4; the first that is free where left out), `fps=30`.
"""

from __future__ import annotations

from live.look import NAMES, make_look
from live.outputs import _drawn, _uri


def open_output(uri: str) -> WebcamOutput:
    """`webcam:`, or `webcam:?option=value&...`."""
    options = _uri.alone(uri, (*NAMES, "device", "fps"))
    look = make_look(options, f"output '{uri}'")
    fps = int(_uri.number(uri, options, "fps", 30, 1, 60))
    return WebcamOutput(uri, look, {"device": options.get("device", ""), "fps": fps})


class WebcamOutput(_drawn.Drawn):
    """The newest pose at each of the camera's frames."""

    what = "the virtual camera"
    renderer = "webcam"
    picture = True
    modules = ("skia", "pyvirtualcam")
    slots, keeps_all, patience = 8, False, 3.0
