"""`robot://host[:port][?profile=NAME|FILE.toml][&dancer=N]`: joint angles for a robot, within its limits.

The loop writes the angles that a dancer has into shared memory and nothing else. A process of its own limits them,
sends them and, when the engine stalls or is gone, holds and then brings the robot to rest (`_robot_driver`).
"""

from __future__ import annotations

import os
import subprocess
import sys

from live.contracts import Output
from live.errors import BadTarget
from live.outputs import _guard, _uri
from live.outputs._robot_link import Link
from live.outputs._robot_profile import Profile, Reader, read_profile
from live.outputs._udp import Target
from live.types import FRAME_RATE, Pose

PORT = 9030
RAREST = 10.0
"""Poses a second below which the robot's process would hold between them."""
LAST_STEPS = 8.0
"""Seconds that `close` waits until the robot is at rest; its process goes on without the engine."""


def open_output(uri: str) -> RobotOutput:
    """`robot://host[:port]`, port 9030 and the humanoid of 21 joints if left out."""
    host, port, options = _uri.host_and_port(uri, PORT, ("profile", "dancer"))
    dancer = _uri.count(uri, options, "dancer", 63)
    return RobotOutput(uri, (host, port), options.get("profile", "humanoid21"), dancer)


class RobotOutput(Output):
    """One dancer's joints. `stats.sent` counts poses handed over."""

    latency = 0.03
    """Seconds by which the limited joints follow a dance that keeps within their limits, and half a command's time."""
    apart = True

    def __init__(self, uri: str, address: tuple[str, int], profile: str, dancer: int) -> None:
        super().__init__(uri)
        self.address, self.profile_name, self.dancer = address, profile, dancer
        self.profile: Profile = read_profile(profile)
        self.driver: subprocess.Popen[bytes] | None = None
        self._reader = Reader(self.profile)
        self._dancers = 0
        self._fault = ""
        self._gone = False

    def open(self, dancers: int, paced: bool) -> None:
        """`BadTarget` for an unknown host, for a dancer who is not there, for poses too rare, and under `--fast`."""
        if 0 < self.placement.rate < RAREST:
            raise BadTarget(f"output '{self.uri}': at rate={self.placement.rate:g} a robot takes the engine for gone: "
                            f"write {RAREST:g} or more")  # fmt: skip
        if not paced:
            raise BadTarget(f"output '{self.uri}': a robot moves at the clock's pace: leave out --fast")
        if self.dancer >= dancers:
            raise BadTarget(f"output '{self.uri}': there is no dancer {self.dancer}: choose 0..{dancers - 1}")
        Target(*self.address).socket.close()
        self._link = Link(len(self.profile.joints))
        if self.memory is not None:
            os.link(self._link.path, self.memory)
        host, port = self.address
        command = [sys.executable, "-m", "live.outputs._robot_driver", str(self._link.path), self.profile_name]
        flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        self.driver = subprocess.Popen(
            [*command, host, str(port)], stdin=subprocess.PIPE, start_new_session=True, creationflags=flags
        )
        self._dancers = dancers

    def join(self, dancers: int) -> None:
        self._link = Link(len(self.profile.joints), str(self.memory))
        self._dancers = dancers

    def _encode(self, pose: Pose) -> None:
        self._fault = _guard.body_fault(pose, self._dancers)
        if not self._fault:
            self._angles = self._reader.angles(pose.local_rotations[self.dancer])

    def _transmit(self) -> None:
        if self._fault:
            self.failed(ValueError(self._fault))
            return
        if self.stats.sent % FRAME_RATE == 0 and self.driver is not None and self.driver.poll() is not None:
            self._gone = True
        if self._gone:  # asking after a process is a system call: once a second will do
            self.failed(OSError("the robot's process is gone; it was brought to rest if that could still be done"))
            return
        self._link.write(self._angles)
        self.stats.sent += 1

    def close(self) -> None:
        """Let the robot come to rest; what is left of that goes on without us."""
        if self.driver is None:
            self._dancers = 0
            return
        driver, self.driver, self._dancers = self.driver, None, 0
        assert driver.stdin is not None
        self._link.end()
        driver.stdin.close()
        try:
            if driver.wait(LAST_STEPS):
                self.failed(OSError("the robot's process failed"))
        except subprocess.TimeoutExpired:
            self.failed(OSError("the robot is still coming to rest"))
        finally:
            self._link.close()
            self._link.unlink()
