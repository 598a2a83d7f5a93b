"""A model is measured beside real dances, random pairing and silence, and the figures are written down."""

import itertools
import json

import numpy as np
import pytest
import soundfile
from motion_files import bvh_text, salsa_folder

pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")
pytest.importorskip("joblib", reason="joblib is not installed (extra `train`)")

from live import channels, rotation, skeleton
from live.bench.dance_page import COLUMNS, goal_rows, page, rows
from live.cli.evaluate import ABREAST, as_json, card_figures, tables, write_card
from live.errors import BadFile, BadModel, Unusable
from live.train.dancer import Dancers, Plan
from live.train.evaluate import evaluate, units
from live.train.free_run import Danced, Reel, Told, true_beat, walked
from live.train.prepare import read_all
from live.train.songs import Music, read_music
from live.train.trials import calmed, lag_to_accent, silenced, with_accent, without_stopping
from live.types import BeatState

CLICK = 0.5
REST = skeleton.forward_kinematics(skeleton.REST_OFFSETS[0], np.tile([0, 0, 0, 1.0], (22, 1)))[0]


def clicks(bpm, seconds=20.0):
    """A song of one sample a beat."""
    audio, beats = np.zeros(int(seconds * 48_000), np.float32), np.arange(0.25, seconds, 60 / bpm)
    audio[(beats * 48_000).astype(int)] = CLICK
    return Music(f"{bpm:g}", audio, beats, True)


def heard(audio):
    """Where the clicks are, smeared as they are by resampling."""
    loud = np.flatnonzero(np.abs(audio) > CLICK / 3) / 48_000
    return loud[np.diff(loud, prepend=-1.0) > 0.1]


def sway(beats, seconds):
    """Someone who sways once every two beats, still on each beat; motionless without beats."""
    t = np.arange(int(seconds * 60)) / 60
    joints = np.tile(REST, (len(t), 1, 1))
    if len(beats) > 1:
        count = np.interp(t, beats, np.arange(len(beats)))
        joints[:, :, 0] += 0.2 * np.cos(np.pi * count)[:, None] * REST[:, 1]
    return joints.astype(np.float32)


class Swaying:
    """Two who hear clicks."""

    tired = 0.0

    def __call__(self, audio, beats=None):
        joints = sway(heard(audio) if beats is None else beats, len(audio) / 48_000)
        return [Danced(joints, joints)] * 2

    def perform(self, songs, each_minute):
        joints = np.concatenate([self(song)[0].wire for song in songs])
        for _ in range(round(len(joints) / 3600)):
            each_minute()
        joints[:, :, 0] *= np.linspace(1, 1 - self.tired, len(joints))[:, None]
        raw = np.zeros((len(joints), channels.COUNT), np.float32)
        raw[:, channels.HEIGHT] = 0.9
        raw[:, channels.VELOCITY] = np.sin(np.arange(len(raw)))[:, None]
        return raw[None], joints[None]


SONGS = [clicks(bpm) for bpm in (100.0, 137.0)]
PLAN = Plan(seconds=20.0, warped=1)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    folder = salsa_folder(tmp_path_factory.mktemp("salsa"))
    for seed, file in enumerate(sorted(folder.glob("*.bvh"))):
        file.write_text(bvh_text(frames=700, seed=seed))
    return read_all(folder)


@pytest.fixture(scope="module")
def result(real):
    said = []
    told = evaluate(Swaying(), SONGS, real, PLAN, {"other": Swaying()}, said.append)
    assert len(said) == units(Swaying(), SONGS, PLAN, {"other": Swaying()})
    return {"model": "sway", **told}


def goal(result, what, way="wire"):
    return next(g for g in result["goals"] if g["what"] == what and g["way"] == way)


def test_who_sways_on_the_beat_is_on_the_beat_beyond_chance(result):
    row = result["rows"]["model, on the wire"]
    assert row["motion_to_music"] > 0.9 and row["p_motion_to_music"] < 0.01 and row["beat_lock"] > 0.9
    assert abs(row["lock_offset_ms"]) < 30
    assert goal(result, "beat lock, own tracker")["reached"] and goal(result, "mean offset, told the beats")["reached"]


def test_with_another_songs_beats_it_is_not(result):
    row = result["rows"]["random pairing"]
    assert row["motion_to_music"] < 0.6 and row["p_motion_to_music"] > 0.01 and row["follows_tempo"] < 0.5
    assert result["lock"]["own_wire"]["on_others"] < 0.3


def test_beats_that_nobody_wrote_down_are_not_held_against_it():
    unwritten = SONGS[1]._replace(written=False, beats=SONGS[1].beats + 0.2)
    told = evaluate(Swaying(), [SONGS[0], unwritten], [], PLAN)
    assert told["rows"]["model, on the wire"]["beat_lock"] > 0.9
    assert told["songs"][1]["music_beats"] == 0 < told["songs"][1]["speed"]


