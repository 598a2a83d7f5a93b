"""Formations, dancers who stand, the canon, the mirror and the stage circle: asked for at once, reached smoothly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from test_director import Led

from live import skeleton
from live.blocking import WALK, Blocking
from live.channels import encode
from live.errors import Unusable
from live.motion.body import Mood, Motion, MotionConfig, neutral_rotations
from live.motion.staging import marks
from live.orders import Order
from live.pace import PERIOD
from live.rotation import yaw
from live.types import FRAME_RATE, BeatState

SPACING = 1.5
LEFT, RIGHT = skeleton.INDEX["leftLowerArm"], skeleton.INDEX["rightLowerArm"]


def waving(slots, dancers=1, arm=LEFT, speed=0.15, apart=1.0):
    """Raw channels [slots, dancers, 138] of dancers who wave one arm; each begins `apart` rad later than the last."""
    made = []
    for n in range(dancers):
        local = np.tile(neutral_rotations(), (slots, 1, 1))
        swing = np.sin(speed * np.arange(slots) + n * apart) / 3
        local[:, arm] = 0
        local[:, arm, 0], local[:, arm, 3] = np.sin(swing), np.cos(swing)
        root = np.zeros((slots, 3), np.float32)
        root[:, 1] = 0.9
        made.append(encode(root, local.astype(np.float32)))
    return np.stack(made, 1)


def danced(raw, each_slot=None, motion=None):
    """Bodies of every slot; `each_slot(slot, motion)` may change the staging."""
    motion = motion or Motion(MotionConfig(entrance=0.0))
    body, bodies = motion.initial_state(raw.shape[1]), []
    for slot, channels in enumerate(raw):
        if each_slot is not None:
            each_slot(slot, motion)
        body = motion.step(channels, body)
        bodies.append(body)
    return bodies


def blocked(raw, orders, bpm=120.0, **config):
    """Bodies led by a `Blocking` that is asked `orders` {slot: (name, value)}."""
    motion = Motion(MotionConfig(entrance=0.0, spacing=SPACING, **config))
    blocking = Blocking(motion, raw.shape[1], motion.config.formation, SPACING)

    def each_slot(slot, _):
        if slot in orders:
            blocking.ask(*orders[slot])
        blocking.glide(PERIOD, bpm)

    return danced(raw, each_slot, motion)


def roots(bodies):
    return np.stack([body.root_position for body in bodies])


def arm(bodies, bone=LEFT):
    """How far each dancer's arm is swung [slots, dancers]."""
    return np.stack([body.local_rotations[:, bone, 0] for body in bodies])


def fastest(path):
    """Largest speed (m/s) of any dancer's root."""
    return np.linalg.norm(np.diff(path, axis=0), axis=-1).max() * FRAME_RATE


# ---- formations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dancers", [2, 3, 5, 16])
def test_neighbours_on_a_circle_are_the_spacing_apart_the_first_in_front(dancers):
    places = marks("circle", dancers, dancers, SPACING)
    np.testing.assert_allclose(np.abs(places - np.roll(places, 1)), SPACING, atol=1e-5)
    assert abs(places.mean()) < 1e-5 and places[0].real == pytest.approx(0, abs=1e-6) and places[0].imag > 0


def test_who_does_not_dance_waits_behind_all_who_do():
    for formation in ("line", "circle"):
        places = marks(formation, 3, 5, SPACING)
        assert places[3:].imag.max() < places[:3].imag.min() - 0.5
        assert len(np.unique(places.round(3))) == 5


def test_a_formation_is_walked_to_no_faster_than_walking():
    path = roots(blocked(waving(400, 4), {20: ("formation", "circle")}))
    assert fastest(path) < WALK + 0.3
    goal = marks("circle", 4, 4, SPACING)
    np.testing.assert_allclose(path[-1, :, 0] + 1j * path[-1, :, 2], goal, atol=0.05)
    np.testing.assert_allclose(path[19], path[0], atol=0.05)


def test_a_show_can_begin_in_a_circle():
    body = Motion(MotionConfig(formation="circle", spacing=2.0)).initial_state(3)
    assert len(np.unique(body.root_position[:, 2].round(3))) == 2


def test_spacing_moves_the_marks():
    path = roots(blocked(waving(300, 3), {0: ("spacing", 3.0)}))
    np.testing.assert_allclose(path[-1, :, 0], [-3, 0, 3], atol=0.05)


# ---- how many ----------------------------------------------------------------------------------------------------


def test_fewer_dance_the_others_stand_at_ease_behind_and_come_back():
    bodies = blocked(waving(700, 3), {50: ("dancing", 2), 350: ("dancing", None)})
    swing = arm(bodies)
    assert np.ptp(swing[250:350], axis=0)[2] < 1e-3 and np.ptp(swing[250:350], axis=0)[:2].min() > 0.2
    np.testing.assert_allclose(bodies[349].rotations[2], neutral_rotations(), atol=0.03)  # breathing
    assert bodies[349].root_position[2, 2] < -1.0 and bodies[-1].root_position[2, 2] == pytest.approx(0, abs=0.05)
    assert np.ptp(swing[600:], axis=0).min() > 0.2 and np.abs(np.diff(swing, axis=0)).max() < 0.06


def test_more_than_the_show_has_are_refused_and_counted():
    led = Led()
    led.after(1, ("dancers", 3.0), ("dancers", 1.0))
    assert led.director.dropped == 1 and led.blocking.dancing == 1
    with pytest.raises(Unusable, match="the show has 2"):
        led.blocking.ask("dancing", 5.0)


# ---- canon -------------------------------------------------------------------------------------------------------


