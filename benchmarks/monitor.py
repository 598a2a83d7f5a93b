"""The monitor page: ten minutes in a headless Chromium, fifty browsers at once, and what they cost the tick.

    python benchmarks/monitor.py [--seconds 600]
    python benchmarks/monitor.py --picture docs/images/monitor.png     only a picture of the page, while it dances

The fifty are WebSockets that read and ask as the page does, and one more that never reads. Needs Chromium, and the
extras `monitor` and `dev`. It exits 0 whether limits are reached or not.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import measure
import psutil
from playwright.sync_api import Page, sync_playwright

URL = "http://127.0.0.1:8017/"
CONTROL = "127.0.0.1:9017"
BROWSERS = 50
FLAGS = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist", "--mute-audio"]
SMALL, LARGE = {"width": 480, "height": 640}, {"width": 1400, "height": 850}
PICTURED = 21.0
"""Seconds into the demo at which the picture is taken."""
MB = 1e6


@contextlib.contextmanager
def performing(seconds: float, *more: str, report: Path | None = None) -> Iterator[psutil.Process]:
    """A show of so many seconds with its page; what is yielded is the show's process. Ends when the show does."""
    told = ["--report", str(report)] if report is not None else []
    command = [sys.executable, "-m", "live", "perform", "--input", "demo", "--output", "null:", "--no-preview"]
    command += ["--duration", str(seconds), "--control", CONTROL, *more, *told]
    with subprocess.Popen(command, cwd=measure.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as show:
        try:
            if "--monitor" in more:
                assert show.stdout is not None
                if not any("monitor page" in line for line in show.stdout):
                    sys.exit(f"live perform told of no page: {show.communicate()[1]}")
            yield psutil.Process(show.pid)
        finally:
            _, complaint = show.communicate()
    if show.returncode:
        sys.exit(f"live perform failed with status {show.returncode}: {complaint.strip()}")


def monitored(seconds: float, *more: str, report: Path | None = None) -> Any:
    """The same, with its page."""
    return performing(seconds, *more, "--monitor", URL.removeprefix("http://").rstrip("/"), report=report)


@contextlib.contextmanager
def looking(size: dict[str, int]) -> Iterator[Page]:
    """The page in a browser."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=found, args=FLAGS, chromium_sandbox=False)
        page = browser.new_page(viewport=size)
        page.goto(URL)
        yield page
        browser.close()


def server_of(show: psutil.Process) -> psutil.Process:
    """The process that serves the page."""
    return next(child for child in show.children() if "live.renderers.monitor" in child.cmdline())


def watched(seconds: float) -> dict[str, Any]:
    """The page for so many seconds: frames a second, the memory of page (after a collection) and server."""
    with monitored(1.2 * seconds + 120) as show, looking(SMALL) as page:
        server, session = server_of(show), page.context.new_cdp_session(page)

        def state() -> dict[str, float]:
            session.send("HeapProfiler.collectGarbage")
            heap = session.send("Runtime.getHeapUsage")["usedSize"] / MB
            return {"at_s": time.monotonic() - begun, "heap_mb": heap, "server_mb": server.memory_info().rss / MB,
                    "frames": page.evaluate("monitor.frames")}  # fmt: skip

        begun, states = time.monotonic(), []
        for n in range(1, 12):
            page.wait_for_timeout(1e3 * max(0.0, begun + n * seconds / 11 - time.monotonic()))
            states.append(state())
        newest = page.evaluate("monitor.frame.sequence")
        page.wait_for_timeout(1000)
        alive = page.evaluate("monitor.frame.sequence") - newest
        show.send_signal(signal.SIGINT)
    first, last = states[1], states[-1]
    span = last["at_s"] - first["at_s"]
    return {"states": states, "frames_per_s": (last["frames"] - first["frames"]) / span, "poses_in_last_s": alive,
            "heap_growth_mb": last["heap_mb"] - first["heap_mb"],
            "server_growth_mb": last["server_mb"] - first["server_mb"]}  # fmt: skip


async def browse(session: aiohttp.ClientSession, until: float, seen: list[tuple[float, float]]) -> None:
    """One of the fifty: (when, show time) of each frame."""
    async with session.ws_connect(URL + "show") as page:
        while time.monotonic() < until:
            message = await page.receive(timeout=10)
            if message.type is aiohttp.WSMsgType.BINARY:
                seen.append((time.monotonic(), struct.unpack_from("<2d", message.data)[1]))
                await page.send_str("next")


async def crowd(seconds: float) -> list[list[tuple[float, float]]]:
    """Fifty that read, one that never does."""
    until, seen = time.monotonic() + seconds, [list[tuple[float, float]]() for _ in range(BROWSERS)]
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session, session.ws_connect(URL + "show"):
        await asyncio.gather(*(browse(session, until, one) for one in seen))
    return seen


def crowded(seconds: float, report: Path) -> dict[str, Any]:
    """What each of fifty is shown: frames a second, and how much older than the newest any of them saw."""
    with monitored(seconds + 8, report=report):
        seen = asyncio.run(crowd(seconds))
    ages = [when - told for one in seen for when, told in one[5:]]  # of each picture, but for when the show began
    return {
        "browsers": BROWSERS,
        "fewest_frames_per_s": min(map(len, seen)) / seconds,
        "latest_s": max(ages) - min(ages),
    }


def tick_p99(report: Path) -> float:
    return float(json.loads(report.read_text())["stage_ms"]["total"]["p99"])


def picture(out: Path) -> None:
    """The page while it dances."""
    show = str(measure.ROOT / "examples" / "show.toml")
    with monitored(PICTURED + 12, show, "--monitor-orders") as _, looking(LARGE) as page:
        while page.evaluate("globalThis.monitor?.frame?.time ?? 0") < PICTURED:
            page.wait_for_timeout(50)
        page.screenshot(path=out)
    print(f"{out}: {out.stat().st_size / MB:.2f} MB")


def main() -> None:
    parser = measure.options(__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="in the browser (default: %(default)g)")
    parser.add_argument("--picture", type=Path, help="write a picture of the page here, and nothing else")
    given = parser.parse_args()
    if given.picture is not None:
        picture(given.picture)
        return
    short = min(given.seconds, 30.0)
    with tempfile.TemporaryDirectory() as name:
        report = Path(name) / "report.json"
        with performing(short, report=report):
            pass
        alone = tick_p99(report)
        many = crowded(short, report)
        beside = tick_p99(report)
        page = watched(given.seconds)
    limits = {
        "page: growth of its heap": measure.compared(page["heap_growth_mb"], 1.0, "MB"),
        "page: growth of the server": measure.compared(page["server_growth_mb"], 1.0, "MB"),
        "fifty: the oldest picture": measure.compared(1e3 * many["latest_s"], 500.0, "ms"),
        "tick p99 beside fifty, times alone": measure.compared(beside / max(alone, 1e-6), 1.1, ""),
    }
    values = {"limits": limits, "page": page, "fifty": many, "tick_p99_ms": {"alone": alone, "beside fifty": beside}}
    measure.write("monitor", values, None, given.out)


if __name__ == "__main__":
    main()
