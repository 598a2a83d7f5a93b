"""Audio files: pages, chunks, blocks and frames with other fields, sizes and order; checksums made right."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from random import Random

import numpy as np
import soundfile

from live.audio._decode import Decoder

RATE, SECONDS = 16_000, 0.25
LONGEST = 20 * 48_000
"""Samples that are read of one file at most, as on the stage: a piece at a time."""
LARGEST = 1 << 20
KINDS = (("wav", "PCM_16"), ("wav", "FLOAT"), ("wav", "IMA_ADPCM"), ("wav", "ULAW"), ("wavex", "PCM_24"),
         ("rf64", "PCM_16"), ("flac", "PCM_16"), ("flac", "PCM_24"), ("ogg", "VORBIS"), ("ogg", "OPUS"),
         ("mp3", "MPEG_LAYER_III"))  # fmt: skip
FIELDS = (0, 1, 2, 3, 7, 8, 16, 24, 32, 64, 255, 256, 1024, 8000, 48_000, 65_535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
Parts = list[bytes]


def seeds(folder: Path) -> list[bytes]:
    """A quarter of a second of two voices in every format and coding."""
    t = np.arange(int(RATE * SECONDS)) / RATE
    sound = np.stack([0.4 * np.sin(2 * np.pi * 330 * t), 0.3 * np.sin(2 * np.pi * 440 * t)], 1)
    found = []
    for kind, coding in KINDS:
        file = io.BytesIO()
        soundfile.write(file, sound, RATE, coding, format=kind)
        (folder / "song").write_bytes(file.getvalue())
        read(folder)
        found.append(file.getvalue())
    return found


def mutant(seeds: list[bytes], rng: Random) -> dict[str, bytes]:
    raw = rng.choice(seeds)
    for _ in range(rng.choice((1, 1, 2, 4))):
        raw = _mutated(raw, rng)[:LARGEST]
    return {"song": raw}


def _mutated(raw: bytes, rng: Random) -> bytes:
    if raw[:4] == b"OggS":
        return b"".join(_summed(page) for page in _changed(_pages(raw), rng, _page))
    if raw[:4] in (b"RIFF", b"RF64"):
        body = b"".join(_changed(_chunks(raw), rng, _chunk))
        size = len(body) + 4 if rng.random() < 0.7 else rng.choice(FIELDS)
        return raw[:4] + struct.pack("<I", size % 2**32) + raw[8:12] + body
    if raw[:4] == b"fLaC":
        return raw[:4] + b"".join(_changed(_blocks(raw), rng, _block))
    return b"".join(_changed(_frames(raw), rng, _frame))


def _changed(parts: Parts, rng: Random, change: object) -> Parts:
    """One part other than it was, left out, there twice, or somewhere else."""
    if not parts:
        return parts
    at, act = rng.randrange(len(parts)) if rng.random() < 0.4 else rng.randrange(min(3, len(parts))), rng.randrange(10)
    if act <= 5:
        return [*parts[:at], change(parts[at], rng), *parts[at + 1 :]]  # type: ignore[operator]
    if act == 6:
        return parts[:at] + parts[at + 1 :]
    if act == 7:
        return parts[:at] + [parts[at]] * rng.choice((2, 3, 200)) + parts[at + 1 :]
    rest, other = parts[:at] + parts[at + 1 :], rng.randrange(len(parts))
    return [*rest[:other], parts[at], *rest[other:]]


def _patched(raw: bytes, at: int, form: str, rng: Random) -> bytes:
    """A field that holds another number."""
    size = struct.calcsize(form)
    if len(raw) < at + size:
        return raw
    value = rng.choice((*FIELDS, rng.getrandbits(8 * size))) & ((1 << 8 * size) - 1)
    return raw[:at] + struct.pack(form, value) + raw[at + size :]


def _somewhere(raw: bytes, first: int, rng: Random) -> bytes:
    """One to four bytes of what lies behind `first`, mostly near its beginning."""
    span = min(len(raw), rng.choice((40, 200, 10_000))) - first
    return _patched(raw, first + rng.randrange(span), rng.choice(("<B", "<H", "<I", ">I")), rng) if span > 0 else raw


# ---- OGG: pages with a sum, and the packets of Vorbis and Opus in them ---------------------------------------------


def _pages(raw: bytes) -> Parts:
    parts, at = [], 0
    while raw[at : at + 4] == b"OggS" and len(raw) > at + 27:
        segments = raw[at + 26]
        end = at + 27 + segments + sum(raw[at + 27 : at + 27 + segments])
        parts.append(raw[at:end])
        at = end
    return parts


def _page(page: bytes, rng: Random) -> bytes:
    at, form = rng.choice(((4, "<B"), (5, "<B"), (6, "<Q"), (14, "<I"), (18, "<I"), (26, "<B"), (27, "<B"), (-1, "")))
    body = 27 + page[26] if len(page) > 26 else len(page)
    return _patched(page, at, form, rng) if at >= 0 and rng.random() < 0.5 else _somewhere(page, body, rng)


def _table() -> list[int]:
    found = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
        found.append(value)
    return found


SUMS = _table()


def _summed(page: bytes) -> bytes:
    """The page with its checksum made right."""
    value, page = 0, page[:22] + bytes(4) + page[26:]
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ SUMS[value >> 24 ^ byte]
    return page[:22] + struct.pack("<I", value) + page[26:]


# ---- WAV: chunks ---------------------------------------------------------------------------------------------------


def _chunks(raw: bytes) -> Parts:
    parts, at = [], 12
    while at + 8 <= len(raw):
        size = struct.unpack_from("<I", raw, at + 4)[0]
        end = at + 8 + size + size % 2
        parts.append(raw[at:end])
        at = end
    return parts


def _chunk(chunk: bytes, rng: Random) -> bytes:
    act = rng.randrange(6)
    if act == 0:
        return _patched(chunk, 4, "<I", rng)
    if act == 1:
        return rng.choice((b"fmt ", b"data", b"fact", b"LIST", b"cue ", b"smpl", b"ds64", b"bext", b"PEAK")) + chunk[4:]
    if act == 2:
        name = rng.choice((b"LIST", b"cue ", b"smpl", b"bext", b"fact", b"acid", b"id3 ", b"cart"))
        return chunk + name + struct.pack("<I", 20) + rng.randbytes(20)
    if chunk[:4] == b"fmt ":
        return _patched(chunk, *rng.choice(((8, "<H"), (10, "<H"), (12, "<I"), (16, "<I"), (20, "<H"), (22, "<H"),
                                            (24, "<H"), (26, "<H"), (28, "<I"))), rng)  # fmt: skip
    return _somewhere(chunk, 8, rng)


# ---- FLAC: blocks of metadata, then frames, whose heads have a sum --------------------------------------------------


def _blocks(raw: bytes) -> Parts:
    parts, at, last = [], 4, False
    while not last and at + 4 <= len(raw):
        last, end = bool(raw[at] & 0x80), at + 4 + int.from_bytes(raw[at + 1 : at + 4], "big")
        parts.append(raw[at:end])
        at = end
    return [*parts, *_flac_frames(raw[at:])]


def _flac_frames(raw: bytes) -> Parts:
    starts = [n for n in range(len(raw) - 1) if raw[n] == 0xFF and raw[n + 1] in (0xF8, 0xF9)]
    return [raw[a:b] for a, b in zip(starts, [*starts[1:], len(raw)], strict=True)] if starts else [raw]


def _block(block: bytes, rng: Random) -> bytes:
    if block[:1] == b"\xff" and len(block) > 6:
        head = _patched(block, rng.choice((2, 3)), "<B", rng)
        return head[:5] + bytes([_crc8(head[:5])]) + head[6:] if rng.random() < 0.7 else _somewhere(block, 6, rng)
    act = rng.randrange(4)
    if act == 0:
        return _patched(block, 0, "<B", rng)
    if act == 1:
        return block[:1] + rng.choice((0, 1, len(block), 2**24 - 1)).to_bytes(3, "big") + block[4:]
    if act == 2:
        content = struct.pack("<II", rng.choice(FIELDS), rng.choice(FIELDS)) + rng.randbytes(16)
        return bytes([rng.choice((1, 2, 3, 4, 5, 6, 126))]) + len(content).to_bytes(3, "big") + content + block
    return _somewhere(block, 4, rng)


def _crc8(raw: bytes) -> int:
    value = 0
    for byte in raw:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ (7 if value & 0x80 else 0)) & 0xFF
    return value


# ---- MP3: frames ---------------------------------------------------------------------------------------------------


def _frames(raw: bytes) -> Parts:
    starts = [n for n in range(len(raw) - 1) if raw[n] == 0xFF and raw[n + 1] & 0xE0 == 0xE0]
    return [raw[a:b] for a, b in zip([0, *starts[1:]], [*starts[1:], len(raw)], strict=True)]


def _frame(frame: bytes, rng: Random) -> bytes:
    act = rng.randrange(4)
    if act == 0:
        size = bytes(rng.choice((0, 1, 127)) for _ in range(4))
        return b"ID3" + bytes([rng.choice((2, 3, 4, 255)), 0, rng.choice((0, 0x40, 0xFF))]) + size + frame
    if act == 1:
        return _patched(frame, rng.choice((1, 2, 3)), "<B", rng)
    return _somewhere(frame, 4, rng)


def read(folder: Path) -> None:
    decoder = Decoder(folder / "song")
    try:
        done = 0
        while not decoder.ended and done < LONGEST:
            done += len(decoder.read(8000))
    finally:
        decoder.close()
