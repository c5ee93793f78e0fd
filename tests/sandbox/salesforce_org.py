"""A sandbox org with somebody logged in to it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from antiphon.sandbox import Server, start

VERSION = "67.0"


class Org:
    """Requests with a session of the sandbox's."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.app: Any = server.app
        self.session = requests.Session()
        self.session.trust_env = False

    def __call__(self, method: str, path: str, json: Any = None, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.app.access_token}", **more.pop("headers", {})}
        path = path if path.startswith("/services") else f"/services/data/v{VERSION}{path}"
        return self.session.request(method, self.server.url + path, json=json, headers=headers, timeout=10, **more)

    def get(self, path: str, *, expect: int = 200, **params: Any) -> Any:
        reply = self("GET", path, params=params)
        assert reply.status_code == expect, reply.text
        return reply.json()

    def send(self, method: str, path: str, json: Any = None, *, expect: int = 200, **more: Any) -> Any:
        reply = self(method, path, json, **more)
        assert reply.status_code == expect, reply.text
        return reply.json() if reply.content else None

    def query(self, soql: str, **more: Any) -> list[dict[str, Any]]:
        """The records of a query's one page."""
        reply = self.get("/query", q=soql, **more)
        assert reply["done"]
        return reply["records"]

    def refused(self, soql: str) -> tuple[str, str]:
        """The code and the message with which a query is refused."""
        error = self.get("/query", q=soql, expect=400)[0]
        return error["errorCode"], error["message"]

    # Bulk 2.0.

    def ingest(self, operation: str, name: str, text: str, **more: Any) -> str:
        """The id of a job that was given this CSV and closed."""
        job = self.send("POST", "/jobs/ingest", {"operation": operation, "object": name, **more})
        assert job["state"] == "Open"
        data = {"data": text.encode(), "headers": {"Content-Type": "text/csv"}}
        self.send("PUT", f"/jobs/ingest/{job['id']}/batches", expect=201, **data)
        assert self.send("PATCH", f"/jobs/ingest/{job['id']}", {"state": "UploadComplete"})["state"] == "UploadComplete"
        return job["id"]

    def ended(self, kind: str, id_: str) -> dict[str, Any]:
        """The job, polled until it has ended."""
        for _ in range(50):
            job = self.get(f"/jobs/{kind}/{id_}")
            if job["state"] in {"JobComplete", "Failed", "Aborted"}:
                return job
            assert job["state"] == "InProgress"
        raise AssertionError(job)

    def results(self, id_: str) -> tuple[list[dict[str, str]], list[dict[str, str]], list[dict[str, str]]]:
        """Successful, failed and unprocessed rows."""
        names = ("successfulResults/", "failedResults/", "unprocessedrecords/")
        good, bad, left = (self.rows(self("GET", f"/jobs/ingest/{id_}/{name}")) for name in names)
        return good, bad, left

    @staticmethod
    def rows(reply: requests.Response) -> list[dict[str, str]]:
        assert reply.status_code == 200, reply.text
        return list(csv.DictReader(io.StringIO(reply.content.decode(), newline="")))


@pytest.fixture
def orgs() -> Iterator[Callable[..., Org]]:
    """Makes orgs, and stops them."""
    made: list[Org] = []

    def make(**knobs: Any) -> Org:
        made.append(Org(start("salesforce", **{"records": 12, **knobs})))
        return made[-1]

    yield make
    for org in made:
        org.session.close()
        org.server.stop()


@pytest.fixture
def org(orgs: Callable[..., Org]) -> Org:
    """A small org: 12 accounts, 18 contacts."""
    return orgs()
