"""What the composer draws from, as tables: drums, genres, sections, scales, instruments.

A bar is 4 counts of 4 steps; patterns hold one character a step: `X x o` hits from loud to soft, `1 3 5 8` chord
tones, `a`..`h` melody notes, `-` holds the note, `.` rests.
"""

from __future__ import annotations

from typing import NamedTuple

Range = tuple[float, float]


class Drum(NamedTuple):
    """Ranges a one-shot is drawn from: Hz, sweep as a multiple of it, seconds; its noise is high-passed at `cut` Hz."""

    layer: str
    level: float
    hz: Range = (0.0, 0.0)
    sweep: Range = (0.0, 0.0)
    ring: Range = (0.01, 0.01)
    noise: Range = (0.0, 0.0)
    hiss: Range = (0.01, 0.01)
    cut: float = 1000.0
    partials: tuple[float, ...] = (1.0,)
    bursts: int = 1


DRUMS = {
    "kick": Drum("kick", 1.0, (42, 62), (2, 7), (0.09, 0.32), (0.05, 0.4), (0.003, 0.012), 1500),
    "snare": Drum("snare", 0.7, (150, 240), (0.1, 0.8), (0.03, 0.10), (0.7, 1.6), (0.05, 0.16), 900),
    "clap": Drum("snare", 0.6, noise=(1, 1), hiss=(0.05, 0.14), cut=800, bursts=4),
    "rim": Drum("snare", 0.5, (700, 1100), (0, 0.3), (0.01, 0.02), (0.3, 0.8), (0.01, 0.03), 1500, (1, 1.7)),
    "hat": Drum("hats", 0.28, noise=(1, 1), hiss=(0.012, 0.05), cut=6500),
    "open": Drum("hats", 0.26, noise=(1, 1), hiss=(0.09, 0.26), cut=6000),
    "shaker": Drum("hats", 0.2, noise=(1, 1), hiss=(0.02, 0.05), cut=4000, bursts=2),
    "ride": Drum("hats", 0.22, (3000, 4200), (0, 0), (0.15, 0.4), (0.5, 1), (0.05, 0.3), 6000, (1, 1.34, 1.81)),
    "cowbell": Drum("perc", 0.32, (520, 600), (0, 0), (0.04, 0.12), (0, 0.1), (0.01, 0.01), 2000, (1, 1.48, 3, 4.4)),
    "clave": Drum("perc", 0.35, (1900, 2600), (0, 0), (0.015, 0.04), (0, 0.1), (0.005, 0.01), 3000),
    "conga": Drum("perc", 0.5, (190, 260), (0.05, 0.3), (0.07, 0.16), (0.05, 0.2), (0.005, 0.01), 800, (1, 1.5)),
    "slap": Drum("perc", 0.4, (280, 360), (0.2, 0.5), (0.02, 0.05), (0.5, 1), (0.01, 0.03), 1500, (1, 1.6)),
    "timbale": Drum("perc", 0.35, (380, 620), (0.02, 0.1), (0.04, 0.12), (0.2, 0.5), (0.01, 0.05), 2500, (1, 1.6, 2.1)),
    "tom": Drum("perc", 0.6, (85, 150), (0.3, 1), (0.1, 0.25), (0.1, 0.3), (0.01, 0.03), 800),
    "crash": Drum("crash", 0.3, noise=(1, 1), hiss=(0.4, 0.9), cut=4500),
}


class Genre(NamedTuple):
    """`swing`: counts in the swung pair, greatest delay of its middle as a fraction of it; `pump`: greatest ducking."""

    swing: tuple[float, float]
    pump: float
    drums: dict[str, tuple[str, ...]]
    bass: tuple[str, ...]
    chords: tuple[str, ...]


