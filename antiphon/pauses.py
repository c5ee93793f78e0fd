"""Waits before something is tried again; once the process is to end there are none, and what was waiting is given up."""

from __future__ import annotations

import math
import time

from antiphon.errors import Interrupted


class Pauses:
    """The waits of one connection, in whatever thread."""

    def __init__(self, tick: float = math.inf) -> None:
        """Look every *tick* seconds whether the process is to end; the whole wait long if nothing will say so."""
        self._tick = tick
        self._ending = False
        self._given_up = False

    def end(self) -> None:
        """Let nobody wait any more. May be called in a signal's handler."""
        self._ending = True

    def wait(self, seconds: float) -> None:
        """Wait so many *seconds* before something is tried again.

        Raises:
            Interrupted: the process is to end.
        """
        while seconds > 0 and not self._ending:
            time.sleep(min(seconds, self._tick))
            seconds -= self._tick
        if self._ending:
            self._given_up = True
            self.heed()

    def heed(self) -> None:
        """Let nothing new be sent after a wait was given up.

        Raises:
            Interrupted: one was.
        """
        if self._given_up:
            raise Interrupted("what failed was not tried again, for the process is to end")
