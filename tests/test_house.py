"""The rules of the house: imports run one way, rooms do not know each other, plug-ins offer what they must."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from pathlib import Path

import pytest
import typer

import live
from live.cli.app import app
from live.contracts import FEATURE_NAMES, plugin_names

ROOT = Path(live.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
README = ROOT.parent / "README.md"

GROUND = {"types", "hops", "skeleton", "rotation", "errors", "clock", "pace", "ledger", "legacy", "take", "channels",
          "grip", "hand", "placement", "orders", "knobs", "glide", "quiet", "ring", "look", "sound", "mirror",
          "count", "load", "samples", "board", "rehearsal", "limits", "keypoints"}  # fmt: skip
ADAPTERS = {"audio", "beats", "features", "backends", "outputs", "formats", "control", "renderers", "streams"}
OPENERS = {
    "control": "open_control",
    "formats": "write",
    "audio": "open_source",
    "beats": "open_tracker",
    "backends": "open_backend",
    "outputs": "open_output",
    "renderers": "main",
    "streams": "open_stream",
}
HEAVY = {"torch", "lightning", "onnx", "scipy", "torchmetrics", "mir_eval"}
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|work|Users|mnt|opt|srv|tmp)/\w")


def module_of(file):
    """`live.audio.file` of live/audio/file.py; a package's `__init__` is the package."""
    parts = file.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): ast.parse(file.read_text("utf-8")) for file in FILES}


def imported(tree, everywhere=True):
    """Dotted names that a module imports; not `everywhere`: only what importing it imports."""
    nodes = list(ast.walk(tree)) if everywhere else top_level(tree)
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in (node for node in nodes if isinstance(node, ast.ImportFrom)):
        assert node.level == 0, "relative imports hide where a name comes from"
        inside = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys()
        names |= inside or {node.module}
    return names


def top_level(tree):
    """All nodes but those in functions."""
    waiting, found = list(tree.body), []
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)
    return found


def room_of(module):
    """`audio` of `live.audio.file`, `engine` of `live.engine`, empty of `live`."""
    return module.partition(".")[2].partition(".")[0]


def rooms(tree, everywhere=True):
    """Rooms of the house that a module imports."""
    names = imported(tree, everywhere)
    return {room_of(name) for name in names if name == "live" or name.startswith("live.")} - {""}


def outsiders(tree, everywhere=True):
    """Packages from outside that a module imports, without the standard library."""
    names = {name.partition(".")[0] for name in imported(tree, everywhere)}
    return names - set(sys.stdlib_module_names) - {"live"}


def of_rooms(*wanted):
    """Parameters: the modules of some rooms."""
    names = [name for name in MODULES if room_of(name) in wanted]
    assert names
    return pytest.mark.parametrize("module", names)


@of_rooms(*GROUND)
def test_the_ground_floor_imports_numpy_and_itself_and_nothing_else(module):
    assert rooms(MODULES[module]) <= GROUND
    assert outsiders(MODULES[module]) <= {"numpy"}


def test_contracts_stand_on_the_ground_floor():
    assert rooms(MODULES["live.contracts"]) <= GROUND
    assert not outsiders(MODULES["live.contracts"])


@of_rooms(*ADAPTERS)
def test_adapters_know_the_ground_floor_the_contracts_and_themselves(module):
    own = room_of(module)
    allowed = GROUND | {"contracts", own} | {"backends": {"card", "gpu"}, "renderers": {"frames"}}.get(own, set())
    assert rooms(MODULES[module]) <= allowed


@of_rooms("frames")
def test_photoreal_frames_stand_on_the_ground_floor_beside_the_cards(module):
    assert rooms(MODULES[module]) <= GROUND | {"frames", "card", "gpu"}
    assert outsiders(MODULES[module]) <= {"numpy", "onnxruntime", "pydantic"}


@of_rooms("gpu")
def test_a_gpu_knows_neither_dancers_nor_pictures(module):
    assert rooms(MODULES[module]) <= {"gpu", "errors", "types"}


@of_rooms("motion")
def test_motion_is_plain_values(module):
    assert rooms(MODULES[module]) <= GROUND | {"motion"}
    assert outsiders(MODULES[module]) <= {"numpy"}


CLOCKLESS = [name for name in MODULES if room_of(name) not in {"lab", "train", "bench", "nn"}]
DATED = {
    "live.take",  # writes the date into a header
    "live.control._decode",  # a time tag is in wall-clock time
}


@pytest.mark.parametrize("module", sorted(set(CLOCKLESS) - DATED))
def test_nothing_that_performs_reads_the_wall_clock_which_may_be_set_at_any_time(module):
    reads = {"time.time", "time.time_ns", "time.localtime", "datetime.now", "datetime.datetime.now"}
    assert not {ast.unparse(node.func) for node in ast.walk(MODULES[module]) if isinstance(node, ast.Call)} & reads
    assert "time" not in {
        alias.name for node in ast.walk(MODULES[module])
        if isinstance(node, ast.ImportFrom) and node.module == "time" for alias in node.names
    }  # fmt: skip


UNSAFE = {
    "eval", "exec", "pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.loads", "yaml.load", "joblib.load"
}  # fmt: skip


