"""pretix, ticketing for events: https://docs.pretix.eu/dev/api/.

An organizer's account: events, their dates, products, orders and attendees, check-ins, customers, vouchers. What pretix calls an
item is an attendee category, a subevent a session, an order's position an attendee.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, ClassVar

from antiphon.api import Api, Page, Query, RateLimit, Read, Reply, Request, Resource, Setting, Write
from antiphon.auth import Bearer
from antiphon.client import Client
from antiphon.errors import Forbidden, NotFound
from antiphon.fill import fill_path
from antiphon.outcome import Change, Kind, Nothing, One, Outcome, Said
from antiphon.schema import of, record
from antiphon.style import Rest

_HOME = "/organizers/{organizer}"
_UNDER = f"{_HOME}/events/{{parent.slug}}"  # reading
_AT = f"{_HOME}/events/{{record.event}}"  # writing
_KEYED: dict[str, str] = {"X-Idempotency-Key": "{token}"}
_DAY = 86400
"""Seconds; for that long pretix answers a repeated idempotency key with its first answer."""
_GENERATED = "X-Page-Generated"
"""The header with the time for the next ``modified_since``, to be used as it came."""
_LOOKBACK = 120
"""Seconds; what is written bears the time when that began, and is not to be seen before it is done."""
_PAGE = 50
"""Records; a page has no more."""
_TURNS = 10
"""Times that the last page of a list is asked for again, at most."""
_FEW = 5
"""Values to look up, for which nobody counts the list first."""


@dataclass(frozen=True)
class Counted:
    """Pages by number, each with the count of all rows.

    When the count falls, rows have gone meanwhile, and those behind them may have moved up onto pages that were read: these are
    read again. Rows that come go to the end, unless the list *grows* within.

    pretix counts the rows first and then selects those of the page; of the last page, as many as it has counted. A row that comes
    in before others just then pushes the last one out, and one that goes pulls one onto a page that was read, and neither shows in
    the count. So the last page is asked for again where that may be, until it is counted alike twice. A crowd that buys at that time
    keeps it from being so; it also puts its own rows behind those that were there, which are safe then: ten times are enough.
    A count that has fallen may have done so while the page before was selected: one page more is read again.
    """

    size: tuple[str, int] = ("page_size", _PAGE)
    grows: bool = False
    """Whether rows come in before others, as any that is changed does in a list of changes. Pages of such a list are asked for in
    turn: one that is selected before the page that precedes it begins behind a row that is pushed on meanwhile."""
    seldom: bool = False
    """Whether rows come so seldom that a list of a single page is not asked for again, for the moment in which that is selected."""
    past_end: tuple[int, ...] = (404,)
    ends: ClassVar[bool] = True

    def first(self) -> Any:
        """Return the first page."""
        return {"page": 1, "count": None, "back": 0}

    def ask(self, request: Request, cursor: Any) -> Request:
        """Put the number in."""
        request.params |= {"page": cursor["page"], self.size[0]: self.size[1]}
        return request

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:
        """Return the next page, an earlier one where rows have moved onto it, or the last one once more."""
        page, before, back, found = cursor["page"], cursor["count"], cursor["back"], reply.json()
        if found is None:  # the page is not there any more
            return {"page": page - 1, "count": before, "back": back + 1} if page > 1 else None
        count = found["count"]
        if before is not None and count < before and page > 1:
            gone = ceil((before - count) / self.size[1])
            return {"page": max(1, page - gone - 1), "count": count, "back": back + 1}
        if found["next"]:
            return {"page": page + 1, "count": count, "back": back}
        again = cursor.get("again", 0)
        within = self.grows and count > 0 and (page > 1 or not self.seldom)
        moved = within or (page > 1 and len(records) < count - (page - 1) * self.size[1])
        if not moved or again == _TURNS or (again and count == before):
            return None
        return {"page": page, "count": count, "back": back, "again": again + 1}

    def expected(self, cursor: Any, reply: Reply, came: int) -> Any:  # noqa: ARG002
        """Return the next page, if there are as many rows as the last *reply* counts and it may be asked for early."""
        if self.grows:
            return None
        count = (reply.json() or {}).get("count") or 0
        return {**cursor, "page": cursor["page"] + 1} if cursor["page"] * self.size[1] < count else None


_COUNTED = Counted()


def listed(path: str, *, under: bool = False, bookmark: str = "", paging: Counted = _COUNTED, **params: Any) -> Read:
    """Return a list in an order that does not change while it is read; *under* an event or in the whole organizer."""
    return Read(
        (_UNDER if under else _HOME) + path,
        params=params,
        records="results",
        paging=paging,
        bookmark=bookmark,
        keep={"event": "{parent.slug}"} if under else {},
        text=True,
    )


def modified(path: str, **params: Any) -> Read:
    """Return a list of what was modified since a time; pretix names the time to ask for next."""
    return listed(path, bookmark=_GENERATED, paging=Counted(grows=True), modified_since="{since}", **params)


def named(path: str, **params: Any) -> Read:
    """Return a list that pretix gives in the order of its rows' names alone, so that new ones come in anywhere."""
    return listed(path, paging=Counted(grows=True, seldom=True), **params)


