"""Creating, changing, copying and deleting records: defaults, x2many commands, constraints, and what refers to what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from antiphon.sandbox.odoo import failures
from antiphon.sandbox.odoo.database import Env, Records
from antiphon.sandbox.odoo.fields import TO_MANY, Field, stored
from antiphon.sandbox.odoo.registry import Model
from antiphon.sandbox.odoo.tables import Row
from antiphon.sandbox.odoo.values import invalid_field

Values = dict[str, Any]
SILENT = frozenset({"id", "display_name", "create_uid", "create_date", "write_uid", "write_date", "__last_update"})
"""Accepted from a caller and not written."""
TWICE = (
    'duplicate key value violates unique constraint "ir_model_data_module_name_uniq_index"\n'
    "DETAIL:  Key (module, name)=({0}, {1}) already exists.\n"
)
UNIQUE: dict[str, tuple[tuple[str, ...], str]] = {
    "res.users": (("login",), "You can not have two users with the same login!"),
    "res.country": (("code",), "The code of the country must be unique!"),
    "res.partner.category": (("parent_id", "name"), "A tag with the same name already exists"),
    "ir.model.data": (("module", "name"), TWICE),
}
Before = Callable[[Env, Values], Values]
After = Callable[[Env, int], None]
BEFORE: dict[str, Before] = {}
"""By model: what completes the values of a record that is about to be created."""
AFTER: dict[str, After] = {}
"""By model: what follows once it is there."""
GUARDS: dict[str, Callable[[Env, list[Row]], None]] = {}
"""By model: what may forbid a deletion."""


def create(records: Records, values: list[Values]) -> list[int]:
    """New records, all or none; their ids."""
    env, model = records.env, records.model
    env.check(model.name, "create")
    _writable(model)
    with env.db.transaction():
        return [_create(records, one) for one in values]


def _create(records: Records, given: Values) -> int:
    env, model = records.env, records.model
    _known(model, given)
    values = {name: value for name, value in given.items() if name not in SILENT}
    if model.name in BEFORE:
        values = BEFORE[model.name](env.elevated(), values)
    for of in model.fields.values():
        if of.name not in values and of.related is None:
            value = env.context.get(f"default_{of.name}", of.default)
            if value is not None:
                values[of.name] = value
    id_ = records.table.new_id()
    row = {"id": id_, "create_uid": env.uid, "create_date": env.now, "write_uid": env.uid, "write_date": env.now}
    row |= {name: value for name, value in _plain(env, model, values).items() if value is not None}
    for of in model.fields.values():
        if of.required and of.related is None and not of.computed and of.name not in row and not _zero(of):
            raise failures.required(model.name, model.label, of.name, of.string, env.db.version)
    if model.name == "res.partner" and not row.get("name") and row.get("type") == "contact":
        raise failures.validation("The operation cannot be completed: Contacts require a name")
    _unique(env, model, id_, row)
    env.db.put(model.name, id_, row)
    _beyond(records.browse([id_]), values)
    if model.name in AFTER:
        AFTER[model.name](env.elevated(), id_)
    return id_


def write(records: Records, values: Values) -> None:
    """The same values for all these records."""
    env, model = records.env, records.model
    env.check(model.name, "write")
    _known(model, values)
    _writable(model)
    rows = records.there()
    values = {name: value for name, value in values.items() if name not in SILENT}
    if not values or not rows:
        return
    records.table.expect_many(len(rows))
    with env.db.transaction():
        plain = _plain(env, model, values)
        for of in (model.fields[name] for name in plain):
            if of.required and plain[of.name] is None and not _zero(of):
                raise failures.required(model.name, model.label, of.name, of.string, env.db.version)
        stamp = {} if model.view else {"write_uid": env.uid, "write_date": env.now}
        for row in rows:
            changed = {name: value for name, value in {**row, **plain, **stamp}.items() if value is not None}
            if model.name == "res.partner" and not changed.get("name") and changed.get("type") == "contact":
                raise failures.validation("The operation cannot be completed: Contacts require a name")
            _no_circle(env, model, changed, plain)
            _unique(env, model, row["id"], changed, plain)
            env.db.put(model.name, row["id"], changed)
        _beyond(records, values)


def unlink(records: Records) -> None:
    """Delete the records that are there, and what hangs on them."""
    env, model = records.env, records.model
    env.check(model.name, "unlink")
    _writable(model)
    rows = [records.table.rows[id_] for id_ in records.ids if id_ in records.table.rows]
    if model.name in GUARDS:
        GUARDS[model.name](env, rows)
    with env.db.transaction():
        ids = [row["id"] for row in rows]
        for id_ in ids:
            env.db.put(model.name, id_, None)
        for pointing, name in env.db.pointers[model.name]:
            _let_go(env.elevated(), pointing, name, ids)
        known = env.db.tables["ir.model.data"]
        for xid in known.lookup("res_id", ids):
            if known.rows[xid]["model"] == model.name:
                env.db.put("ir.model.data", xid, None)


def _let_go(env: Env, pointing: str, name: str, ids: list[int]) -> None:
    model, table = env.db.model(pointing), env.db.tables[pointing]
    of = model.fields[name]
    found = sorted(table.lookup(name, ids))
    if not found:
        return
    if of.restricts == "restrict":
        raise failures.referenced(pointing, model.label, name)
    if of.restricts == "cascade":
        unlink(Records(env, model, found))
        return
    for id_ in found:  # PostgreSQL does this, so that no write_date moves
        env.db.put(pointing, id_, {key: value for key, value in table.rows[id_].items() if key != name})


def copy(records: Records, default: Values | None) -> list[int]:
    """Duplicates of these records, with other values where `default` has them."""
    made = []
    for row in records.there():
        values = {of.name: row[of.name] for of in records.model.fields.values() if of.copied and of.name in row}
        values = {name: value for name, value in values.items() if name not in SILENT}
        name = records.model.rec_name
        if isinstance(values.get(name), str) and name not in (default or {}):
            values[name] = f"{values[name]} (copy)"
        made += create(records, [{**values, **(default or {})}])
    return made


def _known(model: Model, values: Any) -> None:
    if not isinstance(values, Mapping):
        raise failures.wrong_type(f"'{type(values).__name__}' object does not support item assignment")
    for name in values:
        if name not in model.fields and name not in SILENT:
            raise invalid_field(model, name)


def _writable(model: Model) -> None:
    if model.view:
        table = model.name.replace(".", "_")
        raise failures.Failure("psycopg2.errors.ObjectNotInPrerequisiteState", f'cannot change view "{table}"\n')
    if model.name in {"ir.model", "ir.model.fields"}:
        raise failures.user("The sandbox has no models or fields made over the API: add them with its own controls")


def _zero(of: Field) -> bool:
    """Whether a value that is not set is no NULL in the vendor's database."""
    return of.type in {"integer", "float", "monetary", "boolean"} or of.default == ""


