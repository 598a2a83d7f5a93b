"""What a pose detector saw becomes one dancer's keypoints, whatever it got wrong."""

import json

import numpy as np
import pytest

pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")
pytest.importorskip("joblib", reason="joblib is not installed (extra `train`)")

from live.errors import BadFile
from live.keypoints import BONES, HIPS, INDEX, NECK, encode, mirrored, normalised
from live.train.layouts import openpose
from live.train.people import dancer, filtered, followed, short_gaps, unswapped, without_jumps, without_long_limbs
from live.train.prepare import Settings, find, join, run

PLACES = {
    "nose": (0, 170), "neck": (0, 145), "Shoulder": (18, 145), "Elbow": (40, 130), "Wrist": (60, 150),
    "Hip": (10, 92), "Knee": (12, 50), "Ankle": (12, 8), "Eye": (4, 174), "Ear": (8, 171),
}  # fmt: skip


def body(frames=120, place=300.0):
    """Points [T, 18, 2] in pixels (y down) of someone who faces us, sways and waves."""
    points = np.zeros((frames, 18, 2), np.float32)
    sway = 30 * np.sin(np.arange(frames) / 12)
    for name, i in INDEX.items():
        side = {"r": -1, "l": 1}.get(name[0]) if name not in ("nose", "neck") else 0
        x, y = PLACES[name if not side else name.removeprefix("right").removeprefix("left")]
        points[:, i, 0], points[:, i, 1] = place + side * x + sway, 400 - y
    points[:, INDEX["leftWrist"], 1] += 20 * np.sin(np.arange(frames) / 5)
    return points


def seen(points, confidence=0.9):
    """One person a frame."""
    return [np.concatenate([frame, np.full((18, 1), confidence)], 1)[None].astype(np.float32) for frame in points]


def test_a_clean_track_passes_unchanged():
    assert np.allclose(filtered(followed(seen(body()))), body())


def test_somebody_walking_past_is_not_followed():
    passing = body(place=0.0) + np.linspace(0, 800, 120)[:, None, None] * np.float32([1, 0])
    people = [np.concatenate(pair) for pair in zip(seen(passing), seen(body()), strict=True)]
    assert np.abs(followed(people) - body()).max() < 1.0


def test_a_point_hardly_seen_is_not_seen():
    people = seen(body())
    people[50][0, 4, 2] = 0.1
    assert np.isnan(followed(people)[50, 4]).all() and np.isfinite(followed(people)[49]).all()


def test_left_and_right_are_put_right():
    wrong = body()
    for right, left in ((2, 5), (3, 6), (4, 7)):
        wrong[40:60, [right, left]] = wrong[40:60, [left, right]]
    assert np.allclose(unswapped(wrong), body())


def test_a_point_that_jumps_is_dropped():
    wrong = body()
    wrong[30, INDEX["leftKnee"]] += 200
    dropped = np.isnan(without_jumps(wrong)).any(2)
    assert dropped[30, INDEX["leftKnee"]] and dropped.sum() == 1


def test_a_limb_longer_than_it_is_ends_nowhere():
    wrong = body()
    wrong[30:90, INDEX["rightAnkle"]] += [0, 60]
    wrong[:30, INDEX["rightAnkle"]] = wrong[90:, INDEX["rightAnkle"]] = 0
    track = body()
    track[30:35, INDEX["rightAnkle"], 1] += 60
    assert np.isnan(without_long_limbs(track)[30:35, INDEX["rightAnkle"]]).all()
    assert np.isfinite(without_long_limbs(track)[40:]).all()


def test_missing_joints_are_interpolated_and_long_gaps_not_used():
    people = seen(body(frames=240))
    for t in [*range(20, 25), *range(100, 160)]:
        people[t][0, INDEX["leftKnee"], 2] = 0.0
    motion = dancer(people, 60.0)
    assert np.isfinite(motion.points).all()
    assert motion.known[:100].all() and not motion.known[100:160].any() and motion.known[160:].all()


def test_a_gap_is_as_long_as_it_is():
    given = np.array([1, 0, 0, 1, 0, 0, 0, 1, 0], bool)[:, None]
    assert short_gaps(given, 2)[:, 0].tolist() == [False, True, True, False, False, False, False, False, False]


def test_scale_and_place_do_not_count():
    a, b = normalised(body()), normalised(3 * body() + 100)
    assert np.allclose(a, b, atol=1e-4)
    assert np.linalg.norm(a[:, NECK] - a[:, HIPS].mean(1), axis=1) == pytest.approx(1.0, abs=0.01)
    assert a[0, NECK, 1] > a[0, INDEX["leftAnkle"], 1] and a[0, INDEX["leftWrist"], 0] > 0


def test_thirty_frames_a_second_become_sixty():
    motion = dancer(seen(body()), 30.0)
    assert len(motion.points) == pytest.approx(240, abs=3) and encode(motion).shape[1] == 36


def test_a_mirrored_dancer_lifts_the_other_arm():
    motion = dancer(seen(body()), 60.0)
    image = mirrored(motion)
    assert np.allclose(image.points[:, INDEX["rightWrist"]], motion.points[:, INDEX["leftWrist"]] * [-1, 1])


def test_nobody_is_an_error():
    with pytest.raises(BadFile, match="0 frames"):
        followed([np.zeros((0, 18, 3), np.float32)] * 20)


def test_a_face_never_seen_lies_at_the_neck():
    people = seen(body())
    for frame in people:
        frame[0, [0, 14, 15, 16, 17], 2] = 0.0
    motion = dancer(people, 60.0)
    assert np.allclose(motion.points[:, 0], motion.points[:, NECK])
    assert len(BONES) == 17


# ---- OpenPose folders --------------------------------------------------------------------------------------------


def clip(folder, points, kind=18, name="clip"):
    """A JSON file a frame."""
    (folder / name).mkdir()
    for t, frame in enumerate(points):
        body = np.zeros((kind, 3))
        body[openpose.FROM_BODY_25 if kind == 25 else range(18)] = np.c_[frame, np.full(18, 0.9)]
        text = json.dumps({"version": 1.3, "people": [{"pose_keypoints_2d": body.ravel().tolist()}]})
        (folder / name / f"{name}_{t:012d}_keypoints.json").write_text(text)
    return folder / name


@pytest.mark.parametrize("kind", [18, 25])
def test_both_layouts_are_read_alike(tmp_path, kind):
    people = openpose.read_people(clip(tmp_path, body(), kind))
    assert np.allclose(followed(people), body())


def test_gaps_empty_and_broken_files_and_no_people_are_survived(tmp_path):
    folder = clip(tmp_path, body(frames=240))
    files = sorted(folder.iterdir())
    files[10].unlink()
    files[11].write_text("")
    files[12].write_text('{"people": []}')
    files[13].write_text('{"people": [{"pose_keypoints_2d": [1, 2]}]}')
    people = openpose.read_people(folder)
    assert len(people) == 240 and [len(p) for p in people[9:15]] == [1, 0, 0, 0, 0, 1]
    layout, found = find(tmp_path)
    (outcome,) = run(layout, found, Settings(cache=tmp_path / "cache"), jobs=1)
    assert layout == "openpose" and "30 frames/s assumed" in outcome.note
    assert join([outcome])["channels"].shape[1] == 36 and str(join([outcome])["pose_space"]) == "keypoints18"


def test_a_folder_without_a_dancer_is_named(tmp_path):
    folder = clip(tmp_path, body()[:3])
    with pytest.raises(BadFile, match="clip: somebody is seen in 3 frames only"):
        openpose.read(folder)
