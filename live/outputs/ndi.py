"""`ndi:[NAME][?option=value&...]` shows the dancers as an NDI source, which mixers find on the network.

They find it as MACHINE (NAME), `live` where NAME is left out. Options: those of `live.look`, `fps=60`,
`model=RENDERER` with `provider` and `dancer`, `alpha=straight` or premultiplied.
"""

from __future__ import annotations

from live.outputs import _shared


def open_output(uri: str) -> _shared.Shared:
    """`ndi:NAME`, or `ndi:NAME?option=value&...`."""
    return _shared.by_name(uri, NdiOutput)


class NdiOutput(_shared.Shared):
    """A source of the local network, with an alpha channel where nothing is behind the dancers."""

    what = "the NDI source"
    renderer = "ndi"
    modules = ("skia", "cyndilib")
