"""A judge of the emulator: simple-salesforce, which speaks https only."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
)

from antiphon.sandbox import start


@pytest.fixture(scope="module")
def server():
    with start("salesforce", records=20, login="session", tls=True, result_rows=7) as running:
        yield running


@pytest.fixture
def client(server, monkeypatch):
    config = server.config
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", config["ca_bundle"])
    session = requests.Session()
    yield Salesforce(
        instance_url=config["instance_url"],
        session_id=config["access_token"],
        version=config["api_version"],
        session=session,
    )
    session.close()


def rows(pages):
    return [row for page in pages for row in csv.DictReader(io.StringIO(page))]


def test_an_unknown_certificate_is_refused(server, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{server.url}/services/data/", timeout=5)


def test_it_queries(client):
    found = client.query("SELECT Id, Name, Owner.Name FROM Account ORDER BY Name LIMIT 3")
    assert (found["totalSize"], found["records"][0]["Owner"]["Name"]) == (3, "Ada Admin")
    assert len(client.query_all("SELECT Id FROM Contact")["records"]) == 30
    assert client.api_usage["api-usage"].total == 100_000


def test_it_creates_reads_updates_upserts_and_deletes(client):
    id_ = client.Account.create({"Name": "New", "Ext_Id__c": "simple"})["id"]
    assert client.Account.update(id_, {"Tier__c": "Gold"}) == 204
    assert client.Account.get(id_)["Tier__c"] == "Gold"
    assert client.Account.get_by_custom_id("Ext_Id__c", "simple")["Id"] == id_
    assert client.Account.upsert("Ext_Id__c/simple", {"Name": "Newer"}) == 200
    assert client.Account.upsert("Ext_Id__c/simple-2", {"Name": "Second"}) == 201
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.Account.update(id_, {"Tier__c": "Tin"})
    assert refused.value.content[0]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    for _ in range(2):
        client.Account.create({"Name": "Twin", "Legacy_Code__c": "twin"})
    with pytest.raises(SalesforceMoreThanOneRecord):
        client.Account.upsert("Legacy_Code__c/twin", {"Name": "x"})
    assert client.Account.delete(id_) == 204
    now = datetime.now(UTC)
    gone = client.Account.deleted(now - timedelta(hours=1), now + timedelta(hours=1))
    assert id_ in {each["id"] for each in gone["deletedRecords"]}


def test_it_describes_and_knows_limits(client):
    assert "Invoice__c" in {each["name"] for each in client.describe()["sobjects"]}
    assert "Ext_Id__c" in {field["name"] for field in client.Contact.describe()["fields"]}
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000


def test_it_writes_and_reads_in_bulk(client):
    bulk, quick = client.bulk2.Contact, {"wait": 0.01}
    bulk.insert(records=[{"LastName": f"N{n}", "Ext_Id__c": f"s{n}"} for n in range(5)], **quick)
    changes = [{"LastName": "C", "Ext_Id__c": f"s{n}", "Level__c": "Primary" if n < 9 else "Tenth"} for n in range(10)]
    done = bulk.upsert(records=changes, external_id_field="Ext_Id__c", **quick)[0]
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (10, 1)
    good, bad = rows([bulk.get_successful_records(done["job_id"])]), rows([bulk.get_failed_records(done["job_id"])])
    assert sorted((row["Ext_Id__c"], row["sf__Created"]) for row in good) == [
        (f"s{n}", "false" if n < 5 else "true") for n in range(9)
    ]
    assert bad[0]["sf__Error"].startswith("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
    assert rows([bulk.get_unprocessed_records(done["job_id"])]) == []
    soql = "SELECT Id, Ext_Id__c, Account.Name, HasOptedOutOfEmail FROM Contact WHERE Ext_Id__c LIKE 's%'"
    pages = list(bulk.query(soql, **quick))
    found = rows(pages)
    assert (len(pages), len(found)) == (2, 9)
    assert found[0]["Account.Name"] == ""
    bulk.delete(records=[{"Id": row["Id"]} for row in found], **quick)
    assert rows(bulk.query(soql, **quick)) == []
    assert len(rows(bulk.query_all(soql, **quick))) == 9


def test_an_ended_session_is_an_expired_session(client, server):
    server.app.expire_token()
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Account")
