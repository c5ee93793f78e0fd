"""SOQL, page by page, and what the org says of itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def test_every_record_comes_once_page_by_page(orgs):
    org = orgs(records=0, counts={"Account": 450})
    page = org(
        "GET", "/query", params={"q": "SELECT Id FROM Account"}, headers={"Sforce-Query-Options": "batchSize=200"}
    )
    reply, seen, sizes = page.json(), [], []
    while True:
        seen += [record["Id"] for record in reply["records"]]
        sizes.append(len(reply["records"]))
        assert reply["totalSize"] == 450
        if reply["done"]:
            break
        assert reply["nextRecordsUrl"].startswith("/services/data/v67.0/query/")
        reply = org.get(reply["nextRecordsUrl"])
    assert sizes == [200, 200, 50]
    assert len(set(seen)) == 450


def test_a_hint_below_200_is_taken_for_200_and_wide_rows_come_in_small_pages(orgs):
    org = orgs(records=0, counts={"Account": 260})
    headers = {"Sforce-Query-Options": "batchSize=5"}
    reply = org("GET", "/query", params={"q": "SELECT Id FROM Account"}, headers=headers).json()
    assert len(reply["records"]) == 200
    names = org.app.add_many_fields("Account", 800, prefix="F", fill=True)
    reply = org.get("/query", q=f"SELECT {', '.join(names)} FROM Account")
    assert len(reply["records"]) == 250
    assert reply["records"][0][names[-1]] is not None


def test_a_locator_ends_with_the_eleventh_open_query(orgs):
    org = orgs(records=0, counts={"Lead": 300}, page_rows=200)
    first = org.get("/query", q="SELECT Id FROM Lead")["nextRecordsUrl"]
    for _ in range(10):
        org.get("/query", q="SELECT Id FROM Lead")
    assert org.get(first, expect=400)[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_records_look_as_the_vendor_writes_them(org):
    account = org.app.add(
        "Account", {"Name": " Ümlaut & Co ", "BillingCity": "Köln", "Active__c": True}, at="2026-02-03T04:05:06Z"
    )
    contact = org.app.add(
        "Contact", {"LastName": "Lovelace", "FirstName": "Ada", "AccountId": account, "Birthdate": "1815-12-10"}
    )
    record = org.query(
        "SELECT Id, Name, Birthdate, HasOptedOutOfEmail, Points__c, Account.Name, Account.Owner.Username, "
        f"Account.BillingAddress, ReportsTo.Name, Account.SystemModstamp FROM Contact WHERE Id = '{contact[:15]}'"
    )[0]
    assert record["attributes"] == {"type": "Contact", "url": f"/services/data/v67.0/sobjects/Contact/{contact}"}
    assert (record["Id"], record["Name"], record["Birthdate"]) == (contact, "Ada Lovelace", "1815-12-10")
    assert (record["HasOptedOutOfEmail"], record["Points__c"], record["ReportsTo"]) == (False, None, None)
    assert record["Account"]["Name"] == "Ümlaut & Co"
    assert record["Account"]["Owner"]["Username"] == "admin@sandbox.example"
    assert record["Account"]["BillingAddress"]["city"] == "Köln"
    assert record["Account"]["SystemModstamp"] == "2026-02-03T04:05:06.000+0000"


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("Score__c = 1.5", {"a"}),
        ("Score__c != 1.5", {"b", "c"}),
        ("Score__c > 1", {"a", "b"}),
        ("NOT Score__c > 1", {"c"}),
        ("Score__c IN (2, null)", {"b", "c"}),
        ("Score__c NOT IN (2)", {"a", "c"}),
        ("Name = 'A'", {"a"}),
        ("Name LIKE '_' AND (Score__c >= 2 OR Score__c = null)", {"b", "c"}),
        ("Legacy_Code__c LIKE '100\\%%'", {"a"}),
        ("Legacy_Code__c = 'it\\'s'", {"b"}),
        ("Active__c = TRUE", {"c"}),
        ("Tags__c INCLUDES ('Key;New', 'Press')", {"a", "c"}),
        ("Tags__c EXCLUDES ('Key')", {"b", "c"}),
        ("Since__c < 2026-01-02", {"a"}),
        ("Last_Sync__c >= 2026-01-01T02:00:00+02:00", {"a"}),
        ("Owner.Username = 'admin@sandbox.example' AND Parent.Name = null", {"a", "b", "c"}),
    ],
)  # fmt: skip
def test_conditions_find_what_they_say(orgs, where, wanted):
    org = orgs(records=0)
    org.app.add("Account", {"Name": "a", "Score__c": 1.5, "Legacy_Code__c": "100% wool", "Tags__c": "New;Key",
                            "Since__c": "2026-01-01", "Last_Sync__c": "2026-01-01T00:00:00Z", "Active__c": False})  # fmt: skip
    org.app.add(
        "Account", {"Name": "b", "Score__c": 2, "Legacy_Code__c": "it's", "Since__c": "2026-02-01", "Active__c": False}
    )
    org.app.add("Account", {"Name": "c", "Tags__c": "Press", "Active__c": True})
    assert {record["Name"] for record in org.query(f"SELECT Name FROM Account WHERE {where}")} == wanted


def test_order_limit_and_offset(orgs):
    org = orgs(records=0)
    for name, score in (("d", None), ("b", 1), ("c", 2), ("a", 2)):
        org.app.add("Account", {"Name": name, "Score__c": score})

    def names(rest: str) -> str:
        return "".join(record["Name"] for record in org.query(f"SELECT Name FROM Account {rest}"))

    assert names("ORDER BY Score__c DESC, Name") == "dacb"
    assert names("ORDER BY Score__c DESC NULLS LAST, Name ASC") == "acbd"
    assert names("ORDER BY Name LIMIT 2 OFFSET 1") == "bc"
    assert org.refused("SELECT Id FROM Account OFFSET 2001")[0] == "NUMBER_OUTSIDE_VALID_RANGE"


def test_a_keyset_walks_through_equal_stamps(orgs):
    org = orgs(records=0, counts={"Account": 30})
    org.app.edit("Account", {"Industry": "Energy"}, at="2026-05-05T05:05:05Z")
    seen, after = [], ""
    while True:
        where = f"SystemModstamp >= 2026-05-05T05:05:05Z{after}"
        page = org.query(f"SELECT Id FROM Account WHERE {where} ORDER BY SystemModstamp, Id LIMIT 7")
        if not page:
            break
        seen += [record["Id"] for record in page]
        after = f" AND Id > '{seen[-1]}'"
    assert len(seen) == len(set(seen)) == 30


@pytest.mark.parametrize(
    ("soql", "code", "says"),
    [
        ("SELECT Id, Nam FROM Account", "INVALID_FIELD", "ERROR at Row:1:Column:12\nNo such column 'Nam' on entity 'Account'"),
        ("SELECT Id FROM Acount", "INVALID_TYPE", "sObject type 'Acount' is not supported"),
        ("SELECT Id FROM Contact WHERE Acount.Name = 'x'", "INVALID_FIELD", "Didn't understand relationship 'Acount'"),
        ("SELECT Id FORM Account", "MALFORMED_QUERY", "unexpected token: 'FORM'"),
        ("SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id, id FROM Account", "MALFORMED_QUERY", "duplicate field selected: id"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY", "'OR'"),
        ("SELECT Id FROM Account WHERE Name = 3", "INVALID_FIELD", "must be of type string and should be enclosed in quotes"),
        ("SELECT Id FROM Account WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD", "should not be enclosed in quotes"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T00:00:00", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Account WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: nonsense"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "LIMIT of at most 200"),
    ],
)  # fmt: skip
def test_a_query_is_refused_in_the_vendors_words(org, soql, code, says):
    refused, message = org.refused(soql)
    assert (refused, says in message) == (code, True), message


def test_counts_and_all_fields(org):
    assert org.get("/query", q="SELECT COUNT() FROM Account WHERE Name != null") == {
        "totalSize": 12, "done": True, "records": [],
    }  # fmt: skip
    record = org.query("SELECT FIELDS(ALL) FROM Account LIMIT 1")[0]
    assert {"Id", "Name", "Ext_Id__c", "BillingAddress", "SystemModstamp"} <= set(record)


def test_the_recycle_bin_shows_in_query_all_and_in_deleted(org):
    first, second = (record["Id"] for record in org.app.records("Account")[:2])
    org.send("DELETE", f"/sobjects/Account/{first}", expect=204)
    org.app.delete("Account", second, hard=True)
    assert org.get("/query", q="SELECT COUNT() FROM Account")["totalSize"] == 10
    everything = org.get("/queryAll", q="SELECT Id FROM Account WHERE IsDeleted = true")["records"]
    assert [record["Id"] for record in everything] == [first]
    now = datetime.now(UTC)
    window = {"start": iso(now - timedelta(hours=1)), "end": iso(now + timedelta(minutes=1))}
    gone = org.get("/sobjects/Account/deleted/", **window)["deletedRecords"]
    assert {each["id"] for each in gone} == {first, second}
    assert org.get(f"/sobjects/Account/{first}", expect=404)[0]["errorCode"] == "ENTITY_IS_DELETED"
    window["start"] = iso(now - timedelta(days=20))
    assert org.get("/sobjects/Account/deleted/", expect=400, **window)[0]["errorCode"] == "INVALID_REPLICATION_DATE"


def test_updated_lists_the_ids_of_a_window(org):
    one = org.app.records("Account")[4]["Id"]
    org.app.edit("Account", {"Industry": "Energy"}, ids=[one])
    now = datetime.now(UTC)
    reply = org.get("/sobjects/Account/updated", start=iso(now - timedelta(hours=1)), end=iso(now + timedelta(hours=1)))
    assert reply["ids"] == [one]


def test_describe_tells_types_lengths_picklists_and_references(org):
    listed = {each["name"]: each for each in org.get("/sobjects")["sobjects"]}
    assert {"Account", "Contact", "Lead", "Opportunity", "Case", "Task", "User", "Product2", "Campaign"} < set(listed)
    assert (listed["Invoice__c"]["custom"], listed["Account"]["keyPrefix"]) == (True, "001")
    fields = {field["name"]: field for field in org.get("/sobjects/account/describe")["fields"]}
    assert (fields["Ext_Id__c"]["externalId"], fields["Ext_Id__c"]["unique"], fields["Ext_Id__c"]["length"]) == (
        True,
        True,
        64,
    )
    assert (fields["Name"]["nillable"], fields["Name"]["nameField"], fields["Name"]["length"]) == (False, True, 255)
    assert fields["Tier__c"]["restrictedPicklist"]
    assert [value["value"] for value in fields["Tier__c"]["picklistValues"]] == ["Gold", "Silver", "Bronze"]
    assert not fields["Industry"]["restrictedPicklist"]
    assert (fields["BillingAddress"]["type"], fields["BillingCity"]["compoundFieldName"]) == (
        "address",
        "BillingAddress",
    )
    assert (fields["OwnerId"]["referenceTo"], fields["OwnerId"]["relationshipName"]) == (["User"], "Owner")
    assert not (fields["SystemModstamp"]["createable"])
    assert not (fields["Rating_Label__c"]["updateable"])
    assert org.get("/sobjects/Nothing/describe", expect=404)[0]["errorCode"] == "NOT_FOUND"


def test_a_describe_that_has_not_changed_is_not_sent_again(org):
    date = org("GET", "/sobjects/Account/describe").headers["Last-Modified"]
    again = org("GET", "/sobjects/Account/describe", headers={"If-Modified-Since": date})
    assert (again.status_code, again.content) == (304, b"")
    while int(time.time()) <= org.app.object("Account").changed:
        time.sleep(0.05)
    org.app.add_fields("Account", "Size__c:picklist,closed=S|M")
    assert org("GET", "/sobjects/Account/describe", headers={"If-Modified-Since": date}).status_code == 200


def test_a_hidden_field_is_gone_from_describe_and_from_queries(org):
    org.app.hide_field("Account", "Score__c")
    assert "Score__c" not in {field["name"] for field in org.get("/sobjects/Account/describe")["fields"]}
    assert org.refused("SELECT Score__c FROM Account")[0] == "INVALID_FIELD"


def test_versions_come_and_go(org):
    versions = {
        each["version"]: each["label"] for each in org.session.get(f"{org.server.url}/services/data/", timeout=5).json()
    }
    assert (versions["67.0"], versions["68.0"]) == ("Summer '26", "Winter '27")
    assert org("GET", "/services/data/v30.0/limits").status_code == 410
    assert org("GET", "/services/data/v99.0/limits").status_code == 404


def test_a_uri_of_more_than_16_kib_is_too_long(org):
    fields = ", ".join(org.app.add_many_fields("Account", 900, prefix="A_rather_long_name_"))
    assert org("GET", "/query", params={"q": f"SELECT {fields} FROM Account"}).status_code == 414
    padding = {f"X-{n}": "x" * 1000 for n in range(17)}
    assert org("GET", "/limits", headers=padding).status_code == 431
