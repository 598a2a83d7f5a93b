"""Music with exact beats from human MIDI (drumming, folk tunes) and the composer's scores, for General MIDI sounds.

Time is kept in counts (beats, also of compound metres: the dotted quarter of a 6/8); a tempo map turns them into
seconds. Sources: Groove MIDI Dataset (CC-BY 4.0), jukedeck's Nottingham tunes (GPL-3.0), `live.train.composer`.
"""

from __future__ import annotations

import io
import re
from functools import cache
from pathlib import Path

import mido
import numpy as np

from live.errors import BadFile
from live.limits import MB, read_bytes
from live.train import composer
from live.train.orchestra import BASS, CHORDS, DRUM_CHANNEL, LEAD, PAD, PROGRAMS, Note, Score, render, tempo_map
from live.train.scores import BACK, EIGHTHS, FOUR, GENRES, SCALES, SIXTEENTHS, Genre
from live.train.song import Rng, Song

HELD_OUT = ("ashover26", "ashover37", "hpps10", "_10_rock-folk", "_17_blues", "_38_latin", "_47_jazz", "_5_rock_180")
"""Parts of the names of files that the shared clips may be made of: never trained on."""
KIT = {
    "kick": 36, "snare": 38, "clap": 39, "rim": 37, "hat": 42, "open": 46, "shaker": 70, "ride": 51, "cowbell": 56,
    "clave": 75, "conga": 63, "slap": 62, "timbale": 65, "tom": 45, "crash": 49,
}  # fmt: skip
KINDS = {"synth": 0.13, "scored": 0.18, "band": 0.11, "drums": 0.13, "folk": 0.24, "figured": 0.14, "swinging": 0.07}
"""Kinds of songs, and the share of each."""
SWINGS = re.compile("shuffle|swing|blues|mediumfast")
"""In the names of takes whose off-beats come late."""
CHANNEL = {"bass": BASS, "chords": CHORDS, "lead": LEAD, "pad": PAD}
HARD: dict[str, Genre] = {
    "metal": Genre(
        (0.5, 0.0), 0.0,
        {"kick": (16 * "x", "X.xxX.xxX.xxX.xx", "X.x.X.x.X.x.X.x.", "X..x..x.X..x..x.", "Xxx.x.xxX.x.xx.x"),
         "snare": (BACK, "........X.......", "..X...X...X...X."), "ride": (FOUR, EIGHTHS), "open": (FOUR, 16 * ".")},
        ("1111111111111111", "1.111.111.111.11", "1-1-1-1-1-1-1-1-", "1--1--1-1--1--1-"),
        ("x-xxx-xxx-xxx-xx", 8 * "x-", "x-------x-------", "x--x--x-x--x--x-", "x-x-x-x-xxxxxxxx"),
    ),
    "punk": Genre(
        (0.5, 0.0), 0.0,
        {"kick": ("X.....x.X.x.....", "X...X...X...X...", "X.x...x.X.x...x."), "snare": (BACK, "..X...X...X...X."),
         "hat": (EIGHTHS, FOUR), "open": (FOUR, EIGHTHS)},
        (8 * "1-", "1-1-1-1-5-5-5-5-"),
        (8 * "x-", "x---x---x---x---", "x-x-x-x---x-x-x-"),
    ),
    "breaks": Genre(
        (0.5, 0.1), 0.2,
        {"kick": ("X.........X.....", "X.X.......XX....", "X.....x...X....."), "snare": (BACK, "....X..o.o..X..o"),
         "hat": (EIGHTHS, SIXTEENTHS), "ride": (EIGHTHS, 16 * ".")},
        ("1-------8---5---", "1--.1--.1--.5-8-", "1---------------"),
        ("x---------------", "..x-..x-..x-..x-", "x-----x-----x---"),
    ),
}  # fmt: skip


def natural_bpm(rng: Rng) -> float:
    """How fast music is: median 116, 68% within 83 and 161."""
    return float(np.clip(116.0 * np.exp(rng.normal(0.0, 0.33)), 55.0, 215.0))


@cache
def drummings(midi: Path) -> tuple[tuple[Path, float, str], ...]:
    """(file, bpm, metre) of every take in the folder that is long enough."""
    found = []
    for file in sorted((midi / "groove").glob("*.mid")):
        *_, bpm, _, metre = file.stem.split("_")
        long = float(bpm) * _read(file).length / 60.0 >= 15.0
        if long and not any(part in file.stem for part in HELD_OUT):
            found.append((file, float(bpm), metre))
    return tuple(found)


