"""Other people's servers on this machine: installed once into a folder of their own, started, and surely stopped.

A server needs two things said about it. What to install, as a function that fills a folder::

    home = installed("tryton", "8.2", pip_packages("trytond==8.2.*"))

and how to run it, as a command and an address that answers when it is up::

    server = start([home / "bin" / "trytond", "-c", config], ready=f"{url}/", folder=tmp_path)
    ...
    server.stop()

Installs are kept under ``$ANTIPHON_TEST_CACHE``, by default ``~/.cache/antiphon-tests``; delete that folder to begin
anew. Nothing here listens anywhere itself: keeping to 127.0.0.1 is up to each server's own settings.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LOOPBACK = "127.0.0.1"
SERVER_ERROR = 500
COMPLETE = ".complete"
LAUNCHER = Path(__file__).with_name("launch.py")


class CannotInstallError(Exception):
    """A server can't be had here: no network, a Python too old for it. The tests that need it are skipped."""


class DidNotStartError(Exception):
    """An installed server doesn't answer. That is a failure, with the end of its log in the message."""


def cache() -> Path:
    """The folder that installs are kept in between runs."""
    named = os.environ.get("ANTIPHON_TEST_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "antiphon-tests"


def installed(name: str, version: str, build: Callable[[Path], None]) -> Path:
    """The folder ``<cache>/<name>-<version>``, filled by `build` unless an earlier run finished doing so.

    Built in place, since virtual environments can't be moved. Processes that ask at once wait for the one that builds;
    a folder left half-built is emptied and built again. Raises what `build` raises.
    """
    folder = cache() / f"{name}-{version}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / COMPLETE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            build(folder)
            (folder / COMPLETE).touch()
    return folder


def pip_packages(*requirements: str) -> Callable[[Path], None]:
    """A build for `installed`: a virtual environment of this Python with these packages in it."""

    def build(folder: Path) -> None:
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input", "--retries", "1"]
        for command in [sys.executable, "-m", "venv", str(folder)], [*pip, *requirements]:
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode:
                said = (done.stderr or done.stdout).strip().splitlines() or ["nothing was said"]
                errors = [line for line in said if line.startswith("ERROR:")] or said[-1:]
                raise CannotInstallError(f"{' '.join(requirements)} can't be installed here: {' '.join(errors)}")

    return build


def npm_packages(*packages: str) -> Callable[[Path], None]:
    """A build for `installed`: a folder with these packages, such as ``koa@3``, and what they need in ``node_modules``."""

    def build(folder: Path) -> None:
        command = [
            "npm",
            "install",
            "--prefix",
            str(folder),
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
        ]
        try:
            done = subprocess.run([*command, *packages], check=False, capture_output=True, text=True)
        except FileNotFoundError:
            raise CannotInstallError(f"{' '.join(packages)} can't be installed here: there is no npm") from None
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["nothing was said"]
            errors = [line for line in said if line.startswith("npm error")] or said[-1:]
            raise CannotInstallError(f"{' '.join(packages)} can't be installed here: {' '.join(errors)}")

    return build


def free_port() -> int:
    """A loopback port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Server:
    """A running server: its process, which leads a process group, and the file its output goes to."""

    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """End the server and whatever it started; calling it twice is fine."""
        atexit.unregister(self.stop)
        if self.process.poll() is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=10)
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def log_tail(self, lines: int = 30) -> str:
        """The last lines the server wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def start(
    command: Sequence[str | Path],
    *,
    ready: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    within: float = 90,
) -> Server:
    """Run `command` in `folder` and return once the address `ready` answers with anything short of a server error.

    Output goes to ``<folder>/<program>.log``; `environment` adds to this process's own. Raises `DidNotStartError`,
    with nothing left running, when the command ends or `within` seconds pass first.
    """
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(LAUNCHER), str(os.getpid()), *map(str, command)],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(process, log)
    atexit.register(server.stop)
    deadline = time.monotonic() + within
    while not _answers(ready):
        ended = process.poll()
        if ended is not None or time.monotonic() > deadline:
            server.stop()
            what = f"ended with {ended}" if ended is not None else f"didn't answer at {ready} within {within:g} s"
            raise DidNotStartError(f"{log.stem} {what}; the end of {log}:\n{server.log_tail()}")
        time.sleep(0.1)
    return server


def _answers(url: str) -> bool:
    try:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(url, timeout=10).status_code < SERVER_ERROR
    except requests.RequestException:
        return False
