"""What MediaPipe saw in a clip becomes bones and keypoints; the estimator itself is not needed here."""

import sys

import numpy as np
import pytest
from motion_files import salsa_folder

pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")
pytest.importorskip("joblib", reason="joblib is not installed (extra `train`)")

from live import skeleton
from live.cli.prepare import prepare_data
from live.errors import BadFile, Unusable
from live.keypoints import INDEX
from live.train import pose_tool
from live.train.layouts import video
from live.train.pose_tool import Seen, watch
from live.train.prepare import Settings, find

HEIGHTS = {
    0: (0, 1.65), 2: (0.03, 1.68), 5: (-0.03, 1.68), 7: (0.08, 1.66), 8: (-0.08, 1.66), 11: (0.18, 1.45),
    12: (-0.18, 1.45), 13: (0.45, 1.45), 14: (-0.45, 1.45), 15: (0.7, 1.45), 16: (-0.7, 1.45), 19: (0.8, 1.45),
    20: (-0.8, 1.45), 23: (0.1, 0.9), 24: (-0.1, 0.9), 25: (0.1, 0.5), 26: (-0.1, 0.5), 27: (0.1, 0.1), 28: (-0.1, 0.1),
    31: (0.1, 0.03), 32: (-0.1, 0.03),
}  # fmt: skip


def seen(frames=90, pixels=200.0):
    """Someone with arms spread who faces the camera and walks half a metre to the picture's right."""
    world = np.zeros((frames, 33, 3), np.float32)
    for at, (x, y) in HEIGHTS.items():
        world[:, at] = (x, 0.9 - y, -0.15 if at in (31, 32) else -0.1 if at == 0 else 0.0)
    image = np.concatenate([world[..., :2] * pixels + (400, 300), np.full((frames, 33, 1), 0.9)], -1)
    image[..., 0] += np.linspace(0, 0.5 * pixels, frames)[:, None]
    return Seen(image.astype(np.float32), world, 30.0)


def test_who_faces_the_camera_faces_us_and_walks_to_its_left():
    motion = video.solid(seen())
    joints = skeleton.forward_kinematics(*motion)[0]
    hand = joints[60, skeleton.INDEX["leftHand"]] - joints[60, skeleton.INDEX["leftUpperArm"]]
    assert hand[0] > 0.45 and abs(hand[1]) < 0.05
    assert joints[60, skeleton.INDEX["leftToes"], 2] > joints[60, skeleton.INDEX["leftFoot"], 2] + 0.1
    assert motion.root_position[-1, 0] - motion.root_position[0, 0] == pytest.approx(0.5, abs=0.1)


def test_image_landmarks_are_the_keypoints():
    motion = video.flat(seen())
    assert motion.points[0, INDEX["leftWrist"], 0] > 0 > motion.points[0, INDEX["rightWrist"], 0]
    assert motion.points[0, INDEX["nose"], 1] > motion.points[0, INDEX["leftAnkle"], 1]


def test_somebody_else_is_not_the_dancer():
    given = seen()
    given.image[70:, :, :2] += 500
    kept = np.isfinite(video.one_person(given).image).all((1, 2))
    assert kept[:70].all() and not kept[70:].any()


def test_a_clip_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadFile, match=r"none\.mp4"):
        watch(tmp_path / "none.mp4")
    with pytest.raises(Unusable, match=r"none\.mp4"):
        find(tmp_path / "none.mp4")


def worked(tmp_path, monkeypatch, script: str):
    """A clip to be watched by a stand-in for MediaPipe's worker, whose arguments are `clip` and `out`."""
    worker = tmp_path / "worker.py"
    worker.write_text(f"import sys\nimport numpy as np\nclip, out = sys.argv[1:]\n{script}\n")
    monkeypatch.setattr(pose_tool, "WORKER", worker)
    monkeypatch.setattr(pose_tool, "environment", lambda: sys.executable)
    monkeypatch.setattr(pose_tool, "home", lambda: tmp_path)
    (tmp_path / "a.mp4").write_bytes(b"a video")
    return tmp_path / "a.mp4"


FOUND = "found = np.zeros(({}, 33, 3), np.float32)\nnp.savez(out, image=found, world=found, rate=np.float32(30))"


def test_watching_tells_how_far_it_is_and_happens_once(tmp_path, monkeypatch):
    clip = worked(tmp_path, monkeypatch, "print('1 of 8')\nprint('a word')\nprint('8 of 8')\n" + FOUND.format(8))
    told = []
    assert len(watch(clip, lambda *both: told.append(both)).image) == 8
    assert len(watch(clip, lambda *both: told.append(both)).image) == 8 and told == [(1, 8), (8, 8)]


def test_a_clip_of_one_frame_is_too_short(tmp_path, monkeypatch):
    with pytest.raises(BadFile, match=r"a\.mp4: is too short \(1 frames\)"):
        watch(worked(tmp_path, monkeypatch, FOUND.format(1)))


def test_what_the_worker_said_last_is_why_it_could_not_watch(tmp_path, monkeypatch):
    with pytest.raises(BadFile, match=r"a\.mp4: could not be watched: no frame could be decoded$"):
        watch(worked(tmp_path, monkeypatch, "sys.exit('a warning\\nno frame could be decoded')"))


def test_an_import_ends_with_a_table_of_what_was_kept(tmp_path, capsys):
    salsa_folder(tmp_path)
    (tmp_path / "62_01.bvh").write_text("HIERARCHY")
    prepare_data(tmp_path, tmp_path / "out.npz", Settings(cache=tmp_path / "cache"), jobs=1)
    told = capsys.readouterr().out
    assert "60_01" in told and "dropped" in told and "2 of 3 dances" in told
