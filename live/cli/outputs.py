"""The outputs of a show, which may change while it goes on: opened and closed by a thread, changed by the loop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from live.contracts import Output, load_plugin
from live.errors import BadTarget, Unusable
from live.placement import split


def make_output(uri: str) -> Output:
    """The output of a URI such as `vmc://host:port`."""
    scheme, colon, _ = uri.partition(":")
    if not colon:
        raise BadTarget(f"output '{uri}': write SCHEME://HOST:PORT, for example vmc://127.0.0.1:39539")
    bare, placement = split(uri)
    output: Output = load_plugin("live.outputs", scheme.lower(), "output").open_output(bare)
    output.uri, output.placement = uri, placement
    output.latency = placement.latency / 1000.0 or output.latency
    return output


def slowest(outputs: Sequence[Output]) -> float:
    """The largest declared latency (s)."""
    return max((output.latency for output in outputs), default=0.0)


class Outputs:
    """`now` is the list that the engine sends to; `all` holds also those that were given up."""

    def __init__(self, dancers: int, paced: bool) -> None:
        self.now, self.all = list[Output](), list[Output]()
        self._dancers, self._paced = dancers, paced
        self._worker = threading.Thread()
        self._next: list[Output] | None = None
        self._fault: Unusable | None = None

    def open(self, outputs: Sequence[Output], tell: Callable[[str], None] | None = None) -> None:
        """The first ones, before the show. One that cannot be opened is told and left out, where there is `tell`."""
        for output in outputs:
            try:
                if output.memory is not None:
                    output.join(self._dancers)
                else:
                    output.open(self._dancers, self._paced)
            except Unusable as error:
                if tell is None:
                    raise
                tell(str(error))
                continue
            self.now.append(output)
            self.all.append(output)

    def close(self) -> None:
        """All that are open."""
        if self._worker.is_alive():
            self._worker.join(timeout=10.0)
        for output in self.now:
            output.close()

    def prepare(self, uris: Sequence[str]) -> None:
        """Begin to open those of `uris` that are not there yet; `ready` tells when all are."""
        self._next = self._fault = None
        self._start(lambda: self._prepared(uris))

    def _prepared(self, uris: Sequence[str]) -> None:
        """In the thread: all or none."""
        there, made = list(self.now), list[Output]()
        found = []
        try:
            for uri in uris:
                kept = next((output for output in there if output.uri == uri), None)
                if kept is not None:
                    there.remove(kept)
                else:
                    made.append(make_output(uri))
                    made[-1].open(self._dancers, self._paced)
                found.append(kept or made[-1])
            self._next = found
        except Exception as error:
            for output in made:
                output.close()
            self._fault = error if isinstance(error, Unusable) else Unusable(f"output: {error}")

    def ready(self) -> bool:
        """True once `change` can be called; raises `Unusable` where one cannot be opened. Never waits."""
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault
        return self._next is not None

    def change(self) -> None:
        """Send to those that were prepared from the next pose on; the others say goodbye in the thread."""
        assert self._next is not None
        after, self._next = self._next, None
        left = [output for output in self.now if output not in after]
        self.all += [output for output in after if output not in self.all]
        self.now[:] = after
        self._start(lambda: [output.close() for output in left])

    def _start(self, work: Callable[[], object]) -> None:
        """One piece of work after the other."""
        before = self._worker

        def run() -> None:
            if before.ident is not None:
                before.join()
            work()

        self._worker = threading.Thread(target=run, daemon=True, name="outputs")
        self._worker.start()
