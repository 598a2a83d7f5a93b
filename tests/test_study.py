"""The audience test: a page that gives nothing away, and results that say how sure they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from browser import chromium, until
from dancers import standing, write_take
from typer.testing import CliRunner

from live.cli.app import app
from live.cli.convert import convert
from live.errors import BadFile, Unusable
from live.look import Look
from live.study.plan import GRADES, Film, make_study, read_film
from live.study.results import Answers, Preference, Rating, by_origin, by_pair, estimate, read_answers, read_key

ORIGINS = ("salsa", "dictionary", "real")


@pytest.fixture
def films(tmp_path) -> list[Film]:
    """Two songs, danced by each."""
    found = []
    for origin in ORIGINS:
        for song in ("one", "two"):
            path = tmp_path / f"{origin}-{song}.mp4"
            path.write_bytes(f"film of {origin} to {song}".encode())
            found.append(Film(origin, song, path))
    return found


def about(folder: Path) -> dict:
    """What the page of a study asks."""
    text = (folder / "page" / "index.html").read_text()
    return json.loads(text.partition('id="study">')[2].partition("</script>")[0])


def test_the_page_tells_nothing_of_whose_films_they_are(tmp_path, films):
    assert make_study(tmp_path / "s", films, pairs=False) == 6
    handed_out = b"".join(
        path.name.encode() + (path.read_bytes() if path.suffix == ".html" else b"")
        for path in (tmp_path / "s" / "page").rglob("*")
    )
    assert not any(name.encode() in handed_out for name in (*ORIGINS, "one.mp4", "two.mp4"))


def test_every_film_is_there_under_its_new_name(tmp_path, films):
    make_study(tmp_path / "s", films, pairs=False)
    key = json.loads((tmp_path / "s" / "key.json").read_text())
    for name, film in key["films"].items():
        content = (tmp_path / "s" / "page" / "films" / name).read_text()
        assert content == f"film of {film['origin']} to {film['song']}"
    assert about(tmp_path / "s")["grades"] == list(GRADES) and len(GRADES) == 4


def test_pairs_are_of_one_song_and_of_two_origins(tmp_path, films):
    assert make_study(tmp_path / "s", films, pairs=True) == 6  # three pairs of origins, two songs
    named = json.loads((tmp_path / "s" / "key.json").read_text())["films"]
    for a, b in about(tmp_path / "s")["questions"]:
        assert named[a]["song"] == named[b]["song"] and named[a]["origin"] != named[b]["origin"]


def test_a_title_cannot_break_out_of_the_page(tmp_path, films):
    make_study(tmp_path / "s", films, pairs=False, title="</script><b>")
    assert about(tmp_path / "s")["title"] == "</script><b>"


@pytest.mark.parametrize("text", ["a.mp4", "=a.mp4", "real=a.txt", "real=none.mp4"])
def test_a_film_that_cannot_be_shown_is_refused_in_one_line(text):
    with pytest.raises(Unusable, match=r"^--film [^\n]+$"):
        read_film(text)


def test_nothing_to_compare_is_refused(tmp_path, films):
    with pytest.raises(Unusable, match="two origins"):
        make_study(tmp_path / "s", films[:2], pairs=False)
    with pytest.raises(Unusable, match="no two films are of one song"):
        make_study(tmp_path / "s", [films[0], films[3]], pairs=True)
    assert not (tmp_path / "s").exists()


def test_a_folder_that_is_there_is_kept(tmp_path, films):
    with pytest.raises(BadFile, match="exists already"):
        make_study(tmp_path, films, pairs=False)


# ---- results -------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, films) -> Path:
    make_study(tmp_path / "s", films, pairs=True)
    return tmp_path / "s"


def rated(folder: Path, rater: str, **changes) -> Path:
    """The file of somebody who finds what is real excellent and all else fair."""
    named = json.loads((folder / "key.json").read_text())
    answers = []
    for left, right in about(folder)["questions"]:
        real = [named["films"][film]["origin"] == "real" for film in (left, right)]
        better = "left" if real[0] else "right" if real[1] else "same"
        answers.append({"films": [left, right], "grades": [4 if one else 2 for one in real], "better": better})
    path = folder / f"{rater}.json"
    path.write_text(json.dumps({"study": named["study"], "rater": rater, "answers": answers} | changes))
    return path


def test_grades_and_preferences_are_put_together(folder):
    answers = read_answers([rated(folder, "ann"), rated(folder, "bob")], read_key(folder / "key.json"))
    grades = by_origin(answers, 4)
    assert next(iter(grades)) == "real"
    assert grades["real"][0].mean == 4.0 and grades["real"][1] == [0, 0, 0, 1] and grades["salsa"][0].given == 8
    pairs = by_pair(answers)
    assert pairs["dictionary", "real"].mean == 0.0 and pairs["real", "salsa"].mean == 1.0
    assert pairs["dictionary", "salsa"].mean == 0.5


def test_the_table_is_printed_and_the_key_is_found(folder):
    done = CliRunner().invoke(app, ["study", "results", str(rated(folder, "ann")), str(rated(folder, "bob"))])
    assert done.exit_code == 0 and "4.00 to 4.00" in done.output and "liked better" in done.output
    assert "4 excellent" in done.output


def test_results_as_json(folder):
    done = CliRunner().invoke(app, ["study", "results", str(rated(folder, "ann")), "--json"])
    values = json.loads(done.output)
    assert values["origins"]["real"]["mean"] == 4.0 and values["origins"]["real"]["low"] is None
    assert len(values["pairs"]) == 3


def test_the_interval_holds_the_truth_as_often_as_it_says():
    noise, held = np.random.default_rng(1), 0
    for _ in range(100):
        taste = noise.normal(2.5, 0.5, 20)  # of each rater
        grades = np.repeat(taste, 5) + noise.normal(0, 0.5, 100)
        found = estimate([str(n // 5) for n in range(100)], grades.tolist())
        held += found.low <= 2.5 <= found.high
    assert 87 <= held <= 99


def test_many_ratings_of_few_raters_are_not_sure():
    raters = [str(n % 3) for n in range(300)]
    apart = estimate(raters, [1.0 + n % 3 for n in range(300)])
    assert apart.low <= 1.5 and apart.high >= 2.5


def test_one_rater_has_no_interval():
    assert estimate(["ann"] * 5, [1, 2, 3, 4, 4])[1:3] == (None, None)


def test_films_that_could_not_be_played_do_not_count(folder):
    named = json.loads((folder / "key.json").read_text())
    films = about(folder)["questions"][0]
    answers = [{"films": films, "grades": [None, 3], "better": None}]
    found = read_answers([rated(folder, "ann", answers=answers)], read_key(folder / "key.json"))
    assert found == Answers([Rating("ann", named["films"][films[1]]["origin"], 3)], [])


def test_who_was_left_and_who_right_does_not_matter(folder):
    films = about(folder)["questions"][0]
    key = read_key(folder / "key.json")
    one = [{"films": films, "grades": [1, 2], "better": "right"}]
    other = [{"films": films[::-1], "grades": [2, 1], "better": "left"}]
    found = read_answers([rated(folder, "ann", answers=one), rated(folder, "bob", answers=other)], key)
    a, b = found.preferences
    assert a == Preference("ann", b.origins, b.share) and a.share in (0.0, 1.0)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"study": "other"}, "another study"),
        ({"answers": [{"films": ["x.mp4"], "grades": [1]}]}, "damaged"),
        ({"answers": 3}, "damaged"),
        ({"answers": [[]]}, "damaged"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_one_line(folder, changes, why):
    with pytest.raises(BadFile, match=rf"^'[^\n]*{why}[^\n]*$"):
        read_answers([rated(folder, "ann", **changes)], read_key(folder / "key.json"))


@pytest.mark.parametrize("grade", [0, 5, 2.5, "4", True])
def test_a_grade_that_there_is_not_is_refused(folder, grade):
    film = about(folder)["questions"][0][0]
    answers = [{"films": [film], "grades": [grade]}]
    with pytest.raises(BadFile, match="damaged"):
        read_answers([rated(folder, "ann", answers=answers)], read_key(folder / "key.json"))


@pytest.mark.parametrize("text", ["", "{", "[]", "\udcff", "[" * 100_000])
def test_a_file_that_is_no_json_is_refused(folder, text):
    path = folder / "x.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadFile):
        read_answers([path], read_key(folder / "key.json"))


def test_nobody_is_counted_twice(folder):
    path = rated(folder, "ann")
    with pytest.raises(BadFile, match="rater 'ann' is in"):
        read_answers([path, path], read_key(folder / "key.json"))


def test_without_its_key_nothing_can_be_told(tmp_path):
    (tmp_path / "r.json").write_text("{}")
    done = CliRunner().invoke(app, ["study", "results", str(tmp_path / "r.json")])
    assert isinstance(done.exception, BadFile) and "--key" in str(done.exception)


# ---- the page in a browser -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture
def filmed(tmp_path) -> Path:
    """A study with films that can be played."""
    encoder = pytest.importorskip("live.renderers._encoder", reason="PyAV is not installed (extra `film`)")
    for origin in ("real", "salsa"):
        film = encoder.Film(tmp_path / f"{origin}.mp4", Look(width=96, height=64), 30, sound=False)
        for n in range(10):
            film.picture(np.full((64, 96, 4), 20 * n, np.uint8), n)
        film.close()
    made = [read_film(f"{origin}={tmp_path / origin}.mp4") for origin in ("real", "salsa")]
    make_study(tmp_path / "s", made, pairs=True, title="Whose dance?")
    return tmp_path / "s"


def test_a_rater_goes_through_the_page_without_a_server(browser, filmed, tmp_path):
    with browser.new_page() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((filmed / "page" / "index.html").as_uri())
        page.fill("#rater", "Ann B.")
        page.click("text=Begin")
        assert page.is_disabled("#next")
        for film in page.locator("video").all():
            film.evaluate("film => { film.muted = true; return film.play(); }")
            until(page, "() => [...document.querySelectorAll('video')].every((one) => one.paused)")
        until(page, "() => [...document.querySelectorAll('figure fieldset')].every((one) => !one.disabled)")
        page.keyboard.press("4")
        page.keyboard.press("2")
        assert page.is_disabled("#next")  # which one is liked better is still to be said
        page.click("text=The left one")
        page.click("#next")
        page.wait_for_selector("#save", state="visible")
        page.reload()  # what was graded is kept
        with page.expect_download() as saving:
            page.click("#save")
        saving.value.save_as(tmp_path / "r.json")
    assert all(url.startswith(("file:", "blob:")) for url in asked)
    found = read_answers([tmp_path / "r.json"], read_key(filmed / "key.json"))
    assert sorted(one.grade for one in found.ratings) == [2, 4] and found.ratings[0].rater == "Ann B."
    best = max(found.ratings, key=lambda one: one.grade).origin
    assert found.preferences[0].share == (1.0 if best == found.preferences[0].origins[0] else 0.0)


def test_a_film_that_cannot_be_played_does_not_stop_the_page(browser, tmp_path, films):
    make_study(tmp_path / "s", films, pairs=False)  # these are no films
    with browser.new_page() as page:
        page.goto((tmp_path / "s" / "page" / "index.html").as_uri())
        page.fill("#rater", "ann")
        page.click("text=Begin")
        for _ in films:
            until(page, "() => !document.getElementById('next').disabled")
            page.click("#next")
        assert page.input_value("#text").count("null") == 2 * len(films)  # no grade, nothing liked better


# ---- a recorded dance ----------------------------------------------------------------------------------------------


def test_a_recorded_dance_becomes_a_take(tmp_path):
    pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")
    from live.cli.real_dance import record
    from live.take import read_take

    convert(write_take(tmp_path / "a.take", [standing(n, sway=n / 60) for n in range(60)]), tmp_path / "a.bvh", 0)
    assert "live render" in record(tmp_path / "a.bvh", tmp_path / "b.take", 0.25, 0.5)
    take = read_take(tmp_path / "b.take")
    assert len(take.records) == 30
    wanted = standing(20, sway=20 / 60).joint_positions[0]
    seen = take.records["joint_positions"][5, 0]
    np.testing.assert_allclose(seen - seen[0], wanted - wanted[0], atol=0.02)
    assert np.abs(take.records["root_position"][:, 0, ::2].mean(0)).max() < 1e-4
    with pytest.raises(BadFile, match="exists already"):
        record(tmp_path / "a.bvh", tmp_path / "b.take", 0.0, None)
    with pytest.raises(Unusable, match="begin earlier"):
        record(tmp_path / "a.bvh", tmp_path / "c.take", 99.0, None)
    with pytest.raises(BadFile, match="is no file"):
        record(tmp_path, tmp_path / "c.take", 0.0, None)