def _read(file: Path) -> mido.MidiFile:
    """Raises `BadFile` naming it where it is none."""
    try:
        return mido.MidiFile(file=io.BytesIO(read_bytes(file, MB)))
    except (OSError, EOFError, ValueError, LookupError, TypeError) as error:
        raise BadFile(f"{file}: is no MIDI file ({error})") from None


@cache
def tunes(midi: Path) -> tuple[Path, ...]:
    files = sorted((midi / "nottingham").glob("*.mid"))
    return tuple(f for f in files if not any(part == f.stem for part in HELD_OUT))


def drumming(rng: Rng, midi: Path, beats: int, metres: tuple[str, ...]) -> tuple[list[Note], float, int]:
    """A human take from a random bar on, repeated until `beats`; its own tempo; beats of its bar."""
    takes = [take for take in drummings(midi) if take[2] in metres]
    rarity = np.array([1.0 / np.sqrt(sum(_style(t) == _style(take) for t in takes)) for take in takes])
    return _taken(rng, takes[rng.choice(len(takes), p=rarity / rarity.sum())], beats)


def _taken(rng: Rng, take: tuple[Path, float, str], beats: int) -> tuple[list[Note], float, int]:
    """Of one take, what `drumming` gives."""
    file, bpm, metre = take
    bar = int(metre.split("-")[0])
    notes = _drum_notes(file, bpm)
    bars = max(int(notes[-1].count / bar + 0.2), 1)
    first = bar * int(rng.integers(max(bars - 8, 1)))
    loop = [note._replace(count=note.count - first) for note in notes if first - 0.2 <= note.count < bars * bar - 0.2]
    span = bars * bar - first
    return [n._replace(count=n.count + k * span) for k in range(beats // span + 1) for n in loop], bpm, bar


def _style(take: tuple[Path, float, str]) -> str:
    """The first word of "DRUMMER_SESSION_NUMBER_STYLE_BPM_KIND_METRE", as in latin-samba: without it, rock is half."""
    return take[0].stem.split("_")[-4].split("-")[0]


@cache
def _drum_notes(file: Path, bpm: float) -> tuple[Note, ...]:
    time, notes = 0.0, []
    for message in _read(file):
        time += message.time
        if message.type == "note_on" and message.velocity:
            notes.append(Note(time * bpm / 60.0, 0.2, message.note, message.velocity, DRUM_CHANNEL))
    return tuple(notes)


@cache
def _tune(file: Path) -> tuple[tuple[Note, ...], int, bool]:
    """Melody and chords in counts from the first downbeat, beats of the bar, and whether it is compound."""
    midi = _read(file)
    signature = next(m for track in midi.tracks for m in track if m.type == "time_signature")
    compound = signature.denominator == 8
    unit = midi.ticks_per_beat * (1.5 if compound else 4.0 / signature.denominator)
    melody, chords = (_track_notes(midi.tracks[min(i, len(midi.tracks) - 1)], (LEAD, CHORDS)[i]) for i in (0, 1))
    zero = (chords or melody)[0].count
    notes = tuple(n._replace(count=(n.count - zero) / unit, length=n.length / unit) for n in sorted(melody + chords))
    return notes, signature.numerator // 3 if compound else signature.numerator, compound


def _track_notes(track: mido.MidiTrack, channel: int) -> list[Note]:
    ticks, sounding, notes = 0, {}, []
    for message in track:
        ticks += message.time
        if message.type == "note_on" and message.velocity:
            sounding[message.note] = ticks
        elif message.type in ("note_on", "note_off") and message.note in sounding:
            start = sounding.pop(message.note)
            notes.append(Note(start, ticks - start, message.note, 90.0, channel))
    return sorted(notes)


def folk(rng: Rng, midi: Path, beats: int) -> Score:
    """A tune with its chords played as blocks, off-beats, arpeggios or drone, with or without drums and bass."""
    files = tunes(midi)
    notes, metre, compound = _tune(files[rng.integers(len(files))])
    key = int(rng.integers(-5, 6))
    span = max(metre, round(max(n.count for n in notes) / metre) * metre)
    style = rng.choice(["block", "oompah", "arpeggio", "melody"], p=[0.3, 0.3, 0.25, 0.15])
    parts = [n for n in notes if n.channel == LEAD] + _accompany(rng, [n for n in notes if n.channel == CHORDS], style)
    out = [n._replace(count=n.count + k * span, midi=n.midi + key) for k in range(beats // span + 1) for n in parts]
    if metre in (2, 4) and not compound and rng.random() < 0.35:
        out += drumming(rng, midi, beats, ("4-4",))[0]
    return Score(out, metre, beats)


def _accompany(rng: Rng, chords: list[Note], style: str) -> list[Note]:
    out: list[Note] = []
    step = float(rng.choice([0.25, 1 / 3, 0.5]))
    for count in sorted({n.count for n in chords}):
        chord = [n for n in chords if n.count == count]
        if style == "block":
            out += chord
        elif style == "oompah":
            for beat in np.arange(count, count + chord[0].length - 0.01, 0.5 if rng.random() < 0.02 else 1.0):
                low = (beat - count) % 2 == 0
                out += [n._replace(count=beat, length=0.5) for n in (chord[:1] if low else chord[1:])]
        elif style == "arpeggio":
            for i, beat in enumerate(np.arange(count, count + chord[0].length - 0.01, step)):
                out.append(chord[i % len(chord)]._replace(count=beat, length=step))
    return out


def scored(rng: Rng, beats: int, drums: bool) -> Score:
    """One of the composer's songs as notes; its sections, swing and fills, played by General MIDI instruments."""
    genres = GENRES | HARD
    names = list(genres)
    weights = np.array([4.0 if name in HARD else 1.0 for name in names])
    name = str(rng.choice(names, p=weights / weights.sum()))
    band = composer.band_of(rng, genres[name])
    notes = []
    for section in composer.arrange(rng, 0.0, beats):
        for hit in composer.play(rng, band, section):
            count = composer.swung(band, hit.count)
            if hit.midi:
                notes += _voiced(hit, count, name)
            elif drums and hit.name in KIT:
                notes.append(Note(count, 0.2, KIT[hit.name], 110 * hit.velocity, DRUM_CHANNEL))
    return Score(notes, 4, beats)


def _voiced(hit: composer.Hit, count: float, genre: str) -> list[Note]:
    note = Note(count, 0.95 * hit.length, hit.midi, 100 * hit.velocity, CHANNEL[hit.name])
    if genre in ("metal", "punk") and hit.name == "chords":  # power chords, an octave lower
        return [note._replace(midi=hit.midi - 12), note._replace(midi=hit.midi - 5)]
    return [note]


def figured(rng: Rng, beats: int) -> Score:
    """Broken chords under a melody in bars of 2, 3 or 4, as classical and popular piano playing has them."""
    metre = int(rng.choice([2, 3, 3, 4, 4]))
    scale = SCALES[str(rng.choice(list(SCALES)))]
    roots = rng.choice([0, 3, 4, 5, 1], 8)
    key, step = int(rng.integers(43, 55)), float(rng.choice([0.25, 0.25, 1 / 3, 0.5, 1 / 6]))
    order = rng.integers(0, 5, round(float(rng.choice([1, 2, metre])) / step))
    style, sings = rng.choice(["figure", "waltz", "block"], p=[0.55, 0.25, 0.2]), rng.random() < 0.7
    rhythm = rng.choice([0.25, 0.5, 0.5, 1.0, 1.0, 1.5, 2.0], 6)
    stress, notes, place = rng.uniform(0.0, 0.35), [], 0
    for bar in range(beats // metre + 1):
        degree = int(roots[bar // int(1 + rng.integers(1, 2)) % 8])
        chord = [key + scale[(degree + i) % 7] + 12 * ((degree + i) // 7) for i in (0, 2, 4, 7, 9)]
        start = bar * metre
        notes.append(Note(start, metre * 0.9, chord[0] - 12 * (style != "figure"), 75, CHORDS))
        if style == "figure":
            for i, count in enumerate(np.arange(start, start + metre - 0.01, step)):
                loud = 60 * (1 + stress * (abs(count - round(count)) < 0.01))
                notes.append(Note(count, 1.5 * step, chord[order[i % len(order)]], loud, CHORDS))
        else:
            for beat in range(1 if style == "waltz" else 0, metre):
                notes += [Note(start + beat, 0.6, pitch + 12, 58, CHORDS) for pitch in chord[1:4]]
    count = 0.0
    while sings and count < beats:
        length, place = float(rhythm[rng.integers(6)]), int(np.clip(place + rng.integers(-2, 3), -4, 8))
        notes.append(Note(count, length, key + 24 + scale[place % 7] + 12 * (place // 7), rng.uniform(65, 100), LEAD))
        count += length
    return Score(notes, metre, beats)


def slow_bpm(rng: Rng) -> float:
    """How fast slow swing is: median 70, 68% within 56 and 87."""
    return float(np.clip(70.0 * np.exp(rng.normal(0.0, 0.22)), 48.0, 112.0))


def swinging(rng: Rng, midi: Path, beats: int) -> Score:
    """Drums that swing, by a human or a pattern, alone or with a bass and chords: slow, the late off-beat is as loud as
    the beat, and two beats are easily heard as three."""
    takes = [take for take in drummings(midi) if take[2] == "4-4" and SWINGS.search(take[0].stem)]
    human = rng.random() < 0.5
    notes = _taken(rng, takes[rng.integers(len(takes))], beats)[0] if human else _swung_drums(rng, beats)
    if rng.random() < 0.5:
        notes = notes + _swung_band(rng, beats)
    return Score(notes, 4, beats)


def _swung_drums(rng: Rng, beats: int) -> list[Note]:
    """A shuffle of cymbal, snare on two and four, kick with pick-ups, ghost notes."""
    cymbal, late = KIT[str(rng.choice(["hat", "ride", "open"]))], float(rng.uniform(0.6, 0.7))
    loud, pick_up, ghost = rng.uniform(0.55, 1.05), rng.uniform(0.0, 0.5), rng.uniform(0.0, 0.5)
    all_four = rng.random() < 0.3
    notes = []
    for beat in range(beats):
        notes.append(Note(beat, 0.2, cymbal, 90.0, DRUM_CHANNEL))
        notes.append(Note(beat + late, 0.2, cymbal, 90.0 * loud, DRUM_CHANNEL))
        if beat % 2:
            notes.append(Note(beat, 0.2, KIT["snare"], 105.0, DRUM_CHANNEL))
        elif all_four or beat % 4 == 0 or rng.random() < 0.7:
            notes.append(Note(beat, 0.2, KIT["kick"], 110.0, DRUM_CHANNEL))
        if rng.random() < pick_up:
            notes.append(Note(beat + late, 0.2, KIT["kick"], 95.0, DRUM_CHANNEL))
        if rng.random() < ghost:
            notes.append(Note(beat + late, 0.2, KIT["snare"], rng.uniform(30.0, 80.0), DRUM_CHANNEL))
    return notes


def _swung_band(rng: Rng, beats: int) -> list[Note]:
    """A bass that walks or shuffles, and chords, over twelve bars of blues."""
    roots = np.repeat([0, 0, 0, 0, 5, 5, 0, 0, 7, 5, 0, 7], 4) + int(rng.integers(33, 45))
    walk, shuffles, stabs = (0, 4, 7, 9), rng.random() < 0.5, rng.random() < 0.6
    notes = []
    for beat in range(beats):
        root = int(roots[beat % len(roots)])
        tone = root + walk[beat % 4]
        notes.append(Note(beat, 0.6, tone, 95.0, BASS))
        if shuffles:
            notes.append(Note(beat + 2 / 3, 0.3, tone, 85.0, BASS))
        if stabs:
            at = beat + float(rng.choice([0.0, 2 / 3]))
            notes += [Note(at, 0.3, root + 24 + step, 70.0, CHORDS) for step in (0, 4, 10)]
    return notes


def arrange(seed: int, midi: Path, seconds: float) -> Song:
    """A song of a random kind, rendered by FluidSynth; the seed decides everything."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(list(KINDS), p=list(KINDS.values()))
    bpm = slow_bpm(rng) if kind == "swinging" else natural_bpm(rng)
    beats = int(seconds * bpm / 60.0 * 1.4) + 8
    if kind == "synth":
        return composer.compose_on(seed, seconds, tempo_map(rng, bpm, seconds))
    if kind in ("band", "drums"):
        metres = ("4-4",) if kind == "band" or rng.random() < 0.9 else ("3-4", "5-4")
        notes, own, metre = drumming(rng, midi, int(seconds * 6), metres)
        bpm = float(np.clip(own * np.exp(rng.normal(0.0, 0.15)), 55.0, 215.0))
        score = Score(notes + (scored(rng, beats, False).notes if kind == "band" else []), metre, beats)
    elif kind == "scored":
        score = scored(rng, beats, True)
    elif kind == "swinging":
        score = swinging(rng, midi, beats)
    else:
        score = folk(rng, midi, beats) if kind == "folk" else figured(rng, beats)
    if kind in ("folk", "figured"):
        bpm = float(np.clip(bpm * rng.choice([0.7, 0.85, 1.0]), 52.0, 200.0))
    alone = kind == "figured" or (kind == "folk" and not any(n.channel == DRUM_CHANNEL for n in score.notes))
    free = alone and rng.random() < 0.5
    clock = tempo_map(rng, bpm, seconds, free)
    programs = {channel: int(rng.choice(choices)) for channel, choices in PROGRAMS.items()}
    if kind == "figured" or (kind == "folk" and rng.random() < 0.4):
        programs[CHORDS] = programs[LEAD] = int(rng.choice([0, 0, 0, 1, 4, 24, 46, 6, 11]))
    return render(rng, score, clock, programs, seconds, 0.02 if free else 0.012)
