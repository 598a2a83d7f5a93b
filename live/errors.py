"""What can go wrong, as a tree.

    LiveError
    ├── Unusable          an argument, file or device that cannot be used: found before the show starts, exit status 2
    │   ├── BadFile       an audio, show, take or motion file
    │   ├── BadModel      a model folder that is missing, tampered with or of another shape
    │   ├── BadTarget     an output URI or host
    │   ├── NoDevice      an audio device that is not there
    │   └── MissingExtra  an optional package that is not installed
    └── Failed            something that broke while running, exit status 1

Every message is one line that says what is wrong, where, and how to mend it.
"""

from __future__ import annotations

LONGEST = 800
"""Characters of a message; what a file made up is not repeated at length."""


class LiveError(Exception):
    """Base of all errors that are meant for the user's eyes."""

    def __init__(self, message: str = "") -> None:
        super().__init__(_one_line(message))


def _one_line(message: str) -> str:
    """What cannot be printed (line ends, a terminal's commands, halves of characters) written as escapes."""
    if len(message) > LONGEST:
        message = f"{message[: LONGEST // 2]} ... {message[-LONGEST // 2 :]}"
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in message)


class Unusable(LiveError):
    """An argument, file or device that cannot be used."""


class BadFile(Unusable):
    """A file that cannot be read or makes no sense."""


class BadModel(Unusable):
    """A model folder that is missing, incomplete, altered or of another shape."""


class BadTarget(Unusable):
    """An output that cannot be opened."""


class NoDevice(Unusable):
    """An audio device that is not there."""


class MissingExtra(Unusable):
    """An optional package that is not installed; the message names the install command."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}: install it with `pip install 'livedance[{extra}]'`")


class Failed(LiveError):
    """Something broke while running and could not be survived."""
