"""Other people's online beat trackers on the same clips, each in a side environment of its own; the same JSON and page
as `live bench beats`, with the plug-ins of `live.beats` beside them.

    .venv/bin/python benchmarks/other_beat_trackers.py --data DIR [--tracker NAME]... [--markdown docs/beats.md]

What cannot be installed is written as not run, with the reason. Nothing of this is a requirement of the project:
madmom's weights are non-commercial (CC BY-NC-SA 4.0); real-time PLP (P. Meier et al., TISMIR 2024; MIT) is no package,
it is fetched from GitHub or taken from `--plp FILE`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from live.bench import table
from live.bench.beats import MUSIC, measure, result_of, row, summed, trackers, write
from live.bench.clips import Clip, read_clips
from live.bench.page import page
from live.bench.scores import score
from live.bench.track import ReportedBeat
from live.contracts import plugin_names

WORKER = Path(__file__).with_name("side_beats.py")
PLP = "https://github.com/groupmm/real_time_plp"
REQUIREMENTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "madmom": (("numpy<2", "scipy", "cython", "setuptools<70", "wheel", "mido", "soundfile"),
               ("--no-build-isolation", "madmom==0.16.1")),
    "plp": (("numpy", "scipy", "librosa", "soundfile"),),
}  # fmt: skip
"""What is installed into each side environment, pip call by pip call."""


class NotRun(Exception):
    """Why a tracker could not be run."""


def run_side(name: str, clips: Sequence[Clip], envs: Path, plp: Path | None) -> dict[str, Any]:
    """A tracker's result, as `live.bench.beats` has it; under `not_run` the reason if there is none."""
    try:
        python = _environment(name, envs)
        more = [str(plp or _fetched_plp(envs))] if name == "plp" else []
        rows = []
        for clip in clips:
            print(f"{name}  {clip.name}", flush=True)
            found = _run([str(python), str(WORKER), name, str(clip.audio), *more])
            rows.append(_row(clip, json.loads(found)))
    except NotRun as reason:
        return {"not_run": str(reason)}
    return summed(rows)


def _environment(name: str, envs: Path) -> Path:
    """The Python of a side environment, made if it is not there."""
    folder = envs / name
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        for packages in REQUIREMENTS[name]:
            _run([str(python), "-m", "pip", "install", "--quiet", *packages])
        (folder / "ready").touch()
    return python


def _fetched_plp(envs: Path) -> Path:
    if not (envs / "real_time_plp").exists():
        _run(["git", "clone", "--quiet", "--depth", "1", PLP, str(envs / "real_time_plp")])
    return envs / "real_time_plp" / "realtimeplp.py"


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotRun(f"{' '.join(command[:4])}: {error}") from None
    if done.returncode:
        complaint = (done.stderr.strip() or done.stdout.strip() or "failed").splitlines()[-1]
        raise NotRun(f"`{' '.join(Path(part).name for part in command[:4])}`: {complaint[:200]}")
    return done.stdout


def _row(clip: Clip, found: dict[str, Any]) -> dict[str, Any]:
    beats = [ReportedBeat(*beat) for beat in found["beats"]]
    return row(clip, beats, score(clip, beats, _music_start(clip))) | found["cost"] | {"trace": found["trace"]}


def _music_start(clip: Clip) -> float:
    """Seconds until the first 10 ms that are loud enough."""
    samples, rate = soundfile.read(clip.audio, dtype="float32", always_2d=True)
    size = rate // 100
    blocks = samples.mean(1)[: len(samples) // size * size].reshape(-1, size)
    return float(np.argmax(np.sqrt((blocks**2).mean(1)) > MUSIC)) / 100.0


def main() -> None:
    """Measure, and write what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(";")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of clips, as `live bench beats --data`")
    parser.add_argument("--tracker", action="append", help=f"{', '.join(REQUIREMENTS)} or a plug-in (several)")
    parser.add_argument("--out", type=Path, default=Path("runs/other-beats"), help="folder for beats.json, beats.html")
    parser.add_argument("--envs", type=Path, help="folder to keep the side environments in (default: temporary)")
    parser.add_argument("--plp", type=Path, help="realtimeplp.py, where it cannot be fetched")
    parser.add_argument("--markdown", type=Path, help="as `live bench beats --markdown`")
    given = parser.parse_args()
    clips = read_clips(given.data)
    wanted = given.tracker or [*plugin_names("live.beats"), *REQUIREMENTS]
    own = [name for name in wanted if name not in REQUIREMENTS]
    results = measure(clips, trackers(own), print)["trackers"] if own else {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in wanted:
            if name in REQUIREMENTS:
                results[name] = run_side(name, clips, given.envs or Path(scratch), given.plp)
    result = result_of(clips, results)
    write(given.out, {"beats.json": json.dumps(result) + "\n", "beats.html": page(result)})
    print(table.markdown([result]))
    if given.markdown is not None:
        table.insert(given.markdown, table.markdown([result]))


if __name__ == "__main__":
    main()
