"""Audio files (wav, flac, ogg, mp3) as one long stream of mono samples at 48 kHz, decoded as they are asked for."""

from __future__ import annotations

import queue
from pathlib import Path

import numpy as np
import soundfile

from live.audio._convert import Converter
from live.errors import BadFile
from live.quiet import quiet_stderr
from live.types import Float32

BLOCK = 4096
"""Frames decoded at a time; well under a millisecond of work."""
SLOWEST, FASTEST = 4_000, 384_000
"""Sample rates that make sense, in Hz."""
BEGINNINGS = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"OggS", b"ID3")
"""Of the files that are decoded. libsndfile would read thirty more kinds, each with its own ways of being damaged."""


class _Sound(soundfile.SoundFile):  # type: ignore[misc]
    """A file read from front to back.

    After every block of a seekable file soundfile seeks to where it is anyway: an mp3 decoder then starts anew and
    garbles what follows. It would also stop at a length that a damaged header made up.
    """

    def seekable(self) -> bool:
        return False


def open_sound(path: Path) -> soundfile.SoundFile:
    """The file opened for reading; raises `BadFile` for what cannot be music."""
    _check_readable(path)
    try:
        with quiet_stderr():
            sound = _Sound(path)
    except (soundfile.SoundFileError, TypeError, ValueError) as error:
        reason = " ".join(str(getattr(error, "error_string", error)).split())
        kinds = "it is damaged, or no wav, flac, ogg or mp3 file"
        raise BadFile(f"cannot decode {_shown(path)}: {kinds} (libsndfile: {reason.rstrip('.')})") from None
    if not SLOWEST <= sound.samplerate <= FASTEST:
        sound.close()
        wanted = f"use a file of {SLOWEST} to {FASTEST} Hz"
        raise BadFile(f"{_shown(path)} has a sample rate of {sound.samplerate} Hz: {wanted}")
    return sound


def _check_readable(path: Path) -> None:
    try:
        if path.is_dir():
            raise BadFile(f"{_shown(path)} is a folder: name one wav, flac, ogg or mp3 file in it")
        if not path.exists():
            raise BadFile(f"there is no file {_shown(path)}: check its path")
        if not path.is_file():
            raise BadFile(f"{_shown(path)} is not a regular file: name a wav, flac, ogg or mp3 file")
        with path.open("rb") as file:
            begin = file.read(4)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadFile(f"cannot read {_shown(path)}: {reason}; check its path and permissions") from None
    if not begin:
        raise BadFile(f"{_shown(path)} is empty: use another file")
    if not begin.startswith(BEGINNINGS) and not _is_mpeg(begin):
        raise BadFile(f"cannot decode {_shown(path)}: it does not begin as a wav, flac, ogg or mp3 file does")


def _is_mpeg(begin: bytes) -> bool:
    """Eleven set bits begin a frame of mp3."""
    return len(begin) > 1 and begin[0] == 0xFF and begin[1] & 0xE0 == 0xE0


def _shown(path: Path) -> str:
    return repr(str(path))


class Decoder:
    """Pulls samples out of a file; `looped`, it begins again at the end and never ends."""

    def __init__(self, path: Path, looped: bool = False) -> None:
        self._name = path.name
        self._looped = looped
        self._sound = open_sound(path)
        self._frames = 0  # decoded since the file's beginning
        self._converter = Converter(self._sound.samplerate, "HQ")
        self._waiting: Float32 = np.zeros(0, np.float32)  # decoded, not handed out yet
        self._all_decoded = False
        self._told_damage = False
        self.recoveries: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._fill(1)
        if self.ended:
            self.close()
            reason = "" if self.recoveries.empty() else f": {self.recoveries.get()}"
            raise BadFile(f"{_shown(path)} holds no sound{reason}: use another file")

    @property
    def ended(self) -> bool:
        """True when every sample has been handed out."""
        return self._all_decoded and not len(self._waiting)

    def start(self) -> None:
        """Nothing to start: it decodes in the thread that reads."""

    def read(self, count: int) -> Float32:
        """The next `count` samples; fewer only at the end."""
        self._fill(count + 1)  # one more, so that `ended` is known with the last sample
        samples, self._waiting = self._waiting[:count], self._waiting[count:]
        return samples

    def _fill(self, count: int) -> None:
        parts, have = [self._waiting], len(self._waiting)
        while have < count and not self._all_decoded:
            parts.append(self._decode())
            have += len(parts[-1])
        self._waiting = np.concatenate(parts)

    def _decode(self) -> Float32:
        block = self._read_block()
        if not len(block) and self._looped and self._frames > 0:
            self._sound.seek(0)
            self._frames = 0
            block = self._read_block()
        self._all_decoded = not len(block)
        samples = self._converter.convert(block, last=self._all_decoded)
        if self._converter.damaged and not self._told_damage:
            self._told_damage = True
            self.recoveries.put(f"{self._name} holds samples that are not numbers: played as silence")
        return samples

    def _read_block(self) -> Float32:
        """The next frames [n, channels]; none at the end and where the file is broken."""
        try:
            block: Float32 = self._sound.read(BLOCK, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, OSError) as error:
            second = self._frames / self._sound.samplerate
            self.recoveries.put(f"{self._name} is broken after {second:.1f} s ({error}): the music ends there")
            self._looped = False
            return np.zeros((0, self._sound.channels), np.float32)
        self._frames += len(block)
        return block

    def close(self) -> None:
        """Let go of the file. Safe to call twice."""
        self._sound.close()
