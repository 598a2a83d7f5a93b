"""What the one who imports dances may say about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SOUNDS = (".ogg", ".wav", ".flac", ".mp3")


@dataclass(frozen=True)
class Choice:
    """`music`: the folder with the songs, if not beside the motion; `names`: a table of joint names as
    `skeletons.toml`; `style`: a label in place of the layout's own; `rate`: frames/s where the files do not tell;
    `pose_space`: what a video becomes."""

    music: Path | None = None
    names: Path | None = None
    style: str | None = None
    rate: float = 30.0
    pose_space: str = "rotations22"

    def song(self, beside: Path, stem: str | None = None) -> Path | None:
        """The audio file called `stem` (else as `beside`) in the music folder or beside it."""
        for folder in (self.music, beside.parent):
            for end in SOUNDS if folder is not None else ():
                if folder is not None and (path := folder / f"{stem or beside.stem}{end}").is_file():
                    return path
        return None
