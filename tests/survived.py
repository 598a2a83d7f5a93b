"""What a report's recoveries say, but for what a busy machine does to a loop."""

from __future__ import annotations

from collections.abc import Sequence

BUSY = ("the loop is late", "the loop is in time", "late ticks were extrapolated", "stalled, ")


def faults(recoveries: Sequence[str]) -> list[str]:
    """Those that tell of anything but late slots."""
    return [line for line in recoveries if not any(words in line for words in BUSY)]
