"""Dances of every layout come onto our bones with their beats; what makes no sense is named and left out."""

import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from motion_files import BIPED, MIXAMO, aist_file, ballroom_file, bvh_text, keypoints17, renamed, salsa_folder

pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")
pytest.importorskip("joblib", reason="joblib is not installed (extra `train`)")

from live import rotation, skeleton
from live.errors import BadFile, Unusable
from live.train.aim import aim, rest_direction
from live.train.bvh import read_bvh
from live.train.choice import Choice
from live.train.composer import compose
from live.train.dance import prosody_of
from live.train.gaps import filled
from live.train.grid import heard_grid, written_grid
from live.train.layouts import aist, ballroom, bvh
from live.train.prepare import LAYOUTS, Settings, find, heard, join, run
from live.train.retarget import retarget, retarget_joints


def bones_of(motion):
    return skeleton.forward_kinematics(*motion)[0]


def written(folder, text, name="a.bvh"):
    (folder / name).write_text(text)
    return folder / name


def rest_joints(frames=30):
    still = np.tile(rotation.IDENTITY, (frames, skeleton.COUNT, 1))
    joints = bones_of((np.tile(skeleton.REST_OFFSETS[0], (frames, 1)), still))
    return {bone: joints[:, i] for i, bone in enumerate(skeleton.BONES)}


# ---- aiming ------------------------------------------------------------------------------------------------------


def test_a_body_at_rest_is_aimed_at_no_rotation():
    assert np.abs(aim(rest_joints())[..., :3]).max() < 0.05


def test_a_body_turned_about_is_turned_about():
    around = rotation.yaw(np.float32(1.2))
    turned = aim({bone: rotation.rotate(around, place) for bone, place in rest_joints().items()})
    assert np.allclose(rotation.heading(turned[:, 0]), 1.2, atol=1e-3)


def test_a_bent_knee_bends_in_the_plane_of_its_hinge():
    joints = rest_joints()
    joints["leftLowerLeg"] = joints["leftUpperLeg"] + np.float32([0.28, -0.28, 0.0])  # the thigh swings outward
    joints["leftFoot"] = joints["leftLowerLeg"] + np.float32([0, -0.28, -0.28])
    thigh, shin = (aim(joints)[:, skeleton.INDEX[bone]] for bone in ("leftUpperLeg", "leftLowerLeg"))
    bend = rotation.multiply(rotation.conjugate(thigh), shin)
    assert np.abs(bend[:, 1:3]).max() < 0.1 < bend[:, 0].min()  # about X alone: a hinge


def test_a_stranger_body_without_spine_toes_and_collars_is_complete():
    points = keypoints17()
    motion = retarget_joints({name: points[:, i] for i, name in enumerate(aist.COCO)}, 60.0)
    joints = bones_of(motion)
    forearm = joints[:, skeleton.INDEX["leftHand"]] - joints[:, skeleton.INDEX["leftLowerArm"]]
    assert np.allclose(forearm / np.linalg.norm(forearm, axis=1)[:, None], [1, 0, 0], atol=0.02)
    assert 0.85 < joints[:, 0, 1].mean() < 1.0 and joints[..., 1].min() > -0.05


# ---- BVH ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [MIXAMO, BIPED], ids=["mixamo", "biped"])
def test_another_namings_body_dances_the_same(tmp_path, names):
    ours = retarget(read_bvh(written(tmp_path, bvh_text())))
    theirs = retarget(read_bvh(written(tmp_path, renamed(bvh_text(), names))))
    assert np.allclose(bones_of(ours), bones_of(theirs), atol=1e-5)


def test_centimetres_are_metres(tmp_path):
    metres = read_bvh(written(tmp_path, bvh_text()))
    centimetres = replace(metres, offsets=metres.offsets * 100, root_position=metres.root_position * 100)
    assert np.allclose(bones_of(retarget(metres)), bones_of(retarget(centimetres)), atol=1e-3)


def test_a_file_whose_up_is_z_stands_upright(tmp_path):
    source = read_bvh(written(tmp_path, bvh_text()))
    lie = rotation.between(np.float32([0, 1, 0]), np.float32([0, 0, 1]))
    turned = source.rotations.copy()
    turned[:, 0] = rotation.multiply(lie, source.rotations[:, 0])
    lying = replace(source, root_position=rotation.rotate(lie, source.root_position), rotations=turned)
    assert np.allclose(bones_of(retarget(source)), bones_of(retarget(lying)), atol=1e-4)


