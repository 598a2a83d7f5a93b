"""`film:FILE.mp4[?overwrite=1&...]` films the show, with what was listened to as its sound.

Options: those of `live.look`, `overwrite=1`, `fps=60`. A `.mov` with `background=transparent` has an alpha channel.
"""

from __future__ import annotations

from pathlib import Path

from live.errors import BadTarget
from live.look import CLEAR, NAMES, Look, make_look
from live.outputs import _drawn, _handover, _uri
from live.outputs._sound import SoundMemory
from live.types import Float32

ENDINGS = (".mp4", ".mov")
BLOCKS = 8192
"""Of sound, that fit into shared memory: as long as the poses, at two blocks a pose."""


def open_output(uri: str) -> FilmOutput:
    """`film:FILE.mp4`, or `film:FILE.mp4?option=value&...`."""
    name, options = _uri.file_path(uri, (*NAMES, "overwrite", "fps"))
    path, look = Path(name).expanduser(), make_look(options, f"output '{uri}'")
    if path.suffix.lower() not in ENDINGS:
        raise BadTarget(f"output '{uri}': a film's name ends in {' or '.join(ENDINGS)}")
    if look.background == CLEAR and path.suffix.lower() != ".mov":
        raise BadTarget(f"output '{uri}': only a .mov can be transparent: write film:{path.with_suffix('.mov')}")
    fps = int(_uri.number(uri, options, "fps", 60, 1, 60))
    return FilmOutput(uri, path, look, fps, _uri.switch(uri, options, "overwrite"))


class FilmOutput(_drawn.Drawn):
    """Every pose, and the sound. A film that is drawn slower than it is danced shows fewer pictures, in time all the
    same; it is finished after the show."""

    what = "the filming"
    renderer = "film"
    modules = ("skia", "av")
    hears = True
    revives = False
    patience = 120.0
    closing = "finishing the film"

    def __init__(self, uri: str, path: Path, look: Look, fps: int, overwrite: bool) -> None:
        super().__init__(uri, look, {})
        self.path, self.fps, self.overwrite = path, fps, overwrite
        self._sound: SoundMemory | None = None

    def open(self, dancers: int, paced: bool) -> None:
        """`BadTarget` when the file exists or cannot be written, or nothing here can encode it."""
        _handover.begin_file(self.uri, self.path, self.overwrite, b"")
        self._sound = SoundMemory(self.uri, BLOCKS, keeps_all=True, name=self._named())
        self.settings = {"path": str(self.path), "fps": self.fps, "sound": self._sound.path, "hurry": paced}
        super().open(dancers, paced)

    def join(self, dancers: int) -> None:
        super().join(dancers)
        self._sound = SoundMemory(self.uri, BLOCKS, keeps_all=True, name=self._named(), joined=True)

    def _named(self) -> Path | None:
        return None if self.memory is None else self.memory.with_name(self.memory.name + ".sound")

    def hear(self, samples: Float32, captured: float) -> None:
        """Sound that finds no room is left out: the film is silent there, and goes on in time."""
        if self._sound is not None:
            self._sound.write(samples, captured)

    def close(self) -> None:
        """Wait until the film is finished; one with nothing in it is removed."""
        opened = self._ring is not None and not self._joined
        super().close()
        if opened and not self.stats.sent:
            self.path.unlink(missing_ok=True)
        if self._sound is not None:
            self._sound.close()
            self._sound = None
