"""A model that somebody else made is run in a process of its own first, so that one which kills it kills nothing else.

ONNX Runtime checks a graph while it loads and runs it, but not against everything: there are graphs at which it ends
the whole process, or asks for all the memory that there is. Shipped models are not tried.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from live.backends import _shapes, cpu
from live.card import SHIPPED, read_card
from live.errors import BadModel, LiveError
from live.types import State

SECONDS = 60.0
MEMORY, TIMES = 1 << 29, 8
"""Bytes that a model may take while it is tried, beside so many times those of its file."""
STEPS = 5
REFUSED = 2
ELSEWHERE = "fetch the model folder again, from somebody whom you trust"


def check(folder: Path, graph: str, dancers: int) -> None:
    """Raises `BadModel` in one line where the graph cannot be loaded and run by so many dancers."""
    if folder.parent in SHIPPED:
        return
    try:
        status, said = alone(folder, graph, dancers)
    except subprocess.TimeoutExpired:
        raise BadModel(f"{folder / graph}: is not ready after {SECONDS:g} s; {ELSEWHERE}") from None
    if status:
        raise BadModel(said if status == REFUSED and said else f"{folder / graph}: kills who runs it; {ELSEWHERE}")


def alone(folder: Path, graph: str, dancers: int) -> tuple[int, str]:
    """Exit status and words of the process."""
    command = [sys.executable, "-m", "live.backends._trial", str(folder), graph, str(dancers)]
    nowhere = subprocess.DEVNULL
    done = subprocess.run(
        command, stdin=nowhere, stdout=subprocess.PIPE, stderr=nowhere, text=True, timeout=SECONDS, check=False
    )
    return done.returncode, done.stdout.strip()


def main(folder: Path, graph: str, dancers: int) -> str:
    """Load, then run on silence and on noise; what is wrong, or nothing."""
    _limit_memory(TIMES * (folder / graph).stat().st_size + MEMORY)
    try:
        card = read_card(folder, check_files=False)
        backend = cpu.load(folder, card, dancers, graph)
        chance = np.random.default_rng(0)
        state: State = _shapes.zeros(_shapes.state(card), dancers)
        for _ in range(STEPS):
            inputs = {
                name: chance.normal(0.0, 3.0, value.shape).astype(np.float32)
                for name, value in _shapes.zeros(_shapes.inputs(card), dancers).items()
            }
            _, state = backend.step(inputs, state)
    except LiveError as error:
        return str(error)
    except Exception as error:
        return str(BadModel(f"{folder / graph}: does not run ({cpu.reason(error)}); {ELSEWHERE}"))
    return ""


def _limit_memory(count: int) -> None:
    """So many bytes more than now, where a process can be limited."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + count, resource.getrlimit(resource.RLIMIT_AS)[1]))


if __name__ == "__main__":
    complaint = main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    print(complaint, flush=True)
    os._exit(REFUSED if complaint else 0)  # a graph may also break what ends a process
