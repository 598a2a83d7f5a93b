"""Orders by single keys, typed into a terminal that is none of ours."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from live.control.keyboard import KEYS, open_control
from live.errors import Unusable
from live.orders import BY_NAME, spoken

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")

OF_ITS_OWN = "import os, fcntl, termios\nos.setsid()\nfcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
READER = """
import sys, time
from live.control.keyboard import open_control
keyboard = open_control("")
keyboard.map({"x": "cue drop"})
print("ready", flush=True)
orders = []
until = time.monotonic() + 10
while len(orders) < 3 and time.monotonic() < until:
    orders += keyboard.read(8)
    time.sleep(0.01)
keyboard.close()
print(*orders, sep="|", flush=True)
"""


def test_every_key_gives_an_order():
    assert all(len(key) == 1 and spoken(text).name in BY_NAME for key, text in KEYS.items())


def test_keys_typed_into_a_terminal_are_orders_and_others_are_not():
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", OF_ITS_OWN + READER],
        stdin=theirs, stdout=subprocess.PIPE, text=True,
    ) as reader:  # fmt: skip
        assert reader.stdout is not None
        assert reader.stdout.readline().strip() == "ready"
        os.write(ours, b"f?Zx ")
        told = reader.stdout.readline()
    os.close(ours)
    os.close(theirs)
    names = [part.split("'")[1] for part in told.split("|")]
    assert names == ["freeze", "cue", "cue"] and "drop" in told and "next" in told


def test_without_a_terminal_there_is_no_keyboard(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(Unusable, match="terminal"):
        open_control("")


def test_a_terminal_of_another_session_is_left_alone():
    ours, theirs = pty.openpty()
    begin = (
        "from live.control.keyboard import open_control\ntry: open_control('')\nexcept Exception as e: print(repr(e))"
    )
    done = subprocess.run([sys.executable, "-c", begin], stdin=theirs, stdout=subprocess.PIPE, text=True,
                          start_new_session=True)  # fmt: skip
    os.close(ours)
    os.close(theirs)
    assert done.stdout.startswith("Unusable") and "terminal" in done.stdout
