"""What runs in a side environment of `other_beat_trackers.py`: one tracker on one file, its beats as JSON on stdout.

    python side_beats.py madmom|plp AUDIO [realtimeplp.py]

Knows nothing of `live`: it needs numpy, scipy, soundfile and the tracker. Every tracker hears 44.1 kHz in order, a
frame at a time, with its own defaults; a beat is told when the frame that it was found in has been heard whole.
"""

from __future__ import annotations

import collections
import collections.abc
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from math import gcd
from typing import Any

import numpy as np
import soundfile
from scipy.signal import resample_poly

RATE = 44_100
Tracker = Callable[[Any], tuple[list[float], float, float]]
"""A frame [hop] to the times (s) of the beats found in it, the tempo (BPM) and the confidence; zero where not told."""


def madmom() -> tuple[int, Tracker]:
    """`DBNBeatTracker online` (Böck, Krebs & Widmer): LSTM ensemble and the bar-pointer HMM's forward path."""
    for name in ("MutableSequence", "MutableMapping", "Sequence", "Mapping"):  # madmom 0.16 is older than Python 3.10
        setattr(collections, name, getattr(collections.abc, name))
    for name, kind in (("float", float), ("int", int), ("bool", bool), ("object", object)):
        setattr(np, name, kind)
    from madmom.audio.signal import Signal
    from madmom.features.beats import DBNBeatTrackingProcessor, RNNBeatProcessor

    hop, window = 441, np.zeros(2048, np.float32)
    network = RNNBeatProcessor(online=True, origin="stream", num_frames=1, fps=100, num_threads=1)
    filtered = DBNBeatTrackingProcessor(fps=100, online=True)

    def hear(frame: Any) -> tuple[list[float], float, float]:
        window[:-hop] = window[hop:].copy()
        window[-hop:] = frame
        signal = Signal(window.copy(), sample_rate=RATE, num_channels=1)
        found = filtered.process_online(np.atleast_1d(network(signal, reset=False)), reset=False)
        return [float(beat) for beat in found], float(filtered.tempo), 0.0

    return hop, hear


def plp(path: str) -> tuple[int, Tracker]:
    """Meier, Chiu & Müller, "A real-time beat tracking system with zero latency", settings of its `beatcli`."""
    spec = importlib.util.spec_from_file_location("realtimeplp", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["realtimeplp"] = module
    spec.loader.exec_module(module)
    hop, heard = 512, 0
    tracker = module.RealTimeBeatTracker.from_args(
        N=2 * hop, H=hop, samplerate=RATE, N_time=6, Theta=np.arange(60, 181, 1), lookahead=0
    )

    def hear(frame: Any) -> tuple[list[float], float, float]:
        nonlocal heard
        heard += hop
        found = tracker.process(frame)
        told = [heard / RATE] if found else []
        return told, float(tracker.plp.current_tempo), min(max(float(tracker.plp.stability), 0.0), 1.0)

    return hop, hear


def main() -> None:
    """Hear the file; costs are CPU seconds of this thread, told per 10 ms of audio."""
    name, audio, *more = sys.argv[1:]
    hop, hear = {"madmom": madmom, "plp": plp}[name](*more)
    samples = mono(audio)
    beats, trace, costs = [], [], []
    every = max(1, round(0.1 * RATE / hop))
    for k in range(len(samples) // hop):
        begun = time.thread_time()
        found, bpm, confidence = hear(samples[k * hop : (k + 1) * hop])
        costs.append((time.thread_time() - begun) * 0.01 * RATE / hop)
        at = (k + 1) * hop / RATE
        beats += [(round(beat, 4), round(at, 4)) for beat in found]
        if k % every == every - 1:
            trace.append((round(at, 2), round(bpm, 2), round(confidence, 3)))
    print(json.dumps({"beats": beats, "trace": trace, "cost": cost(np.array(costs))}))


def mono(audio: str) -> Any:
    """[n] float32 at `RATE`."""
    samples, rate = soundfile.read(audio, dtype="float32", always_2d=True)
    shared = gcd(RATE, rate)
    return resample_poly(samples.mean(1), RATE // shared, rate // shared).astype(np.float32)


def cost(seconds: Any) -> dict[str, float]:
    """The keys of `live bench beats`, of CPU seconds [n] per 10 ms of audio."""
    return {
        "cpu_s_per_s": round(float(seconds.mean()) * 100.0, 5),
        "cpu_ms_per_10ms": round(float(seconds.mean()) * 1e3, 4),
        "block_p50_ms": round(float(np.percentile(seconds, 50)) * 1e3, 4),
        "block_p99_ms": round(float(np.percentile(seconds, 99)) * 1e3, 4),
    }


if __name__ == "__main__":
    main()
