"""OSC packets from strangers, taken apart strictly: whatever is not wholly right raises `Malformed`.

OSC 1.0 with the types i h f d s T F N, and bundles at most `DEEPEST` within each other. A packet is a few hundred bytes
at most, so a few microseconds decide on it, and memory does not grow with what it claims to hold.
"""

from __future__ import annotations

import struct
import time

DEEPEST = 4
"""Bundles within bundles."""
MOST = 64
"""Messages in a packet."""
SOON = 1.0
"""Seconds by which a time tag may lie ahead; orders are acted on at once."""
NTP_EPOCH = 2_208_988_800
"""1970 in seconds since 1900."""
NUMBERS = {"i": ">i", "h": ">q", "f": ">f", "d": ">d"}
CONSTANTS = {"T": True, "F": False}

Message = tuple[str, list[object]]


class Malformed(ValueError):
    """A packet that is not understood."""


def messages(packet: bytes) -> list[Message]:
    """(address, values) of every message in a packet, all or none."""
    found: list[Message] = []
    _element(packet, 0, found)
    return found


def _element(data: bytes, depth: int, found: list[Message]) -> None:
    if len(data) % 4 or not data:
        raise Malformed("is not a multiple of four bytes")
    if data.startswith(b"#bundle\0"):
        _bundle(data, depth, found)
    elif len(found) >= MOST:
        raise Malformed("holds too many messages")
    else:
        found.append(_message(data))


def _bundle(data: bytes, depth: int, found: list[Message]) -> None:
    if depth >= DEEPEST or len(data) < 16:
        raise Malformed("is nested too deep, or cut")
    (tag,) = struct.unpack_from(">Q", data, 8)
    if tag > 1 and tag / 2**32 - NTP_EPOCH > time.time() + SOON:
        raise Malformed("lies in the future")
    at = 16
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        at += 4 + size
        if size <= 0 or at > len(data):
            raise Malformed("is cut")
        _element(data[at - size : at], depth + 1, found)


def _message(data: bytes) -> Message:
    address, at = _string(data, 0)
    tags, at = _string(data, at)
    if address[:1] != "/" or tags[:1] != ",":
        raise Malformed("has no address or no types")
    values: list[object] = []
    for tag in tags[1:]:
        if tag in NUMBERS:
            size = struct.calcsize(NUMBERS[tag])
            if at + size > len(data):
                raise Malformed("is cut")
            values += struct.unpack_from(NUMBERS[tag], data, at)
            at += size
        elif tag == "s":
            text, at = _string(data, at)
            values.append(text)
        elif tag in CONSTANTS:
            values.append(CONSTANTS[tag])
        elif tag != "N":
            raise Malformed(f"has a value of type '{tag}'")
    if at != len(data):
        raise Malformed("has bytes left over")
    return address, values


def _string(data: bytes, at: int) -> tuple[str, int]:
    """The text at `at` and where its padding ends."""
    end = data.find(b"\0", at)
    after = end + 4 - end % 4
    if end < 0 or data[end:after].strip(b"\0"):
        raise Malformed("has a text without an end")
    try:
        return data[at:end].decode("utf-8"), after
    except UnicodeDecodeError:
        raise Malformed("has a text that is none") from None
