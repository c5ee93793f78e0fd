"""What every route needs: the org, its settings, and the one call that is being answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.sandbox.exchange import Request
from antiphon.sandbox.salesforce.extracts import Extracts
from antiphon.sandbox.salesforce.ingest import Ingests
from antiphon.sandbox.salesforce.queries import Cursors
from antiphon.sandbox.salesforce.refusals import Refusal, bad_json
from antiphon.sandbox.salesforce.settings import Settings
from antiphon.sandbox.salesforce.store import Org, SObject
from antiphon.sandbox.salesforce.writes import Locks, Writer

FIRST_VERSION, LAST_VERSION = 31, 68
"""Older ones answer 410; of those before 41 the vendor has announced the end."""


@dataclass
class State:
    """What outlives a call."""

    org: Org
    settings: Settings
    locks: Locks
    cursors: Cursors
    ingests: Ingests
    extracts: Extracts


@dataclass
class Context:
    """One call: `version` such as `67.0`, `path` what follows it, `base` the instance's address."""

    state: State
    request: Request
    version: str
    path: list[str]
    base: str

    @property
    def org(self) -> Org:
        """The org."""
        return self.state.org

    @property
    def method(self) -> str:
        """The verb; a POST may carry another in `_HttpMethod`."""
        if self.request.method == "POST":
            return (self.request.first("_HttpMethod") or "POST").upper()
        return self.request.method

    @property
    def root(self) -> str:
        """`/services/data/v67.0`."""
        return f"/services/data/v{self.version}"

    def body(self) -> Any:
        """The decoded body, null for none. Raises Refusal."""
        if not self.request.body:
            return None
        try:
            return json.loads(self.request.body)
        except ValueError as error:
            raise bad_json(f"Unexpected character: {error}") from None

    def document(self) -> Mapping[str, Any]:
        """The body, which has to be an object. Raises Refusal."""
        body = self.body()
        if not isinstance(body, dict):
            raise bad_json("The HTTP entity body is required, and must be an object.")
        return body

    def sobject(self, name: str) -> SObject:
        """An object by its name. Raises Refusal."""
        of = self.org.find(name)
        if of is None:
            raise Refusal(404, "NOT_FOUND", "The requested resource does not exist")
        return of

    def writer(self, of: SObject) -> Writer:
        """What writes JSON rows of an object."""
        return Writer(self.org, of, self.state.locks)

    def url(self, name: str, number: int) -> str:
        """The address of a record."""
        return f"{self.root}/sobjects/{name}/{self.org.ids.text(number)}"
