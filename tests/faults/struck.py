"""Runs a target that is killed at a moment of its writing: ``python struck.py target_hubspot sent 3 --config …``.

The moments are those between which a crash leaves different traces, and each is counted:

``intent``    what is about to be written is in the ledger, and nothing of it has been sent
``sent``      a request was sent and the API has done what it asks, but nobody has read the answer
``answered``  the answers are read, and the ledger does not have them yet
``recorded``  the ledger has them, and no STATE covers them yet

With ``never`` it is killed at none. Nobody waits before trying again or asking whether a job is done, nor for room in a rate limit:
calls are counted as ever, but none of the servers here has the limit that its vendor's has.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import requests

from antiphon import limits
from antiphon.launch import run
from antiphon.pauses import Pauses
from antiphon.writeback.ledger import Ledger


def main(module: str, moment: str, number: int) -> None:
    """Run the plugin in *module*, killed at the *moment* when it comes the *number*-th time."""
    random.uniform = lambda _low, _high: 0.0
    limits._Window.wait = lambda *_given, **_named: 0.0
    time.sleep = partial(_briefly, time.sleep)
    Pauses.wait = lambda _self, seconds: time.sleep(seconds)
    counted: dict[str, int] = {}
    lock = threading.Lock()

    def reached(name: str) -> None:
        with lock:
            counted[name] = counted.get(name, 0) + 1
            if name == moment and counted[name] == number:
                os.kill(os.getpid(), signal.SIGKILL)

    def told(of: Any, name: str, before: str = "", after: str = "", *, once: str = "") -> None:
        work: Callable[..., Any] = getattr(of, name)

        @wraps(work)
        def telling(self: Any, *given: Any, **named: Any) -> Any:
            if before and given[0]:
                reached(before)
            result = work(self, *given, **named)
            if after and given[0] and (not once or counted.get(once)):
                reached(after)
            return result

        setattr(of, name, telling)

    told(Ledger, "intend", after="intent")
    told(Ledger, "answered", before="answered", after="recorded")
    told(Ledger, "found_there", before="answered", after="recorded")
    told(requests.Session, "send", after="sent", once="intent")
    run(module)


def _briefly(sleep: Callable[[float], None], seconds: float) -> None:
    sleep(min(seconds, 0.01))


if __name__ == "__main__":
    _, module, moment, number, *sys.argv[1:] = sys.argv
    main(module, moment, int(number))
