"""Measures of dances say what they mean, on bodies whose movement is known."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="scipy is not installed (extra `bench` or `train`)")

from live import skeleton
from live.bench import chance, features, goals, measures, motion, tempo

TOOL = next(
    (tool for folder in Path(__file__).parents if (tool := folder / "shared" / "tools" / "dance_metrics.py").exists()),
    None,
)


def swaying(seconds=30.0, rate=60.0, hertz=1.0, size=0.15, seed=None):
    """A body at rest that sways from side to side: still twice a period."""
    t = np.arange(int(seconds * rate)) / rate
    joints = np.tile(skeleton.forward_kinematics(skeleton.REST_OFFSETS[0], np.tile([0, 0, 0, 1.0], (22, 1)))[0],
                     (len(t), 1, 1)).astype(float)  # fmt: skip
    joints[:, :, 0] += size * np.sin(2 * np.pi * hertz * t)[:, None] * joints[:1, :, 1]
    if seed is not None:
        joints += np.cumsum(np.random.default_rng(seed).normal(size=joints.shape), 0) * 0.002
    return joints


def test_a_sway_has_its_speed():
    y = motion.normalise(swaying(size=0.1), 60)
    heights = swaying(1)[0, :, 1].mean()
    assert motion.speed(y).mean() == pytest.approx(4 * 0.1 * heights, rel=0.02)


def test_motion_beats_are_where_the_sway_turns():
    beats = motion.motion_beats(motion.normalise(swaying(), 60))
    assert np.abs((beats - 0.25 + 0.25) % 0.5 - 0.25).max() < 0.03 and len(beats) == pytest.approx(60, abs=2)


def test_a_body_that_stands_is_frozen():
    assert motion.freeze(motion.normalise(swaying(size=0.0), 60)) == 1.0
    assert motion.freeze(motion.normalise(swaying(), 60)) == 0.0


def test_alignment_counts_each_side_by_itself():
    beats, moved = np.arange(0, 10, 0.5), np.arange(0, 10, 1.0)
    assert motion.align(moved, beats) == 1.0 and motion.align(beats, moved) == pytest.approx(0.5, abs=0.05)
    assert motion.align(moved + 0.07, beats) == pytest.approx(np.exp(-0.5))


def test_beat_lock_is_firm_on_the_grid_and_tells_the_offset():
    lock = motion.beat_lock(np.arange(0.3, 29, 0.5), np.arange(0.25, 30, 0.5))
    assert lock.strength == pytest.approx(1.0) and lock.offset == pytest.approx(0.05, abs=1e-6)


def test_a_sliding_foot_skates_and_a_lifted_one_does_not():
    y = motion.normalise(swaying(hertz=0.0), 60)
    y[:, list(motion.FEET), 2] += np.arange(len(y))[:, None] / 25.0
    assert motion.skate_ratio(y) == 1.0 and motion.foot_skate(y) == pytest.approx(1.0, rel=1e-3)
    y[len(y) // 2 :, list(motion.FEET), 1] += 1.0
    y[: len(y) // 2, list(motion.FEET), 2] = 0.0
    assert motion.skate_ratio(y) == 0.0


def test_pfc_is_zero_for_planted_feet_and_not_for_a_sliding_walk():
    planted, slid = (motion.normalise(swaying(seed=seed), 60) for seed in (None, 1))
    planted[:, list(motion.FEET)] = planted[:1, list(motion.FEET)]
    assert motion.contact_score(planted) == 0.0 < motion.contact_score(slid)


@pytest.mark.skipif(TOOL is None, reason="the independent measures are not at hand")
def test_the_independent_measures_agree():
    spec = importlib.util.spec_from_file_location("dance_metrics", TOOL)
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    x, beats = swaying(seed=3), np.arange(0.1, 29, 0.47)
    expected = theirs.measures(x, 60, beats, *motion.LEGS)
    y = motion.normalise(x, 60)
    moved = motion.motion_beats(y)
    ours = {
        "speed": motion.speed(y).mean(), "spread": motion.spread(y), "freeze": motion.freeze(y), "jerk": motion.jerk(y),
        "motion_beats_per_s": len(moved) / (len(y) / 25), "music_to_motion": motion.align(beats, moved),
        "motion_to_music": motion.align(moved, beats),
    }  # fmt: skip
    assert ours == pytest.approx(expected)
    assert motion.beat_lock(moved, beats) == pytest.approx(theirs.beat_lock(x, 60, beats))
    assert motion.foot_skate(y, 16) == pytest.approx(theirs.foot_skate(x[:, 16], 60))


# ---- features ----------------------------------------------------------------------------------------------------


def points(kind, seeds, **how):
    return np.array(
        [kind(c) for seed in seeds for c in features.clips(motion.normalise(swaying(seed=seed, **how), 60))]
    )


def test_there_are_32_geometric_features_and_3_kinetic_ones_a_joint():
    clip = features.clips(motion.normalise(swaying(), 60))[0]
    assert features.geometric(clip).shape == (32,) and features.kinetic(clip).shape == (66,)


def test_a_raised_wrist_is_not_below_and_a_bent_elbow_is_bent():
    clip = features.clips(motion.normalise(swaying(size=0.0), 60))[0]
    names = [(relation, joints) for relation, joints, _, _ in features.GEOMETRIC]
    assert features.geometric(clip)[names.index(("below", "rwrist"))] == 0.0
    clip[:, skeleton.INDEX["rightHand"], 1] = 0.1
    assert features.geometric(clip)[names.index(("below", "rwrist"))] == 1.0
    clip[:, skeleton.INDEX["leftHand"]] = clip[:, skeleton.INDEX["leftUpperArm"]]
    assert features.geometric(clip)[names.index(("bent", "lelbow lshoulder lelbow lwrist"))] == 1.0


def test_the_kinetic_energy_of_a_sway_is_that_of_a_sway():
    clip = features.clips(motion.normalise(swaying(size=0.1), 60))[1]
    head = skeleton.INDEX["head"]
    speed = 0.1 * swaying(1)[0, head, 1] * 2 * np.pi
    assert features.kinetic(clip)[3 * head] == pytest.approx(speed**2 / 2, rel=0.05)


def test_the_same_dances_lie_at_no_distance_and_faster_ones_far_off():
    real = points(features.kinetic, (1, 2, 3))
    assert features.distance(real, real) == pytest.approx(0.0, abs=1e-6)
    near, far = points(features.kinetic, (4, 5, 6)), points(features.kinetic, (4, 5, 6), hertz=2.0)
    assert features.distance(near, real) < 0.2 * features.distance(far, real)


def test_one_dance_over_and_over_has_no_diversity():
    real = points(features.kinetic, (1, 2))
    assert features.diversity(np.tile(real[:1], (5, 1)), real) == 0.0 < features.diversity(real, real)


# ---- chance ------------------------------------------------------------------------------------------------------


def test_beats_that_meet_are_no_chance_and_beats_of_another_tempo_are():
    beats = np.arange(0.1, 60, 0.5)
    together = [(beats + 0.02, beats, 60.0)]
    apart = [(np.sort(np.random.default_rng(0).uniform(0, 60, 100)), beats, 60.0)]
    assert max(chance.p_values(together, shifts=200)) < 0.01
    assert min(chance.p_values(apart, shifts=200)) > 0.05


def test_chance_measures_the_same_agreement():
    moved, beats = np.sort(np.random.default_rng(0).uniform(0, 10, 12)), np.arange(0.2, 10, 0.5)
    both = motion.align(beats, moved), motion.align(moved, beats)
    assert chance.agreement(moved[None], beats)[:, 0] == pytest.approx(both)


def test_no_beats_are_chance():
    assert chance.p_values([(np.zeros(0), np.arange(9.0), 20.0)]) == (1.0, 1.0)


# ---- tempo -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sways_a_beat", [0.25, 0.5, 1.0])
def test_the_period_of_a_sway_is_that_of_its_beat_or_bar(sways_a_beat):
    beat = 0.47
    y = motion.normalise(swaying(10.0, hertz=sways_a_beat / beat, seed=1), 60)
    assert tempo.motion_period(y, beat * 1.1) == pytest.approx(beat, rel=0.03)


def test_the_range_of_a_period_has_no_ends():
    beat = 0.6
    y = motion.normalise(swaying(10.0, hertz=0.5 / beat), 60)
    found = [np.log2(tempo.motion_period(y, beat * 2.0**shift) / beat) for shift in (-0.7, -0.5, -0.3, 0.3, 0.5, 0.7)]
    np.testing.assert_allclose(found, np.round(found), atol=0.03)


def test_who_keeps_another_tempo_does_not_follow():
    y = motion.normalise(swaying(30.5, hertz=1.0), 60)
    assert tempo.follows(y, np.arange(0, 31, 0.5), 0.0) == (3, 3) == tempo.follows(y, np.arange(0, 31, 1.0), 0.0)
    assert tempo.follows(y, np.arange(0, 31, 0.44), 0.0) == (0, 3)
    assert tempo.follows(y, np.zeros(0), 0.0) == (0, 0)


# ---- groups and goals --------------------------------------------------------------------------------------------


def test_songs_of_half_the_tempo_are_not_of_another():
    dances = [measures.part(str(bpm), swaying(seed=1), np.arange(0, 30, 60 / bpm)) for bpm in (60, 120, 121)]
    assert measures.lock_on_others(dances) is None
    other = measures.part("97", swaying(seed=1), np.arange(0, 30, 60 / 97))
    firm = measures.mean_lock(dances[:2])["strength"]
    assert measures.lock_on_others([*dances, other]) < 0.6 < 0.9 < firm and measures.mean_lock([]) == {}


def figures_of(lock=0.6, change=0.1, **more):
    row = {"speed": 1.0, "spread": 0.05, "jerk": 300.0, "skate": 0.4, "skate_ratio": 0.3, "freeze": 0.0,
           "p_music_to_motion": 0.001, "p_motion_to_music": 0.02, "fid_k": 3.0, "follows_tempo": 0.95}  # fmt: skip
    locked = {"strength": lock, "offset_ms": -41.0, "on_others": 0.1}
    minute = {"change": {"speed": change, "spread": -change, "height": 0.0}}
    hour = {"wire": minute, "raw": minute, "sunk_m": 0.0, "finite": True}
    names = ("model, on the wire", "model, raw", "real", "songs at 0.8", "beside: other")
    rows = {name: dict(row) for name in names}
    rows["model, raw"] |= more
    return {
        "rows": rows, "lock": {f"{s}_{w}": locked for s in ("own", "true") for w in ("wire", "raw")},
        "hour": hour, "silence": {"calm_after_s": float("inf")},
    }  # fmt: skip


def reached(result):
    return {(g["what"], g["way"]): g["reached"] for g in goals.goals(result)}


def test_each_goal_is_judged_by_its_own_limit():
    found = reached(figures_of())
    assert found["pose spread", "wire"] and found["beat lock, told the beats", "raw"]
    assert found["beat alignment, music to motion", "wire"] and not found["beat alignment, motion to music", "wire"]
    assert not found["mean offset, own tracker", "wire"] and found["lock on beats of other tempi", "raw"]
    assert found["follows tempo, 0.8x, own tracker", "wire"] and found["an hour, no NaN", "both"]
    assert found["last minute of an hour, speed", "raw"] and not found["silence brings a calm idle", "wire"]
    assert found["FID_k", "wire"] is False and found["FID_g", "wire"] is None


def test_what_falls_short_is_missed():
    found = reached(figures_of(lock=0.45, change=0.2, speed=1.3, jerk=451.0, freeze=0.03, fid_k=2.9))
    assert found["beat lock, own tracker", "wire"] and not found["beat lock, told the beats", "wire"]
    missed = ("mean joint speed", "jerk", "freeze ratio", "last minute of an hour, spread")
    assert not any(found[what, "raw"] for what in missed) and found["FID_k", "raw"]
