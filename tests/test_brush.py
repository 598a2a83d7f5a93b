"""What paints a renderer's pictures: on a stand-in for CUDA TensorRT paints what the CPU does, engines build for cards
that are not here, and whatever is lost is gone on without."""

from __future__ import annotations

import json

import numpy as np
import pytest
from renderers import SIZE, echo_graph, folder_with, points

onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra `gpu`)")

from live.errors import BadModel, Unusable  # noqa: E402
from live.frames.brush import on_cpu, on_tensorrt  # noqa: E402
from live.frames.easel import open_easel  # noqa: E402
from live.frames.folder import GRAPH, find_renderer, read_renderer  # noqa: E402
from live.gpu import cuda, engines  # noqa: E402
from live.gpu.typed import PRODUCTS, typed  # noqa: E402

PUPPET = find_renderer("puppet")


@pytest.fixture
def folder(tmp_path):
    """A renderer that shows the map."""
    return folder_with(tmp_path / "nobody", echo_graph())


def filmed(easel, count=4):
    """So many pictures of somebody who moves."""
    state, pictures = easel.initial_state(), []
    for place in points(count):
        picture, state = easel.paint(place, state)
        pictures.append(picture)
    return np.stack(pictures)


# ---- engines -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_pictures_go_in_and_out_as_bytes_and_products_are_of_the_precision_asked_for(precision):
    model = onnx.load_from_string(typed(PUPPET / GRAPH, 1, precision))
    types = {value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)}
    assert types == {onnx.TensorProto.UINT8}
    halved = {one.name for one in model.graph.initializer if one.data_type == onnx.TensorProto.FLOAT16}
    products = [node for node in model.graph.node if node.op_type in PRODUCTS]
    assert {node.op_type for node in products} == {"Conv", "ConvTranspose"}
    assert all((node.input[1] in halved) == (precision == "fp16") for node in products)


@pytest.mark.skipif(engines._imported("tensorrt_rtx") is None, reason="tensorrt-rtx is not installed (extra `gpu`)")
@pytest.mark.parametrize("gpu", engines.LAPTOPS)
def test_the_shipped_renderers_engine_builds_for_a_card_that_is_not_here(gpu):
    assert len(engines.build(typed(PUPPET / GRAPH, 1, "fp16"), gpu)) > 1e6


def test_a_renderers_engine_is_kept_beside_that_of_a_model_of_the_same_name(folder, trt, tmp_path):
    on_tensorrt(folder, read_renderer(folder))
    note = json.loads((tmp_path / "livedance/engines/nobody-renderer-fp16-1-sm89.json").read_text())
    assert note["model"] == read_renderer(folder).sha256[GRAPH]


# ---- painting ----------------------------------------------------------------------------------------------------


def test_tensorrt_paints_what_the_cpu_paints(folder, trt):
    np.testing.assert_array_equal(filmed(open_easel(folder, "tensorrt")), filmed(open_easel(folder, "cpu")))


def test_the_shipped_renderer_paints_the_same_on_tensorrt(trt):
    one, other = (filmed(open_easel(PUPPET, name), 2).astype(int) for name in ("tensorrt", "cpu"))
    assert np.abs(one - other).max() <= 1 and np.ptp(other) > 100


def test_a_picture_is_one_recorded_graph(folder, fake, trt):
    easel = open_easel(folder, "tensorrt")
    executed = trt.executed
    filmed(easel, 5)
    assert (trt.executed, fake.launched) == (executed, 5)


def test_what_cannot_be_recorded_is_painted_step_by_step(folder, fake, trt):
    trt.capturable = False
    assert filmed(open_easel(folder, "tensorrt")).max() == 255 and not fake.launched


def test_a_picture_that_somebody_kept_does_not_change(folder, trt):
    easel = open_easel(folder, "tensorrt")
    _, state = easel.paint(points(9)[0], easel.initial_state())
    before = state.copy()
    easel.paint(points(9)[8], state)
    np.testing.assert_array_equal(state, before)


# ---- choosing, and going on --------------------------------------------------------------------------------------


def test_auto_takes_tensorrt_first_and_tells_where_it_paints(folder, trt):
    assert open_easel(folder, "auto").told == "nobody on fake_tensorrt 1, fp16, A fake GPU"


def test_auto_tells_why_it_takes_nothing_better_than_the_cpu(folder, monkeypatch):
    monkeypatch.setattr(cuda, "bindings", lambda: None)
    monkeypatch.setattr(engines, "_imported", lambda name: None)
    engines.library.cache_clear()
    told = open_easel(folder, "auto").told
    assert told.startswith("nobody on ONNX Runtime ") and " CPU (tensorrt: not installed; cuda: " in told


def test_an_engine_that_cannot_be_loaded_is_a_reason_to_take_the_next_one(folder, trt, monkeypatch):
    monkeypatch.setattr(engines, "build", lambda graph, gpu: b"")
    assert "CPU (tensorrt: the engine cannot be loaded" in open_easel(folder, "auto").told
    with pytest.raises(Unusable, match="provider tensorrt: the engine cannot be loaded"):
        open_easel(folder, "tensorrt")


def test_a_graph_that_is_not_its_cards_is_refused_on_any_device(tmp_path, trt):
    other = folder_with(tmp_path / "other", echo_graph(), size=2 * SIZE)
    for name in ("auto", "tensorrt", "cpu"):
        with pytest.raises(BadModel, match="its card says"):
            open_easel(other, name)


def test_a_lost_gpu_leaves_the_film_to_the_cpu(folder, fake, trt):
    easel, whole = open_easel(folder, "tensorrt"), filmed(open_easel(folder, "cpu"), 6)
    state = easel.initial_state()
    for n, place in enumerate(points(6)):
        fake.broken = "cudaGraphLaunch" if n == 3 else ""
        picture, state = easel.paint(place, state)
        np.testing.assert_array_equal(picture, whole[n])
    assert "CPU (fake_tensorrt 1, fp16, A fake GPU was lost: cudaGraphLaunch: " in easel.told


def test_what_the_cpu_cannot_paint_either_is_told(folder):
    easel = open_easel(folder, "cpu")
    with pytest.raises(Exception, match="dimensions"):
        easel.paint(points()[0], np.zeros((1, 3, 7, 7), np.uint8))


@pytest.mark.gpu
@pytest.mark.skipif(bool(engines.missing()), reason=f"TensorRT: {engines.missing()}")
def test_on_a_real_gpu_half_precision_paints_the_puppet_all_the_same():
    card = read_renderer(PUPPET)
    maps = np.zeros((1, card.planes, card.size, card.size), np.uint8)
    before = np.full((1, 3, card.size, card.size), 128, np.uint8)
    one, other = on_tensorrt(PUPPET, card).paint(maps, before), on_cpu(PUPPET, card, 2).paint(maps, before)
    assert np.abs(one.astype(int) - other).mean() < 1.0
