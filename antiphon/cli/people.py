"""The people of the demo: a CSV of new, changed, unchanged and invalid ones, made from the contacts a sandbox holds."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COLUMNS = ("email", "first_name", "last_name", "job_title", "stage")
#: HubSpot's field -> the CSV's column; `email` is called the same in both.
FIELDS = {"firstname": "first_name", "lastname": "last_name", "jobtitle": "job_title", "lifecyclestage": "stage"}

_NEW = (
    ("Amara", "Okafor", "Architect"),
    ("Bruno", "Keller", "Head of Purchasing"),
    ("Céline", "Moreau", "Data Engineer"),
    ("Dae", "Yoon", "Accountant"),
    ("Élodie", "Nowak", 'Director, "North"'),
    ("Farid", "Hassan", "Owner"),
    ("Greta", "Lindholm", "Researcher"),
)
#: One of each way to be wrong, and what is wrong.
_INVALID = (
    ("ines.at.example.org", "Ines", "Sato", "Engineer", "lead"),
    ("jonas@nowhere", "Jonas", "Weber", "Engineer", "lead"),
    ("kim@example.org, lee@example.org", "Kim", "Lee", "Owner", "lead"),
    ("", "Luis", "Ortega", "Owner", "lead"),
    ("mira@example.org", "Mira", "Novak", "Buyer", "very important"),
)


@dataclass(frozen=True)
class People:
    """The rows of the CSV, and how many there are of each sort."""

    rows: Sequence[Sequence[str]]
    changed: int
    unchanged: int
    new: int
    invalid: int


def people(contacts: Sequence[Mapping[str, Any]]) -> People:
    """Return the same people for the same *contacts*: of 2,000, 100 changed and 100 unchanged; 200 new; a few invalid."""
    known = [contact for contact in contacts if contact.get("email")]
    twentieth = len(known) // 20
    changed = [(*_row(contact)[:3], "Chief of Something New", _row(contact)[4]) for contact in known[:twentieth]]
    unchanged = [_row(contact) for contact in known[twentieth : 2 * twentieth]]
    new = [_new_person(number) for number in range(2 * twentieth)]
    return People((*changed, *unchanged, *new, *_INVALID), len(changed), len(unchanged), len(new), len(_INVALID))


def write(found: People, path: Path) -> None:
    """Write the CSV file, UTF-8, with a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(found.rows)


def _row(contact: Mapping[str, Any]) -> tuple[str, ...]:
    return (str(contact["email"]), *(str(contact.get(field) or "") for field in FIELDS))


def _new_person(number: int) -> tuple[str, ...]:
    first, last, title = _NEW[number % len(_NEW)]
    return f"newcomer{number:04d}@example.org", first, last, title, "lead"
