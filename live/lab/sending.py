"""`live bench outputs`: what sending costs the loop: encode and send of a frame, to sockets of this machine."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np

from live import rotation, skeleton
from live.contracts import Output
from live.lab.figures import compared, measured
from live.lab.loop import Timed, timed
from live.pace import PERIOD
from live.types import BeatState, Pose

CASES = {
    "VMC + plain OSC": (["vmc://127.0.0.1:{0}", "osc://127.0.0.1:{0}"], 1),
    "VMC": (["vmc://127.0.0.1:{0}"], 1),
    "plain OSC": (["osc://127.0.0.1:{0}"], 1),
    "plain OSC, flat": (["osc://127.0.0.1:{0}?flat=1"], 1),
    "VRChat": (["vrchat://127.0.0.1:{0}"], 1),
    "VMC mirrored and scaled": (["vmc://127.0.0.1:{0}?mirror=1&scale=2"], 1),
    "32 dancers x 3 targets": (["vmc://127.0.0.1:{0},127.0.0.1:{1},127.0.0.1:{2}"], 32),
}
"""URIs over three free ports, and dancers."""
FRAME_LIMIT, SHARE_LIMIT = 40.0, 20.0
"""us for one dancer to VMC and plain OSC; % of a core for 32 dancers to three targets at 60 frames a second."""


def poses(dancers: int) -> list[Pose]:
    """Some wild ones."""
    chance, made = np.random.default_rng(0), []
    for n in range(20):
        root = chance.normal(size=(dancers, 3)).astype(np.float32)
        turns = rotation.normalise(chance.normal(size=(dancers, skeleton.COUNT, 4)).astype(np.float32))
        joints, _ = skeleton.forward_kinematics(root, turns)
        made.append(Pose(n, 0.0, 0.0, 0.0, root, turns, joints.astype(np.float32), np.ones((dancers, 2), np.float32),
                         BeatState(0.5, 120.0, 0.9)))  # fmt: skip
    return made


def sending(outputs: list[Output], dancers: int) -> Callable[[], None]:
    """What encodes and sends one frame more to open outputs, each time that it is called."""
    given, numbers = poses(dancers), count()

    def send() -> None:
        n = next(numbers)
        pose = given[n % len(given)]
        pose.sequence, pose.show_time, pose.play_time = n, n * PERIOD, 1000.0 + n * PERIOD
        pose.capture_time = pose.play_time - 0.02
        for output in outputs:
            output.encode(pose)
        for output in outputs:
            output.transmit()

    return send


def run(
    make: Callable[[str], Output], seconds: float, warm_up: float, rounds: int
) -> Iterator[tuple[str, dict[str, Any], float, list[float]]]:
    """Of each of `CASES`: its name, the measure of a frame, the share of a core at 60 frames a second in the median
    round, and the median frame (us) of every round.

    Cases take turns, so that a neighbour who was busy for a while shows, and meets them all.
    """
    with listeners(3) as ports:
        found = [[_round(make, case, ports, seconds / rounds, warm_up) for case in CASES] for _ in range(rounds)]
    for name, turns in zip(CASES, zip(*found, strict=True), strict=True):
        took, at = (np.concatenate([getattr(turn, key) for turn in turns]) for key in ("took", "at"))
        share = float(np.median([turn.cpu for turn in turns])) / PERIOD
        middles = [round(float(np.median(turn.took)) * 1e6, 2) for turn in turns]
        yield name, measured(took, "us", deadline=PERIOD, at=at), share, middles


def _round(make: Callable[[str], Output], case: str, ports: list[int], seconds: float, warm_up: float) -> Timed:
    uris, dancers = CASES[case]
    with contextlib.ExitStack() as stack:
        outputs = [make(uri.format(*ports)) for uri in uris]
        for output in outputs:
            output.open(dancers, paced=True)
            stack.callback(output.close)
        return timed(sending(outputs, dancers), seconds, warm_up)


@contextlib.contextmanager
def listeners(number: int) -> Iterator[list[int]]:
    """Ports of this machine with a socket on each that nobody reads."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(number)]
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        yield [int(sock.getsockname()[1]) for sock in sockets]


def limits(measures: dict[str, dict[str, Any]], shares: dict[str, float]) -> dict[str, dict[str, Any]]:
    """What sending must keep to."""
    one, many = "VMC + plain OSC", "32 dancers x 3 targets"
    return {
        f"{one}, one dancer": compared(measures[one]["p50"], FRAME_LIMIT, "us"),
        many: compared(shares[many] * 100.0, SHARE_LIMIT, "%"),
    }
