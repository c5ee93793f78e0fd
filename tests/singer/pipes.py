"""Messages piped into target-hubspot, in this process or as a command, with an account of the sandbox behind it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon import http
from antiphon.sandbox import start
from target_hubspot import TargetHubSpot

COMMAND = str(Path(sys.executable).parent / "target-hubspot")
TEXT = {"type": ["string", "null"]}
Message = dict[str, Any]


def schema(stream: str, *columns: str, keys: Iterable[str] = (), **typed: Any) -> Message:
    """Return a SCHEMA: *columns* are texts, *typed* have a schema of their own."""
    properties = dict.fromkeys(columns, TEXT) | typed
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": properties},
        "key_properties": list(keys),
    }


def record(stream: str, **fields: Any) -> Message:
    """Return a RECORD."""
    return {"type": "RECORD", "stream": stream, "record": fields}


def state(value: Any) -> Message:
    """Return a STATE."""
    return {"type": "STATE", "value": value}


def encoded(messages: Iterable[Message | bytes]) -> bytes:
    """Return messages as the lines of a pipe; bytes are a line as they are."""
    return b"".join((m if isinstance(m, bytes) else json.dumps(m).encode()) + b"\n" for m in messages)


@dataclass(frozen=True)
class Ran:
    """What a run of the target said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def states(self) -> list[Any]:
        """The states on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def last(self) -> str:
        """The last line on stderr."""
        return self.err.rstrip("\n").rpartition("\n")[2]


class Crm:
    """An account of HubSpot, empty unless *knobs* say otherwise, and the target with a state folder of its own."""

    def __init__(self, folder: Path, **knobs: Any) -> None:
        self.folder = folder
        # The limit it announces is one that nobody here reaches: without it ours would wait at HubSpot's usual one.
        self.server = start("hubspot", **{"records": 0, "limit": (100_000, 10), **knobs})
        self.app: Any = self.server.app
        self.settings: dict[str, Any] = {**self.server.config, "state_dir": str(folder / "state")}
        self.rejects = folder / "rejects.jsonl"
        self.receipts = folder / "receipts.jsonl"

    def config(self, **settings: Any) -> dict[str, Any]:
        """Return the target's config."""
        given = {**self.settings, "rejects": str(self.rejects), "receipts": str(self.receipts), **settings}
        return {name: value for name, value in given.items() if value is not None}

    def pipe(self, *messages: Message | bytes, source: Any = None, **settings: Any) -> Ran:
        """Run the target in this process. Errors are raised, an exit with a code is not."""
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        out, err = io.StringIO(), io.StringIO()
        code: Any = 0
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                target = TargetHubSpot(config=self.config(**settings))
                try:
                    target.listen(source or io.BytesIO(encoded(messages)))
                except SystemExit as ended:
                    code = ended.code
                finally:
                    target.close()
                    if "client" in target.__dict__:
                        target.client.http.session.close()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return Ran(code, out.getvalue(), err.getvalue())

    def write_config(self, **settings: Any) -> Path:
        """Write the config to a file."""
        path = self.folder / "config.json"
        path.write_text(json.dumps(self.config(**settings)))
        return path

    def command(self, *messages: Message | bytes, **settings: Any) -> Ran:
        """Run the console script."""
        return run("--config", str(self.write_config(**settings)), given=encoded(messages), folder=self.folder)

    def started(self, *, hasty: bool = False, **settings: Any) -> Process:
        """Start the console script; what is piped into it is up to the caller. One that is *hasty* tries again at once."""
        variables = hastily(self.folder) if hasty else {}
        return Process("--config", str(self.write_config(**settings)), folder=self.folder, **variables)

    def shown(self, resource: str = "contacts", *fields: str) -> list[dict[str, str]]:
        """Return what the account has, with those of *fields* that are set."""
        wanted = fields or ("email", "firstname", "city")
        found = [one["properties"] for one in self.app.records(resource)]
        return [{name: one[name] for name in wanted if one.get(name)} for one in found]

    def emails(self) -> Counter[str]:
        """Return how often each address is there."""
        return Counter(one["email"] for one in self.shown("contacts", "email"))

    def ledger(self) -> Path:
        """Return where the ledger is: one for each server that is spoken to."""
        return Path(self.settings["state_dir"]) / f"hubspot-127.0.0.1_{self.server.port}.ledger.sqlite3"

    def kept(self) -> list[Message]:
        """Return the messages in the rejects file."""
        return read(self.rejects)

    def receipted(self) -> list[dict[str, Any]]:
        """Return the receipts."""
        return [message["record"] for message in read(self.receipts) if message["type"] == "RECORD"]


