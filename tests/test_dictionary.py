"""A dictionary finds what was danced to similar music, tells how similar a dance is, and can be performed."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")
pytest.importorskip("joblib", reason="joblib is not installed (extra `train`)")

from live import channels, dictionary, rotation, skeleton
from live.dictionary import ENTRY, Player
from live.errors import BadFile, BadModel
from live.train.dictionary import build, k_means, looked_up, similarity


def still(angle, frames):
    """Channels of someone whose left arm is raised by `angle`."""
    local = np.tile(rotation.IDENTITY, (frames, skeleton.COUNT, 1))
    arm = skeleton.INDEX["leftUpperArm"]
    local[:, arm] = np.float32([0, 0, np.sin(angle / 2), np.cos(angle / 2)])
    return channels.encode(np.tile(skeleton.REST_OFFSETS[0], (frames, 1)), local)


def arrays(songs=6, seconds=10):
    """Each song sounds its own way and is danced with its own arm."""
    n, rng = seconds * 60, np.random.default_rng(0)
    sound = rng.normal(size=(songs, 30)) * 3
    prosody = np.repeat(sound, n, 0) + 0.1 * rng.normal(size=(songs * n, 30))
    return {
        "channels": np.concatenate([still(0.2 * k, n) for k in range(songs)]).astype(np.float16),
        "prosody": prosody.astype(np.float16), "usable": np.ones(songs * n, bool), "start": np.arange(songs + 1) * n,
        "style": np.arange(songs) % 2, "styles": np.array(["even", "odd"]),
    }  # fmt: skip


def test_the_dance_of_the_most_similar_music_is_found():
    data = arrays()
    found = looked_up(build(data), data["prosody"][1200:1320].astype(np.float32))  # song 2
    assert similarity(found, still(0.4, 120)) < 1e-3 < similarity(found, still(0.8, 120))


def test_similarity_is_distance_in_body_heights():
    assert similarity(still(0.3, 9), still(0.3, 9)) == 0.0
    reach = np.array([0.27, 0.52]) * 2 * np.sin(0.5)  # elbow and hand, raised by one radian
    assert similarity(still(1.0, 9), still(0.0, 9)) == pytest.approx(reach.sum() / 22 / 1.5, rel=0.02)


def test_k_means_finds_heaps():
    heaps = np.random.default_rng(1).normal(size=(5, 1, 4)) * 20 + np.random.default_rng(2).normal(size=(5, 30, 4))
    _, cluster = k_means(heaps.reshape(150, 4).astype(np.float32), 5, np.random.default_rng(0))
    assert len({tuple(np.unique(row)) for row in cluster.reshape(5, 30)}) == 5


def test_seconds_that_are_not_clean_are_no_entries():
    data = arrays(songs=1)
    data["usable"][100] = False
    assert not np.isin(build(data).at, [60, 90]).any()
    data["usable"][:] = False
    with pytest.raises(BadFile, match="0 clean seconds"):
        build(data)


def test_a_dictionary_is_kept_in_a_folder(tmp_path):
    dictionary.save(build(arrays()), tmp_path / "d")
    again = dictionary.load(tmp_path / "d")
    assert np.array_equal(again.keys, build(arrays()).keys)
    with pytest.raises(BadModel, match=r"dictionary\.npz"):
        dictionary.load(tmp_path)


def play(player, features, ticks=90):
    state, out = player.initial_state(), []
    for tick in range(ticks):
        poses, state = player.step(features, tick, state)
        out.append(poses)
    return np.concatenate(out, 1)


def test_a_player_dances_what_was_danced_to_what_it_hears():
    data = arrays()
    features = np.concatenate([data["prosody"][1500].astype(np.float32), np.zeros(5, np.float32)])
    player = Player(build(data), "d", 2, np.ones(2, np.float32) / 2, 1, 0.0)
    out = play(player, features)
    assert out.shape == (2, 180, channels.COUNT) and np.isfinite(out).all()
    assert similarity(out[0, -30:], still(0.4, 30)) < 0.005


def test_the_same_seed_plays_the_same_and_entries_join_without_a_jump():
    player = Player(build(arrays()), "d", 1, np.ones(2, np.float32) / 2, 3, 1.0)
    features = np.zeros(35, np.float32)
    a, b = play(player, features), play(player, features)
    assert np.array_equal(a, b)
    jumps = np.abs(np.diff(a[0], axis=0)).max(1)
    assert jumps.max() < 0.2 * np.abs(still(1.0, 9) - still(0.0, 9)).max()


def test_a_style_plays_its_own_dances_only():
    data = arrays()
    made = build(data)
    for entry in made.nearest(data["prosody"][:60].astype(np.float32), 5, np.float32([0, 1])):
        assert made.style[entry] == 1
    assert ENTRY == 60
