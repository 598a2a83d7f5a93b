"""Pictures for other programs: virtual camera and NDI, Spout, Syphon. NDI is tried with the library itself, over
loopback; the others with stand-ins, since they want a device, Windows and macOS."""

from __future__ import annotations

import importlib
import json
import sys
import threading
import time
import types

import numpy as np
import pytest
from dancers import standing

pytest.importorskip(
    "skia", reason="skia-python is not installed (extra `preview`), or its libraries (libEGL) are missing"
)

from live.cli.outputs import make_output
from live.errors import BadTarget, MissingExtra, Unusable
from live.look import Look
from live.outputs import _drawn, _shared
from live.renderers import _feed, _share

SMALL = Look(width=160, height=90, background="transparent")


def module(monkeypatch, name: str, **stand_ins) -> types.ModuleType:
    """A renderer with stand-ins for the packages that it imports."""
    for package, parts in stand_ins.items():
        monkeypatch.setitem(sys.modules, package.replace("__", "."), types.SimpleNamespace(**parts))
    monkeypatch.delitem(sys.modules, f"live.renderers.{name}", raising=False)
    made = importlib.import_module(f"live.renderers.{name}")
    monkeypatch.delitem(sys.modules, f"live.renderers.{name}")
    return made


# ---- what is asked for ---------------------------------------------------------------------------------------------


@pytest.fixture
def anywhere(monkeypatch):
    """A machine that has every package and every system."""
    monkeypatch.setattr(_drawn.importlib.util, "find_spec", lambda name: object())
    for name in ("spout", "syphon"):
        monkeypatch.setattr(importlib.import_module(f"live.outputs.{name}"), "platform", None, raising=False)
    monkeypatch.setattr(_shared.platform, "system", lambda: "Windows")


def test_a_name_and_options_are_what_is_asked_for(anywhere):
    output = make_output("spout:Stage left?background=transparent&fps=50&alpha=premultiplied&mirror=1")
    assert output.settings["name"] == "Stage left" and output.settings["alpha"] == "premultiplied"
    assert output.settings["fps"] == 50 and output.look.background == "transparent" and output.placement.mirror


def test_nothing_said_is_the_stage_by_the_name_live(anywhere):
    assert make_output("ndi:").settings == {"name": "live", "fps": 60, "alpha": "straight", "person": None}


def test_a_person_is_shown_as_asked_for(anywhere):
    person = make_output("ndi:?model=puppet&dancer=1&size=512x512").settings["person"]
    assert person == {"renderer": "puppet", "provider": "auto", "dancer": 1, "sized": True}


