"""`live preview`: another machine's stream, handed on to outputs as it comes; to a window, if nothing else is said."""

from __future__ import annotations

import contextlib
import select
import signal
import time
from collections.abc import Callable, Sequence

from live.cli.manners import on_signals
from live.cli.outputs import make_output
from live.contracts import Output, PoseStream, load_plugin
from live.errors import Unusable

SETTLE = 0.002
"""Seconds in which the rest of a frame comes after its first datagram."""
WAIT = 0.1
"""Seconds between two looks at the clock and the windows while nothing comes."""


class Relay:
    """Poses from a stream to outputs, until stopped, the time is over or nobody is left to send to."""

    def __init__(self, stream: PoseStream, outputs: Sequence[Output]) -> None:
        self._stream, self._outputs = stream, outputs
        self._stopped = False
        self.sent = 0

    def stop(self) -> None:
        """End soon; safe in a signal handler."""
        self._stopped = True

    def run(self, duration: float | None) -> None:
        began = looked = time.monotonic()
        while not self._stopped:
            ready, _, _ = select.select(self._stream.sockets, [], [], WAIT)
            if ready:
                time.sleep(SETTLE)
                self._hand_on(began)
            now = time.monotonic()
            if duration is not None and now - began >= duration:
                return
            if now - looked > 1.0:
                looked = now
                if not any(output.alive() for output in self._outputs):
                    return

    def _hand_on(self, began: float) -> None:
        if self._stream.read():
            pose = self._stream.pose(self.sent, time.monotonic(), began)
            for output in self._outputs:
                output.send(pose)
            self.sent += 1


def preview(uri: str, uris: Sequence[str], dancers: int, duration: float | None, say: Callable[[str], None]) -> None:
    """Listen first, then open the outputs, so that a port that is taken is told before a window opens."""
    scheme, colon, _ = uri.partition("://")
    if not colon:
        raise Unusable(f"stream '{uri}': write vmc://0.0.0.0:39539 or osc://0.0.0.0:9010")
    outputs = [make_output(one) for one in uris]
    stream: PoseStream = load_plugin("live.streams", scheme, "stream").open_stream(uri, dancers)
    relay = Relay(stream, outputs)
    with contextlib.ExitStack() as stack:
        stack.callback(stream.close)
        stack.enter_context(on_signals(relay.stop, signal.SIGINT, signal.SIGTERM))
        for output in outputs:
            output.open(dancers, True)
            stack.callback(output.close)
            if output.notice:
                say(output.notice)
        say(f"listening on {uri}")
        relay.run(duration)
    say(f"{relay.sent} poses from {uri}, {stream.dropped} datagrams or messages dropped")
    for output in outputs:
        lost = f", {output.stats.errors} errors ({output.stats.last_error})" if output.stats.errors else ""
        say(f"output    {output.uri}: {output.stats.sent} sent{lost}")
