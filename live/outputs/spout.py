"""`spout:[NAME][?option=value&...]` shows the dancers as a Spout sender, which other programs of this machine read.

Windows only. `live` where NAME is left out. Options: those of `live.look`, `fps=60`, `model=RENDERER` with
`provider` and `dancer`, `alpha=straight` or premultiplied.
"""

from __future__ import annotations

from live.outputs import _shared


def open_output(uri: str) -> _shared.Shared:
    """`spout:NAME`, or `spout:NAME?option=value&...`."""
    return _shared.by_name(uri, SpoutOutput)


class SpoutOutput(_shared.Shared):
    """A texture of a Windows machine's graphics card."""

    what = "the Spout sender"
    renderer = "spout"
    modules = ("skia", "SpoutGL")
    system = "Windows"
