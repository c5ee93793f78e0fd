"""Bulk 2.0 both ways."""

from __future__ import annotations

import time

import pytest

UPSERT = {"externalIdFieldName": "Ext_Id__c"}


def test_a_query_job_is_polled_and_read_by_pages_in_no_order(orgs):
    org = orgs(records=0, counts={"Account": 25})
    query = {
        "operation": "query",
        "query": "SELECT Id, Ext_Id__c, Owner.Name, Active__c, Since__c, SystemModstamp FROM Account",
    }
    job = org.send("POST", "/jobs/query", query)
    assert (job["state"], job["object"]) == ("UploadComplete", "Account")
    org.get(f"/jobs/query/{job['id']}/results", expect=400)
    assert org.ended("query", job["id"])["numberRecordsProcessed"] == 25
    locator, rows, sizes = "", [], []
    while locator != "null":
        reply = org("GET", f"/jobs/query/{job['id']}/results", params={"maxRecords": 10, "locator": locator})
        locator = reply.headers["Sforce-Locator"]
        sizes.append(int(reply.headers["Sforce-NumberOfRecords"]))
        rows += org.rows(reply)
    assert sizes == [10, 10, 5]
    stored = {record["Id"]: record for record in org.app.records("Account")}
    assert {row["Id"] for row in rows} == set(stored)
    assert [row["Id"] for row in rows] != sorted(stored)
    first = stored[rows[0]["Id"]]
    assert rows[0]["SystemModstamp"] == first["SystemModstamp"].replace("+0000", "Z")
    assert (rows[0]["Active__c"], rows[0]["Owner.Name"]) == (str(first["Active__c"]).lower(), "Ada Admin")
    org.send("DELETE", f"/jobs/query/{job['id']}", expect=204)
    org.get(f"/jobs/query/{job['id']}", expect=404)


def test_a_query_job_sees_what_was_there_when_it_was_made(org):
    job = org.send(
        "POST", "/jobs/query", {"operation": "queryAll", "query": "SELECT Name, IsDeleted FROM Lead ORDER BY Name DESC"}
    )
    for lead in org.app.records("Lead"):
        org.app.delete("Lead", lead["Id"])
    org.ended("query", job["id"])
    rows = org.rows(org("GET", f"/jobs/query/{job['id']}/results"))
    assert {row["IsDeleted"] for row in rows} == {"false"}
    names = [row["Name"].lower() for row in rows]
    assert names == sorted(names, reverse=True)


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id, BillingAddress FROM Account", "API_ERROR"),
        ("SELECT Id FROM Account OFFSET 3", "API_ERROR"),
        ("SELECT COUNT() FROM Account", "API_ERROR"),
        ("SELECT Id FROM CaseStatus", "INVALIDENTITY"),
        ("SELECT Idd FROM Account", "INVALID_FIELD"),
    ],
)
def test_what_bulk_does_not_do_is_refused_at_once(org, soql, code):
    error = org.send("POST", "/jobs/query", {"operation": "query", "query": soql}, expect=400)[0]
    assert error["errorCode"] == code


def test_an_upsert_job_leaves_three_files_not_in_the_order_of_the_input(org):
    text = (
        "Ext_Id__c,Name,Tier__c,Owner.Username\nA-0000001,One,,\nnew-1,Two,Gold,sam@sandbox.example\nnew-2,Three,Tin,\n"
    )
    text += "A-0000002,#N/A,,\nA-0000003,Four,#N/A,\n"
    before = {record["Ext_Id__c"]: record for record in org.app.records("Account")}
    id_ = org.ingest("upsert", "Account", text, **UPSERT)
    job = org.ended("ingest", id_)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 5, 2)
    good, bad, left = org.results(id_)
    assert [(row["Ext_Id__c"], row["sf__Created"]) for row in good] == [
        ("A-0000003", "false"), ("new-1", "true"), ("A-0000001", "false"),
    ]  # fmt: skip
    assert good[0]["sf__Id"] == before["A-0000003"]["Id"]
    assert [row["sf__Error"].partition(":")[0] for row in bad] == [
        "REQUIRED_FIELD_MISSING", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    ]  # fmt: skip
    assert left == []
    after = {record["Ext_Id__c"]: record for record in org.app.records("Account")}
    assert after["A-0000001"]["Tier__c"] == before["A-0000001"]["Tier__c"]
    assert (after["A-0000003"]["Name"], after["A-0000003"]["Tier__c"]) == ("Four", None)
    assert after["new-1"]["OwnerId"] != after["A-0000001"]["OwnerId"]


