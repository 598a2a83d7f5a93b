"""What every output can ask of its poses, whatever its protocol: mirrored, scaled, moved, fewer of them.

Written as options of the output's URI, `vmc://host?mirror=1&scale=0.5&offset=1,0,0&rate=30&latency=40`; they are taken
out here, so that no output has to know of them. Poses are values: a placed pose is another one.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from urllib.parse import parse_qsl

import numpy as np

from live import skeleton
from live.errors import BadTarget
from live.types import FRAME_RATE, Float32, Pose

MIRRORED_ROTATION: Float32 = np.array([1, -1, -1, 1], np.float32)
MIRRORED_POSITION: Float32 = np.array([-1, 1, 1], np.float32)
OTHER_SIDE = np.array(skeleton.MIRROR)
RANGES = {"scale": (0.01, 100.0), "offset": (-1000.0, 1000.0), "rate": (0.1, FRAME_RATE), "latency": (0.0, 2000.0)}
"""Factor; metres; poses a second; milliseconds."""
EXAMPLES = {"scale": "0.5", "offset": "1,0,0", "rate": "30", "latency": "40"}
OPTIONS = ("mirror", *RANGES)


@dataclass(frozen=True)
class Placement:
    """mirror: left and right change places, about the stage's middle; scale: of bodies and stage; offset: metres,
    after scaling; rate: at most so many poses a second, all where it is 0; latency: declared, ms, where not 0."""

    mirror: bool = False
    scale: float = 1.0
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rate: float = 0.0
    latency: float = 0.0

    def placed(self, pose: Pose) -> Pose:
        """The pose as this output's receivers are to see it; the same one where nothing changes."""
        if self.mirror:
            pose = mirrored(pose)
        return moved(pose, self.scale, self.offset) if self.scale != 1.0 or any(self.offset) else pose

    def slot(self, show_time: float) -> float:
        """Number of the `rate`'s interval that a pose falls into: of each, the first pose is sent."""
        return math.floor(show_time * self.rate + 1e-6) if self.rate else show_time


AS_IT_IS = Placement()


def mirrored(pose: Pose) -> Pose:
    """Left and right exchanged: what was danced at x is danced at -x."""
    return dataclasses.replace(
        pose,
        root_position=pose.root_position * MIRRORED_POSITION,
        local_rotations=pose.local_rotations[:, OTHER_SIDE] * MIRRORED_ROTATION,
        joint_positions=pose.joint_positions[:, OTHER_SIDE] * MIRRORED_POSITION,
        contacts=pose.contacts[:, ::-1],
    )


def moved(pose: Pose, scale: float, offset: tuple[float, float, float]) -> Pose:
    """All dancers and the stage `scale` times as large, then `offset` metres away."""
    by = np.array(offset, np.float32)
    return dataclasses.replace(
        pose,
        root_position=pose.root_position * np.float32(scale) + by,
        joint_positions=pose.joint_positions * np.float32(scale) + by,
    )


def split(uri: str) -> tuple[str, Placement]:
    """The URI without the options above, and what they say. `BadTarget` where a value makes no sense."""
    bare, mark, query = uri.partition("?")
    ours: dict[str, str] = {}
    theirs: list[str] = []
    for part in query.split("&") if mark else []:
        name = part.partition("=")[0]
        if name not in OPTIONS:
            theirs.append(part)
        else:
            if name in ours:
                raise BadTarget(f"output '{uri}': {name} is given twice: leave one out")
            ours.update(parse_qsl(part, keep_blank_values=True))
    mark = "?" if theirs else ""
    return f"{bare}{mark}{'&'.join(theirs)}", _placement(uri, ours)


def _placement(uri: str, options: dict[str, str]) -> Placement:
    if (mirror := options.get("mirror", "0")) not in ("0", "1"):
        raise BadTarget(f"output '{uri}': mirror is '{mirror}': write mirror=0 or mirror=1")
    numbers = {name: _numbers(uri, name, options[name]) for name in RANGES if name in options}
    x, y, z = numbers.pop("offset", (0.0, 0.0, 0.0))
    return Placement(mirror == "1", offset=(x, y, z), **{name: values[0] for name, values in numbers.items()})


def _numbers(uri: str, name: str, text: str) -> tuple[float, ...]:
    """One number, or three of an offset, within their range."""
    lowest, highest = RANGES[name]
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != (3 if name == "offset" else 1) or not all(lowest <= value <= highest for value in values):
        limits = f"{lowest:g} to {highest:g}"
        raise BadTarget(f"output '{uri}': {name} is '{text}': write {name}={EXAMPLES[name]}, within {limits}")
    return values
