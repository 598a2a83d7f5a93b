"""`webcam:[?device=NAME&...]` shows the dancers as a camera that video calls and mixers can choose.

Options: those of `live.look`, `fps=30`, `model=RENDERER` with `provider` and `dancer`, `device=` (such as /dev/video4;
the first that is free where left out).
"""

from __future__ import annotations

from live.outputs import _shared, _uri


def open_output(uri: str) -> WebcamOutput:
    """`webcam:`, or `webcam:?option=value&...`."""
    options = _uri.alone(uri, (*_shared.OPTIONS, "device"))
    look, settings = _shared.told(uri, options, 30)
    return WebcamOutput(uri, look, settings | {"device": options.get("device", "")})


class WebcamOutput(_shared.Shared):
    """A camera of this machine."""

    what = "the virtual camera"
    renderer = "webcam"
    modules = ("skia", "pyvirtualcam")