def _plain(env: Env, model: Model, values: Values) -> Values:
    """The values that a row itself holds, as they are kept. What is computed and not stored is dropped silently."""
    kept: Values = {}
    for name, value in values.items():
        of = model.fields[name]
        if of.type in TO_MANY or of.related is not None or of.computed or not of.store:
            continue
        kept[name] = stored(model.name, of, value)
        if of.type == "many2one" and kept[name] is not None and kept[name] not in env.rows(of.relation or ""):
            raise failures.referenced(model.name, model.label, name)
    return kept


def _beyond(records: Records, values: Values) -> None:
    """Values that live in other records: behind a relation, or in the lines of this one."""
    env, model = records.env, records.model
    behind: dict[str, Values] = {}
    for name, value in values.items():
        of = model.fields[name]
        if of.related is not None and of.related.count(".") == 1 and not of.readonly:
            head, _, tail = of.related.partition(".")
            behind.setdefault(head, {})[tail] = value
        elif of.type in TO_MANY and value is not None:
            for id_ in records.ids:
                _commands(records.browse([id_]), of, value)
    for head, more in behind.items():
        relation = model.fields[head].relation or ""
        targets = {row[head] for row in records.there() if row.get(head)}
        write(Records(env.elevated(), env.db.model(relation), sorted(targets)), more)


