"""The director: what is asked for is reached smoothly, cues wait for their beat."""

from __future__ import annotations

import itertools
import socket
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from fakes import performed
from test_describe import free_port
from test_orders import packet

from live import skeleton
from live.blocking import Blocking
from live.channels import encode
from live.control.osc import open_control
from live.director import IDLE, Cast, Director
from live.engine import Timing
from live.errors import Unusable
from live.motion.body import Mood, Motion
from live.motion.stance import neutral_rotations
from live.orders import BY_NAME, Order
from live.script import Script, check_keys, make_script
from live.types import BeatState


class FakeEngine:
    def __init__(self):
        self.timing, self.level, self.beat, self.resets = Timing(lead=0.05), 0.5, BeatState(), 0
        self.deaf = 0.0
        self.heard_until, self.notes = 10.0, []
        self.note = self.notes.append
        self.ledger = type("Ledger", (), {"ticks": 7})()

    def reset(self):
        self.resets += 1


class FakeGenerator:
    def __init__(self):
        self.dancers, self.style, self.begun = 2, np.array([[1, 0], [1, 0]], np.float32), []
        self.temperature = 0.5

    def recoveries(self):
        return []

    def begin_again(self, tick, seed):
        self.begun.append((tick, seed))


class FakeHand:
    """Notes what is done to the beat."""

    def __init__(self):
        self.done = []

    def __getattr__(self, name):
        return lambda *values: self.done.append((name, *values))


def style(text):
    if text not in ("first", "second"):
        raise Unusable(f"unknown style {text}")
    return np.array([text == "first", text == "second"], np.float32)


class Control:
    """Gives the orders put into `waiting`."""

    name, dropped = "fake", 0

    def __init__(self):
        self.waiting, self.lines = [], []

    def recoveries(self):
        lines, self.lines = self.lines, []
        return lines

    def read(self, limit):
        given, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return given


class Led:
    def __init__(self, script=None, conductors=None, level=0.5, control=None):
        self.engine, self.hand, self.motion, self.generator = FakeEngine(), FakeHand(), Motion(), FakeGenerator()
        self.blocking = Blocking(self.motion, 2)
        cast = Cast(self.engine, self.hand, self.motion, self.generator, style, 0.08, self.blocking)
        self.control = control or Control()
        self.director = Director(cast, [self.control], script or Script(), conductors or {})
        self.engine.level = level
        for _ in range(40):  # the music wakes them
            self.director.at_slot()

    def after(self, slots, *orders):
        """Moods of each slot, once orders were given."""
        self.control.waiting += [Order(name, value) for name, value in orders]
        moods = []
        for _ in range(slots):
            self.director.at_slot()
            moods.append(self.motion.mood)
        return moods


def largest_step(values):
    return max(abs(b - a) for a, b in itertools.pairwise(values))


def test_every_order_has_its_action():
    from live.director import ACTIONS

    assert set(ACTIONS) == set(BY_NAME)


def test_freeze_is_reached_within_a_tenth_of_a_second_and_left_slowly():
    led = Led()
    assert led.after(7, ("freeze", 1.0))[-1].held == 1.0
    held = [mood.held for mood in led.after(60, ("freeze", 0.0))]
    assert held[-1] == 0.0 and largest_step(held) < 0.03


def test_freeze_and_neutral_are_two_panics():
    led = Led()
    led.after(120, ("neutral", 1.0))
    assert led.motion.mood == Mood(neutral=1.0)
    led.after(120, ("neutral", "toggle"), ("freeze", "toggle"))
    assert led.motion.mood == Mood(held=1.0)


def test_intensity_glides():
    sizes = [mood.intensity for mood in Led().after(60, ("intensity", 2.0))]
    assert sizes[-1] == 2.0 and largest_step([1.0, *sizes]) < 0.03


def test_a_style_glides_and_weights_always_sum_to_one():
    led = Led()
    seen = []
    for _ in range(70):
        led.after(1, *([("style", "second")] if not seen else []))
        seen.append(led.generator.style[0].copy())
    np.testing.assert_allclose(np.sum(seen, 1), 1, atol=1e-5)
    assert largest_step([s[0] for s in seen]) < 0.02 and seen[-1].tolist() == [0, 1]
    assert led.generator.style.shape == (2, 2)


def test_anticipation_glides_and_none_is_automatic():
    led = Led()
    leads = []
    for slot in range(60):
        led.after(1, *([("anticipation", -20.0)] if slot == 0 else []))
        leads.append(led.engine.timing.lead)
    assert leads[-1] == -0.02 and largest_step(leads) < 0.0034
    led.after(60, ("anticipation", None))
    assert led.engine.timing.lead == 0.08


