"""A camera and a detector's faults, on a dancer whose truth is known; cleaning brings the dancer back."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="scipy is not installed (extra `train`)")

from test_people import body

from live.keypoints import normalised
from live.train.camera import CENTRE, FOCAL, Faults, detected, projected, runs
from live.train.people import filled_named, filtered, followed


def test_a_metre_at_six_metres_is_as_many_pixels():
    space = np.array([[[0.5, 1.2, 0], [-0.5, 1.2, 0], [0, 1.7, 0], [0, 0.7, 0]]], np.float32)
    right, left, above, below = projected(space)[0]
    assert right[0] - left[0] == pytest.approx(FOCAL / 6) and below[1] - above[1] == pytest.approx(FOCAL / 6)
    assert (right + left)[0] / 2 == pytest.approx(CENTRE[0])


def test_faults_come_in_runs_and_as_often_as_asked():
    found = runs(20_000, 3, 0.1, np.random.default_rng(0))
    assert found.mean() == pytest.approx(0.1, abs=0.02)
    assert np.diff(found[:, 0].astype(int)).clip(0).sum() < 0.5 * found[:, 0].sum()


def test_without_faults_the_detector_sees_the_truth():
    people = detected(body(), body(), Faults(0, 0, 0, 0), np.random.default_rng(0))
    assert np.allclose(followed(people), body())


def test_cleaning_brings_most_of_the_dancer_back():
    truth = body(frames=600)
    people = detected(truth, body(frames=600, place=700.0), Faults(), np.random.default_rng(0))
    first = np.stack([seen[0, :, :2] for seen in people])
    cleaned = filled_named(filtered(followed(people)))[0]
    errors = [np.linalg.norm(normalised(x) - normalised(truth), axis=-1).mean() for x in (first, cleaned)]
    assert errors[1] < 0.1 * errors[0]
