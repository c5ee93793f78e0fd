"""One database of the vendor's: its models, its rows, its users, and transactions that can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from antiphon.sandbox.odoo import failures, moments
from antiphon.sandbox.odoo.registry import Model
from antiphon.sandbox.odoo.tables import Row, Table

SUPERUSER = 1
ADMIN = 2
WORDS = {"read": "access", "write": "modify", "create": "create", "unlink": "delete"}


class Database:
    """The state of one database. `denied` holds (model, operation) pairs the user lacks the rights for."""

    def __init__(self, name: str, version: int, models: dict[str, Model]) -> None:
        self.name = name
        self.version = version
        self.models = models
        self.tables = {model: Table() for model in models}
        self.denied: set[tuple[str, str]] = set()
        self.revision = 0
        self.found: dict[str, tuple[int, list[int]]] = {}
        self.pointers: dict[str, list[tuple[str, str]]] = {}
        self.repoint()
        self._undo: list[tuple[str, int, Row | None]] = []
        self._depth = 0

    def repoint(self) -> None:
        """Note which fields point to which model; to be called when models or fields come or go."""
        self.pointers = {name: [] for name in self.models}
        self.found.clear()
        for model in self.models.values():
            for of in model.fields.values():
                if of.type == "many2one" and of.related is None and not of.computed and of.relation in self.pointers:
                    self.pointers[of.relation].append((model.name, of.name))

    def model(self, name: str) -> Model:
        """The model of this name. KeyError when it is not installed."""
        return self.models[name]

    def put(self, model: str, id_: int, row: Row | None) -> None:
        """Store a row, or drop it for None, in a way that the transaction can undo."""
        self._undo.append((model, id_, self.tables[model].put(id_, row)))
        self.revision += 1

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what is done inside, or none of it. Transactions nest, as savepoints do."""
        mark = len(self._undo)
        self._depth += 1
        try:
            yield
        except BaseException:
            self.revision += 1
            while len(self._undo) > mark:
                model, id_, row = self._undo.pop()
                self.tables[model].put(id_, row)
            raise
        finally:
            self._depth -= 1
        if not self._depth:
            self._undo.clear()


@dataclass(slots=True)
class Env:
    """Who does something, in which context, since when.

    `now` is the start of the transaction: every row it changes carries that moment.
    """

    db: Database
    uid: int = ADMIN
    context: dict[str, Any] = field(default_factory=dict)
    now: str = field(default_factory=moments.now)
    sudo: bool = False
    names: dict[tuple[str, int], str] = field(default_factory=dict)

    def check(self, model: str, operation: str) -> None:
        """Raise the vendor's AccessError unless the user may do this."""
        if not self.sudo and (model, operation) in self.db.denied:
            label = self.db.model(model).label
            raise failures.access(
                f"You are not allowed to {WORDS[operation]} '{label}' ({model}) records.\n\n"
                "This operation is allowed for the following groups:\n\t- Administration/Access Rights\n\n"
                "Contact your administrator to request access if necessary."
            )

    def elevated(self) -> Env:
        """The same, with every right."""
        return Env(self.db, self.uid, self.context, self.now, sudo=True, names=self.names)

    @property
    def active_test(self) -> bool:
        """Whether archived records are out of sight."""
        return bool(self.context.get("active_test", True))

    def rows(self, model: str) -> dict[int, Row]:
        """The rows of a model, by id."""
        return self.db.tables[model].rows


@dataclass(slots=True)
class Records:
    """What the vendor calls a recordset: some records of one model, and who looks at them."""

    env: Env
    model: Model
    ids: list[int]

    @property
    def table(self) -> Table:
        """The rows of this model."""
        return self.env.db.tables[self.model.name]

    def browse(self, ids: list[int]) -> Records:
        """Other records of the model."""
        return Records(self.env, self.model, ids)

    def of(self, model: str, ids: list[int] | None = None) -> Records:
        """Records of another model."""
        return Records(self.env, self.env.db.model(model), ids or [])

    def there(self) -> list[Row]:
        """The rows, or the vendor's MissingError."""
        rows = self.table.rows
        lost = tuple(id_ for id_ in self.ids if id_ not in rows)
        if lost:
            raise failures.missing(self.model.name, lost, self.env.uid)
        return [rows[id_] for id_ in self.ids]