def test_the_tempo_tools_reach_the_hand():
    led = Led()
    led.after(1, ("tempo/tap", None), ("tempo/nudge", -20.0), ("tempo/double", None), ("tempo/half", None),
              ("tempo/downbeat", None), ("tempo/lock", 128.0), ("tempo/lock", None))  # fmt: skip
    assert led.hand.done == [("tap",), ("nudge", -0.02), ("double",), ("half",), ("downbeat",), ("lock", 128.0),
                             ("lock", None)]  # fmt: skip


def test_reset_begins_anew_from_the_pose_of_now():
    led = Led()
    mood = led.after(1, ("reset", 42.0))[0]
    assert (led.engine.resets, led.generator.begun) == (1, [(7, 42)]) and 0.9 < mood.held < 1.0
    assert led.after(60)[-1].held == 0.0


def test_what_is_not_there_is_counted():
    led = Led()
    led.after(1, ("style", "third"), ("cue", "nowhere"), ("cue", "next"))
    assert led.director.dropped == 3


def test_in_silence_they_stand_at_ease_and_wake_with_the_music():
    led = Led()
    led.engine.level = 0.1
    assert led.after(60)[-1].neutral == 0.0
    led.engine.level = 0.0
    assert led.after(40)[-1].neutral == 0.0
    assert led.after(62)[-1].neutral == pytest.approx(IDLE)
    led.engine.level = 0.1
    assert led.after(60)[-1].neutral == 0.0


def test_where_no_sound_comes_at_all_they_dance_on_for_a_while():
    led = Led()
    led.engine.level = 0.1
    led.after(60)
    led.engine.level, led.engine.deaf = 0.0, 3.0
    assert led.after(200)[-1].neutral == 0.0
    led.engine.deaf = 5.0
    assert led.after(120)[-1].neutral == pytest.approx(IDLE)


# ---- cues --------------------------------------------------------------------------------------------------------

SCENES = {"calm": {"intensity": 0.5, "style": "first"}, "wild": {"intensity": 1.5, "tempo/lock": 128, "freeze": False}}
CUES = {"verse": ("calm", "beat"), "chorus": ("wild", "bar")}


def beaten(led, beat):
    """Whether a slot at beat number `beat` (4 to the bar) changed the intensity asked for."""
    before = led.director.goals.intensity
    led.engine.beat = BeatState(phase=beat % 1, bpm=120, bar_phase=beat / 4 % 1, bar_confidence=0.8, confidence=0.8,
                                beat_count=int(beat))  # fmt: skip
    led.director.at_slot()
    return led.director.goals.intensity != before


@pytest.mark.parametrize(("cue", "at"), [("calm", 1.5), ("verse", 2.0), ("chorus", 4.0)])
def test_a_cue_comes_at_once_or_on_its_beat_or_bar(cue, at):
    led = Led(make_script(SCENES, CUES, []))
    beats = np.arange(1.25, 9, 0.25)
    beaten(led, 1.25)
    led.control.waiting.append(Order("cue", cue))
    assert next(beat for beat in beats[1:] if beaten(led, beat)) == at


def test_without_a_beat_a_cue_does_not_wait():
    led = Led(make_script(SCENES, CUES, []))
    led.after(1, ("cue", "chorus"))
    assert led.director.goals.intensity == 1.5


def test_next_follows_the_set_list_and_stays_at_its_end():
    led = Led(make_script(SCENES, CUES, ["verse", "wild", "verse"]))
    seen = []
    for _ in range(4):
        led.after(1, ("cue", "next"))
        seen.append(led.director.goals.intensity)
    assert seen == [0.5, 1.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("scenes", "cues", "setlist", "complaint"),
    [
        ({"a": {"dance": 1}}, {}, [], "'dance' is no order"),
        ({"a": {"intensity": 3}}, {}, [], "needs 0 to 2"),
        ({"a": {"cue": "b"}}, {}, [], "'cue' is no order"),
        ({"a": {}}, {"x": ("b", "now")}, [], "there are the scenes a"),
        ({}, {"x": ("b", "now")}, [], "has no scenes"),
        ({"a": {}}, {}, ["b"], "there are the cues a"),
    ],
)
def test_a_script_that_does_not_fit_is_refused_in_one_line(scenes, cues, setlist, complaint):
    with pytest.raises(Unusable, match=complaint):
        make_script(scenes, cues, setlist)


@pytest.mark.parametrize("keys", [{"ab": "freeze"}, {"a": "dance"}, {"a": "intensity big"}])
def test_a_key_that_makes_no_sense_is_refused(keys):
    with pytest.raises(Unusable, match=r"^key '[^\n]+$"):
        check_keys(keys)


# ---- who leads the beat ------------------------------------------------------------------------------------------


class Leader:
    """Gives a beat while it has one, and notes when it was asked for."""

    def __init__(self):
        self.beat, self.asked = BeatState(bpm=128.0), []

    def beat_at(self, at, heard):
        self.asked.append(at)
        return self.beat