def test_in_canon_each_dances_what_the_first_did_so_many_beats_ago():
    """A beat at 120 BPM is 30 poses."""
    swing = arm(blocked(waving(500, 3, speed=0.07), {100: ("canon", 2.0)}))
    for n in (1, 2):
        np.testing.assert_allclose(swing[300:, n], swing[300 - 60 * n : 500 - 60 * n, 0], atol=2e-3)


def test_a_canon_of_no_beats_is_unison_and_none_is_each_their_own():
    swing = arm(blocked(waving(400, 3), {100: ("canon", 0.0), 250: ("canon", None)}))
    assert np.ptp(swing[50], axis=0) > 0.05 and np.ptp(swing[200:250], axis=1).max() < 1e-3
    np.testing.assert_allclose(swing[350:], arm(danced(waving(400, 3)))[350:], atol=1e-3)


def test_a_canon_is_entered_changed_and_left_smoothly():
    orders = {100: ("canon", 1.0), 250: ("canon", 4.0), 500: ("canon", None)}
    steps = np.abs(np.diff(arm(blocked(waving(650, 4), orders)), axis=0)).max(1)
    assert steps.max() < 2.2 * steps[:90].max()


def test_a_canon_that_has_no_past_yet_waits_in_the_first_pose():
    swing = arm(blocked(waving(100, 2), {0: ("canon", 4.0)}))
    assert np.isfinite(swing).all() and np.ptp(swing[70:, 1]) < 1e-3


def test_one_dancer_alone_keeps_no_past():
    assert danced(waving(10))[-1].past == ()


def test_stepping_twice_from_one_body_gives_the_same_body_twice():
    """Ticks are rehearsed: a canon's past must be a value too."""
    motion = Motion(MotionConfig(entrance=0.0))
    blocking = Blocking(motion, 2)
    blocking.ask("canon", 1.0)
    raw, body = waving(90, 2), motion.initial_state(2)
    for slot in range(80):
        blocking.glide(PERIOD, 120.0)
        motion.step(raw[slot + 5], body)
        body = motion.step(raw[slot], body)
    again = [motion.step(raw[80], body) for _ in range(2)]
    np.testing.assert_array_equal(again[0].local_rotations, again[1].local_rotations)


# ---- mirror ------------------------------------------------------------------------------------------------------


def mirrored_at(share):
    def each_slot(slot, motion):
        motion.mood = Mood(mirror=share(slot))

    return each_slot


def test_mirrored_the_other_arm_waves_as_far():
    plain, bodies = danced(waving(100)), danced(waving(100), mirrored_at(lambda _: 1.0))
    np.testing.assert_allclose(arm(bodies, RIGHT), arm(plain, LEFT), atol=1e-5)
    np.testing.assert_allclose(arm(bodies, LEFT), arm(plain, RIGHT), atol=1e-5)
    joints = np.stack([body.joint_positions for body in plain])[:, :, list(skeleton.MIRROR)] * [-1, 1, 1]
    np.testing.assert_allclose(np.stack([body.joint_positions for body in bodies]), joints, atol=2e-3)


def test_mirrored_a_turn_and_a_walk_go_the_other_way():
    root = np.zeros((90, 3), np.float32)
    root[:, 0], root[:, 1] = 0.01 * np.arange(90), 0.9
    local = np.tile(neutral_rotations(), (90, 1, 1))
    local[:, 0] = yaw(np.linspace(0, 0.5, 90).astype(np.float32))
    raw = encode(root, local)[:, None]
    raw[..., 4:6] = 0.0  # no foot planted
    plain, bodies = danced(raw), danced(raw, mirrored_at(lambda _: 1.0))
    assert bodies[-1].yaw[0] == pytest.approx(-plain[-1].yaw[0], abs=1e-4) and abs(plain[-1].yaw[0]) > 0.3
    assert bodies[-1].root_position[0, 0] == pytest.approx(-plain[-1].root_position[0, 0], abs=1e-3)


def test_the_mirror_is_gone_through_smoothly_by_order():
    led, shares = Led(), []
    led.after(1, ("mirror", "toggle"))
    for _ in range(90):
        shares += [mood.mirror for mood in led.after(1)]
    assert shares[-1] == 1.0 and max(b - a for a, b in itertools.pairwise(shares)) < 0.02
    bodies = danced(waving(90), mirrored_at(lambda slot: shares[slot]))
    assert np.abs(np.diff(arm(bodies), axis=0)).max() < 0.06


# ---- the stage circle --------------------------------------------------------------------------------------------


def test_a_smaller_stage_draws_the_dancer_in_gently():
    root = np.zeros((600, 3), np.float32)
    root[:, 2], root[:, 1] = 0.02 * np.arange(600), 0.9
    raw = encode(root, np.tile(neutral_rotations(), (600, 1, 1)))[:, None]
    raw[..., 4:6] = 0.0
    path = roots(blocked(raw, {300: ("radius", 0.5)}))
    away = np.linalg.norm(path[:, 0, ::2], axis=-1)
    assert away[299] > 1.2 and away[-1] <= 0.5 + 1e-4 and fastest(path) < 1.6


def test_orders_reach_the_stage():
    led = Led()
    led.after(1, ("stage", 1.0), ("formation", "circle"), ("spacing", 2.0), ("canon", 2.0), ("dancers", None))
    asked = led.blocking
    assert (asked.radius, asked.formation, asked.spacing, asked.canon, asked.dancing) == (1.0, "circle", 2.0, 2.0, 2)


def test_what_has_arrived_costs_nothing():
    led = Led()
    led.engine.beat = BeatState(bpm=120.0)
    before = led.after(1) and led.motion.staging
    led.after(5)
    assert led.motion.staging is before
    led.control.waiting.append(Order("stage", 1.0))
    led.after(200)
    after = led.motion.staging
    led.after(1)
    assert led.motion.staging is after and after.radius == 1.0
