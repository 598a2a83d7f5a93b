"""Other people's OSC programs read what is sent, and say the same numbers as python-osc."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import time

import pytest
from foreign import PROGRAMS, started
from output_poses import listener, port_of, pose, received, unused_port
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

from live.cli.outputs import make_output

OUTPUTS = ("vmc://{}?face=loudness", "osc://{}?flat=1", "vrchat://{}")


def send_everything(ports):
    """A frame of each output to all these ports, and the goodbyes."""
    for uri in OUTPUTS:
        output = make_output(uri.format(",".join(f"127.0.0.1:{port}" for port in ports)))
        output.open(1, paced=True)
        output.send(pose())
        output.close()


def messages(packets):
    return [m for p in packets for m in (OscBundle(p) if p.startswith(b"#") else [OscMessage(p)])]


def said(line, strip):
    """Address and values of a printed line, each a word; None where it prints something else."""
    words = line.removeprefix(strip).replace('"', "").replace("/", " ").split()
    firsts = [n for n, word in enumerate(words) if word in ("VMC", "live", "tracking")]
    return words[firsts[0] :] if firsts else None


def told(m):
    return [*m.address.strip("/").split("/"), *m.params]


def same(words, expected):
    """Whether a program's words are those expected, numbers to five digits; `oscdump` prints type tags between."""
    words = words[:]
    if len(words) == len(expected) + 1:
        del words[next(n for n, value in enumerate(expected) if words[n] != value)]
    pairs = zip(words, expected, strict=True)
    return all(word == want if isinstance(want, str) else abs(float(word) - want) < 2e-5 * max(1, abs(want))
               for word, want in pairs)  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_another_program_reads_every_message_of_every_output(name):
    program, port = PROGRAMS[name], unused_port()
    if reason := program.missing():
        pytest.skip(reason)
    with listener() as sock, started(shlex.split(program.command.format(port=port)), port) as printed:
        send_everything([port_of(sock), port])
        expected = [told(m) for m in messages(received(sock))]
        read = []
        for words in filter(None, (said(line, program.strip) for line in printed)):
            read.append(words)
            if len(read) == len(expected):
                break
    assert len(expected) > 90 and len(read) == len(expected)
    assert [(words, want) for words, want in zip(read, expected, strict=True) if not same(words, want)] == []


@pytest.mark.skipif(shutil.which("oscsend") is None, reason="oscsend is missing: apt install liblo-tools")
def test_liblo_gives_orders():
    from live.control.osc import open_control

    control = open_control(f"127.0.0.1:{unused_port()}")
    for words in (["/live/intensity", "f", "1.5"], ["/live/cue", "s", "next"], ["/live/freeze", "T"], ["/live/reset"]):
        subprocess.run(["oscsend", "127.0.0.1", str(control.port), *words], check=True)
    time.sleep(0.1)
    orders = control.read(8)
    control.close()
    assert [one.name for one in orders] == ["intensity", "cue", "freeze", "reset"] and control.dropped == 0
