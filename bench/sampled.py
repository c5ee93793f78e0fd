"""A script run under a clock that looks twice in a millisecond at what each of its threads is doing, and charges it with the CPU since the last look.

    python bench/sampled.py REPORT KIND SCRIPT [ARGUMENT …]

Nothing of the script is wrapped or counted, so that many small functions look no dearer than they are. What is charged is the layer
(:mod:`layers`) of the innermost function that belongs to one: what a library does is the time of whoever called it. It begins with the first
record, or page; what it takes to load modules later on is left out too. The report is a JSON object: seconds of CPU by layer, those
of all threads together that are to be explained, and those that looking took and are in neither. The module that the variable WITHOUT names is as if it were not installed.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import CodeType, FrameType

from layers import BEGINS, LOADING, REST, Layers

INTERVAL = 0.0005
"""Seconds between two looks."""
SWITCH = 0.00005
"""Seconds after which a thread gives way to the one that looks: else threads would be seen only where they give way themselves, as in waits."""
_WOKEN = 0.00003
"""Seconds of CPU that a thread takes to be woken for a look while it waits."""


class Sampler:
    """Charges layers with CPU, from the first look on at which *begins* is being run."""

    def __init__(self, layers: Layers, begins: frozenset[tuple[str, str]]) -> None:
        """Charge nothing yet."""
        self.spent: defaultdict[str, float] = defaultdict(float)
        self.looking = 0.0
        self._layers, self._begins = layers, begins
        self._began: float | None = None
        self._known: dict[CodeType, str | None] = {}
        self._last: dict[int, float] = {}
        self._main = threading.get_ident()
        self._looks = False

    def look(self, _signal: int, frame: FrameType | None) -> None:
        """Charge what each thread is doing with its CPU since the last look."""
        if self._looks:  # the garbage that is collected meanwhile may run Python, and there a look may be due again
            return
        self._looks = True
        collects = gc.isenabled()
        gc.disable()
        try:
            self._charge(frame)
        finally:
            self._looks = False
            if collects:
                gc.enable()

    def _charge(self, frame: FrameType | None) -> None:
        mine = time.thread_time()
        last: dict[int, float] = {}
        for thread, found in sys._current_frames().items():  # noqa: SLF001 - it must not collect garbage: it holds a lock
            there = frame if thread == self._main else found
            clock = time.pthread_getcpuclockid(
                thread
            )  # it is alive: it has a frame, and cannot end while we are running
            now = mine if thread == self._main else time.clock_gettime(clock)
            last[clock] = now
            if self._began is not None:
                spent = now - self._last.get(clock, 0.0)
                if thread == self._main and spent < _WOKEN:
                    self.looking += spent
                else:
                    self.spent[self._layer(there)] += spent
            elif self._begin(there):
                self._began = time.process_time()
        if self._began is not None:
            after = time.thread_time()
            self.looking += after - mine
            last[time.pthread_getcpuclockid(self._main)] = after
        self._last = last

    def report(self) -> dict[str, object]:
        """Return what was charged."""
        whole = 0.0 if self._began is None else time.process_time() - self._began - self.looking
        loading = self.spent.pop(LOADING, 0.0)
        return {"layers": self.spent, "whole": whole - loading, "looking": self.looking}

    def _layer(self, frame: FrameType | None) -> str:
        while frame is not None:
            code = frame.f_code
            if code not in self._known:
                self._known[code] = self._layers.of(code.co_filename, code.co_name)
            if (layer := self._known[code]) is not None:
                return layer
            frame = frame.f_back
        return REST

    def _begin(self, frame: FrameType | None) -> bool:
        while frame is not None:
            code = frame.f_code
            if any(code.co_name == name and code.co_filename.endswith(file) for file, name in self._begins):
                return True
            frame = frame.f_back
        return False


def main() -> None:
    """Run the script."""
    report, kind, *sys.argv = sys.argv[1:]
    if absent := os.environ.get("WITHOUT"):
        sys.modules[absent] = None  # type: ignore[assignment]
    sampler = Sampler(Layers(kind), BEGINS)
    sys.setswitchinterval(SWITCH)
    signal.signal(signal.SIGALRM, sampler.look)
    signal.setitimer(signal.ITIMER_REAL, INTERVAL, INTERVAL)
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        Path(report).write_text(json.dumps(sampler.report()), "utf-8")


if __name__ == "__main__":
    main()
