"""Where the demo plays: a folder, a sandbox, and shell lines that are printed before they run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
from rich.console import Console

from antiphon.errors import AntiphonError

Message = dict[str, Any]

_COMMANDS = ("antiphon", "tap-hubspot", "tap-csv", "target-hubspot")


class DemoError(AntiphonError):
    """A command of the demo failed, or did something else than it should."""


@dataclass(frozen=True)
class Stage:
    """Where the demo plays: the folder of its files, the environment of its commands, the console that shows them."""

    folder: Path
    environment: Mapping[str, str]
    to: Console

    def say(self, text: str = "", style: str = "") -> None:
        """Print a line for the reader."""
        self.to.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def file(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a config file into the folder."""
        (self.folder / name).write_text(json.dumps(content, indent=2) + "\n", "utf-8")

    def messages(self, name: str, kind: str = "RECORD") -> list[Message]:
        """Return the Singer messages of one type in a file of the folder."""
        with (self.folder / name).open("rb") as lines:
            found: Iterator[Message] = map(msgspec.json.decode, lines)
            return [message for message in found if message["type"] == kind]


@contextmanager
def sandbox(stage: Stage, records: int) -> Iterator[Message]:
    """Start the sandbox; give the config to reach it with; end it in any case."""
    line = ["antiphon", "sandbox", "hubspot", "--records", str(records), "--limit", "1000/10", "--seed", "0", "--port"]
    log = (stage.folder / "log.txt").open("ab")
    with (
        log,
        subprocess.Popen(  # noqa: S603 - our own command
            [*line, "0"], cwd=stage.folder, env=stage.environment, stdout=subprocess.PIPE, stderr=log, text=True
        ) as child,
    ):
        try:
            assert child.stdout is not None  # noqa: S101
            announced = child.stdout.readline()
            if not announced:
                raise DemoError("demo: starting the sandbox -> it ended at once", hint=_last_words(stage))
            config: Message = json.loads(announced)["config"]
            port = config["base_url"].rpartition(":")[2]
            stage.say(f"$ {' '.join(line)} {port} &", "green")
            yield config
        finally:
            child.terminate()


def run(stage: Stage, line: str) -> float:
    """Print a shell line and run it; return the seconds it took.

    Raises:
        DemoError: its exit code is not 0; the text has the last words it said.
    """
    stage.say(f"$ {line}", "green")
    shell = ["bash", "-o", "pipefail", "-c"] if shutil.which("bash") else ["sh", "-c"]
    started = time.monotonic()
    with (stage.folder / "log.txt").open("ab") as log, _patience(stage.to):
        child = subprocess.Popen(  # noqa: S603 - lines of this file
            [*shell, line],
            cwd=stage.folder,
            env=stage.environment,
            stdin=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
        try:
            code = child.wait()
        except BaseException:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait()
            raise
    if code:
        raise DemoError(f"demo: {line} -> exit code {code}", hint=_last_words(stage))
    return time.monotonic() - started


@contextmanager
def _patience(to: Console) -> Iterator[None]:
    """Show that something goes on, where somebody watches."""
    if to.is_terminal:
        with to.status("working …"):
            yield
    else:
        yield


def _last_words(stage: Stage) -> str:
    lines = (stage.folder / "log.txt").read_text("utf-8", "replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return f"It said: {said[-1]}" if said else "It said nothing."


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which the commands are found, and no setting of the user's own connections is.

    Raises:
        DemoError: a command is not installed.
    """
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join([beside, os.environ.get("PATH", "")])
    for command in _COMMANDS:
        if not shutil.which(command, path=path):
            hint = "Install this project into the environment first: make setup, or pip install antiphon."
            raise DemoError(f"demo: the command {command} is not installed", hint=hint)
    theirs = ("HUBSPOT_", "CSV_", "TAP_", "TARGET_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    here = {
        "PATH": path,
        "XDG_CONFIG_HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    return {**kept, **here}


@contextmanager
def chosen_folder(keep: Path | None) -> Iterator[Path]:
    """Give the folder to *keep*, new or empty, or a temporary one."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="antiphon-demo-") as name:
            yield Path(name)
        return
    if keep.exists() and any(keep.iterdir()):
        raise DemoError(f"demo: {keep} is not empty", hint="Name a new folder.")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep.resolve()


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the demo as Ctrl-C does, so that the sandbox ends with it."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(143)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
