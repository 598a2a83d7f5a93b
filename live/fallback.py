"""A backend that may be lost during the show, and one that stands by: the dance goes on from the last state that was
copied back.

A lost GPU fails, or never answers: it is asked in a thread of its own, and given up after `LIMIT`. Every half second
its state is copied to the host meanwhile; what the dancers heard since then is kept, so the second backend can be led
through the same ticks. What is left of a difference between both is added to its poses, and runs out within `BLEND`.

All of that travels with the state, since a step is a function of values: ticks may be rehearsed.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from live import realtime
from live.contracts import Backend
from live.types import FRAME_RATE, Float32, Inputs, State

LIMIT = 0.1
"""Seconds after which a step is given up: with the catching up, before a watchdog takes the engine for hung."""
CATCHING_UP = 0.05
"""Seconds at most for leading the second backend through what was missed; what is left of it is left out."""
BLEND = FRAME_RATE // 2
"""Poses within which a difference runs out."""
MIRRORED_EVERY = 15
"""Ticks; half a second at 30 Hz."""


@dataclass(eq=False)
class Followed(Mapping[str, Float32]):
    """A state of the first backend, and how to come to it from the last one on the host."""

    owner: Fallback
    inner: State
    poses: Float32 | None
    """The raw poses that were made with it."""
    copy: State
    since: tuple[Inputs, ...] = ()
    """What was heard since the copy."""
    coming: Callable[[], State | None] | None = None
    """A newer copy that is under way, of the state with `upto` of these inputs behind it."""
    upto: int = 0
    here: State | None = field(default=None, init=False)
    """Its tensors, once they have been read."""
    again: Parting | None = field(default=None, init=False)
    """It once more, from the second backend, as soon as that was asked for."""

    def __getitem__(self, name: str) -> Float32:
        if self.here is None:
            self.here = self.owner.read(self)
        return self.here[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.copy)

    def __len__(self) -> int:
        return len(self.copy)


@dataclass(eq=False)
class Parting(Mapping[str, Float32]):
    """A state of the second backend, whose next poses are still `off` [dancers, 1, channels] by a share that depends on
    how many poses are `left` of the blend."""

    inner: State
    off: Float32
    left: int = BLEND

    def __getitem__(self, name: str) -> Float32:
        return self.inner[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.inner)

    def __len__(self) -> int:
        return len(self.inner)


class Fallback(Backend):
    """The first backend until it is lost, then the second, which is warm. Both are opened here, the first one in the
    thread in which it will step, since some keep handles and graphs for each thread; what opening raises is raised."""

    def __init__(self, first: Callable[[], Backend], second: Callable[[], Backend]) -> None:
        self._asked = Asked()
        try:
            opened: Backend = self._asked(first, limit=None)
            self._first, self._second = opened, second()
        except BaseException:
            self._asked.end()
            raise
        self.name, self.device = self._first.name, self._first.device
        self._lost = self._stepping = False
        self._survived: list[str] = []

    def step(self, inputs: Inputs, state: State) -> tuple[Float32, State]:
        if not self._lost:
            followed = state if isinstance(state, Followed) else Followed(self, _plain(state), None, _plain(state))
            try:
                if not self._stepping:
                    self._stepping = True
                    realtime.as_punctual(self._asked.thread)
                poses, following = self._asked(self._advanced, inputs, followed)
                return poses, following
            except Exception as error:
                self._lose(error)
        return self._second_step(inputs, state)

    def read(self, state: Followed) -> State:
        """The tensors of a state, wherever it is."""
        if not self._lost:
            try:
                return dict(self._asked(dict, state.inner))
            except Exception as error:
                self._lose(error)
        return self._again(state).inner

    def recoveries(self) -> list[str]:
        survived, self._survived = self._survived, []
        return survived

    def close(self) -> None:
        if not self._lost:  # what is lost may hang when it is touched
            with contextlib.suppress(Exception):
                self._asked(self._first.close)
        self._asked.end()
        self._second.close()

    # ---- while the first is there --------------------------------------------------------------------------------

    def _advanced(self, inputs: Inputs, state: Followed) -> tuple[Float32, Followed]:
        if state.coming is None and len(state.since) >= MIRRORED_EVERY:
            state.coming, state.upto = self._first.copied(state.inner), len(state.since)
        poses, inner = self._first.step(inputs, state.inner)
        heard = (*state.since, inputs)
        if state.coming is not None and (copy := state.coming()) is not None:
            return poses, Followed(self, inner, poses, copy, heard[state.upto :])
        return poses, Followed(self, inner, poses, state.copy, heard, state.coming, state.upto)

    def _lose(self, error: Exception) -> None:
        self._lost = True
        self._asked.end()
        reason = str(error) or type(error).__name__
        self._survived.append(f"{self.name} was lost ({reason}); {self._second.name} goes on")
        self.name, self.device = self._second.name, self._second.device

    # ---- afterwards ----------------------------------------------------------------------------------------------

    def _second_step(self, inputs: Inputs, state: State) -> tuple[Float32, State]:
        if isinstance(state, Followed):
            state = self._again(state)
        if not isinstance(state, Parting):
            return self._second.step(inputs, state)
        raw, inner = self._second.step(inputs, state.inner)
        count = raw.shape[1]
        share = np.maximum(state.left - np.arange(1, count + 1, dtype=np.float32), 0.0) / BLEND
        raw = raw + (share * share * (3.0 - 2.0 * share))[:, None] * state.off
        if (left := state.left - count) > 0:
            return raw, Parting(inner, state.off, left)
        self.any_batch = self._second.any_batch  # before, fewer dancers would have lost what they are off by
        return raw, inner

    def _again(self, state: Followed) -> Parting:
        if state.again is None:
            state.again = self._caught_up(state)
        return state.again

    def _caught_up(self, state: Followed) -> Parting:
        """Led from the copy through what was heard since."""
        end, inner, raw = time.monotonic() + CATCHING_UP, state.copy, None
        for inputs in state.since:
            raw, inner = self._second.step(inputs, inner)
            if time.monotonic() > end:
                break
        if raw is None or state.poses is None:
            return Parting(inner, np.zeros((1, 1, 1), np.float32), 0)
        return Parting(inner, state.poses[:, -1:] - raw[:, -1:])


def _plain(state: State) -> State:
    """What lies on the host: a blend that is not over is given up."""
    return state.inner if isinstance(state, Parting) else state


class Asked:
    """A thread that does what it is asked to, and is not waited for beyond a limit. `thread`: its native id."""

    def __init__(self) -> None:
        self._questions: queue.SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()
        thread = threading.Thread(target=self._serve, name="first backend", daemon=True)
        thread.start()
        self.thread = thread.native_id or 0

    def __call__(self, act: Callable[..., Any], *arguments: Any, limit: float | None = LIMIT) -> Any:
        """What `act` returns or raises; `TimeoutError` where it does neither within `limit` seconds, and then it is not
        to be asked again."""
        self._questions.put((act, arguments))
        try:
            answer, error = self._answers.get(timeout=limit)
        except queue.Empty:
            raise TimeoutError(f"no answer for {limit:g} s") from None
        if error is not None:
            raise error
        return answer

    def end(self) -> None:
        """Without waiting: it may be hung."""
        self._questions.put(None)

    def _serve(self) -> None:
        while (question := self._questions.get()) is not None:
            act, arguments = question
            try:
                self._answers.put((act(*arguments), None))
            except Exception as error:
                self._answers.put((None, error))
            del question, arguments  # a state that is held here would have to be copied
