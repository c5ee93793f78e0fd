"""Writes ``catalogs/<api>.json``: what the tap's ``--discover`` prints for a new account.

Where there is a sandbox, the account is one of it, without records; elsewhere the catalog is of the streams that are the same for every
account. An API whose every stream is the user's own, such as CSV files, has no catalog here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from antiphon import apis, sandbox

FOLDER = Path(__file__).parent.parent / "catalogs"


def names() -> list[str]:
    """Return the APIs that have a catalog here."""
    return [name for name in apis.shipped() if (api := apis.load(name)).readable and api.resources]


def discovered(name: str) -> str:
    """Return what ``tap-<name> --discover`` prints.

    Raises:
        SystemExit: the tap failed; the text is what it said.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="antiphon-catalog-"))
        config = {"state_dir": folder}
        if name in sandbox.names():
            config |= stack.enter_context(sandbox.start(name, records=0)).config
        path = Path(folder, "config.json")
        path.write_text(json.dumps(config), "utf-8")
        tap = Path(sys.executable).with_name(f"tap-{name.replace('_', '-')}")
        done = subprocess.run(
            [tap, "--config", path, "--discover"],
            capture_output=True,
            encoding="utf-8",
            check=False,
            cwd=folder,
            env={},
        )
    if done.returncode:
        raise SystemExit(f"{tap.name} --discover -> exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout.rstrip("\n") + "\n"


def main() -> None:
    """Write them all; that of an API that is gone goes."""
    FOLDER.mkdir(exist_ok=True)
    written = []
    for name in names():
        written.append(FOLDER / f"{name}.json")
        written[-1].write_text(discovered(name), "utf-8")
        print(written[-1].relative_to(FOLDER.parent))
    for old in set(FOLDER.glob("*.json")) - set(written):
        old.unlink()


if __name__ == "__main__":
    main()
