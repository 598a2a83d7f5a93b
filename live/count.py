"""The dancer's own count: the beat that a tracker tells, held on to as a dancer does.

A tracker tells what it believes in this instant. Where it wavers, its beat jumps by half of one, and its tempo by an
octave, and back within the second; a dance that followed would begin its figure anew each time. A dancer counts on at
the tempo held, hears for a while how far the tracker's beat lies beside the own one, and goes there without a jump.
Another tempo is taken after a moment's patience, another octave of it (the model's tempo range says which are danced)
only well beyond the range. Whoever surely knows the beat, as a hand or a clock does, is followed at once.

It counts in fours from any beat unless one is surely the downbeat: a dance takes another bar up slowly, so a bar that
is right half of the time costs it more than it gives. A dance of a metre of its own is counted in that, whatever the
music's: in any other it would be told bars that belong to no step of it.
"""

from __future__ import annotations

import cmath
import math
from typing import NamedTuple

from live.types import FIGURE, BeatState

LED = 0.9
"""Confidence of whoever is followed at once."""
STEADY = 8.0
"""Seconds over which the tracker's beat is compared with the own one, but not more than the tempo has been held: who
has long been in step is slow to believe that the beat is elsewhere, where a tracker may believe so for seconds."""
TEMPO_STEADY = 0.5
"""Seconds over which a tempo near the own one is taken up."""
AT_FIRST = 0.1
"""Seconds in place of both when the tempo has just been taken."""
OTHER, PATIENCE = 0.06, 0.8
"""A tempo that differs by more (as a logarithm, octaves aside) is another one, and taken after so many seconds."""
BEYOND = 1.12
"""How many times beyond the range a tempo must be for another octave of it."""
HASTE = 0.5
"""Share of the tempo by which beats run faster or slower until they are right; a new tempo's may jump."""
NEW = 1.0
"""Seconds for which a tempo is new; where little is known (confidence below `KNOWN`) they last longer."""
KNOWN, FAINT, BELIEVED = 0.3, 0.02, 0.05
"""What is heard with less confidence than `FAINT` counts as that; from `BELIEVED` on, the dancer is sure."""
SLOWEST, FASTEST = 1.0, 10_000.0
"""Bpm beyond which nothing is a tempo."""
COUNTED, FOLLOWED = 0.1, 0.6
"""How sure the dancer is of its own one; a downbeat is followed that is surer than `FOLLOWED` of the confidence in the
beat."""


class Count(NamedTuple):
    """`beats` danced so far, at `bpm` (0: no beat has been told). `ahead`: mean of exp(2 pi i x), x being by how many
    beats the tracker's beat was ahead of the own one, weighed by its confidence. `doubt`: seconds for which another
    tempo was told. `age`: seconds of this tempo."""

    beats: float = 0.0
    bpm: float = 0.0
    ahead: complex = 0j
    doubt: float = 0.0
    age: float = 0.0


Range = tuple[float, float]


def in_range(bpm: float, tempo_range: Range) -> float:
    """A tempo (above 0) in the octave of it that lies in the range, or nearest to it."""
    slowest, fastest = tempo_range
    while bpm < slowest and 2.0 * bpm <= fastest:
        bpm *= 2.0
    while bpm > fastest and bpm / 2.0 >= slowest:
        bpm /= 2.0
    return bpm


def counted(count: Count, told: BeatState, seconds: float, tempo_range: Range) -> Count:
    """The count so many seconds later, when a tracker tells this. tempo_range: the slowest and fastest bpm danced."""
    if count.bpm > 0.0:
        count = count._replace(beats=count.beats + count.bpm / 60.0 * seconds)
    if not SLOWEST <= told.bpm <= FASTEST:
        return count
    if count.bpm <= 0.0:
        return _taken(count, told, tempo_range)
    led = told.confidence >= LED
    other = abs(math.log(_near(told.bpm, count.bpm) / count.bpm)) > OTHER
    doubt = count.doubt + seconds if other else max(0.0, count.doubt - seconds)
    if other and not led and doubt <= min(PATIENCE, count.age):
        return count._replace(doubt=doubt)
    if other:
        return _taken(count, told, tempo_range)
    age = count.age + seconds * min(1.0, told.confidence / KNOWN)
    count = count._replace(doubt=doubt, age=age)
    return _in_phase(_in_tempo(count, told, seconds, led, tempo_range), told, seconds, led)