def test_the_warped_songs_are_followed_too(result):
    names = [f"songs at {rate}{told}" for rate in (0.8, 1.25) for told in ("", ", told the beats")]
    assert {result["rows"][name]["follows_tempo"] for name in names} == {1.0}
    for rate, heard in itertools.product((0.8, 1.25), ("own tracker", "told the beats")):
        assert goal(result, f"follows tempo, {rate}x, {heard}")["reached"]


def test_silence_freezes_it(result):
    assert result["rows"]["silence"]["freeze"] == 1.0 and result["rows"]["model, on the wire"]["freeze"] == 0.0
    assert goal(result, "silence brings a calm idle")["reached"]


def test_real_dances_lie_nearer_to_each_other_than_the_sway_does(result):
    real, made = result["rows"]["real"], result["rows"]["model, on the wire"]
    assert np.isfinite(real["fid_k"]) and real["fid_g"] < made["fid_g"]


def test_a_model_beside_that_dances_the_same_is_not_outdone(result):
    assert result["rows"]["beside: other"]["fid_k"] == result["rows"]["model, on the wire"]["fid_k"]
    assert goal(result, "FID_k")["reached"] is False


def test_what_was_not_danced_is_not_judged(result):
    assert goal(result, "an hour, feet below the floor")["reached"] is None
    alone = evaluate(Swaying(), SONGS[:1], [], PLAN)
    assert goal(alone, "pose spread")["reached"] is None and goal(alone, "FID_g")["read"] == "not read"


def test_every_figure_is_on_the_page_and_in_the_table(result):
    text = page(result)
    assert all(heading in text for _, heading, _ in COLUMNS) and "nan" not in text
    assert all(g["what"] in text for g in result["goals"]) and text.count("class='missed'") == sum(
        g["reached"] is False for g in result["goals"]
    )
    assert {len(row) for row in rows(result)} == {len(COLUMNS) + 1} and {len(row) for row in goal_rows(result)} == {5}


def test_many_models_beside_are_told_in_tables_of_their_own(result):
    told = dict.fromkeys((f"beside: {n}" for n in range(12)), result["rows"]["real"])
    shown = [*tables({**result, "rows": result["rows"] | told})]
    heads = [str(column.header) for one in shown for column in one.columns[1:]]
    assert heads == [*result["rows"], *told] and max(len(one.columns) for one in shown) == ABREAST + 1


def test_the_card_tells_the_model_and_its_data(result):
    told = card_figures(result)
    assert told["speed"] > 0 and told["speed_of_data"] > 0 and told["beat_lock_by_true_beats"] > 0.9


def test_the_json_holds_every_figure_and_no_infinity(result):
    told = json.loads(as_json(result), parse_constant=pytest.fail)
    assert told["goals"] == result["goals"] and "curves" not in told
    assert told["rows"]["model, on the wire"]["response_lag_ms"] is None
    assert told["rows"]["real"]["speed"] == pytest.approx(result["rows"]["real"]["speed"], rel=1e-4)


def test_a_card_keeps_what_else_it_says(result, tmp_path):
    (tmp_path / "model.json").write_text(json.dumps({"name": "sway", "metrics": {"speed": 9.0, "older": 1.0}}))
    write_card(tmp_path / "model.json", result)
    card = json.loads((tmp_path / "model.json").read_text())
    assert card["name"] == "sway" and card["metrics"]["older"] == 1.0 and card["metrics"]["speed"] < 9.0


# ---- trials ------------------------------------------------------------------------------------------------------


def test_an_accent_is_answered_when_it_is_heard():
    def run(audio):
        loud = np.abs(audio).reshape(-1, 800).max(1) > 0.5
        moved = np.cumsum(loud)[:, None, None] * np.ones((1, 22, 3)) * 0.1
        return np.stack([moved, 0.0 * moved])  # the second dancer hears nothing

    assert lag_to_accent(run, np.zeros(48_000 * 4, np.float32), (48_000,)) == pytest.approx([0.0, np.inf])
    assert np.abs(with_accent(np.zeros(9600, np.float32), 4800)[:4800]).max() == 0.0


def test_calm_counts_from_the_end_of_the_music():
    y = np.repeat(REST[None], 500, 0)
    y[:300, :, 0] += 0.02 * np.arange(300)[:, None]  # 0.5 m/s for 12 s
    y[300:] = y[299]
    assert calmed(y, 10.0)["calm_after_s"] == pytest.approx(2.2, abs=0.1) and calmed(y, 10.0)["idle_speed"] < 0.05
    y[:, :, 0] += 0.02 * np.arange(500)[:, None]
    assert calmed(y, 10.0)["calm_after_s"] == np.inf
    assert silenced(Swaying(), SONGS[0])["calm_after_s"] < 1.0