def test_who_is_followed_leads_the_hand_at_the_time_of_the_last_sample_heard():
    leader = Leader()
    led = Led(conductors={"link": leader})
    led.after(2)
    assert leader.asked == [] and led.hand.done == []
    led.after(2, ("tempo/follow", "link"))
    leader.beat = None
    led.after(1)
    assert leader.asked == [10.0] * 3
    assert led.hand.done == [("conduct", BeatState(bpm=128.0))] * 2 + [("conduct", None)]


def test_off_lets_the_music_lead_again():
    led = Led(conductors={"midi": Leader()})
    led.after(1, ("tempo/follow", "midi"))
    led.after(3, ("tempo/follow", "off"))
    assert led.hand.done[-1] == ("conduct", None) and len(led.hand.done) == 2


def test_nobody_can_follow_what_is_not_there():
    led = Led()
    led.after(1, ("tempo/follow", "link"))
    assert led.director.dropped == 1


def test_before_any_sound_nobody_is_asked():
    leader = Leader()
    led = Led(conductors={"link": leader})
    led.engine.heard_until = float("nan")
    led.after(2, ("tempo/follow", "link"))
    assert leader.asked == []


def test_what_a_control_survived_is_told():
    led = Led()
    led.control.lines.append("midi pads is gone")
    led.after(1)
    assert led.engine.notes == ["midi pads is gone"]


# ---- another script ----------------------------------------------------------------------------------------------


def test_another_script_goes_on_where_the_set_list_has_come_to():
    led = Led(make_script(SCENES, {}, ["calm", "wild"]))
    led.after(1, ("cue", "next"))
    led.director.rewrite(make_script(SCENES, {}, ["wild", "calm", "wild"]), [Order("temperature", 1.0)])
    assert led.after(60, ("cue", "next")) and led.director.goals.intensity == 1.5
    assert led.generator.temperature == 1.0


def test_a_shorter_set_list_ends_where_it_ends():
    led = Led(make_script(SCENES, {}, ["calm", "wild", "calm"]))
    led.after(3, ("cue", "next"), ("cue", "next"), ("cue", "next"))
    led.director.rewrite(make_script(SCENES, {}, ["wild"]), [])
    led.after(1, ("cue", "next"))
    led.director.rewrite(make_script({}, {}, []), [])
    led.after(1, ("cue", "next"))
    assert led.director.goals.intensity == 1.5 and led.director.dropped == 1


def test_cues_that_wait_are_kept():
    led = Led(make_script(SCENES, CUES, []))
    beaten(led, 1.25)
    led.control.waiting.append(Order("cue", "chorus"))
    beaten(led, 1.5)
    led.director.rewrite(make_script({}, {}, []), [])
    assert beaten(led, 4.0)


def test_a_show_begins_as_it_is_written_without_gliding_there():
    led = Led()
    led.director.begin([Order("intensity", 0.5), Order("mirror", 1.0), Order("style", "second")])
    assert led.after(1)[0] == Mood(intensity=0.5, mirror=1.0)
    assert led.generator.style.tolist() == [[0, 1]] * 2


def test_without_a_show_file_there_is_nothing_to_reload():
    led = Led()
    led.after(1, ("reload", None))
    assert led.director.dropped == 1


def test_before_the_music_they_stand_at_ease_and_enter_with_it():
    led = Led(level=0.0)
    assert led.after(100)[-1].neutral == IDLE
    led.engine.level = 0.1
    shares = [mood.neutral for mood in led.after(60)]
    assert shares[-1] == 0.0 and largest_step([IDLE, *shares]) < 0.06


# ---- bodies ------------------------------------------------------------------------------------------------------


def danced(mood_at, slots=120):
    """Bodies of a dancer who swings the arms and walks, with `mood_at(slot)`."""
    motion = Motion()
    body = motion.initial_state(1)
    root = np.zeros((slots, 3), np.float32)
    root[:, 1], root[:, 2] = 0.9, 0.01 * np.arange(slots)
    local = np.tile(neutral_rotations(), (slots, 1, 1))
    swing = np.sin(np.arange(slots) / 8) / 2
    local[:, skeleton.INDEX["leftLowerArm"], 0], local[:, skeleton.INDEX["leftLowerArm"], 3] = (
        np.sin(swing),
        np.cos(swing),
    )
    local[:, skeleton.INDEX["leftLowerArm"], 1:3] = 0
    raw, bodies = encode(root, local.astype(np.float32)), []
    for slot in range(slots):
        motion.mood = mood_at(slot)
        body = motion.step(raw[slot : slot + 1], body)
        bodies.append(body)
    return bodies


