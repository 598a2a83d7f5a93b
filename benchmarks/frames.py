"""How much the shipped renderer's pictures are like true ones that it never saw, and how many it makes a second.

    python benchmarks/frames.py [--renderer NAME] [--footage TRAINED.npz HELD_OUT.npz] [--picture FILE.png]

Takes are danced and the puppet's footage is made from them as for training (with other seeds to measure with), which
takes a quarter of an hour, unless footage is named. The rate is read on one core, one thread, from keypoints to
picture.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure
import numpy as np
import skia

from live import realtime
from live.frames.easel import Easel, open_easel
from live.frames.folder import find_renderer
from live.frames.maps import draw
from live.lab.figures import percentiles
from live.train.footage import Footage, load_footage
from live.train.renderer_quality import likeness

TRAINED, HELD_OUT = ("3", "5", "7", "13", "17", "19", "23", "29", "31", "37", "41"), ("11",)
"""Seeds of the dances, two dancers each."""
WARM_UP = 5
SHOWN = (1 / 8, 3 / 8, 5 / 8, 7 / 8)
"""Where in the held-out footage the shown pictures are; all before them are made too."""
COLOURS = np.random.default_rng(5).integers(60, 256, (18, 3)).astype(np.float32)


def danced(folder: Path, seeds: tuple[str, ...], first: float, seconds: float, name: str) -> Footage:
    """Footage of the puppet in dances with these seeds."""
    takes = [folder / f"{seed}.take" for seed in seeds]
    length = str(first + seconds + 1)
    for seed, take in zip(seeds, takes, strict=True):
        _run("live", "perform", "--input", "demo", "--fast", "--duration", length, "--dancers", "2", "--seed", seed,
             "--no-preview", "--output", f"take:{take}")  # fmt: skip
    out = folder / f"{name}.npz"
    _run("live.train.puppet", str(out), *map(str, takes), "--first", str(first), "--seconds", str(seconds))
    return load_footage(out)


def _run(module: str, *arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=measure.ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{module} failed with status {done.returncode}: {done.stderr.strip()}")


def timed(easel: Easel, held_out: Footage, pictures: int) -> list[float]:
    """Seconds that each picture took, held to one core where the system can."""
    if cores := realtime.cores():
        realtime.stay_on(cores[-1])
    state, seconds = easel.initial_state(), []
    for n in range(WARM_UP + pictures):
        begun = time.perf_counter()
        _, state = easel.paint(held_out.points[n % len(held_out.points)], state)
        seconds.append(time.perf_counter() - begun)
    return seconds[WARM_UP:]


def picture(easel: Easel, held_out: Footage, path: Path) -> None:
    """Maps, what is made of them, and what is true, one below the other."""
    state, columns = easel.initial_state(), []
    shown = [int(share * len(held_out.points)) for share in SHOWN]
    for n in range(max(shown) + 1):
        made, state = easel.paint(held_out.points[n], state)
        if n in shown:
            planes = draw(held_out.points[n], easel.card.size)[..., None] / 255 * COLOURS[:, None, None]
            columns.append(np.concatenate([planes.max(0).astype(np.uint8), made, held_out.pictures[n]]))
    whole = np.concatenate(columns, 1)
    opaque = np.dstack([whole, np.full(whole.shape[:2], 255, np.uint8)])
    skia.Image.fromarray(opaque, colorType=skia.kRGBA_8888_ColorType).save(str(path))


def main() -> None:
    parser = measure.options(__doc__)
    parser.add_argument("--renderer", default="puppet", help="name or folder (default: %(default)s)")
    parser.add_argument("--footage", type=Path, nargs=2, metavar=("TRAINED", "HELD_OUT"), help="made before")
    parser.add_argument("--pictures", type=int, default=200, help="that are timed (default: %(default)s)")
    parser.add_argument("--picture", type=Path, help="also write a picture: maps, made, true")
    given = parser.parse_args()
    easel = open_easel(find_renderer(given.renderer), "cpu")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trained = load_footage(given.footage[0]) if given.footage else danced(folder, TRAINED, 5, 12, "trained")
        held_out = load_footage(given.footage[1]) if given.footage else danced(folder, HELD_OUT, 8, 6, "held_out")
    if given.picture:
        picture(easel, held_out, given.picture)
    found = likeness(easel, held_out, trained)
    seconds = timed(easel, held_out, given.pictures)
    rate = 1 / float(np.median(seconds))
    size = sum(file.stat().st_size for file in find_renderer(given.renderer).iterdir()) / 1e6
    limits = {
        "likeness inside the mask": measure.compared(found.made, 0.85, "", least=True),
        "likeness over the nearest frame's": measure.compared(found.made - found.nearest, 0.0, "", least=True),
        "pictures a second, one core": measure.compared(rate, 10.0, "", least=True),
        "renderer on disk": measure.compared(size, 20.0, "MB"),
    }
    values = {
        "limits": limits, "renderer": easel.card.name, "device": easel.device, "likeness": found._asdict(),
        "picture_ms": percentiles(np.array(seconds) * 1e3),
    }  # fmt: skip
    measure.write("frames", values, None, given.out)


if __name__ == "__main__":
    main()
