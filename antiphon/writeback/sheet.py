"""A mapping in a CSV sheet, for those who agree on it with others: a row for each field of the API, a column for each thing said of it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from antiphon.api import Resource, Schema
from antiphon.errors import InputError, did_you_mean
from antiphon.schema import types
from antiphon.writeback.entry import ENTRY_SCHEMA
from antiphon.writeback.proposal import Pair

_POLICIES = tuple(name for name in ENTRY_SCHEMA["properties"] if name not in {"from", "const"})
_TOLD = ("type", "options", "note")
"""Columns for people; nothing is read from them."""
COLUMNS = ("target", "source", "constant", "match", *_POLICIES, *_TOLD)
_LISTED = 20
"""Options in one cell."""
_SEPARATORS = ",;\t"
_SEP = re.compile(r'"?sep=([^\w\s"]|\t)"?[,;\t]*\r?\n', re.IGNORECASE)
"""A first line that is no row but says what stands between cells: Excel writes and heeds one."""
_OPEN = "expected after", "unexpected end"
"""What Python's reader says of a quote that is not closed where its cell ends."""
_YES, _NO = {"yes", "y", "true", "1", "x"}, {"no", "n", "false", "0"}


def written(resource: Resource, target: Schema, pairs: Iterable[Pair] = ()) -> str:
    """Return a sheet with a row for each field of *resource* that can be written, filled in with *pairs*."""
    by_field = {pair.field: pair for pair in pairs}
    matching = resource.match_fields(target)
    to = io.StringIO()
    rows = csv.DictWriter(to, COLUMNS, lineterminator="\n")
    rows.writeheader()
    for name, field in target.get("properties", {}).items():
        if field.get("readOnly"):
            continue
        pair = by_field.get(name)
        entry = pair.entry if pair and isinstance(pair.entry, Mapping) else {}
        rows.writerow(
            {
                **{policy: entry[policy] for policy in _POLICIES if policy in entry},
                "target": name,
                "source": pair.column if pair else "",
                "match": "yes" if pair and name in matching else "",
                "type": field.get("format") or " or ".join(types(field)),
                "options": " | ".join(map(str, field.get("x-options", ())[:_LISTED])),
                "note": pair.why if pair else "",
            }
        )
    return to.getvalue()


def read(path: Path, target: Schema) -> tuple[dict[str, Any], list[str]]:
    """Return ``fields`` and ``match`` as the sheet at *path* says them; rows that say nothing of where a field comes from are passed over.

    Raises:
        InputError: it cannot be read, or has a column or a cell that means nothing; the text names the line.
    """
    fields: dict[str, Any] = {}
    lines: dict[str, int] = {}
    match: list[str] = []
    for number, cells in _rows(path):
        where = f"{path}, line {number}"
        name = cells.get("target", "")
        if not {"source", "constant"} & set(cells):
            _refuse_without_source(cells, where)
            continue
        if not name:
            raise InputError(f"{where}: the cell target is empty")
        if name in fields:
            raise InputError(f"{where}: {name} stands in line {lines[name]} already")
        fields[name] = _entry(cells, target.get("properties", {}).get(name, {}), where)
        lines[name] = number
        if _matched(cells, where):
            match.append(name)
    return fields, match


def _matched(cells: Mapping[str, str], where: str) -> bool:
    word = cells.get("match", "no")
    if word.lower() not in _YES | _NO:
        raise InputError(f'{where}: match cannot be "{word}"', hint="It is yes or no.")
    return word.lower() in _YES


def _refuse_without_source(cells: Mapping[str, str], where: str) -> None:
    """Raise :class:`InputError` for a row that says something of a field, and not where it comes from."""
    said = [*(["match"] if _matched(cells, where) else []), *(name for name in _POLICIES if name in cells)]
    if said:
        hint = "Name the column that the field comes from, even if it is called the same."
        raise InputError(
            f"{where}: source is empty, and something is said of the field in {', '.join(said)}", hint=hint
        )


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each line of the sheet and its cells that hold something, by the column's name."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: it is no UTF-8", hint="Save the sheet as CSV UTF-8.") from None
    first = text.partition("\n")[0]
    told = _SEP.match(text)
    delimiter = told[1] if told else max(_SEPARATORS, key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        if told:
            next(rows)
        names = [name.strip() for name in next(rows, [])]
        _refuse_columns(path, [name for name in names if name])
        begins = rows.line_num + 1
        for row in rows:
            begins = rows.line_num + 1
            cells = {n: cell.strip() for n, cell in enumerate(row) if cell.strip()}
            if any(n >= len(names) or not names[n] for n in cells):
                raise InputError(f"{path}, line {rows.line_num}: it has more cells than the sheet has columns")
            yield rows.line_num, {names[n]: cell for n, cell in cells.items()}
    except csv.Error as error:
        if not any(words in str(error) for words in _OPEN):
            raise InputError(f"{path}, line {rows.line_num}: {error}") from None
        hint = "Close it; a quote within a text is written twice, and the whole text in quotes."
        raise InputError(
            f"{path}, line {begins}: a quote is opened and not closed before the end of its cell", hint=hint
        ) from None


def _refuse_columns(path: Path, there: list[str]) -> None:
    for name in there:
        if name not in COLUMNS:
            raise InputError(
                f'{path}: the sheet has a column "{name}", which means nothing', hint=did_you_mean(name, COLUMNS)
            )
    if "target" not in there or not {"source", "constant"} & set(there):
        raise InputError(f"{path}: a sheet needs the columns target and source", hint="mapping --template writes one.")
    if twice := [name for name in there if there.count(name) > 1]:
        raise InputError(f"{path}: the sheet has two columns {twice[0]}")


def _entry(cells: Mapping[str, str], known: Schema, where: str) -> Any:
    policies = {name: _value(name, cells[name], where) for name in _POLICIES if name in cells}
    if "constant" not in cells:
        return {"from": cells["source"], **policies} if policies else cells["source"]
    if "source" in cells or policies:
        raise InputError(f"{where}: a constant stands alone: without source, and without anything done to it")
    text = cells["constant"]
    return {"const": _decoded(text, where) if types(known) and "string" not in types(known) else text}


def _value(name: str, cell: str, where: str) -> Any:
    """Return the value of the policy *name*: JSON where it begins like it, pairs ``a=b; c=d``, a number, or the text itself."""
    if cell[0] in "{[" and name != "allowed":
        return _decoded(cell, f"{where}, {name}")
    if name in {"map", "replace"}:
        pairs = [pair.partition("=") for pair in cell.split(";") if pair.strip()]
        if not all(sign for _, sign, _ in pairs):
            raise InputError(f'{where}: {name} cannot be "{cell}"', hint="Write a=b; c=d, or JSON.")
        return _once([(left.strip(), right.strip()) for left, _, right in pairs], f"{where}: {name}")
    if name == "max_length":
        return _decoded(cell, f"{where}, {name}")
    return cell


def _once(pairs: Iterable[tuple[str, str]], where: str) -> dict[str, str]:
    """Return *pairs* as a mapping.

    Raises:
        InputError: one stands for two.
    """
    found: dict[str, str] = {}
    for left, right in pairs:
        if found.setdefault(left, right) != right:
            raise InputError(
                f'{where} has "{left}" twice, as "{found[left]}" and as "{right}"', hint="Keep one of them."
            )
    return found


def _decoded(cell: str, where: str) -> Any:
    try:
        return msgspec.json.decode(cell)
    except msgspec.DecodeError:
        raise InputError(f'{where}: "{cell}" is neither a number nor JSON') from None
