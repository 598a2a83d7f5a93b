"""What an engine leaves in shared memory, pose by pose, and how another one goes on from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live.contracts import Output
from live.count import Count
from live.director import Director
from live.engine import Engine
from live.ledger import Ledger
from live.legacy import NOTHING_YET, Heard, Legacy
from live.mirror import Mirror
from live.relay import Relayed
from live.types import FRAME_RATE

MOMENT, BEGUN, STATE, LEDGER, ASKED, SURVIVED = "moment", "begun", "state", "ledger", "asked", "survived"
"""Files: where everybody is (every pose), which pose is being sent, the generator's state (every few ticks), the ledger
(every second), what was asked for, and what was survived (when there is something new)."""
OVER = "over"
"""A file that is there once the show has ended, while its last engine clears up."""
AT_ONCE = 1 << 18
"""Bytes of state that are mirrored with every tick; of more dancers' only every second tick, or third, ..."""
KICK = 0.95
"""Share of the last pose that is held at first where somebody else's dance is gone on with."""


class Inheritance:
    """A `live.cli.perform.Heir`. `heard`: what the features have heard of the sound. `still`: a stand-in,
    that leads the dancers to the neutral stance and has no generator's state to leave."""

    def __init__(self, folder: Path, source: Relayed, heard: Heard = NOTHING_YET, still: bool = False) -> None:
        self._folder, self._source, self._heard, self._still = folder, source, heard, still
        self.resumes = (folder / MOMENT).exists()

    def take_over(self, engine: Engine, director: Director, outputs: Sequence[Output]) -> None:
        self._engine, self._director, self._outputs = engine, director, outputs
        state, raw, channels = engine.leave().state, engine.leave().raw, director.cast.generator.card.channels
        self._like = {"raw": np.zeros((*raw.shape[:2], channels), np.float32)}
        self._moment = Mirror(self._folder / MOMENT, self._now() | self._like)
        self._begun = Mirror(self._folder / BEGUN, {"slot": np.zeros((), np.int64)})
        self._state = None if self._still else Mirror(self._folder / STATE, state)
        self._ledger = Mirror(self._folder / LEDGER, engine.ledger.figures())
        self._every = 1 if self._state is None else 1 + self._state.size // AT_ONCE
        self._asked: dict[str, Any] = {}
        self._failed, self._troubled = dict[Output, int](), set[Output]()
        self._resume(self._moment.newest())
        engine.ledger.told = self._told

    # ---- leaving -------------------------------------------------------------------------------------------------

    def at_slot(self) -> None:
        self._begun.write({"slot": np.array(self._engine.leave().slot)})

    def each_slot(self) -> None:
        engine = self._engine
        left = engine.leave()
        if self._state is not None and left.slot % left.raw.shape[1] == 0 and engine.ledger.ticks % self._every == 0:
            self._state.write(left.state)
        if engine.ledger.poses % FRAME_RATE == 0:
            self._ledger.write(engine.ledger.figures())
            self._note_troubles()
        if self._director.lasting != self._asked:
            self._asked = dict(self._director.lasting)
            _write_whole(self._folder / ASKED, json.dumps(self._asked))
        self._moment.write(self._now())  # last: it is the heartbeat, and says that the others are there

    def _note_troubles(self) -> None:
        """Tell once of an output that begins to fail, and once that it is well again. Looked at once a second."""
        for output in self._outputs:
            more, self._failed[output] = output.stats.errors - self._failed.get(output, 0), output.stats.errors
            if bool(more) != (output in self._troubled):
                (self._troubled.add if more else self._troubled.discard)(output)
                self._engine.note(f"output {output.told}: {output.stats.last_error if more else 'is well again'}")

    def over(self) -> None:
        (self._folder / OVER).touch()

    def _now(self) -> dict[str, NDArray[Any]]:
        """Where everybody is, as arrays."""
        slot, began, last_sent, raw, _, body, count = self._engine.leave()
        counted = [(output.stats.sent, output.stats.errors) for output in self._outputs]
        return {
            "numbers": np.array([slot, began, last_sent, self._source.heard], np.float64),
            "counters": self._engine.ledger.counters(),
            "outputs": np.array(counted, np.int64).reshape(-1, 2),
            "raw": raw,
            "count": np.array(count, np.complex128),
            **{f"body {name}": np.asarray(value) for name, value in body._asdict().items() if name != "past"},
            **{f"director {name}": value for name, value in self._director.leave().items()},
        }

    def _told(self, line: str) -> None:
        with open(self._folder / SURVIVED, "a", encoding="utf-8") as file:  # in memory, and rare
            file.write(" ".join(line.split()) + "\n")

    # ---- taking over ---------------------------------------------------------------------------------------------

    def _resume(self, left: Mapping[str, NDArray[Any]] | None) -> None:
        if left is None:
            return
        engine, director = self._engine, self._director
        engine.take_over(self._legacy(left), self._heard)
        self._count_on(engine.ledger, left)
        for output, (sent, errors) in zip(self._outputs, left["outputs"], strict=False):
            output.stats.sent, output.stats.errors = int(sent), int(errors)
        self._failed = {output: output.stats.errors for output in self._outputs}
        self._source.heard = int(left["numbers"][3])
        of_director = {name.partition(" ")[2]: value for name, value in left.items() if name.startswith("director ")}
        director.take_over(self._read_asked(), of_director, left["body mark"])
        if self._still:
            director.stand(KICK)

    def _legacy(self, left: Mapping[str, NDArray[Any]]) -> Legacy:
        """The moment, with the generator's newest state. A pose whose sending had begun may have gone: no other has
        its number."""
        own = self._engine.leave()
        slot, began, last_sent, _ = map(float, left["numbers"])
        begun = self._begun.newest()
        slot = slot if begun is None else max(slot, int(begun["slot"]) + 1)
        body = own.body._replace(**{name: left[f"body {name}"] for name in own.body._fields if name != "past"})
        state = None if self._state is None else self._state.newest()
        raw = left["raw"] if left["raw"].any() else own.raw
        beats, bpm, ahead, doubt, age = left["count"]
        count = Count(beats.real, bpm.real, complex(ahead), doubt.real, age.real)
        return Legacy(int(slot), began, last_sent, raw, state or own.state, body._replace(age=float(body.age)), count)

    def _count_on(self, ledger: Ledger, left: Mapping[str, NDArray[Any]]) -> None:
        if (figures := self._ledger.newest()) is not None:
            ledger.put_back(figures)
        ledger.put_back_counters(left["counters"])
        path = self._folder / SURVIVED
        ledger.recoveries += path.read_text("utf-8").splitlines()[-1000:] if path.exists() else []

    def _read_asked(self) -> dict[str, Any]:
        path = self._folder / ASKED
        return dict(json.loads(path.read_text())) if path.exists() else {}


def _write_whole(path: Path, text: str) -> None:
    scratch = path.with_name(path.name + ".part")
    scratch.write_text(text)
    scratch.replace(path)