def danced(count: Count, told: BeatState, lead: float, own: int = 0) -> BeatState:
    """The beat to dance to: the count of now, `lead` seconds ahead, with the bar that was told if that is sure and as
    long as the dance's `own` (beats; 0: any will do)."""
    if count.bpm <= 0.0:
        return told
    whole = math.floor(count.beats)
    sure = min(1.0, told.confidence / BELIEVED)
    metre, place, known = own or FIGURE, count.beats, min(COUNTED, sure)
    octave = _octave(told.bpm, count.bpm) if SLOWEST <= told.bpm <= FASTEST else 0
    fits = octave >= 0 and own in (0, told.beats_per_bar)
    if fits and told.bar_confidence > FOLLOWED * told.confidence:
        metre, known = told.beats_per_bar, told.bar_confidence
        place = math.ldexp(told.bar_phase * metre, octave)
        place += _apart(count.beats, place)
    state = BeatState(count.beats - whole, count.bpm, sure, place / metre % 1.0, known, 0.0, whole, metre)
    return state._replace(next_beat=(1.0 - state.phase) * 60.0 / count.bpm).advanced(lead)


def tempo(count: Count, told: BeatState) -> float:
    """Bpm that is danced, in the octave that is told: what a tracker believes for a moment does not change it."""
    if count.bpm <= 0.0 or not SLOWEST <= told.bpm <= FASTEST:
        return told.bpm
    return _near(count.bpm, told.bpm)


def _taken(count: Count, told: BeatState, tempo_range: Range) -> Count:
    """The tempo told, in the octave nearest to the range's, and its beat."""
    bpm = in_range(told.bpm, tempo_range)
    return count._replace(beats=count.beats + _off(count.beats, bpm, told), bpm=bpm, ahead=0j, doubt=0.0, age=0.0)


def _in_tempo(count: Count, told: BeatState, seconds: float, led: bool, tempo_range: Range) -> Count:
    """The tempo, nearer to the one told, and in another octave where it has left the range for good."""
    slowest, fastest = tempo_range[0] / BEYOND, tempo_range[1] * BEYOND
    taken = 1.0 if led else _share(seconds, min(TEMPO_STEADY, AT_FIRST + count.age))
    bpm = count.bpm * (_near(told.bpm, count.bpm) / count.bpm) ** taken
    factor = 2.0 if bpm < slowest and 2.0 * bpm <= fastest else 0.5 if bpm > fastest and bpm / 2.0 >= slowest else 1.0
    return count._replace(bpm=bpm * factor, beats=count.beats * factor, ahead=count.ahead if factor == 1.0 else 0j)


def _in_phase(count: Count, told: BeatState, seconds: float, led: bool) -> Count:
    """The beats, nearer to where the tracker's were heard to be."""
    heard = max(told.confidence, FAINT) * cmath.exp(2j * math.pi * _off(count.beats, count.bpm, told))
    taken = 1.0 if led else _share(seconds, min(STEADY, AT_FIRST + count.age))
    ahead = count.ahead + taken * (heard - count.ahead)
    most = 0.5 if count.age < NEW else HASTE * count.bpm / 60.0 * seconds
    step = max(-most, min(most, cmath.phase(ahead) / (2.0 * math.pi)))
    return count._replace(beats=count.beats + step, ahead=ahead * cmath.exp(-2j * math.pi * step))


def _off(beats: float, bpm: float, told: BeatState) -> float:
    """By how many beats, at most half of one, the told beat is ahead of `beats` that run at `bpm`. Where the tracker
    counts twice as fast, it may be either of its beats: the nearer."""
    octave = _octave(told.bpm, bpm)
    if octave >= 0:
        return _apart(math.ldexp(told.phase, octave), beats)
    parts = 2**-octave
    return min((_apart((told.phase + part) / parts, beats) for part in range(parts)), key=abs)


def _apart(a: float, b: float) -> float:
    """a - b in beats, whole ones left out: -0.5 to 0.5."""
    return (a - b + 0.5) % 1.0 - 0.5


def _octave(told: float, bpm: float) -> int:
    """How often the `told` tempo must be doubled to be nearest to `bpm`."""
    return round(math.log2(bpm / told))


def _near(told: float, bpm: float) -> float:
    return math.ldexp(told, _octave(told, bpm))


def _share(seconds: float, memory: float) -> float:
    return 1.0 - math.exp(-seconds / memory)
