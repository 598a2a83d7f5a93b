"""A headless Chromium for the tests of pages; skipped with the reason where there is none."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

FLAGS = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist", "--mute-audio"]
"""WebGL without a graphics card."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra `dev`)")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("Chromium is not installed: apt install chromium")
    with driver.sync_playwright() as player:
        try:
            opened = player.chromium.launch(executable_path=found, args=FLAGS, chromium_sandbox=False)
        except driver.Error as error:
            pytest.skip(f"Chromium does not start here: {str(error).splitlines()[0]}")
        with opened:
            yield opened


def until(page: Any, expression: str, argument: Any = None, seconds: float = 15.0) -> None:
    """Wait until `expression` holds on the page. (A page that forbids `eval` cannot be waited for by Playwright.)"""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression, argument):
        assert time.monotonic() < deadline, f"{expression} did not come true on the page"
        time.sleep(0.02)
