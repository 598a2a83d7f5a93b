"""The seed paper's comparison, whole, on dances of seconds: trained, interrupted, resumed, measured, told."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra `train`)")
pytest.importorskip("lightning", reason="lightning is not installed (extra `train`)")
torch.set_num_threads(1)

from live import channels  # noqa: E402
from live.bench import paper_page  # noqa: E402
from live.cli import paper as command  # noqa: E402
from live.cli.learn import Machine  # noqa: E402
from live.errors import BadFile  # noqa: E402
from live.nn.sizes import GeneratorConfig  # noqa: E402
from live.train import compare, dataset, paper  # noqa: E402
from live.train.config import TrainConfig, read_config, train_config  # noqa: E402
from live.train.rounds import split  # noqa: E402

CONFIG = """
[train]
rounds = 2
batch = 2
ticks = 8
every = 2
adversary = 0.1
autoencoder = 0.1
difference = 0.0
augment = false
mirror = false
valid_takes = ["b"]
test_takes = ["c", "d"]
[model]
latent = 0
convolution = 4
encoder = 4
ring = 6
attention = 4
location_filters = 2
prenet = 4
decoder = 6
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four takes of 12 s: a stance that sways, each in its own way."""
    rng, frames = np.random.default_rng(0), 720
    t = np.arange(frames)[:, None] / 60
    rest = np.zeros(channels.COUNT)
    rest[channels.HEIGHT], rest[channels.ROTATIONS] = 0.93, np.tile([1, 0, 0, 0, 1, 0], 22)
    takes = [rest + 0.05 * np.sin(2 * np.pi * t * rng.uniform(0.5, 2) + rng.uniform(0, 6, 138)) for _ in range(4)]
    path = tmp_path_factory.mktemp("prepared") / "prepared.npz"
    np.savez(
        path, channels=np.concatenate(takes).astype(np.float16), start=720 * np.arange(5), style=np.zeros(4, int),
        prosody=rng.normal(size=(4 * frames, 30)).astype(np.float16), count=np.arange(4 * frames) / np.float32(30),
        bpm=np.full(4 * frames, 120, np.float32), usable=np.ones(4 * frames, bool), take=np.arange(4),
        styles=np.array(["sway"]), takes=np.array(list("abcd")), mirrored=np.zeros(4, bool),
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def told(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    (folder / "small.toml").write_text(CONFIG)
    command.train_paper(folder / "small.toml", data, folder / "runs", None, Machine(accelerator="cpu"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare, "SONG", 8.0)
        patch.setattr(compare, "WINDOWS", 4)
        command.evaluate_paper(folder / "runs", data, folder / "told")
    return folder


def test_every_variant_is_trained_alike_and_told_with_the_papers_figures(told):
    result = json.loads((told / "told" / "paper.json").read_text())
    assert len(result["rows"]) == 7 and {row["rounds"] for row in result["rows"].values()} == {2}
    assert result["cited"] == {"train": 15.36, "valid": 17.19, "test": 19.12, "similarity": 0.063}
    assert result["rows"]["plain LSTM"]["train"] == result["rows"]["plain LSTM"]["train_fed"]
    assert all(np.isfinite(row["similarity"]) and row["test"] > 0 for row in result["rows"].values())
    assert result["controls"]["mean pose"]["spread"] < 1e-3 < result["controls"]["real dances"]["spread"]
    assert len(result["curves"]["G"]) == 1


def test_the_page_shows_both_tables_and_their_plots(told):
    page = (told / "told" / "paper.html").read_text()
    assert page.count("<table>") == 2 and "15.36" in page and "polyline" in page
    assert "lambda 1 = 0.1" in page and "whole song heard ahead" in page


def test_what_is_trained_is_left_and_more_rounds_go_on(told, data, capsys):
    command.train_paper(told / "small.toml", data, told / "runs", None, Machine(accelerator="cpu"))
    assert capsys.readouterr().out.count("2 of 2 rounds") == 7


def test_variants_not_trained_yet_are_left_out(told, data, monkeypatch):
    monkeypatch.setattr(compare, "SONG", 8.0)
    monkeypatch.setattr(compare, "WINDOWS", 2)
    monkeypatch.setattr(paper, "rounds_done", lambda folder: folder.name == "g-d-ae")
    assert list(compare.compare(told / "runs", dataset.load_prepared(data))["rows"]) == [paper.WHOLE]


def test_runs_that_are_not_there_are_named(data, tmp_path):
    with pytest.raises(BadFile, match="g-d-ae"):
        command.evaluate_paper(tmp_path, data, tmp_path)


def test_a_configuration_without_adversary_is_no_whole_system():
    with pytest.raises(BadFile, match="adversary"):
        paper.variants(TrainConfig())


def test_variants_differ_in_what_they_are_called_after_and_in_nothing_else():
    whole = TrainConfig(model=GeneratorConfig(), adversary=0.3, autoencoder=0.2)
    found = paper.variants(whole)
    assert found["G"] == dataclasses.replace(whole, adversary=0.0, autoencoder=0.0)
    assert found["G + D"].autoencoder == found["G + AE"].adversary == 0.0
    assert found[f"{paper.WHOLE}, whole song heard ahead"].model.bidirectional
    assert not found[f"{paper.WHOLE}, newest state for attention"].model.attend
    assert len({paper.folder_of(name) for name in found}) == len(found)


@pytest.mark.parametrize("name", ["paper", "paper-small", "salsa", "ballroom"])
def test_the_shipped_configurations_are_understood(name):
    root = paper.Path(__file__).parent.parent
    assert train_config(read_config(root / "configs" / f"{name}.toml")).rounds >= 500


def test_the_papers_configuration_has_the_papers_figures():
    c = train_config(read_config(paper.Path(__file__).parent.parent / "configs" / "paper.toml"))
    assert (c.rate, c.weight_decay, c.clip, c.batch, c.ticks, c.rounds) == (1e-3, 1e-6, 1.0, 40, 125, 5000)
    assert (c.model.layers, c.model.kernel, c.model.decoder, c.model.prenet) == (3, 5, 1024, 256)
    assert (c.valid_share, c.discriminator_every, c.model.latent) == (0.2, 3, 0)


def test_a_fifth_of_the_takes_is_validated_with_and_none_is_in_two_parts():
    names = [str(i) for i in range(25)]
    parts = split(names, TrainConfig(valid_share=0.2, test_takes=("3", "4", "not there")))
    assert (len(parts["train"]), len(parts["valid"]), sorted(parts["test"])) == (18, 5, [3, 4])
    assert sorted(np.concatenate(list(parts.values()))) == list(range(25))


def test_the_table_is_markdown_too():
    assert paper_page.markdown((("", "a"), [("x", "1")])) == "|  | a |\n| --- | --- |\n| x | 1 |"
