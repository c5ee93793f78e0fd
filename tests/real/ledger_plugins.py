"""Runs ``antiphon``, or the tap or target of the API in `described`, in a process of its own.

``python ledger_plugins.py antiphon login ledger`` · ``… tap --config …`` · ``… target --config …``
"""

from __future__ import annotations

import sys
from pathlib import Path

from antiphon import apis

apis.__path__.append(str(Path(__file__).with_name("described")))


def main() -> None:
    """Run what the first argument names."""
    match sys.argv.pop(1):
        case "antiphon":
            from antiphon.cli import main as command  # noqa: PLC0415

            command()
        case "tap":
            from antiphon.singer.tap import Tap  # noqa: PLC0415

            type("TapLedger", (Tap,), {"api": "ledger", "__doc__": "Reads the ledger."}).cli()
        case "target":
            from antiphon.singer.target import Target  # noqa: PLC0415

            type("TargetLedger", (Target,), {"api": "ledger", "__doc__": "Writes to the ledger."}).cli()
        case "asking":
            from antiphon.connection import connect  # noqa: PLC0415

            connection = connect("ledger")
            while True:
                print(connection.call("GET", "/me")["name"], flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
