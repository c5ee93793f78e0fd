"""CSV files under the contract: one file, and a pen."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from contract.apis import Account, Case, Entry, Key

HELD = 2500
"""Lines: three pages of a thousand."""
_NUMBERS = count(HELD + 1)


@contextmanager
def account(_started: None, folder: Path) -> Iterator[Account]:
    """A file with people in it."""
    file = folder / "people.csv"
    file.write_text("email,name,born,visits,spent,seen\n", "utf-8")
    for number in range(1, HELD + 1):
        _add(file, number)
    yield Account({"files": [{"path": str(file), "keys": ["email"]}], "state_dir": str(folder / "state")}, file)


def _add(file: Path, number: int) -> Key:
    email = f"person{number:05}@contract.example"
    seen = f"2026-05-{number % 28 + 1:02}T10:00:00+02:00"
    with file.open("a", newline="", encoding="utf-8") as opened:
        row = [email, f"Person, “{number}”\nof two lines", f"19{number % 100:02}-01-31", number, f"{number}.50", seen]
        csv.writer(opened).writerow(row)
    return (email,)


def _keys(file: Path) -> Iterable[Key]:
    with file.open(newline="", encoding="utf-8") as opened:
        return [(row["email"],) for row in csv.DictReader(opened)]


ENTRY = Entry(
    name="csv",
    tap="tap_csv:TapCSV",
    account=account,
    http=False,
    cases=(
        Case(
            "people",
            _keys,
            ("email",),
            insert=lambda file: _add(file, next(_NUMBERS)),
            why="lines have no time at which they were changed, and a file that is read is added to at most",
        ),
    ),
)
