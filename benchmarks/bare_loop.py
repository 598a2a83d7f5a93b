"""A control loop that does nothing: what the machine itself does to a loop with the engine's real-time settings.

Wakes 60 times a second by absolute deadlines until SIGTERM, then prints as JSON every wake-up that came more than one
period late, `[deadline, woke]` in host monotonic seconds, and the lateness of all in ms. Started by `steadiness.py`.
"""

from __future__ import annotations

import json
import signal
import time
from types import FrameType

import measure
import numpy as np

from live import realtime


def main() -> None:
    running = True

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    late: list[tuple[float, float]] = []
    lateness: list[float] = []
    notes = realtime.enter()
    print(json.dumps(notes), flush=True)
    deadline = time.monotonic()
    while running:
        deadline += measure.PERIOD
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(left)
        woke = time.monotonic()
        lateness.append(woke - deadline)
        if woke - deadline > measure.PERIOD:
            late.append((deadline, woke))
    print(json.dumps({"late": late, "lateness_ms": measure.percentiles(np.array(lateness))}))


if __name__ == "__main__":
    main()
