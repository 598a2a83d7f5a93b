"""How renderers learn: footage, walks, networks, losses, checkpoints, and what a bad video is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra `train`)")
pytest.importorskip("lightning", reason="lightning is not installed (extra `train`)")
pytest.importorskip("av", reason="av is not installed (extra `film`)")

from renderers import TINY_RUN, footage, points  # noqa: E402

from live.cli.learn import Machine  # noqa: E402
from live.cli.learn_renderer import Pictures, Sources, fit, train_renderer  # noqa: E402
from live.errors import BadFile, Unusable  # noqa: E402
from live.frames import easel  # noqa: E402
from live.frames.brush import Brush  # noqa: E402
from live.frames.maps import draw  # noqa: E402
from live.nn.critics import Critics, Vgg, fooled, judged, matching, unlike  # noqa: E402
from live.nn.renderer import Renderer, RendererSizes, Stage  # noqa: E402
from live.train import filmed  # noqa: E402
from live.train.footage import Footage, Walks, load_footage, spans, split  # noqa: E402
from live.train.place import plate  # noqa: E402
from live.train.pose_tool import Seen  # noqa: E402
from live.train.renderer import SMALL, RendererConfig, Rendering, make_config, read_config  # noqa: E402
from live.train.renderer_export import read_checkpoint  # noqa: E402
from live.train.renderer_quality import nearest, poses, similarity  # noqa: E402

torch.set_num_threads(1)
TINY = RendererConfig(
    RendererSizes(64, width=4, most=8, downs=2, blocks=1, enhancer_blocks=1, kernel=3, reflect=False, plate=True),
    rounds=8, coarse=2, judge_from=4, batch=2, steps=4, critics=2, scales=2, every=4,
)  # fmt: skip
CPU = Machine("cpu", "1")
CONFIGS = Path(__file__).parents[1] / "configs"


# ---- footage -------------------------------------------------------------------------------------------------------


def test_footage_comes_back_as_it_was_saved(tmp_path):
    made = footage()
    made.save(tmp_path / "a.npz")
    found = load_footage(tmp_path / "a.npz")
    for name in ("pictures", "points", "clips", "masks"):
        np.testing.assert_array_equal(getattr(found, name), getattr(made, name))


def test_what_is_no_footage_is_told(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"nothing")
    np.savez(tmp_path / "b.npz", pictures=np.zeros(3))
    footage(10).save(tmp_path / "c.npz")
    for name, words in (
        ("a", "is no footage"),
        ("b", "lacks points"),
        ("c", "without a break"),
        ("d", "is no footage"),
    ):
        with pytest.raises(BadFile, match=words):
            load_footage(tmp_path / f"{name}.npz")


def test_training_and_stage_draw_the_same_maps_to_the_last_bit(monkeypatch):
    made, seen = footage(), []
    walks = Walks(made, 2, 4, 1, (1,))
    monkeypatch.setattr(easel, "draw", lambda p, size: seen.append(draw(p, size)) or seen[-1])

    class Card:
        size = 64

    stage = easel.Easel(Brush(lambda maps, before: before, "nothing"), Card(), None)
    for drawn, picture in zip(walks[3].maps, walks[3].pictures, strict=True):
        at = next(n for n in range(40) if (np.moveaxis(picture, 0, -1) == made.pictures[n]).all())
        stage.paint(made.points[at], stage.initial_state())
        np.testing.assert_array_equal(drawn, seen[-1])


def test_a_round_follows_from_seed_and_number_and_walks_stay_in_their_clip():
    one, other = (Walks(footage(), 3, 4, 7, (1, 2, 3)) for _ in range(2))
    for a, b in zip(one[9], other[9], strict=True):
        np.testing.assert_array_equal(a, b)
    first, second = one[8], one[9]
    np.testing.assert_array_equal(second.before, first.pictures)  # what was true before is where the walk was
    assert set(first.fresh) <= {1, 2} and not second.fresh.any()


def test_the_plate_is_the_empty_place():
    assert np.abs(plate(footage()).astype(int) - (0, 0, 90)).mean() < 12


def test_somebody_who_stands_in_one_place_most_of_the_time_is_not_taken_for_it():
    shown = footage()
    pictures, places = np.repeat(shown.pictures[:1], 70, 0), np.repeat(shown.points[:1], 70, 0)
    pictures[60:], places[60:, :, 0] = (0, 0, 90), places[60:, :, 0] + 0.35  # to the side, and out of the picture
    still = Footage(pictures, places, np.zeros(70, np.int32), 30.0)
    assert np.abs(np.median(still.pictures, 0) - (0, 0, 90)).max() > 100
    assert np.abs(plate(still).astype(int) - (0, 0, 90)).max() == 0


def test_what_nobody_ever_uncovers_is_like_what_lies_beside_it():
    shown = footage()
    assert np.abs(plate(shown.part(slice(0, 1))).astype(int) - (0, 0, 90)).max() == 0


def test_the_end_of_the_footage_is_kept_for_measuring():
    trained, rest = split(footage(100), 0.1)
    assert (len(trained.clips), len(rest.clips)) == (90, 10)
    with pytest.raises(BadFile, match="too little to learn from"):
        split(footage(12), 0.1)


# ---- videos --------------------------------------------------------------------------------------------------------


def video(path, frames, times=None, cut=None):
    """A grey clip that turns white at `cut`, its frames at `times` (ms)."""
    import av

    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=1000)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for n in range(frames):
            level = 250 if cut is not None and n >= cut else 80 + n % 3
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), level, np.uint8), format="rgb24")
            frame.pts = n * 33 if times is None else times[n]
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def watched(frames, monkeypatch, lost=()):
    """As if somebody had been seen in every frame but the lost ones."""
    from live.train.layouts.video import KEYPOINTS

    image = np.full((frames, 33, 3), 0.9, np.float32)
    image[..., :2] = 32
    for at, place in zip(KEYPOINTS, points()[0] * 64, strict=True):
        image[:, at, :2] = place
    image[list(lost)] = np.nan
    monkeypatch.setattr(filmed, "watch", lambda clip, tell: Seen(image, image.copy(), 30.0))


def test_a_cut_and_a_gap_begin_other_clips(tmp_path, monkeypatch):
    watched(60, monkeypatch, lost=range(40, 50))
    found, seconds = filmed.filmed(video(tmp_path / "a.mp4", 60, cut=20), 64)
    np.testing.assert_allclose([b - a for a, b in spans(found.clips)], [20, 20, 10], atol=1)
    assert found.pictures.shape[1:] == (64, 64, 3) and found.rate == pytest.approx(30, abs=1)
    assert seconds == pytest.approx(2, abs=0.05)


def test_a_variable_frame_rate_becomes_a_steady_one_and_a_hole_a_break():
    fast, slow = np.arange(60) / 60, 1.0 + np.arange(30) / 20
    times = np.concatenate([fast, slow, [slow[-1] + 5 + n / 30 for n in range(20)]])
    chosen, clips = filmed.chosen_frames(times, np.zeros(len(times), bool), np.ones(len(times), bool))
    assert (np.diff(times[chosen])[:28] > 0.03).all()  # of sixty frames a second every other one
    assert len(set(clips)) == 2 and clips[-1] != clips[0]


@pytest.mark.parametrize("frames", [1, 7])
def test_a_video_of_a_moment_is_too_short(tmp_path, monkeypatch, frames):
    watched(frames, monkeypatch)
    with pytest.raises(BadFile, match="nobody is seen for 8 pictures without a cut"):
        filmed.filmed(video(tmp_path / "a.mp4", frames), 64)


def test_a_video_with_nobody_in_it_is_told(tmp_path, monkeypatch):
    watched(20, monkeypatch)
    monkeypatch.setattr(filmed, "watch", lambda clip, tell: (_ for _ in ()).throw(BadFile(f"{clip}: nobody was found")))
    with pytest.raises(BadFile, match="nobody was found"):
        filmed.filmed(video(tmp_path / "a.mp4", 20), 64)


def test_what_is_no_video_is_told(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(BadFile, match="cannot be decoded"):
        filmed.looked_through(tmp_path / "a.mp4")
    with pytest.raises(BadFile, match="there is no such file"):
        train_renderer(None, Sources(video=tmp_path / "none.mp4"), tmp_path, None, False, CPU)
    with pytest.raises(Unusable, match="either --video"):
        train_renderer(None, Sources(), tmp_path, None, False, CPU)


# ---- networks and losses -------------------------------------------------------------------------------------------


def test_the_renderer_keeps_to_the_plate_where_it_says_so():
    made = Renderer(TINY.model).eval()
    made.plate.fill_(0.5)
    made.fine_last.bias.data[3] = -50.0
    assert torch.allclose(made(torch.rand(1, 18, 64, 64), torch.zeros(1, 3, 64, 64)), made.plate, atol=1e-4)


def test_the_papers_sizes_are_the_default_and_an_odd_size_is_refused():
    paper = make_config(_values("renderer-paper.toml"))
    assert paper.model == RendererSizes() and paper.scales == 3
    longer = dataclasses.replace(SMALL, rounds=26400, judge_from=26400, decay=0.88)
    assert make_config(_values("renderer-small.toml")) == longer
    with pytest.raises(Unusable, match="multiple of 32"):
        RendererSizes(500)


def _values(name):
    values = read_config(CONFIGS / name)
    return {**values["train"], "model": values["model"]}


def test_discriminators_learn_what_is_real_and_the_renderer_hears_of_it():
    torch.manual_seed(1)
    critics, shown = Critics(18, 2, 1, 2), (torch.rand(2, 18, 32, 32), torch.rand(2, 3, 32, 32))
    real, made = torch.ones(2, 3, 32, 32), torch.full((2, 3, 32, 32), -1.0)
    learning = torch.optim.Adam(critics.parameters(), 1e-2)
    for _ in range(30):
        loss = judged(critics(*shown, real), critics(*shown, made))
        learning.zero_grad()
        loss.backward()
        learning.step()
    assert loss < 0.1 < fooled(critics(*shown, made))
    assert (
        matching(critics(*shown, real), critics(*shown, real))
        == 0
        < matching(critics(*shown, real), critics(*shown, made))
    )


def test_structure_is_what_similarity_measures():
    picture = torch.rand(1, 3, 64, 64) * 2 - 1
    assert unlike(picture, picture).abs().max() < 1e-5
    assert unlike(picture, picture.flip(-1)).mean() > 0.5
    mine, rng = np.zeros((64, 64, 3), np.uint8), np.random.default_rng(0)
    mine[16:48, 16:48] = rng.integers(0, 255, (32, 32, 3))
    assert similarity(mine, mine, mine.max(-1) > 0) == pytest.approx(1.0)


def test_the_perceptual_loss_takes_weights_where_there_are_some(tmp_path):
    torch.save(Vgg().state_dict(), tmp_path / "vgg.pt")
    run = Rendering(dataclasses.replace(TINY, perceptual=1.0, vgg=str(tmp_path / "vgg.pt")))
    pictures = torch.rand(1, 3, 64, 64)
    assert run.vgg is not None and run.vgg(pictures, pictures) == 0 < run.vgg(pictures, -pictures)
    (tmp_path / "bad.pt").write_bytes(b"x")
    with pytest.raises(BadFile, match="has no weights of VGG-19"):
        Rendering(dataclasses.replace(TINY, perceptual=1.0, vgg=str(tmp_path / "bad.pt")))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[train]\nround = 3", "unknown key 'round'"),
        ("[trian]", "unknown section"),
        ("[train", "is not TOML"),
        ("[train]\nsteps = 9", "choose 1..8"),
        ("[model]\nsize = 64", "too small for 3 scales"),
    ],
)
def test_a_wrong_configuration_is_told(tmp_path, text, words):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(Unusable, match=words):
        train_renderer(tmp_path / "a.toml", Sources(footage=tmp_path / "x.npz"), tmp_path, None, False, CPU)


# ---- runs ----------------------------------------------------------------------------------------------------------


def test_a_run_that_was_cut_off_goes_on_exactly(tmp_path, monkeypatch):
    whole = fit(TINY, footage(), tmp_path / "whole", False, CPU)
    with monkeypatch.context() as cut:
        cut.setattr(Rendering, "on_train_epoch_end", lambda run: setattr(run.trainer, "should_stop", True))
        with pytest.raises(Unusable, match="stopped after 4 rounds"):
            fit(TINY, footage(), tmp_path / "half", False, CPU)
    rest = fit(TINY, footage(), tmp_path / "half", True, CPU)
    for (name, a), (_, b) in zip(whole.state_dict().items(), rest.state_dict().items(), strict=True):
        assert torch.equal(a, b), name
    with pytest.raises(Unusable, match="add --resume"):
        fit(TINY, footage(), tmp_path / "half", False, CPU)
    with pytest.raises(Unusable, match="leave --resume out"):
        fit(TINY, footage(), tmp_path / "new", True, CPU)


def test_footage_becomes_a_folder_that_paints_what_torch_paints(tmp_path, capsys):
    made = footage(100)
    made.save(tmp_path / "a.npz")
    (tmp_path / "a.toml").write_text(TINY_RUN)
    for resume in (False, True):  # what is at its end is only exported again
        train_renderer(tmp_path / "a.toml", Sources(footage=tmp_path / "a.npz"), tmp_path / "run", None, resume, CPU)
        assert "likeness to 10 pictures that it never saw" in capsys.readouterr().out
    stage = easel.open_easel(tmp_path / "run/renderer", "cpu")
    network, _, rounds = read_checkpoint(tmp_path / "run/renderer.ckpt")
    picture, _ = stage.paint(made.points[0], stage.initial_state())
    maps, nothing = torch.from_numpy(draw(made.points[0], 64))[None], torch.full((1, 3, 64, 64), 128, dtype=torch.uint8)
    with torch.no_grad():
        same = Stage(network)(maps, nothing)[0].numpy()
    assert rounds == 4 and np.abs(np.moveaxis(same, 0, -1).astype(int) - picture).max() <= 2
    assert stage.card.name == "a" and 0 < stage.card.metrics["made"] < 1


def test_the_nearest_picture_is_that_of_the_nearest_pose():
    made = footage()
    assert nearest(made.points[13], poses(made.points)) == 13


def test_a_damaged_checkpoint_is_told(tmp_path):
    (tmp_path / "renderer.ckpt").write_bytes(b"x")
    with pytest.raises(BadFile, match="no whole checkpoint"):
        read_checkpoint(tmp_path / "renderer.ckpt")


def test_an_epoch_goes_on_from_the_round_that_was_reached():
    data = Pictures(footage(), TINY)
    data.trainer = type("T", (), {"lightning_module": type("M", (), {"rounds_done": 6})})()
    assert [int(batch.number) for batch in data.train_dataloader()] == [6, 7]


# ---- the puppet ----------------------------------------------------------------------------------------------------


def test_the_puppet_is_in_the_picture_and_its_skirt_swings():
    pytest.importorskip("skia", reason="skia-python is not installed (extra `preview`), or its libraries are missing")
    from renderers import body

    from live.train.puppet.picture import film

    roots, rotations = body(13)
    still = list(film(np.repeat(roots[:1], 13, 0), np.repeat(rotations[:1], 13, 0), 64, every=12))
    roots[:, 0] += np.linspace(0, 0.4, 13) ** 2
    moved = list(film(roots, np.repeat(rotations[:1], 13, 0), 64, every=12))
    share = still[0].mask.mean() / 255
    assert 0.08 < share < 0.3 and still[0].picture.shape == (64, 64, 3)
    assert (
        np.abs(still[1].mask.astype(int) - still[0].mask).mean()
        < 2
        < np.abs(moved[1].mask.astype(int) - moved[0].mask).mean()
    )
    middle = still[0].points[[8, 11]].mean(0) * 64  # hips
    assert still[0].mask[int(middle[1]), int(middle[0])] == 255
