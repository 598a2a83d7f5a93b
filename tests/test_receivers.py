"""Other people's OSC programs read what is sent, and say the same numbers."""

from __future__ import annotations

import shutil
import subprocess
import time

import numpy as np
import pytest
from output_poses import pose, unused_port

from live import skeleton
from live.cli.perform import make_output

needs_oscdump = pytest.mark.skipif(
    shutil.which("oscdump") is None, reason="oscdump is missing: apt install liblo-tools"
)
needs_oscsend = pytest.mark.skipif(
    shutil.which("oscsend") is None, reason="oscsend is missing: apt install liblo-tools"
)


def dumped(uri, p):
    """(address, values) of one frame as `oscdump` prints them."""
    port = unused_port()
    dump = subprocess.Popen(["oscdump", "-L", str(port)], stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(0.5)
        output = make_output(uri.format(port))
        output.open(p.dancers, paced=True)
        output.send(p)
        output.close()
        time.sleep(0.5)
    finally:
        dump.terminate()
    told, _ = dump.communicate(timeout=5)
    lines = [line.split() for line in told.splitlines() if "/" in line]
    starts = [next(n for n, word in enumerate(words) if word.startswith("/")) for words in lines]
    return [(words[n], words[n + 2 :]) for words, n in zip(lines, starts, strict=True)]


@needs_oscdump
def test_liblo_reads_the_bones_of_vmc():
    p = pose()
    bones = {values[0].strip('"'): values[1:] for address, values in dumped("vmc://127.0.0.1:{}", p)
             if address == "/VMC/Ext/Bone/Pos"}  # fmt: skip
    assert len(bones) == skeleton.COUNT
    turned = p.local_rotations[0, skeleton.INDEX["leftHand"]] * [1, -1, -1, 1]
    np.testing.assert_allclose([float(value) for value in bones["LeftHand"][3:]], turned, atol=1e-5)


@needs_oscdump
def test_liblo_reads_the_plain_pose():
    p = pose()
    found = dict(dumped("osc://127.0.0.1:{}?flat=1", p))
    np.testing.assert_allclose([float(v) for v in found["/live/pose"][-4:]], p.local_rotations[0, -1], atol=1e-5)
    place = p.joint_positions[0, skeleton.INDEX["leftHand"]]
    np.testing.assert_allclose([float(v) for v in found["/live/0/leftHand/position"]], place, atol=1e-5)


@needs_oscdump
def test_liblo_reads_vrchats_trackers():
    found = dict(dumped("vrchat://127.0.0.1:{}", pose()))
    place = pose().joint_positions[0, 0] * [-1, 1, 1]
    np.testing.assert_allclose([float(v) for v in found["/tracking/trackers/1/position"]], place, atol=1e-5)


@needs_oscsend
def test_liblo_gives_orders():
    from live.control.osc import open_control

    control = open_control(f"127.0.0.1:{unused_port()}")
    for words in (["/live/intensity", "f", "1.5"], ["/live/cue", "s", "next"], ["/live/freeze", "T"], ["/live/reset"]):
        subprocess.run(["oscsend", "127.0.0.1", str(control.port), *words], check=True)
    time.sleep(0.1)
    orders = control.read(8)
    control.close()
    assert [one.name for one in orders] == ["intensity", "cue", "freeze", "reset"] and control.dropped == 0
