"""Salesforce under the contract: the sandbox, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from antiphon.sandbox import start
from contract.apis import Account, Case, Entry, Key, Sample

HELD = 6
"""Records of each object: three pages of two."""
OBJECTS = ["Account", "Contact", "Lead", "Opportunity", "Case", "Task", "Event", "Campaign", "Product2"]
_NUMBERS = count(1)


@contextmanager
def account(_started: None, folder: Path) -> Iterator[Account]:
    """An org with a few records of everything, a custom object among them."""
    knobs = {"counts": dict.fromkeys(OBJECTS, HELD), "login": "session", "page_rows": 2}
    with start("salesforce", records=HELD, **knobs) as server:
        app: Any = server.app
        app.add_object("Room__c", "Seats__c:int\nOpened__c:date\nKind__c:picklist,closed=Big|Small")
        for n in range(HELD):
            app.add("Room__c", {"Name": f"Room {n}", "Seats__c": n})
        config = {**server.config, "state_dir": str(folder / "state")}
        yield Account(config, app, config["access_token"], {"access_token": "00D-nobody-has-this-session"})


def sobject(
    name: str, new: Mapping[str, Any], text: str, records: Iterable[Mapping[str, Any]], change: Mapping[str, Any]
) -> Case:
    """An object: what a *new* record of it needs, a field that holds any *text*, and what is written to it."""

    def insert(app: Any) -> Key:
        return (app.add(name, {**new, text: f"inserted {next(_NUMBERS)}"}),)

    def edit(app: Any, key: Key) -> None:
        app.edit(name, {text: f"edited {next(_NUMBERS)}"}, ids=[key[0]])

    def delete(app: Any, key: Key) -> None:
        app.delete(name, key[0])

    def keys(app: Any) -> Iterable[Key]:
        return [(record["Id"],) for record in app.records(name)]

    sample = Sample(several(records), change, {text: "x" * 300}, "data value too large", match=(text,))
    return Case(name, keys, ("Id",), insert, edit, delete, sample=sample)


def several(records: Iterable[Mapping[str, Any]]) -> Callable[[Any], list[dict[str, Any]]]:
    """The same records, whatever is in the org."""
    return lambda _app: [dict(record) for record in records]


ENTRY = Entry(
    name="salesforce",
    tap="tap_salesforce:TapSalesforce",
    target="target_salesforce:TargetSalesforce",
    account=account,
    cases=(
        sobject(
            "Account",
            {},
            "Name",
            [
                {"Name": "Contract & Söhne", "BillingCity": "Gent", "AnnualRevenue": 1200, "Active__c": True},
                {"Name": "Contract O'Two", "Tier__c": "Gold", "Score__c": 12.5, "Since__c": "2026-05-01"},
                {"Name": "山田 Contract", "Last_Sync__c": "2026-05-01T10:00:00Z", "Tags__c": "Key;New"},
            ],
            {"BillingCity": "Brussel"},
        ),
        sobject(
            "Contact",
            {},
            "LastName",
            [{"LastName": f"Contract {n}", "FirstName": "Ada", "HasOptedOutOfEmail": n == 1} for n in range(3)],
            {"Department": "Engines"},
        ),
        sobject(
            "Lead",
            {"LastName": "New"},
            "Company",
            [{"Company": f"Contract {n}", "LastName": "Bo", "LeadSource": "Web"} for n in range(3)],
            {"Industry": "Energy"},
        ),
        sobject(
            "Opportunity",
            {"StageName": "Prospecting", "CloseDate": "2030-01-01"},
            "Name",
            [
                {
                    "Name": f"Contract {n}",
                    "StageName": "Proposal",
                    "CloseDate": f"2030-01-0{n + 1}",
                    "Amount": 10.25 + n,
                }
                for n in range(3)
            ],
            {"StageName": "Closed Won"},
        ),
        sobject(
            "Room__c",
            {},
            "Name",
            [{"Name": f"Contract {n}", "Seats__c": n, "Opened__c": "1999-12-31", "Kind__c": "Big"} for n in range(3)],
            {"Kind__c": "Small"},
        ),
    ),
)
