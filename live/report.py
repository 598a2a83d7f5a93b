"""What a performance tells afterwards: the `--report` JSON (pinned keys) and the closing summary."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from live import __version__, realtime
from live.contracts import AudioSource, Output
from live.engine import Engine
from live.errors import Failed
from live.pace import PERIOD


@dataclass(frozen=True)
class Setting:
    """What was performed with, in words."""

    model: str
    backend: str
    input: str
    realtime: Sequence[str]


def report(
    setting: Setting,
    engine: Engine,
    source: AudioSource,
    outputs: Sequence[Output],
    seconds: float,
    control_dropped: int = 0,
    declared: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, Any]:
    """The report's values, ready for JSON; durations in ms where the key says so. `declared`: stages' latencies (s)."""
    ledger = engine.ledger
    return {
        "version": __version__,
        "machine": realtime.machine() | {"realtime": list(setting.realtime)},
        "model": setting.model,
        "backend": setting.backend,
        "input": setting.input,
        "duration_s": round(seconds, 3),
        "ticks": ledger.ticks,
        "poses": ledger.poses,
        "deadline_ms": round(PERIOD * 1e3, 4),
        "deadline_misses": ledger.misses,
        "overflows": source.overflows,
        "stage_ms": {name: stage.milliseconds() for name, stage in ledger.stages.items()},
        "interval_ms": ledger.interval.milliseconds(),
        "reaction_ms": ledger.reaction.milliseconds(),
        "declared_ms": {name: round(latency * 1e3, 4) for name, latency in declared.items()},
        "outputs": [{"uri": o.told, "sent": o.stats.sent, "errors": o.stats.errors} for o in outputs],
        "control_dropped": control_dropped,
        "beat": {"bpm": round(engine.tempo, 2), "confidence": round(engine.beat.confidence, 3)},
        "recoveries": list(ledger.recoveries),
    }


def write_report(path: Path, values: dict[str, Any]) -> None:
    """Write beside `path` and move into place, so that a report is whole or not there; raises `Failed`."""
    scratch = path.with_name(path.name + ".part")
    try:
        scratch.write_text(json.dumps(values, indent=1) + "\n")
        scratch.replace(path)
    except OSError as error:
        raise Failed(f"report {path}: cannot be written: {error.strerror}") from None


def summary(
    setting: Setting, values: dict[str, Any], reaction_bound: float, troubles: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """The closing lines for a person. `reaction_bound` is declared: the longest time (s) from a sound to the first pose
    that can know of it, computing left out. `troubles`: an output's URI and its last error."""
    total, interval, reaction = values["stage_ms"]["total"], values["interval_ms"], values["reaction_ms"]
    beat = values["beat"]
    lines = [
        f"{values['poses']} poses in {values['duration_s']:.1f} s from {setting.input}",
        f"model     {setting.model} on {setting.backend}",
        f"tick      p50 {total['p50']:.2f}  p99 {total['p99']:.2f}  worst {total['max']:.2f} ms   "
        f"({values['ticks']} ticks, {values['deadline_misses']} deadline misses)",
        f"interval  p50 {interval['p50']:.2f}  p99 {interval['p99']:.2f}  worst {interval['max']:.2f} ms",
        f"reaction  p50 {reaction['p50']:.1f}  p99 {reaction['p99']:.1f} ms   "
        f"(sound to pose at most {reaction_bound * 1e3:.0f} ms, computing left out)",
        f"beat      {beat['bpm']:.1f} BPM, confidence {beat['confidence']:.2f};  {values['overflows']} audio overflows",
        f"loop      {', '.join(setting.realtime) or 'normal scheduling (--no-realtime)'}",
    ]
    for output in values["outputs"]:
        lost = f", {output['errors']} errors ({troubles.get(output['uri'], 'unknown')})" if output["errors"] else ""
        lines.append(f"output    {output['uri']}: {output['sent']} sent{lost}")
    lines += [f"survived  {line}" for line in values["recoveries"][-8:]]
    return lines
