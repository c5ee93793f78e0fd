"""Single writes and collections: what is refused, row by row, and what lands."""

from __future__ import annotations

import pytest

ACCOUNT = {"attributes": {"type": "Account"}}


def test_a_record_is_created_changed_and_deleted(org):
    made = org.send("POST", "/sobjects/Account", {"Name": "New", "Since__c": "2026-01-02", "Industry": ""}, expect=201)
    assert made == {"id": made["id"], "success": True, "errors": []}
    org.send("PATCH", f"/sobjects/Account/{made['id']}", {"Name": "Newer", "Since__c": None}, expect=204)
    record = org.get(f"/sobjects/Account/{made['id']}", fields="Name,Since__c,Industry")
    assert (record["Name"], record["Since__c"], record["Industry"]) == ("Newer", None, None)
    org.send("DELETE", f"/sobjects/Account/{made['id']}", expect=204)
    org.send("DELETE", f"/sobjects/Account/{made['id']}", expect=404)


@pytest.mark.parametrize(
    ("name", "row", "code", "says"),
    [
        ("Account", {"Industry": "Energy"}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]"),
        ("Account", {"Name": "x", "Tier__c": "Tin"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "bad value for restricted picklist field: Tin"),
        ("Account", {"Name": "x" * 256}, "STRING_TOO_LONG", "(max length=255)"),
        ("Account", {"Name": "x", "Ext_Id__c": "a-0000001"}, "DUPLICATE_VALUE", "Ext_Id__c duplicates value on record with id: 001"),
        ("Account", {"Name": "x", "CreatedDate": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", "CreatedDate"),
        ("Account", {"Name": "x", "Foo__c": 1}, "INVALID_FIELD", "No such column 'Foo__c' on sobject of type Account"),
        ("Account", {"Name": "x", "AnnualRevenue": 1e18}, "NUMBER_OUTSIDE_VALID_RANGE", "AnnualRevenue"),
        ("Account", {"Name": "x", "Active__c": None}, "INVALID_TYPE_ON_FIELD_IN_RECORD", "Active"),
        ("Contact", {"LastName": "x", "Email": "nobody"}, "INVALID_EMAIL_ADDRESS", "invalid email address: nobody"),
        ("Contact", {"LastName": "x", "AccountId": "0015g00000zzzzz"}, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
        ("Contact", {"LastName": "x", "AccountId": "0055g0000000001AAA"}, "FIELD_INTEGRITY_EXCEPTION", "id value of incorrect type"),
        ("Contact", {"LastName": "x", "AccountId": "nonsense"}, "MALFORMED_ID", "id value of incorrect type: nonsense"),
        ("Contact", {"LastName": "x", "Account": {"Ext_Id__c": "none"}}, "INVALID_FIELD", "Foreign key external ID: none not found for field Ext_Id__c in entity Account"),
    ],
)  # fmt: skip
def test_a_row_is_refused_for_what_is_in_it(org, name, row, code, says):
    error = org.send("POST", f"/sobjects/{name}", row, expect=400)[0]
    assert (error["errorCode"], says in str(error)) == (code, True), error
    row = {"attributes": {"type": name}, **row}
    good = {"attributes": {"type": "Lead"}, "LastName": "Good", "Company": "Good"}
    before = org.app.size("Lead")
    results = org.send("POST", "/composite/sobjects", {"records": [row, good]})
    assert [result["success"] for result in results] == [False, True]
    assert results[0]["errors"][0]["statusCode"] == code
    assert org.app.size("Lead") == before + 1


def test_a_value_of_the_wrong_type_refuses_the_whole_document(org):
    rows = [{**ACCOUNT, "Name": "Good"}, {**ACCOUNT, "Name": "Bad", "Score__c": "many"}]
    error = org.send("POST", "/composite/sobjects", {"records": rows}, expect=400)[0]
    assert (error["errorCode"], "value many" in error["message"]) == ("JSON_PARSER_ERROR", True)
    assert org.app.size("Account") == 12


def test_an_upsert_creates_then_changes_and_says_which(org):
    path = "/sobjects/Account/Ext_Id__c/a%2Fb%20c"
    first = org.send("PATCH", path, {"Name": "One"}, expect=201)
    assert first["created"]
    again = org.send("PATCH", path, {"Name": "Two"})
    assert (again["id"], again["created"]) == (first["id"], False)
    assert org.get(path)["Ext_Id__c"] == "a/b c"
    org.send("PATCH", "/services/data/v45.0/sobjects/Account/Ext_Id__c/a%2Fb%20c", {"Name": "Three"}, expect=204)
    org.send("PATCH", "/sobjects/Account/Ext_Id__c/none?updateOnly=true", {"Name": "x"}, expect=404)
    error = org.send("PATCH", path, {"Name": "x", "Ext_Id__c": "y"}, expect=400)[0]
    assert "should not be specified in the sobject data" in error["message"]


def test_an_external_id_that_several_records_have_is_answered_with_all_of_them(org):
    both = {org.app.add("Account", {"Name": name, "Legacy_Code__c": "twice"}) for name in "ab"}
    found = org.send("PATCH", "/sobjects/Account/Legacy_Code__c/twice", {"Name": "c"}, expect=300)
    assert {url.rpartition("/")[2] for url in found} == both
    rows = {"records": [{**ACCOUNT, "Legacy_Code__c": "twice", "Name": "c"}]}
    assert org.send("PATCH", "/composite/sobjects/Account/Legacy_Code__c", rows)[0]["errors"][0]["statusCode"] == (
        "DUPLICATE_EXTERNAL_ID"
    )


def test_a_collection_answers_in_the_order_of_its_rows(org):
    rows = [{**ACCOUNT, "Name": f"r{n}" if n % 3 else None, "Ext_Id__c": f"new-{n}"} for n in range(200)]
    results = org.send("POST", "/composite/sobjects", {"records": rows})
    assert [result["success"] for result in results] == [bool(n % 3) for n in range(200)]
    ids = [result["id"] for result in results if result["success"]]
    body = {"ids": [*ids[:3], "0015g00000zzzzz"], "fields": ["Name"]}
    read = org.send("POST", "/composite/sobjects/Account", body)
    assert [record and record["Name"] for record in read] == ["r1", "r2", "r4", None]
    changes = [{**ACCOUNT, "id": id_, "Name": "changed"} for id_ in ids[:2]]
    assert all(result["success"] for result in org.send("PATCH", "/composite/sobjects", {"records": changes}))
    gone = org.send("DELETE", f"/composite/sobjects?ids={ids[0]},{ids[0][:15]},{ids[1]}")
    assert [result["success"] for result in gone] == [True, False, True]
    assert gone[1]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


def test_201_rows_are_refused_together_and_all_or_none_undoes_the_rest(org):
    rows = [{**ACCOUNT, "Name": f"r{n}"} for n in range(201)]
    assert org.send("POST", "/composite/sobjects", {"records": rows}, expect=400)[0]["errorCode"] == "EXCEEDED_ID_LIMIT"
    body = {"allOrNone": True, "records": [*rows[:2], ACCOUNT]}
    codes = [result["errors"][0]["statusCode"] for result in org.send("POST", "/composite/sobjects", body)]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK"] * 2 + ["REQUIRED_FIELD_MISSING"]
    mixed = [{"attributes": {"type": ("Account", "Campaign")[n % 2]}, "Name": "x"} for n in range(11)]
    assert "10 chunks" in org.send("POST", "/composite/sobjects", {"records": mixed}, expect=400)[0]["message"]
    assert org.app.size("Account") == 12


def test_a_collection_is_upserted_and_a_repeated_id_is_nobodys(org):
    rows = [{**ACCOUNT, "Ext_Id__c": key, "Name": key} for key in ("A-0000001", "new", "twice", "TWICE")]
    results = org.send("PATCH", "/composite/sobjects/Account/Ext_Id__c", {"records": rows})
    assert [result.get("created") for result in results] == [False, True, None, None]
    assert "Duplicate external id specified: twice" in results[2]["errors"][0]["message"]
    assert org.app.size("Account") == 13


def test_parents_are_found_by_their_external_id(org):
    row = {"Ext_Id__c": "i-1", "Account__r": {"Ext_Id__c": "A-0000003"}, "Amount__c": "12.345"}
    made = org.send("POST", "/sobjects/Invoice__c", row, expect=201)
    record = org.query(
        f"SELECT Name, Account__r.Ext_Id__c, Amount__c, Status__c FROM Invoice__c WHERE Id = '{made['id']}'"
    )[0]
    assert record["Account__r"]["Ext_Id__c"] == "A-0000003"
    assert (record["Name"][:4], record["Amount__c"], record["Status__c"]) == ("INV-", 12.35, "Draft")
    task = {"Subject": "Call", "What": {"attributes": {"type": "Invoice__c"}, "Ext_Id__c": "i-1"}}
    task_id = org.send("POST", "/sobjects/Task", task, expect=201)["id"]
    assert org.get(f"/sobjects/Task/{task_id}")["WhatId"] == made["id"]


def test_rows_that_somebody_else_holds_are_told_apart(org):
    org.app.lock_rows(2)
    rows = [{**ACCOUNT, "Name": f"r{n}"} for n in range(3)]
    results = org.send("POST", "/composite/sobjects", {"records": rows})
    assert [result["success"] for result in results] == [False, False, True]
    assert results[0]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"


def test_several_calls_in_one(org):
    asked = [{"method": "GET", "url": f"v67.0/sobjects/{name}/describe"} for name in ("Account", "Nothing")]
    reply = org.send("POST", "/composite/batch", {"batchRequests": asked})
    assert [result["statusCode"] for result in reply["results"]] == [200, 404]
    assert reply["hasErrors"]
    chain = [
        {"method": "POST", "url": "/services/data/v67.0/sobjects/Account", "referenceId": "a", "body": {"Name": "x"}},
        {"method": "POST", "url": "/services/data/v67.0/sobjects/Contact", "referenceId": "c",
         "body": {"LastName": "y", "AccountId": "@{a.id}"}},
    ]  # fmt: skip
    replies = org.send("POST", "/composite", {"allOrNone": True, "compositeRequest": chain})["compositeResponse"]
    assert [reply["httpStatusCode"] for reply in replies] == [201, 201]
    chain[1]["body"]["LastName"] = ""
    replies = org.send("POST", "/composite", {"allOrNone": True, "compositeRequest": chain})["compositeResponse"]
    assert [reply["httpStatusCode"] for reply in replies] == [400, 400]
    assert org.app.size("Account") == 13


def test_a_write_whose_answer_never_comes_was_done(orgs):
    org = orgs(stall_seconds=0.05)
    org.app.fail_next(1, "commit-timeout")
    assert org("GET", "/limits").status_code == 200
    with pytest.raises(OSError):
        org("POST", "/sobjects/Account", {"Name": "x"})
    assert org.app.size("Account") == 13
