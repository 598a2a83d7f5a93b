"""What a performer's hand does to the beat, as a value and functions of it; `live.hand` lays it on a tracker.

A `Grip` is what the hand asks for and where the shown beat stands. `moved` carries it on through time, `shown` tells it
as a `BeatState`. What is asked for counts at once in the tempo. The phase never jumps: it glides there, at most `SLEW`
faster or slower than the beat, so that half a beat is made up within one; the beat count never falls. A bar that is
moved stands still or runs up to half a bar a beat faster until it is right.

Positions are in beats, whole numbers on the beat. `base` follows the tracker's phase (or the hand's own clock, once
tapped or locked); the goal is `base` times 2 to the `octave`, `late` seconds later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from live.errors import Unusable
from live.types import BeatState

SLEW = 0.5
"""Share of the tempo by which the phase may run faster or slower while it glides."""
OCTAVES = 2
"""How often the tempo can be doubled or halved."""
SLOWEST, FASTEST = 20.0, 400.0
"""BPM that can be asked for."""
BOUNCE, PAUSE = 0.15, 3.0
"""Seconds between taps: closer ones are one, farther ones begin anew."""
TAPS = 8
HANDOVER = 8.0
"""Beats after the last tap from which a tracker that agrees takes over again."""
AGREE = 0.04
"""Share by which a tracker's tempo may differ from the tapped one."""
HELD = 0.9
"""Confidence in a beat that was tapped or locked."""


@dataclass(frozen=True, slots=True)
class Grip:
    """What the hand asks for, and the shown beat. `bpm` above 0 is the hand's own clock; `one` a beat that is one."""

    heard: BeatState
    base: float
    beats: float
    bar: float
    octave: int = 0
    late: float = 0.0
    bpm: float = 0.0
    tapped: tuple[float, ...] = ()
    since_tap: float = 0.0
    one: int | None = None

    @property
    def tempo(self) -> float:
        """Beats per second as shown; 0 where nothing is known."""
        return math.ldexp(self.bpm or self.heard.bpm, self.octave) / 60.0

    @property
    def goal(self) -> float:
        """Where the shown beat should stand, but for whole beats."""
        return math.ldexp(self.base, self.octave) - self.late * self.tempo

    @property
    def error(self) -> float:
        """Beats still to glide, in [-0.5, 0.5)."""
        return _wrapped(self.goal - self.beats)


def _wrapped(beats: float) -> float:
    return (beats + 0.5) % 1.0 - 0.5


def gripped(heard: BeatState) -> Grip:
    """A hand that asks for nothing yet, on a tracker in this state."""
    beats = heard.beat_count + heard.phase
    return Grip(heard, beats, beats, heard.bar_phase)


def moved(grip: Grip, heard: BeatState, seconds: float) -> Grip:
    """The grip `seconds` later, when the tracker's state is `heard`."""
    knew = grip.tempo > 0.0
    base = grip.base + seconds * (grip.bpm or heard.bpm) / 60.0
    if not grip.bpm and heard.bpm > 0.0:
        base += _wrapped(heard.phase - base)
    grip = replace(grip, heard=heard, base=base, since_tap=grip.since_tap + seconds)
    step = seconds * grip.tempo
    if step <= 0.0:
        return grip
    grip = replace(grip, beats=grip.beats + step)
    if not knew:  # there was no beat to glide from
        return _with_bar(replace(grip, beats=grip.beats + grip.error % 1.0), 0.0)
    glide = min(max(grip.error, -SLEW * step), SLEW * step)
    grip = _with_bar(replace(grip, beats=grip.beats + glide), step)
    return _handed_over(grip) if grip.tapped and grip.bpm else grip


def _with_bar(grip: Grip, step: float) -> Grip:
    """The bar's phase carried on by `step` beats, towards where it should be and never back."""
    length, (phase, sure) = grip.heard.beats_per_bar, _bar_goal(grip)
    if sure <= 0.0 or step <= 0.0:
        return replace(grip, bar=phase)
    bar = grip.bar + step / length
    error = (phase - bar + 1.0 / length) % 1.0 - 1.0 / length
    return replace(grip, bar=(bar + min(max(error, -step / length), SLEW * step)) % 1.0)


def _bar_goal(grip: Grip) -> tuple[float, float]:
    """Where the bar should stand, and how sure that is: by the hand's beat one, else by the tracker."""
    heard = grip.heard
    if grip.one is not None:
        return (grip.beats - grip.one) / heard.beats_per_bar % 1.0, _confidence(grip)
    if grip.bpm or grip.octave < 0:
        return grip.bar, 0.0
    late = grip.late * grip.tempo / heard.beats_per_bar
    return (math.ldexp(heard.bar_phase, grip.octave) - late) % 1.0, heard.bar_confidence


def _confidence(grip: Grip) -> float:
    return max(HELD, grip.heard.confidence) if grip.bpm else grip.heard.confidence


def shown(grip: Grip) -> BeatState:
    """The grip as a beat state; `next_beat` knows of the glide."""
    if grip.tempo <= 0.0:
        return grip.heard._replace(beat_count=math.floor(grip.beats))
    count = math.floor(grip.beats)
    phase = grip.beats - count
    return BeatState(
        phase=phase,
        bpm=60.0 * grip.tempo,
        confidence=_confidence(grip),
        bar_phase=grip.bar,
        bar_confidence=_bar_goal(grip)[1],
        next_beat=_until(1.0 - phase, grip.error) / grip.tempo,
        beat_count=count,
        beats_per_bar=grip.heard.beats_per_bar,
    )


