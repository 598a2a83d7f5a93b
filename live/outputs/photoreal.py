"""`photoreal:[RENDERER][?fullscreen=1&...]` shows a dancer as a renderer's person, on a screen of this machine.

RENDERER is a shipped renderer's name or a renderer's folder; `puppet` where left out. Options: `provider=auto` (cuda or
cpu), `dancer=0`, `size`, `fullscreen=1` (without text), `display=N`, `text=0`.
"""

from __future__ import annotations

from live.errors import BadTarget
from live.look import PROVIDERS, Look, make_look
from live.outputs import _drawn, _uri

OPTIONS = ("size", "text", "fullscreen", "display", "provider", "dancer")
USUAL = "puppet"


def open_output(uri: str) -> PhotorealOutput:
    """`photoreal:`, `photoreal:RENDERER` or either with `?option=value&...`."""
    scheme, _, rest = uri.partition(":")
    name, options = _uri.file_path(uri if rest.partition("?")[0] else f"{scheme}:{USUAL}{rest}", OPTIONS)
    whole = _uri.switch(uri, options, "fullscreen")
    look = make_look(options, f"output '{uri}'", Look(text=not whole))
    settings = {
        "renderer": name,
        "provider": _uri.choice(uri, options, "provider", PROVIDERS),
        "dancer": _uri.count(uri, options, "dancer", 63),
        "display": int(_uri.number(uri, options, "display", 0, 0, 15)),
        "fullscreen": whole,
        "sized": "size" in options,
    }
    return PhotorealOutput(uri, look, settings)


class PhotorealOutput(_drawn.Drawn):
    """The newest pose, as often as it can be drawn. It may be closed at any time: the dance goes on."""

    what = "the photoreal window"
    renderer = "photoreal"
    picture = True
    modules = ("pygame", "skia")
    slots, keeps_all, patience = 8, False, 3.0

    def open(self, dancers: int, paced: bool) -> None:
        """`BadTarget` when there is no such dancer, renderer, provider or display."""
        if self.settings["dancer"] >= dancers:
            raise BadTarget(
                f"output '{self.uri}': there is no dancer {self.settings['dancer']}: choose 0..{dancers - 1}"
            )
        super().open(dancers, paced)
