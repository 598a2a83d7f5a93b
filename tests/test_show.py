"""The show file: what is wrong is told in one line that names the key, the value and what is valid."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live.errors import BadFile, Unusable
from live.show import LARGEST_FILE, Show, Stage, make_show, read_show


@pytest.fixture
def show_file(tmp_path):
    """Writes a show file and gives its path."""

    def write(content):
        path = tmp_path / "show.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refusal(call, *arguments):
    """The one line that a call is refused with."""
    with pytest.raises(Unusable) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_show_with_everything_in_it(show_file):
    values = read_show(
        show_file("""
        input = "song.ogg"
        model = "salsa"
        backend = "cpu"
        output = ["vmc://10.0.0.7", "take:a.take"]
        dancers = 3
        style = "lead=0.5"
        anticipation = -20
        temperature = 0.4
        duration = 90.5
        seed = 7
        [stage]
        radius = 3.5
        spacing = 1
        entrance = 0
        """)
    )
    show = make_show(values, "here")
    assert (show.output, show.dancers, show.anticipation) == (["vmc://10.0.0.7", "take:a.take"], 3, -20.0)
    assert (show.stage.radius, show.stage.spacing, show.stage.entrance) == (3.5, 1.0, 0.0)


def test_an_empty_file_is_the_default_show(show_file):
    assert make_show(read_show(show_file("")), "here") == Show()


def test_an_unknown_key_lists_the_valid_ones(show_file):
    line = refusal(read_show, show_file('imput = "demo"'))
    assert "unknown key 'imput'" in line and "show.toml" in line
    assert line.endswith("valid keys are " + ", ".join(Show.model_fields))


def test_an_unknown_key_of_the_stage_lists_the_stages_keys(show_file):
    line = refusal(read_show, show_file("[stage]\nwidth = 3"))
    assert line.endswith("unknown key 'stage.width'; valid keys are " + ", ".join(Stage.model_fields))


def test_an_unknown_table_is_an_unknown_key(show_file):
    assert "unknown key 'lights'" in refusal(read_show, show_file("[lights]\non = true"))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('dancers = "two"', "dancers"),
        ("dancers = 0", "dancers"),
        ("dancers = 65", "dancers"),
        ("dancers = 1.5", "dancers"),
        ('output = "null:"', "output"),
        ("output = [1]", "output.0"),
        ("backend = 'quantum'", "backend"),
        ("input = 3", "input"),
        ("anticipation = nan", "anticipation"),
        ("anticipation = 1001", "anticipation"),
        ("temperature = -0.1", "temperature"),
        ("temperature = nan", "temperature"),
        ("duration = 0", "duration"),
        ("duration = nan", "duration"),
        ("seed = -1", "seed"),
        ("seed = 4294967296", "seed"),
        ("stage = 2", "stage"),
        ("[stage]\nradius = 0", "stage.radius"),
        ("[stage]\nradius = inf", "stage.radius"),
        ("[stage]\nspacing = 'wide'", "stage.spacing"),
        ("[stage]\nentrance = -1", "stage.entrance"),
    ],
)
def test_a_wrong_value_is_told_with_its_key(show_file, text, key):
    assert f"'{key}' is " in refusal(read_show, show_file(text))


def test_the_wrong_value_itself_is_told(show_file):
    assert "'backend' is 'quantum': input should be 'auto', " in refusal(read_show, show_file("backend = 'quantum'"))


@pytest.mark.parametrize(
    "content", ["input = demo", "[stage", "a = 1\na = 2", b"\xff\xfe", b"\x00" * 10, "{}", "a = " + "[" * 5000]
)
def test_what_is_not_toml_is_said_to_be_none(show_file, content):
    assert "show.toml: is not TOML: " in refusal(read_show, show_file(content))


def test_a_file_that_is_too_large_is_not_read(show_file):
    assert f"is larger than {LARGEST_FILE} bytes" in refusal(read_show, show_file(b"#" * (LARGEST_FILE + 1)))


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert "No such file" in refusal(read_show, tmp_path / "none.toml")
    assert "Is a directory" in refusal(read_show, tmp_path)


def test_a_file_that_cannot_be_read_is_a_bad_file(tmp_path):
    with pytest.raises(BadFile):
        read_show(tmp_path / "none.toml")


def test_options_override_the_file(show_file):
    values = read_show(show_file("dancers = 3\nseed = 7")) | {"dancers": 2}
    show = make_show(values, "options")
    assert (show.dancers, show.seed) == (2, 7)


def test_a_show_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Show().dancers = 2


@given(
    st.dictionaries(st.sampled_from([*Show.model_fields, "other"]), st.none() | st.text() | st.floats() | st.integers())
)
@settings(deadline=None)
def test_any_values_are_a_show_or_one_line(values):
    try:
        show = make_show(values, "here")
    except Unusable as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert 1 <= show.dancers <= 64


@given(st.binary(max_size=60))
@settings(deadline=None, max_examples=200)
def test_any_bytes_are_a_show_or_one_line(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    try:
        values = read_show(path)
    except Unusable as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert set(values) <= set(Show.model_fields)
