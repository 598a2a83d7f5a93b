"""Photoreal frames on the stage: maps, normalisation, renderer folders, films and the window."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from dancers import standing, write_take

pytest.importorskip("onnx", reason="onnx is not installed (extra `train`)")

from renderers import SIZE, body, echo_graph, folder_with, points

from live.errors import BadModel, BadTarget, MissingExtra, Unusable
from live.frames.easel import open_easel
from live.frames.folder import find_renderer, read_renderer, shipped_renderers
from live.frames.lens import Lens
from live.frames.maps import PLANES, THICK, draw
from live.frames.stature import ANKLES, fitted, ground, measured, ours, under
from live.frames.studio import REACH, Studio
from live.keypoints import BONES, INDEX
from live.outputs import photoreal


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A renderer that shows the map."""
    return folder_with(tmp_path_factory.mktemp("renderer") / "echo", echo_graph())


# ---- maps ----------------------------------------------------------------------------------------------------------


def test_every_limb_has_a_plane_of_its_own_and_fades_over_one_pixel():
    drawn = draw(points()[0], 256)
    assert drawn.shape == (PLANES, 256, 256) and all(plane.max() == 255 for plane in drawn)
    elbow, wrist = (points()[0, INDEX[name]] * 256 for name in ("leftElbow", "leftWrist"))
    limb = drawn[BONES.index((INDEX["leftElbow"], INDEX["leftWrist"]))]
    middle = (elbow + wrist) / 2
    assert limb[int(middle[1]), int(middle[0])] == 255
    area = np.linalg.norm(wrist - elbow) * 2 * THICK * 256 + np.pi * (THICK * 256) ** 2
    assert limb.sum() / 255 == pytest.approx(area, rel=0.03)


def test_a_limb_that_is_not_seen_is_not_drawn_and_one_beyond_the_border_is_cut_off():
    missing = points()[0]
    missing[INDEX["leftWrist"]] = np.nan
    drawn = draw(missing, SIZE)
    assert not drawn[BONES.index((INDEX["leftElbow"], INDEX["leftWrist"]))].any()
    assert not draw(points()[0] + 3.0, SIZE).any()
    assert draw(np.full((18, 2), 1e9, np.float32), SIZE).shape == (PLANES, SIZE, SIZE)