def _until(distance: float, error: float) -> float:
    """How many beats' time it takes to go `distance` beats while `error` is glided away."""
    rate = 1.0 + math.copysign(SLEW, error)
    gliding = abs(error) / SLEW
    return distance / rate if gliding * rate >= distance else gliding + distance - gliding * rate


# ---- what the hand does ------------------------------------------------------------------------------------------


def shifted(grip: Grip, octaves: int) -> Grip:
    """Twice (1) or half (-1) as fast, within `OCTAVES`. Halved, the beats that stay are those with the bar's one."""
    heard, octave = grip.heard, min(max(grip.octave + octaves, -OCTAVES), OCTAVES)
    if grip.one is not None:
        since = grip.beats + grip.error + grip.late * grip.tempo - grip.one
        base = math.ldexp(since, -grip.octave) if octave < 0 or grip.bpm else grip.base
        found = replace(grip, octave=octave, base=base)
        return replace(found, one=round(found.beats + found.error - math.ldexp(since, octave - grip.octave)))
    base = grip.base
    if octave < 0 and not grip.bpm and heard.bar_confidence > 0.0:
        base = round(heard.bar_phase * heard.beats_per_bar - heard.phase) + heard.phase
    return replace(grip, octave=octave, base=base)


def nudged(grip: Grip, seconds: float) -> Grip:
    """Beats later by `seconds`; earlier if negative."""
    return replace(grip, late=grip.late + seconds)


def with_one_here(grip: Grip) -> Grip:
    """The beat nearest to now is the bar's first."""
    known = _bar_goal(grip)[1] > 0.0
    grip = replace(grip, one=round(grip.beats))
    return grip if known else _with_bar(grip, 0.0)


def locked(grip: Grip, bpm: float | None) -> Grip:
    """A clock of the hand's own at `bpm`, going on from the beat shown; None: the tracker's beat again, in the octave
    nearest to the tempo held."""
    if bpm is None:
        return _following(grip) if grip.bpm else grip
    if not SLOWEST <= bpm <= FASTEST:
        raise Unusable(f"tempo {bpm:g}: lock to {SLOWEST:g} to {FASTEST:g} BPM")
    return _on_own_clock(grip, bpm, grip.beats + grip.error)


def _on_own_clock(grip: Grip, bpm: float, base: float) -> Grip:
    """Its own clock at `base` beats. A bar that was known is kept."""
    one = grip.one
    if one is None and _bar_goal(grip)[1] > 0.0:
        one = round(grip.beats - grip.bar * grip.heard.beats_per_bar)
    knew = grip.tempo > 0.0
    grip = replace(grip, bpm=bpm, base=base, octave=0, late=0.0, tapped=(), one=one)
    return grip if knew else replace(grip, beats=grip.beats + grip.error % 1.0)


def _following(grip: Grip) -> Grip:
    """The tracker's beat again, counted in the octave and, where slower, from the beat that is nearest."""
    heard = grip.heard
    if heard.bpm <= 0.0:
        return replace(grip, bpm=0.0, octave=0, late=0.0, tapped=())
    octave = min(max(round(math.log2(60.0 * grip.tempo / heard.bpm)), -OCTAVES), OCTAVES)
    starts = (heard.phase + n for n in range(2 ** max(0, -octave)))
    free = replace(grip, bpm=0.0, octave=octave, late=0.0, tapped=())
    return min((replace(free, base=base) for base in starts), key=lambda found: abs(found.error))


def with_tap(grip: Grip, ago: float, at: float) -> Grip:
    """A tap `ago` seconds before now, at time `at`. One alone says where the beat is; two or more also the tempo."""
    if grip.tapped and abs(at - grip.tapped[-1]) < BOUNCE:
        return grip
    going_on = bool(grip.tapped) and 0.0 < at - grip.tapped[-1] <= PAUSE
    taps = (*grip.tapped, at)[-TAPS:] if going_on else (at,)
    if len(taps) == 1:
        if grip.tempo > 0.0:
            grip = nudged(grip, _wrapped(grip.goal - ago * grip.tempo) / grip.tempo)
    else:
        period = (taps[-1] - taps[0]) / (len(taps) - 1)
        middle = sum(taps) / len(taps) + period * (len(taps) - 1) / 2.0  # of the last tap, the others heeded
        grip = _on_own_clock(grip, 60.0 / period, (at + ago - middle) / period)
    return replace(grip, tapped=taps, since_tap=ago)


def _handed_over(grip: Grip) -> Grip:
    """Back to the tracker some beats after the last tap, once it is sure of the tapped tempo in some octave. If it is
    half a beat off, that stays corrected."""
    heard = grip.heard
    if grip.since_tap * grip.tempo < HANDOVER or heard.confidence < 0.5 or heard.bpm <= 0.0:
        return grip
    found = _following(grip)
    if abs(found.tempo / grip.tempo - 1.0) > AGREE:
        return grip
    return nudged(found, 0.5 / found.tempo) if abs(found.error) > 0.25 else found


def released(grip: Grip) -> Grip:
    """Nothing asked for any more."""
    return replace(grip, bpm=0.0, octave=0, late=0.0, tapped=(), one=None, base=grip.heard.phase)


def at_home(grip: Grip) -> bool:
    """True when a released grip has glided back to the tracker's own beat and bar."""
    bar = _wrapped(grip.bar - grip.heard.bar_phase) if grip.heard.bar_confidence > 0.0 else 0.0
    return grip.tempo > 0.0 and abs(grip.error) < 1e-6 and abs(bar) < 1e-6
