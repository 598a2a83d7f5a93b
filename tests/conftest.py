"""Fixtures for every test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dancers import Memory

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
