"""`syphon:[NAME][?option=value&...]` shows the dancers as a Syphon server, which other programs of this machine read.

macOS only. `live` where NAME is left out. Options: those of `live.look`, `fps=60`, `model=RENDERER` with
`provider` and `dancer`, `alpha=straight` or premultiplied.
"""

from __future__ import annotations

from live.outputs import _shared


def open_output(uri: str) -> _shared.Shared:
    """`syphon:NAME`, or `syphon:NAME?option=value&...`."""
    return _shared.by_name(uri, SyphonOutput)


class SyphonOutput(_shared.Shared):
    """A texture of a Mac's graphics card."""

    what = "the Syphon server"
    renderer = "syphon"
    modules = ("skia", "syphon")
    system = "Darwin"
