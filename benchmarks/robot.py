"""A robot danced in MuJoCo: are its limits ever exceeded?

A dance of `--duration` s from `live perform --fast` is followed by the driver of `robot://` in steps of its own rate;
every fourth minute is replaced by nonsense (random poses, jumps, silence of the engine). The commands move a humanoid
of 21 joints with position servos, as MJCF written here, its pelvis held. Told: the largest share of each limit that the
commands reached (by differences of what is sent) and that the simulated joints did, and steps per second. Exits 0.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure
import numpy as np

from live import rotation, skeleton
from live.outputs._robot_driver import Driver
from live.outputs._robot_profile import GUARD, Profile, Reader, read_profile
from live.take import read_take

ROOT = Path(__file__).parent.parent
WILD = 4
"""Every so many minutes one is nonsense."""


def mjcf(profile: Profile) -> str:
    """The humanoid as MuJoCo's XML: a body per group of joints, capsules for bones, a position servo per joint."""
    groups = {group.bones[-1]: group for group in profile.group}
    servos = "".join(f'<position name="{j.name}" joint="{j.name}" kp="40000" kv="400"/>' for j in profile.joints)
    hips = skeleton.REST_OFFSETS[0]
    return (
        '<mujoco><compiler angle="degree"/><option timestep="0.002" gravity="0 -9.81 0" integrator="implicitfast">'
        '<flag contact="disable"/></option><worldbody>'
        f'<body name="pelvis" pos="{_xyz(hips)}"><geom size="0.1" mass="8"/>{_below(0, groups)}</body>'
        f"</worldbody><actuator>{servos}</actuator></mujoco>"
    )


def _below(bone: int, groups: dict[str, Any]) -> str:
    children = [child for child in range(skeleton.COUNT) if skeleton.PARENTS[child] == bone]
    return "".join(_body(child, groups) for child in children)


def _body(bone: int, groups: dict[str, Any]) -> str:
    """A bone with the joints that turn it, and all below."""
    name, offset, joints = skeleton.BONES[bone], skeleton.REST_OFFSETS[bone], ""
    group = groups.get(name)
    for axis, joint in zip(group.axes, group.joints, strict=False) if group else ():
        turned = _xyz([joint.sign * float(letter == axis) for letter in "xyz"])
        joints += (
            f'<joint name="{joint.name}" axis="{turned}" range="{joint.low} {joint.high}" limited="true"'
            ' armature="1" damping="1"/>'
        )
    inside = f'<geom type="sphere" size="0.04" mass="0.5"/>{_below(bone, groups)}'
    return f'<body name="{name}" gravcomp="1" pos="{_xyz(offset)}">{joints}{inside}</body>'


def _xyz(values: Any) -> str:
    return " ".join(f"{value:g}" for value in values)


def wanted(dance: np.ndarray, second: float, pose: int, chance: np.random.Generator) -> np.ndarray | None:
    """Local rotations [22, 4] at this moment: the dance, nonsense, or nothing."""
    if int(second / 60) % WILD != WILD - 1:
        return np.asarray(dance[pose % len(dance)])
    kind = int(second) % 6
    if kind == 5:
        return None
    if kind < 3 or pose % 20 == 0:
        return rotation.normalise(chance.normal(size=(skeleton.COUNT, 4)))
    return np.asarray(dance[(pose * 997) % len(dance)])


def danced(dance: np.ndarray, seconds: float, progress: bool = False) -> dict[str, Any]:
    """Largest shares of the limits over `seconds` of it."""
    import mujoco

    profile = read_profile("humanoid21")
    model = mujoco.MjModel.from_xml_string(mjcf(profile))
    data, driver, reader = mujoco.MjData(model), Driver(profile), Reader(profile)
    limits, chance = profile.limits(), np.random.default_rng(1)
    order = [model.joint(joint.name).qposadr[0] for joint in profile.joints]
    data.qpos[order] = profile.neutral
    substeps = round(driver.period / model.opt.timestep)
    kept = [profile.neutral] * 4
    worst = dict.fromkeys(
        ("position", "velocity", "acceleration", "jerk", "simulated range", "simulated velocity", "servo error"), 0.0
    )
    beat, angles, begun = 0.0, profile.neutral, time.perf_counter()
    for n in range(round(seconds / driver.period)):
        pose = int(n * driver.period * 60)
        if pose != int((n - 1) * driver.period * 60):
            found = wanted(dance, n * driver.period, pose, chance)
            if found is not None:
                beat, angles = beat + 1, reader.angles(found)
        command = driver.step(beat, angles, False)
        kept = [*kept[1:], command]
        data.ctrl[:] = command
        mujoco.mj_step(model, data, substeps)
        _note(worst, np.array(kept), (data.qpos[order], data.qvel[order]), limits, driver.period)
        if progress and n % 60_000 == 59_999:
            print(f"{n * driver.period / 60:.0f} min {worst}", flush=True)
    return worst | {"steps_per_s": (n + 1) / (time.perf_counter() - begun)}


def _note(
    worst: dict[str, float], kept: np.ndarray, there: tuple[np.ndarray, np.ndarray], limits: Any, period: float
) -> None:
    """Shares of the limits that the newest of the last four commands reach; 1 is the limit."""
    middle, half = (limits.high + limits.low) / 2, (limits.high - limits.low) / 2 / (1 - 2 * GUARD)
    differences = [np.diff(kept, n, axis=0)[-1] / period**n for n in (1, 2, 3)]
    shares = {
        "position": np.abs(kept[-1] - middle) / half,
        "velocity": np.abs(differences[0]) / limits.velocity,
        "acceleration": np.abs(differences[1]) / limits.acceleration,
        "jerk": np.abs(differences[2]) / limits.jerk,
        "simulated range": np.abs(there[0] - middle) / half,
        "simulated velocity": np.abs(there[1]) / limits.velocity,
        "servo error": np.abs(there[0] - kept[-1]),
    }
    for name, share in shares.items():
        worst[name] = max(worst[name], float(share.max()))


def make_dance(seconds: float) -> np.ndarray:
    """Local rotations [T, 22, 4] of the shipped model to the demo."""
    with tempfile.TemporaryDirectory() as folder:
        take = Path(folder) / "dance.take"
        command = [sys.executable, "-m", "live", "perform", "--input", "demo", "--fast", "--duration", str(seconds)]
        subprocess.run([*command, "--output", f"take:{take}"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return read_take(take).records["local_rotations"][:, 0].copy()


def main() -> None:
    options = measure.options(__doc__)
    options.add_argument("--duration", type=float, default=3600.0, help="seconds (default: %(default)g)")
    given = options.parse_args()
    worst = danced(make_dance(min(given.duration, 600.0)), given.duration, progress=True)
    limits = {f"{name} of its limit": measure.compared(worst[name], 1.0, "") for name in
              ("position", "velocity", "acceleration", "jerk")}  # fmt: skip
    for name in ("simulated range", "simulated velocity"):
        limits[name] = measure.compared(worst[name], 1.0, "")
    told = {"servo_error_rad": worst["servo error"], "steps_per_s": worst["steps_per_s"]}
    measure.write("robot", {"limits": limits, "duration_s": given.duration} | told, None, given.out)


if __name__ == "__main__":
    main()
