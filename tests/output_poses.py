"""Poses to send, and a socket to receive them, for the tests of the outputs."""

from __future__ import annotations

import socket

import numpy as np

from live import rotation, skeleton
from live.types import FEATURES, BeatState, Event, Pose, Signals


def pose(n: int = 0, dancers: int = 1) -> Pose:
    """Pose number `n` of a wild dance at 60 a second, on a clock that read 1000 s when the show began."""
    noise = np.random.default_rng(n)
    root = noise.normal(size=(dancers, 3)).astype(np.float32)
    rotations = rotation.normalise(noise.normal(size=(dancers, skeleton.COUNT, 4)).astype(np.float32))
    joints, _ = skeleton.forward_kinematics(root, rotations)
    show = n / 60
    beat = BeatState(
        phase=(2 * show) % 1, bpm=120.0, confidence=0.9, bar_phase=(show / 2) % 1, beat_count=int(2 * show)
    )
    return Pose(
        sequence=n,
        capture_time=1000 + show - 0.02,
        play_time=1000 + show,
        show_time=show,
        root_position=root,
        local_rotations=np.asarray(rotations, np.float32),
        joint_positions=np.asarray(joints, np.float32),
        contacts=noise.random((dancers, 2)).astype(np.float32),
        beat=beat,
        level=0.25,
        signals=Signals(0.5, 0.25, 0.125, -3.0, 0.75, Event("drop", 0.5, 0.75, 1)),
        features=noise.normal(size=FEATURES).astype(np.float32),
    )


def listener(port: int = 0) -> socket.socket:
    """A UDP socket on the loopback interface that gives up after a second."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", port))
    sock.settimeout(1.0)
    return sock


def port_of(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def received(sock: socket.socket) -> list[bytes]:
    """Everything waiting at `sock`."""
    sock.setblocking(False)
    packets = []
    while True:
        try:
            packets.append(sock.recv(65536))
        except BlockingIOError:
            return packets


def unused_port() -> int:
    """A port that nothing listens to."""
    with listener() as sock:
        return port_of(sock)
