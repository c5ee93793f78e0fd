"""Queries by pages: the first at once, the rest behind a locator that is good for as long as it is among the open ones."""

from __future__ import annotations

import re
from array import array
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from antiphon.sandbox.exchange import Response, json_response
from antiphon.sandbox.salesforce import soql
from antiphon.sandbox.salesforce.plans import Plan
from antiphon.sandbox.salesforce.refusals import Refusal

if TYPE_CHECKING:
    from antiphon.sandbox.salesforce.context import Context

LEAST_PAGE = 200
WIDE = 200_000
"""Values in a page: of wide rows the vendor sends fewer."""


@dataclass
class _Cursor:
    plan: Plan
    numbers: array[int]
    page: int
    word: str


class Cursors:
    """The queries that have pages left. They name records when the query ran and show them as they are now."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, _Cursor] = OrderedDict()
        self._count = 0

    def query(self, context: Context, word: str) -> Response:
        """`query` or `queryAll`: the first page."""
        text = context.request.first("q")
        if text is None:
            raise soql.malformed("A query string has to be specified")
        plan = Plan(context.org, soql.parse(text), deleted=word == "queryAll")
        if plan.query.counts:
            return json_response(200, {"totalSize": plan.count(), "done": True, "records": []})
        cursor = _Cursor(plan, array("q", plan.numbers()), _page(context, plan), word)
        key = None
        if len(cursor.numbers) > cursor.page:
            self._count += 1
            key = f"01g5g{self._count:010d}AAA"
            self._open[key] = cursor
            while len(self._open) > context.state.settings.cursors:
                self._open.popitem(last=False)
        return self._shown(context, cursor, key, 0)

    def more(self, context: Context, locator: str) -> Response:
        """A further page."""
        found = re.fullmatch(r"(\w+)-(\d+)", locator)
        cursor = self._open.get(found[1]) if found else None
        if found is None or cursor is None or int(found[2]) > len(cursor.numbers):
            raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        self._open.move_to_end(found[1])
        return self._shown(context, cursor, found[1], int(found[2]))

    def forget(self) -> None:
        """Let every locator expire."""
        self._open.clear()

    @staticmethod
    def _shown(context: Context, cursor: _Cursor, key: str | None, start: int) -> Response:
        end = start + cursor.page
        reply: dict[str, Any] = {"totalSize": len(cursor.numbers), "done": end >= len(cursor.numbers)}
        if not reply["done"]:
            reply["nextRecordsUrl"] = f"{context.root}/{cursor.word.replace('All', '')}/{key}-{end}"
        reply["records"] = cursor.plan.records(list(cursor.numbers[start:end]), context.url)
        return json_response(200, reply)


def _page(context: Context, plan: Plan) -> int:
    """How many rows a page has: a hint of the client's, between 200 and 2,000, and fewer when they are wide."""
    most = context.state.settings.page_rows
    options = context.request.headers.get("sforce-query-options", "")
    found = re.search(r"batchSize\s*=\s*(\d+)", options)
    wanted = min(most, max(LEAST_PAGE, int(found[1]))) if found else most
    return min(wanted, max(LEAST_PAGE, WIDE // max(1, len(plan.columns))))
