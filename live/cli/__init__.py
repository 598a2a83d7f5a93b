"""The command line: the only place where things are put together."""

from live.cli.app import main

__all__ = ["main"]
