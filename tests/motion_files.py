"""A small BVH dance in the `salsa` layout, for the tests of import and training."""

import json
import pickle
import re

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


MIXAMO = {
    "hip": "mixamorig:Hips", "abdomen": "mixamorig:Spine", "chest": "mixamorig:Spine2", "neck": "mixamorig:Neck",
    "head": "mixamorig:Head", **{
        f"{s}{a}": f"mixamorig:{side}{b}" for s, side in (("l", "Left"), ("r", "Right")) for a, b in
        (("Collar", "Shoulder"), ("Shldr", "Arm"), ("ForeArm", "ForeArm"), ("Hand", "Hand"),
         ("Thigh", "UpLeg"), ("Shin", "Leg"), ("Foot", "Foot"))
    },
}  # fmt: skip
BIPED = {
    "hip": "Bip01 Pelvis", "abdomen": "Bip01 Spine", "chest": "Bip01 Spine2", "neck": "Bip01 Neck",
    "head": "Bip01 Head", **{
        f"{s}{a}": f"Bip01 {side} {b}" for s, side in (("l", "L"), ("r", "R")) for a, b in
        (("Collar", "Clavicle"), ("Shldr", "UpperArm"), ("ForeArm", "Forearm"), ("Hand", "Hand"),
         ("Thigh", "Thigh"), ("Shin", "Calf"), ("Foot", "Foot"))
    },
}  # fmt: skip


def renamed(text, names):
    """A BVH whose joints are called otherwise."""
    return re.sub(r"(ROOT|JOINT) (\w+)", lambda m: f"{m[1]} {names[m[2]]}", text)


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


def keypoints17(frames=240, unit=100.0):
    """A body in COCO's 17 joints [T, 17, 3] at 60/s that faces +Z, bends its left knee and sways."""
    x = np.zeros((frames, 17, 3))
    x[:, 0] = (0, 1.6, 0.1)
    for joint, (side, height) in {1: (0.03, 1.65), 3: (0.08, 1.62), 5: (0.18, 1.42), 7: (0.45, 1.42), 9: (0.7, 1.42),
                                  11: (0.1, 0.9), 13: (0.1, 0.5), 15: (0.1, 0.1)}.items():  # fmt: skip
        x[:, joint], x[:, joint + 1] = (side, height, 0), (-side, height, 0)
    bend = 0.5 + 0.5 * np.sin(np.arange(frames) / 20)
    x[:, 13, 2] += 0.2 * bend
    x[:, 15, 1] += 0.1 * bend
    return (x + [0, 0, 0] + np.sin(np.arange(frames) / 30)[:, None, None] * [0.2, 0, 0]).astype(np.float32) * unit


def aist_file(folder, name="gBR_sBM_cAll_d04_mBR0_ch01", points=None):
    path = folder / f"{name}.pkl"
    path.write_bytes(pickle.dumps({"keypoints3d_optim": keypoints17() if points is None else points}))
    return path


def ballroom_file(folder, name="DANCE_C_1", frames=200, **changed):
    """A body of 23 markers at 25/s that stands and sways, cha-cha at 120 BPM."""
    x = np.zeros((frames, 23, 3))
    places = {0: (-0.08, 1.68), 1: (0.08, 1.68), 2: (0, 1.1), 3: (-0.18, 1.45), 4: (-0.45, 1.45), 5: (-0.6, 1.45),
              6: (-0.7, 1.45), 22: (-0.7, 1.45), 7: (-0.1, 0.95), 8: (-0.1, 0.5), 9: (-0.1, 0.1), 10: (-0.1, 0.03),
              11: (-0.1, 0.03), 12: (0.18, 1.45), 13: (0.45, 1.45), 14: (0.6, 1.45), 15: (0.7, 1.45), 21: (0.6, 1.4),
              16: (0.1, 0.95), 17: (0.1, 0.5), 18: (0.1, 0.1), 19: (0.1, 0.03), 20: (0.1, 0.03)}  # fmt: skip
    for marker, (side, height) in places.items():
        x[:, marker] = (side, height, {10: -0.05, 19: -0.05, 11: 0.15, 20: 0.15}.get(marker, 0.0))
    x += np.sin(np.arange(frames) / 8)[:, None, None] * [0.1, 0, 0]
    data = {"joints": x.astype(np.float32), "fps": 25.0, "genre": "cha-cha", "bad": np.zeros(frames, bool),
            "beats": np.arange(0.25, frames / 25, 0.5), "beats_per_bar": 4, "sync": "tight"}  # fmt: skip
    np.savez(folder / f"{name}.npz", **(data | changed))
    (folder / "index.json").write_text("[]")
    return folder / f"{name}.npz"