FOUR = "X...X...X...X..."
BACK = "....X.......X..."
EIGHTHS = "x.o.x.o.x.o.x.o."
SIXTEENTHS = "xoxoxoxoxoxoxoxo"
GENRES = {
    "house": Genre(
        (0.5, 0.12),
        0.7,
        {"kick": (FOUR,), "clap": (BACK,), "open": ("..o...o...o...o.", EIGHTHS),
         "shaker": (SIXTEENTHS, "x.oox.oox.oox.oo")},
        ("..1...1...1..1..", "1..1..8.1..1..5.", "..1-..1-..8-..5-"),
        ("..x-..x-...x-...", "x-.x-.x-..x-.x-.", "....x-......x-.."),
    ),
    "techno": Genre(
        (0.5, 0.05),
        0.6,
        {"kick": (FOUR,), "hat": ("..X...X...X...X.", SIXTEENTHS),
         "rim": ("...x..x....x..x.", BACK), "tom": ("......o....o....",)},
        (".111.111.111.111", "..1...1...1...1.", "1.1.1.1.1.1.1.1."),
        ("...x.....x......", "x..x..x.........", "x---------------"),
    ),
    "rock": Genre(
        (0.5, 0.04),
        0.0,
        {"kick": ("X.....x.X.......", "X...x...X.x.x...", "X.x...x.X.x....."), "snare": (BACK,),
         "hat": (EIGHTHS, "X...x...X...x...")},
        ("1-1-1-1-1-1-1-5-", "1---1-1-1---5-5-", "1-.1-.1-1-.1-.8-"),
        ("x---x---x---x---", "x-----x-x-----x-", "x-x-x-x-x-x-x-x-"),
    ),
    "pop": Genre(
        (0.5, 0.1),
        0.3,
        {"kick": ("X.....x.X.......", FOUR, "X..x..x.X..x...."), "snare": (BACK,),
         "clap": (BACK, "............x..."), "hat": (EIGHTHS, SIXTEENTHS)},
        ("1--1--1-1--1--5-", "1-------1---5---", "1-1-1-1-1-1-1-1-"),
        ("x---x---x---x---", "x-----x-----x---", "x.x.x.x.x.x.x.x."),
    ),
    "hiphop": Genre(
        (0.5, 0.33),
        0.2,
        {"kick": ("X.....x..xX.....", "X..x......X..x..", "X......xX.x....."), "snare": (BACK,),
         "hat": (EIGHTHS, "x.ox.oo.x.ox.ooo")},
        ("1-----1..-1-----", "1---------5-1---", "1--.....1-3-5---"),
        ("x-------x-------", "x---............", "..x-..x-..x-..x-"),
    ),
    "funk": Genre(
        (0.5, 0.2),
        0.0,
        {"kick": ("X.x.......x..x..", "X..x..x...x....."), "snare": ("....X..o.o..X..o", BACK),
         "hat": (SIXTEENTHS, EIGHTHS), "conga": ("..o..o.x..o..ox.",)},
        ("1..1..8...1.5.8.", "1.11..5.8..1.35.", "1...1.8.1...5.3."),
        ("..x...x..x..x...", "x..x....x..x..x.", "....x..x....x..x"),
    ),
    "swing": Genre(
        (1.0, 0.34),
        0.0,
        {"ride": ("X...X.o.X...X.o.",), "kick": ("x...x...x...x...", "X.......x......."), "hat": (BACK,),
         "snare": ("....o.......o.o.", BACK)},
        ("1---3---5---3---", "1---5---8---5---", "1---3---5---8---"),
        ("....x-......x-..", "x-....x-........", "......x-......x-"),
    ),
    "salsa": Genre(
        (0.5, 0.05),
        0.0,
        {
            "clave": ("x.....x.....x.......x...x.......", "....x...x.......x.....x.....x..."),
            "cowbell": ("X...x.o.X...x.o.", "X...x...X...x..."),
            "conga": ("o...o.......X.X.", "o.o.....o...X.X."),
            "slap": ("....X...o.......",),
            "timbale": ("x.x.xx.x.xx.x.x.", "x...x.x...x.x.x."),
            "kick": ("x...............", "......x.........", "x.....x.x.......")},
        ("......1-----5---", "1-----5-----8---", "......5-----1-8-"),
        ("x.x.x-..x-..x-x.x-..x-..x-..x-x.", "x...x-x-..x-..x-x.x-..x-..x-x-x."),
    ),
    "latin": Genre(
        (0.5, 0.06),
        0.2,
        {"kick": (FOUR, "X...x...X...x..."), "snare": ("...o..x....o..x.",),
         "shaker": ("X.oox.oox.oox.oo", EIGHTHS), "conga": ("..o.....o...x.x.",), "clave": ("x..x..x...x.x...",)},
        ("1-----5-1-----5-", "1..1..1.1..1..5.", "1---..5-1---..8-"),
        ("..x-..x-..x-..x-", "x..x..x...x.x...", "x---------------"),
    ),
    "ballad": Genre(
        (1.0, 0.1),
        0.0,
        {"kick": ("X.......x.......", "X.........x....."), "rim": (BACK, "........X......."),
         "snare": ("............o...", BACK), "hat": (EIGHTHS, "x...x...x...x...")},
        ("1---------------", "1-------5-------", "1-----1-5-------"),
        ("x-------x-------", "x---x---x---x---", "x-x-x-x-x-x-x-x-"),
    ),
}  # fmt: skip

