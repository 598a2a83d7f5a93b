"""What `live bench` measures of time: each function puts one measurement together and gives its result."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from live.choice import BEST_FIRST
from live.cli.outputs import make_output
from live.cli.troupe import load_generator, make_source
from live.clock import VirtualClock
from live.contracts import LOSE, load_plugin
from live.errors import BadModel, Failed, Unusable
from live.lab import device, drills, hearing, pulse, sending, soak, sound, stage
from live.lab import step as steps
from live.lab.bare_loop import BareLoop
from live.lab.compare import HEAD, compare
from live.lab.figures import measured
from live.lab.page import COLUMNS, row
from live.lab.result import Result, write
from live.lab.show import Performance, Plan, Told, busy_core, watch
from live.pace import PERIOD
from live.show import make_show
from live.types import SAMPLE_RATE, Float32

UNSEEN = {"SDL_VIDEODRIVER": "dummy"}
"""Environment in which a window is drawn, and shown nowhere."""
FLASHING = "window:?fullscreen=1&flash=1"
"""The output that turns white at every click."""


def step(model: str, backends: Sequence[str], dancers: Sequence[int], seconds: float, warm_up: float,
         paced: bool) -> Result:  # fmt: skip
    """The generator alone. With no backend named, all: those that are not to be had are told as not run, and why."""
    measures: dict[tuple[str, int], dict[str, Any]] = {}
    carried, devices, not_run = {}, {}, {}
    for backend, count in ((backend, count) for backend in backends or BEST_FIRST for count in dancers):
        show = make_show({"model": model, "backend": backend, "dancers": count}, "options")
        try:
            generator, devices[backend] = load_generator(show)
        except Unusable as error:
            if backends or isinstance(error, BadModel):
                raise
            not_run[f"{backend}, {count} dancer{'s' * (count > 1)}"] = (
                str(error).partition(";")[0].removeprefix(f"backend {backend}: ")
            )
            continue
        measures[backend, count], casts = steps.run(generator, seconds, warm_up, paced)
        carried[f"{backend}, {count}: dancers that a core carries, generator alone"] = round(casts * count, 2)
    named = {f"{backend}, {count} dancer{'s' * (count > 1)}": one for (backend, count), one in measures.items()}
    how = {"model": model, "seconds": seconds, "warm_up": warm_up, "paced": paced}
    details = {"devices": devices, "not_run": not_run}
    return Result("step", how, named, dict(steps.limits(measures)), carried, details)


def tick(plan: Plan) -> Result:
    """From the block in hand to the last byte sent."""
    with Performance(plan, trace=True) as performance:
        samples = watch(performance)
        told = performance.end()
    report = told.report
    measures = stage.tick_measures(told.trace, plan.warm_up, PERIOD * sound.poses_per_tick(told))
    cores, cost = samples.cores(plan.warm_up), stage.trace_cost()
    limits = stage.tick_limits(measures["tick"], cost, report["deadline_misses"], plan.dancers, cores)
    numbers = {"deadline misses": report["deadline_misses"], "trace, of each pose (us)": round(cost * 1e6, 3)}
    if np.isfinite(cores):
        numbers["cores kept busy"] = round(cores, 4)
    return Result("tick", asdict(plan), measures, limits, numbers, _told(told), report["machine"])


def jitter(plan: Plan) -> Result:
    """Intervals at a receiver, beside a bare loop."""
    with BareLoop() as loop, Performance(plan) as performance:
        told, bare = performance.end(), loop.end()
    measures = stage.jitter_measures(told.received, bare, plan.warm_up)
    numbers = {"frames received": len(told.received.frames), "deadline misses": told.report["deadline_misses"]}
    limits = stage.interval_limits(measures)
    return Result("jitter", asdict(plan), measures, limits, numbers, _told(told), told.report["machine"])


def soaked(plan: Plan, busy: bool, recorder: bool, preview: bool) -> Result:
    """For as long as asked for, with one core kept busy, a recorder and a window that nobody sees."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        beside = [f"take:{folder / 'soak.take'}"] * recorder + ["window:"] * preview
        whole = replace(plan, output=(*plan.output, *beside))
        stack.enter_context(busy_core(busy))
        loop = stack.enter_context(BareLoop())
        performance = stack.enter_context(Performance(whole, env=os.environ | UNSEEN))
        samples = watch(performance)
        told, bare = performance.end(), loop.end()
    numbers, late = soak.numbers(told.report["deadline_misses"], told.received, bare, samples)
    measures = stage.jitter_measures(told.received, bare, plan.warm_up) | soak.measures(samples)
    limits = soak.limits(numbers) | stage.interval_limits(measures)
    how = asdict(plan) | {"busy_core": busy, "recorder": recorder, "preview": preview}
    details = _portable(_told(told), folder) | {"late_poses": late}
    return Result("soak", how, measures, limits, numbers, details, told.report["machine"])


