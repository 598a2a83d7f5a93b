"""Dances in the picture: placed in a renderer's picture, and filmed to a song."""

from __future__ import annotations

import re

import numpy as np
import pytest
import soundfile

pytest.importorskip("onnx", reason="onnx is not installed (extra `train`)")

from flat_models import flat_graph, flat_model, stance
from renderers import echo_graph, folder_with
from typer.testing import CliRunner

from live.card import shipped_models
from live.cli.app import app
from live.errors import BadFile, BadModel, Failed, LiveError, Unusable
from live.frames.lens import Lens
from live.frames.stature import ANKLES, ours, placed
from live.keypoints import HIPS, INDEX, pictured
from live.types import SAMPLE_RATE

OWN = ours(Lens(), 1.0)
THIN = OWN._replace(near=0.93, far=0.91, middle=0.4, reach=0.05)
"""Somebody who was filmed in one place."""
WRIST = 2 * INDEX["rightWrist"] + 1
SIZE = 512


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A renderer that shows the map, and a song: half a second of silence, half a second of noise."""
    folder = tmp_path_factory.mktemp("flat")
    folder_with(folder / "echo", echo_graph(), stature=THIN._asdict())
    noise = np.random.default_rng(0).normal(size=SAMPLE_RATE).astype(np.float32) * 0.2
    noise[: SAMPLE_RATE // 2] = 0
    soundfile.write(folder / "song.wav", noise, SAMPLE_RATE)
    flat_model(folder / "still", flat_graph(stance()))
    return folder


def moved(frames, x=0.0, y=0.0):
    """Somebody who stands [T, 18, 2] (unit: a torso; y down), moved in the picture by x and y [T]."""
    still = np.repeat(pictured(stance()[None]), frames, 0)
    return still + np.stack(np.broadcast_arrays(x, y, np.zeros(frames)), -1)[:, None, :2].astype(np.float32)


def ankles(points):
    return points[:, ANKLES, 1].max(1)


def hips(points):
    return points[:, HIPS, 0].mean(1)


# ---- in the picture ------------------------------------------------------------------------------------------------


def test_who_stands_still_stands_upright_and_whole_in_the_middle():
    made = placed(moved(30), THIN)
    np.testing.assert_allclose(ankles(made), 0.92, atol=1e-4)
    np.testing.assert_allclose(hips(made), 0.4, atol=1e-4)
    assert made[0, INDEX["nose"], 1] < made[0, INDEX["neck"], 1] < made[0, HIPS, 1].min() < made[0, ANKLES, 1].min()
    tall = made[0, ANKLES, 1].max() - made[0, INDEX["neck"], 1]
    assert THIN.tall_far * 0.9 < tall < THIN.tall_near and made.min() > 0.05 and made.max() < 0.95


def test_neither_unit_nor_place_of_the_dance_is_seen():
    once = moved(40, x=np.sin(np.arange(40) / 5))
    np.testing.assert_allclose(placed(once * 70 + 300, THIN), placed(once, THIN), atol=1e-4)


def test_who_wanders_off_stays_where_the_renderers_person_went():
    made = placed(moved(100, x=np.linspace(0, 30, 100) ** 2 / 30), THIN)
    assert np.abs(hips(made) - 0.4).max() <= THIN.reach + 1e-5 and np.all(np.diff(hips(made)) >= 0)


def test_who_comes_nearer_comes_as_near_as_the_renderers_person():
    made = placed(moved(200, y=np.linspace(0, 1, 200)), THIN)
    np.testing.assert_allclose(ankles(made)[[0, -1]], [0.91, 0.93], atol=0.012)
    assert np.all(np.diff(ankles(made)) > -1e-4)


def test_a_little_way_is_not_made_a_long_one():
    source, target = moved(200, y=np.linspace(0, 0.01, 200)), placed(moved(200, y=np.linspace(0, 0.01, 200)), THIN)
    tall = [p[0, ANKLES, 1].max() - p[0, INDEX["neck"], 1] for p in (source, target)]
    assert np.ptp(ankles(target)) / tall[1] == pytest.approx(np.ptp(ankles(source)) / tall[0], rel=0.2)


def test_a_jump_leaves_the_floor_and_nobody_grows():
    up = np.zeros(60)
    up[30:35] = -0.3
    made = placed(moved(60, y=up), THIN)
    assert ankles(made)[32] < ankles(made)[0] - 0.05
    tall = np.linalg.norm(made[:, INDEX["neck"]] - made[:, HIPS].mean(1), axis=-1)
    np.testing.assert_allclose(tall, tall[0], rtol=0.01)


def test_one_pose_alone_can_be_placed():
    np.testing.assert_allclose(placed(moved(1), THIN), placed(moved(30), THIN)[:1], atol=1e-5)


# ---- the dance -----------------------------------------------------------------------------------------------------


def danced(folder, graph, seconds=1.0):
    from live.cli import film

    generator = film.dancer(film.Dance(str(flat_model(folder, graph))))
    sound = film.heard(folder.parent / "song.wav", print, seconds)
    count = []
    return film.danced(generator, "aubio", sound, lambda: count.append(1)), len(count)


def films():
    pytest.importorskip("skia", reason="skia-python is not installed (extra `film`), or its libraries are missing")
    return pytest.importorskip("av", reason="av is not installed (extra `film`)")


def test_the_song_is_heard_while_it_is_danced_to(folder):
    films()
    loud = np.zeros(36, np.float32)
    loud[WRIST] = 1.0
    poses, _ = danced(folder / "loud", flat_graph(stance(), loud=loud))
    assert poses.shape == (60, 36) and np.ptp(poses[5:30, WRIST]) < 1e-6
    assert np.abs(poses[40:, WRIST] - poses[10, WRIST]).min() > 0.1


def test_each_tick_goes_on_from_the_one_before(folder):
    films()
    poses, slots = danced(folder / "steps", flat_graph(stance(), step=np.eye(36, dtype=np.float32)[0]), seconds=0.5)
    np.testing.assert_allclose(poses[:, 0] - poses[0, 0], np.arange(30) // 2)
    assert slots >= 30


@pytest.mark.parametrize(("pose", "told"), [(np.nan, "no finite pose"), (0.5, "nobody who could be seen")])
def test_a_model_that_gives_nobody_is_told_in_one_line(folder, tmp_path, pose, told):
    films()
    (tmp_path / "song.wav").symlink_to(folder / "song.wav")
    with pytest.raises(Failed, match=rf"^model 'flat' cannot dance to this song: [^\n]*{told}[^\n]*$"):
        danced(tmp_path / "bad", flat_graph(np.full(36, pose, np.float32)))


# ---- the film ------------------------------------------------------------------------------------------------------


def filmed(folder, out, *more, song="song.wav", model="still", renderer="echo"):
    """What the command says."""
    words = ["film", str(folder / song), "--model", str(folder / model), "--renderer", str(folder / renderer), "--out",
             str(out), "--tracker", "aubio", "--provider", "cpu", *more]  # fmt: skip
    return CliRunner().invoke(app, words)


def test_a_song_becomes_a_film_of_who_dances_to_it(folder, tmp_path):
    av = films()
    told = filmed(folder, tmp_path / "a.mp4")
    assert told.exit_code == 0 and "30 pictures, 1.0 s of film" in told.output
    with av.open(str(tmp_path / "a.mp4")) as file:
        shown = [frame.to_ndarray(format="gray") for frame in file.decode(video=0)]
    assert len(shown) == 30 and shown[0].shape == (SIZE, SIZE)
    rows, columns = (np.flatnonzero((shown[10] > 128).any(axis)) / SIZE for axis in (1, 0))
    assert rows.max() == pytest.approx(0.92, abs=0.03) and 0.05 < rows.min() < 0.3
    assert columns[[0, -1]].mean() == pytest.approx(0.4, abs=0.05)
    with av.open(str(tmp_path / "a.mp4")) as file:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
    assert len(heard) == pytest.approx(SAMPLE_RATE, abs=2500)
    assert np.abs(heard[4000:20_000]).max() < 0.02 < np.abs(heard[28_000:44_000]).mean()


def test_a_film_is_as_long_large_and_fast_as_it_is_told_to_be(folder, tmp_path):
    av = films()
    told = filmed(folder, tmp_path / "a.mp4", "--seconds", "0.3", "--fps", "50", "--size", "128x96")
    assert told.exit_code == 0, told.exception
    with av.open(str(tmp_path / "a.mp4")) as file:
        shown = [frame.to_ndarray(format="gray") for frame in file.decode(video=0)]
    assert len(shown) == 15 and shown[0].shape == (96, 128) and shown[0][:, :14].max() < 30 < shown[0].max()


@pytest.mark.parametrize(
    ("words", "named", "kind", "told"),
    [
        ([], {"song": "none.ogg"}, BadFile, "there is no file"),
        ([], {"song": "still/model.json"}, BadFile, "cannot decode"),
        ([], {"model": "echo"}, BadModel, "without a model.json"),
        ([], {"renderer": "still"}, BadModel, "without a renderer.json"),
        (["--size", "127x96"], {}, Unusable, "even numbers"),
        (["--seconds", "0"], {}, Unusable, "a tenth of a second"),
        (["--seconds", "nan"], {}, Unusable, "a tenth of a second"),
        (["--style", "waltz"], {}, Unusable, "choose from still"),
        (["--tracker", "ear"], {}, Unusable, "unknown beat tracker 'ear'"),
        (["--provider", "tpu"], {}, Unusable, "choose one of auto"),
    ],
)
def test_what_cannot_be_filmed_is_refused_and_nothing_is_written(folder, tmp_path, words, named, kind, told):
    films()
    error = filmed(folder, tmp_path / "a.mp4", *words, **named).exception
    assert isinstance(error, kind) and re.search(rf"^[^\n]*{re.escape(told)}[^\n]*$", str(error))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif("salsa" not in shipped_models(), reason="the model 'salsa' is not shipped here")
def test_a_model_with_bones_is_told_how_to_be_filmed(folder, tmp_path):
    films()
    words = ["film", str(folder / "song.wav"), "--model", "salsa", "--out", str(tmp_path / "a.mp4")]
    error = CliRunner().invoke(app, words).exception
    assert isinstance(error, LiveError) and "has bones" in str(error) and "--output take:PATH" in str(error)


def test_no_film_is_written_over(folder, tmp_path):
    films()
    (tmp_path / "a.mp4").write_bytes(b"precious")
    assert isinstance(filmed(folder, tmp_path / "a.mp4").exception, BadFile)
    assert (tmp_path / "a.mp4").read_bytes() == b"precious"
