"""`live beats`: the beats of a file as the online tracker reports them."""

from __future__ import annotations

from pathlib import Path

from live.bench.track import ReportedBeat, track


def print_beats(audio: Path, tracker: str, as_json: bool) -> None:
    """One beat a line: its time (s), or as JSON with the time (s) at which it was told."""
    for beat in track(audio, tracker):
        line = f'{{"time": {beat.time:.4f}, "reported_at": {beat.reported_at:.4f}}}' if as_json else f"{beat.time:.4f}"
        print(line, flush=True)


__all__ = ["ReportedBeat", "print_beats", "track"]
