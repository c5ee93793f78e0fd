"""Made-up records, the same for the same seed and fast enough for a million of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from antiphon.sandbox.salesforce import moments
from antiphon.sandbox.salesforce.catalogue import STANDARD
from antiphon.sandbox.salesforce.ids import SHIFT
from antiphon.sandbox.salesforce.store import Org, Stored

_FIRST = ("Ada", "Björn", "Chloé", "Dmitri", "Emeka", "Fátima", "Grace", "Hiroshi", "Ines", "João", "Keiko", "Łukasz",
          "Mei", "Noor", "Oluwaseun", "Priya", "Quentin", "Rosa", "Siobhán")  # fmt: skip
_LAST = ("Abe", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanova", "Jansen", "Kaya",
         "Lindqvist", "Müller", "Nakamura", "O'Brien", "Park", "Quispe", "Rossi", "Silva", "Tanaka", "Über, Inc")  # fmt: skip
_TRADES = ("Bakery", "Logistics", "Optics", "Robotics", "Timber", 'Textiles "Süd"')
_CITIES = (("Berlin", "Germany", "10115"), ("Kyōto", "Japan", "600-8216"), ("São Paulo", "Brazil", "01310-100"),
           ("Boston", "United States", "02108"), ("Lyon", "France", "69001"))  # fmt: skip
_STAGES = ("Prospecting", "Qualification", "Proposal", "Closed Won", "Closed Lost")
_YEAR = 364 * moments.DAY
_DAYS = [(date(2018, 1, 1) + timedelta(days=n)).isoformat() for n in range(3300)]

Row = dict[str, Stored]
Maker = Callable[[int, int], Row]
"""Takes the running number and a large pseudo-random one."""


def _of(several: tuple[str, ...], chance: int) -> str:
    return several[chance % len(several)]


def _account(n: int, chance: int) -> Row:
    city, country, code = _CITIES[chance % 5]
    return {
        "Name": f"{_of(_LAST, chance >> 3)} {_of(_TRADES, chance >> 8)} {n}",
        "Type": _of(("Prospect", "Customer - Direct", "Technology Partner"), chance >> 4),
        "BillingStreet": f"{chance % 200 + 1} High Street\nUnit {chance % 9}" if chance & 8 else None,
        "BillingCity": city,
        "BillingPostalCode": code,
        "BillingCountry": country,
        "Phone": f"+49 30 {chance % 10**7:07d}",
        "Website": f"https://company{n}.example",
        "Industry": _of(("Banking", "Retail", "Technology", "Energy"), chance >> 6),
        "AnnualRevenue": float(chance % 90 * 100_000),
        "NumberOfEmployees": chance % 5000 + 1,
        "Ext_Id__c": f"A-{n:07d}",
        "Legacy_Code__c": f"L{chance % 10_000}",
        "Tier__c": _of(("Gold", "Silver", "Bronze"), chance >> 5) if chance & 1 else None,
        "Tags__c": "Key;New" if chance & 2 else None,
        "Score__c": chance % 10_000 / 100,
        "Since__c": _DAYS[chance % 3000],
        "Active__c": chance & 1,
    }


def _person(n: int, chance: int) -> Row:
    return {
        "FirstName": _of(_FIRST, chance),
        "LastName": _of(_LAST, chance >> 5),
        "Email": f"person{n}@example.{_of(('com', 'org', 'net'), chance >> 2)}",
        "Title": _of(("Accountant", "Engineer", "Buyer, Northern Europe", 'Director "EMEA"'), chance >> 4)
        if chance & 4
        else None,
    }


def _contact(n: int, chance: int) -> Row:
    city, country, code = _CITIES[chance % 5]
    return {
        **_person(n, chance),
        "MailingCity": city,
        "MailingPostalCode": code,
        "MailingCountry": country,
        "HasOptedOutOfEmail": chance >> 6 & 1,
        "Birthdate": f"{1950 + chance % 50}-{1 + chance % 12:02d}-{1 + chance % 28:02d}" if chance & 16 else None,
        "Ext_Id__c": f"C-{n:07d}",
        "Level__c": _of(("Primary", "Secondary", "Tertiary"), chance >> 3),
        "Points__c": float(chance % 1000),
    }


def _lead(n: int, chance: int) -> Row:
    return {
        **_person(n, chance),
        "Company": f"{_of(_LAST, chance >> 9)} {_of(_TRADES, chance >> 3)}",
        "Status": _of(("Open - Not Contacted", "Working - Contacted"), chance >> 7),
        "City": _CITIES[chance % 5][0],
    }


def _opportunity(n: int, chance: int) -> Row:
    return {
        "Name": f"Deal {n}: {_of(_TRADES, chance)}",
        "StageName": _of(_STAGES, chance >> 4),
        "Amount": chance % 20_000_000 / 100,
        "Probability": float(chance % 11 * 10),
        "CloseDate": _DAYS[2900 + chance % 400],
        "Ext_Id__c": f"O-{n:07d}",
    }


def _invoice(n: int, chance: int) -> Row:
    return {
        "Ext_Id__c": f"I-{n:07d}",
        "Status__c": _of(("Draft", "Sent", "Paid"), chance >> 2),
        "Amount__c": chance % 1_000_000 / 100,
        "Due_Date__c": _DAYS[2900 + chance % 400],
    }


_MAKERS: dict[str, Maker] = {
    "Account": _account,
    "Contact": _contact,
    "Lead": _lead,
    "Opportunity": _opportunity,
    "Case": lambda n, c: {"Subject": f"Case {n}", "Origin": _of(("Phone", "Email", "Web"), c)},
    "Task": lambda n, c: {"Subject": _of(("Call", "Email"), c), "Description": f"Task {n}\nNot on “Tuesdays”."},
    "Campaign": lambda n, c: {"Name": f"Campaign {n}", "Type": _of(("Webinar", "Email"), c), "IsActive": c & 1},
    "Product2": lambda n, c: {"Name": f"Product {n}", "ProductCode": f"SKU-{n:05d}", "IsActive": c & 1},
    "Invoice__c": _invoice,
}
_PARENTS = {
    "Contact": ("AccountId", "Account"),
    "Opportunity": ("AccountId", "Account"),
    "Case": ("ContactId", "Contact"),
    "Task": ("WhoId", "Contact"),
    "Invoice__c": ("Account__c", "Account"),
}
USERS = (("Ada", "Admin", "admin@sandbox.example"), ("Sam", "Seller", "sam@sandbox.example"))


def sow(org: Org, records: int, counts: Mapping[str, int], seed: int) -> None:
    """Fill the org: `records` accounts and shares of the rest, or as `counts` says by object."""
    latest = int(datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) - moments.DAY
    org.execute("BEGIN")
    for first, last, name in USERS:
        person: Row = {"FirstName": first, "LastName": last, "Username": name, "Email": name, "Alias": first.lower()}
        org.insert(org.objects["User"], person, at=latest - _YEAR)
    org.insert(org.objects["Group"], {"Name": "Support", "DeveloperName": "Support"}, at=latest - _YEAR)
    for order, label in enumerate(("New", "Working", "Escalated", "Closed"), 1):
        status: Row = {"MasterLabel": label, "ApiName": label, "SortOrder": order, "IsClosed": int(label == "Closed")}
        org.insert(org.objects["CaseStatus"], status, at=latest - _YEAR)
    for each in STANDARD:
        if each.name in _MAKERS:
            _fill(
                org,
                each.name,
                counts.get(each.name, round(records * each.share)),
                latest,
                random.Random(f"{seed}:{each.name}"),
            )
    org.execute("COMMIT")


def _fill(org: Org, name: str, wanted: int, latest: int, chances: random.Random) -> None:
    of, make = org.objects[name], _MAKERS[name]
    reference, parent_name = _PARENTS.get(name, ("", ""))
    parent = org.objects.get(parent_name)
    first = make(1, 0) | ({reference: None} if parent is not None else {})
    names = tuple(first)

    def rows() -> Iterator[tuple[Stored, ...]]:
        for n in range(1, wanted + 1):
            chance = chances.getrandbits(40)
            row = make(n, chance)
            if parent is not None:
                some = parent.count > 0 and chance % 5 > 0
                row[reference] = parent.kind << SHIFT | (1 + (chance >> 7) % parent.count) if some else None
            created = latest - _YEAR + n * _YEAR // (wanted + 1)
            # Minutes, not seconds: many records share a stamp, as after a bulk load.
            changed = created + (chance >> 11) % (latest - created) // 60 * 60
            yield (created, changed, changed, *row.values())

    org.insert_many(of, names, rows())
