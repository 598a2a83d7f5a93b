"""Drawing: bodies are seen whole, stand on the floor, hide what is behind them, and answer the beat."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from dancers import recorded, standing

pytest.importorskip(
    "skia", reason="skia-python is not installed (extra `preview`), or its libraries (libEGL) are missing"
)

from live.look import CAMERAS, Look
from live.renderers import _body, _shapes
from live.renderers._camera import Camera
from live.renderers._floor import Floor
from live.renderers._painter import Painter

SMALL = Look(width=320, height=180)
PLAIN = dataclasses.replace(SMALL, background="000000", trails=False)


def drawn(look: Look, *poses, presence=1.0) -> np.ndarray:
    """The picture after these poses."""
    pixels = np.zeros((look.height, look.width, 4), np.uint8)
    painter = Painter(look, poses[0].dancers, pixels)
    for record in recorded(list(poses)):
        painter.draw(record, 1 / 60, presence)
    return pixels


def lit(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., :3].max(-1) > 40


@pytest.mark.parametrize("camera", [name for name in CAMERAS if name not in ("close", "follow")])
def test_every_view_of_all_shows_all_of_four_dancers(camera):
    seen = lit(drawn(dataclasses.replace(PLAIN, camera=camera), standing(dancers=4)))
    assert seen.any()
    assert not (seen[0].any() or seen[-1].any() or seen[:, 0].any() or seen[:, -1].any())


def test_a_body_is_one_piece_as_tall_as_it_should_be():
    seen = lit(drawn(PLAIN, standing()))
    rows = np.flatnonzero(seen.any(1))
    view = Camera("front", 320, 180).look(standing().joint_positions[:, 0], 0.0)
    top, bottom = view.project(np.array([[0.0, 1.72, 0.0], [0.0, 0.0, 0.0]]))[:, 1]
    assert rows[0] == pytest.approx(top, abs=4) and rows[-1] == pytest.approx(bottom, abs=6)  # toes point at us
    assert len(rows) == rows[-1] - rows[0] + 1


def test_volume_shows_as_light_and_shade_across_a_limb():
    row = drawn(PLAIN, standing())[120]
    leg = row[lit(row[None])[0], :3].max(-1)
    assert leg.max() > 1.5 * leg.min()


def test_the_nearer_dancer_hides_the_farther_one():
    pose = standing(dancers=2, apart=0.0)
    pose.root_position[1, 2] += 1.0
    pose.joint_positions[1, :, 2] += 1.0
    alone = standing(dancers=2, apart=0.0)
    alone.joint_positions[0, :, 1] -= 50.0
    alone.joint_positions[0, 0] = pose.joint_positions[0, 0]
    chest = drawn(PLAIN, pose)[80, 160, :3].astype(int)
    _, green, red = chest
    assert red > green  # the second costume, in front, is red; the first is blue


def test_the_beat_brightens_the_floor():
    still = dataclasses.replace(SMALL, trails=False)
    quiet, struck = drawn(still, standing()), drawn(still, standing(confidence=1.0))
    assert struck[150:, :, :3].astype(int).sum() > 1.02 * quiet[150:, :, :3].astype(int).sum()


def test_shadows_darken_the_floor_at_the_feet_and_nothing_else(monkeypatch):
    still = dataclasses.replace(SMALL, trails=False)
    shaded = drawn(still, standing()).astype(int)
    monkeypatch.setattr(Floor, "shadows", lambda *_: None)
    darker = drawn(still, standing())[..., :3].astype(int).sum(-1) - shaded[..., :3].sum(-1)
    assert darker.min() >= -3 and darker.max() > 60
    rows, columns = np.nonzero(darker > 30)
    assert rows.min() > 120 and columns.min() > 120 and columns.max() < 230


def test_a_transparent_picture_is_clear_beside_the_body_and_solid_on_it():
    pixels = drawn(dataclasses.replace(SMALL, background="transparent"), standing())
    assert pixels[0, 0].tolist() == [0, 0, 0, 0] and pixels[80, 160, 3] == 255
    assert (pixels[..., :3] <= pixels[..., 3:].astype(int) + 2).all()  # premultiplied, but for rounding


def test_hands_that_move_leave_trails_and_hands_at_rest_none():
    moving = [standing(n, sway=0.06 * n) for n in range(14)]
    look = dataclasses.replace(PLAIN, trails=True)
    assert np.abs(drawn(look, *moving).astype(int) - drawn(PLAIN, *moving)).sum() > 2000
    resting = [standing(n) for n in range(14)]
    assert np.abs(drawn(look, *resting).astype(int) - drawn(PLAIN, *resting)).sum() < 200


def test_nobody_is_there_when_the_stream_has_gone():
    assert not lit(drawn(PLAIN, standing(), presence=0.0)).any()


def test_the_same_poses_give_the_same_picture():
    poses = [standing(n, 2, 0.05 * n) for n in range(5)]
    np.testing.assert_array_equal(drawn(SMALL, *poses), drawn(SMALL, *poses))


def test_an_outline_is_the_hull_of_its_circles():
    corners = _shapes.hulls(np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([2.0, 1.0]), 64)
    assert corners.min(0) == pytest.approx([-2, -2], abs=0.02) and corners.max(0) == pytest.approx([11, 2], abs=0.02)


def test_both_sides_of_the_body_mirror_each_other():
    places = _body.balls(standing().joint_positions, standing().local_rotations)[0]
    for name, index in _body._INDEX.items():
        other = places[_body._INDEX[name.replace("left", "right")]] * (-1, 1, 1)
        if "left" in name:
            np.testing.assert_allclose(places[index], other, atol=1e-5)


def test_the_camera_stands_still_while_the_dancers_stay_about_where_they_are():
    camera, roots = Camera("front", 320, 180), standing(dancers=2).joint_positions[:, 0]
    first = camera.look(roots, 1 / 60)
    assert np.array_equal(camera.look(roots + 0.1, 1 / 60).eye, first.eye)
    later = [camera.look(roots + np.array([2.0, 0.0, 0.0]), 1 / 60) for _ in range(300)][-1]
    assert later.eye[0] == pytest.approx(first.eye[0] + 2.0, abs=0.15)
