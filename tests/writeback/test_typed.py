"""A value that is looked up is the one that is written: as the type of the API's field has it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from antiphon import apis, sandbox, schema
from antiphon.client import Client
from antiphon.writeback.typed import typed
from antiphon.writeback.writer import Writer

TEXTS = {
    "hubspot": ("companies", "domain", "companies", {"name": "N"}, {}),
    "odoo": ("partner", "ref", "res.partner", {"name": "N"}, {}),
    "salesforce": ("Contact", "LastName", "Contact", {}, {"login": "session"}),
}
NUMBERS = {
    "odoo": ("partner", "color", "res.partner", {"name": "N"}, {}),
    "salesforce": ("Account", "NumberOfEmployees", "Account", {"Name": "N"}, {"login": "session"}),
}


@pytest.mark.parametrize("value", [Decimal("1e999999999"), "1e999999999", Decimal("-1e999999999")])
def test_a_whole_number_that_would_take_all_memory_stays_as_it_is(value):
    assert typed(value, {"type": ["integer", "null"]}) is value


def written(api, what, values, *, mode="upsert", runs=3):
    """Write a record for each of *values*, one at a time, as often as that; return what each became, and what is there."""
    resource, field, model, more, knobs = what
    outcomes = []
    with sandbox.start(api, records=0, limit=(100_000, 10), **knobs) as server:
        for _ in range(runs):
            client = Client(apis.load(api), server.config)
            for value in values:
                writer = Writer(client, client.resource(resource), match=[field], mode=mode)
                outcomes += [o.kind.value for o in writer.write([{field: value, **more}])]
        rows = server.app.records(model, *([[field]] if api == "odoo" else []))
    there = [row.get("properties", row).get(field) for row in rows]
    return outcomes, Counter(value for value in there if value not in (None, False, ""))


@pytest.mark.parametrize("mode", ["upsert", "create"])
@pytest.mark.parametrize("api", TEXTS)
def test_in_a_field_of_texts_it_is_a_text(api, mode):
    outcomes, there = written(api, TEXTS[api], [5, 1.0, True, 0, -2.5], mode=mode, runs=2)
    assert outcomes == ["created"] * 5 + ["unchanged" if mode == "upsert" else "skipped"] * 5
    assert there == dict.fromkeys(["5", "1", "true", "0", "-2.5"], 1)


def test_what_means_null_there_is_no_value_to_match_by():
    outcomes, there = written("odoo", TEXTS["odoo"], [False], runs=1)
    assert (outcomes, there) == (["rejected"], {})


@pytest.mark.parametrize("api", TEXTS)
def test_one_is_one_in_any_form_and_not_true(api):
    outcomes, there = written(api, TEXTS[api], [1, "1", 1.0, " 1 ", True, "true"])
    assert Counter(outcomes) == {"created": 2, "unchanged": 16}
    assert there == {"1": 1, "true": 1}


@pytest.mark.parametrize("api", NUMBERS)
def test_in_a_field_of_whole_numbers_it_is_a_number(api):
    outcomes, there = written(api, NUMBERS[api], ["7", 7, 7.0, " 7.0 "])
    assert outcomes == ["created", *["unchanged"] * 11]
    assert there == {7: 1}


def test_several_forms_of_one_value_in_a_batch_are_one_record(account):
    outcomes = account.writer("companies", match=["domain"]).write([{"domain": d, "name": "N"} for d in (1, "1", 1.0)])
    assert [o.kind.value for o in outcomes].count("created") == 1
    assert [one["domain"] for one in account.shown("companies")] == ["1"]


@pytest.mark.parametrize(
    ("word", "value", "holds"),
    [
        ("string", 5, "5"), ("string", 1.0, "1"), ("string", Decimal("2.50"), "2.5"), ("string", True, "true"),
        ("string", " a ", "a"), ("string", [1], [1]), ("string", None, None),
        ("integer", "5", 5), ("integer", 5.0, 5), ("integer", "5.5", "5.5"), ("integer", "five", "five"),
        ("integer", "NaN", "NaN"), ("integer", float("inf"), float("inf")), ("integer", True, True),
        ("number", 1.5, 1.5), ("date-time", 1700000000000, 1700000000000), ("any", 5, 5),
    ],
)  # fmt: skip
def test_a_value_is_brought_to_the_type_of_its_field(word, value, holds):
    made = typed(value, schema.of(word))
    assert (made, type(made)) == (holds, type(holds))


@pytest.mark.parametrize("value", ["1e99999999", Decimal("1e99999999")])
def test_a_whole_number_that_nothing_can_hold_stays_as_it_came(value):
    assert typed(value, {"type": "integer"}) is value
