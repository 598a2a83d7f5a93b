"""The command line as a user meets it: one line for what is unusable, a whole show for the rest, a clean end."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from output_poses import listener, port_of, received, unused_port
from test_report import FIGURES, KEYS, STAGES

import live as live_package
from live.card import find_model, shipped_models
from live.take import read_take

DEMO = Path(live_package.__file__).parent / "audio" / "demo.ogg"
GOODBYE = b"/VMC/Ext/OK\0,i\0\0\0\0\0\0"
PINNED = {"time", "capture_time", "root_position", "local_rotations", "joint_positions", "bpm", "beat_phase", "bones"}
QUIET = ("--input", "silence", "--output", "null:", "--no-realtime")

performing = pytest.mark.skipif("salsa" not in shipped_models(), reason="the model 'salsa' is not shipped here")


def live(*arguments, cwd=None, timeout=60, env=None):
    """Run `live` to its end."""
    command = [sys.executable, "-m", "live", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=cwd, env=env)


def refusal(*arguments, cwd=None):
    """The one line with which unusable arguments are refused."""
    done = live(*arguments, cwd=cwd)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr, done.stderr
    assert len(done.stderr) < 500
    return done.stderr


def refused(*options):
    """`live perform` fast, from silence to nowhere, but for these options."""
    return refusal("perform", "--input", "silence", "--output", "null:", "--fast", "--duration", "0.1", *options)


def fast(folder, *options, seconds=5, name="a"):
    """A fast performance of the demo in `folder`: its report and its take."""
    take, report = folder / f"{name}.take", folder / f"{name}.json"
    done = live("perform", "--input", "demo", "--fast", "--duration", seconds, "--output", f"take:{take}",
                "--report", report, *options)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(report.read_text()), read_take(take)


@contextmanager
def on_stage(*options):
    """A performance in real time, going on."""
    command = [sys.executable, "-m", "live", "perform", "--no-realtime", "--backend", "cpu", *map(str, options)]
    show = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield show
    finally:
        show.kill()
        show.communicate()


def recording(take, show):
    """Wait until poses are in `take`, or `show` is over."""
    while show.poll() is None and (not take.exists() or take.stat().st_size < 5000):
        time.sleep(0.02)


# ---- without performing -----------------------------------------------------------------------------------------


def test_help_needs_neither_torch_nor_audio():
    code = "import sys, live.cli.app as a; sys.argv = ['live', '--help']\ntry: a.main()\nexcept SystemExit: pass\n"
    code += "print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    help_text, _, loaded = done.stdout.partition("LOADED")
    assert "perform" in help_text
    heavy = {"torch", "pyaudio", "aubio", "soundfile", "soxr", "onnxruntime", "onnx", "scipy", "pygame", "mir_eval"}
    assert not heavy & set(loaded.split()) and "live" in loaded.split()


@pytest.mark.parametrize("command", ["perform", "convert", "train"])
def test_every_command_has_its_help(command):
    done = live(command, "--help")
    assert done.returncode == 0 and "Usage" in done.stdout


def test_the_version_is_told():
    assert live("--version").stdout.startswith("live ")


def test_the_models_are_listed_with_what_they_are():
    assert all(name in live("models").stdout for name in shipped_models())


def test_beats_of_a_click_track_are_half_a_second_apart(tmp_path):
    clicks = np.zeros(48_000 * 12, np.float32)
    for beat in range(0, len(clicks), 24_000):
        clicks[beat : beat + 400] = np.hanning(400) * np.random.default_rng(0).uniform(-1, 1, 400)
    soundfile.write(tmp_path / "clicks.wav", clicks, 48_000)
    beats = np.array([float(line) for line in live("beats", tmp_path / "clicks.wav").stdout.split()])
    assert len(beats) >= 12
    assert np.median(np.diff(beats)) == pytest.approx(0.5, abs=0.02)


def test_the_events_of_the_demo_are_told_beside_its_beats():
    told = [line.split() for line in live("beats", DEMO, "--events").stdout.splitlines()]
    events = [(name, float(time)) for time, name, _ in (line for line in told if len(line) == 3)]
    assert ("drop", pytest.approx(38.6, abs=0.5)) in events and ("section", pytest.approx(21.4, abs=0.5)) in events
    assert len([line for line in told if len(line) == 1]) > 60


def test_events_as_json_lie_among_the_beats_in_the_order_of_telling():
    lines = [json.loads(line) for line in live("beats", DEMO, "--events", "--json").stdout.splitlines()]
    assert {"build", "drop", "section"} == {line["event"] for line in lines if "event" in line}
    assert [line["reported_at"] for line in lines] == sorted(line["reported_at"] for line in lines)


def test_an_option_that_does_not_exist_is_refused():
    assert "--bogus" in refusal("perform", "--bogus", "3")


def test_a_command_that_does_not_exist_is_refused():
    assert "bogus" in refusal("bogus")


@pytest.mark.parametrize("arguments", [("convert",), ("perform", "a.toml", "b.toml")])
def test_too_few_or_too_many_arguments_are_refused(arguments):
    assert "argument" in refusal(*arguments)


@pytest.mark.parametrize("value", ["0", "two"])
def test_a_senseless_number_of_dancers_is_refused(value):
    assert "dancers" in refused("--dancers", value)


@pytest.mark.parametrize(
    ("option", "value"),
    [("anticipation", "nan"), ("anticipation", "soon"), ("duration", "0"), ("seed", "-1")],
)
def test_a_senseless_number_is_refused(option, value):
    assert option in refused(f"--{option}={value}")


def test_an_unknown_backend_lists_the_known_ones():
    assert "'auto', 'tensorrt', 'cuda', 'cpu'" in refused("--backend", "abacus")


def test_an_unknown_model_lists_the_shipped_ones():
    assert all(name in refused("--model", "polka") for name in ("no model 'polka'", *shipped_models()))


def test_a_report_in_a_folder_that_does_not_exist_is_refused(tmp_path):
    assert "does not exist" in refused("--report", tmp_path / "none" / "report.json")


def test_a_report_that_is_a_folder_is_refused(tmp_path):
    assert "is a folder" in refused("--report", tmp_path)


def test_a_show_file_with_a_wrong_key_is_refused(tmp_path):
    (tmp_path / "show.toml").write_text('imput = "demo"')
    assert "unknown key 'imput'; valid keys are input, " in refusal("perform", tmp_path / "show.toml")


def test_a_show_file_that_is_not_there_is_refused(tmp_path):
    assert "No such file" in refusal("perform", tmp_path / "none.toml")


def test_a_take_that_is_none_is_refused(tmp_path):
    (tmp_path / "a.take").write_text("la la la")
    assert "is not a take" in refusal("convert", tmp_path / "a.take", tmp_path / "out.npz")


def test_a_format_that_cannot_be_written_is_refused(tmp_path):
    assert ".mp3" in refusal("convert", tmp_path / "a.take", tmp_path / "out.mp3")


# ---- what is found when the show is put together -----------------------------------------------------------------


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """A folder of files that cannot be music."""
    folder = tmp_path_factory.mktemp("sounds")
    soundfile.write(folder / "slow.wav", np.zeros(100, np.float32), 10)
    soundfile.write(folder / "none.wav", np.zeros(0, np.float32), 48_000)
    (folder / "text.wav").write_text("la la la " * 100)
    (folder / "empty.wav").touch()
    (folder / "folder.wav").mkdir()
    return folder


@performing
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.wav", "there is no file"),
        ("folder.wav", "is a folder"),
        ("empty.wav", "is empty"),
        ("none.wav", "holds no sound"),
        ("slow.wav", "sample rate of 10 Hz"),
        ("text.wav", "cannot decode"),
    ],
)
def test_a_file_that_cannot_be_music_is_refused(sounds, name, reason):
    line = refused("--input", sounds / name)
    assert reason in line and name in line


@performing
def test_an_unknown_microphone_is_refused():
    line = refusal("perform", "--input", "microphone:no such thing", "--output", "null:", "--duration", "0.1")
    assert "input" in line or "PyAudio" in line


@performing
def test_a_model_folder_that_was_tampered_with_is_refused(tmp_path):
    shutil.copytree(find_model("salsa"), tmp_path / "salsa")
    graph = tmp_path / "salsa" / "generator.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"\0\1")
    assert "generator.onnx: was altered" in refused("--model", tmp_path / "salsa")


@performing
def test_a_folder_that_is_no_model_is_refused(tmp_path):
    assert "without a model.json" in refused("--model", tmp_path)


@performing
@pytest.mark.parametrize("style", ["waltz", "=1"])
def test_a_style_that_is_none_is_refused(style):
    assert "style '" in refused("--style", style)


@performing
@pytest.mark.parametrize("watchdog", [(), ("--watchdog",)])
@performing
def test_a_second_instance_on_the_same_port_is_refused_in_one_line(watchdog):
    with listener() as taken:
        control = ("--control", f"127.0.0.1:{taken.getsockname()[1]}")
        line = refusal("perform", "--input", "silence", "--output", "null:", "--duration", "2", *control, *watchdog)
    assert "is another `live perform` running?" in line


def test_an_unknown_beat_tracker_lists_the_known_ones():
    assert "choose one of aubio" in refused("--tracker", "metronome")


@performing
@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("nothing", "write SCHEME://HOST:PORT"),
        ("smoke://here", "unknown output 'smoke': choose one of "),
        ("vmc://", "names no host"),
        ("vmc://127.0.0.1:99999", "ort"),
        ("vmc://no-such-host.invalid", "output host 'no-such-host.invalid' is unknown"),
        ("take:/no/such/folder/a.take", "there is no folder"),
        ("null:?x=1", "takes nothing"),
    ],
)
def test_an_output_that_cannot_be_is_refused(uri, reason):
    assert reason in refused("--output", uri)


# ---- performing --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def performance(tmp_path_factory):
    """Five seconds of the demo: the folder, the report and the take."""
    folder = tmp_path_factory.mktemp("fast")
    return folder, *fast(folder)


@performing
def test_a_fast_performance_has_sixty_poses_for_every_second(performance):
    _, report, take = performance
    assert (report["poses"], report["ticks"], len(take.records)) == (300, 150, 300)
    assert take.records["sequence"].tolist() == list(range(300))


@performing
def test_the_take_holds_what_was_heard(performance):
    from live.contracts import FEATURE_NAMES

    records = performance[2].records
    loudness, sine = (records["features"][60:, FEATURE_NAMES.index(name)] for name in ("loudness", "beat_sin"))
    assert np.isfinite(records["features"]).all() and np.ptp(loudness) > 0.01 and np.ptp(sine) > 1.0
    assert records["signals"][60:, :3].max() > 0.1


@performing
def test_its_report_has_the_pinned_keys(performance):
    _, report, _ = performance
    assert list(report) == KEYS and list(report["stage_ms"]) == STAGES
    assert list(report["reaction_ms"]) == FIGURES
    assert [output["sent"] for output in report["outputs"]] == [300]


@performing
def test_its_take_becomes_the_pinned_arrays_with_finite_values(performance):
    folder, _, _ = performance
    assert live("convert", folder / "a.take", folder / "a.npz").returncode == 0
    with np.load(folder / "a.npz") as arrays:
        assert set(arrays.files) == PINNED
        assert all(np.isfinite(arrays[name]).all() for name in PINNED - {"bones"})
        np.testing.assert_allclose(arrays["time"], np.arange(300) / 60, atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(arrays["local_rotations"], axis=-1), 1, atol=1e-4)


@performing
def test_it_dances(performance):
    joints = performance[2].records["joint_positions"][120:, 0]
    assert 0.05 < np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean() * 60 < 5


@performing
def test_the_same_seed_is_the_same_dance_to_the_bit(performance):
    folder, _, take = performance
    _, again = fast(folder, name="again")
    for name in ("root_position", "local_rotations", "joint_positions", "contacts", "bpm", "beat_phase", "level"):
        assert again.records[name].tobytes() == take.records[name].tobytes(), name


@performing
def test_another_seed_is_another_dance_to_the_same_beat(performance):
    folder, _, take = performance
    _, other = fast(folder, "--seed", "2", name="other")
    assert np.abs(other.records["joint_positions"] - take.records["joint_positions"]).max() > 0.05
    np.testing.assert_array_equal(other.records["beat_phase"], take.records["beat_phase"])


@performing
def test_several_dancers_dance_apart(tmp_path):
    _, take = fast(tmp_path, "--dancers", "3", seconds=2)
    hips = take.records["root_position"][-1]
    assert hips.shape == (3, 3) and (np.diff(hips[:, 0]) > 0.5).all()


@performing
def test_options_override_the_show_file(tmp_path):
    (tmp_path / "show.toml").write_text('input = "silence"\nduration = 5\ndancers = 2\noutput = ["null:"]')
    done = live("perform", tmp_path / "show.toml", "--duration", "0.5", "--fast", "--report", tmp_path / "r.json")
    report = json.loads((tmp_path / "r.json").read_text())
    assert done.returncode == 0
    assert (report["poses"], report["input"]) == (30, "silence")


@performing
def test_a_music_file_is_performed_to_its_end(tmp_path):
    soundfile.write(tmp_path / "song.flac", np.zeros((44_100, 2), np.float32), 44_100)
    report, _ = fast(tmp_path, "--input", tmp_path / "song.flac", seconds=30)
    assert report["poses"] == pytest.approx(60, abs=2) and report["input"] == "song.flac"


@performing
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_signal_ends_the_show_cleanly(tmp_path, number):
    take, report = tmp_path / "a.take", tmp_path / "a.json"
    with listener() as sock:
        sock.settimeout(20)
        outputs = ("--output", f"vmc://127.0.0.1:{port_of(sock)}", "--output", f"take:{take}")
        with on_stage("--input", "demo", *outputs, "--report", report) as show:
            packets = [sock.recv(65536) for _ in range(60)]
            show.send_signal(number)
            out, err = show.communicate(timeout=20)
        packets += received(sock)
    assert (show.returncode, err) == (0, "")
    assert packets[-1] == GOODBYE and GOODBYE not in packets[:-1]
    values, records = json.loads(report.read_text()), read_take(take).records
    assert list(values) == KEYS and values["poses"] == len(records) == (len(packets) - 1) // 2
    assert f"{len(records)} poses" in out


@performing
def test_a_target_that_nobody_listens_at_is_counted_and_the_show_goes_on(tmp_path):
    uri, report = f"vmc://127.0.0.1:{unused_port()}", tmp_path / "a.json"
    with on_stage("--input", "silence", "--output", uri, "--duration", "1", "--report", report) as show:
        _, err = show.communicate(timeout=20)
    values = json.loads(report.read_text())
    assert (show.returncode, err) == (0, "")
    assert values["poses"] == pytest.approx(60, abs=1)
    assert sys.platform != "linux" or values["outputs"][0]["errors"] > 10


@performing
def test_a_paced_second_takes_a_second(tmp_path):
    began = time.monotonic()
    with on_stage(*QUIET, "--duration", "1", "--report", tmp_path / "a.json") as show:
        show.communicate(timeout=20)
    assert time.monotonic() - began >= 1.0
    assert json.loads((tmp_path / "a.json").read_text())["duration_s"] >= 0.99


@performing
@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
def test_a_closed_pipe_makes_no_traceback():
    command = f"{sys.executable} -m live models | true"
    assert "Traceback" not in subprocess.run(command, shell=True, capture_output=True, text=True).stderr


@pytest.mark.parametrize(("latency", "lead"), [(0, 0.02), (100, 0.12)])
def test_the_automatic_anticipation_is_the_outputs_latency_and_a_little_early(latency, lead):
    from live.cli.outputs import make_output
    from live.cli.perform import automatic_lead

    generator = type("Generator", (), {"card": type("Card", (), {"accent_offset": 0.0})})
    outputs = [make_output("null:"), make_output(f"vmc://127.0.0.1?latency={latency}")]
    assert automatic_lead(generator, outputs) == pytest.approx(lead)
