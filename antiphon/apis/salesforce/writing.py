"""Salesforce's records written: two hundred in a request, with a result for each."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from antiphon.api import Resource, Write
from antiphon.client import Client
from antiphon.outcome import Change, Kind, Outcome, Record, Said, rejected, unanswered

BASE = "/services/data/v{api_version}"
_LOCKED = {"UNABLE_TO_LOCK_ROW"}
_TRIES = 4


def nested(record: Record) -> Record:
    """Return *record* with its dotted fields as objects: a parent by its external id (``Account.Ext_Id__c``)."""
    made: Record = {}
    for name, value in record.items():
        relation, dot, field = name.partition(".")
        if dot:
            made.setdefault(relation, {})[field] = value
        else:
            made[name] = value
    return made


@dataclass(frozen=True)
class Collection:
    """Writes records of one object by *operation*, with a result per record; a row that was locked is tried again."""

    sobject: str
    operation: str

    def __call__(self, client: Client, resource: Resource, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Yield what became of each of *changes*, at most two hundred."""
        if self.operation != "upsert":
            yield from self._unlocked(client, resource, changes, None)
            return
        for by in dict.fromkeys(change.by for change in changes):
            yield from self._unlocked(client, resource, [c for c in changes if c.by == by], by)

    def _unlocked(
        self, client: Client, resource: Resource, changes: Sequence[Change], by: str | None
    ) -> Iterator[Outcome]:
        waiting = list(changes)
        for attempt in range(1, _TRIES + 1):
            locked = []
            for outcome in client.send_changes(self._write(by), resource, waiting, self.operation):
                if outcome.problem and outcome.problem.code in _LOCKED and attempt < _TRIES:
                    locked.append(outcome.change)
                else:
                    outcome.attempts = max(outcome.attempts, attempt)
                    yield outcome
            if not locked:
                return
            waiting = locked
            time.sleep(random.uniform(0, 2**attempt / 2))  # noqa: S311

    def _write(self, by: str | None) -> Write:
        one = Write(
            f"{BASE}/composite/sobjects",
            body={"allOrNone": False},
            batch=200,
            into="records",
            each=_Entry(self.sobject, self.operation),
            outcomes=per_row,
            atomic=True,  # what is refused as a whole was not looked at
            safe=self.operation in {"update", "upsert", "delete"},
        )
        match self.operation:
            case "update":
                return replace(one, method="PATCH")
            case "upsert":
                return replace(one, method="PATCH", path=f"{BASE}/composite/sobjects/{self.sobject}/{by}")
        return one


class _Entry:
    """One record's entry in a collection."""

    def __init__(self, sobject: str, operation: str) -> None:
        self.sobject, self.operation = sobject, operation

    def __call__(self, values: Any) -> Any:
        record = nested(values["record"])
        if self.operation == "update":
            record["id"] = values["id"]
        if self.operation == "upsert":
            record[values["match"]["field"]] = values["match"]["value"]
        return {"attributes": {"type": self.sobject}, **record}


def per_row(said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
    """Read the results, in the order of the records: each with its id, or the errors."""
    found = said.body if isinstance(said.body, list) else []
    outcomes = []
    for n, change in enumerate(changes):
        result = found[n] if n < len(found) else None
        if result is None:
            outcomes.append(unanswered(change))
        elif result.get("success"):
            made = Kind.CREATED if result.get("created") else kind
            id = str(result.get("id") or change.id)
            outcomes.append(Outcome(change, made, id, record={"Id": id, **change.record}))
        else:
            errors = result.get("errors") or [{}]
            words = "; ".join(_words(error) for error in errors)
            outcomes.append(rejected(change, words, status=400, code=str(errors[0].get("statusCode", ""))))
    return outcomes


def _words(error: dict[str, Any]) -> str:
    fields = f" ({', '.join(error['fields'])})" if error.get("fields") else ""
    return f"{error.get('statusCode', '')} {error.get('message', 'refused')}{fields}".strip()


@dataclass(frozen=True)
class Removal:
    """Removes records, two hundred in a request."""

    sobject: str

    def __call__(self, client: Client, resource: Resource, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Yield what became of each of *changes*; one that is gone already counts as deleted."""
        ids = ",".join(str(change.id) for change in changes)
        one = Write(
            f"{BASE}/composite/sobjects",
            "DELETE",
            params={"ids": ids, "allOrNone": False},
            batch=200,
            outcomes=per_row,
            safe=True,
        )
        for outcome in client.send_changes(one, resource, changes, "delete"):
            if outcome.problem and outcome.problem.code == "ENTITY_IS_DELETED":
                yield Outcome(outcome.change, Kind.DELETED, outcome.change.id)
            else:
                yield outcome
