"""What sending costs the loop: encode and send of a frame, for one dancer and for many, to sockets of this machine.

Cases take turns in `--rounds`; told is the median round of each, and `rounds_p50_us` all of them, so that a neighbour
who was busy for a while shows. Shares of a core are `thread_time`, the process's own. Exits 0.
"""

from __future__ import annotations

import socket
import time
from typing import Any

import measure
import numpy as np

from live import rotation, skeleton
from live.cli.perform import make_output
from live.types import BeatState, Pose

FRAMES, ROUNDS = 2000, 7
CASES = {
    "VMC + plain OSC": (["vmc://127.0.0.1:{0}", "osc://127.0.0.1:{0}"], 1),
    "VMC": (["vmc://127.0.0.1:{0}"], 1),
    "plain OSC": (["osc://127.0.0.1:{0}"], 1),
    "plain OSC, flat": (["osc://127.0.0.1:{0}?flat=1"], 1),
    "VRChat": (["vrchat://127.0.0.1:{0}"], 1),
    "VMC mirrored and scaled": (["vmc://127.0.0.1:{0}?mirror=1&scale=2"], 1),
    "32 dancers x 3 targets": (["vmc://127.0.0.1:{0},127.0.0.1:{1},127.0.0.1:{2}"], 32),
}


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


def cost(uris: list[str], dancers: int, frames: int) -> dict[str, float]:
    """p50 and p99 in microseconds of a frame, and the share of a core at 60 frames a second."""
    outputs, given, took = [make_output(uri) for uri in uris], poses(dancers), []
    for output in outputs:
        output.open(dancers, paced=True)
    spent = time.thread_time()
    for n in range(frames):
        pose = given[n % len(given)]
        pose.sequence, pose.show_time, pose.play_time = n, n / 60, 1000 + n / 60
        pose.capture_time = pose.play_time - 0.02
        begun = time.perf_counter()
        for output in outputs:
            output.encode(pose)
        for output in outputs:
            output.transmit()
        took.append(time.perf_counter() - begun)
    spent = (time.thread_time() - spent) / frames
    for output in outputs:
        output.close()
    return {"p50_us": float(np.percentile(took, 50) * 1e6), "p99_us": float(np.percentile(took, 99) * 1e6),
            "share_of_a_core": spent * 60}  # fmt: skip


def main() -> None:
    options = measure.options(__doc__)
    options.add_argument("--frames", type=int, default=FRAMES, help="of each case and round (default: %(default)d)")
    options.add_argument("--rounds", type=int, default=ROUNDS, help="(default: %(default)d)")
    given = options.parse_args()
    listeners = [listener() for _ in range(3)]
    ports = [sock.getsockname()[1] for sock in listeners]
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in CASES}
    for _ in range(given.rounds):
        for name, (uris, dancers) in CASES.items():
            frames = max(10, given.frames // dancers)
            rounds[name].append(cost([uri.format(*ports) for uri in uris], dancers, frames))
    found = {name: middle(costs) for name, costs in rounds.items()}
    for name, values in found.items():
        print(f"{name:28}" + "".join(f"  {key} {values[key]:9.3f}" for key in ("p50_us", "p99_us", "share_of_a_core")))
    limits = {
        "VMC + plain OSC, one dancer": measure.compared(found["VMC + plain OSC"]["p50_us"], 40.0, "us"),
        "32 dancers x 3 targets": measure.compared(found["32 dancers x 3 targets"]["share_of_a_core"] * 100, 20.0, "%"),
    }
    measure.write("outputs", {"limits": limits, "cases": found}, None, given.out)


def middle(costs: list[dict[str, float]]) -> dict[str, Any]:
    """The median of each value over the rounds, and every round's p50."""
    medians = {key: float(np.median([one[key] for one in costs])) for key in costs[0]}
    return medians | {"rounds_p50_us": [round(one["p50_us"], 2) for one in costs]}


def listener() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock


if __name__ == "__main__":
    main()
