"""A proxy on this machine that stands before a server and spoils some of what passes, as networks do.

It is mitmproxy 11 in an environment of its own, with the script `fault_proxy`. The ``Host`` header is passed on as the
client sent it, so that a server that builds its links from it (pretix does) gives links that lead through the proxy.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from .servers import LOOPBACK, Server, free_port, installed, pip_packages, start

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "11.0.2"
SCRIPT = Path(__file__).with_name("fault_proxy.py")
CONTROL = "/-/faults"


@dataclass(frozen=True)
class Plan:
    """How often each thing goes wrong: probabilities between 0 and 1, with a sum of 1 at most.

    A request meets one fault or none. Whatever may go wrong does so at least once: the first requests that are not spared meet one fault
    after the other, in the order below, whichever requests these are. Then it is chance, the same for a given `seed` where the
    same requests come in the same order.
    """

    rate_limited: float = 0
    """Answered 429 with a ``Retry-After`` of `retry_after`, without asking the server."""
    bad_gateway: float = 0
    """Answered 502 with a page of HTML, without asking the server."""
    cut: float = 0
    """Connection closed without an answer, without asking the server."""
    delayed: float = 0
    """Answered `delay` seconds late."""
    truncated: float = 0
    """Carried out by the server; half of the answer's body arrives, then the connection closes."""
    lost_answer: float = 0
    """Writes only: carried out by the server, then the connection closes without an answer."""

    retry_after: int | str = 1
    """Seconds, or an HTTP date."""
    delay: float = 0.5
    """Seconds."""
    in_a_row: int = 2
    """How often one and the same request (method, address and body) is spoilt before it gets through once."""
    only: str = ""
    r"""Regular expression for the requests meant, such as ``^POST .*/orders/$``; empty for all."""
    seed: int = 0


@dataclass(frozen=True)
class FaultProxy:
    """A running proxy: where clients reach the server through it, and what has gone wrong so far."""

    url: str
    server: Server

    def follow(self, plan: Plan) -> None:
        """Carry out `plan` from now on, with nothing counted yet."""
        requests.put(self.url + CONTROL, json=asdict(plan), timeout=10).raise_for_status()

    def injected(self) -> list[Mapping[str, str]]:
        """What was spoilt, in order, each as ``{"fault": "cut", "method": "POST", "path": "/api/v1/..."}``."""
        spoilt: list[Mapping[str, str]] = self._record()["injected"]
        return spoilt

    def counts(self) -> Counter[str]:
        """How often each fault was injected, and as ``passed`` how many requests met none."""
        record = self._record()
        return Counter({"passed": record["passed"]}) + Counter(spoilt["fault"] for spoilt in record["injected"])

    def stop(self) -> None:
        """End the proxy."""
        self.server.stop()

    def _record(self) -> Any:
        answer = requests.get(self.url + CONTROL, timeout=10)
        answer.raise_for_status()
        return answer.json()


def start_fault_proxy(upstream: str, folder: Path) -> FaultProxy:
    """Start a proxy before the server at `upstream`, spoiling nothing yet; it logs in `folder`.

    Raises `CannotInstallError` or `DidNotStartError`.
    """
    home = installed("mitmproxy", VERSION, pip_packages(f"mitmproxy=={VERSION}"))
    port = free_port()
    options = ["keep_host_header=true", "connection_strategy=lazy", "http2=false", f"confdir={folder}"]
    command: list[str | Path] = [home / "bin" / "mitmdump", "--mode", f"reverse:{upstream}", "--scripts", SCRIPT]
    command += ["--listen-host", LOOPBACK, "--listen-port", str(port)]
    for option in options:
        command += ["--set", option]
    url = f"http://{LOOPBACK}:{port}"
    return FaultProxy(url, start(command, ready=url + CONTROL, folder=folder))
