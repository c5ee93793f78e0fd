"""Contacts with several addresses: records of the source that are one contact there, by its first address and by another."""

from __future__ import annotations

import pytest
import requests

from .pipes import crm as an_account
from .pipes import record, schema

PEOPLE = schema("contacts", "email", "city", "phone", keys=["email"])
FIRST, SECOND = "ada@example.com", "lovelace@example.com"


@pytest.fixture
def crm(tmp_path):
    with an_account(tmp_path, stall_seconds=0.01) as made:
        made.app.add("contacts", {"email": FIRST, "hs_additional_emails": f"{SECOND};third@example.com"})
        yield made


def people(*pairs):
    """Return contacts, each of an address and a city."""
    return [PEOPLE, *[record("contacts", email=email, city=city) for email, city in pairs]]


def test_what_one_address_wrote_does_not_stay_unchanged_when_another_has_written(crm):
    for email, city in ((FIRST, "Ulm"), (SECOND, "Jena"), (FIRST, "Ulm"), (SECOND, "Jena"), (FIRST, "Ulm")):
        ran = crm.pipe(*people((email, city)))
        assert "1 updated" in ran.err, (email, city)
        assert crm.shown("contacts", "email", "city") == [{"email": FIRST, "city": city}]


def test_what_the_last_address_wrote_costs_no_call(crm):
    crm.pipe(*people((FIRST, "Ulm")))
    crm.pipe(*people((SECOND, "Jena")))
    crm.app.reset_calls()
    crm.pipe(*people((SECOND, "Jena")))
    assert [route for _, route in crm.app.calls if "batch" in route] == []


@pytest.mark.parametrize("rows", [1, 2, 100])
@pytest.mark.parametrize("order", [(FIRST, SECOND), (SECOND, FIRST)])
def test_the_last_record_counts_whatever_has_changed(crm, rows, order):
    others = [(f"p{n}@example.com", "Bonn") for n in range(2)]
    for cities in (("Ulm", "Jena"), ("Ulm", "Jena"), ("Kiel", "Jena"), ("Kiel", "Jena"), ("Kiel", "Bern"), ("Rom", "")):
        pairs = [(email, city) for email, city in zip(order, cities, strict=True) if city]
        crm.pipe(*people(pairs[0], *others, *pairs[1:]), batch_size_rows=rows)
        expected = {"email": FIRST, "city": pairs[-1][1]}
        assert crm.shown("contacts", "email", "city")[0] == expected, cities
    assert len(crm.shown()) == 3


def test_records_of_one_contact_that_agree_come_to_rest(crm):
    both = [
        PEOPLE,
        record("contacts", email=FIRST, city="Ulm", phone="1"),
        record("contacts", email=SECOND, city="Ulm", phone="1"),
    ]
    for _ in range(3):
        crm.pipe(*both, batch_size_rows=1)
    crm.app.reset_calls()
    crm.pipe(*both, batch_size_rows=1)
    assert [route for _, route in crm.app.calls if "batch" in route] == []


def test_contacts_that_were_merged_are_one_from_then_on(crm):
    crm.pipe(*people(("bo@example.com", "Rom"), ("cy@example.com", "Bern")))
    _, bo, cy = (one["id"] for one in crm.app.records("contacts"))
    config = crm.server.config
    merged = requests.post(
        f"{config['base_url']}/crm/objects/2026-03/contacts/merge",
        json={"primaryObjectId": bo, "objectIdToMerge": cy},
        headers={"Authorization": f"Bearer {config['access_token']}"},
        timeout=10,
    )
    assert merged.ok
    for city, both in (("Kiel", ["1 updated", "1 updated"]), ("Kiel", ["1 updated", "1 updated"])):
        said = [crm.pipe(*people(pair)).err for pair in (("bo@example.com", city), ("cy@example.com", "Bern"))]
        assert all(words in err for words, err in zip(both, said, strict=True))
        assert crm.shown("contacts", "email", "city")[1:] == [{"email": "bo@example.com", "city": "Bern"}]


def test_a_contact_that_is_deleted_by_one_address_is_not_unchanged_by_another(crm):
    crm.pipe(*people((FIRST, "Ulm"), (SECOND, "Jena")))
    gone = record("contacts", email=SECOND, city="Jena", _sdc_deleted_at="2026-01-01T00:00:00Z")
    crm.pipe(PEOPLE, gone, record("contacts", email=FIRST, city="Ulm"), streams={"contacts": {"deletes": "delete"}})
    assert crm.shown("contacts", "email", "city") == [{"email": FIRST, "city": "Ulm"}]
