"""`--input PATH`: a wav, flac, ogg or mp3 file, played at the clock's pace."""

from __future__ import annotations

from pathlib import Path

from live.audio._decode import Decoder
from live.audio._paced import played
from live.clock import Clock
from live.contracts import AudioSource
from live.errors import BadFile


def open_source(argument: str, clock: Clock) -> AudioSource:
    """The file at path `argument`; raises `BadFile` if it cannot be music."""
    if not argument:
        raise BadFile("no music file named: give its path, as in `--input song.ogg`")
    path = Path(argument).expanduser()
    return played(path.name, Decoder(path), clock)
