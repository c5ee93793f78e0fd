"""Routes for associations, in their v4 and their dated form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from antiphon.sandbox.exchange import Request, Response, json_response
from antiphon.sandbox.hubspot import moments, paging
from antiphon.sandbox.hubspot.objects import missing
from antiphon.sandbox.hubspot.portal import Portal
from antiphon.sandbox.hubspot.refusals import Refusal, invalid, not_found
from antiphon.sandbox.hubspot.store import Record, Store

MAX_READ = 1000
MAX_WRITE = 2000
Row = dict[str, Any]


class Links:
    """The routes between one object type and another.

    The older v4 replies show the other record's id as a number, the dated ones as text.
    """

    def __init__(self, portal: Portal, one: Store, other: Store, version: str) -> None:
        self.portal = portal
        self.one = one
        self.other = other
        self.pair = (one.name, other.name)
        self.dated = not version.startswith("v")

    # One record.

    def read(self, request: Request, key: str) -> Response:
        """The associations of one record."""
        limit = paging.limit(request, 500, 500)
        record = self._record(self.one, key)
        results, paged = self._page(record, paging.position(request.first("after")), limit)
        return json_response(200, {"results": results, **paged})

    def set_default(self, key: str, other_key: str) -> Response:
        """Associate without a label."""
        self._link({"from": {"id": key}, "to": {"id": other_key}}, [])
        return self._envelope(200, self._defaults(key, other_key), [])

    def set_labels(self, request: Request, key: str, other_key: str) -> Response:
        """Associate with exactly these labels."""
        types = paging.document(request)
        if not isinstance(types, list) or not all(isinstance(each, dict) for each in types):
            raise invalid("Invalid input JSON: a list of association types is needed")
        return json_response(201, self._link({"from": {"id": key}, "to": {"id": other_key}}, types, replace=True))

    def remove(self, key: str, other_key: str) -> Response:
        """No association any more, of whatever label."""
        record = self._record(self.one, key)
        if other_key.isdigit():
            self.portal.associations.unlink(self.pair, record.id, int(other_key))
        return Response(204)

    # Batches.

    def batch_read(self, request: Request) -> Response:
        """The associations of up to a thousand records; those that have none are named in a 207."""
        results: list[Row] = []
        errors: list[Row] = []
        for row in paging.inputs(paging.body(request), MAX_READ):
            key = str(row.get("id", ""))
            record = self.one.get(key)
            found: list[Row] = []
            paged: Row = {}
            if record is not None:
                limit = self.portal.quirks.association_page
                found, paged = self._page(record, paging.position(row.get("after")), limit)
            if found:
                results.append({"from": {"id": key}, "to": found, **paged})
                continue
            refusal = Refusal(
                207,
                "OBJECT_NOT_FOUND",
                f"No {self.other.name} are associated with {self.one.name} {key}.",
                subCategory="crm.associations.NO_ASSOCIATIONS_FOUND",
            )
            errors.append(
                refusal.row(fromObjectId=[key], fromObjectType=[self.one.name], toObjectType=[self.other.name])
            )
        return self._envelope(207 if errors else 200, self.portal.shuffled(results), errors)

    def batch_create(self, request: Request) -> Response:
        """Associate with labels."""
        return self._each(request, 201, lambda row: [self._link(row, row.get("types"))])

    def batch_default(self, request: Request) -> Response:
        """Associate without labels."""

        def link(row: Row) -> list[Row]:
            self._link(row, [])
            return self._defaults(str(row["from"]["id"]), str(row["to"]["id"]))

        return self._each(request, 200, link)

    def batch_archive(self, request: Request) -> Response:
        """No associations any more. v4 answered without a body, the dated paths answer with one."""
        for row in paging.inputs(paging.body(request), MAX_WRITE):
            others = row.get("to") or []
            record = self.one.get(str(row.get("from", {}).get("id", "")))
            for other in others if isinstance(others, list) else [others]:
                if record is not None and str(other.get("id", "")).isdigit():
                    self.portal.associations.unlink(self.pair, record.id, int(other["id"]))
        return self._envelope(200, [], []) if self.dated else Response(204)

    def batch_archive_labels(self, request: Request) -> Response:
        """Labels away, the association stays."""
        for row in paging.inputs(paging.body(request), MAX_WRITE):
            record = self._record(self.one, str(row.get("from", {}).get("id", "")))
            other = self._record(self.other, str(row.get("to", {}).get("id", "")))
            self.portal.associations.unlink(self.pair, record.id, other.id, self._types(row.get("types")))
        return self._envelope(200, [], []) if self.dated else Response(204)

    # Labels.

    def labels(self) -> Response:
        """The kinds of association there are."""
        kinds = self.portal.associations.kinds(self.pair)
        return json_response(200, {"results": [kind.document() for kind in kinds]})

    def create_label(self, request: Request) -> Response:
        """A label of the account's own, in both directions."""
        document = paging.body(request)
        label = document.get("label")
        if not label or not document.get("name"):
            raise invalid("Some required fields were not set: [label, name]")
        made = self.portal.associations.define(self.pair, label, document.get("inverseLabel") or label)
        return json_response(200, {"results": [kind.document() for kind in made]})

    # Parts.

    def _page(self, record: Record, begin: int, limit: int) -> tuple[list[Row], Row]:
        links = self.portal.associations.of(self.pair, record.id)
        live = [number for number in sorted(links) if number >= begin and self.other.get(number) is not None]
        kinds = self.portal.associations.types
        shown = [
            {
                "toObjectId": str(number) if self.dated else number,
                "associationTypes": [kinds[type_id].document() for type_id in sorted(links[number])],
            }
            for number in live[:limit]
        ]
        if len(live) <= limit:
            return shown, {}
        cursor = paging.cursor(live[limit])
        return shown, {"paging": {"next": {"after": cursor, "link": f"?after={cursor}"}}}

    @staticmethod
    def _record(store: Store, key: str) -> Record:
        record = store.get(key)
        if record is None:
            raise missing(store)
        return record

    def _types(self, specs: object) -> list[int]:
        if not isinstance(specs, list):
            raise invalid("Some required fields were not set: [types]")
        numbers = []
        for spec in specs:
            kind = self.portal.associations.types.get(int(spec.get("associationTypeId") or 0))
            if kind is None or kind.pair != self.pair or spec.get("associationCategory") != kind.category:
                raise invalid(
                    f"No association type {spec.get('associationTypeId')} of category {spec.get('associationCategory')}"
                    f" from {self.one.name} to {self.other.name}"
                )
            numbers.append(kind.type_id)
        return numbers

    def _link(self, row: Row, specs: object, *, replace: bool = False) -> Row:
        record = self._record(self.one, str(row.get("from", {}).get("id", "")))
        other = self._record(self.other, str(row.get("to", {}).get("id", "")))
        types = self._types(specs)
        self.portal.associations.link(self.pair, record.id, other.id, types, replace=replace)
        labels = [self.portal.associations.types[number].label for number in types]
        return {
            "fromObjectTypeId": self.one.type_id,
            "fromObjectId": str(record.id) if self.dated else record.id,
            "toObjectTypeId": self.other.type_id,
            "toObjectId": str(other.id) if self.dated else other.id,
            "labels": [label for label in labels if label],
        }

    def _defaults(self, key: str, other_key: str) -> list[Row]:
        there = self.portal.associations.unlabelled(self.pair)
        ends = ((there, key, other_key), (self.portal.associations.types[there].inverse, other_key, key))
        return [
            {
                "from": {"id": begin},
                "to": {"id": end},
                "associationSpec": {
                    "associationCategory": self.portal.associations.types[type_id].category,
                    "associationTypeId": type_id,
                },
            }
            for type_id, begin, end in ends
        ]

    def _each(self, request: Request, status: int, link: Callable[[Row], list[Row]]) -> Response:
        results: list[Row] = []
        errors: list[Row] = []
        for row in paging.inputs(paging.body(request), MAX_WRITE):
            try:
                results += link(row)
            except Refusal as refusal:
                ends = [str(row.get(end, {}).get("id", "")) for end in ("from", "to")]
                errors.append(refusal.row(fromObjectId=ends[:1], toObjectId=ends[1:]))
        return self._envelope(207 if errors else status, results, errors)

    @staticmethod
    def _envelope(status: int, results: list[Row], errors: list[Row]) -> Response:
        at = moments.iso(moments.now())
        document: Row = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
        if errors:
            document |= {"numErrors": len(errors), "errors": errors}
        return json_response(status, document)


def route(portal: Portal, request: Request, version: str, path: list[str]) -> Response:
    """Dispatch `{from}/{to}/…` below the associations root."""
    match request.method, path:
        case "POST", [one, other, "batch", *action]:
            links = Links(portal, portal.store(one), portal.store(other), version)
            actions: dict[str, Callable[[Request], Response]] = {
                "read": links.batch_read,
                "create": links.batch_create,
                "associate/default": links.batch_default,
                "archive": links.batch_archive,
                "labels/archive": links.batch_archive_labels,
            }
            act = actions.get("/".join(action))
            if act is not None:
                return act(request)
        case "GET", [one, other, "labels"]:
            return Links(portal, portal.store(one), portal.store(other), version).labels()
        case "POST", [one, other, "labels"]:
            return Links(portal, portal.store(one), portal.store(other), version).create_label(request)
    raise not_found("resource not found")
