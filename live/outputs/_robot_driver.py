"""The robot's process: `python -m live.outputs._robot_driver LINK PROFILE HOST PORT [SECONDS]`.

Sends a command `rate` times a second whatever the engine does, each within the profile's limits: blended in from
neutral, dancing, holding still when the engine's heartbeat stops, then going back to neutral. It ends when it has come
to rest after standard input ended, that is when the engine closed it or is gone, however it went.
"""

from __future__ import annotations

import signal
import sys
import threading
import time

import numpy as np
from numpy.typing import NDArray

from live.outputs._limiter import Limiter, at_rest
from live.outputs._packet import Live, Message, Template
from live.outputs._robot_link import Link
from live.outputs._robot_profile import Profile, read_profile
from live.outputs._udp import Target

BLEND_IN, BLEND_OUT = 3.0, 2.0
"""Seconds from neutral into the dance, and back."""
STALE, HOLD = 0.25, 1.0
"""Seconds without a heartbeat until it holds, and from then until it goes back to neutral."""
RESTED = 1e-3
"""Radians from neutral, and rad/s, from which on it is there."""
OFF, STARTING, DANCING, HOLDING, DAMPING, NEUTRAL = range(6)


class Driver:
    """What is sent next, step by step; time is given, so that an hour can be tried in minutes."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.period = 1.0 / profile.rate
        self.limiter = Limiter(profile.limits(), self.period)
        self.joints = at_rest(profile.neutral.copy())
        self.weight, self.state = 0.0, NEUTRAL
        self._wanted = self._target = profile.neutral.copy()
        self._left, self._away = self._target, 0.0  # where it was when it began to rest, and how much of that is left
        self._silent = np.inf
        self._beat = 0.0

    def step(self, beat: float, angles: NDArray[np.float64], ended: bool) -> NDArray[np.float64]:
        """The next command [J] (rad). `beat` counts what the engine wrote, `angles` [J] is its newest."""
        if beat > 0.0 and beat != self._beat and np.isfinite(angles).all():
            self._beat, self._silent, self._wanted = beat, 0.0, angles
        else:
            self._silent += self.period
        self._choose(ended)
        before = self._target
        if self.state in (STARTING, DANCING):
            neutral = self.profile.neutral
            self._target = neutral + _smooth(self.weight) * (self._wanted - neutral)
            self._away, self._left = 1.0, self._target
            pace = np.clip((self._target - before) / self.period, -2.0, 2.0) * 0.5
        else:
            self._target = self._resting_target()
            pace = np.zeros_like(before)
        self.joints = self.limiter.step(self.joints, self._target, pace)
        return self.joints.position

    def _choose(self, ended: bool) -> None:
        """The state of now, and how much of the dance is in it."""
        if not ended and self._silent < STALE:
            self.weight = min(1.0, self.weight + self.period / BLEND_IN)
            self.state = DANCING if self.weight >= 1.0 else STARTING
        elif not ended and self._silent < STALE + HOLD:
            self.state = HOLDING
        else:
            self.weight = max(0.0, self.weight - self.period / BLEND_OUT)
            self.state = NEUTRAL if self.at_neutral() else DAMPING

    def _resting_target(self) -> NDArray[np.float64]:
        """Where it was told to be last when it holds; from there smoothly to neutral within `BLEND_OUT` otherwise."""
        if self.state == HOLDING:
            self._away, self._left = 1.0, self._target
            return self._target
        self._away = max(0.0, self._away - self.period / BLEND_OUT)
        return self.profile.neutral + _smooth(self._away) * (self._left - self.profile.neutral)

    def at_neutral(self) -> bool:
        off = np.abs(self.joints.position - self.profile.neutral).max()
        return bool(off < RESTED and np.abs(self.joints.velocity).max() < RESTED)


def _smooth(share: float) -> float:
    """From 0 to 1 with no kink at either end."""
    return share * share * (3.0 - 2.0 * share)


def table(profile: Profile) -> list[Message]:
    """`/live/robot`: sequence, state, weight, then each joint's angle in radians."""
    return [("/live/robot", Live("sequence", 1, "i"), Live("state", 1, "i"), Live("weight"),
             Live("angles", len(profile.joints)))]  # fmt: skip


def main(link_path: str, profile_name: str, host: str, port: str) -> int:
    """Serve until at rest after the engine's end."""
    for name in (signal.SIGINT, signal.SIGTERM):  # they are the engine's to act on; this process outlives it to rest
        signal.signal(name, signal.SIG_IGN)
    profile = read_profile(profile_name)
    link, target = Link(len(profile.joints), link_path), Target(host, int(port))
    link.unlink()
    driver, template, gone = Driver(profile), Template(list(table(profile))), threading.Event()
    threading.Thread(target=_wait_for_end, args=(gone,), daemon=True).start()
    due, sequence = time.monotonic(), 0
    while not (gone.is_set() and driver.state == NEUTRAL and driver.at_neutral() and sequence):
        angles = driver.step(*link.read(), link.ended)
        template.write({"sequence": sequence, "state": driver.state, "weight": driver.weight, "angles": angles})
        _send(target, template)
        sequence = (sequence + 1) & 0x7FFFFFFF
        due = max(due + driver.period, time.monotonic() - driver.period)
        time.sleep(max(0.0, due - time.monotonic()))
    template.write({"state": OFF})
    _send(target, template)
    return 0


def _send(target: Target, template: Template) -> None:
    try:
        target.send(template.packets[0])
    except OSError:
        return  # nobody listens yet, or no more


def _wait_for_end(gone: threading.Event) -> None:
    sys.stdin.read()
    gone.set()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
