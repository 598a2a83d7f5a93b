"""Engines: the typed graph is what it says, TensorRT-RTX builds it for cards that are not here, the cache knows what is
stale, and `live build-engine` tells what it did."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from fake_cuda import FakeCuda, FakeTensorrt

onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra `gpu`)")

from live.backends import _reference  # noqa: E402
from live.backends._reference import Deviation, deviation, stepping  # noqa: E402
from live.card import find_model, read_card  # noqa: E402
from live.cli.engines import build_engines  # noqa: E402
from live.errors import Failed, MissingExtra, Unusable  # noqa: E402
from live.gpu import cuda, engines  # noqa: E402
from live.gpu.typed import PRODUCTS, by_the_letter, typed  # noqa: E402

FOLDER = find_model("salsa")
GRAPH = FOLDER / "generator.onnx"
CARD = read_card(FOLDER)
KEY = engines.Key("salsa", "abc", "tensorrt_rtx 1.7", "sm89", 1, "fp16", 1)


def needs_rtx(test):
    missing = engines._imported("tensorrt_rtx") is None
    return pytest.mark.skipif(missing, reason="tensorrt-rtx is not installed (extra `gpu`)")(test)


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """An empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "livedance" / "engines"


@pytest.fixture(scope="module", params=["fp16", "fp32"])
def graph(request):
    return request.param, typed(GRAPH, 4, request.param)


# ---- the typed graph ---------------------------------------------------------------------------------------------


def test_every_shape_is_fixed(graph):
    model = onnx.load_from_string(graph[1])
    for value in (*model.graph.input, *model.graph.output):
        sizes = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        assert sizes[0] == 4 and all(sizes), value.name


def test_what_goes_in_and_out_is_float32_in_either_precision(graph):
    model = onnx.load_from_string(graph[1])
    types = {value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)}
    assert types == {onnx.TensorProto.FLOAT}


def test_products_are_of_the_precision_asked_for(graph):
    precision, content = graph
    model = onnx.load_from_string(content)
    halved = {node.output[0] for node in model.graph.node if node.op_type == "Cast" and node.attribute[0].i == 10}
    halved |= {one.name for one in model.graph.initializer if one.data_type == onnx.TensorProto.FLOAT16}
    products = [node for node in model.graph.node if node.op_type in PRODUCTS]
    assert len(products) > 10
    assert all((node.input[1] in halved) == (precision == "fp16") for node in products)


@pytest.mark.parametrize(("precision", "least", "most"), [("fp16", 1e-5, 1e-2), ("fp32", 0.0, 1e-4)])
def test_a_typed_graph_gives_the_reference_as_exactly_as_its_precision(precision, least, most):
    found = deviation(stepping(by_the_letter(typed(GRAPH, 1, precision))), FOLDER, CARD)
    assert least <= found.channels < most and found.joints < 0.002 and found.ticks == 60


# ---- building ----------------------------------------------------------------------------------------------------


@needs_rtx
@pytest.mark.parametrize("gpu", engines.LAPTOPS)
def test_an_engine_builds_for_a_card_that_is_not_here(gpu):
    assert len(engines.build(typed(GRAPH, 1, "fp16"), gpu)) > 1e6


@needs_rtx
def test_an_engine_builds_for_many_dancers_in_single_precision():
    assert len(engines.build(typed(GRAPH, 64, "fp32"), "sm89")) > 1e6


@needs_rtx
def test_half_precision_makes_a_lighter_engine():
    sizes = [len(engines.build(typed(GRAPH, 1, one), "sm86")) for one in ("fp16", "fp32")]
    assert sizes[0] < 0.8 * sizes[1]


@needs_rtx
@pytest.mark.parametrize("content", [b"", b"no graph", typed(GRAPH, 1, "fp32")[:-5000]])
def test_what_is_no_graph_is_refused(content):
    with pytest.raises(Failed, match="TensorRT"):
        engines.build(content, "sm89")


@needs_rtx
def test_a_card_that_tensorrt_rtx_does_not_list_is_refused_by_name():
    with pytest.raises(Unusable, match=r"knows no GPU sm90 .*sm89.*livedance\[tensorrt\]"):
        engines.library("sm90")


def test_a_tensorrt_that_builds_for_the_card_that_is_here_refuses_another(monkeypatch):
    monkeypatch.setattr(cuda, "bindings", lambda: FakeCuda((9, 0)))
    monkeypatch.setattr(engines, "library", lambda gpu: FakeTensorrt(None))
    with pytest.raises(Unusable, match="that is no sm100"):
        engines.build(b"", "sm100")


def test_without_any_tensorrt_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(engines, "_imported", lambda name: None)
    with pytest.raises(MissingExtra, match=r"livedance\[gpu\]"):
        engines.library.__wrapped__("sm89")


