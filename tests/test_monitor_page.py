"""The monitor page in a headless Chromium: it shows the pose that VMC sends, its keys and sliders give orders."""

from __future__ import annotations

import socket
import time

import numpy as np
import pytest
from avatars import vrm
from browser import chromium, until
from dancers import standing
from output_poses import pose
from pythonosc.osc_message import OscMessage

pytest.importorskip("aiohttp", reason="aiohttp is not installed (extra `monitor`)")

from live import skeleton
from live.outputs import monitor, vmc
from live.streams.vmc import open_stream

TOLD = {
    "model": "salsa", "backend": "CPU", "input": "demo", "time": 61.0, "level_db": -12.0, "ticks_per_s": 30.0,
    "beats_per_bar": 4, "misses": 0, "overflows": 0, "dropped": 0, "recoveries": 1,
    "lines": ["3.0 s: a microphone is back"], "targets": [["null:", 60, 0]], "notice": "",
    "ticks": {"count": 1, "ms": [[0.1] * 7]},
}  # fmt: skip
ASKED = {
    "freeze": False, "neutral": False, "mirror": False, "intensity": 0.9, "temperature": 0.5, "anticipation": 0.0,
    "style": [0.25, 0.75], "styles": ["follow", "lead"], "cues": ["drop"], "setlist": ["drop"],
    "last": "", "waiting": 0,
}  # fmt: skip
TOLERANCE = 0.01


def free_port() -> int:
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return asking.getsockname()[1]


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def control():
    """Where the show would hear orders."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(2.0)
        yield made


@pytest.fixture(scope="module")
def output(control):
    made = monitor.open_output(f"monitor://127.0.0.1:{free_port()}?orders=1")
    made.open(2, True)
    made.watch(TOLD | {"asked": ASKED, "orders_at": f"127.0.0.1:{control.getsockname()[1]}"})
    yield made
    made.close()


@pytest.fixture(scope="module")
def page(browser, output):
    made = browser.new_page(viewport={"width": 500, "height": 700})
    faults: list[str] = []
    made.on("pageerror", lambda error: faults.append(str(error)))
    made.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    made.goto(output.url)
    output.send(standing(0, 2))
    until(made, "globalThis.monitor?.frame && !document.getElementById('orders').disabled")
    yield made
    assert not faults


def drawn(page, output, posed, dancer=0):
    """Joints [22][3] on the page once it draws this pose."""
    output.send(posed)
    until(page, "n => monitor.frame?.sequence === n", posed.sequence)
    return page.evaluate("n => monitor.joints(n)", dancer)


def test_it_shows_the_pose_that_vmc_sends(page, output):
    port = free_port()
    stream, sender = open_stream(f"vmc://127.0.0.1:{port}", 1), vmc.open_output(f"vmc://127.0.0.1:{port}")
    sender.open(1, True)
    try:
        for n in range(1, 6):
            seen = drawn(page, output, pose(n, 2))
            one = pose(n, 2)
            one.root_position, one.local_rotations, one.joint_positions = (
                one.root_position[:1], one.local_rotations[:1], one.joint_positions[:1])  # fmt: skip
            sender.send(one)
            deadline = time.monotonic() + 2
            while not stream.read() and time.monotonic() < deadline:
                time.sleep(0.01)
            sent = stream.pose(n, 0.0, 0.0).joint_positions[0]
            np.testing.assert_allclose(np.array(seen), sent, atol=TOLERANCE)
    finally:
        sender.close()
        stream.close()


def test_all_dancers_are_shown(page, output):
    posed = pose(20, 2)
    np.testing.assert_allclose(drawn(page, output, posed, 1), posed.joint_positions[1], atol=1e-4)


def test_how_the_show_goes_is_written_there(page):
    text = page.inner_text("main")
    assert "a microphone is back" in text and "null:" in text and "total" in text
    assert page.input_value("#intensity") == "0.9" and page.inner_text("#clock") == "1:01"
    assert page.evaluate("document.getElementById('histogram').width") > 0


def order(control):
    message = OscMessage(control.recv(2048))
    return message.address, message.params


@pytest.mark.parametrize(
    ("key", "address", "values"),
    [
        ("f", "/live/freeze", ["toggle"]),
        ("n", "/live/neutral", ["toggle"]),
        ("t", "/live/tempo/tap", []),
        (" ", "/live/cue", ["next"]),
        (",", "/live/tempo/nudge", [-10.0]),
    ],
)
def test_keys_give_orders(page, control, key, address, values):
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(key)
    assert order(control) == (address, values)


def test_buttons_and_sliders_give_orders(page, control):
    page.click("text=Freeze")
    assert order(control) == ("/live/freeze", ["toggle"])
    page.locator("[data-order='tempo/tap']").click()
    assert order(control) == ("/live/tempo/tap", [])
    page.focus("#intensity")
    page.keyboard.press("ArrowRight")
    address, (value,) = order(control)
    assert address == "/live/intensity" and value == pytest.approx(0.95)
    page.focus("#styles input >> nth=0")
    page.keyboard.press("Home")
    assert order(control) == ("/live/style", ["lead=0.75"])
    page.click("#cues >> text=drop")
    assert order(control) == ("/live/cue", ["drop"])


def test_everything_can_be_reached_by_the_keyboard(page):
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.dataset.order || document.activeElement.id"))
    assert {"dancers", "front", "freeze", "neutral", "tempo/tap", "mirror", "intensity", "temperature"} <= reached


def complete(document):
    """What a browser's loader wants beside the humanoid."""
    document |= {"scenes": [{"nodes": [0]}], "scene": 0}
    for name, extension in document["extensions"].items():
        document["extensionsUsed"] = [name]
        if name == "VRM":
            extension |= {"specVersion": "0.0", "meta": {"title": "A"}, "materialProperties": []}
        else:
            extension |= {"specVersion": "1.0", "meta": {
                "name": "A", "authors": ["B"], "licenseUrl": "https://vrm.dev/licenses/1.0/"}}  # fmt: skip


