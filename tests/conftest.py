"""Fixtures for every test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dancers import Memory
from fake_cuda import FakeCuda, FakeTensorrt

from live.gpu import cuda, engines
from live.lab import pulse


@pytest.fixture(scope="session")
def virtual_microphone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pulse.VirtualMicrophone]:
    """A running virtual microphone for a real PortAudio capture; skips where there can be none."""
    if reason := pulse.missing():
        pytest.skip(f"no virtual microphone: {reason}")
    folder: Path = tmp_path_factory.mktemp("pulse")
    with pulse.virtual_microphone(folder) as microphone:
        yield microphone


@pytest.fixture(scope="session")
def dance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A take of four seconds in which the shipped model dances to the demo."""
    path: Path = tmp_path_factory.mktemp("dance") / "demo.take"
    show = ["perform", "--input", "demo", "--fast", "--duration", "4", "--control", "off", "--output", f"take:{path}"]
    subprocess.run([sys.executable, "-m", "live", *show], check=True, capture_output=True)
    return path


@pytest.fixture
def memory() -> Iterator[Memory]:
    """A ring with poses in it, gone afterwards."""
    made = Memory()
    yield made
    made.fields.clear()
    made.ring.unlink()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeCuda:
    """A fake GPU, and an empty cache of engines."""
    fake = FakeCuda()
    monkeypatch.setattr(cuda, "bindings", lambda: fake)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return fake


@pytest.fixture
def trt(fake: FakeCuda, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTensorrt]:
    """A fake TensorRT, whose engines are their graphs."""
    pytest.importorskip("onnx", reason="an engine is made of a graph by onnx: install livedance[gpu]")
    trt = FakeTensorrt(fake)
    monkeypatch.setattr(engines, "_imported", lambda name: trt if name == "tensorrt_rtx" else None)
    monkeypatch.setattr(engines, "build", lambda graph, gpu: graph)
    engines.library.cache_clear()
    engines.logger.cache_clear()
    yield trt
    engines.library.cache_clear()
    engines.logger.cache_clear()
