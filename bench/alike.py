"""Whether another side wrote the records that ours did, by what they mean: each id as often, and of each hundredth record every field.

    python bench/alike.py OURS THEIRS …

``OURS`` is a file of RECORD messages, ``THEIRS`` are files of such, of Airbyte's, or of bare records, packed or not. Names count
without their case and underscores, objects within a record with the names of their fields behind a dot (or two underscores), and those of
``properties`` alone; a text that is a number, a flag or a time is one; what is null may be absent. Lists are left out: dlt makes tables of
their own of them. Exit code 1: they are not alike.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

EACH = 100
"""Of so many records the fields of one are compared."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*")
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_FLAGS = {"true": True, "false": False}


def records(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield the records in some files."""
    for path in paths:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for line in lines:
                message = _decode(line)
                if "type" not in message:
                    yield message
                elif message["type"] == "RECORD":
                    yield message["record"].get("data", message["record"])


def meaning(value: Any) -> Any:
    """Return what a single *value* is worth, however it is written."""
    if isinstance(value, str):
        if value in _FLAGS:
            return _FLAGS[value]
        if _TIME.fullmatch(value):
            return datetime.fromisoformat(value)
        return Decimal(value) if _NUMBER.fullmatch(value) else value
    return Decimal(value) if type(value) is int else value


def leaves(record: dict[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the single values in *record*, each with its name; none for nulls and lists."""
    for name, value in record.items():
        plain = ".".join(part.lower().replace("_", "") for part in name.split("__") if part != "properties")
        whole = ".".join(part for part in (within, plain) if part)
        if isinstance(value, dict):
            yield from leaves(value, whole)
        elif value is not None and not isinstance(value, list):
            yield whole, meaning(value)


def differs(ours: Iterable[Path], theirs: Iterable[Path]) -> str:
    """Return in what *theirs* are not the records of *ours*; nothing where they are."""
    sample, mine = dict[Any, dict[str, Any]](), Counter[Any]()
    for record in records(ours):
        key = meaning(record["id"])
        if not mine[key] and len(mine) % EACH == 0:
            sample[key] = dict(leaves(record))
        mine[key] += 1
    others = Counter[Any]()
    for record in records(theirs):
        key = meaning(record["id"])
        others[key] += 1
        if key in sample:
            there = dict(leaves(record))
            if wrong := [name for name, value in sample[key].items() if there.get(name) != value]:
                return f"record {key}: {wrong[0]} is {there.get(wrong[0])!r}, where {sample[key][wrong[0]]!r} was due"
    odd = next(iter((mine - others) + (others - mine)), None)
    return "" if odd is None else f"record {odd} came {others[odd]} times, where {mine[odd]} were due"


if __name__ == "__main__":
    first, *rest = map(Path, sys.argv[1:])
    sys.exit(differs([first], rest) or None)
