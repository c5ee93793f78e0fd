"""Salesforce's records written: two hundred in a request, with a result for each."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from antiphon.api import Request, Resource, Write
from antiphon.apis.salesforce.reading import BASE
from antiphon.client import Client
from antiphon.errors import Refused
from antiphon.outcome import Change, Kind, Outcome, Record, Said, rejected, unanswered

LOCKED = frozenset({"UNABLE_TO_LOCK_ROW"})
"""Codes of rows that another transaction holds: they may be sent again."""
GONE = frozenset({"ENTITY_IS_DELETED"})
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
                if outcome.problem and outcome.problem.code in LOCKED and attempt < _TRIES:
                    locked.append(outcome.change)
                else:
                    outcome.attempts = max(outcome.attempts, attempt)
                    yield explained(client, resource, outcome)
            if not locked:
                return
            waiting = locked
            client.http.pauses.wait(random.uniform(0, 2**attempt / 2))  # noqa: S311

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
            outcomes.append(
                rejected(change, words, status=HTTPStatus.BAD_REQUEST, code=str(errors[0].get("statusCode", "")))
            )
    return outcomes


def _words(error: dict[str, Any]) -> str:
    fields = f" ({', '.join(error['fields'])})" if error.get("fields") else ""
    return f"{error.get('statusCode', '')} {error.get('message', 'refused')}{fields}".strip()


def explained(client: Client, resource: Resource, outcome: Outcome) -> Outcome:
    """Return *outcome*, in whose words a value that a picklist does not allow is told with those that it does."""
    if outcome.problem and outcome.problem.code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST":
        hint = client.explain(resource, outcome.change.record)
        outcome.problem.message = f"{outcome.problem.message}. {hint}".removesuffix(". ")
    return outcome


@dataclass(frozen=True)
class Removal:
    """Removes records, two hundred in a request."""

    sobject: str

    def __call__(self, client: Client, resource: Resource, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Yield what became of each of *changes*; one that is gone already counts as deleted."""
        path = f"/services/data/v{client.settings['api_version']}/composite/sobjects"
        params = {"ids": ",".join(str(change.id) for change in changes), "allOrNone": False}
        try:
            reply = client.http.send(Request("DELETE", path, params), f"deleting {resource.name}", safe=True)
        except Refused as error:  # as a whole, for one of them
            half = len(changes) // 2
            if half:
                yield from self(client, resource, changes[:half])
                yield from self(client, resource, changes[half:])
            else:
                words = error.message.partition(" -> ")[2].removeprefix(f"{error.status} ")
                yield rejected(changes[0], words, status=error.status, code=error.code)
            return
        for outcome in per_row(Said(reply.status, reply.json()), changes, Kind.DELETED):
            outcome.attempts = reply.attempts
            if outcome.problem and outcome.problem.code in GONE:
                yield Outcome(outcome.change, Kind.DELETED, outcome.change.id)
            else:
                yield outcome
