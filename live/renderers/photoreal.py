"""The dance as pictures of somebody, a process of its own: `python -m live.renderers.photoreal RING SETTINGS`.

Draws the newest pose as often as the machine carries it. Keys are the window's; C shows the next dancer.
"""

from __future__ import annotations

from live.errors import LiveError
from live.renderers import _feed, window
from live.renderers._portrait import Portrait, open_studio, own_size


def main(ring_path: str, told: str) -> int:
    """Show pictures until closed."""
    memory, look, settings = _feed.begin(ring_path, told)
    try:
        studio = open_studio(settings["renderer"], settings["provider"])
        look = look if settings["sized"] else own_size(look, studio.easel)
        shown = window.Window(look, settings["display"], settings["fullscreen"])
    except LiveError as error:
        return _feed.refused(error)
    portrait = Portrait(studio, settings["dancers"], shown.pixels, settings["dancer"])
    stage = window.Stage(look, shown, _feed.Feed(memory, settings["dancers"]), portrait)
    return window.perform(stage)


if __name__ == "__main__":
    _feed.run(main)
