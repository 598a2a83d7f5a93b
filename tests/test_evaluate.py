"""A model is measured beside real dances, random pairing and silence, and the figures are written down."""

import numpy as np
import pytest
from motion_files import bvh_text, salsa_folder

pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")
pytest.importorskip("joblib", reason="joblib is not installed (extra `train`)")

from live import channels, rotation, skeleton
from live.bench.dance_page import COLUMNS, page, rows
from live.errors import Unusable
from live.train.composer import compose
from live.train.evaluate import Music, Plan, evaluate, read_music
from live.train.free_run import Danced, lag_to_accent, told_beats, true_beat, walked, with_accent
from live.train.prepare import read_all
from live.types import BeatState, FeatureFrame


def sway(beats, seconds):
    """Someone who sways once every two beats, still on each beat; frozen without beats."""
    t = np.arange(int(seconds * 60)) / 60 + 2 / 60
    joints = np.tile(skeleton.forward_kinematics(skeleton.REST_OFFSETS[0], np.tile([0, 0, 0, 1.0], (22, 1)))[0],
                     (len(t), 1, 1))  # fmt: skip
    if len(beats):
        joints[:, :, 0] += 0.2 * np.cos(np.pi * np.interp(t, beats, np.arange(len(beats))))[:, None] * joints[:1, :, 1]
    return joints.astype(np.float32)


def dancer(audio, beats):
    joints = sway(np.zeros(0) if beats is None else beats, len(audio) / 48_000)
    return Danced(joints, joints)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    songs = [
        Music(str(bpm), compose(1, 20.0, bpm).audio, np.arange(0, 20, 60 / bpm), True) for bpm in (100.0, 137.0, 166.0)
    ]
    folder = salsa_folder(tmp_path_factory.mktemp("salsa"))
    for seed, file in enumerate(sorted(folder.glob("*.bvh"))):
        file.write_text(bvh_text(frames=1200, seed=seed))
    real = read_all(folder)
    return {"model": "sway", **evaluate(dancer, songs, real, Plan(seconds=20.0))}


def test_who_sways_on_the_beat_is_on_the_beat_beyond_chance(result):
    row = result["rows"]["model, on the wire"]
    assert row["motion_to_music"] > 0.9 and row["p_motion_to_music"] < 0.01 and row["beat_lock"] > 0.9
    assert abs(row["lock_offset_ms"]) < 30


def test_with_another_songs_beats_it_is_not(result):
    row = result["rows"]["random pairing"]
    assert row["motion_to_music"] < 0.6 and row["p_motion_to_music"] > 0.01


def test_silence_freezes_it(result):
    assert result["rows"]["silence"]["freeze"] == 1.0 and result["rows"]["model, on the wire"]["freeze"] == 0.0


def test_real_dances_lie_nearer_to_each_other_than_the_sway_does(result):
    real, made = result["rows"]["real"], result["rows"]["model, on the wire"]
    assert np.isfinite(real["fid_k"]) and real["fid_g"] < made["fid_g"]


def test_who_hears_nothing_never_responds(result):
    assert result["rows"]["model, on the wire"]["response_lag_ms"] == float("inf")


def test_every_figure_is_on_the_page_and_in_the_table(result):
    text = page(result)
    assert all(heading in text for _, heading, _ in COLUMNS) and "nan" not in text
    assert {len(row) for row in rows(result)} == {len(COLUMNS) + 1}


def test_an_accent_is_answered_when_it_is_heard():
    def run(audio):
        loud = np.abs(audio).reshape(-1, 800).max(1) > 0.5
        return np.cumsum(loud)[:-2, None, None] * np.ones((1, 22, 3)) * 0.1

    assert lag_to_accent(run, np.zeros(48_000 * 4, np.float32), (48_000,)) == pytest.approx([2 / 60])
    assert np.abs(with_accent(np.zeros(9600, np.float32), 4800)[:4800]).max() == 0.0


def test_true_beats_are_told_as_they_pass():
    beats = np.array([1.0, 1.5, 2.0])
    assert true_beat(beats, 1.25).phase == pytest.approx(0.5) and true_beat(beats, 1.25).bpm == pytest.approx(120)
    assert true_beat(beats, 0.9) == BeatState() == true_beat(beats, 2.0)
    frames = [FeatureFrame(np.zeros(35, np.float32), 0, 0.0, BeatState())] * 90
    assert told_beats(frames, beats)[74].beat.phase == pytest.approx(0.5)


def test_raw_channels_walk_the_path_they_were_made_from(tmp_path):
    motion = read_all(salsa_folder(tmp_path))[0].motion
    joints = skeleton.forward_kinematics(*motion)[0]
    again = walked(channels.encode(*motion))
    turn = rotation.yaw(np.float32(rotation.heading(motion.local_rotations[:1, 0])[0] - rotation.heading(
        channels.decode(channels.encode(*motion)).rotations[:1, 0])[0]))  # fmt: skip
    steps = [np.linalg.norm(np.diff(x[:, 0], axis=0), axis=-1).sum() for x in (joints, again)]
    assert steps[0] == pytest.approx(steps[1], rel=0.02) and np.isfinite(turn).all()
    apart = [np.linalg.norm(x[100, 0] - x[0, 0]) for x in (joints, again)]
    assert apart[0] == pytest.approx(apart[1], rel=0.03)


def test_a_folder_without_songs_is_refused(tmp_path):
    with pytest.raises(Unusable, match="holds no songs"):
        read_music(tmp_path, 60.0)
