"""A folder of BVH files of any known skeleton: NAME.bvh, its music NAME.ogg (wav, flac, mp3) and beats NAME.beats."""

from __future__ import annotations

from pathlib import Path

from live.bench.clips import read_beats
from live.contracts import FEATURE_NAMES
from live.errors import BadFile
from live.train.bvh import read_bvh
from live.train.choice import Choice
from live.train.dance import Dance, prosody_of, read_audio
from live.train.grid import Grid, heard_grid, written_grid
from live.train.names import matched, read_tables
from live.train.retarget import retarget


def find(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.bvh"))


def read(path: Path, choice: Choice = Choice()) -> Dance:  # noqa: B008
    source, song = read_bvh(path), choice.song(path)
    tables = read_tables() if choice.names is None else read_tables(choice.names)
    try:
        motion = retarget(source, matched(source.names, tables))
    except BadFile as error:
        raise BadFile(f"{path}: {error}") from None
    grid, note = music_grid(path, song)
    return Dance(path.stem, choice.style or path.parent.name, motion, *grid, song=path.stem, audio=song, notes=note)


def music_grid(path: Path, song: Path | None) -> tuple[Grid, str]:
    """The grid written beside the motion, else the one heard in its music."""
    written = path.with_suffix(".beats")
    if written.is_file():
        grid = written_grid(read_beats(written))
        return grid, "" if grid.bpm else "its tempo changes: no beat grid"
    if song is None:
        return Grid(), "no music: silence"
    heard = heard_grid(prosody_of(read_audio(song))[:, FEATURE_NAMES.index("onset_envelope")])
    return heard, f"{heard.bpm:.1f} BPM by ear" if heard.bpm else "no beat heard"