def test_an_hour_tells_what_has_changed_by_the_end():
    dancer, said = Swaying(), []
    steady = without_stopping(dancer, SONGS, 180.0, said.append)
    assert len(said) == 3 and steady["seconds"] == 180 and steady["finite"] and steady["sunk_m"] == 0.0
    assert max(abs(v) for v in steady["wire"]["change"].values()) < 0.02
    dancer.tired = 0.5
    assert without_stopping(dancer, SONGS, 180.0, said.append)["wire"]["change"]["speed"] < -0.3


# ---- songs and free running --------------------------------------------------------------------------------------


def test_true_beats_are_told_as_they_pass():
    beats = np.array([1.0, 1.5, 2.0])
    assert true_beat(beats, 1.25).phase == pytest.approx(0.5) and true_beat(beats, 1.25).bpm == pytest.approx(120)
    assert true_beat(beats, 0.9) == BeatState() == true_beat(beats, 2.0)
    tracker = Told(beats)
    tracker.hear(np.zeros(60_000, np.float32))
    before = tracker.snapshot()
    assert tracker.now().phase == pytest.approx(0.5)
    tracker.hear(np.zeros(60_000, np.float32))
    tracker.restore(before)
    assert tracker.now().phase == pytest.approx(0.5)


@pytest.fixture(scope="module")
def salsa():
    return Dancers("salsa", Plan(tracker="aubio", dancers=2))


def test_a_model_dances_as_the_stage_lets_it(salsa):
    audio = clicks(120.0, 3.0).audio
    dances, again = salsa(audio), salsa(audio)
    (danced, other), told = dances, salsa(audio, np.arange(0.25, 3, 0.5))[0]
    assert danced.raw.shape == danced.wire.shape == (181, 22, 3)
    assert np.array_equal(dances, again)
    assert not np.array_equal(danced.raw, told.raw) and not np.array_equal(danced.raw, other.raw)
    assert np.abs(danced.wire[0] - danced.wire[1]).max() < 0.01  # it enters from the neutral stance


def test_only_dictionaries_and_models_of_bones_dance():
    with pytest.raises(BadModel, match="no model"):
        Dancers("nobody", PLAN)
    with pytest.raises(BadModel, match="is no dictionary"):
        Dancers("dictionary:nowhere", PLAN)


def test_a_reel_is_its_songs_one_after_another():
    reel = Reel([np.arange(5.0), np.arange(5.0, 7.0)])
    read = [reel.read(3) for _ in range(3)]
    assert np.array_equal(np.concatenate(read), np.arange(7)) and reel.ended and len(reel.read(3)) == 0


def test_a_warped_song_is_shorter_with_its_beats():
    song = SONGS[0].warped(1.25)
    assert song.seconds == pytest.approx(16.0) and song.bpm == pytest.approx(125.0) and song.steady
    assert np.abs(heard(song.audio) - song.beats).max() < 0.001


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


def write_song(path, seconds=2.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, clicks(120.0, seconds).audio, 48_000)


def test_of_a_folder_of_data_what_was_trained_on_is_left_out(tmp_path):
    for song in ("beats/tang_a.ogg", "beats/rock.ogg", "music/waltz.ogg", "hall/A.ogg", "hall/B.ogg"):
        write_song(tmp_path / song)
    (tmp_path / "beats" / "rock.beats").write_text("0.5\n1\n1.5\n9\n")
    (tmp_path / "hall" / "index.json").write_text(
        json.dumps([{"name": "A", "split": "train"}, {"name": "B", "split": "valid"}])
    )
    assert [song.name for song in read_music(tmp_path, 60.0)] == ["rock", "tang_a", "waltz", "B"]
    songs = read_music(tmp_path, 60.0, tmp_path / "hall")
    assert [song.name for song in songs] == ["rock", "waltz", "B"] and songs[0].beats.tolist() == [0.5, 1.0, 1.5]


def test_a_folder_without_songs_is_refused(tmp_path):
    with pytest.raises(Unusable, match="holds no songs"):
        read_music(tmp_path, 60.0)
    with pytest.raises(Unusable, match="no such folder"):
        read_music(tmp_path / "none", 60.0)
    write_song(tmp_path / "a.ogg")
    (tmp_path / "index.json").write_text("{}")
    assert read_music(tmp_path, 60.0, tmp_path)[0].name == "a"
    (tmp_path / "index.json").write_text("[1]")
    with pytest.raises(BadFile, match=r"index\.json"):
        read_music(tmp_path, 60.0, tmp_path)