@pytest.mark.parametrize("version", [0, 1])
def test_an_avatar_dances_the_same(page, output, tmp_path, version):
    page.set_input_files("#avatar", vrm(tmp_path / "a.vrm", version, damage=complete))
    page.wait_for_selector("#skeleton:visible")
    posed = pose(30 + version, 2)
    seen = drawn(page, output, posed)
    page.click("#skeleton")
    np.testing.assert_allclose(np.array(seen), posed.joint_positions[0], atol=TOLERANCE)


def test_an_avatar_without_some_bones_dances_with_those_it_has(page, output, tmp_path):
    lacking = ("upperChest", "neck", "leftShoulder", "rightShoulder", "leftToes", "rightToes")
    page.set_input_files("#avatar", vrm(tmp_path / "a.vrm", lacking=lacking, damage=complete))
    page.wait_for_selector("#skeleton:visible")
    posed = standing(40, 2, sway=0.5)
    seen = drawn(page, output, posed)
    page.click("#skeleton")
    for bone, place in zip(skeleton.BONES, seen, strict=True):
        if bone not in lacking:
            np.testing.assert_allclose(place, posed.joint_positions[0, skeleton.INDEX[bone]], atol=TOLERANCE)


def test_a_file_that_is_no_avatar_is_told_in_one_line(page, tmp_path):
    (tmp_path / "x.vrm").write_bytes(b"glTF" + b"\0" * 40)
    page.set_input_files("#avatar", tmp_path / "x.vrm")
    until(page, "document.getElementById('stage-note').textContent.includes('no VRM')")


def test_nothing_is_fetched_from_elsewhere(browser, output):
    asked: list[str] = []
    with browser.new_page() as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(output.url)
        until(page, "globalThis.monitor")
    assert asked and all(url.startswith((output.url, "blob:", "data:")) for url in asked)


def test_a_narrow_screen_needs_no_scrolling_sideways(browser, output):
    with browser.new_page(viewport={"width": 360, "height": 640}) as page:
        page.goto(output.url)
        until(page, "globalThis.monitor")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_beats_that_no_frame_was_shown_at_are_drawn_too(page):
    beats = page.evaluate("""async () => {
        const { Outline } = await import("./stream.js"), outline = new Outline();
        const frame = (heard, beats, phase, barPhase) => ({ heard, beats, phase, barPhase, barConfidence: 1, bpm: 120,
            columns: 0 });
        outline.add(frame(60, 1, 0, 0.25));
        outline.add(frame(270, 4, 0.5, 0.125));
        return outline.beats;
    }""")
    assert [round(beat["at"]) for beat in beats] == [60, 120, 180, 240]
    assert [beat["first"] for beat in beats] == [False, False, False, True]


def test_without_webgl_all_but_the_dancers_is_there(browser, output):
    with browser.new_page() as page:
        page.add_init_script("""const before = HTMLCanvasElement.prototype.getContext;
            HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
                return kind.startsWith("webgl") ? null : before.call(this, kind, ...rest); };""")
        page.goto(output.url)
        output.send(standing(50, 2))
        until(page, "() => document.getElementById('bpm').textContent === '120.0'")
        assert "WebGL" in page.inner_text("#stage-note") and "null:" in page.inner_text("#targets")


def test_a_page_finds_the_next_show(browser):
    uri = f"monitor://127.0.0.1:{free_port()}"
    first, second = monitor.open_output(uri), monitor.open_output(uri)
    first.open(1, True)
    with browser.new_page() as page:
        page.goto(first.url)
        until(page, "() => document.getElementById('line').dataset.state === 'waiting'")
        first.close()
        until(page, "() => document.getElementById('line').dataset.state === 'gone'")
        second.open(1, True)
        try:
            second.send(standing(7))
            until(page, "() => monitor.frame?.sequence === 7")
            assert page.inner_text("#line") == "live" and page.is_disabled("#intensity")
        finally:
            second.close()
