"""A judge of the emulated Salesforce that nobody here wrote: jsforce, in Node."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.sandbox import Server, start

from .servers import CannotInstallError, installed, npm_packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

VERSION = "3.10.16"
# `conn` is logged in by the refresh token, `work` is what a test does with it; what it returns is printed as JSON.
SCRIPT = """
const { Connection } = require("@jsforce/jsforce-node");
const config = JSON.parse(process.argv[1]);
const conn = new Connection({
  oauth2: { loginUrl: config.login_url, clientId: config.client_id, clientSecret: config.client_secret },
  instanceUrl: config.instance_url, accessToken: config.access_token || "expired",
  refreshToken: config.refresh_token, version: config.api_version,
});
conn.bulk2.pollInterval = 20;
const work = async () => { %s };
work().then((found) => console.log(JSON.stringify(found)), (error) => {
  console.log(JSON.stringify({ errorCode: error.errorCode || error.name, message: error.message }));
});
"""


@pytest.fixture(scope="module")
def jsforce() -> Path:
    try:
        return installed("jsforce", VERSION, npm_packages(f"@jsforce/jsforce-node@{VERSION}"))
    except CannotInstallError as why:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(why))


@pytest.fixture
def server() -> Iterator[Server]:
    with start("salesforce", records=30, page_rows=200) as running:
        yield running


@pytest.fixture
def run(jsforce: Path, server: Server) -> Callable[[str], Any]:
    """Run JavaScript with a connection `conn`; what it returns."""
    config = {**server.config, "instance_url": server.url}
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

    def run(script: str) -> Any:
        done = subprocess.run(
            ["node", "-e", SCRIPT % script, json.dumps(config)],
            cwd=jsforce, env=clean, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    return run


def test_it_renews_its_session_and_knows_who_it_is(run: Callable[[str], Any], server: Server) -> None:
    assert run("return await conn.identity()")["username"] == "admin@sandbox.example"
    # The token it began with was no session's.
    assert server.app.count("oauth2/token") == 1


def test_it_queries_page_by_page(run: Callable[[str], Any], server: Server) -> None:
    server.app.edit("Contact", {"Department": "R&D"})
    for n in range(400):
        server.app.add("Contact", {"LastName": f"N{n}", "Department": "R&D"})
    script = """
      const soql = "SELECT Id, Account.Name FROM Contact WHERE Department = 'R&D'";
      const found = await conn.query(soql, { autoFetch: true, maxFetch: 1000 });
      return found.records.map((record) => record.Id);
    """
    found = run(script)
    assert len(set(found)) == len(found) == 445
    assert server.app.count("query/{locator}") == 2


def test_it_writes_and_reads_records(run: Callable[[str], Any], server: Server) -> None:
    script = """
      const account = conn.sobject("Account");
      const made = await account.create({ Name: "New", Ext_Id__c: "js" });
      await account.update({ Id: made.id, Tier__c: "Gold" });
      const many = await account.upsert([{ Ext_Id__c: "js", Name: "Newer" }, { Ext_Id__c: "js2", Name: "Second" },
        { Ext_Id__c: "js3", Name: "Third", Tier__c: "Tin" }], "Ext_Id__c", { allOrNone: false });
      const found = await account.find({ Ext_Id__c: { $like: "js%" } }, ["Name", "Tier__c"]).sort("Name");
      await account.destroy(made.id);
      return { many, found };
    """
    done = run(script)
    assert [(each["success"], each.get("created")) for each in done["many"]] == [
        (True, False), (True, True), (False, None),
    ]  # fmt: skip
    assert done["many"][2]["errors"][0]["statusCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert [(each["Name"], each["Tier__c"]) for each in done["found"]] == [("Newer", "Gold"), ("Second", None)]
    assert server.app.size("Account") == 31


def test_it_writes_in_bulk(run: Callable[[str], Any], server: Server) -> None:
    script = """
      const input = Array.from({ length: 300 }, (_, n) => ({ LastName: `B${n}`, Ext_Id__c: `b${n}`, Title: n ? null : "First",
        Level__c: n < 290 ? "Primary" : "Tenth" }));
      return await conn.bulk2.loadAndWaitForResults({ object: "Contact", operation: "upsert", externalIdFieldName: "Ext_Id__c", input });
    """
    results = run(script)
    assert [len(results[name]) for name in ("successfulResults", "failedResults", "unprocessedRecords")] == [290, 10, 0]
    assert results["failedResults"][0]["sf__Error"].startswith("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
    assert results["successfulResults"][0]["Ext_Id__c"] == "b289"
    titles = {each["Ext_Id__c"]: each["Title"] for each in server.app.records("Contact")}
    assert (titles["b0"], titles["b1"]) == ("First", None)


def test_it_reads_in_bulk(run: Callable[[str], Any], server: Server) -> None:
    # Of several pages jsforce 3.10.16 itself ends the stream after the first.
    script = """
      const stream = await conn.bulk2.query("SELECT Id, Account.Name FROM Contact");
      return await stream.toArray();
    """
    found = run(script)
    assert {each["Id"] for each in found} == {each["Id"] for each in server.app.records("Contact")}
    assert server.app.count("jobs/query/{id}/results") == 1


def test_it_describes(run: Callable[[str], Any]) -> None:
    described = run("return { all: await conn.describeGlobal(), one: await conn.describe('Invoice__c') }")
    assert "Invoice__c" in {each["name"] for each in described["all"]["sobjects"]}
    assert {field["name"]: field["type"] for field in described["one"]["fields"]}["Due_Date__c"] == "date"


def test_it_understands_a_refusal(run: Callable[[str], Any]) -> None:
    error = run("return await conn.query('SELECT Nothing FROM Account')")
    assert error["errorCode"] == "INVALID_FIELD"
    assert "No such column 'Nothing'" in error["message"]