BEATS = frozenset({"kick", "snare", "hats", "perc"})
SECTIONS: dict[str, tuple[Range, float, frozenset[str]]] = {
    # level at its start and end, weight in the draw, layers heard
    "intro": ((0.6, 0.9), 1, frozenset({"hats", "perc", "kick"})),
    "drums": ((1.0, 1.0), 2, BEATS),
    "groove": ((1.0, 1.0), 3, BEATS | {"bass"}),
    "song": ((1.0, 1.0), 3, BEATS | {"bass", "chords"}),
    "full": ((1.0, 1.0), 5, BEATS | {"bass", "chords", "pad", "lead", "crash"}),
    "sparse": ((0.6, 0.7), 2, frozenset({"kick", "hats", "chords"})),
    "quiet": ((0.6, 0.5), 1, frozenset({"pad", "chords", "perc"})),
    "build": ((0.4, 1.0), 1, frozenset({"kick", "chords", "pad", "roll"})),
    "end": ((1.0, 1.0), 0, frozenset({"kick", "bass", "chords", "pad", "crash"})),
}
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10), "dorian": (0, 2, 3, 5, 7, 9, 10)}
PROGRESSIONS = ((0, 5, 3, 4), (0, 4, 5, 3), (5, 3, 0, 4), (0, 3, 0, 4), (0, 6, 5, 6), (0, 0, 3, 4), (0, 0, 0, 0))
VELOCITY = {"X": 1.0, "x": 0.7, "o": 0.35}


class Voice(NamedTuple):
    """Ranges of a pitched instrument: slope of its harmonics 1/k^slope, seconds, sustain 0..1, detune in cents."""

    level: float
    slope: Range
    attack: Range
    decay: Range
    sustain: Range
    release: Range
    detune: Range
    harmonics: int


VOICES = {
    "bass": Voice(0.32, (1.0, 2.2), (0.003, 0.012), (0.1, 0.6), (0.2, 0.8), (0.02, 0.08), (0, 6), 40),
    "chords": Voice(0.18, (0.8, 2.2), (0.003, 0.02), (0.15, 0.9), (0.0, 0.6), (0.04, 0.3), (0, 14), 20),
    "pad": Voice(0.09, (1.0, 2.2), (0.08, 0.4), (1.0, 2.0), (0.7, 1.0), (0.2, 0.6), (6, 20), 16),
    "lead": Voice(0.22, (1.0, 2.4), (0.004, 0.04), (0.15, 0.8), (0.1, 0.7), (0.04, 0.2), (0, 10), 12),
}
