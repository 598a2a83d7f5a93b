"""Outputs that are looked at: what they share is how they are told to look, and how their process is started."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any

from live.errors import BadTarget, MissingExtra
from live.look import Look
from live.outputs import _handover
from live.ring import Ring

PATIENCE = 30.0
"""Seconds in which a process must say that it is ready."""
EXTRAS = {"pygame": ("pygame-ce", "preview"), "skia": ("skia-python", "preview"), "av": ("av", "film"),
          "pyvirtualcam": ("pyvirtualcam", "webcam"), "aiohttp": ("aiohttp", "monitor"),
          "cyndilib": ("cyndilib", "ndi"), "SpoutGL": ("SpoutGL", "spout"),
          "syphon": ("syphon-python", "syphon")}  # fmt: skip
"""Packages by the module that is imported, and the extra that brings them."""
UNSTARTED = "its process does not start; on Debian and Ubuntu install libegl1 and libgl1"
FALLEN = 70
"""Exit status of a renderer that could not go on."""


class Drawn(_handover.Handover):
    """One of `live/renderers/`, run with the memory's path and its settings as JSON."""

    renderer = ""
    modules: tuple[str, ...] = ("skia",)
    seen: dict[str, Any]

    def __init__(self, uri: str, look: Look, settings: dict[str, Any]) -> None:
        super().__init__(uri)
        self.look, self.settings = look, settings
        self.seen = {}
        for module in self.modules:
            if importlib.util.find_spec(module) is None:
                raise MissingExtra(*EXTRAS[module], f"output '{uri}'")

    def open(self, dancers: int, paced: bool) -> None:
        """`BadTarget` in one line when the process cannot draw: no display, no codec, no device."""
        self.child = self._process(self._make_ring(dancers, paced).path)
        answer = _handover.first_line(self.child, PATIENCE)
        if answer != "ready":
            self.child.kill()
            self.close()
            raise BadTarget(f"output '{self.uri}': {answer or UNSTARTED}")

    def _process(self, path: Path) -> subprocess.Popen[bytes]:
        told = json.dumps({"dancers": self._dancers, "look": self.look.values} | self.settings)
        return _handover.start(f"live.renderers.{self.renderer}", str(path), told)

    def _is_fault(self, code: int) -> bool:
        return code not in (0, FALLEN)

    def _reason(self, code: int) -> str:
        told = self.seen.get("error")
        return told or {0: "it was closed by hand", FALLEN: "its display or device is gone"}.get(
            code, super()._reason(code)
        )

    def _lost(self, code: int, memory: Ring) -> None:
        if self.child is not None:
            self._read_out(self.child)
        super()._lost(code, memory)

    def _ended(self, child: subprocess.Popen[bytes]) -> int:
        code = super()._ended(child)
        self._read_out(child)
        return code

    def _read_out(self, child: subprocess.Popen[bytes]) -> None:
        """What a process told at its end: how often and how late it drew, or what went wrong."""
        assert child.stdout is not None
        with contextlib.suppress(ValueError):
            self.seen = json.loads(child.stdout.read() or b"{}")
