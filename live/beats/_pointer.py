"""A beat pointer that many tempo hypotheses share, filtered forward (never smoothed): how long until the next beat?

The efficient state space of Krebs, Böck and Widmer ("An efficient state-space model for joint tempo and meter
tracking", ISMIR 2015) after Whiteley, Cemgil and Godsill (ISMIR 2006), with four changes: positions are counted as
frames *until* the beat, so that one shift moves all tempi; periods are not whole frames (a beat's mass enters two
neighbouring positions in proportion); the network's own sense of tempo is heard in each frame, as evidence and as
the tempo at which a little of the mass starts anew, so that a jump of tempo or track is followed within a few beats;
and an activation that goes astray, far from a hypothesis' beats and from what it divides them into, counts against it,
as two thirds or three quarters of the tempo else explain most beats of a song and are hard to leave.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from live.types import Float32

FRAME_RATE = 100.0
TEMPI = np.geomspace(190.0, 46.0, 72)
"""BPM of the hypotheses, fastest first; the network tells how likely each is."""
BINS = 32
"""Bins of the phase histogram."""
AROUND = np.arange(-3, 4)
"""Bins around the fullest that its phase is the mean of."""
REACH = 4
"""Tempi on either side that count as the same hypothesis."""
DIVISIONS = (0.25, 1 / 3, 0.5, 0.75)
"""Beats until the next one at which any music plays: quarters of the beat, and the late off-beat of swing."""
FAINT = 0.02
"""Activation up to which nobody is surprised, which spares most frames the sum."""
LOYAL_WITHIN = 0.08
"""A period that differs by less, as a logarithm, is the one held so far."""


@dataclass(frozen=True)
class PointerConfig:
    """What the filter believes about music.

    Chosen among some 3,000 random settings by the choosing half of the shared clips, as they are and warped to 0.8 and
    1.25 times; eight settings with every value moved by up to 5% follow the step of tempo among these clips as well.
    """

    favourite: float = 125.0
    breadth: float = 0.47
    """Tempo prior: log-normal around `favourite` bpm."""
    pull: float = 0.29
    """How many times a second that prior speaks."""
    heed: float = 0.003
    """Power of the network's tempo distribution in a frame."""
    tempo_floor: float = 0.002
    """Least probability of a tempo by that distribution."""
    tempo_blur: float = 15.0
    """Standard deviation, in bins, by which it is blurred: it knows the octave better than the tempo."""
    informed: float = 0.33
    """Share of what starts anew that does so at the network's tempo, the rest by the prior."""
    steadiness: float = 96.0
    """A beat's period differs from the last by the factor 1 + x with probability density exp(-steadiness |x|)."""
    leap: float = 0.049
    """Probability of an unrelated tempo at a beat."""
    restart: float = 5e-4
    """Probability per frame that everything starts anew."""
    sharpness: float = 14.0
    """A frame without a beat has likelihood (1 - activation) / (sharpness - 1)."""
    floor: float = 0.05
    """Least likelihood of a beat's frame."""
    width: float = 0.021
    """Standard deviation of the activation around the beat and its divisions, in beats, beside 0.7 frames."""
    surprise: float = 5.4
    """Power of (1 - activation) by which a frame far from both is less likely, beside the `trust`."""
    trust: float = 0.29
    """Power of the likelihood."""
    haste: float = 0.55
    """The same for the quick filter, which tells the first beats and is followed where it hears more."""
    loyalty: float = 1.9
    """How many times stronger another tempo must be to be followed."""


class Reading(NamedTuple):
    """The best hypothesis: frames until its next beat, its period in frames, its share of all belief."""

    until: float
    period: float
    share: float