def read(path: Path, *, killed: bool = False) -> list[Message]:
    """Return the messages in a file; every line must be one, but for the last that its writer was *killed* in."""
    written = path.read_bytes() if path.exists() else b""
    whole = written[: written.rfind(b"\n") + 1] if killed else written
    return [json.loads(line) for line in whole.decode().splitlines()]


@contextlib.contextmanager
def crm(folder: Path, **knobs: Any) -> Iterator[Crm]:
    """Give an account, and nobody waits before trying again in this process."""
    uniform = http.random.uniform
    http.random.uniform = lambda _low, _high: 0.0
    made = Crm(folder, **knobs)
    try:
        yield made
    finally:
        http.random.uniform = uniform
        made.server.stop()


def environment(folder: Path) -> dict[str, str]:
    """Return the variables for a command that is to know nothing of the user's."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "xdg"),
        "XDG_CONFIG_HOME": str(folder / "xdg"),
        "LOGLEVEL": "WARNING",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def hastily(folder: Path) -> dict[str, str]:
    """Return the variables for a command that does not wait before it tries again."""
    (folder / "sitecustomize.py").write_text("import random\nrandom.uniform = lambda low, high: 0.0\n")
    return {"PYTHONPATH": str(folder)}


def run(*args: str, given: bytes = b"", folder: Path, **variables: str) -> Ran:
    """Run the console script to its end."""
    done = subprocess.run(
        [COMMAND, *args],
        input=given,
        capture_output=True,
        check=False,
        timeout=120,
        cwd=folder,
        env={**environment(folder), **variables},
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until *condition* holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


class Gate:
    """Lets an account answer nothing under an address that has *part* in it before it is opened; what was asked for is done by then."""

    def __init__(self, crm: Crm, part: str) -> None:
        self.reached, self._opened, handle = threading.Event(), threading.Event(), crm.app.handle

        def held(request: Any) -> Any:
            response = handle(request)
            if part in request.target:
                self.reached.set()
                self._opened.wait(60)
            return response

        crm.app.handle = held

    def open(self) -> None:
        """Let everything through from now on."""
        self._opened.set()


class Process:
    """The console script, under way. What it says is collected as it says it."""

    def __init__(self, *args: str, folder: Path, preexec: Any = None, command: str = COMMAND, **variables: str) -> None:
        self.popen = subprocess.Popen(
            [command, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**environment(folder), **variables},
            preexec_fn=preexec,  # noqa: PLW1509 - sets a limit, and takes no lock
        )
        self.out: list[bytes] = []
        self.err: list[bytes] = []
        self._threads = [
            threading.Thread(target=self._collect, args=pair, daemon=True)
            for pair in ((self.popen.stdout, self.out), (self.popen.stderr, self.err))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def states(self) -> list[Any]:
        """The states that have come out by now."""
        return [json.loads(line) for line in [*self.out]]

    @staticmethod
    def _collect(pipe: Any, into: list[bytes]) -> None:
        with pipe:
            into.extend(pipe)

    def give(self, *messages: Message | bytes, close: bool = False) -> None:
        """Pipe messages in; a target that is gone takes none."""
        assert self.popen.stdin
        with contextlib.suppress(BrokenPipeError):
            self.popen.stdin.write(encoded(messages))
            self.popen.stdin.flush()
            if close:
                self.popen.stdin.close()

    def ended(self, timeout: float = 60) -> Ran:
        """Wait for the end and return what was said."""
        assert self.popen.stdin
        with contextlib.suppress(BrokenPipeError):
            self.popen.stdin.close()
        try:
            code = self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise
        for thread in self._threads:
            thread.join(5)
        return Ran(code, b"".join(self.out).decode(), b"".join(self.err).decode())