def _commands(owner: Records, of: Field, value: Any) -> None:  # noqa: C901 - one case for each command
    if value is False:
        value = [[5, 0, 0]]
    if not isinstance(value, list | tuple):
        raise failures.wrong_value(f"Wrong value for {owner.model.name}.{of.name}: {value!r}")
    if value and all(isinstance(one, int) for one in value):
        value = [[6, 0, list(value)]]
    id_, lines = owner.ids[0], owner.of(of.relation or "")
    before = _linked(owner, of)
    linked = before[:]
    for command in value:
        match list(command) if isinstance(command, list | tuple) else command:
            case [0, _, dict() as values]:
                more = {of.inverse or "": id_} if of.type == "one2many" else {}
                linked += create(lines, [{**values, **more}])
            case [1, int(line), dict() as values]:
                write(lines.browse([line]), values)
            case [2, int(line), *_]:
                unlink(lines.browse([line]))
                linked = [one for one in linked if one != line]
            case [3, int(line), *_]:
                linked = [one for one in linked if one != line]
            case [4, int(line), *_]:
                linked += [line] if line not in linked else []
            case [5, *_]:
                linked = []
            case [6, _, list() | tuple() as lines_now]:
                linked = list(dict.fromkeys(lines_now))
            case _:
                raise failures.wrong_value(f"Wrong value for {owner.model.name}.{of.name}: {value!r}")
    _link(owner, of, before, linked)


def _linked(owner: Records, of: Field) -> list[int]:
    if of.type == "one2many":
        return sorted(owner.of(of.relation or "").table.lookup(of.inverse or "", owner.ids))
    return list(owner.table.rows[owner.ids[0]].get(of.name) or [])


def _link(owner: Records, of: Field, before: list[int], linked: list[int]) -> None:
    lines, id_ = owner.of(of.relation or "", linked), owner.ids[0]
    if of.type == "many2many":
        lines.there()
        row = {**owner.table.rows[id_], of.name: linked}
        owner.env.db.put(owner.model.name, id_, row)
        return
    inverse = of.inverse or ""
    new = [line for line in linked if lines.table.rows.get(line, {}).get(inverse) != id_]
    if new:
        write(lines.browse(new), {inverse: id_})
    gone = [line for line in before if line not in linked and line in lines.table.rows]
    if gone:
        # A line that cannot be without its owner goes with it.
        if lines.model.fields[inverse].restricts == "cascade":
            unlink(lines.browse(gone))
        else:
            write(lines.browse(gone), {inverse: False})


def _unique(env: Env, model: Model, id_: int, row: Row, changed: Values | None = None) -> None:
    if model.name not in UNIQUE:
        return
    names, words = UNIQUE[model.name]
    if changed is not None and not any(name in changed for name in names):
        return
    values = [row.get(name) for name in names]
    table = env.db.tables[model.name]
    for other in table.lookup(names[-1], [values[-1]]) if values[-1] is not None else ():
        if other != id_ and [table.rows[other].get(name) for name in names] == values:
            raise failures.validation("The operation cannot be completed: " + words.format(*values))


def _no_circle(env: Env, model: Model, row: Row, changed: Values) -> None:
    parent, rows = changed.get("parent_id"), env.rows(model.name)
    while parent is not None:
        if parent == row["id"]:
            raise failures.validation("Recursion Detected.")
        parent = rows.get(parent, {}).get("parent_id")