def test_a_rest_pose_that_does_not_stand_is_learnt_from_the_take(tmp_path):
    source = read_bvh(written(tmp_path, bvh_text()))
    odd = rotation.normalise(np.random.default_rng(0).normal(size=(len(source.names), 4)).astype(np.float32))
    parents = [max(p, 0) for p in source.parents]
    above = odd[parents]
    above[0] = rotation.IDENTITY  # every joint's axes turned at random, and every offset with its parent's
    scrambled = replace(
        source,
        offsets=rotation.rotate(rotation.conjugate(above), source.offsets),
        rotations=rotation.multiply(rotation.multiply(rotation.conjugate(above), source.rotations), odd),
    )
    assert np.allclose(scrambled.world()[0], source.world()[0], atol=1e-4)
    a, b = bones_of(retarget(source)), bones_of(retarget(scrambled))
    assert np.linalg.norm((a - a[:, :1]) - (b - b[:, :1]), axis=-1).mean() < 0.03


def test_a_table_of_ones_own_names_an_unknown_skeleton(tmp_path):
    path = written(tmp_path, bvh_text().replace("Thigh", "Femur"))
    with pytest.raises(BadFile, match=r"a\.bvh.*--names"):
        bvh.read(path)
    table = tmp_path / "names.toml"
    arms = "UpperArm = '%Shldr'\nLowerArm = '%ForeArm'\nHand = '%Hand'\n"
    legs = "UpperLeg = '%Femur'\nLowerLeg = '%Shin'\nFoot = '%Foot'\n"
    table.write_text(f"[mine]\nsides = ['l', 'r']\nhips = 'hip'\nneck = 'neck'\n{arms}{legs}")
    assert len(bvh.read(path, Choice(names=table)).motion[0]) == 400


# ---- AIST++ ------------------------------------------------------------------------------------------------------


def test_an_aist_dance_knows_its_style_and_song(tmp_path):
    dance = aist.read(aist_file(tmp_path))
    assert (dance.style, dance.song, dance.bpm) == ("break", "mBR0", 0.0)
    assert aist.nominal_tempo("BR", 3) == 110.0 and aist.nominal_tempo("HO", 3) == 125.0


def test_a_pickle_that_wants_to_run_something_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "owned"),)

    path = aist_file(tmp_path)
    path.write_bytes(pickle.dumps({"keypoints3d": Evil()}))
    with pytest.raises(BadFile, match=r"mBR0_ch01\.pkl.*mkdir"):
        aist.read(path)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("raw", [b"", b"\x80\x04K\x01.", pickle.dumps({"keypoints3d": np.zeros((9, 3))})])
def test_a_damaged_pickle_is_named_in_one_line(tmp_path, raw):
    path = aist_file(tmp_path)
    path.write_bytes(raw)
    with pytest.raises(BadFile, match=r"mBR0_ch01\.pkl") as error:
        aist.read(path)
    assert "\n" not in str(error.value)


def test_frames_not_seen_are_interpolated_and_not_trained_on(tmp_path):
    points = keypoints17()
    points[50:60, 3] = np.nan
    dance = aist.read(aist_file(tmp_path, points=points))
    assert not dance.sound[50:60].any() and dance.sound[:50].all() and np.isfinite(dance.motion[1]).all()


def test_a_gap_is_filled_in_a_straight_line():
    track = np.arange(5, dtype=np.float32)[:, None, None] * np.ones((1, 1, 2), np.float32)
    track[2] = np.nan
    assert filled(track)[0][2].tolist() == [[2.0, 2.0]] and not filled(track)[1][2, 0]


# ---- ballroom ----------------------------------------------------------------------------------------------------


def test_a_ballroom_dance_keeps_genre_grid_and_mask(tmp_path):
    bad = np.zeros(200, bool)
    bad[100:110] = True
    dance = ballroom.read(ballroom_file(tmp_path, bad=bad))
    assert (dance.style, dance.beats_per_bar) == ("cha-cha", 4)
    assert dance.bpm == pytest.approx(120) and dance.count_at_start == pytest.approx(-0.5)
    assert not dance.sound[242:262].any() and dance.sound[:200].all()


def test_loose_ballroom_dances_have_no_grid(tmp_path):
    dance = ballroom.read(ballroom_file(tmp_path, sync="loose"))
    assert dance.bpm == 0.0 and "no beat grid" in dance.notes


def test_a_recording_that_stood_still_is_not_used(tmp_path):
    joints = np.load(ballroom_file(tmp_path))["joints"]
    joints[50:70] = joints[50]
    sound = ballroom.read(ballroom_file(tmp_path, joints=joints)).sound
    assert not sound[122:160].any() and sound[:115].all() and sound[180:].all()


def test_broken_joints_are_named(tmp_path):
    with pytest.raises(BadFile, match=r"DANCE_C_1\.npz.*23 markers"):
        ballroom.read(ballroom_file(tmp_path, joints=np.zeros((100, 22, 3), np.float32)))


