"""A robot's joints as a TOML profile, and how the angles of a pose are read off the dancer's bones.

    name = "..."; rate = 100          commands a second
    [[group]]                         up to three joints that together turn as some bones do
    bones = ["spine", "chest"]        whose rotations are multiplied, parents first
    zero = [0, -90, 0]                degrees about x, y, z (applied z first): the bones' rotation at which all are zero
    axes = "xyz"                      axes of the house frame (x left, y up, z ahead), in the order of the chain
    joints = [{name, sign, low, high, velocity, acceleration, jerk, neutral}]   degrees, and degrees per s, s^2, s^3

The joints turn as R = Rx(a) Ry(b) Rz(c) in the order of `axes`; a joint that a robot lacks is left out at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from live import rotation, skeleton
from live.errors import BadFile, BadTarget
from live.limits import read_toml
from live.outputs._limiter import Limits

GUARD = 0.005
"""Share of a joint's range that is never asked for, since servos overshoot a little."""
SHIPPED = Path(__file__).parent / "robots"
Degrees = Annotated[float, Field(ge=-360, le=360)]
Rate = Annotated[float, Field(gt=0, le=1e6)]
STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Joint(BaseModel):
    """One joint; degrees."""

    model_config = STRICT

    name: Annotated[str, Field(min_length=1, max_length=64)]
    sign: Annotated[int, Field(ge=-1, le=1)] = 1
    low: Degrees
    high: Degrees
    velocity: Rate
    acceleration: Rate
    jerk: Rate
    neutral: Degrees = 0.0

    @model_validator(mode="after")
    def _in_order(self) -> Joint:
        if not self.low < self.high or not self.low <= self.neutral <= self.high or self.sign == 0:
            raise ValueError(f"joint {self.name}: needs low < high, neutral between them, sign 1 or -1")
        return self


class Group(BaseModel):
    """Joints of one place."""

    model_config = STRICT

    bones: Annotated[list[str], Field(min_length=1)]
    zero: tuple[Degrees, Degrees, Degrees] = (0.0, 0.0, 0.0)
    axes: Annotated[str, Field(pattern="^(xyz|yzx|zxy|xzy|zyx|yxz)$")]
    joints: Annotated[list[Joint], Field(min_length=1, max_length=3)]

    @model_validator(mode="after")
    def _known(self) -> Group:
        if unknown := [bone for bone in self.bones if bone not in skeleton.INDEX]:
            raise ValueError(f"unknown bone '{unknown[0]}'; bones are {', '.join(skeleton.BONES)}")
        return self


class Profile(BaseModel):
    """A whole robot."""

    model_config = STRICT

    name: str
    rate: Annotated[float, Field(ge=10, le=1000)] = 100.0
    group: Annotated[list[Group], Field(min_length=1)]

    @property
    def joints(self) -> list[Joint]:
        return [joint for group in self.group for joint in group.joints]

    @property
    def neutral(self) -> NDArray[np.float64]:
        """Angles [J], radians, in which it stands at ease."""
        limits = self.limits()
        return np.clip(np.radians([joint.neutral for joint in self.joints]), limits.low, limits.high)

    def limits(self) -> Limits:
        """In radians, `GUARD` of each range kept free at both ends."""
        names = ("low", "high", "velocity", "acceleration", "jerk")
        low, high, *rates = (np.radians([getattr(joint, name) for joint in self.joints]) for name in names)
        return Limits(low + GUARD * (high - low), high - GUARD * (high - low), *rates)


def read_profile(name: str) -> Profile:
    """A shipped profile by name, or a file ending in .toml; `BadTarget` or `BadFile` in one line."""
    shipped = sorted(path.stem for path in SHIPPED.glob("*.toml"))
    if name not in shipped and not name.endswith(".toml"):
        raise BadTarget(f"no robot profile '{name}': choose one of {', '.join(shipped)}, or name a file.toml")
    path = SHIPPED / f"{name}.toml" if name in shipped else Path(name).expanduser()
    try:
        return Profile.model_validate(read_toml(path))
    except OSError as error:
        raise BadFile(f"robot profile '{path}' cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadFile(f"robot profile '{path}': {where}: {first['msg']}") from None
    except BadFile as error:
        raise BadFile(f"robot profile {error}") from None


@dataclass(frozen=True)
class _Chain:
    bones: tuple[int, ...]
    zero: Any
    axes: tuple[int, int, int]
    even: float
    count: int


class Reader:
    """Reads the joints' angles off a dancer."""

    def __init__(self, profile: Profile) -> None:
        self._chains = [_chain(group) for group in profile.group]
        self._signs = np.array([joint.sign for joint in profile.joints], np.float64)
        self._low, self._high = profile.limits().low, profile.limits().high

    def angles(self, local_rotations: NDArray[np.floating]) -> NDArray[np.float64]:
        """Angles [J] (rad) of one dancer's local rotations [22, 4], within the joints' limits of position."""
        found = np.concatenate([_euler(chain, local_rotations)[: chain.count] for chain in self._chains])
        return np.asarray(np.clip(found * self._signs, self._low, self._high))


def _chain(group: Group) -> _Chain:
    i, j, k = ("xyz".index(axis) for axis in group.axes)
    x, y, z = np.radians(group.zero) / 2
    turns = [np.array([*(np.sin(half) * (np.arange(3) == axis)), np.cos(half)]) for axis, half in enumerate((x, y, z))]
    zero = rotation.multiply(turns[0], rotation.multiply(turns[1], turns[2]))
    bones = tuple(skeleton.INDEX[bone] for bone in group.bones)
    return _Chain(bones, rotation.conjugate(zero), (i, j, k), 1.0 if (j - i) % 3 == 1 else -1.0, len(group.joints))


def _euler(chain: _Chain, rotations: NDArray[np.floating]) -> NDArray[np.float64]:
    """The three angles of R = Ri(a) Rj(b) Rk(c)."""
    turned = rotations[chain.bones[0]].astype(np.float64)
    for bone in chain.bones[1:]:
        turned = rotation.multiply(turned, rotations[bone].astype(np.float64))
    m = rotation.to_matrix(rotation.multiply(turned, chain.zero))
    (i, j, k), e = chain.axes, chain.even
    b = np.arcsin(np.clip(e * m[i, k], -1.0, 1.0))
    return np.array([np.arctan2(-e * m[j, k], m[k, k]), b, np.arctan2(-e * m[i, j], m[i, i])])
