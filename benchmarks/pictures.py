"""The pictures of README and docs: a GIF of a performance, and a still from each camera.

    python benchmarks/pictures.py [--out docs/images]

`live perform --fast` dances the demo into a take, which is drawn picture by picture; the GIF is encoded by PyAV with a
palette of its own. The same code and seed give the same pictures.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.filter
import numpy as np
import skia

from live.look import Look
from live.renderers._painter import Painter
from live.take import Take, read_take

ROOT = Path(__file__).parent.parent
DANCERS = 3
BEGIN, SECONDS = 16.0, 4.5
"""Of the demo."""
FPS = 12
SMALL, LARGE = (480, 270), (1280, 720)
CAMERAS = ("front", "low", "high", "close")


def dance(folder: Path) -> Take:
    """The demo, danced as far as it is shown."""
    take = folder / "demo.take"
    seconds = str(BEGIN + SECONDS)
    command = ["perform", "--input", "demo", "--fast", "--no-preview", "--dancers", str(DANCERS), "--duration", seconds]
    subprocess.run(
        [sys.executable, "-m", "live", *command, "--output", f"take:{take}"],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return read_take(take)


def drawn(take: Take, look: Look, step: int) -> Iterator[np.ndarray]:
    """Every `step`th picture [H, W, 4] of the part that is shown; the second before it is drawn too."""
    pixels = np.zeros((look.height, look.width, 4), np.uint8)
    painter = Painter(look, take.dancers, pixels)
    first = int(BEGIN * take.frame_rate)
    for n in range(first - take.frame_rate, len(take.records)):
        painter.draw(take.records[n], 1 / take.frame_rate)
        if n >= first and (n - first) % step == 0:
            yield pixels


def write_gif(pictures: Iterator[np.ndarray], path: Path) -> None:
    """Two filters find one palette for all pictures, then use it."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("gif", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *SMALL, "pal8"
        graph = av.filter.Graph()
        source = graph.add_buffer(width=SMALL[0], height=SMALL[1], format="bgra", time_base=Fraction(1, FPS))
        split, found = graph.add("split"), graph.add("palettegen", "max_colors=128:reserve_transparent=0")
        used, sink = graph.add("paletteuse", "dither=bayer:bayer_scale=4:diff_mode=rectangle"), graph.add("buffersink")
        source.link_to(split)
        split.link_to(used, 0, 0)
        split.link_to(found, 1, 0)
        found.link_to(used, 0, 1)
        used.link_to(sink)
        graph.configure()
        for n, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, format="bgra")
            frame.pts, frame.time_base = n, Fraction(1, FPS)
            source.push(frame)
        source.push(None)
        while True:
            try:
                file.mux(stream.encode(sink.pull()))
            except (av.error.EOFError, av.error.BlockingIOError):
                break
        file.mux(stream.encode(None))


def write_stills(take: Take, path: Path) -> None:
    """The last moment from four cameras, two by two."""
    sheet = np.zeros((LARGE[1], LARGE[0], 4), np.uint8)
    width, height = LARGE[0] // 2, LARGE[1] // 2
    for n, camera in enumerate(CAMERAS):
        *_, last = drawn(take, Look(width=width, height=height, camera=camera), 1)
        row, column = divmod(n, 2)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = last
    skia.Image.fromarray(sheet, skia.kBGRA_8888_ColorType).save(str(path), skia.kPNG)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        take = dance(Path(folder))
        write_gif(drawn(take, Look(*SMALL), take.frame_rate // FPS), out / "performance.gif")
        write_stills(take, out / "cameras.png")
    for path in sorted(out.iterdir()):
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