@pytest.mark.parametrize(
    ("uri", "told"),
    [("ndi:?fps=90", "within 1 to 60"), ("ndi:?alpha=both", "straight, premultiplied"),
     ("ndi:?zoom=1", "unknown option"), ("ndi:?model=puppet&camera=low", "leave camera out"),
     ("ndi:?dancer=1", "add model=RENDERER"),
     ("ndi:" + "x" * 101, "at most 100 signs"), ("ndi:a\nb", "at most 100 signs"),
     ("webcam:?model=puppet&provider=tpu", "auto, tensorrt, cuda, cpu"), ("syphon:", "on macOS only: use ndi: here")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_one_line(anywhere, uri, told):
    with pytest.raises(BadTarget, match=rf"^[^\n]*{told}[^\n]*$"):
        make_output(uri)


@pytest.mark.parametrize(
    ("name", "package", "system"),
    [("ndi", "cyndilib", "Linux"), ("spout", "SpoutGL", "Windows"), ("syphon", "syphon-python", "Darwin")],
)
def test_a_missing_package_names_the_command_that_brings_it(monkeypatch, name, package, system):
    monkeypatch.setattr(_shared.platform, "system", lambda: system)
    monkeypatch.setattr(_drawn.importlib.util, "find_spec", lambda name: None if name != "skia" else object())
    with pytest.raises(MissingExtra, match=rf"{package}: install it with `pip install 'livedance\[{name}\]'`"):
        make_output(f"{name}:")


def test_a_dancer_who_is_not_there_is_refused(anywhere):
    with pytest.raises(BadTarget, match=r"no dancer 3: choose 0\.\.1"):
        make_output("ndi:?model=puppet&dancer=3").open(2, True)


def test_lost_pictures_stand_beside_the_output(anywhere, monkeypatch):
    output = make_output("ndi:")
    monkeypatch.setattr(_drawn.Drawn, "_ended", lambda self, child: self.seen.update(lost=12) or 0)
    output._ended(None)
    assert output.stats.errors == 12 and "12 pictures could not be handed on" in output.stats.last_error


# ---- inside the process --------------------------------------------------------------------------------------------


class Sink:
    """Keeps what it is sent; loses every second picture, or all from one on."""

    def __init__(self, breaks: int | None = None) -> None:
        self.sent, self.closed, self._breaks = [], False, breaks

    def send(self, pixels):
        self.sent.append(pixels.copy())
        if self._breaks == len(self.sent):
            raise RuntimeError("unplugged")
        return len(self.sent) % 2 == 1

    def close(self):
        self.closed = True


def shared(monkeypatch, memory, sink, look=SMALL, alpha="straight", person=None, seconds=0.4) -> int:
    """The status of a process that serves so long."""
    gone = threading.Event()
    settings = {"dancers": 1, "fps": 60, "alpha": alpha, "person": person}
    monkeypatch.setattr(_feed, "begin", lambda *_: (memory.ring, look, settings))
    monkeypatch.setattr(_share, "engine_gone", lambda: gone)
    threading.Timer(seconds, gone.set).start()
    return _share.share("", "", lambda look, settings: sink)


def test_before_the_first_pose_there_is_nothing_and_then_somebody(monkeypatch, memory, capsys):
    sink = Sink()
    threading.Timer(0.2, memory.put, [standing()]).start()
    assert shared(monkeypatch, memory, sink, seconds=0.6) == 0 and sink.closed
    assert not sink.sent[0].any()
    assert sink.sent[-1][..., 3].max() == 255 and sink.sent[-1][0, 0, 3] == 0
    assert capsys.readouterr().out.startswith("ready")


def test_what_could_not_be_handed_on_is_counted(monkeypatch, memory, capsys):
    sink = Sink()
    shared(monkeypatch, memory, sink)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["pictures"] + told["lost"] == len(sink.sent) and told["lost"] == len(sink.sent) // 2 > 0


def test_what_is_gone_for_good_ends_the_process_with_the_count(monkeypatch, memory, capsys):
    sink = Sink(breaks=3)
    assert shared(monkeypatch, memory, sink) == _share.GONE and sink.closed
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"pictures": 1, "lost": 1}


def test_colours_are_multiplied_by_alpha_where_asked_for(monkeypatch, memory):
    memory.put(standing())
    straight, multiplied = Sink(), Sink()
    shared(monkeypatch, memory, straight, seconds=0.2)
    shared(monkeypatch, memory, multiplied, alpha="premultiplied", seconds=0.2)
    assert (multiplied.sent[-1][..., :3] <= multiplied.sent[-1][..., 3:]).all()
    assert (straight.sent[-1][..., :3] > straight.sent[-1][..., 3:]).any()


@pytest.mark.parametrize("background", ["stage", "00ff00"])
def test_a_background_is_opaque(monkeypatch, memory, background):
    memory.put(standing())
    sink = Sink()
    shared(monkeypatch, memory, sink, Look(width=160, height=90, background=background), seconds=0.2)
    assert all((pixels[..., 3] == 255).all() for pixels in sink.sent)


def test_a_renderer_that_is_not_there_is_one_line(monkeypatch, memory, capsys):
    person = {"renderer": "nobody", "provider": "cpu", "dancer": 0, "sized": False}
    assert shared(monkeypatch, memory, Sink(), person=person, seconds=0.0) == 2
    assert capsys.readouterr().out.startswith("no renderer 'nobody'")


def test_a_person_is_shown_at_the_size_of_their_pictures(monkeypatch, memory):
    memory.put(standing())
    person = {"renderer": "puppet", "provider": "cpu", "dancer": 0, "sized": False}
    sink = Sink()
    shared(monkeypatch, memory, sink, Look(), person=person, seconds=0.3)
    assert sink.sent[-1].shape == (512, 512, 4) and sink.sent[-1][..., :3].std() > 10


# ---- the virtual camera --------------------------------------------------------------------------------------------


class Camera:
    """pyvirtualcam's, without a device."""

    def __init__(self, width, height, fps, device=None):
        if device == "/dev/none":
            raise RuntimeError("no device")
        self.sent, self.open = [], True

    def send(self, frame):
        self.sent.append(frame)

    def close(self):
        self.open = False


@pytest.fixture
def webcam(monkeypatch):
    return module(monkeypatch, "webcam", pyvirtualcam={"Camera": Camera})


def test_the_virtual_camera_is_sent_red_green_blue(webcam):
    made = webcam.opened(SMALL, {"device": "", "fps": 30})
    assert made.send(np.full((90, 160, 4), [10, 20, 30, 255], np.uint8))
    made.close()
    assert made._camera.sent[0].shape == (90, 160, 3) and made._camera.sent[0][0, 0].tolist() == [30, 20, 10]
    assert made._camera.sent[0].flags.c_contiguous and not made._camera.open


def test_no_virtual_camera_is_one_clear_line(webcam):
    with pytest.raises(Unusable, match=r"^no virtual camera [^\n]*v4l2loopback"):
        webcam.opened(SMALL, {"device": "/dev/none", "fps": 30})


# ---- Spout ---------------------------------------------------------------------------------------------------------


class SpoutSender:
    """SpoutGL's: `sendImage(buffer, width, height, format, invert, framebuffer)` tells whether it was shared."""

    works = True

    def __init__(self):
        self.sent, self.synced = [], []

    def setSenderName(self, name):
        self.name = name

    def sendImage(self, buffer, width, height, form, invert, framebuffer):
        assert len(memoryview(buffer).cast("B")) >= width * height * 4 and not invert
        self.sent.append((width, height, form))
        return self.works

    def setFrameSync(self, name):
        self.synced.append(name)

    def releaseSender(self):
        self.name = None


@pytest.fixture
def spout(monkeypatch):
    monkeypatch.setattr(SpoutSender, "works", True)
    return module(monkeypatch, "spout", SpoutGL={"SpoutSender": SpoutSender}, SpoutGL__enums={"GL_BGRA_EXT": 0x80E1})


def test_spout_shares_pictures_by_its_name_with_their_alpha(spout):
    made = spout.opened(SMALL, {"name": "left"})
    assert made._sender.name == "left" and made.send(np.zeros((90, 160, 4), np.uint8))
    assert made._sender.sent[-1] == (160, 90, 0x80E1) and made._sender.synced[-1] == "left"
    made.close()
    assert made._sender.name is None


def test_a_picture_that_spout_does_not_take_is_lost_and_nobody_is_woken_for_it(spout, monkeypatch):
    made = spout.opened(SMALL, {"name": "left"})
    woken = len(made._sender.synced)
    monkeypatch.setattr(SpoutSender, "works", False)
    assert not made.send(np.zeros((90, 160, 4), np.uint8)) and len(made._sender.synced) == woken


def test_a_graphics_card_that_shares_nothing_is_one_clear_line(spout, monkeypatch):
    monkeypatch.setattr(SpoutSender, "works", False)
    with pytest.raises(Unusable, match=r"^Spout cannot share[^\n]*$"):
        spout.opened(SMALL, {"name": "left"})


# ---- Syphon --------------------------------------------------------------------------------------------------------


class MetalServer:
    """syphon-python's, which refuses where there is no Metal."""

    def __init__(self, name):
        if name == "none":
            raise RuntimeError("No Metal device is available")
        self.name, self.device, self.published, self.stopped = name, "device", [], False

    def publish_frame_texture(self, texture, is_flipped=False):
        self.published.append((texture.copy(), is_flipped))

    def stop(self):
        self.stopped = True


class Directory:
    run_loop_interval = 1.0

    def update_run_loop(self):
        assert self.run_loop_interval < 0.01  # it waits so long


@pytest.fixture
def syphon(monkeypatch):
    def texture(device, width, height, form):
        assert (device, form) == ("device", "bgra")
        return np.zeros((height, width, 4), np.uint8)

    def copy(image, texture):
        texture[:] = image

    return module(
        monkeypatch, "syphon", Metal={"MTLPixelFormatBGRA8Unorm": "bgra"},
        syphon={"SyphonMetalServer": MetalServer, "SyphonServerDirectory": Directory},
        syphon__utils__numpy={"copy_image_to_mtl_texture": copy}, syphon__utils__raw={"create_mtl_texture": texture},
    )  # fmt: skip


def test_syphon_publishes_pictures_with_their_first_row_on_top(syphon):
    made = syphon.opened(SMALL, {"name": "left"})
    assert made.send(np.full((90, 160, 4), 7, np.uint8))
    ((texture, flipped),) = made._server.published
    assert made._server.name == "left" and (texture == 7).all() and flipped
    made.close()
    assert made._server.stopped


def test_a_machine_without_metal_is_one_clear_line(syphon):
    with pytest.raises(Unusable, match=r"^Syphon cannot share here \(No Metal[^\n]*$"):
        syphon.opened(SMALL, {"name": "none"})


# ---- NDI, the library itself ---------------------------------------------------------------------------------------


@pytest.fixture
def ndi(monkeypatch, tmp_path):
    """The renderer, in a network of this machine alone, whose sources are asked for by address."""
    pytest.importorskip("cyndilib", reason="cyndilib is not installed (extra `ndi`)")
    networks = {"ips": "127.0.0.1", "discovery": ""}
    (tmp_path / "ndi-config.v1.json").write_text(json.dumps({"ndi": {"networks": networks}}))
    monkeypatch.setenv("NDI_CONFIG_DIR", str(tmp_path))
    from live.renderers import ndi

    return ndi


def received(source, wanted, seconds: float = 8.0):
    """The first picture [H, W, 4] (blue, green, red, alpha) of a source that is as wanted."""
    from cyndilib.receiver import ReceiveFrameType, Receiver
    from cyndilib.video_frame import VideoRecvFrame
    from cyndilib.wrapper import RecvBandwidth, RecvColorFormat

    receiver = Receiver(color_format=RecvColorFormat.BGRX_BGRA, bandwidth=RecvBandwidth.highest)
    frame = VideoRecvFrame()
    receiver.set_video_frame(frame)
    receiver.set_source(source)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if receiver.receive(ReceiveFrameType.recv_video, 50) & ReceiveFrameType.recv_video:
            pixels = np.zeros(frame.get_buffer_size(), np.uint8)
            frame.fill_p_data(pixels)
            width, height = frame.get_resolution()
            if wanted(picture := pixels.reshape(height, width, 4)):
                receiver.disconnect()
                return picture
    raise AssertionError("nothing came")


def test_a_transparent_dance_arrives_by_ndi_as_it_was_drawn(ndi, tmp_path):
    from cyndilib.finder import Finder

    name = f"live test {time.time_ns()}"
    output = make_output(f"ndi:{name}?background=transparent&size=160x90&trails=0")
    output.open(1, True)
    dancing = threading.Event()

    def dance():
        for n in range(600):
            pose = standing(n)
            pose.play_time = time.monotonic()
            output.send(pose)
            if dancing.wait(1 / 60):
                return

    dancer = threading.Thread(target=dance)
    dancer.start()
    try:
        with Finder() as finder:
            end, source = time.monotonic() + 8, None
            while source is None and time.monotonic() < end:
                finder.wait_for_sources(0.5)
                source = next((found for found in finder if name in found.name), None)
            picture = received(source, lambda pixels: pixels[..., 3].max() > 200)
    finally:
        dancing.set()
        dancer.join()
        output.close()
    assert picture.shape == (90, 160, 4) and picture[2, 2, 3] == 0
    assert picture[45, 80, 3] > 200  # somebody stands in the middle
    assert output.seen["pictures"] > 0 and output.stats.errors == 0


def test_ndi_waits_for_nobody(ndi):
    made = ndi.opened(Look(width=640, height=360), {"name": f"live test {time.time_ns()}", "fps": 60})
    pixels = np.zeros((360, 640, 4), np.uint8)
    begun = time.monotonic()
    assert all(made.send(pixels) for _ in range(60))
    made.close()
    assert time.monotonic() - begun < 1.0  # a second of pictures


def test_two_ndi_senders_of_one_name_are_one_clear_line(ndi):
    settings = {"name": f"live test {time.time_ns()}", "fps": 60}
    first = ndi.opened(SMALL, settings)
    with pytest.raises(Unusable, match=r"^NDI does not open 'live test[^\n]*choose another$"):
        ndi.opened(SMALL, settings)
    first.close()
