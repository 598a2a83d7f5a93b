"""Joint angles that follow a dance, however wild, without ever leaving their limits of position, velocity, acceleration
and jerk.

The state (position, velocity, acceleration) of a joint is *safe* when the plan to stop from it stays within all limits.
The plan is closed-form: bring the velocity to 0 with jerk of at most the limit, in three phases (as jerk-limited
profiles do). Each step tries jerks near the wanted one and takes the nearest after which the joint is still safe; where
there is none it follows the plan of the state it is in. That one is safe, so the next state is, by induction. Within
a step the jerk is constant, or the plan's; either way positions are exact, so that samples' differences hold too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

TRIALS = np.linspace(-1.0, 1.0, 9)[:, None]
"""Jerks tried each step, as shares of the limit."""
MARGIN = 1e-9
"""Radians kept from the ends, and"""
CAUTION = 1.0 - 1e-6
"""the share of each other limit that is used, so that rounding exceeds none."""


@dataclass(frozen=True)
class Limits:
    """Of J joints, all [J]: radians and rad/s, rad/s^2, rad/s^3."""

    low: Float64
    high: Float64
    velocity: Float64
    acceleration: Float64
    jerk: Float64


class State(NamedTuple):
    """Position, velocity and acceleration of the joints, [J] each, or of several trials of them, [K, J]."""

    position: Float64
    velocity: Float64
    acceleration: Float64

    def after(self, seconds: Float64 | float, jerk: Float64 | float) -> State:
        """The state `seconds` later at constant `jerk`."""
        p, v, a = self
        t = seconds
        return State(p + t * (v + t * (a / 2 + t * jerk / 6)), v + t * (a + t * jerk / 2), a + t * jerk)


class Plan(NamedTuple):
    """How a joint stops: for `ramp` s at jerk `first`, `coast` s at none, `settle` s at jerk `-first`."""

    first: Float64
    ramp: Float64
    coast: Float64
    settle: Float64


def at_rest(position: Float64) -> State:
    """Joints that stand still."""
    return State(position, np.zeros_like(position), np.zeros_like(position))


def stopping(state: State, limits: Limits) -> Plan:
    """The quickest way to velocity 0 and acceleration 0.

    Were the acceleration brought to 0 at once, the velocity would be `left`; against it the plan accelerates, to a peak
    that the limit may cut.
    """
    _, v, a = state
    jerk = limits.jerk * CAUTION
    most = limits.acceleration * CAUTION
    left = v + a * np.abs(a) / (2 * jerk)
    way = np.where(left > 0, -1.0, 1.0)  # the side to which the acceleration goes first
    along = a * way  # the acceleration on that side
    peak = np.sqrt(np.maximum(along * along / 2 + jerk * np.abs(v) * np.where(v * way < 0, 1.0, -1.0), 0.0))
    peak = np.maximum(np.minimum(peak, most), np.maximum(along, 0.0))
    lost = (peak * peak - along * along / 2) / jerk  # velocity that the two ramps take
    coast = np.where(peak > 0, np.maximum(-v * way - lost, 0.0) / np.maximum(peak, 1e-12), 0.0)
    return Plan(way * jerk, np.maximum(peak - along, 0.0) / jerk, coast, peak / jerk)


def along(state: State, plan: Plan, seconds: float) -> State:
    """The state after `seconds` of the plan; once it has stopped it stands still."""
    left: Float64 | float = seconds
    for span, jerk in ((plan.ramp, plan.first), (plan.coast, 0.0), (plan.settle, -plan.first)):
        part = np.minimum(left, span)
        state = state.after(part, jerk)
        left = left - part
    stopped = left > 0
    return State(state.position, np.where(stopped, 0.0, state.velocity), np.where(stopped, 0.0, state.acceleration))


def is_safe(state: State, limits: Limits) -> NDArray[np.bool_]:
    """Whether the state and the whole plan to stop from it lie within the limits; any shape [..., J]."""
    plan = stopping(state, limits)
    p, v, a = state
    fine = (np.abs(a) <= limits.acceleration * CAUTION) & (np.abs(v) <= limits.velocity * CAUTION)
    fine &= _reached(p, limits)
    corner = state.after(plan.ramp, plan.first)
    shore = corner.after(plan.coast, 0.0)
    end = shore.after(plan.settle, -plan.first)
    for one in (corner, shore, end):
        fine &= _reached(one.position, limits) & (np.abs(one.velocity) <= limits.velocity * CAUTION)
    return fine & _turns_within(state, plan.first, plan.ramp, limits)


def _reached(position: Float64, limits: Limits) -> NDArray[np.bool_]:
    return np.asarray((position <= limits.high - MARGIN) & (position >= limits.low + MARGIN))


def _turns_within(state: State, jerk: Float64, span: Float64 | float, limits: Limits) -> NDArray[np.bool_]:
    """Whether velocity and position keep their limits where they turn while `jerk` lasts for `span`.

    The acceleration may pass 0 (the velocity is largest there), and the velocity may pass 0 (the position is). In a
    plan's later phases the acceleration keeps its sign and the velocity ends at 0, so that the ends tell all.
    """
    _, v, a = state
    jerk = np.where(jerk == 0.0, 1e-9, jerk)
    top = np.clip(-a / jerk, 0.0, span)
    fine = np.abs(state.after(top, jerk).velocity) <= limits.velocity * CAUTION
    root = np.sqrt(np.maximum(a * a - 2 * jerk * v, 0.0))
    for turn in ((-a - root) / jerk, (-a + root) / jerk):
        place = state.after(np.clip(turn, 0.0, span), jerk).position
        fine &= _reached(place, limits)
    return np.asarray(fine)


@dataclass(frozen=True)
class Limiter:
    """Steps of `period` s; `eagerness` (1/s) is how quickly a joint strives to where it should be."""

    limits: Limits
    period: float
    eagerness: float = 18.0

    def step(self, state: State, target: Float64, pace: Float64) -> State:
        """The next state [J] on the way to `target` (rad), which itself moves at `pace` (rad/s)."""
        wanted = self._wanted(state, target, pace)
        trials = np.concatenate([wanted[None], TRIALS * (self.limits.jerk * CAUTION)])
        tried = state.after(self.period, trials)
        fine = is_safe(tried, self.limits) & _turns_within(state, trials, self.period, self.limits)
        cost = np.where(fine, np.abs(trials - wanted), np.inf)
        best, joints = cost.argmin(0), np.arange(len(wanted))
        stop = along(state, stopping(state, self.limits), self.period)
        chosen = fine[best, joints]
        return State(*(np.where(chosen, new[best, joints], old) for new, old in zip(tried, stop, strict=True)))

    def _wanted(self, state: State, target: Float64, pace: Float64) -> Float64:
        """Jerk [J] of a critically damped pursuit, clipped to the limit."""
        w = self.eagerness
        p, v, a = state
        error, drift = target - p, pace - v
        acceleration = np.clip(w * w * error + 2 * w * drift, -self.limits.acceleration, self.limits.acceleration)
        jerk = (acceleration - a) / (2 * self.period)
        most = self.limits.jerk * CAUTION
        return np.clip(jerk, -most, most)
