"""Mutants of every kind of file that `live` reads: it uses them, or refuses them in one line.

`--files` mutants of each kind (100,000 in `make soak`) are made and read in `--jobs` processes. A finding is what is
neither success nor an error of the project's own in one line: another exception, a process that died, more than 10 s,
or more than 1 GB of memory. Its files are kept in `--keep` with what was seen. `--only KIND`; `--seed N` is the first
mutant's number, so `--only KIND --seed N --files 1` makes one again. Exits 1 where there are findings.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import measure
import numpy as np

from live.errors import LiveError

HOME = os.environ.get("LIVE_MUTANTS", "mutants")
"""The package with the kinds; another one in the tests of this script."""
KINDS = ("audio", "models", "shows", "openpose", "bvh", "takes")
MEMORY, SECONDS = 1 << 30, 10.0
"""Bytes that a file may take beyond what the process had, and how long."""
CHUNK = 500
"""Mutants of one process; then another one begins afresh."""
LINE = 2000


class Chunk(NamedTuple):
    """Mutants `first` .. `first + count` of a kind."""

    kind: str
    first: int
    count: int


# ---- in the process that reads --------------------------------------------------------------------------------------


def work(chunk: Chunk, folder: Path, keep: Path) -> None:
    """Read one mutant after another; the number of the one in hand is in a file that outlives this process."""
    module = importlib.import_module(f"{HOME}.{chunk.kind}")
    scratch = folder / f"{chunk.kind}-{chunk.first}"
    seeds = _seeds(module, folder / chunk.kind, scratch)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    told = np.memmap(folder / f"{chunk.kind}-{chunk.first}.now", np.int64, "w+", shape=(4,))
    before = _limit_memory()
    for number in range(chunk.first, chunk.first + chunk.count):
        told[0] = number
        with contextlib.suppress(OSError):
            for old in scratch.iterdir():
                old.unlink()
        files = module.mutant(seeds, Random(f"{chunk.kind} {number}"))
        for name, raw in files.items():
            (scratch / name).write_bytes(raw)
        refused, wrong = _read(module, scratch)
        peak = _peak()
        told[1] += refused
        told[2] = max(told[2], peak - before)
        told[3] += 1
        if peak - before > MEMORY:
            wrong = f"{(peak - before) / 1e6:.0f} MB of memory"
        if wrong:
            kept(keep, chunk.kind, number, files, wrong)
        if peak - before > MEMORY:
            return


def _seeds(module: Any, made: Path, own: Path) -> Any:
    """In a folder of one's own, with what was made before in it."""
    shutil.copytree(made, own)
    return module.seeds(own)