def test_the_other_operations(org):
    insert = org.ingest(
        "insert", "Contact", "LastName,Account.Ext_Id__c\r\nX,A-0000001\r\nY,none\r\n", lineEnding="CRLF"
    )
    org.ended("ingest", insert)
    good, bad, _ = org.results(insert)
    assert "Foreign key external ID: none not found" in bad[0]["sf__Error"]
    id_ = good[0]["sf__Id"]
    update = org.ingest("update", "Contact", f"Id|Title\n{id_[:15]}|Boss\n", columnDelimiter="PIPE")
    assert org.ended("ingest", update)["numberRecordsFailed"] == 0
    assert org.get(f"/sobjects/Contact/{id_}")["Title"] == "Boss"
    delete = org.ingest("delete", "Contact", f"Id\n{id_}\n")
    assert org.ended("ingest", delete)["numberRecordsFailed"] == 0
    assert len(org.app.records("Contact", deleted=True)) == 1
    again = org.ingest("delete", "Contact", f"Id\n{id_}\n")
    assert org.ended("ingest", again)["numberRecordsFailed"] == 1
    assert "ENTITY_IS_DELETED" in org.results(again)[1][0]["sf__Error"]
    org.ended("ingest", org.ingest("hardDelete", "Contact", f"Id\n{id_}\n"))
    assert org.app.records("Contact", deleted=True) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Ext_Id__c,Foo\nx,y\n", "InvalidBatch : Field name not found : Foo"),
        ("\ufeffExt_Id__c,Name\nx,y\n", "InvalidBatch : Field name not found"),
        ("Name\ny\n", "InvalidBatch : Field name not found : Ext_Id__c"),
        ("Ext_Id__c,Name\r\nx,y\r\n", "LineEnding is invalid on user data. Current LineEnding setting is LF"),
    ],
)
def test_a_file_that_cannot_be_read_fails_the_job(org, text, says):
    job = org.ended("ingest", org.ingest("upsert", "Account", text, **UPSERT))
    assert (job["state"], says in job["errorMessage"]) == ("Failed", True), job["errorMessage"]
    assert org.app.size("Account") == 12


def test_an_external_id_stands_in_a_job_once(org):
    id_ = org.ingest("upsert", "Account", "Ext_Id__c,Name\nx,1\ny,2\nX,3\n", **UPSERT)
    org.ended("ingest", id_)
    good, bad, _ = org.results(id_)
    assert [row["Ext_Id__c"] for row in good] == ["y"]
    assert {row["Ext_Id__c"] for row in bad} == {"x", "X"}
    assert all("Duplicate external id specified" in row["sf__Error"] for row in bad)


def test_a_job_that_fails_midway_tells_what_it_did_not_come_to(org):
    org.app.fail_next_job(2)
    id_ = org.ingest("insert", "Account", "Name\na\nb\nc\nd\n")
    job = org.ended("ingest", id_)
    assert (job["state"], job["numberRecordsProcessed"]) == ("Failed", 2)
    good, bad, left = org.results(id_)
    assert [row["Name"] for row in good] == ["b", "a"]
    assert (bad, [row["Name"] for row in left]) == ([], ["c", "d"])
    assert org.app.size("Account") == 14


def test_data_is_uploaded_once_to_an_open_job(org):
    job = org.send("POST", "/jobs/ingest", {"operation": "insert", "object": "Account", "contentType": "CSV"})
    assert job["contentUrl"] == f"services/data/v67.0/jobs/ingest/{job['id']}/batches"
    path = f"/jobs/ingest/{job['id']}"
    put = {"data": b"Name\nx\n", "headers": {"Content-Type": "text/csv; charset=UTF-8"}}
    org.send("PUT", f"{path}/batches", expect=201, **put)
    assert "only do 'PUT' once" in org.send("PUT", f"{path}/batches", expect=400, **put)[0]["message"]
    assert org("GET", f"{path}/successfulResults").status_code == 400
    assert org.send("PATCH", path, {"state": "Aborted"})["state"] == "Aborted"
    org.send("PUT", f"{path}/batches", expect=400, **put)
    org.send("PATCH", path, {"state": "UploadComplete"}, expect=400)
    assert [(one["id"], one["state"]) for one in org.get("/jobs/ingest")["records"]] == [(job["id"], "Aborted")]
    org.send("DELETE", path, expect=204)
    assert org.get("/jobs/ingest")["records"] == []
    assert org.app.size("Account") == 12


def test_a_job_is_in_progress_for_as_long_as_it_is_told_to(orgs, later):
    org = orgs(job_polls=3)
    id_ = org.ingest("insert", "Account", "Name\na\n")
    states = [org.get(f"/jobs/ingest/{id_}")["state"] for _ in range(4)]
    assert states == ["InProgress"] * 3 + ["JobComplete"]
    org.app.settings.change("job_polls", 0)
    org.app.settings.change("job_seconds", 600)
    id_ = org.ingest("insert", "Account", "Name\nb\n")
    assert org.get(f"/jobs/ingest/{id_}")["state"] == "InProgress"
    later(601)
    assert org.get(f"/jobs/ingest/{id_}")["state"] == "JobComplete"


def test_a_hard_delete_needs_its_permission(orgs):
    org = orgs(hard_delete=False)
    error = org.send("POST", "/jobs/ingest", {"operation": "hardDelete", "object": "Account"}, expect=400)[0]
    assert error["errorCode"] == "FEATURENOTENABLED"


def test_fifty_thousand_rows_go_in_and_out(orgs):
    org = orgs(records=0, result_rows=20_000)
    lines = "".join(f'E-{n:06d},"Company, number {n} with a rather long name",{n}\n' for n in range(50_000))
    id_ = org.ingest("upsert", "Account", "Ext_Id__c,Name,NumberOfEmployees\n" + lines, **UPSERT)
    deadline = time.monotonic() + 60
    under_way = {"UploadComplete", "InProgress"}
    while (job := org.get(f"/jobs/ingest/{id_}"))["state"] in under_way and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 50_000, 0)
    assert len(org.results(id_)[0]) == 50_000
    job = org.send("POST", "/jobs/query", {"operation": "query", "query": "SELECT Ext_Id__c FROM Account"})
    while org.get(f"/jobs/query/{job['id']}")["state"] != "JobComplete":
        time.sleep(0.05)
    locator, seen = "", set()
    while locator != "null":
        reply = org("GET", f"/jobs/query/{job['id']}/results", params={"locator": locator})
        locator = reply.headers["Sforce-Locator"]
        seen |= {row["Ext_Id__c"] for row in org.rows(reply)}
    assert len(seen) == 50_000
