"""How a dance is drawn, as options."""

import pytest

from live.errors import BadTarget, Unusable
from live.look import Look, make_look
from live.outputs import film, webcam, window


def test_options_change_what_they_name_and_nothing_else():
    told = {"size": "640x360", "camera": "orbit", "background": "00ff00", "trails": "0"}
    assert make_look(told, "here") == Look(640, 360, "orbit", "00ff00", trails=False)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [("size", "640", "1280x720"), ("size", "641x360", "even"), ("size", "99999x360", "even"),
     ("camera", "top", "orbit"), ("background", "green", "00ff00"), ("beat", "yes", "0, 1")],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_refused_with_what_does(name, value, told):
    with pytest.raises(Unusable, match=rf"^here: {name}[^\n]*{told}"):
        make_look({name: value}, "here")


@pytest.mark.parametrize(
    ("opener", "uri", "told"),
    [(film, "film:show.avi", r"\.mp4 or \.mov"), (film, "film:show.mp4?background=transparent", r"show\.mov"),
     (film, "film:", "no file"),
     (film, "film:show.mp4?fps=0", "within 1 to 60"), (film, "film:a.mp4?text=1", "unknown"),
     (window, "window:?background=transparent", "00ff00"), (window, "window:?display=x", "within 0 to 15"),
     (window, "window:main", "names a place"), (window, "window:?zoom=1", "unknown option"),
     (webcam, "webcam:?fps=0", "within 1 to 60")],
)  # fmt: skip
def test_a_uri_that_makes_no_sense_is_refused_in_one_line(opener, uri, told):
    with pytest.raises((BadTarget, Unusable), match=rf"^[^\n]*{told}[^\n]*$"):
        opener.open_output(uri)