def _limit_memory() -> int:
    """What this process has at most from now on; its memory up to now."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2 * MEMORY,) * 2)
    return _peak()


def _peak() -> int:
    """The most memory that this process had, or one that it started."""
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(who).ru_maxrss for who in both) * 1024


def _read(module: Any, folder: Path) -> tuple[bool, str]:
    """Whether it was refused in one line, and what is wrong otherwise."""
    try:
        module.read(folder)
        return False, ""
    except LiveError as error:
        line = str(error)
        return True, f"{len(line)} characters: {line[:4000]}" if "\n" in line or len(line) > LINE else ""
    except BaseException:
        return False, traceback.format_exc(limit=-12)


def kept(keep: Path, kind: str, number: int, files: dict[str, bytes], wrong: str) -> None:
    """What was found, with the files."""
    folder = keep / f"{kind}-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    (folder / "FOUND.txt").write_text(wrong)


# ---- in the process that watches ------------------------------------------------------------------------------------


class Worker:
    """A process at a chunk."""

    def __init__(self, chunk: Chunk, folder: Path, keep: Path) -> None:
        self.chunk, self.keep = chunk, keep
        self._now = folder / f"{chunk.kind}-{chunk.first}.now"
        self._number, self._since = -1, time.monotonic()
        command = [sys.executable, __file__, "--work", *map(str, chunk), str(folder), str(keep)]
        env = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._log = (folder / f"{chunk.kind}-{chunk.first}.log").open("w+")
        self._process = subprocess.Popen(command, env=env, stderr=self._log, stdout=self._log)

    def told(self) -> list[int]:
        """The mutant in hand, refused, most memory, read."""
        if not self._now.exists() or self._now.stat().st_size < 32:
            return [-1, 0, 0, 0]
        return [int(value) for value in np.fromfile(self._now, np.int64, 4)]

    def over(self) -> Chunk | None:
        """None while it reads; then what is left of its chunk, of which nothing may be left."""
        code, (number, *_, read) = self._process.poll(), self.told()
        if number != self._number:
            self._number, self._since = number, time.monotonic()
        elif code is None and time.monotonic() - self._since > (SECONDS if number >= 0 else 300.0):
            self._process.kill()
            self._process.wait()
            return self._fault(f"more than {SECONDS:g} s")
        if code is None:
            return None
        if code:
            return self._fault(f"the process ended with status {code}")
        return self.chunk._replace(first=self.chunk.first + read, count=self.chunk.count - read)

    def _fault(self, what: str) -> Chunk:
        number = max(self._number, self.told()[0])
        self._log.seek(0)
        if number < 0:
            sys.exit(f"{self.chunk.kind} cannot be read at all: {what}\n{self._log.read()[-3000:]}")
        module = importlib.import_module(f"{HOME}.{self.chunk.kind}")
        with tempfile.TemporaryDirectory() as own:
            seeds = _seeds(module, self._now.parent / self.chunk.kind, Path(own) / "seeds")
        files = module.mutant(seeds, Random(f"{self.chunk.kind} {number}"))
        kept(self.keep, self.chunk.kind, number, files, f"{what}\n{self._log.read()[-3000:]}")
        done = number + 1 - self.chunk.first
        return self.chunk._replace(first=number + 1, count=self.chunk.count - done)


def fuzz(kind: str, first: int, count: int, jobs: int, folder: Path, keep: Path) -> dict[str, Any]:
    """Every mutant once; how many were read, refused and found, and the most memory."""
    seeds = folder / kind
    seeds.mkdir()
    importlib.import_module(f"{HOME}.{kind}").seeds(seeds)
    waiting = [Chunk(kind, at, min(CHUNK, first + count - at)) for at in range(first, first + count, CHUNK)][::-1]
    running, sums, begun = list[Worker](), np.zeros(3, np.int64), time.monotonic()
    while waiting or running:
        while waiting and len(running) < jobs:
            running.append(Worker(waiting.pop(), folder, keep))
        time.sleep(0.05)
        for worker in running[:]:
            if (left := worker.over()) is not None:
                running.remove(worker)
                _, refused, memory, _ = worker.told()
                sums += (refused, 0, worker.chunk.count - left.count)
                sums[1] = max(sums[1], memory)
                waiting += [left] if left.count > 0 else []
                _tell(kind, int(sums[2]), count, begun)
    found = len(list(keep.glob(f"{kind}-*")))
    return {"files": int(sums[2]), "refused": int(sums[0]), "findings": found, "memory_mb": int(sums[1]) // 10**6,
            "seconds": round(time.monotonic() - begun, 1)}  # fmt: skip


def _tell(kind: str, done: int, count: int, begun: float) -> None:
    if sys.stderr.isatty() or done == count or done // CHUNK % 20 == 0:
        line = f"\r{kind}: {done} of {count}, {time.monotonic() - begun:.0f} s"
        print(line, end="" if done < count else "\n", file=sys.stderr, flush=True)


@contextlib.contextmanager
def in_memory() -> Iterator[Path]:
    """A folder for the files, on no disk where that can be."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and shutil.disk_usage(shared).free > 4 * MEMORY
    with tempfile.TemporaryDirectory(dir=shared if roomy else None) as folder:
        yield Path(folder)


def main() -> None:
    parser = measure.options(__doc__)
    parser.add_argument("--files", type=int, default=1000, help="of each kind")
    parser.add_argument("--only", choices=KINDS, action="append", help="a kind (several); all if left out")
    parser.add_argument("--seed", type=int, default=0, help="the first mutant's number")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, default=Path("runs/fuzz"), help="folder for what was found")
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    with in_memory() as folder:
        kinds = given.only or KINDS
        found = {kind: fuzz(kind, given.seed, given.files, given.jobs, folder, given.keep) for kind in kinds}
    for kind, row in found.items():
        print(f"{kind:9} {row['files']:7} files, {row['refused']:7} refused, {row['findings']:3} findings, "
              f"{row['memory_mb']:6} MB, {row['seconds']} s")  # fmt: skip
    limits = {f"{kind}: findings": measure.compared(row["findings"], 0, "") for kind, row in found.items()}
    how = {"files": given.files, "seed": given.seed, "jobs": given.jobs}
    measure.write("fuzz", {"how": how, "kinds": found, "limits": limits}, None, given.out)
    sys.exit(any(row["findings"] for row in found.values()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        kind, first, count, folder, keep = sys.argv[2:]
        work(Chunk(kind, int(first), int(count)), Path(folder), Path(keep))
    else:
        main()
