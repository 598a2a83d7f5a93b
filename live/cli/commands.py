"""What typer cannot be told: an option whose value may be left out."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

MONITOR = "127.0.0.1:8011"
"""Where the monitor page is served where nothing follows `--monitor`."""


class Perform(TyperCommand):
    """`--monitor` alone is `--monitor 127.0.0.1:8011`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The same, with what was left out."""
        return super().parse_args(ctx, filled(args, "--monitor", MONITOR))


def filled(args: list[str], option: str, value: str) -> list[str]:
    """`args` with `value` after `option` wherever no host or port follows it."""
    found: list[str] = []
    for n, one in enumerate(args):
        found.append(one)
        following = args[n + 1] if n + 1 < len(args) else "-"
        if one == option and (following.startswith("-") or not following.rpartition(":")[2].isdecimal()):
            found.append(value)
    return found
