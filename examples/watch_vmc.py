"""See that the dance arrives: prints the frames per second and the hips' height once a second.

    python examples/watch_vmc.py [--port 39539] [--seconds 30]
    live perform --input demo

Needs nothing but python-osc, which comes with `livedance`.
"""

from __future__ import annotations

import argparse
import contextlib
import time

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer


class Watch:
    """What arrived since the last line."""

    def __init__(self) -> None:
        self.frames = 0
        self.height = float("nan")

    def frame(self, _address: str, _show_time: float) -> None:
        self.frames += 1

    def bone(self, _address: str, name: str, _x: float, y: float, *_rest: float) -> None:
        if name == "Hips":
            self.height = y

    def ok(self, _address: str, performing: int, *_rest: int) -> None:
        if not performing:
            print("the performer says goodbye", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Show that a VMC stream arrives.")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all (default: here only)"
    )
    parser.add_argument("--port", type=int, default=39539)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="how long to watch (default: until Ctrl-C)")
    given = parser.parse_args()
    watch, dispatcher = Watch(), Dispatcher()
    dispatcher.map("/VMC/Ext/T", watch.frame)
    dispatcher.map("/VMC/Ext/Bone/Pos", watch.bone)
    dispatcher.map("/VMC/Ext/OK", watch.ok)
    with BlockingOSCUDPServer((given.host, given.port), dispatcher) as server:
        print(f"listening on {given.host}:{server.server_address[1]}", flush=True)
        report(watch, server, given.seconds)


def report(watch: Watch, server: BlockingOSCUDPServer, seconds: float) -> None:
    """A line a second."""
    began = shown = time.monotonic()
    while shown - began < seconds:
        while (left := shown + 1.0 - time.monotonic()) > 0:
            server.timeout = left
            server.handle_request()
        elapsed, shown = time.monotonic() - shown, time.monotonic()
        print(f"{watch.frames / elapsed:5.1f} frames/s   hips at {watch.height:.2f} m", flush=True)
        watch.frames = 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
