"""OSC packets as templates: built once from a table of messages, then written in place each frame.

A message is a tuple (address, argument...); a datagram is one message, or a list of them for a bundle with the
immediate time tag. Arguments are str, int, float, or `Live`: numbers that each frame writes anew. OSC 1.0 aligns
everything to four bytes and is big-endian, so a whole table is one array of words, a frame is a handful of indexed
writes in the machine's own order, and one copy turns it all round: a few microseconds where an OSC library takes half a
millisecond.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

LARGEST = 1472
"""Bytes that one UDP datagram carries unfragmented on Ethernet (1500 less IPv4 and UDP headers)."""
BUNDLE = b"#bundle\0" + struct.pack(">Q", 1)
"""The head of a bundle to be acted on immediately."""


class Live(NamedTuple):
    """`size` numbers of `kind` float32 or int32, written each frame under `key`."""

    key: str
    size: int = 1
    kind: Literal["f", "i"] = "f"


Message = tuple[str | int | float | Live, ...]
Datagram = Message | list[Message]


class Template:
    """All datagrams of an output in one buffer; `packets` are views of it, in the order of the table; `addresses` are
    those of its messages, with their type tags.

    A key that occurs several times is written as one array, in the order of its occurrences.
    """

    def __init__(self, table: Sequence[Datagram]) -> None:
        self.addresses = dict(_described(message) for d in table for message in (d if isinstance(d, list) else [d]))
        places: dict[tuple[str, Literal["f", "i"]], list[int]] = {}
        whole, spans = b"", []
        for datagram in table:
            packet, live = _bundle(datagram) if isinstance(datagram, list) else _message(datagram)
            if len(packet) > LARGEST:
                raise ValueError(f"datagram of {len(packet)} bytes: at most {LARGEST}")
            for argument, start in live:
                first = (len(whole) + start) // 4
                places.setdefault((argument.key, argument.kind), []).extend(range(first, first + argument.size))
            spans.append(slice(len(whole), len(whole) + len(packet)))
            whole += packet
        buffer = bytearray(whole)
        self._wire = np.frombuffer(buffer, ">u4")
        self._words = self._wire.astype(np.uint32)
        views = {kind: self._words.view(f"{kind}4") for kind in "fi"}
        self._places: dict[str, tuple[NDArray[np.generic], NDArray[np.intp]]] = {
            key: (views[kind], np.array(words)) for (key, kind), words in places.items()
        }
        self.packets: list[memoryview] = [memoryview(buffer)[span] for span in spans]

    def write(self, frame: Mapping[str, ArrayLike]) -> None:
        """Set the numbers of these keys: one for all places of a key, or an array [places]. Ints must fit 32 bits."""
        for key, values in frame.items():
            view, words = self._places[key]
            view[words] = values
        self._wire[:] = self._words


def pack(*message: str | int | float) -> bytes:
    """One message with no live arguments."""
    return _message(message)[0]


Placed = tuple[bytes, list[tuple[Live, int]]]
"""Bytes, and where in them each live argument begins."""


def _described(message: Message) -> tuple[str, str]:
    """Address and type tags."""
    kinds = {str: "s", int: "i", float: "f"}
    tags = [a.kind * a.size if isinstance(a, Live) else kinds[type(a)] for a in message[1:]]
    return str(message[0]), "".join(tags)


def _string(text: str) -> bytes:
    raw = text.encode("ascii")
    return raw + b"\0" * (4 - len(raw) % 4)


def _message(message: Message) -> Placed:
    address, *arguments = message
    tags, body, live = ",", b"", []
    for argument in arguments:
        if isinstance(argument, Live):
            live.append((argument, len(body)))
            tags, body = tags + argument.kind * argument.size, body + bytes(4 * argument.size)
        elif isinstance(argument, str):
            tags, body = tags + "s", body + _string(argument)
        elif isinstance(argument, int):
            tags, body = tags + "i", body + struct.pack(">i", argument)
        else:
            tags, body = tags + "f", body + struct.pack(">f", argument)
    head = _string(str(address)) + _string(tags)
    return head + body, [(argument, len(head) + start) for argument, start in live]


def _bundle(messages: list[Message]) -> Placed:
    whole, live = BUNDLE, []
    for message in messages:
        packet, inside = _message(message)
        whole += struct.pack(">i", len(packet))
        live += [(argument, len(whole) + start) for argument, start in inside]
        whole += packet
    return whole, live