def exploded(read: Read) -> Read:
    """Return *read*, of orders, with each of their positions as a record: the attendees."""
    keep = {
        "event": "{record.event}",
        "order": "{record.code}",
        "order_status": "{record.status}",
        "order_email": "{record.email}",
        "order_datetime": "{record.datetime}",
        "last_modified": "{record.last_modified}",
        "testmode": "{record.testmode}",
    }
    return replace(read, each="positions", keep=keep)


def creating(path: str, **more: Any) -> Write:
    """Return a creation below an event, which the record names in its field ``event``."""
    return Write(_AT + path, body="{record}", apart=("event",), headers=_KEYED, remembers=_DAY, **more)


def changing(path: str, *, id: str = "id", **more: Any) -> Write:
    """Return a change of a record below an event."""
    return Write(f"{_AT}{path}{{id}}/", "PATCH", body="{record}", apart=("event",), safe=True, outcomes=One(id), **more)


def switching(path: str, *, active: bool) -> Write:
    """Return the archiving of a record below an event: it stays and is not to be had any more; or its restoring."""
    return replace(changing(path), body={"active": active})


def removing(path: str) -> Write:
    """Return a removal of a record below an event."""
    return Write(f"{_AT}{path}{{id}}/", "DELETE", apart=("event",), safe=True, outcomes=Nothing())


def acting(action: str, body: Mapping[str, Any] | None = None) -> Write:
    """Return an action on an order (``mark_paid`` …)."""
    return Write(
        f"{_AT}/orders/{{id}}/{action}/",
        body=body or {},
        apart=("event",),
        headers=_KEYED,
        remembers=_DAY,
        outcomes=One("code"),
        safe=False,
    )


@dataclass(frozen=True)
class Find:
    """Look records up: by a field that the list can filter by, one value a request; else by going through the list.

    The list is gone through as well where that takes fewer requests. ``at`` is the path of a single record, for the field that
    is its ``address``.
    """

    read: Read
    by: tuple[str, ...] = ()
    at: str = ""
    address: str = ""

    def __call__(self, client: Client, resource: Resource, query: Query) -> Iterator[Page]:
        """Yield the records whose field has one of the values."""
        if query.where["field"] == self.address:
            for value in query.where["values"]:
                try:
                    yield from client.pages(Read(self.at, text=True), resource, query, values={"id": str(value)})
                except (NotFound, Forbidden):  # an event that is not there is a 403
                    continue
        elif resource.parent:
            for outer in client.read(client.resource(resource.parent)):
                for parent in outer.records:
                    yield from self._listed(client, resource, query, {"parent": parent})
        else:
            yield from self._listed(client, resource, query, {})

    def _listed(self, client: Client, resource: Resource, query: Query, under: Mapping[str, Any]) -> Iterator[Page]:
        field, values = query.where["field"], query.where["values"]
        doing = f"looking up {resource.name} by {field}"
        if field in self.by and len(values) < self._pages(client, under, len(values), doing):
            read = replace(self.read, params={**self.read.params, field: "{match.value}"})
            for value in values:
                one = Query(query.fields, where={"field": field, "values": [value]})
                yield from client.pages(read, resource, one, doing=doing, values=under)
            return
        wanted = {str(value).casefold() for value in values}
        for page in client.pages(self.read, resource, query, doing=doing, values=under):
            rows = [row for row in page.records if str(row.get(field)).casefold() in wanted]
            yield Page(cursor=page.cursor, rows=rows)

    def _pages(self, client: Client, under: Mapping[str, Any], values: int, doing: str) -> int:
        """Return how many pages the list has; for a few *values* it is not asked, and taken for long."""
        if values <= _FEW:
            return values + 1
        path = fill_path(self.read.path, {**client.settings, **under})
        found: dict[str, int] = client.call("GET", path, params={**self.read.params, "page_size": 1}, doing=doing)
        return ceil(found["count"] / _PAGE)


