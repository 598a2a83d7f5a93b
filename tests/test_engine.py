"""The loop: a pose per slot whatever happens around it, and a ledger that tells the truth about it."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import BPM, FakeOutput, PacedVirtualClock, Stage, performed

from live.clock import VirtualClock
from live.engine import DEAF, STALL, Timing
from live.legacy import Heard
from live.pace import PERIOD
from live.types import HOP, AudioBlock, Event, Signals


def phases_apart(a, b):
    """How far phase `a` is ahead of `b`, in (-0.5, 0.5]."""
    return (a - b + 0.5) % 1.0 - 0.5


def broken_once(method):
    """The method, but its fifth call fails."""
    calls = iter(range(10**9))

    def call(*arguments):
        if next(calls) == 4:
            raise RuntimeError("a bug")
        return method(*arguments)

    return call


def test_sixty_poses_a_second():
    stage = performed(10.0)
    assert (len(stage.poses), stage.ledger.poses) == (600, 600)


def test_one_generator_step_for_every_two_poses():
    stage = performed(10.0)
    assert stage.generator.ticks == list(range(300))
    assert stage.ledger.ticks == 300


def test_sequence_numbers_have_no_holes():
    assert [pose.sequence for pose in performed(5.0).poses] == list(range(300))


def test_poses_leave_at_their_slots():
    stage = performed(5.0)
    np.testing.assert_allclose(stage.output.sent_at, 1000 + PERIOD * np.arange(300), atol=1e-6)


def test_times_in_a_pose_are_its_slot_and_its_newest_sound():
    for pose in performed(1.0, timing=Timing(latency=0.04)).poses[2:]:
        assert pose.play_time == pytest.approx(1000 + pose.show_time + 0.04)
        assert pose.capture_time == pytest.approx(1000 + pose.show_time, abs=1e-6)


def test_both_poses_of_a_tick_are_danced_in_order():
    stage = Stage()
    stage.generator.step = lambda features, tick, state: (
        np.float32([[[2 * tick] * 138, [2 * tick + 1] * 138]]),
        state,
    )
    stage.engine.run(1.0)
    assert stage.motion.raw == list(range(60))


def test_the_generators_state_is_handed_from_tick_to_tick():
    assert performed(1.0).generator.states == list(range(30))


def test_every_frame_is_heard_by_exactly_one_tick():
    stage = performed(4.0)
    assert sum(stage.features.pools[2:]) == 2 * len(stage.features.pools[2:])
    assert np.diff(stage.generator.heard[1:]).tolist() == [2.0 * HOP] * (len(stage.generator.heard) - 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e6])
def test_no_wild_number_of_the_generator_reaches_an_output(bad):
    stage = performed(2.0, does={10: bad, 11: bad, 40: bad})
    assert np.isfinite([pose.root_position for pose in stage.poses]).all()
    assert max(pose.root_position.max() for pose in stage.poses) < 100
    assert np.isfinite(stage.motion.raw).all()


def test_each_tick_without_a_finite_pose_is_counted_in_the_recoveries():
    stage = performed(2.0, does={10: np.nan, 11: np.nan, 40: np.inf})
    assert len(stage.ledger.recoveries) == 3
    assert stage.ledger.recoveries[0].startswith("0.3 s: the generator gave no finite pose")


def test_a_generator_that_gives_nothing_finite_from_the_start_still_gives_poses():
    stage = performed(1.0, does=dict.fromkeys(range(30), np.nan))
    assert len(stage.poses) == 60
    assert np.isfinite([pose.root_position for pose in stage.poses]).all()


def test_an_exception_in_the_generator_is_survived_and_told():
    stage = performed(2.0, does={10: RuntimeError("the device is gone")})
    assert len(stage.poses) == 120
    assert stage.ledger.recoveries == ["0.3 s: the generator failed (RuntimeError: the device is gone)"]


def test_after_a_fault_the_generator_starts_from_its_initial_state():
    states = performed(1.0, does={10: RuntimeError("gone")}).generator.states
    assert states == [*range(11), *range(19)]


def test_while_the_generator_fails_its_last_good_pose_is_held():
    poses = performed(1.0, does={10: np.nan, 11: RuntimeError("gone")}).poses
    assert {float(pose.root_position[0, 1]) for pose in poses[18:24]} == {9.0}


def test_on_stage_an_exception_in_a_rehearsal_is_survived_too():
    stage = performed(2.0, clock=PacedVirtualClock(1000.0), does={10: RuntimeError("the device is gone")})
    assert len(stage.poses) >= 119
    assert len(stage.ledger.recoveries) == 1


def test_rehearsals_leave_no_trace_in_the_dance():
    quick, staged = performed(2.0), performed(2.0, clock=PacedVirtualClock(1000.0))
    assert staged.features.rehearsals > 0 == quick.features.rehearsals
    danced = [[pose.root_position[0, 1] for pose in stage.poses[:119]] for stage in (quick, staged)]
    assert danced[0] == danced[1]


def test_rehearsals_make_no_pose_late():
    stage = performed(2.0, clock=PacedVirtualClock(1000.0))
    late = np.array(stage.output.sent_at) - [pose.play_time for pose in stage.poses]
    assert late.min() >= 0 and late.max() < 0.001


def test_on_stage_most_sound_is_heard_before_its_slot():
    stage = Stage(clock=PacedVirtualClock(1000.0))
    heard = []
    push = stage.features.push
    stage.features.push = lambda samples: heard.append(len(samples)) or push(samples)
    stage.engine.run(2.0)
    ahead, at_the_slot = heard[2:-2:2], heard[3:-1:2]
    assert len(heard) >= 2 * 118 and min(ahead) > 0.6 * HOP > 0 < max(at_the_slot) < 0.4 * HOP


def test_a_failing_output_is_counted_and_the_others_get_every_pose():
    broken = FakeOutput(VirtualClock(), fails=OSError("network is unreachable"))
    stage = performed(2.0, outputs=[broken])
    assert (broken.stats.errors, broken.stats.last_error) == (120, "network is unreachable")
    assert len(stage.poses) == 120


def test_an_output_that_breaks_in_an_unforeseen_way_does_not_end_the_show():
    broken = FakeOutput(VirtualClock(), fails=ValueError("a bug"))
    assert len(performed(1.0, outputs=[broken]).poses) == 60
    assert broken.stats.errors == 60


def test_a_pose_that_cannot_be_encoded_is_counted_and_nothing_stale_is_sent_for_it():
    stage = Stage()
    stage.output._encode = lambda pose: setattr(stage.output, "pose", pose) if pose.sequence % 10 else 1 / 0
    stage.engine.run(1.0)
    assert (stage.output.stats.errors, stage.output.stats.sent) == (6, 54)
    assert [pose.sequence for pose in stage.poses] == [n for n in range(60) if n % 10]


def test_an_exception_in_the_features_is_survived():
    stage = Stage()
    stage.features.pooled = broken_once(stage.features.pooled)
    stage.engine.run(1.0)
    assert len(stage.poses) == 60


def test_an_exception_in_the_motion_is_survived():
    stage = Stage()
    stage.motion.step = broken_once(stage.motion.step)
    stage.engine.run(1.0)
    assert len(stage.poses) == 60


def test_without_sound_the_poses_keep_coming():
    stage = performed(10.0, gap=(3.0, 1e9))
    assert [pose.sequence for pose in stage.poses] == list(range(600))
    assert stage.ledger.misses == 0


def test_without_sound_the_beat_runs_on_and_fades():
    beats = [pose.beat for pose in performed(10.0, gap=(3.0, 1e9)).poses]
    confidences = [beat.confidence for beat in beats[::2]]
    assert confidences[80] == 0.9
    assert (np.diff(confidences[95:]) < 0).all() and confidences[-1] == pytest.approx(0.9 * np.exp(-7 / 4), rel=0.02)
    for n in (200, 400, 598):
        assert phases_apart(beats[n].phase, n / 60 * BPM / 60) == pytest.approx(0, abs=0.01)


def test_without_sound_the_level_falls_to_nothing():
    poses = performed(4.0, gap=(3.0, 1e9)).poses
    assert poses[170].level == 0.5 and poses[190].level == 0.0


def test_the_engine_tells_for_how_long_no_sound_has_come():
    assert performed(4.0, gap=(3.0, 1e9)).engine.deaf == pytest.approx(1.0, abs=0.05)
    assert performed(4.0).engine.deaf == 0.0


def test_after_two_seconds_without_sound_the_dancers_hear_silence():
    heard = performed(8.0, gap=(3.0, 6.0)).generator.heard
    tick = 30 * (3 + DEAF)
    assert heard[int(tick) - 2] > 0 and set(heard[int(tick) + 2 : 178]) == {-1.0}
    assert heard[-1] > 0


def test_sound_that_comes_back_brings_the_beat_back():
    assert performed(8.0, gap=(3.0, 6.0)).poses[-1].beat.confidence == 0.9


def test_with_no_sound_ever_there_are_poses_all_the_same():
    stage = performed(3.0, gap=(0.0, 1e9))
    assert len(stage.poses) == 180
    assert {pose.beat.confidence for pose in stage.poses} == {0.0}


def test_a_stall_skips_slots_and_counts_them():
    stage = performed(3.0, takes={60: 0.5})
    assert len(stage.poses) == 180 - 29
    assert stage.ledger.misses == pytest.approx(30, abs=1)
    assert "stalled, 29 poses skipped" in [line.partition(": ")[2] for line in stage.ledger.recoveries]


def test_after_a_stall_poses_are_on_time_again_and_numbered_without_holes():
    stage = performed(3.0, takes={60: 0.5})
    late = np.array(stage.output.sent_at[61:]) - [1000 + pose.show_time for pose in stage.poses[61:]]
    assert late.max() < PERIOD
    assert [pose.sequence for pose in stage.poses] == list(range(len(stage.poses)))


def test_a_machine_that_slept_for_an_hour_goes_on_with_the_next_pose():
    stage = performed(3602.0, takes={60: 3600.0})
    assert 110 < len(stage.poses) < 125
    assert [pose.sequence for pose in stage.poses] == list(range(len(stage.poses)))
    assert np.diff(stage.output.sent_at)[62:].max() < 1.5 * PERIOD
    assert any("stalled" in line for line in stage.ledger.recoveries)


def test_a_short_delay_is_caught_up_with():
    stage = performed(3.0, takes={60: STALL - 0.05})
    assert len(stage.poses) == 180 and not any("stalled" in line for line in stage.ledger.recoveries)
    assert stage.output.sent_at[-1] == pytest.approx(1000 + 179 * PERIOD, abs=1e-6)


@pytest.mark.parametrize(("delay", "misses"), [(0.9 * PERIOD, 0), (1.1 * PERIOD, 1), (3.5 * PERIOD, 3)])
def test_a_miss_is_a_pose_sent_more_than_a_period_after_its_slot(delay, misses):
    assert performed(2.0, takes={60: delay}).ledger.misses == misses


def test_stop_ends_after_the_pose_in_hand():
    stage = performed(10.0, each_slot=lambda stage: len(stage.poses) == 37 and stage.engine.stop())
    assert (len(stage.poses), stage.ledger.poses) == (37, 37)


def test_stop_before_the_start_performs_nothing():
    stage = Stage()
    stage.engine.stop()
    stage.engine.run(5.0)
    assert stage.poses == []


def test_a_source_that_is_finished_ends_the_show():
    assert len(performed(None, ends=1.5).poses) == pytest.approx(91, abs=1)


def test_a_jump_in_the_numbering_moves_the_end_of_later_frames():
    lost = 12 * HOP
    stage = performed(2.0, losses={60 * HOP: lost})
    times = np.array([pose.capture_time for pose in stage.poses]) - 1000
    shown = np.array([pose.show_time for pose in stage.poses])
    np.testing.assert_allclose(times[:60], shown[:60], atol=1e-6)
    np.testing.assert_allclose(times[62:], shown[62:] + lost / 48_000, atol=1e-6)


def test_what_a_source_survived_is_told_with_its_time():
    stage = performed(1.0, each_slot=lambda s: len(s.poses) == 30 and s.source.events.append("microphone lost"))
    assert stage.ledger.recoveries == ["0.5 s: microphone lost"]


def test_anticipation_advances_the_phase_that_the_generator_hears():
    plain, ahead = performed(2.0), performed(2.0, timing=Timing(lead=0.1))
    for early, beat in zip(ahead.features.beats, plain.features.beats, strict=True):
        if beat.bpm:
            assert phases_apart(early.phase, beat.phase) == pytest.approx(0.1 * BPM / 60)
            assert (early.bpm, early.confidence) == (beat.bpm, beat.confidence)


def test_anticipation_changes_nothing_but_the_phase():
    plain, ahead = performed(2.0), performed(2.0, timing=Timing(lead=0.1))
    assert ahead.output.sent_at == plain.output.sent_at
    assert ahead.generator.heard == plain.generator.heard
    for early, pose in zip(ahead.poses, plain.poses, strict=True):
        assert (early.play_time, early.capture_time, early.beat) == (pose.play_time, pose.capture_time, pose.beat)


def test_the_latency_of_the_source_is_taken_out_of_the_phase():
    stage = performed(2.0, latency=0.5 * PERIOD)
    for beat, pose in zip(stage.features.beats[2:], stage.poses[4::2], strict=True):
        assert phases_apart(beat.phase, pose.show_time * BPM / 60) == pytest.approx(0, abs=0.001)


def test_a_beat_slower_than_the_model_knows_is_doubled():
    stage = performed(2.0, timing=Timing(tempo_range=(150.0, 300.0)))
    assert stage.features.beats[-1].bpm == 2 * BPM
    assert stage.poses[-1].beat.bpm == BPM


def test_where_no_downbeat_is_known_the_dancer_counts_in_fours():
    for beat, pose in zip(performed(4.0).features.beats, performed(4.0).poses[::2], strict=True):
        assert pose.beat.bar_confidence == 0.0
        assert 0.0 < beat.bar_confidence <= 0.1 or not beat.confidence
        assert phases_apart(4 * beat.bar_phase, beat.phase) == pytest.approx(0, abs=1e-6) or not beat.confidence


def test_a_dance_of_its_own_metre_is_told_that_bar():
    stage = Stage()
    stage.generator.metre = 3
    stage.engine.run(4.0)
    told = stage.features.beats[-1]
    assert told.beats_per_bar == 3 and phases_apart(3 * told.bar_phase, told.phase) == pytest.approx(0, abs=1e-6)


def test_reaction_is_from_the_last_sample_of_a_frame_to_the_last_byte():
    stage = performed(4.0, takes=dict.fromkeys(range(300), 0.002))
    reaction = stage.ledger.reaction
    assert reaction.max == pytest.approx(PERIOD + 0.002, abs=1e-4)
    assert reaction.sum / reaction.count == pytest.approx(PERIOD / 2 + 0.002, abs=2e-4)


def test_the_reaction_to_every_frame_is_booked_once():
    stage = performed(4.0)
    assert stage.ledger.reaction.count == pytest.approx(240, abs=2)


def test_the_interval_is_between_the_last_bytes_of_poses():
    interval = performed(4.0, takes={100: 0.005}).ledger.interval
    assert interval.count == 239
    assert interval.max == pytest.approx(PERIOD + 0.005, abs=1e-5)


def test_every_stage_of_every_tick_is_booked():
    assert {stage.count for stage in performed(4.0).ledger.stages.values()} == {120}


def test_the_time_to_send_is_in_its_stage_and_in_the_total():
    stages = performed(4.0, takes=dict.fromkeys(range(300), 0.003)).ledger.stages
    assert stages["send"].sum / 120 == pytest.approx(0.003, abs=1e-6)
    assert stages["total"].sum == pytest.approx(sum(stages[s].sum for s in stages if s not in ("capture", "total")))


def test_minutes_of_poses_have_neither_a_miss_nor_one_too_many():
    stage = performed(180.0)
    assert (stage.ledger.poses, stage.ledger.misses) == (180 * 60, 0)


# ---- the signals -------------------------------------------------------------------------------------------------


class FakeListener:
    """Counts what it hears; one event, at the tenth call."""

    def __init__(self, energy=1.0):
        self.calls, self.samples, self.energy = 0, 0, energy

    def hear(self, samples):
        self.calls, self.samples = self.calls + 1, self.samples + len(samples)

    def now(self):
        event = Event("drop", 0.5, (self.calls - 10) * PERIOD, 1) if self.calls >= 10 else Event()
        return Signals(energy=self.energy, event=event)


def listening(listener, seconds=1.0):
    """A stage after a performance with a listener."""
    stage = Stage()
    stage.engine._listener = listener
    stage.engine.run(seconds)
    return stage


def test_signals_reach_the_poses_and_the_listener_hears_everything():
    stage = listening(listener := FakeListener())
    assert listener.samples == stage.source.delivered
    assert [pose.signals.energy for pose in stage.poses] == [0.0] + 59 * [1.0]


def test_an_event_is_dated_for_the_pose_that_tells_of_it():
    ages = [pose.signals.event.age for pose in listening(FakeListener()).poses if pose.signals.event.number]
    np.testing.assert_allclose(ages, PERIOD * np.arange(1, 51))


def test_a_fault_in_the_listener_is_survived_and_counted():
    listener = FakeListener()
    listener.hear = broken_once(listener.hear)
    stage = listening(listener)
    assert len(stage.poses) == 60
    assert len(stage.ledger.recoveries) == 1 and "the signals failed" in stage.ledger.recoveries[0]


def test_signals_that_are_not_finite_never_leave_the_engine():
    stage = listening(FakeListener(energy=float("nan")))
    assert {pose.signals for pose in stage.poses} == {Signals()}
    assert len(stage.ledger.recoveries) == 60


def test_who_takes_over_goes_on_with_the_next_pose_and_with_the_beat_that_was_heard():
    before, after = performed(1.0), Stage(clock=VirtualClock(1001.0))
    after.source.read_available = lambda: AudioBlock(np.zeros(0, np.float32), 0)  # no sound comes any more
    newest = after.features.frame(HOP * 60)
    after.engine.take_over(before.engine.leave(), Heard(HOP * 60, newest))
    after.engine.run(1.5)
    assert [pose.sequence for pose in before.poses + after.poses] == list(range(len(before.poses + after.poses)))
    assert len(before.poses) == 60 and after.poses[0].beat.bpm == newest.beat.bpm > 0.0
    assert after.features.beats[0].phase == pytest.approx(
        BPM / 60 % 1.0, abs=0.05
    )  # the count of who left, a second in
    assert after.poses[0].show_time == pytest.approx(1.0, abs=PERIOD)