# ---- grids -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bpm", [84.0, 120.0, 165.0])
def test_the_grid_of_music_is_heard(bpm):
    grid = heard_grid(prosody_of(compose(3, 20.0, bpm, 0.25, "house").audio)[:, 1])
    assert grid.bpm / bpm == pytest.approx(round(grid.bpm / bpm * 2) / 2, rel=0.01)


def test_noise_and_silence_have_no_grid():
    assert heard_grid(np.random.default_rng(0).random(1200).astype(np.float32)).bpm == 0.0
    assert heard_grid(np.zeros(1200, np.float32)).bpm == 0.0


def test_beats_on_a_line_are_a_grid_and_others_are_none():
    assert written_grid(np.arange(0.2, 9, 0.5)) == pytest.approx((120.0, -0.4))
    assert written_grid(np.cumsum(np.linspace(0.3, 0.8, 20))).bpm == 0.0


# ---- the front ---------------------------------------------------------------------------------------------------


def prepared_in(folder, cache, **settings):
    layout, paths = find(folder)
    return layout, list(run(layout, paths, Settings(cache=cache, **settings), jobs=1))


def test_every_layout_finds_its_own_folder(tmp_path):
    folders = {name: tmp_path / name for name in ("salsa", "ballroom", "aist", "bvh")}
    for folder in folders.values():
        folder.mkdir()
    salsa_folder(folders["salsa"])
    ballroom_file(folders["ballroom"])
    aist_file(folders["aist"])
    written(folders["bvh"], bvh_text())
    assert {name: find(folder)[0] for name, folder in folders.items()} == {name: name for name in folders}
    assert set(LAYOUTS) >= set(folders)


def test_an_empty_folder_is_refused_in_one_line(tmp_path):
    with pytest.raises(Unusable, match="holds no dances"):
        find(tmp_path)


def test_one_bad_file_is_dropped_with_its_reason_and_the_others_kept(tmp_path):
    salsa_folder(tmp_path)
    written(tmp_path, "HIERARCHY nonsense", "62_01.bvh")
    _, outcomes = prepared_in(tmp_path, tmp_path / "cache")
    assert [o.part is not None for o in outcomes] == [True, True, False]
    assert "62_01.bvh" in outcomes[2].note
    assert join(outcomes)["takes"].tolist() == ["60_01", "61_01"]


def test_what_was_done_is_not_done_again(tmp_path, monkeypatch):
    salsa_folder(tmp_path)
    first = prepared_in(tmp_path, tmp_path / "cache")
    monkeypatch.setattr("live.train.prepare.prepared", None)  # anything new would fail
    assert prepared_in(tmp_path, tmp_path / "cache") == first


def test_a_changed_file_is_prepared_anew(tmp_path):
    salsa_folder(tmp_path)
    _, first = prepared_in(tmp_path, tmp_path / "cache")
    written(tmp_path, bvh_text(frames=500), "60_01.bvh")
    _, second = prepared_in(tmp_path, tmp_path / "cache")
    assert first[0].part != second[0].part and first[1] == second[1]


def test_remembered_features_are_the_extractors(tmp_path):
    audio = compose(1, 2.0, 120.0).audio
    assert np.array_equal(heard(audio, tmp_path), prosody_of(audio)) and len(list(tmp_path.glob("heard-*"))) == 1
    assert np.array_equal(heard(audio, tmp_path), prosody_of(audio))


def test_music_shorter_than_the_motion_cuts_it_and_says_so(tmp_path):
    ballroom_file(tmp_path)
    soundfile.write(tmp_path / "DANCE_C_1.wav", compose(1, 5.0, 120.0).audio, 48_000)
    _, (outcome,) = prepared_in(tmp_path, tmp_path / "cache", stretches=())
    assert "music ends 3.0 s early" in outcome.note
    assert join([outcome])["start"].tolist() == [0, 300, 600]


def test_motion_without_music_is_danced_in_silence(tmp_path):
    written(tmp_path, bvh_text())
    _, (outcome,) = prepared_in(tmp_path, tmp_path / "cache")
    assert outcome.note == "no music: silence" and not join([outcome])["bpm"].any()


def test_a_dance_of_a_second_is_dropped(tmp_path):
    written(tmp_path, bvh_text(frames=60))
    _, (outcome,) = prepared_in(tmp_path, tmp_path / "cache")
    assert outcome.part is None and "under 3 s" in outcome.note


def test_limb_directions_are_those_of_the_table():
    assert np.allclose(rest_direction("leftUpperLeg", "leftLowerLeg"), [0, -1, 0])