def drilled(plan: Plan, faults: int, seed: int) -> Result:
    """Fault after fault to a show under its watchdog, with a recorder, a second receiver and, where there can be one,
    a window that nobody sees and a microphone that is pulled out."""
    from live.audio.demo import MUSIC

    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        listener = drills.Listener()
        stack.callback(listener.close)
        uris, random = [f"take:{folder / 'drills.take'}", listener.uri], Random(seed)
        env: dict[str, str] = os.environ | {LOSE: str(folder / "gpu")}
        acts = {"receiver gone": listener.away, "GPU lost": lambda: drills.lose_gpu(folder / "gpu", random)}
        left_out = "there can be no virtual microphone: " + reason if (reason := pulse.missing()) else ""
        if not left_out:
            microphone = stack.enter_context(_virtual())
            env, plan = env | microphone.env, replace(plan, input=f"microphone:{microphone.name}")
            acts["device gone"] = lambda: _pulled_out(microphone, MUSIC)
            microphone.play(MUSIC)
        if _can_draw():
            uris, env = [*uris, "window:?rate=10"], env | UNSEEN
        whole = replace(plan, output=tuple(uris), watchdog=True, backend="frail")
        performance = stack.enter_context(Performance(whole, env=env))
        drill = drills.Drills(performance.process.pid, acts)
        drill.run(faults, plan.duration, random, lambda: performance.process.poll() is not None)
        told, why = _end(performance)
    numbers = drills.numbers(drill.done, told)
    details = {"faults": [fault._asdict() for fault in drill.done], "left out": left_out, "lost": why}
    details |= _portable(_told(told), folder) if told is not None else {}
    how = _portable(asdict(whole), folder) | {"faults": faults, "seed": seed}
    return Result("drills", how, drills.measures(told), drills.limits(numbers), numbers, details)


def _end(performance: Performance) -> tuple[Told | None, str]:
    """What it left, or why there is nothing."""
    try:
        return performance.end(), ""
    except Failed as error:
        return None, str(error)


def _pulled_out(microphone: pulse.VirtualMicrophone, music: Path) -> bool:
    microphone.stop()
    time.sleep(drills.AWAY)
    microphone.start()
    microphone.play(music)
    return True


def _can_draw() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("skia", "pygame"))


def _told(told: Told) -> dict[str, Any]:
    """What a report adds to a result."""
    keys = ("model", "backend", "input", "duration_s", "ticks", "poses", "deadline_misses", "overflows", "stage_ms",
            "interval_ms", "reaction_ms", "declared_ms", "outputs", "recoveries")  # fmt: skip
    return {key: told.report[key] for key in keys} | {"frames_received": len(told.received.frames)}


