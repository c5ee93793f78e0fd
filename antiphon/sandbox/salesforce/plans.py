"""A query that can be run: its SQL, and how each column is shown in JSON and in CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from antiphon.sandbox.salesforce import soql
from antiphon.sandbox.salesforce.fields import NUMERIC, QUOTED, Field
from antiphon.sandbox.salesforce.refusals import Refusal
from antiphon.sandbox.salesforce.soql import Comparison, Condition, Joined, Literal, Not, Order, Path, pointed
from antiphon.sandbox.salesforce.store import Org, SObject, Stored

_NOTE = (
    " If you are attempting to use a custom {what}, be sure to append the '__c' after the {which} name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)
_IN = 30_000
_NOTHING = -1
_EVERYTHING = 1 << 62


@dataclass(frozen=True)
class Column:
    """One selected field: where it stands in the reply, its SQL, and the parent object it is of, if any."""

    parts: tuple[str, ...]
    field: Field
    sql: tuple[str, ...]
    parts_of_compound: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Parent:
    """A record that is reached through a reference: its path, its objects, and the SQL of its id."""

    parts: tuple[str, ...]
    sql: str


class Plan:
    """A query against an org. `deleted` lets the recycle bin take part.

    Raises Refusal for an object or a field that does not exist, and for values that do not fit their fields.
    """

    def __init__(self, org: Org, query: soql.Query, *, deleted: bool = False) -> None:
        self.org = org
        self.query = query
        found = org.find(query.object)
        if found is None:
            message = f"sObject type '{query.object}' is not supported." + _NOTE.format(what="object", which="entity")
            raise Refusal(400, "INVALID_TYPE", pointed(query.text, query.object_at, message))
        self.of: SObject = found
        self._joins: dict[tuple[str, ...], list[tuple[SObject, str]]] = {}
        self._join_sql: list[str] = []
        self.columns = [self._column(path) for path in self._paths()]
        self.parents = [Parent(parts, _coalesced([f'{a}."Id"' for _, a in j])) for parts, j in self._joins.items()]
        self.values: list[Stored] = []
        conditions = [] if deleted else ['t."IsDeleted" = 0']
        if query.where is not None:
            conditions.append(self._condition(query.where, within_not=False))
        self.where = " AND ".join(conditions) or "1"
        self.order = ", ".join(self._order(each) for each in query.orders)

    def _paths(self) -> list[Path]:
        if self.query.all_of is None:
            return list(self.query.paths)
        wanted = {"all": None, "custom": True, "standard": False}[self.query.all_of]
        return [Path((name,), 0) for name, one in self.of.fields.items() if wanted in {None, one.custom}]

    # Running it.

    @property
    def source(self) -> str:
        """The tables."""
        return f"{self.of.table} t {' '.join(self._join_sql)}"

    def count(self) -> int:
        """How many records it finds, its own limit and offset apart."""
        total: int = self.org.execute(f"SELECT count(*) FROM {self.source} WHERE {self.where}", self.values).fetchone()[
            0
        ]
        return total

    def numbers(self) -> Iterator[int]:
        """The numbers of the records it finds, in order."""
        limit = -1 if self.query.limit is None else self.query.limit
        sql = f'SELECT t."Id" FROM {self.source} WHERE {self.where}'
        sql += f" ORDER BY {self.order}" if self.order else ""
        for row in self.org.execute(f"{sql} LIMIT {limit} OFFSET {self.query.offset}", self.values):
            yield row[0]

    def records(self, numbers: list[int], url: Callable[[str, int], str]) -> list[dict[str, Any]]:
        """The records with these numbers as JSON replies have them; `url` gives the address of one."""
        selected = [sql for column in self.columns for sql in column.sql]
        listed = ", ".join(['t."Id"', *(parent.sql for parent in self.parents), *selected])
        rows = {}
        for start in range(0, len(numbers), _IN):
            within = ",".join(map(str, numbers[start : start + _IN]))
            sql = f'SELECT {listed} FROM {self.source} WHERE t."Id" IN ({within})'
            rows.update({row[0]: row for row in self.org.execute(sql)})
        return [self._record(rows[number], url) for number in numbers if number in rows]

    def _record(self, row: tuple[Any, ...], url: Callable[[str, int], str]) -> dict[str, Any]:
        record: dict[str, Any] = {"attributes": {"type": self.of.name, "url": url(self.of.name, row[0])}}
        holders: dict[tuple[str, ...], dict[str, Any] | None] = {(): record}
        for parent, number in zip(self.parents, row[1:], strict=False):
            holder = holders[parent.parts[:-1]]
            held = None
            if number is not None:
                name = self.org.of(number).name
                held = {"attributes": {"type": name, "url": url(name, number)}}
            holders[parent.parts] = held
            if holder is not None:
                holder[parent.parts[-1]] = held
        at = 1 + len(self.parents)
        for column in self.columns:
            holder = holders[column.parts[:-1]]
            values = row[at : at + len(column.sql)]
            at += len(column.sql)
            if holder is not None:
                holder[column.parts[-1]] = self._shown(column, values)
        return record

    def _shown(self, column: Column, values: tuple[Any, ...]) -> Any:
        if column.field.stored:
            return self.org.shown(column.field, values[0])
        if all(value is None for value in values):
            return None
        names = [one.name for one in column.parts_of_compound]
        return compound(column.field, dict(zip(names, values, strict=True)))

    def csv_columns(self) -> list[str]:
        """The SQL of each column as CSV has it. Raises Refusal for compounds, which Bulk does not do."""
        if not all(column.field.stored for column in self.columns):
            raise Refusal(400, "API_ERROR", "Selecting compound data not supported in Bulk Query")
        return [_csv(column) for column in self.columns]

    # Names.

    def _column(self, path: Path) -> Column:
        tables, field = self._resolve(path)
        shown = (*(self._parent_name(path.parts[: n + 1]) for n in range(len(path.parts) - 1)), field.name)
        if field.stored:
            sql = _coalesced([f'{alias}."{field.name}"' for of, alias in tables if of.field(field.name)])
            return Column(shown, field, (sql,))
        of, alias = tables[0]
        components = tuple(each for each in of.fields.values() if each.compound == field.name)
        return Column(shown, field, tuple(f'{alias}."{each.name}"' for each in components), components)

    def _parent_name(self, parts: tuple[str, ...]) -> str:
        tables = [(self.of, "t")] if len(parts) == 1 else self._join(parts[:-1], 0)
        found = next(field for of, _ in tables if (field := of.parent(parts[-1])))
        return found.relationship or parts[-1]

    def _resolve(self, path: Path) -> tuple[list[tuple[SObject, str]], Field]:
        tables = self._join(path.parts[:-1], path.at)
        for of, _ in tables:
            field = of.field(path.parts[-1])
            if field is not None:
                return tables, field
        entity = tables[0][0].name if len(tables) == 1 else "Name"
        message = f"No such column '{path.parts[-1]}' on entity '{entity}'." + _NOTE.format(
            what="field", which="custom field"
        )
        raise Refusal(400, "INVALID_FIELD", pointed(self.query.text, path.at, message))

    def _join(self, parts: tuple[str, ...], at: int) -> list[tuple[SObject, str]]:
        if not parts:
            return [(self.of, "t")]
        outer = self._join(parts[:-1], at)
        found = [(alias, one) for of, alias in outer if (one := of.parent(parts[-1])) is not None]
        if not found:
            message = f"Didn't understand relationship '{parts[-1]}' in field path." + _NOTE.format(
                what="relationship", which="relationship"
            ).replace("'__c'", "'__r'")
            raise Refusal(400, "INVALID_FIELD", pointed(self.query.text, at, message))
        key = (*(self._parent_name(parts[: n + 1]) for n in range(len(parts) - 1)), found[0][1].relationship or "")
        if key not in self._joins:
            self._joins[key] = []
            for name in found[0][1].refers_to:
                of = self.org.objects[name]
                alias = f"p{len(self._join_sql)}"
                reference = _coalesced([f'{outer_alias}."{one.name}"' for outer_alias, one in found])
                self._join_sql.append(f'LEFT JOIN {of.table} {alias} ON {alias}."Id" = {reference}')
                self._joins[key].append((of, alias))
        return self._joins[key]

    def _order(self, each: Order) -> str:
        tables, field = self._resolve(each.path)
        if not field.filterable or field.kind == "multipicklist":
            raise soql.malformed(f"field '{field.name}' can not be sorted in a query call")
        sql = _coalesced([f'{alias}."{field.name}"' for of, alias in tables if of.field(field.name)])
        way = " DESC" if each.descending else ""
        # Empty values come first, whichever way, unless the query says otherwise.
        nulls = " NULLS LAST" if each.nulls_last else " NULLS FIRST" if each.descending else ""
        return f"{sql}{way}{nulls if field.nillable or len(each.path.parts) > 1 else ''}"

    # Conditions: two-valued, unlike SQL's, so that a comparison with nothing in it is false and its opposite true.

    def _condition(self, condition: Condition, *, within_not: bool) -> str:
        match condition:
            case Not(of):
                return f"NOT ({self._condition(of, within_not=True)})"
            case Joined(word, parts):
                return "(" + f" {word.upper()} ".join(self._condition(p, within_not=within_not) for p in parts) + ")"
            case Comparison():
                sql = self._comparison(condition)
                return f"ifnull({sql}, 0)" if within_not else sql

    def _comparison(self, condition: Comparison) -> str:
        tables, field = self._resolve(condition.path)
        if not field.filterable:
            raise Refusal(400, "INVALID_FIELD", pointed(
                self.query.text, condition.path.at, f"field '{field.name}' can not be filtered in a query call"
            ))  # fmt: skip
        sql = _coalesced([f'{alias}."{field.name}"' for of, alias in tables if of.field(field.name)])
        sign = condition.sign
        if sign in {"includes", "excludes"}:
            return self._chosen(sql, field, condition)
        values = [self._value(field, literal, sign) for literal in condition.values]
        if sign == "like":
            if field.kind not in QUOTED - {"id", "reference", "multipicklist"}:
                raise Refusal(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {field.kind} field: LIKE")
            self.values.append(values[0])
            return f"{sql} LIKE ? ESCAPE '\\'"
        if sign in {"in", "not in"}:
            return self._among(sql, values, sign)
        if sign in {"=", "!="}:
            self.values.append(values[0])
            return f"{sql} {'IS' if sign == '=' else 'IS NOT'} ?"
        self.values.append(values[0])
        return f"{sql} {sign} ?"

    def _among(self, sql: str, values: list[Stored], sign: str) -> str:
        known = [value for value in values if value is not None]
        self.values += known
        inside = f"ifnull({sql} IN ({', '.join('?' * len(known))}), 0)" if known else "0"
        if len(known) < len(values):
            inside = f"({inside} OR {sql} IS NULL)"
        elif known and sign == "in":
            inside = f"{sql} IN ({', '.join('?' * len(known))})"
        return inside if sign == "in" else f"NOT {inside}"

    def _chosen(self, sql: str, field: Field, condition: Comparison) -> str:
        if field.kind != "multipicklist":
            raise Refusal(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {field.kind} field")
        choices = []
        for literal in condition.values:
            wanted = str(self._value(field, literal, "=")).split(";")
            choices.append(" AND ".join([f"instr(';' || lower({sql}) || ';', ?) > 0"] * len(wanted)))
            self.values += [f";{one.lower()};" for one in wanted]
        inside = "ifnull((" + ") OR (".join(choices) + "), 0)"
        return inside if condition.sign == "includes" else f"NOT {inside}"

    def _value(self, field: Field, literal: Literal, sign: str) -> Stored:
        if literal.kind == "null" or literal.value == "":
            return None
        if field.kind in {"id", "reference"} and literal.kind == "text":
            return self._id(field, str(literal.value), sign)
        fits = {
            "boolean": field.kind == "boolean",
            "number": field.kind in NUMERIC,
            "text": field.kind in QUOTED,
            "date": field.kind == "date",
            "datetime": field.kind == "datetime",
            "time": field.kind == "time",
        }[literal.kind]
        if fits:
            return int(literal.value) if isinstance(literal.value, bool) else literal.value
        enclosed = "should be enclosed in quotes" if field.kind in QUOTED else "should not be enclosed in quotes"
        kind = {"datetime": "dateTime", "reference": "id"}.get(field.kind, field.kind)
        message = f"value of filter criterion for field '{field.name}' must be of type {kind} and {enclosed}"
        raise Refusal(400, "INVALID_FIELD", pointed(self.query.text, self.query.text.find(literal.written), message))

    def _id(self, field: Field, text: str, sign: str) -> int:
        number = self.org.ids.number(text)
        if number is not None:
            return number
        if len(text) not in {15, 18} or not text.isalnum():
            raise Refusal(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}")
        if sign in {"<", "<=", ">", ">="} and field.kind == "id":
            return _NOTHING if text < self.of.prefix else _EVERYTHING
        return _NOTHING


def compound(field: Field, components: dict[str, Any]) -> dict[str, Any]:
    """An address or a location, put together from the fields that it is made of."""
    found: dict[str, Any] = {}
    for name, value in components.items():
        short = (
            name.split("__")[1] if field.kind == "location" else name.removeprefix(field.name.removesuffix("Address"))
        )
        found[short[:1].lower() + short[1:]] = value
    return (
        found if field.kind == "location" else {**found, "geocodeAccuracy": None, "latitude": None, "longitude": None}
    )


def _coalesced(options: list[str]) -> str:
    return options[0] if len(options) == 1 else f"coalesce({', '.join(options)})"


def _csv(column: Column) -> str:
    sql = column.sql[0]
    match column.field.kind:
        case "id" | "reference":
            return f"sf_id({sql})"
        case "datetime":
            return f"strftime('%Y-%m-%dT%H:%M:%S.000Z', {sql}, 'unixepoch')"
        case "boolean":
            return f"CASE {sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
    return sql
