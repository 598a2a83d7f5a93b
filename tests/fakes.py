"""A whole stage of small fakes for the engine: sound, features, generator, motion, output and a clock that costs."""

from __future__ import annotations

import numpy as np
from output_poses import pose

from live.clock import VirtualClock
from live.contracts import Output
from live.engine import Engine, Timing
from live.types import HOP, SAMPLE_RATE, AudioBlock, BeatState, FeatureFrame

BPM = 120.0


class PacedVirtualClock(VirtualClock):
    """Waiting takes no time, but looking at the clock does, as doing anything does on stage."""

    paced = True

    def now(self):
        self.time += 1e-5
        return self.time


class FakeSource:
    """Zeros at the clock's pace until `ends`; `losses` maps a sample number to samples lost there; silent in `gap`."""

    name, latency, overflows = "fake", 0.0, 0

    def __init__(self, clock, ends=1e9, losses=None, gap=(1e9, 1e9), latency=0.0):
        self.clock, self.ends, self.gap, self.latency = clock, ends, gap, latency
        self.losses = dict(losses or {})
        self.began, self.delivered, self.number = clock.time, 0, 0
        self.events = []

    def start(self): ...

    def close(self): ...

    def read_available(self):
        elapsed = self.clock.time - self.began
        due = int(min(elapsed, self.ends) * SAMPLE_RATE + 1e-3) - self.delivered
        self.delivered += due
        if self.gap[0] <= elapsed < self.gap[1]:
            due = 0
        for at in [at for at in self.losses if at <= self.number]:
            self.number += self.losses.pop(at)
        start, self.number = self.number, self.number + due
        return AudioBlock(np.zeros(due, np.float32), start)

    def capture_time(self, sample):
        return self.began + sample / SAMPLE_RATE

    @property
    def finished(self):
        return self.clock.time - self.began >= self.ends

    def recoveries(self):
        events, self.events = self.events, []
        return events


class FakeFeatures:
    """Frames that say when they end, with a beat at `BPM`; keeps what it was asked."""

    latency = 0.0

    def __init__(self, confidence=0.9):
        self.pushed, self.confidence, self.rehearsals = 0, confidence, 0
        self.beats, self.pools = [], []

    def push(self, samples):
        before, self.pushed = self.pushed // HOP, self.pushed + len(samples)
        return [self.frame(HOP * (n + 1)) for n in range(before, self.pushed // HOP)]

    def frame(self, end):
        beats = end / SAMPLE_RATE * BPM / 60
        beat = BeatState(phase=beats % 1, bpm=BPM, confidence=self.confidence, beat_count=int(beats))
        return FeatureFrame(np.full(35, end, np.float32), end, 0.5, beat)

    def pooled(self, frames):
        self.pools.append(len(frames))
        return frames[-1].copy()

    def with_beat(self, values, beat):
        self.beats.append(beat)
        return values

    def silent_values(self):
        return np.full(35, -1, np.float32)

    def rehearse(self):
        self.rehearsals += 1


class FakeGenerator:
    """Raw poses that carry the tick number; `does[tick]` is raised if an exception, else given as the pose's value."""

    poses_per_tick, dancers, awake, metre = 2, 1, 1, 0

    def __init__(self, does=None):
        self.does = does or {}
        self.ticks, self.heard, self.states = [], [], []

    def initial_state(self):
        return {"count": np.zeros((1, 1), np.float32)}

    def step(self, features, tick, state):
        self.ticks.append(tick)
        self.heard.append(float(features[0]))
        self.states.append(int(state["count"][0, 0]))
        value = self.does.get(tick, tick % 100)
        if isinstance(value, Exception):
            raise value
        return np.full((1, 2, 138), value, np.float32), {"count": state["count"] + 1}


class FakeBody:
    """A pose made of the last raw value: the hips' height is it."""

    def __init__(self, value=0.0):
        made = pose()
        self.value = value
        self.root_position = np.array([[0, value, 0]], np.float32)
        self.local_rotations, self.joint_positions = made.local_rotations, made.joint_positions
        self.contacts = made.contacts


class FakeMotion:
    """Keeps the raw values that it was given."""

    def __init__(self):
        self.raw = []

    def initial_state(self, dancers):
        return FakeBody()

    def step(self, raw, body):
        self.raw.append(float(raw[0, 0]))
        return FakeBody(float(raw[0, 0]))


class FakeOutput(Output):
    """Keeps the poses and when they were sent; `fails` is raised at every transmission, sending takes `takes[n]` s."""

    def __init__(self, clock, fails=None, takes=None):
        super().__init__("fake:")
        self.clock, self.fails, self.takes = clock, fails, takes or {}
        self.poses, self.sent_at = [], []

    def open(self, dancers, paced): ...

    def _encode(self, pose):
        self.pose = pose

    def _transmit(self):
        self.clock.time += self.takes.get(len(self.poses), 0.0)
        if self.fails is not None:
            raise self.fails
        self.poses.append(self.pose)
        self.sent_at.append(self.clock.time)
        self.stats.sent += 1

    def close(self): ...


class Stage:
    """An engine among fakes. `performed` says what to change of them."""

    def __init__(self, clock=None, does=None, takes=None, outputs=None, timing=None, confidence=0.9, **source):
        self.clock = clock or VirtualClock(1000.0)
        self.source = FakeSource(self.clock, **source)
        self.features, self.generator, self.motion = FakeFeatures(confidence), FakeGenerator(does), FakeMotion()
        self.output = FakeOutput(self.clock, takes=takes)
        self.outputs = [*(outputs or []), self.output]
        self.engine = Engine(
            self.source, self.features, self.generator, self.motion, self.outputs, self.clock, timing or Timing()
        )

    @property
    def ledger(self):
        return self.engine.ledger

    @property
    def poses(self):
        return self.output.poses


def performed(duration=2.0, each_slot=None, at_slot=None, **changes):
    """A stage after `duration` seconds of performance; both hooks are given the stage."""
    stage = Stage(**changes)
    stage.engine.run(duration, each_slot and (lambda: each_slot(stage)), at_slot and (lambda: at_slot(stage)))
    return stage