def test_frozen_a_body_stays_exactly_as_it_is():
    bodies = danced(lambda slot: Mood(held=float(slot >= 60)))
    assert all(body is bodies[60] for body in bodies[60:])


def test_neutral_stands_at_ease_where_it_is():
    bodies = danced(lambda slot: Mood(neutral=min(1.0, max(0.0, (slot - 40) / 40))))
    np.testing.assert_allclose(bodies[-1].rotations[0], neutral_rotations(), atol=0.03)  # it breathes
    np.testing.assert_allclose(bodies[-1].root_position, bodies[-20].root_position, atol=1e-3)


def reach(mood):
    """How far the arm swings."""
    arm = [body.local_rotations[0, skeleton.INDEX["leftLowerArm"], 0] for body in danced(lambda _: mood, 300)[100:]]
    return 2 * np.arcsin(np.ptp(arm) / 2)


def test_intensity_is_the_size_of_the_movement():
    usual = reach(Mood())
    assert reach(Mood(intensity=0.5)) == pytest.approx(usual / 2, rel=0.15)
    assert reach(Mood(intensity=1.5)) > 1.2 * usual
    assert reach(Mood(intensity=0.0)) < 0.01


def test_an_order_shows_in_the_next_pose():
    seen = []
    stage = performed(0.5, at_slot=lambda stage: seen.append(len(stage.poses)))
    assert seen == list(range(len(stage.poses)))


@pytest.mark.parametrize("order", [("freeze", 1), ("neutral", 1), ("intensity", 2.0), ("mirror", 1), ("tempo/tap",)])
def test_an_order_on_the_wire_is_begun_with_by_the_slot_after_it(order):
    """As `at_slot` runs just before each pose, an order's first effect is seen within one pose, half a tick."""
    with closing(open_control(f"127.0.0.1:{(port := free_port(socket.SOCK_DGRAM))}")) as control:
        led = Led(control=control)
        led.director.at_slot()
        before, taps = led.motion.mood, len(led.hand.done)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(packet(f"/live/{order[0]}", *order[1:]), ("127.0.0.1", port))
        led.director.at_slot()
    assert led.motion.mood != before or len(led.hand.done) > taps


def test_a_fault_in_the_director_does_not_stop_the_show():
    def at_slot(stage):
        raise RuntimeError("lost the script")

    stage = performed(0.5, at_slot=at_slot)
    assert stage.ledger.poses == 30 and "lost the script" in stage.ledger.recoveries[0]


def test_timing_can_change_between_ticks():
    def at_slot(stage):
        stage.engine.timing = replace(stage.engine.timing, lead=0.1 if stage.ledger.ticks > 7 else 0.0)

    beats = performed(0.5, at_slot=at_slot).features.beats
    steps = np.diff([beat.beat_count + beat.phase for beat in beats])
    np.testing.assert_allclose(sorted(steps)[:-1], 1 / 15, atol=1e-3)
    assert max(steps) == pytest.approx(1 / 15 + 0.2, abs=1e-3)


# ---- handing over ------------------------------------------------------------------------------------------------


def handed_over(before):
    """Another director of the same cast, that takes over from this one."""
    after = Led(level=0.5)
    asked, left = before.director.lasting, before.director.leave()
    after.director.take_over(asked, left, before.motion.staging.marks)
    return after


def test_who_takes_over_goes_on_gliding_from_the_same_mood():
    before = Led()
    moods = before.after(20, ("intensity", 2.0), ("neutral", "toggle"))
    after = handed_over(before)
    goes_on = after.after(200)
    assert largest_step([mood.intensity for mood in [moods[-1], *goes_on]]) < 0.03
    assert (goes_on[-1].intensity, goes_on[-1].neutral) == (2.0, 1.0)


def test_who_takes_over_a_freeze_toggled_twice_is_free():
    before = Led()
    before.after(5, ("freeze", "toggle"), ("freeze", "toggle"))
    assert handed_over(before).after(60)[-1].held == 0.0


def test_who_takes_over_has_the_bodies_on_their_marks_and_leads_them_on():
    before = Led()
    before.after(30, ("formation", "circle"), ("stage", 3.0))
    marks = before.motion.staging.marks.copy()
    after = handed_over(before)
    np.testing.assert_array_equal(after.motion.staging.marks, marks)
    before.after(600)
    after.after(600)
    np.testing.assert_allclose(after.motion.staging.marks, before.motion.staging.marks, atol=1e-5)
    assert after.motion.staging.radius == pytest.approx(3.0)


def test_what_was_refused_is_counted_on():
    before = Led()
    before.after(1, ("style", "none"), ("cue", "none"))
    assert handed_over(before).director.dropped == before.director.dropped == 2


def test_momentary_orders_are_not_given_again():
    before = Led()
    before.after(1, ("tempo/tap", None), ("reset", None))
    assert before.director.lasting == {}
