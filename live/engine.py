"""The loop and only the loop: at each pose slot listen, at each tick generate, move, send, and write the ledger.

It knows contracts, values, the clock and the ledger; no device, no ONNX, no OSC, no drawing. It never waits but for the
next slot, and survives what the rooms around it throw: a fault is counted in the ledger and the show goes on.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from live.clock import Clock
from live.contracts import AudioSource, FeatureSource, Output, SignalSource
from live.count import Count, counted, danced, tempo
from live.ledger import Ledger, Survived, Times
from live.legacy import Heard, Legacy
from live.load import DANCERS, Load, extrapolated
from live.pace import PERIOD, PoseClock
from live.rehearsal import Rehearsal
from live.types import AudioBlock, BeatState, FeatureFrame, Float32, Pose, Signals, State

STALL = 0.25
"""Seconds behind after which slots are skipped rather than caught up with."""
AHEAD = 0.09 * PERIOD
"""Seconds before a slot at which the sound so far is heard; rehearsals end there."""
LARGEST_RAW = 1e3
"""No channel of a body (m, m/s, rad/s) is ever this large."""
FEW = 10
"""Extrapolated ticks of a whole show that are not worth telling: the deadline misses tell of them."""
NOTHING: Float32 = np.zeros(0, np.float32)
DEAF = 2.0
"""Seconds without sound after which the dancers hear silence."""


class TickGenerator(Protocol):
    """What the loop needs of a generator (`live.generator.Generator`)."""

    poses_per_tick: int
    dancers: int
    awake: int
    """How many dance for themselves; the others do what the first does."""

    @property
    def metre(self) -> int:
        """Beats of the bar that is danced, whatever the music's; 0: the music's."""

    def initial_state(self) -> State: ...
    def step(self, features: Float32, tick: int, state: State) -> tuple[Float32, State]: ...


class BodyMotion(Protocol):
    """What the loop needs of a motion stage (`live.motion.body.Motion`); a body is a value."""

    def initial_state(self, dancers: int) -> Any: ...
    def step(self, raw: Float32, body: Any) -> Any: ...


@dataclass(frozen=True)
class Timing:
    """lead: seconds of anticipation; beat phases run ahead by this and by the source's latency. tempo_range: bpm that
    the model was trained on; slower beats are doubled, faster ones halved. latency: the outputs', for `play_time`.
    rehearsals: how often each tick is run in advance."""

    lead: float = 0.0
    latency: float = 0.0
    tempo_range: tuple[float, float] = (0.0, 1000.0)
    rehearsals: int = 0


class Engine:
    """One performance. `run` returns when the duration is over, the source is finished or `stop` was called."""

    def __init__(
        self,
        source: AudioSource,
        features: FeatureSource,
        generator: TickGenerator,
        motion: BodyMotion,
        outputs: Sequence[Output],
        clock: Clock,
        timing: Timing = Timing(),
        listener: SignalSource | None = None,
    ) -> None:
        self.ledger = Ledger()
        self.beat, self.level, self.signals = BeatState(), 0.0, Signals()
        self.deaf = 0.0  # seconds for which no sound has come, not even silence
        self._listener, self._unheeded = listener, list[Float32]()
        self._source, self._features, self._generator, self._motion = source, features, generator, motion
        self.timing = timing
        self._outputs, self._clock = outputs, clock
        self._state, self._body = generator.initial_state(), motion.initial_state(generator.dancers)
        self._raw: Float32 = np.zeros((generator.dancers, generator.poses_per_tick, 1), np.float32)
        self._heard: list[FeatureFrame] = []
        self._last = FeatureFrame(features.silent_values(), 0, 0.0, BeatState())
        self._last_heard = self._last_sent = self._began = self._counted_at = float("nan")
        self._count = Count()
        self._rehearsal = Rehearsal(clock, self._rehearse)
        self._pushed = self._slot = self._heard_to = 0
        self._stopped = False
        self._load = Load()

    def stop(self) -> None:
        """Ask the loop to end after the pose in hand; safe in a signal handler."""
        self._stopped = True

    def reset(self) -> None:
        """Let the generator begin anew with its next tick; bodies go on from where they are."""
        self._state = self._generator.initial_state()

    @property
    def tempo(self) -> float:
        """Bpm that is danced, in the octave that is heard."""
        return tempo(self._count, self.beat)

    def leave(self) -> Legacy:
        """What is needed to go on from the last pose; arrays are not copies."""
        return Legacy(self._slot, self._began, self._last_sent, self._raw, self._state, self._body, self._count)

    def take_over(self, legacy: Legacy, heard: Heard) -> None:
        """Go on where another engine ended."""
        self._slot, self._began, self._last_sent, self._raw, self._state, self._body, self._count = legacy
        self._counted_at = legacy.last_sent
        self._pushed = heard.samples
        if heard.newest is not None:
            self._last, self.beat, self.level = heard.newest, heard.newest.beat, heard.newest.level

    @property
    def began(self) -> float:
        """Host time at which the show began; NaN before."""
        return self._began

    @property
    def heard_until(self) -> float:
        """Host time at which the last sample heard was captured; NaN before any."""
        return self._source.capture_time(self._heard_to)

    def note(self, what: str) -> None:
        """Enter something survived in the ledger, with the time of the show."""
        self._note(self._clock.now(), what)

    def run(
        self,
        duration: float | None = None,
        each_slot: Callable[[], None] | None = None,
        at_slot: Callable[[], None] | None = None,
    ) -> None:
        """Perform. `at_slot` runs just before each pose, so that what it changes shows at once: it must be brief;
        `each_slot` after it, in the time left until the next."""
        pace = PoseClock(self._source.capture_time, lambda: self._source.latency)
        if self._slot:
            self.ledger.misses += max(0, round((self._clock.now() - self._last_sent) / PERIOD) - 1)
        else:
            self._rehearsal.warm_up()
            self._began = self._clock.now()
        self._last_heard = self._clock.now()
        due = pace.start(self._last_heard)
        while not self._over(due, duration):
            self._rehearse_until(due - AHEAD)
            self._listen_ahead(due)
            self._clock.sleep_until(due)
            now = self._clock.now()
            if now - due > STALL:
                skipped = pace.skip_to(now)
                due = pace.due
                self.ledger.misses += skipped
                self._note(due, f"stalled, {skipped} poses skipped")
            if at_slot is not None:
                with self._surviving("control", due):
                    at_slot()
            self._perform(due, now - due)
            if each_slot is not None:
                each_slot()
            due = pace.next()
        if self.ledger.extrapolated > FEW:
            self._note(due, f"{self.ledger.extrapolated} late ticks were extrapolated in all")

    def _listen_ahead(self, due: float) -> None:
        """Hear, just before the slot, what sound is there already; what comes in the time left is soon heard."""
        if self._clock.paced:
            self._clock.sleep_until(due - AHEAD)
            self._listen(self._read(due), due)

    def _rehearse_until(self, end: float) -> None:
        if not self._slot % self._generator.poses_per_tick and self._load.rehearses:
            self._rehearsal.until(end, self.timing.rehearsals)

    def _rehearse(self) -> None:
        with contextlib.suppress(Exception):  # the tick itself will meet the fault and count it
            self._features.rehearse()
            raw, _ = self._generator.step(self._last.values, self.ledger.ticks, self._state)
            if np.isfinite(raw).all():
                self._motion.step(raw[:, 0], self._body)

    def _over(self, due: float, duration: float | None) -> bool:
        ended = duration is not None and due - self._began >= duration - 0.01 * PERIOD  # slots are sums, and rounded
        return self._stopped or self._source.finished or ended

    def _perform(self, due: float, late: float) -> None:
        """One slot that begins so late: from the block in hand to the last byte sent."""
        self._weigh(due, late)
        now, phase = self._clock.now, self._slot % self._generator.poses_per_tick
        before = now()
        block = self._read(due)
        begun = now()
        self._listen(block, due)
        listened = now()
        ticked = phase == 0 and not self._extrapolate(late)
        if ticked:
            self._generate(due)
        generated = now()
        pose = self._move(phase, due)
        moved = now()
        outputs = self._outputs if self._load.shows(self._slot) else [o for o in self._outputs if not o.picture]
        for output in outputs:
            output.encode(pose)
        encoded = now()
        for output in outputs:
            output.transmit()
        times = Times(before, begun, listened, generated, moved, encoded, now())
        self._slot += 1
        if ticked:
            self._book(times)
        self.ledger.posed(due, times.sent, self._last_sent)
        self._last_sent = times.sent
        with self._surviving("the signals", due):
            self._heed()
        for trace in self.ledger.traces:
            trace(ticked, due, *times, now())

    def _weigh(self, due: float, late: float) -> None:
        """Shed load where slots begin late, take it back where they do not."""
        if told := self._load.slot(late > PERIOD / 2):
            self._note(due, told)
            self._generator.awake = 1 if self._load.level >= DANCERS else self._generator.dancers

    def _extrapolate(self, late: float) -> bool:
        """Extrapolate this tick instead of generating it, where that would make the next poses later still."""
        if not self.ledger.ticks or not self._load.carries_on(late):
            return False
        self.ledger.extrapolated += 1
        self.ledger.ticks += 1
        self._raw = extrapolated(self._raw)
        return True

    def _surviving(self, what: str, due: float) -> Survived:
        """A fault in here is noted in the ledger, and the show goes on with what it has."""
        return Survived(self._note, what, due)

    def _note(self, due: float, what: str) -> None:
        self.ledger.recovered(f"{due - self._began:.1f} s: {what}")

    def _read(self, due: float) -> AudioBlock:
        with self._surviving("the input", due):
            return self._source.read_available()
        return AudioBlock(NOTHING, self._pushed)

    def _listen(self, block: AudioBlock, due: float) -> None:
        with self._surviving("listening", due):
            self._hear(block, due)

    def _hear(self, block: AudioBlock, due: float) -> None:
        """Hear the block; where the source lost sound its numbering jumps, and frames are numbered after it."""
        for event in self._source.recoveries():
            self._note(due, event)
        if not len(block.samples):
            return
        lost = block.start - self._pushed
        self._pushed += len(block.samples)
        self._heard_to = block.start + len(block.samples)
        self._unheeded.append(block.samples)
        frames = [frame._replace(end=frame.end + lost) for frame in self._features.push(block.samples)]
        if frames:
            self._heard += frames
            self._last, self._last_heard = frames[-1], due
            self.beat, self.level = self._last.beat, self._last.level

    def _heed(self) -> None:
        """Hear the signals for the next pose, now that this one is gone: the generator does not wait for them."""
        blocks, self._unheeded = self._unheeded, []
        if self._listener is not None:
            self._listener.hear(np.concatenate([NOTHING, *blocks]))
            signals = self._listener.now().later(PERIOD)
            if not np.isfinite(signals[:-1]).all():
                raise ValueError("not finite")
            self.signals = signals

    def _generate(self, due: float) -> None:
        """Run one tick on what was heard since the last, and check what comes out."""
        following: State | None = None
        with self._surviving("the generator", due):
            raw, following = self._generator.step(self._tick_values(due), self.ledger.ticks, self._state)
            if np.abs(raw).max() < LARGEST_RAW:  # NaN is not below either
                self._raw, self._state = raw, following
            else:
                self._note(due, "the generator gave no finite pose; its state was reset")
                self._state = self._generator.initial_state()
        if following is None:
            self._state = self._generator.initial_state()
        self.ledger.ticks += 1

    def _tick_values(self, due: float) -> Float32:
        """The generator's input [35]: the frames of this tick with the beat as it will be when the pose is seen."""
        deaf = due - self._last_heard
        self.deaf = deaf if deaf > PERIOD else 0.0
        if self.deaf:
            self.beat = self._last.beat.advanced(deaf).fading(deaf)
            self.level = 0.0
        passed = due - self._counted_at if math.isfinite(self._counted_at) else 0.0
        self._count, self._counted_at = counted(self._count, self.beat, passed, self.timing.tempo_range), due
        lead = self._source.latency + self.timing.lead
        beat = danced(self._count, self.beat, lead, self._generator.metre)
        frames = [f.values for f in self._heard or [self._last]]
        heard = self._features.silent_values() if deaf > DEAF else self._features.pooled(frames)
        return self._features.with_beat(heard, beat)

    def _move(self, phase: int, due: float) -> Pose:
        if self._raw.shape[-1] > 1:
            with self._surviving("the motion", due):
                self._body = self._motion.step(self._raw[:, phase], self._body)
        body = self._body
        return Pose(
            sequence=self._slot,
            capture_time=self._source.capture_time(self._last.end),
            play_time=due + self.timing.latency,
            show_time=due - self._began,
            root_position=body.root_position,
            local_rotations=body.local_rotations,
            joint_positions=body.joint_positions,
            contacts=body.contacts,
            beat=self.beat,
            level=self.level,
            signals=self.signals,
            features=self._last.values,
        )

    def _book(self, times: Times) -> None:
        """Enter a tick's stages, and its reaction to each frame it was the first to hear."""
        self.ledger.ticked(times)
        for frame in self._heard:
            self.ledger.reaction.add(times.sent - self._source.capture_time(frame.end))
        self._heard.clear()
