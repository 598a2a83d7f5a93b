"""`take:PATH[?overwrite=1]` records every pose to a file (its format: `live/take.py`).

A process of its own brings the records to the disk, so that a slow disk delays no pose, and a killed engine leaves a
whole take.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from live.outputs import _handover, _uri
from live.take import head


def open_output(uri: str) -> TakeOutput:
    """`take:PATH`, or `take:PATH?overwrite=1` to replace an existing file."""
    path, options = _uri.file_path(uri, ("overwrite",))
    return TakeOutput(uri, Path(path).expanduser(), _uri.switch(uri, options, "overwrite"))


class TakeOutput(_handover.Handover):
    """Records all dancers."""

    what = "the recording"

    def __init__(self, uri: str, path: Path, overwrite: bool) -> None:
        super().__init__(uri)
        self.path = path
        self.overwrite = overwrite

    def open(self, dancers: int, paced: bool) -> None:
        """`BadTarget` when the file exists or cannot be written, or memory for the ring is short."""
        _handover.begin_file(self.uri, self.path, self.overwrite, head(dancers))
        memory = self._make_ring(dancers, paced)
        self.child = self._process(memory.path)

    def _process(self, path: Path) -> subprocess.Popen[bytes]:
        begin = str(len(head(self._dancers)))
        return _handover.start("live.outputs._take_writer", str(path), str(self.path), begin)

    def close(self) -> None:
        """Let the writer finish the file; one that recorded nothing is removed, so that its name is free again."""
        opened = self._ring is not None and not self._joined
        super().close()
        if opened and not self.stats.sent:
            self.path.unlink(missing_ok=True)