class Pointer:
    """Tables of the filter; the belief, summing to one, is a value in and a value out.

    It is flat, [states]: each tempo's positions from 0 up, as many as it has, one tempo after the other.
    """

    def __init__(self, config: PointerConfig) -> None:
        self.config = config
        self.periods = 60.0 * FRAME_RATE / TEMPI
        whole = np.floor(self.periods).astype(int)
        self._counts = whole + 1
        self._starts = np.concatenate([[0], np.cumsum(self._counts)])
        self._lasts = self._starts[1:] - 1
        self._logs, self._periods = np.log(self.periods), self.periods.astype(np.float32)
        prior = np.exp(-0.5 * (np.log(TEMPI / config.favourite) / config.breadth) ** 2)
        self._prior = np.asarray(prior / prior.sum(), np.float32)
        self._anywhere = np.asarray(1.0 / self._counts, np.float32)
        """Probability of each position of a tempo."""
        self._fresh = self._prior * np.float32(config.restart * (1.0 - config.informed))
        self._blurred = _blur(config.tempo_blur)
        self._pooled = _within(len(TEMPI), REACH)
        self._three = _within(BINS, 1, circular=True)
        change = _tempo_change(config, self.periods, self._prior) * prior ** (config.pull * self.periods / FRAME_RATE)
        late = self.periods - whole
        self._change = np.concatenate([change * (1.0 - late), change * late], 1).astype(np.float32)
        self._entry = np.concatenate([self._lasts - 1, self._lasts])
        """Where each tempo's new beat may stand."""
        period = self.periods.repeat(self._counts)
        turns = (np.arange(self._starts[-1]) - self._starts[:-1].repeat(self._counts)) / period
        blur = 0.7 / period + config.width
        bumps = [np.exp(-0.5 * ((turns - at) / blur) ** 2) for at in (0.0, 1.0, *DIVISIONS)]
        on_beat = np.maximum(*bumps[:2])
        self._on_beat = np.asarray(np.where(on_beat > 1e-9, on_beat, 0.0), np.float32)  # denormals are slow
        self._astray = np.asarray(1.0 - np.max(bumps, 0), np.float32)
        self._bins = np.round(turns * BINS).astype(int) % BINS

    def initial(self) -> Float32:
        return (self._anywhere * self._prior).repeat(self._counts)

    def move(self, belief: Float32) -> Float32:
        """The belief one frame later, having seen nothing."""
        out = np.empty_like(belief)
        out[:-1] = belief[1:]
        out[self._lasts] = 0.0
        out[self._entry] += belief[self._starts[:-1]] @ self._change
        return out

    def _of_tempi(self, belief: Float32) -> Float32:
        """[tempi]: each tempo's share."""
        return np.add.reduceat(belief, self._starts[:-1])

    def expectation(self, belief: Float32) -> float:
        """How much of the belief says that the beat is now."""
        return float(belief @ self._on_beat)

    def see(self, belief: Float32, activation: float, tempo: Float32, trust: float) -> Float32:
        """The belief after this frame's activation (0..1) and tempo distribution [tempi]; `trust`: see the config."""
        config = self.config
        beat = max(activation, config.floor) ** trust
        rest = ((1.0 - min(activation, 0.98)) / (config.sharpness - 1.0)) ** trust
        tempo = self._blurred @ tempo
        heeded = np.maximum(tempo, np.float32(config.tempo_floor)) ** np.float32(config.heed)
        fresh = tempo * np.float32(config.restart * config.informed) + self._fresh
        out = self._on_beat * np.float32(beat - rest)
        out += np.float32(rest)
        if activation > FAINT:
            surprise = 1.0 - (1.0 - min(activation, 0.98)) ** config.surprise
            out -= self._astray * np.float32(rest * surprise)
        out *= belief
        heeded *= np.float32((1.0 - config.restart) / float(self._of_tempi(out) @ heeded))
        out *= heeded.repeat(self._counts)
        out += (self._anywhere * fresh).repeat(self._counts)
        return out

    def read(self, belief: Float32, held: float, patient: bool = False) -> Reading:
        """The strongest hypothesis; one near the `held` period (0: none) counts `loyalty` times, and if `patient`, it
        alone."""
        weight = self._of_tempi(belief)
        pooled = self._pooled @ weight
        if held > 0.0:
            near = np.abs(self._logs - math.log(held)) < LOYAL_WITHIN
            pooled *= np.where(near, np.float32(self.config.loyalty), np.float32(not patient))
        best = int(pooled.argmax())
        rows = slice(max(best - REACH, 0), best + REACH + 1)
        likely = weight[rows]
        period = float(likely @ self._periods[rows]) / float(likely.sum())
        states = slice(self._starts[rows.start], self._starts[min(rows.stop, len(TEMPI))])
        histogram = np.bincount(self._bins[states], belief[states], BINS)
        peak = int((self._three @ histogram).argmax())
        near_peak = histogram.take(AROUND + peak, mode="wrap")
        share = float(near_peak.sum())
        offset = float(near_peak @ AROUND) / share
        return Reading((peak + offset) / BINS % 1.0 * period, period, share)


def octave_apart(period: float, other: float) -> bool:
    """Whether one of two periods (> 0) is twice or three times the other, within 6%."""
    ratio = max(period, other) / min(period, other)
    return abs(ratio - 2.0) < 0.12 or abs(ratio - 3.0) < 0.18


def _blur(bins: float) -> Float32:
    """[tempi, tempi]: a distribution over tempi times this is blurred by a Gaussian of standard deviation `bins`."""
    apart = np.arange(len(TEMPI))[:, None] - np.arange(len(TEMPI))
    weight = np.exp(-0.5 * (apart / bins) ** 2)
    return np.asarray(weight / weight.sum(0), np.float32)


def _within(count: int, reach: int, circular: bool = False) -> Float32:
    """[count, count]: this times values is the sum of each and those up to `reach` places away."""
    apart = np.abs(np.arange(count)[:, None] - np.arange(count))
    apart = np.minimum(apart, count - apart) if circular else apart
    return np.asarray(apart <= reach, np.float32)


def _tempo_change(config: PointerConfig, periods: np.ndarray, prior: np.ndarray) -> Float32:
    """[tempi, tempi]: from a beat's tempo to the next one's."""
    ratio = periods[None, :] / periods[:, None]
    near = np.exp(-config.steadiness * np.abs(ratio - 1.0))
    near /= near.sum(1, keepdims=True)
    return np.asarray((1.0 - config.leap) * near + config.leap * prior, np.float32)