def _portable(values: Any, folder: Path) -> Any:
    """The same, the files in a folder that nobody else has by their names alone."""
    if isinstance(values, dict):
        return {key: _portable(value, folder) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [_portable(value, folder) for value in values]
    return values.replace(f"{folder}{os.sep}", "") if isinstance(values, str) else values


def outputs(seconds: float, warm_up: float, rounds: int) -> Result:
    """Encoding and sending."""
    found = list(sending.run(make_output, seconds, warm_up, rounds))
    measures, shares = {one[0]: one[1] for one in found}, {one[0]: one[2] for one in found}
    how = {"seconds": seconds, "warm_up": warm_up, "rounds": rounds}
    details = {"rounds_p50_us": {one[0]: one[3] for one in found}}
    return Result("outputs", how, measures, sending.limits(measures, shares), _shares(shares), details)


def _shares(shares: dict[str, float]) -> dict[str, float]:
    return {f"{name}: share of a core": round(share, 5) for name, share in shares.items()}


def audio(path: str, trackers: Sequence[str], seconds: float, warm_up: float) -> Result:
    """Extractor, trackers and signals, each alone, on the first minute of a sound."""
    from live.features.extractor import Extractor
    from live.features.signals import Listener

    def tracker(name: str) -> Any:
        return load_plugin("live.beats", name, "beat tracker").open_tracker()

    stages: dict[str, Callable[[Float32], object]] = {f"tracker {name}": tracker(name).hear for name in trackers}
    stages |= {f"features with {name}": Extractor(tracker(name)).push for name in trackers}
    stages["signals"] = Listener().hear
    found = list(hearing.run(stages, _minute(path), seconds, warm_up))
    how = {"input": path, "seconds": seconds, "warm_up": warm_up}
    shares = {name: share for name, _, share in found}
    return Result("audio", how, {name: measure for name, measure, _ in found}, numbers=_shares(shares))


def _minute(path: str) -> Float32:
    """The samples of a sound's first minute."""
    clock = VirtualClock()
    source = make_source(make_show({"input": path}, "options"), clock, print)
    source.start()
    clock.sleep_until(60.0)
    try:
        return source.read_available().samples
    finally:
        source.close()


def end_to_end(plan: Plan) -> Result:
    """Through a virtual microphone."""
    if reason := pulse.missing():
        raise Unusable(f"there can be no virtual microphone: {reason}")
    late = [0.0]

    def through(pipe: Path) -> sound.Device:
        def play(samples: Float32, stopped: Callable[[], bool]) -> sound.Times:
            fed = device.feed(pipe, samples, stopped)
            late[:] = fed.late
            return lambda numbers: fed.began + numbers / SAMPLE_RATE

        return play

    with _virtual() as microphone:
        whole = replace(plan, input=f"microphone:{pulse.CLICKS}")
        told, found = sound.listened(whole, through(microphone.pipe), microphone.env)
    return _clicked("end-to-end", whole, told, found, {"the device, late": np.array(late)}, device.BLOCK / SAMPLE_RATE)


@contextlib.contextmanager
def _virtual() -> Iterator[pulse.VirtualMicrophone]:
    with tempfile.TemporaryDirectory() as folder, pulse.virtual_microphone(Path(folder), realtime=True) as microphone:
        yield microphone


def loopback(plan: Plan, speaker: str, microphone: str) -> Result:
    """Through a speaker and a microphone."""
    from live.audio import _speaker
    from live.audio.microphone import open_source

    _speaker.check(speaker)
    open_source(microphone, VirtualClock())  # raises where there is none
    whole = replace(plan, input=f"microphone:{microphone}".rstrip(":"))
    told, found = sound.listened(whole, lambda samples, stopped: _speaker.play(speaker, samples, stopped))
    result = _clicked("loopback", whole, told, found, {})
    return replace(result, how={**result.how, "speaker": speaker or "default"})


def _clicked(what: str, plan: Plan, told: Told, found: Any, more: dict[str, Any], handed: float = 0.0) -> Result:
    measures = sound.measures(found) | {name: measured(values) for name, values in more.items()}
    numbers = sound.numbers(told, found, handed)
    limits = sound.limits(measures, numbers)
    return Result(what, asdict(plan), measures, limits, numbers, _told(told), told.report["machine"])


def tell(result: Result, out: Path, name: str = "") -> None:
    """Write a result, and show its measures and limits in the terminal."""
    path = write(result, out, name)
    shown = Table("", "unit", *COLUMNS, "misses", "run", box=None, header_style="bold", pad_edge=False)
    for what, measure in result.measures.items():
        shown.add_row(*row(what, measure))
    Console().print(shown)
    for what, why in result.details.get("not_run", {}).items():
        print(f"{what}: not run ({why})")
    for what, value in result.numbers.items():
        print(f"{what}: {value:g}")
    for what, limit in result.limits.items():
        bound = f"{limit.get('way', '<=')} {limit['limit']:g} {limit['unit']}"
        print(f"{what:32} {limit['measured']:10.3f}  {bound:12}  {'reached' if limit['reached'] else 'MISSED'}")
    print(f"written to {path} and {path.with_suffix('.html')}")


def tell_ratios(a: Path, b: Path) -> None:
    """Two results beside each other."""
    shown = Table(*HEAD, box=None, header_style="bold", pad_edge=False)
    for cells in compare(a, b):
        shown.add_row(*cells)
    Console().print(shown)
