"""`--input demo`: the bundled music, from the beginning again whenever it ends."""

from __future__ import annotations

from pathlib import Path

from live.audio._decode import Decoder
from live.audio._paced import played
from live.clock import Clock
from live.contracts import AudioSource

MUSIC = Path(__file__).with_name("demo.ogg")


def open_source(argument: str, clock: Clock) -> AudioSource:
    """The demo; `argument` means nothing here."""
    return played("demo", Decoder(MUSIC, looped=True), clock)
