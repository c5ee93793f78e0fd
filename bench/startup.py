"""What it costs to start: CPU and memory of each command when there is next to nothing to do.

    python bench/startup.py [--rounds 9]

The sandbox of HubSpot has one page of contacts. What importing the Singer SDK costs by itself is in the table too: every tap and target of
it pays that.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import goals
from account import BIN, Account, account, catalog, people
from measure import Side, in_turns, median, run

VERSION, GET = "`tap-hubspot --version`", "`antiphon get`"
MOST = {VERSION: 0.15, GET: 0.3}
"""Seconds of CPU that a command may take."""


def sides(hubspot: Account, folder: Path) -> Iterator[Side]:
    """Yield the commands."""
    chosen = catalog(hubspot, folder, ("contacts",))
    config: list[str | Path] = ["--config", folder / "config.json"]
    tap, target, antiphon = BIN / "tap-hubspot", BIN / "target-hubspot", BIN / "antiphon"
    yield Side("`python -c pass`", [sys.executable, "-c", "pass"])
    yield Side("`import singer_sdk`", [sys.executable, "-c", "import singer_sdk"])
    yield Side(VERSION, [tap, "--version"])
    yield Side("`tap-hubspot --about`", [tap, "--about", "--format", "json"])
    yield Side("`tap-hubspot --discover`", [tap, *config, "--discover"])
    yield Side("`tap-hubspot`, a page", [tap, *config, "--catalog", chosen])
    yield Side("`target-hubspot`, a record", [target, *config], people(folder, 1))
    yield Side("`antiphon --help`", [antiphon, "--help"])
    yield Side("`antiphon apis`", [antiphon, "apis"])
    yield Side("`antiphon check`", [antiphon, "check", "hubspot", *config])
    yield Side(GET, [antiphon, "get", "hubspot", "contact", first(hubspot), *config])
    yield Side("`antiphon ledger show`", [antiphon, "ledger", "show", "hubspot", "contacts", *config])


def first(hubspot: Account) -> str:
    """Return the id of a contact."""
    request = urllib.request.Request(
        f"{hubspot.config['base_url']}/crm/v3/objects/contacts?limit=1",
        headers={"Authorization": f"Bearer {hubspot.config['access_token']}"},
    )
    with urllib.request.urlopen(request) as reply:
        return str(json.load(reply)["results"][0]["id"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as name, account(100) as hubspot:
        commands = list(sides(hubspot, Path(name)))
        for side in commands:
            run(side)
        found = {what: median(runs) for what, runs in in_turns(commands, rounds).items()}
    print("| command | CPU s | peak MB |\n|---|---|---|")
    for what, used in found.items():
        print(f"| {what} | {used.cpu:.2f} | {used.memory:.0f} |")
    reached = [goals.within(f"{what}: CPU", most, found[what].cpu, " s") for what, most in MOST.items()]
    print(f"\n{goals.table(reached)}")


if __name__ == "__main__":
    main()
