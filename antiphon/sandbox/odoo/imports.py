"""`load`: rows of text become records, found again by their external ids, all of them or none.

Cells are converted first, and every error of that kind is collected. Then the records are written; when that fails they
are tried one by one, to tell which of them cannot be. One error anywhere leaves nothing behind and `ids` False.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from antiphon.sandbox.odoo import failures, fields, moments, values, writing
from antiphon.sandbox.odoo.database import Records
from antiphon.sandbox.odoo.fields import Field
from antiphon.sandbox.odoo.registry import Model
from antiphon.sandbox.odoo.values import value

IDENTITIES = {"id": "external id", ".id": "database id", None: "name"}
MANY_ERRORS = 10
STOPPED = (
    "Found more than 10 errors and more than one error per 10 records, interrupted to avoid showing too many errors."
)
Path = list[str]
Message = dict[str, Any]
Converted = tuple[dict[str, Any], str | None, int | None]
"""Values, external id and database id of a record, as far as the file has them."""


class Unusable(Exception):
    """A cell that cannot be converted."""

    def __init__(self, words: str, **more: Any) -> None:
        super().__init__(words)
        self.words = words
        self.more = more


@dataclass(slots=True)
class Extracted:
    """One record of the file: its rows, its cells by path, and the lines below it by field."""

    first: int
    last: int
    cells: dict[str, dict[str | None, Any]] = field(default_factory=dict)
    lines: dict[str, list[tuple[list[Path], list[Any]]]] = field(default_factory=dict)


def load(records: Records, fields: list[str], data: list[list[Any]]) -> dict[str, Any]:
    """Import rows. `{"ids": [...] or False, "messages": [...], "nextrow": 0}`; never a fault for what a row says."""
    env, model = records.env, records.model
    paths = [name.replace(".id", "/.id") if name != ".id" and "/.id" not in name and name.endswith(".id") else name
             for name in fields]  # fmt: skip
    steps = [path.split("/") for path in paths]
    for step in steps:
        if step[0] not in {"id", ".id"} and step[0] not in model.fields:
            raise failures.Failure("builtins.KeyError", repr(step[0]), [step[0]])
    messages: list[Message] = []
    ready: list[tuple[Extracted, Converted]] = []
    for number, one in enumerate(_records(model, steps, data)):
        place = {"rows": {"from": one.first, "to": one.last}, "record": number}
        converted = _converted(records, one, place, messages)
        if converted is not None:
            ready.append((one, converted))
    ids: list[int] = []
    try:
        with env.db.transaction():
            try:
                with env.db.transaction():
                    ids = [_store(records, *converted) for _, converted in ready]
            except failures.Failure:
                _one_by_one(records, ready, messages)
            _unless(messages)
    except Unusable:
        return {"ids": False, "messages": messages, "nextrow": 0}
    return {"ids": ids, "messages": messages, "nextrow": 0}


def _unless(messages: list[Message]) -> None:
    if any(message["type"] == "error" for message in messages):
        raise Unusable(STOPPED)


def _one_by_one(records: Records, ready: list[tuple[Extracted, Converted]], messages: list[Message]) -> None:
    errors = 0
    for number, (one, converted) in enumerate(ready):
        place = {"rows": {"from": one.first, "to": one.last}, "record": number}
        try:
            with records.env.db.transaction():
                _store(records, *converted)
        except failures.Failure as failure:
            errors += 1
            messages.append({"type": "error", "message": _words(failure), **place, **_field_of(failure)})
            if errors >= MANY_ERRORS and errors >= number / 10:
                messages.append({"type": "warning", "message": STOPPED, **place})
                return


def _words(failure: failures.Failure) -> str:
    first = failure.message.partition("\n")[0]
    if first.startswith("Missing required value"):
        return first.rstrip(".")
    if failure.name in {failures.USER, failures.VALIDATION, failures.MISSING, failures.ACCESS}:
        return failure.message
    return f"Unknown error during import: {failure.name.removeprefix('builtins.')}: {failure.message}"


def _field_of(failure: failures.Failure) -> dict[str, str]:
    first = failure.message.partition("\n")[0]
    if not first.startswith("Missing required value"):
        return {}
    return {"field": first.rpartition("(")[2].partition(")")[0]}


def _records(model: Model, steps: list[Path], data: list[list[Any]]) -> Iterator[Extracted]:
    """Cut the rows into records: a row with nothing but cells of one2many fields belongs to the record above."""
    many = {step[0] for step in steps if model.fields.get(step[0], fields.Field("", "")).type == "one2many"}
    own = [place for place, step in enumerate(steps) if step[0] not in many]
    index = 0
    while index < len(data):
        first = index
        index += 1
        while index < len(data) and many and not any(_cell(data[index], place) for place in own):
            index += 1
        one = Extracted(first, index - 1)
        for place, step in enumerate(steps):
            if step[0] in many:
                continue
            one.cells.setdefault(step[0], {})["/".join(step[1:]) or None] = _cell(data[first], place)
        for name in many:
            places = [place for place, step in enumerate(steps) if step[0] == name]
            below = [[_cell(row, place) for place in places] for row in data[first:index]]
            one.lines[name] = [([steps[place][1:] for place in places], row) for row in below if any(row)]
        yield one


def _cell(row: list[Any], place: int) -> Any:
    found = row[place] if place < len(row) else ""
    return "" if found is None or found is False else found


def _converted(records: Records, one: Extracted, place: Message, messages: list[Message]) -> Converted | None:
    model, converted, fine = records.model, dict[str, Any](), True
    xid = str(one.cells.get("id", {}).get(None) or "") or None
    number: int | None = None
    for name, cell in one.cells.items():
        if name == "id":
            continue
        try:
            if name == ".id":
                number = _existing(records, cell[None])
                continue
            warnings: list[Unusable] = []
            converted[name] = _value(records, model.fields[name], cell, warnings)
            messages += [_message(warning, place, name, "warning") for warning in warnings]
        except Unusable as error:
            fine = False
            messages.append(_message(error, place, name))
    for name, lines in one.lines.items():
        try:
            converted[name] = [_line(records, model.fields[name], *line) for line in lines]
        except Unusable as error:
            fine = False
            messages.append(_message(error, place, name))
    return (converted, xid, number) if fine else None


def _message(said: Unusable, place: Message, name: str, kind: str = "error") -> Message:
    return {"type": kind, "message": said.words, **place, "field": name, **said.more}


def _existing(records: Records, cell: Any) -> int | None:
    if not cell:
        return None
    if not str(cell).isdigit() or int(cell) not in records.table.rows:
        raise Unusable(f"Unknown database identifier '{cell}'")
    return int(cell)


def _line(records: Records, of: Field, steps: list[Path], row: list[Any]) -> list[Any]:
    lines = records.of(of.relation or "")
    cells: dict[str, dict[str | None, Any]] = {}
    for step, cell in zip(steps, row, strict=True):
        if not step or (step[0] not in {"id", ".id"} and step[0] not in lines.model.fields):
            raise Unusable(f"Unknown sub-field '{'/'.join(step)}' of field '{of.string}'")
        cells.setdefault(step[0], {})["/".join(step[1:]) or None] = cell
    xid, number = cells.pop("id", {}).get(None), cells.pop(".id", {}).get(None)
    found = {name: _value(lines, lines.model.fields[name], cell, []) for name, cell in cells.items()}
    id_ = _existing(lines, number) if number else _by_external_id(records, of.relation or "", str(xid)) if xid else None
    if id_ is not None:
        return [1, id_, found]
    return [0, 0, found]


def _value(records: Records, of: Field, cell: dict[Any, Any], warnings: list[Unusable]) -> Any:  # noqa: C901, PLR0911
    kinds = [kind for kind in cell if kind is not None]
    if of.type in {"many2one", "many2many", "one2many"}:
        return _relation(records, of, cell, warnings)
    if kinds:
        raise Unusable(f"Unknown sub-field '{kinds[0]}'")
    text = cell[None]
    if text == "":
        return False
    if of.type == "boolean":
        lowered = str(text).lower()
        if lowered in {"1", "true", "yes"}:
            return True
        if lowered in {"0", "false", "no"}:
            return False
        words = f"Unknown value '{text}' for boolean field '{of.string}', assuming 'yes'"
        warnings.append(Unusable(words, moreinfo="Use '1' for yes and '0' for no"))
        return True
    if of.type in {"integer", "float", "monetary"}:
        whole = of.type == "integer"
        try:
            return int(text) if whole else float(text)
        except (TypeError, ValueError):
            kind = "an integer" if whole else "a number"
            raise Unusable(f"'{text}' does not seem to be {kind} for field '{of.string}'") from None
    if of.type in {"date", "datetime"}:
        return _moment(records, of, str(text))
    if of.type == "selection":
        for key, label in of.selection:
            if str(text) in {key, label}:
                return key
        words = f"Value '{text}' not found in selection field '{of.string}'"
        raise Unusable(words, moreinfo=[label for _, label in of.selection])
    return text


def _moment(records: Records, of: Field, text: str) -> str:
    env = records.env
    try:
        if of.type == "date":
            return datetime.strptime(text, "%Y-%m-%d").strftime("%Y-%m-%d")  # noqa: DTZ007
        user = env.rows("res.users")[env.uid]
        zone = env.context.get("tz") or value(env, "res.users", user, "tz") or "UTC"
        return moments.local(moments.read(text), str(zone))
    except ValueError:
        example = "2012-12-31" if of.type == "date" else "2012-12-31 23:59:59"
        words = f"'{text}' does not seem to be a valid {of.type} for field '{of.string}'"
        raise Unusable(words, moreinfo=f"Use the format '{example}'") from None


def _relation(records: Records, of: Field, cell: dict[Any, Any], warnings: list[Unusable]) -> Any:
    if len(cell) > 1:
        words = f"Ambiguous specification for field '{of.string}', only provide one of name, external id or database id"
        raise Unusable(words)
    (kind, text), *_ = cell.items()
    if kind not in IDENTITIES:
        raise Unusable("Can not create Many-To-One records indirectly, import the field separately")
    if text == "":
        return False
    if of.type == "many2one":
        return _pointed(records, of, kind, text, warnings)
    return [[6, 0, [_pointed(records, of, kind, part.strip(), warnings) for part in str(text).split(",")]]]


def _pointed(records: Records, of: Field, kind: str | None, text: Any, warnings: list[Unusable]) -> int:
    target = records.of(of.relation or "")
    found: int | None = None
    if kind == ".id":
        if not str(text).isdigit():
            raise Unusable(f"Invalid database id '{text}' for the field '{of.string}'", moreinfo=_possible(of, kind))
        found = int(text) if int(text) in target.table.rows else None
    elif kind == "id":
        found = _by_external_id(records, target.model.name, str(text))
    else:
        matches = _by_name(target, str(text))
        if len(matches) > 1:
            words = f"Found multiple matches for field '{of.string}' ({len(matches)} matches)"
            warnings.append(Unusable(words))
        found = matches[0] if matches else None
    if found is None:
        words = f"No matching record found for {IDENTITIES[kind]} '{text}' in field '{of.string}'"
        raise Unusable(words, moreinfo=_possible(of, kind))
    return found


def _possible(of: Field, kind: str | None) -> dict[str, Any]:
    action: dict[str, Any] = {
        "name": "Possible Values",
        "type": "ir.actions.act_window",
        "target": "new",
        "view_mode": "list,form",
        "views": [[False, "list"], [False, "form"]],
        "context": {"create": False},
        "help": "See all possible values",
        "res_model": "ir.model.data" if kind else of.relation,
    }
    return action | ({"domain": [["model", "=", of.relation]]} if kind else {})


def _by_name(target: Records, text: str) -> list[int]:
    name, model = target.model.rec_name, target.model
    if values.is_plain(model.fields[name]):
        ids = sorted(target.table.lookup(name, [text]))
    else:
        get = values.getter(target.env, model, name)
        ids = [id_ for id_ in target.table.ids if get(target.table.rows[id_]) == text]
    if not ids and model.name == "res.partner":
        ids = [id_ for id_ in sorted(target.table.lookup("name", [text.rpartition(", ")[2]]))
               if values.display_name(target.env, model.name, id_) == text]  # fmt: skip
    return ids


# External ids.


def _parts(records: Records, xid: str) -> tuple[str, str]:
    module, dot, name = xid.rpartition(".") if "." in xid else ("", "", xid)
    if dot:
        module, _, name = xid.partition(".")
        return module, name
    return str(records.env.context.get("module") or "__import__"), name


def _entry(records: Records, xid: str) -> dict[str, Any] | None:
    module, name = _parts(records, xid)
    table = records.of("ir.model.data").table
    entries = (table.rows[id_] for id_ in table.lookup("name", [name]))
    return next((row for row in entries if row["module"] == module), None)


def _by_external_id(records: Records, model: str, xid: str) -> int | None:
    row = _entry(records, xid)
    if row is None or row["model"] != model or row.get("res_id") not in records.of(model).table.rows:
        return None
    return int(row["res_id"])


def _store(records: Records, found: dict[str, Any], xid: str | None, number: int | None) -> int:
    model, env = records.model, records.env
    entry = _entry(records, xid) if xid else None
    if entry is not None and entry["model"] != model.name:
        raise failures.validation(
            f"For external id {xid} when trying to create/update a record of model {model.name} found record of "
            f"different model {entry['model']} ({entry.get('res_id')})"
        )
    if number is None and entry is not None and entry.get("res_id") in records.table.rows:
        number = int(entry["res_id"])
        if env.context.get("mode", "init") == "update" and entry.get("noupdate"):
            return number
    if number is None:
        number = writing.create(records, [found])[0]
    else:
        writing.write(records.browse([number]), found)
    if xid and (entry is None or entry.get("res_id") != number):
        data = records.of("ir.model.data")
        data.env = env.elevated()
        if entry is not None:
            writing.unlink(data.browse([entry["id"]]))
        module, name = _parts(records, xid)
        noupdate = bool(env.context.get("noupdate"))
        writing.create(
            data, [{"module": module, "name": name, "model": model.name, "res_id": number, "noupdate": noupdate}]
        )
    return number
