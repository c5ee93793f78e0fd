"""Signals that end a run besides those that the SDK heeds."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType


def heed_hangup(handler: Callable[[int, FrameType | None], object]) -> None:
    """Let *handler* hear SIGHUP, the end of a terminal, unless it is to be survived (``nohup``)."""
    number = getattr(signal, "SIGHUP", None)  # Windows has none
    if number and threading.current_thread() is threading.main_thread() and signal.getsignal(number) is signal.SIG_DFL:
        signal.signal(number, handler)