@pytest.mark.parametrize("module", MODULES)
def test_nothing_that_is_read_is_executed(module):
    calls = [node for node in ast.walk(MODULES[module]) if isinstance(node, ast.Call)]
    assert not {ast.unparse(call.func) for call in calls} & UNSAFE
    for call in calls:
        given = {word.arg: ast.unparse(word.value) for word in call.keywords}
        if ast.unparse(call.func) in ("np.load", "numpy.load", "head.read_array"):
            assert given.get("allow_pickle") == "False"
        if ast.unparse(call.func) == "torch.load":
            assert given.get("weights_only") == "True"


def test_the_engine_is_the_loop_and_only_the_loop():
    assert rooms(MODULES["live.engine"]) <= GROUND | {"contracts"}
    assert outsiders(MODULES["live.engine"]) <= {"numpy"}


@pytest.mark.parametrize("module", [name for name in MODULES if room_of(name) not in {"nn", "train", "bench"}])
def test_nothing_that_performs_imports_what_trains(module):
    if module in (
        "live.cli.learn",
        "live.cli.paper",
        "live.cli.prepare",
        "live.cli.evaluate",
        "live.cli.real_dance",
        "live.cli.beats_learn",
        "live.cli.learn_renderer",
        "live.gpu.typed",
    ):  # imported when `live train` and its like are called, or an engine is made
        return
    assert not outsiders(MODULES[module]) & HEAVY
    assert not rooms(MODULES[module]) & {"nn", "train"} or module == "live.cli.learning"


@pytest.mark.parametrize("module", [name for name in MODULES if room_of(name) not in {"cli", "train", "__main__"}])
def test_only_the_command_line_puts_things_together(module):
    assert not rooms(MODULES[module]) & (ADAPTERS | {"motion", "cli"}) - {room_of(module)}


@of_rooms("cli")
def test_asking_for_help_imports_no_adapter(module):
    if module in ("live.cli", "live.cli.app", "live.cli.learning"):
        assert rooms(MODULES[module], everywhere=False) <= {"cli", "errors"}
    assert not rooms(MODULES[module], everywhere=False) & (ADAPTERS - {"features"})


@pytest.mark.parametrize("module", [name for name in MODULES if {"bench", "lab"} & rooms(MODULES[name])])
def test_only_who_measures_or_trains_knows_the_bench_and_the_laboratory(module):
    assert room_of(module) in {"bench", "lab", "cli", "train"}


@of_rooms("bench", "lab")
def test_who_measures_knows_every_room_but_the_command_line(module):
    assert "cli" not in rooms(MODULES[module])


@of_rooms("nn")
def test_the_network_knows_nothing_of_the_house(module):
    assert rooms(MODULES[module]) <= {"nn"} | GROUND


@pytest.mark.parametrize("module", MODULES)
def test_every_public_module_says_what_it_is(module):
    if module != "live.__main__":
        assert (ast.get_docstring(MODULES[module]) or "").strip()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_names_a_path_of_some_machine(file):
    assert not MACHINE_PATH.search(file.read_text("utf-8"))


@pytest.mark.parametrize("folder", OPENERS)
def test_every_plugin_offers_its_opener(folder):
    for name in plugin_names(f"live.{folder}"):
        tree = MODULES[f"live.{folder}.{name}"]
        functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        assert OPENERS[folder] in functions, name


def test_no_room_is_a_junk_drawer():
    drawers = {"utils", "util", "helpers", "common", "base", "misc"}
    assert not drawers & {part.strip("_") for name in MODULES for part in name.split(".")}


def test_no_function_takes_a_bag_of_options():
    def bags(tree):
        functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        return [node.name for node in functions if node.args.kwarg]

    assert {name: found for name, tree in MODULES.items() if (found := bags(tree))} == {}


def test_the_35_features_have_their_pinned_names():
    first = ["loudness", "onset_envelope", "onset", "pitch", "voicing", "centroid"]
    twelve = [f"{name}_{i}" for name in ("mfcc", "chroma") for i in range(1, 13)]
    assert [*FEATURE_NAMES] == [*first, *twelve, "beat_sin", "beat_cos", "bar_sin", "bar_cos", "tempo"]


def test_the_pinned_options_of_perform_are_there():
    command = typer.main.get_command(app).commands["perform"]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    wanted = "input model backend output preview no-preview dancers style anticipation duration seed report fast"
    assert {f"--{name}" for name in wanted.split()} <= options


# ---- the commands of the README ----------------------------------------------------------------------------------


def readme_commands():
    """Each `live ...` of the README's bash blocks, as arguments without `live`."""
    blocks = re.findall(r"^```bash\n(.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    parts = [part.strip() for line in lines for part in re.split(r"\s(?:&&|\||>|2>|&)\s?|;", line)]
    return [shlex.split(part, comments=True)[1:] for part in parts if part.startswith("live ")]


COMMANDS = readme_commands() if README.exists() else []


@pytest.mark.skipif(not COMMANDS, reason="the README has no ```bash block with a line that starts with `live `")
@pytest.mark.parametrize("arguments", COMMANDS or [[]], ids=" ".join)
def test_a_command_of_the_readme_is_understood(arguments):
    group = typer.main.get_command(app)
    if arguments[:1] in (["--help"], ["--version"]):
        return
    name, *rest = arguments
    assert name in group.commands, f"`live {name}` is no command"
    if "--help" not in rest:
        group.commands[name].make_context(name, rest)
