"""The live terminal view: a process of its own that draws the status board, so that drawing never makes a tick late.

Run as `python -m live.view BOARD`; it ends when its standard input does.
"""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from live.board import Board

FRAMES_PER_SECOND = 15
BAR = 30


def draw(v: dict[str, Any]) -> Group:
    """One picture of the board's values (see `live.cli.telemetry`)."""
    flash = v["confidence"] > 0.1 and v["phase"] < 0.25
    beat = Text(" ● " if flash else " ○ ", style="bold bright_yellow" if flash else "dim")
    beat.append(f"{v['bpm']:6.1f} BPM  " if v["bpm"] else "   --- BPM  ", style="bold")
    beat.append(f"confidence {v['confidence']:.2f}", style="dim")
    filled = round(max(0.0, min(1.0, 1 + v["level_db"] / 60)) * BAR)
    level = Text("█" * filled, style="green" if v["level_db"] < -3 else "red")
    level.append("░" * (BAR - filled), style="dim")
    level.append(f" {v['level_db']:6.1f} dBFS")
    table = Table.grid(padding=(0, 2))
    table.add_row("[dim]beat[/]", beat)
    table.add_row("[dim]input[/]", level)
    music = Text(f"{v['energy_db']:+5.1f} dB", style="dim")
    music.append("   building up" if v["build"] > 0.5 else f"   {v['event']}")
    table.add_row("[dim]music[/]", music)
    table.add_row(
        "[dim]ticks[/]", f"{v['ticks_per_s']:.1f}/s   p99 {v['p99_ms']:.2f} ms   worst {v['worst_ms']:.2f} ms"
    )
    misses = f"{v['misses']} deadline misses   {v['overflows']} overflows   {v['recoveries']} recoveries"
    table.add_row("[dim]faults[/]", Text(misses, style="" if v["misses"] + v["overflows"] == 0 else "yellow"))
    for uri, sent, errors in v["targets"]:
        table.add_row("[dim]target[/]", Text(f"{uri}   {sent} sent" + (f"   {errors} errors" if errors else "")))
    if v["last_recovery"]:
        table.add_row("[dim]last[/]", Text(v["last_recovery"], style="yellow"))
    if v["notice"]:
        table.add_row("[dim]show[/]", Text(v["notice"]))
    clock = f"{int(v['time']) // 60}:{int(v['time']) % 60:02d}"
    head = Text.assemble(("live ", "bold magenta"), f"{v['model']} · {v['input']} · ", (clock, "bold"))
    return Group(head, table)


def main(path: str) -> None:
    """Draw until standard input closes. Ctrl-C belongs to the engine."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    board, ended = Board(path), threading.Event()
    threading.Thread(target=_wait_for_end, args=(ended,), daemon=True).start()
    with Live(refresh_per_second=FRAMES_PER_SECOND, transient=True) as live:
        while not ended.wait(1 / FRAMES_PER_SECOND):
            values = board.read()
            if values:
                live.update(draw(values))


def _wait_for_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


if __name__ == "__main__":
    main(sys.argv[1])
