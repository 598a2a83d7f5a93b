"""A small BVH dance in the `salsa` layout, for the tests of import and training."""

import json

import numpy as np

JOINTS = (
    ("hip", "", (0, 0, 0)), ("abdomen", "hip", (0, 0.16, 0)), ("chest", "abdomen", (0, 0.09, 0)),
    ("neck", "chest", (0, 0.17, 0)), ("head", "neck", (0, 0.06, 0)),
    ("lCollar", "chest", (0.02, 0.1, 0)), ("lShldr", "lCollar", (0.15, 0, 0)),
    ("lForeArm", "lShldr", (0.3, 0, 0)), ("lHand", "lForeArm", (0.2, 0, 0)),
    ("rCollar", "chest", (-0.02, 0.1, 0)), ("rShldr", "rCollar", (-0.15, 0, 0)),
    ("rForeArm", "rShldr", (-0.3, 0, 0)), ("rHand", "rForeArm", (-0.2, 0, 0)),
    ("lThigh", "hip", (0.1, 0, 0)), ("lShin", "lThigh", (0, -0.42, 0)), ("lFoot", "lShin", (0, -0.44, 0)),
    ("rThigh", "hip", (-0.1, 0, 0)), ("rShin", "rThigh", (0, -0.42, 0)), ("rFoot", "rShin", (0, -0.44, 0)),
)  # fmt: skip


def bvh_text(frames=400, rate=60.0, seed=0):
    """A body that sways, swings its limbs and walks in a circle."""
    rng = np.random.default_rng(seed)
    lines = ["HIERARCHY"]

    def write(name, offset, depth):
        lines.append(f"{'ROOT' if not depth else 'JOINT'} {name}")
        lines.append("{")
        lines.append("OFFSET " + " ".join(str(v) for v in offset))
        position = "6 Xposition Yposition Zposition " if not depth else "3 "
        lines.append(f"CHANNELS {position}Zrotation Xrotation Yrotation")
        children = [(n, o) for n, p, o in JOINTS if p == name]
        for child, child_offset in children:
            write(child, child_offset, depth + 1)
        if not children:
            lines.extend(["End Site", "{", "OFFSET 0 0 0.1", "}"])
        lines.append("}")

    write("hip", (0, 0, 0), 0)
    t = np.arange(frames)[:, None] / rate
    angles = 15 * np.sin(2 * np.pi * (t * 1.4 + rng.random(3 * len(JOINTS))))
    place = np.stack([0.5 * np.sin(t[:, 0]), 0.9 + 0.02 * np.sin(9 * t[:, 0]), 0.5 * np.cos(t[:, 0])], 1)
    lines += ["MOTION", f"Frames: {frames}", f"Frame Time: {1 / rate:.7f}"]
    lines += [" ".join(f"{v:.5f}" for v in row) for row in np.concatenate([place, angles], 1)]
    return "\n".join(lines) + "\n"


def salsa_folder(folder):
    """Two partners of one take, 6.7 s."""
    for seed, dancer in enumerate(("60", "61")):
        (folder / f"{dancer}_01.bvh").write_text(bvh_text(seed=seed))
    (folder / "grid.json").write_text(json.dumps({"01": {"bpm": 168.0, "eight_count_at_start": 2.5}}))
    return folder