# ---- the cache ---------------------------------------------------------------------------------------------------


@pytest.fixture
def builds(monkeypatch):
    """Each build is noted, and gives what it was the n-th of."""
    done = []

    def build(graph, gpu):
        done.append(gpu)
        return f"engine {len(done)}".encode()

    monkeypatch.setattr(engines, "build", build)
    monkeypatch.setattr(engines, "graph", lambda path, batch, precision: b"")
    return done


def test_an_engine_is_made_once(builds):
    assert engines.engine(GRAPH, KEY) == (b"engine 1", True)
    assert engines.engine(GRAPH, KEY) == (b"engine 1", False)


@pytest.mark.parametrize(
    "change",
    [{"model": "abd"}, {"tensorrt": "tensorrt_rtx 1.8"}, {"recipe": 2}, {"gpu": "sm86"}, {"batch": 2},
     {"precision": "fp32"}],
)  # fmt: skip
def test_an_engine_is_made_anew_when_what_it_was_made_of_has_changed(builds, change):
    engines.engine(GRAPH, KEY)
    assert engines.engine(GRAPH, replace(KEY, **change)) == (b"engine 2", True)


def test_a_stale_engine_and_its_kernels_are_replaced(builds, home):
    engines.engine(GRAPH, KEY)
    engines.write(engines.kernels(KEY), b"compiled")
    engines.engine(GRAPH, replace(KEY, model="abd"))
    assert sorted(file.name for file in home.iterdir()) == ["salsa-fp16-1-sm89.engine", "salsa-fp16-1-sm89.json"]


def test_engines_for_other_cards_dancers_and_precisions_lie_beside_each_other(builds):
    others = [KEY, replace(KEY, gpu="sm86"), replace(KEY, batch=2), replace(KEY, precision="fp32")]
    for key in others:
        engines.engine(GRAPH, key)
    assert not any(engines.engine(GRAPH, key)[1] for key in others)


@pytest.mark.parametrize("ending", ["engine", "json"])
@pytest.mark.parametrize("content", [b"", b"engine 2", b"\xff\xfe", b"[]", None])
def test_a_damaged_or_missing_file_is_made_again(builds, home, ending, content):
    engines.engine(GRAPH, KEY)
    path = home / f"{KEY.stem}.{ending}"
    path.unlink() if content is None else path.write_bytes(content)
    assert engines.engine(GRAPH, KEY)[1]
    assert not engines.engine(GRAPH, KEY)[1]


def test_a_model_may_be_called_anything(builds, home):
    engines.engine(GRAPH, replace(KEY, name="../../dance: fast/slow"))
    assert all(file.parent == home for file in home.iterdir()) and len([*home.iterdir()]) == 2


def test_a_cache_that_cannot_be_written_is_told_in_one_line(builds, home):
    home.parent.mkdir(parents=True)
    home.write_text("a file is in the way")
    with pytest.raises(Unusable, match="cannot be written"):
        engines.engine(GRAPH, KEY)


# ---- live build-engine -------------------------------------------------------------------------------------------


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(cuda, "bindings", lambda: None)


@needs_rtx
def test_the_command_makes_engines_and_tells_how_exact_they_are(no_gpu, builds, monkeypatch):
    monkeypatch.setattr(engines, "graph", typed)
    monkeypatch.setattr(_reference, "deviation", lambda *given: Deviation(2e-3, 1e-4, 60))
    said = []
    build_engines("salsa", ["fp16"], [1, 8], [], said.append)
    assert builds == [*engines.LAPTOPS] * 2 and len(said) == 7
    assert "salsa-fp16-8-sm120.engine made in" in said[5]
    assert said[6].startswith(
        "fp16: at most 2.0e-03 from reference.npz in any channel and 0.10 mm in any joint, over 60"
    )
    assert "the engine did not run" in said[6]
    build_engines("salsa", ["fp16"], [1], ["SM89"], said.append)
    assert "salsa-fp16-1-sm89.engine is there already" in said[7]


@needs_rtx
def test_what_is_kept_is_told_with_all_that_it_depends_on(no_gpu, builds, home):
    engines.engine(GRAPH, engines.key(CARD.name, CARD.sha256["generator.onnx"], "sm89", 1, "fp16"))
    note = json.loads((home / "salsa-fp16-1-sm89.json").read_text())
    assert note["model"] == CARD.sha256["generator.onnx"] and note["tensorrt"].startswith("tensorrt_rtx 1.")


def test_an_unknown_precision_is_refused(no_gpu):
    with pytest.raises(Unusable, match="int8: choose one of fp16, fp32"):
        build_engines("salsa", ["int8"], [1], [], print)