def test_half_a_pixel_to_the_side_moves_half_of_an_edge():
    line = np.full((18, 2), np.nan, np.float32)
    a, b = BONES[0]
    line[a], line[b] = (0.25, 0.5), (0.75, 0.5)
    low, high = (draw(line + np.float32([0, shift / SIZE]), SIZE)[0, :, SIZE // 2].astype(int) for shift in (0, 0.5))
    assert abs(high.sum() - low.sum()) <= 2 and ((high > 0) & (high < 255)).any()


# ---- one body as another -------------------------------------------------------------------------------------------


def test_our_own_body_stays_where_it_is():
    roots, rotations = body(20)
    lens, own = Lens(), ours(Lens(), 1.0)
    seen = lens.keypoints(roots, rotations)
    np.testing.assert_allclose(fitted(seen, ground(lens, roots), own, own), seen, atol=0.005)


def test_a_body_becomes_as_tall_and_stands_as_low_as_the_other():
    roots, rotations = body(5)
    lens, own = Lens(), ours(Lens(), 1.0)
    small = own._replace(near=0.7, far=0.6, tall_near=own.tall_near / 2, tall_far=own.tall_far / 2)
    seen = lens.keypoints(roots, rotations)
    made = fitted(seen, ground(lens, roots), own, small)
    assert np.ptp(made[0, :, 1]) == pytest.approx(np.ptp(seen[0, :, 1]) / 2, rel=0.02)
    assert 0.6 < made[0, ANKLES, 1].max() < 0.7


def test_longer_legs_leave_the_feet_on_the_floor():
    roots, rotations = body(1)
    lens, own = Lens(), ours(Lens(), 1.0)
    legs = [("hip" in pair or "Knee" in pair[1] or "Ankle" in pair[1]) for pair in _names()]
    other = own._replace(limbs=tuple(1.2 * n if leg else n for n, leg in zip(own.limbs, legs, strict=True)))
    seen = lens.keypoints(roots, rotations)
    made = fitted(seen, ground(lens, roots), own, other)
    assert made[0, ANKLES, 1].max() == pytest.approx(seen[0, ANKLES, 1].max(), abs=0.003)
    assert made[0, INDEX["neck"], 1] < seen[0, INDEX["neck"], 1] - 0.03


def _names():
    from live.keypoints import NAMES

    return [(NAMES[a], NAMES[b]) for a, b in BONES]


def test_a_person_is_measured_as_our_own_body_is():
    roots, rotations = body(300)
    roots[:, 2] = np.linspace(-1, 1, 300)
    found, own = measured(Lens().keypoints(roots, rotations)), ours(Lens(), 1.0)
    assert found.near == pytest.approx(own.near, abs=0.02) and found.far == pytest.approx(own.far, abs=0.02)
    assert found.tall_near == pytest.approx(own.tall_near, rel=0.06) and found.tall_near > found.tall_far


def test_who_goes_far_to_the_side_stays_in_the_picture():
    roots, rotations = body(1)
    roots[0, 0] = 0.9
    own = ours(Lens(), 1.0)
    made = fitted(Lens().keypoints(roots, rotations), ground(Lens(), roots), own, own._replace(reach=0.05))
    assert 0.5 < made[0, INDEX["neck"], 0] < 0.56


def test_bodies_known_by_keypoints_alone_are_fitted_too():
    seen, own = points(3), ours(Lens(), 1.0)
    np.testing.assert_allclose(fitted(seen, under(seen), own, own), seen, atol=0.01)


# ---- folders -------------------------------------------------------------------------------------------------------


def test_a_folder_that_was_altered_is_refused(tmp_path):
    made = folder_with(tmp_path / "r", echo_graph())
    (made / "renderer.onnx").write_bytes(echo_graph() + b"\0")
    with pytest.raises(BadModel, match=r"renderer\.onnx: was altered"):
        open_easel(made)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "export the renderer again"),
        ('{"card_version": 1}', "export the renderer again"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_damaged_card_is_one_clear_line(tmp_path, content, words):
    made = folder_with(tmp_path / "r", b"")
    (made / "renderer.json").write_text(content)
    with pytest.raises(BadModel, match=words):
        read_renderer(made)


def test_other_maps_another_size_and_no_graph_at_all_are_refused(tmp_path):
    with pytest.raises(BadModel, match="other skeleton maps"):
        open_easel(folder_with(tmp_path / "a", echo_graph(), planes=3))
    with pytest.raises(BadModel, match="its card says"):
        open_easel(folder_with(tmp_path / "b", echo_graph(), size=128))
    with pytest.raises(BadModel, match="cannot be loaded"):
        open_easel(folder_with(tmp_path / "c", b"no graph"))
    with pytest.raises(BadModel, match=r"choose one of .*or name a renderer's folder"):
        find_renderer("nobody-knows")
    with pytest.raises(BadModel, match=r"without a renderer\.json"):
        find_renderer(str(tmp_path))


def test_a_provider_that_is_unknown_or_not_there_is_named(folder):
    with pytest.raises(Unusable, match="choose one of auto, tensorrt, cuda, cpu"):
        open_easel(folder, "tpu")
    for name in ("tensorrt", "cuda") if "CPU" in open_easel(folder, "auto").device else ():
        with pytest.raises(Unusable, match=f"provider {name}: .*; auto takes the best one that is there"):
            open_easel(folder, name)


# ---- pictures ------------------------------------------------------------------------------------------------------


def test_each_picture_is_shown_the_one_before(folder):
    easel = open_easel(folder, "cpu")
    first, state = easel.paint(points()[0], easel.initial_state())
    again, _ = easel.paint(np.full((18, 2), np.nan, np.float32), state)
    assert first.shape == (SIZE, SIZE, 3) and first.max() == 255
    np.testing.assert_array_equal(again, first // 2)


def test_the_same_state_and_body_make_the_same_picture(folder):
    studio, (roots, rotations) = Studio(open_easel(folder, "cpu")), body(2)
    sitting = studio.begin(roots[0])
    one, _ = studio.step(roots[1], rotations[1], 1 / 60, sitting)
    other, _ = studio.step(roots[1], rotations[1], 1 / 60, sitting)
    np.testing.assert_array_equal(one, other)


def test_a_dancer_who_leaves_is_followed_by_the_camera(folder):
    studio, (roots, rotations) = Studio(open_easel(folder, "cpu")), body(1)
    sitting = studio.begin(roots[0])
    roots[0, 0] += 30.0
    for _ in range(40):
        picture, sitting = studio.step(roots[0], rotations[0], 1.0, sitting)
    assert sitting.mark[0] == pytest.approx(30.0, abs=0.1)
    assert np.abs(picture.max(-1).nonzero()[1].mean() / SIZE - 0.5) < 0.05 and REACH < 30


# ---- films and the window ------------------------------------------------------------------------------------------


def drawing():
    pytest.importorskip("skia", reason="skia-python is not installed (extra `preview`), or its libraries are missing")
    pytest.importorskip("pygame", reason="pygame-ce is not installed (extra `preview`)")


def test_a_take_becomes_a_film_of_the_renderers_person(folder, tmp_path):
    drawing()
    av = pytest.importorskip("av", reason="av is not installed (extra `film`)")
    from live.cli.render import Person, Plan, render
    from live.look import Look

    take = write_take(tmp_path / "a.take", [standing(n, dancers=2) for n in range(30)])
    render(take, tmp_path / "a.mp4", Plan(Look(), person=Person(str(folder), "cpu", dancer=1)), lambda line: None)
    with av.open(str(tmp_path / "a.mp4")) as file:
        shown = [frame.to_ndarray(format="gray") for frame in file.decode(video=0)]
    assert len(shown) == 15 and shown[0].shape == (512, 512)
    assert shown[7].max() > 200 > 40 > np.median(shown[7])
    with pytest.raises(Unusable, match="no such dancer"):
        render(take, tmp_path / "b.mp4", Plan(Look(), person=Person(str(folder), "cpu", dancer=2)), lambda line: None)


def test_a_film_of_a_person_takes_no_camera(tmp_path):
    from typer.testing import CliRunner

    from live.cli.app import app

    told = CliRunner().invoke(app, ["render", "a.take", "--out", "a.mp4", "--model", "puppet", "--camera", "low"])
    assert "leave it out with --model" in str(told.exception)


def opened(uri, dancers=1):
    output = photoreal.open_output(uri)
    output.open(dancers, True)
    return output


def test_the_newest_pose_becomes_a_picture_in_its_own_process(folder, monkeypatch):
    drawing()
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    output = opened(f"photoreal:{folder}?provider=cpu&size=128x96")
    for n in range(40):
        pose = standing(n)
        pose.play_time = time.monotonic()
        output.send(pose)
        time.sleep(1 / 60)
    output.close()
    assert (output.stats.sent, output.stats.errors) == (40, 0) and output.seen["pictures"] >= 3


def test_what_cannot_be_shown_is_refused_in_one_line(folder, tmp_path, monkeypatch):
    drawing()
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with pytest.raises(BadTarget, match="no renderer 'nobody-knows'"):
        opened("photoreal:nobody-knows")
    with pytest.raises(BadTarget, match=r"there is no dancer 2: choose 0\.\.1"):
        opened(f"photoreal:{folder}?dancer=2", dancers=2)
    with pytest.raises(BadTarget, match="provider is 'tpu'"):
        photoreal.open_output("photoreal:?provider=tpu")
    monkeypatch.setattr(photoreal._drawn.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="pygame-ce"):
        photoreal.open_output("photoreal:")


def test_the_c_key_shows_the_next_dancer(folder):
    drawing()
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    from dancers import recorded

    from live.renderers._portrait import Portrait, open_studio

    pixels = np.zeros((SIZE, SIZE, 4), np.uint8)
    portrait = Portrait(open_studio(str(folder), "cpu"), 2, pixels)
    record = recorded([standing(0, dancers=2, sway=0.5)])[0]
    portrait.draw(record, 1 / 60)
    assert pixels.any() and ", dancer 1, ONNX Runtime " in portrait.caption
    portrait.turn()
    assert ", dancer 2, " in portrait.caption
    portrait.draw(record, 1 / 60, presence=0.0)
    assert not pixels[..., :3].any()


# ---- what is shipped -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", shipped_renderers() or [pytest.param("none", marks=pytest.mark.skip("none is shipped"))]
)
def test_a_shipped_renderer_is_whole_small_and_shows_its_person(name):
    folder = find_renderer(name)
    card = read_renderer(folder)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 20e6
    assert card.metrics["made"] >= 0.8 and card.metrics["made"] > card.metrics["nearest"] + 0.2
    easel, (roots, rotations) = open_easel(folder, "cpu"), body(2)
    studio = Studio(easel)
    picture, sitting = studio.step(roots[0], rotations[0], 1 / 30, studio.begin(roots[0]))
    again, _ = studio.step(roots[1], rotations[1], 1 / 30, sitting)
    middle = picture[card.size // 4 : card.size * 3 // 4, card.size * 2 // 5 : card.size * 3 // 5].astype(int)
    assert np.ptp(middle, axis=(0, 1)).min() > 60  # somebody stands there
    assert np.abs(again.astype(int) - picture).mean() < 8  # and is still there in the next one


def test_the_maps_are_those_that_shipped_renderers_were_trained_on():
    """Changing how maps are drawn makes every trained renderer worthless: this is the hash of what they know."""
    import hashlib

    scattered = (np.arange(36) * 29 % 97 / 97).reshape(18, 2).astype(np.float32)
    assert hashlib.sha256(draw(scattered, 256).tobytes()).hexdigest()[:16] == "2336bad05c7c147c"
