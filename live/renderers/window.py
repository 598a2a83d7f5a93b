"""The stage window, a process of its own: `python -m live.renderers.window RING SETTINGS`.

Draws the newest pose as soon as it comes. Keys: F full screen, C the next camera, T text, Escape or Q closes. Ends with
status 0 when closed by hand or by the engine, 70 when there is no display any more.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import numpy as np

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
import pygame

from live.errors import Unusable
from live.look import Look
from live.renderers import _feed
from live.renderers._drawing import Draws
from live.renderers._flash import Flash
from live.renderers._painter import Painter
from live.ring import engine_gone
from live.take import record_dtype

POLL = 0.001
"""Seconds between two looks for a pose."""
FADING = 1 / 30
"""Seconds between two pictures while nothing comes."""
KEPT = 60 * 600
"""Pictures whose times are kept for the statistics."""
GONE = 70


class Window:
    """A surface on a display, full screen or not."""

    def __init__(self, look: Look, display: int, fullscreen: bool) -> None:
        """`Unusable` where there is no display."""
        try:
            pygame.display.init()
            pygame.font.init()
            if pygame.display.get_driver() == "offscreen" and "SDL_VIDEODRIVER" not in os.environ:
                raise pygame.error("SDL finds no screen")
            self._displays = pygame.display.get_num_displays()
        except pygame.error as error:
            raise Unusable(f"no display ({error}): connect one and set DISPLAY, or leave the window out") from None
        if display >= self._displays:
            raise Unusable(f"there is no display {display}: choose 0..{self._displays - 1}")
        self._size, self._display, self.fullscreen = (look.width, look.height), display, fullscreen
        self.pixels = np.zeros((look.height, look.width, 4), np.uint8)
        self._picture = pygame.image.frombuffer(self.pixels.data, self._size, "BGRA")
        self._picture.set_alpha(None)
        self._font = pygame.font.Font(None, max(18, look.height // 34))
        self._open()

    def _open(self) -> None:
        """On another display where the one asked for is no longer there."""
        there = min(self._display, pygame.display.get_num_displays() - 1)
        flags = pygame.SCALED | (pygame.FULLSCREEN if self.fullscreen else pygame.RESIZABLE)
        try:
            self._screen = pygame.display.set_mode(self._size, flags, display=there)
        except pygame.error:  # no scaling here
            self._screen = pygame.display.set_mode(self._size, flags & ~pygame.SCALED, display=there)
        pygame.display.set_caption("live")
        pygame.mouse.set_visible(not self.fullscreen)

    def toggle(self) -> None:
        self.fullscreen = not self.fullscreen
        self._open()

    def show(self, text: str) -> None:
        """Bring the pixels to the screen, with a line of text in the corner. A display that was unplugged is left for
        another; `pygame.error` where there is none."""
        try:
            self._blit(text)
        except pygame.error:
            pygame.display.quit()
            pygame.display.init()
            self._open()
            self._blit(text)

    def _blit(self, text: str) -> None:
        self._screen.blit(self._picture, (0, 0))
        if text:
            line = self._font.render(text, True, (150, 160, 190))
            self._screen.blit(line, (16, self._size[1] - line.get_height() - 12))
        pygame.display.flip()


class Stage:
    """Window, painter and the keys between them."""

    def __init__(
        self, look: Look, window: Window, feed: _feed.Feed, painter: Draws, flash: Flash | None = None
    ) -> None:
        self.window, self.feed, self.painter, self.flash = window, feed, painter, flash
        self.text, self.open = look.text, True
        self.drawn: list[float] = []
        """Seconds from when a pose was meant to be seen until it was."""
        self._last = time.monotonic()
        self._rate = 60.0

    def draw(self, fresh: bool) -> None:
        now = time.monotonic()
        passed, self._last = now - self._last, now
        self._rate += 0.05 * (1.0 / max(passed, 1e-3) - self._rate)
        if self.feed.begun:
            self.painter.draw(self.feed.record, min(passed, 0.1), self.feed.presence)
        if self.flash is not None and self.flash.white(now):
            self.window.pixels[:] = 255
        self.window.show(self._line() if self.text else "")
        if fresh and len(self.drawn) < KEPT:
            self.drawn.append(time.monotonic() - float(self.feed.record["play_time"]))

    def _line(self) -> str:
        if not self.feed.begun or self.feed.presence < 1.0:
            return "waiting for a dance"
        bpm = float(self.feed.record["bpm"])
        beat = f"{bpm:.0f} BPM   " if bpm else ""
        return f"{beat}{self._rate:.0f} pictures/s   {self.painter.caption}   F full screen   C camera   T text"

    def obey(self, event: Any) -> None:
        """Close, or what a key asks for."""
        if event.type == pygame.QUIT:
            self.open = False
        elif event.type == pygame.KEYDOWN:
            if event.key in (pygame.K_ESCAPE, pygame.K_q):
                self.open = False
            elif event.key == pygame.K_f:
                self.window.toggle()
                self.text = self.text and not self.window.fullscreen
            elif event.key == pygame.K_c:
                self.painter.turn()
            elif event.key == pygame.K_t:
                self.text = not self.text


def main(ring_path: str, told: str) -> int:
    """Show poses until closed."""
    memory, look, settings = _feed.begin(ring_path, told)
    try:
        window = Window(look, settings["display"], settings["fullscreen"])
    except Unusable as error:
        return _feed.refused(error)
    dancers = settings["dancers"]
    flash = Flash(memory, record_dtype(dancers)) if settings["flash"] else None
    return perform(Stage(look, window, _feed.Feed(memory, dancers), Painter(look, dancers, window.pixels), flash))


def perform(stage: Stage) -> int:
    """Say that all is ready, draw until closed, tell how it went; the exit status."""
    gone, begun = engine_gone(), time.monotonic()
    _feed.say("ready")
    status = 0
    try:
        _serve(stage, gone)
    except pygame.error:
        status = GONE
    used = time.process_time()
    _feed.say(json.dumps({"pictures": len(stage.drawn), "late_ms": _feed.milliseconds(stage.drawn),
                          "flashes": stage.flash.count if stage.flash is not None else 0,
                          "cpu": round(used / (time.monotonic() - begun), 3)}))  # fmt: skip
    return status


def _serve(stage: Stage, gone: Any) -> None:
    shown = time.monotonic()
    while stage.open and not gone.is_set():
        fresh, now = stage.feed.fresh(), time.monotonic()
        if fresh or now - shown > FADING:
            stage.draw(fresh)
            shown = now
            for event in pygame.event.get():
                stage.obey(event)
        else:
            time.sleep(POLL)


if __name__ == "__main__":
    _feed.run(main)