def redeemed(said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
    """Read the answer to a scan: the position that was checked in."""
    [change] = changes
    position = (said.body or {}).get("position") or {}
    return [Outcome(change, kind, str(position["id"]) if "id" in position else None, record=position)]


#: A scan at the door. The same nonce again is answered the same way and counts once.
redeem = Write(
    f"{_HOME}/checkinrpc/redeem/",
    body={
        "lists": ["{record.list}"],
        "secret": "{record.secret}",
        "type": "{record.type}",
        "datetime": "{record.datetime}",
        "force": "{record.force}",
        "ignore_unpaid": "{record.ignore_unpaid}",
        "source_type": "barcode",
        "nonce": "{token}",
    },
    outcomes=redeemed,
    remembers=365 * _DAY,
)


def words(body: Any) -> str:
    """Return what an error says: texts by field, nested for positions, or a reason word."""
    if isinstance(body, dict):
        if body.get("reason"):
            return str(body.get("reason_explanation") or body["reason"])
        parts = {name: told for name, value in body.items() if (told := words(value))}
        return "; ".join(t if n in {"detail", "non_field_errors"} else f"{n}: {t}" for n, t in parts.items())
    if isinstance(body, list):
        return "; ".join(told for item in body if (told := words(item)))
    return "" if body is None else str(body)


_ORDER_TAKES = (
    "comment",
    "custom_followup_at",
    "checkin_attention",
    "checkin_text",
    "email",
    "locale",
    "phone",
    "valid_if_pending",
    "api_meta",
    "invoice_address",
)
_POSITION_TAKES = (
    "attendee_name",
    "attendee_name_parts",
    "attendee_email",
    "company",
    "street",
    "zipcode",
    "city",
    "country",
    "state",
    "answers",
    "secret",
    "price",
    "item",
    "valid_until",
)

_ORDERS: dict[str, Any] = {"ordering": "datetime", "include_canceled_positions": True}

pretix = Api(
    "pretix",
    title="pretix",
    base_url="https://pretix.eu/api/v1",
    docs="https://docs.pretix.eu/dev/api/",
    version="v1",
    auth=Bearer("{api_token}", scheme="Token"),
    settings=(
        Setting("api_token", "API token", "Of a team: Teams > API tokens in pretix.", secret=True, required=True),
        Setting("organizer", "Organizer", "The organizer's short name, as in its URL.", required=True, example="acme"),
    ),
    limits=(RateLimit(360, 60, hosts=("pretix.eu",)),),  # a server of one's own has none
    style=Rest(message=words, code=("reason",), retry=frozenset({409})),
    check=Read(f"{_HOME}/events/", params={"page_size": 1}),
    account="{organizer}",
    resources=(
        Resource(
            "events",
            record(
                {
                    "slug": "string!",
                    "name": "object",
                    "live": "boolean",
                    "testmode": "boolean",
                    "currency": "string",
                    "date_from": "date-time",
                    "date_to": "date-time",
                    "date_admission": "date-time",
                    "presale_start": "date-time",
                    "presale_end": "date-time",
                    "is_public": "boolean",
                    "location": "object",
                    "geo_lat": "number",
                    "geo_lon": "number",
                    "has_subevents": "boolean",
                    "meta_data": "object",
                    "seating_plan": "integer",
                    "seat_category_mapping": "object",
                    "plugins": "array",
                    "timezone": "string",
                    "item_meta_properties": "object",
                    "all_sales_channels": "boolean",
                    "limit_sales_channels": "array",
                    "sales_channels": "array",
                    "public_url": "string",
                },
                readonly=("public_url", "sales_channels"),
            ),
            key=("slug",),
            aliases=("event",),
            match=("slug",),
            read=named("/events/", ordering="slug"),
            get=Read(f"{_HOME}/events/{{id}}/", text=True),
            find=Find(named("/events/", ordering="slug"), at=f"{_HOME}/events/{{id}}/", address="slug"),
            create=Write(f"{_HOME}/events/", body="{record}", headers=_KEYED, remembers=_DAY, outcomes=One("slug")),
            update=Write(f"{_HOME}/events/{{id}}/", "PATCH", body="{record}", safe=True, outcomes=One("slug")),
            delete=Write(f"{_HOME}/events/{{id}}/", "DELETE", safe=True, outcomes=Nothing()),
        ),
        Resource(
            "subevents",
            record(
                {
                    "id": "integer!",
                    "event": "string",
                    "name": "object",
                    "active": "boolean",
                    "is_public": "boolean",
                    "date_from": "date-time",
                    "date_to": "date-time",
                    "date_admission": "date-time",
                    "presale_start": "date-time",
                    "presale_end": "date-time",
                    "location": "object",
                    "geo_lat": "number",
                    "geo_lon": "number",
                    "frontpage_text": "object",
                    "seating_plan": "integer",
                    "item_price_overrides": "array",
                    "variation_price_overrides": "array",
                    "meta_data": "object",
                    "seat_category_mapping": "object",
                    "comment": "string",
                    "last_modified": "date-time",
                },
                readonly=("id", "last_modified"),
            ),
            aliases=("subevent", "sessions", "session"),
            updated="last_modified",
            within=("event",),
            lookback=_LOOKBACK,
            read=listed("/subevents/", bookmark=_GENERATED, ordering="id"),
            changes=modified("/subevents/", ordering="id"),
            find=Find(listed("/subevents/", ordering="id")),
            create=creating("/subevents/"),
            update=changing("/subevents/"),
            archived={"active": False},
            archive=switching("/subevents/", active=False),
            restore=switching("/subevents/", active=True),
            delete=removing("/subevents/"),
        ),
        Resource(
            "items",
            record(
                {
                    "id": "integer!",
                    "event": "string",
                    "name": "object",
                    "internal_name": "string",
                    "default_price": "number",
                    "category": "integer",
                    "active": "boolean",
                    "description": "object",
                    "free_price": "boolean",
                    "tax_rule": "integer",
                    "tax_rate": "number",
                    "admission": "boolean",
                    "personalized": "boolean",
                    "position": "integer",
                    "picture": "string",
                    "available_from": "date-time",
                    "available_until": "date-time",
                    "require_voucher": "boolean",
                    "hide_without_voucher": "boolean",
                    "allow_cancel": "boolean",
                    "min_per_order": "integer",
                    "max_per_order": "integer",
                    "checkin_attention": "boolean",
                    "checkin_text": "string",
                    "original_price": "number",
                    "require_approval": "boolean",
                    "generate_tickets": "boolean",
                    "has_variations": "boolean",
                    "variations": "array",
                    "addons": "array",
                    "bundles": "array",
                    "meta_data": "object",
                    "program_times": "array",
                    "all_sales_channels": "boolean",
                    "limit_sales_channels": "array",
                    "sales_channels": "array",
                    "free_price_suggestion": "number",
                    "available_from_mode": "string",
                    "available_until_mode": "string",
                    "require_bundling": "boolean",
                    "show_quota_left": "boolean",
                    "hidden_if_available": "integer",
                    "hidden_if_item_available": "integer",
                    "hidden_if_item_available_mode": "string",
                    "allow_waitinglist": "boolean",
                    "issue_giftcard": "boolean",
                    "require_membership": "boolean",
                    "require_membership_types": "array",
                    "require_membership_hidden": "boolean",
                    "grant_membership_type": "integer",
                    "grant_membership_duration_like_event": "boolean",
                    "grant_membership_duration_days": "integer",
                    "grant_membership_duration_months": "integer",
                    "validity_mode": "string",
                    "validity_fixed_from": "date-time",
                    "validity_fixed_until": "date-time",
                    "validity_dynamic_duration_minutes": "integer",
                    "validity_dynamic_duration_hours": "integer",
                    "validity_dynamic_duration_days": "integer",
                    "validity_dynamic_duration_months": "integer",
                    "validity_dynamic_start_choice": "boolean",
                    "validity_dynamic_start_choice_day_limit": "integer",
                    "media_policy": "string",
                    "media_type": "string",
                },
                readonly=("id", "tax_rate", "has_variations", "sales_channels"),
            ),
            aliases=("item", "attendee_categories"),
            parent="events",
            within=("event",),
            read=listed("/items/", under=True, ordering="id"),
            find=Find(listed("/items/", under=True, ordering="id")),
            create=creating("/items/"),
            update=changing("/items/"),
            archived={"active": False},
            archive=switching("/items/", active=False),
            restore=switching("/items/", active=True),
            delete=removing("/items/"),
        ),
        Resource(
            "orders",
            record(
                {
                    "code": "string!",
                    "event": "string",
                    "status": "string",
                    "testmode": "boolean",
                    "secret": "string",
                    "email": "string",
                    "phone": "string",
                    "locale": "string",
                    "datetime": "date-time",
                    "expires": "date-time",
                    "payment_date": "date",
                    "payment_provider": "string",
                    "fees": "array",
                    "total": "number",
                    "comment": "string",
                    "custom_followup_at": "date",
                    "invoice_address": "object",
                    "positions": "array",
                    "downloads": "array",
                    "checkin_attention": "boolean",
                    "checkin_text": "string",
                    "last_modified": "date-time",
                    "payments": "array",
                    "refunds": "array",
                    "require_approval": "boolean",
                    "sales_channel": "string",
                    "url": "string",
                    "customer": "string",
                    "valid_if_pending": "boolean",
                    "api_meta": "object",
                    "cancellation_date": "date-time",
                    "tax_rounding_mode": "string",
                    "plugin_data": "object",
                    "send_email": of("boolean", writeOnly=True),
                    "force": of("boolean", writeOnly=True),
                },
                readonly=(
                    "secret",
                    "datetime",
                    "total",
                    "downloads",
                    "last_modified",
                    "payments",
                    "refunds",
                    "url",
                    "cancellation_date",
                    "plugin_data",
                ),
            ),
            key=("code",),
            aliases=("order", "registrations"),
            created="datetime",
            updated="last_modified",
            match=("code",),
            lookback=_LOOKBACK,
            read=listed("/orders/", bookmark=_GENERATED, **_ORDERS),
            changes=modified("/orders/", **_ORDERS),
            get=Read(f"{_HOME}/orders/{{id}}/", text=True),
            find=Find(listed("/orders/", **_ORDERS), by=("code", "email")),
            create=creating("/orders/", outcomes=One("code")),
            update=changing("/orders/", id="code", takes=_ORDER_TAKES),
            archived={"status": "c"},
            archive=acting("mark_canceled", {"send_email": False}),
            restore=acting("reactivate"),
            delete=removing("/orders/"),  # of test orders only, pretix says
            actions={
                "mark_paid": acting("mark_paid", {"send_email": "{record.send_email}"}),
                "mark_pending": acting("mark_pending"),
                "mark_canceled": acting("mark_canceled", {"send_email": "{record.send_email}"}),
                "reactivate": acting("reactivate"),
            },
        ),
        Resource(
            "positions",
            record(
                {
                    "id": "integer!",
                    "event": "string",
                    "order": "string",
                    "order_status": "string",
                    "order_email": "string",
                    "order_datetime": "date-time",
                    "testmode": "boolean",
                    "positionid": "integer",
                    "item": "integer",
                    "variation": "integer",
                    "price": "number",
                    "attendee_name": "string",
                    "attendee_name_parts": "object",
                    "attendee_email": "string",
                    "company": "string",
                    "street": "string",
                    "zipcode": "string",
                    "city": "string",
                    "country": "string",
                    "state": "string",
                    "discount": "integer",
                    "voucher": "integer",
                    "tax_rate": "number",
                    "tax_value": "number",
                    "tax_rule": "integer",
                    "tax_code": "string",
                    "voucher_budget_use": "number",
                    "secret": "string",
                    "addon_to": "integer",
                    "subevent": "integer",
                    "checkins": "array",
                    "print_logs": "array",
                    "downloads": "array",
                    "answers": "array",
                    "pseudonymization_id": "string",
                    "seat": "object",
                    "canceled": "boolean",
                    "valid_from": "date-time",
                    "valid_until": "date-time",
                    "blocked": "array",
                    "plugin_data": "object",
                    "last_modified": "date-time",
                },
                readonly=(
                    "id",
                    "order",
                    "order_status",
                    "order_email",
                    "order_datetime",
                    "testmode",
                    "positionid",
                    "variation",
                    "discount",
                    "voucher",
                    "tax_rate",
                    "tax_value",
                    "tax_rule",
                    "tax_code",
                    "voucher_budget_use",
                    "addon_to",
                    "subevent",
                    "checkins",
                    "print_logs",
                    "downloads",
                    "pseudonymization_id",
                    "seat",
                    "canceled",
                    "valid_from",
                    "blocked",
                    "plugin_data",
                    "last_modified",
                ),
            ),
            aliases=("position", "attendees", "attendee"),
            title="Positions of orders: the attendees",
            updated="last_modified",
            match=("secret",),
            lookback=_LOOKBACK,
            read=exploded(listed("/orders/", bookmark=_GENERATED, **_ORDERS)),
            changes=exploded(modified("/orders/", **_ORDERS)),
            get=Read(f"{_HOME}/orderpositions/{{id}}/", text=True),
            find=Find(listed("/orderpositions/"), by=("secret", "order", "pseudonymization_id")),
            update=changing("/orderpositions/", takes=_POSITION_TAKES),
            delete=removing("/orderpositions/"),
        ),
        Resource(
            "checkin_lists",
            record(
                {
                    "id": "integer!",
                    "event": "string",
                    "name": "string",
                    "all_products": "boolean",
                    "limit_products": "array",
                    "subevent": "integer",
                    "position_count": "integer",
                    "checkin_count": "integer",
                    "include_pending": "boolean",
                    "allow_multiple_entries": "boolean",
                    "allow_entry_after_exit": "boolean",
                    "rules": "object",
                    "exit_all_at": "date-time",
                    "addon_match": "boolean",
                    "ignore_in_statistics": "boolean",
                    "consider_tickets_used": "boolean",
                },
                readonly=("id", "position_count", "checkin_count"),
            ),
            aliases=("checkin_list",),
            title="Check-in lists",
            parent="events",
            match=("name",),
            within=("event",),
            read=listed("/checkinlists/", under=True, ordering="id"),
            find=Find(listed("/checkinlists/", under=True, ordering="id")),
            create=creating("/checkinlists/"),
            update=changing("/checkinlists/"),
            delete=removing("/checkinlists/"),
        ),
        Resource(
            "checkins",
            record(
                {
                    "id": "integer!",
                    "event": "string",
                    "position": "integer",
                    "list": "integer",
                    "datetime": "date-time",
                    "type": "string",
                    "successful": "boolean",
                    "error_reason": "string",
                    "error_explanation": "string",
                    "created": "date-time",
                    "auto_checked_in": "boolean",
                    "gate": "integer",
                    "device": "integer",
                    "device_id": "integer",
                    "secret": of("string", writeOnly=True),
                    "force": of("boolean", writeOnly=True),
                    "ignore_unpaid": of("boolean", writeOnly=True),
                },
                readonly=(
                    "id",
                    "event",
                    "position",
                    "successful",
                    "error_reason",
                    "error_explanation",
                    "created",
                    "auto_checked_in",
                    "gate",
                    "device",
                    "device_id",
                ),
            ),
            aliases=("checkin",),
            title="Check-ins: scans at the door",
            created="created",
            updated="created",  # a scan is never changed, but for its annulment
            parent="events",
            lookback=_LOOKBACK,
            read=listed("/checkins/", under=True, ordering="id"),
            changes=listed("/checkins/", under=True, ordering="id", created_since="{since}"),
            create=redeem,
            actions={"redeem": redeem},
        ),
        Resource(
            "customers",
            record(
                {
                    "identifier": "string!",
                    "external_identifier": "string",
                    "email": "string",
                    "phone": "string",
                    "name": "string",
                    "name_parts": "object",
                    "is_active": "boolean",
                    "is_verified": "boolean",
                    "last_login": "date-time",
                    "date_joined": "date-time",
                    "locale": "string",
                    "last_modified": "date-time",
                    "notes": "string",
                },
                readonly=("identifier", "name", "last_login", "date_joined", "last_modified"),
            ),
            key=("identifier",),
            aliases=("customer",),
            created="date_joined",
            updated="last_modified",
            match=("email",),
            folded=("email",),
            lookback=_LOOKBACK,
            read=named("/customers/"),
            get=Read(f"{_HOME}/customers/{{id}}/", text=True),
            find=Find(named("/customers/"), by=("email",)),
            create=Write(
                f"{_HOME}/customers/", body="{record}", headers=_KEYED, remembers=_DAY, outcomes=One("identifier")
            ),
            update=Write(f"{_HOME}/customers/{{id}}/", "PATCH", body="{record}", safe=True, outcomes=One("identifier")),
            erase=Write(f"{_HOME}/customers/{{id}}/anonymize/", "POST", body={}, safe=True, outcomes=Nothing()),
        ),
        Resource(
            "vouchers",
            record(
                {
                    "id": "integer!",
                    "event": "string",
                    "code": "string",
                    "created": "date-time",
                    "max_usages": "integer",
                    "min_usages": "integer",
                    "redeemed": "integer",
                    "valid_until": "date-time",
                    "block_quota": "boolean",
                    "allow_ignore_quota": "boolean",
                    "price_mode": "string",
                    "value": "number",
                    "item": "integer",
                    "variation": "integer",
                    "quota": "integer",
                    "tag": "string",
                    "comment": "string",
                    "subevent": "integer",
                    "seat": "string",
                    "show_hidden_items": "boolean",
                    "all_addons_included": "boolean",
                    "all_bundles_included": "boolean",
                    "budget": "number",
                    "budget_used": "number",
                },
                readonly=("id", "created", "redeemed", "budget_used"),
            ),
            aliases=("voucher",),
            created="created",
            parent="events",
            match=("code",),
            within=("event",),
            folded=("code",),
            read=listed("/vouchers/", under=True, ordering="id"),
            find=Find(listed("/vouchers/", under=True, ordering="id"), by=("code",)),
            create=creating("/vouchers/"),
            update=changing("/vouchers/"),
            delete=removing("/vouchers/"),
        ),
        Resource(
            "webhooks",
            record(
                {
                    "id": "integer!",
                    "enabled": "boolean",
                    "target_url": "string",
                    "all_events": "boolean",
                    "limit_events": "array",
                    "action_types": "array",
                    "comment": "string",
                },
                readonly=("id",),
            ),
            aliases=("webhook",),
            match=("target_url",),
            read=listed("/webhooks/"),
            get=Read(f"{_HOME}/webhooks/{{id}}/", text=True),
            find=Find(listed("/webhooks/")),
            create=Write(f"{_HOME}/webhooks/", body="{record}", headers=_KEYED, remembers=_DAY),
            update=Write(f"{_HOME}/webhooks/{{id}}/", "PATCH", body="{record}", safe=True),
            archived={"enabled": False},
            archive=Write(f"{_HOME}/webhooks/{{id}}/", "DELETE", safe=True, outcomes=Nothing()),  # it stays, disabled
            restore=Write(f"{_HOME}/webhooks/{{id}}/", "PATCH", body={"enabled": True}, safe=True),
        ),
    ),
)
