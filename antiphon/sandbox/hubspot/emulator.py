"""The HubSpot CRM API in memory.

Beside the common control surface it answers, without credentials,

- `GET  /_sandbox/dump?type=contacts[&archived=true]` -> `{"results": [...]}`, every property that is set
- `POST /_sandbox/records` `{"type", "records": [{...}], "at"?}` -> `{"ids": [...]}`
- `POST /_sandbox/edit` `{"type", "ids"?, "properties", "at"?}`: all records, unless ids are given, at one timestamp
- `POST /_sandbox/archive` `{"type", "ids", "at"?}`
- `POST /_sandbox/properties` `{"type", "count", "prefix"?, "kind"?, "fill"?}` -> `{"names": [...]}`
- `POST /_sandbox/schemas` `{"name", "properties": {name: type}, "records"?}` -> `{"objectTypeId": ...}`
- `POST /_sandbox/index-lag` `{"seconds": 2}`
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qs

from antiphon.sandbox.emulator import Emulator
from antiphon.sandbox.exchange import Request, Response, json_response
from antiphon.sandbox.hubspot import metadata, moments, routes, seeds
from antiphon.sandbox.hubspot.moments import Moment
from antiphon.sandbox.hubspot.portal import PORTAL_ID, Portal, Quirks
from antiphon.sandbox.hubspot.properties import Property
from antiphon.sandbox.hubspot.refusals import Refusal, not_found, too_often
from antiphon.sandbox.hubspot.store import Record, Store
from antiphon.sandbox.limits import RollingLimit

SEARCHES_PER_SECOND = 5
"""Per account, and announced by no header, says the vendor's search guide."""
READING_POSTS = ("search", "batch/read")
TOKEN_LIFE = 1800


class HubSpot(Emulator):
    """One account of HubSpot.

    `records` contacts and fewer of the other objects (or as `counts` says by object), index lag in seconds, the id of the account, and
    the fields of `Quirks`. `portal` is its state; the methods below change it as somebody in the vendor's UI would.
    """

    name: ClassVar[str] = "hubspot"

    def __init__(  # noqa: PLR0913
        self,
        *,
        records: int = 100,
        counts: Mapping[str, int] | None = None,
        index_lag: float = 0,
        searches_per_second: int = SEARCHES_PER_SECOND,
        limit: tuple[int, float] | None = None,
        faults: Mapping[str, float] | None = None,
        seed: int = 0,
        latency_ms: float = 0,
        stall_seconds: float = 0.2,
        portal_id: int = PORTAL_ID,
        **quirks: Any,
    ) -> None:
        super().__init__(limit=limit, faults=faults, seed=seed, latency_ms=latency_ms, stall_seconds=stall_seconds)
        self.portal = Portal(seed, Quirks(**quirks), portal_id)
        self.search_limit = RollingLimit(searches_per_second, 1)
        self.client = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        self.refresh_token = "sandbox-refresh"
        self._tokens = 1
        self._expired = False
        self._token_ends: float | None = None
        seeds.sow(self.portal, records, counts or {}, seed)
        self.index_lag = index_lag

    # To look into it and to steer it.

    @property
    def access_token(self) -> str:
        """The only token that is accepted."""
        return f"pat-na1-sandbox-{self._tokens:08d}"

    @property
    def index_lag(self) -> float:
        """How many seconds search takes to notice a change."""
        return self._index_lag

    @index_lag.setter
    def index_lag(self, seconds: float) -> None:
        self._index_lag = seconds
        for store in self.portal.stores.values():
            store.lag_ms = int(seconds * 1000)

    def store(self, type_: str) -> Store:
        """The records of an object type, by name or type id. KeyError when there is no such type."""
        found = self.portal.find(type_)
        if found is None:
            raise KeyError(type_)
        return found

    def records(self, type_: str, *, archived: bool = False) -> list[dict[str, Any]]:
        """Every record as the vendor would show it, with all properties that are set."""
        with self.lock:
            store = self.store(type_)
            ids = store.archived if archived else store.live
            return [store.document(r, store.select(r.properties)) for r in (store.records[i] for i in ids)]

    def add(
        self, type_: str, properties: Mapping[str, str], *, at: Moment | None = None, updated: Moment | None = None
    ) -> Record:
        """A new record, created (and last changed) at this time; now, unless given."""
        with self.lock:
            return self.store(type_).add(properties, created=at, updated=updated)

    def edit(self, type_: str, id_: int | str, properties: Mapping[str, str], *, at: Moment | None = None) -> Record:
        """Set values, checking nothing."""
        with self.lock:
            return self.store(type_).edit(id_, properties, at)

    def bulk_edit(
        self,
        type_: str,
        properties: Mapping[str, str],
        *,
        ids: Iterable[int | str] | None = None,
        at: Moment | None = None,
    ) -> list[int]:
        """Set the same values on many records (all, unless given) at one and the same timestamp."""
        with self.lock:
            store = self.store(type_)
            moment = moments.milliseconds(at)
            chosen = [int(one) for one in ids] if ids is not None else list(store.live)
            for one in chosen:
                store.edit(one, properties, moment)
            return chosen

    def archive(self, type_: str, id_: int | str, *, at: Moment | None = None) -> Record:
        """Move a record to the recycle bin."""
        with self.lock:
            return self.store(type_).archive(id_, at)

    def restore(self, type_: str, id_: int | str, *, at: Moment | None = None) -> Record:
        """Take a record out of the recycle bin."""
        with self.lock:
            return self.store(type_).restore(id_, at)

    def associate(self, one: str, id_: int | str, other: str, other_id: int | str, *type_ids: int) -> None:
        """Associate two records, without a label or with these types."""
        with self.lock:
            pair = self.store(one).name, self.store(other).name
            self.portal.associations.link(pair, int(id_), int(other_id), type_ids)

    def add_property(self, type_: str, name: str, kind: str = "string", **definition: Any) -> Property:
        """A custom property; `definition` takes the fields of `Property`, such as `unique=True`."""
        with self.lock:
            return self.portal.add_property(self.store(type_), Property(name, kind, **definition))

    def add_properties(
        self, type_: str, count: int, *, prefix: str = "custom_property_", kind: str = "string", fill: bool = True
    ) -> list[str]:
        """Many custom properties; `fill` gives every record values for them, and changes no timestamps."""
        with self.lock:
            store = self.store(type_)
            names = [f"{prefix}{number:03d}" for number in range(1, count + 1)]
            for name in names:
                self.portal.add_property(store, Property(name, kind))
            for record in store.records.values() if fill else ():
                record.properties |= {name: str(record.id + n) for n, name in enumerate(names)}
            store.forget_encoded()
            return names

    def add_schema(self, name: str, properties: Mapping[str, str], *, records: int = 0, **more: Any) -> Store:
        """A custom object with properties of these types, and so many records in it."""
        with self.lock:
            definitions = [Property(prop, kind) for prop, kind in properties.items()]
            store = self.portal.add_schema(name, definitions, **more)
            store.lag_ms = int(self._index_lag * 1000)
            texts = [prop for prop, kind in properties.items() if kind == "string"]
            for number in range(1, records + 1):
                at = moments.now() - 30 * moments.DAY + number * 60_000
                store.add({prop: f"{prop} {number}" for prop in texts}, created=at)
            return store

    def expire_token(self) -> None:
        """From now on every call is refused as expired, until `renew_token`."""
        self._expired = True

    def renew_token(self) -> str:
        """A fresh token, the only one that is accepted from now on."""
        self._tokens += 1
        self._expired = False
        return self.access_token

    # What the rest of the sandbox asks of a vendor.

    def config(self, base_url: str) -> dict[str, Any]:
        """The plugin config with which a client reaches this account."""
        return {"base_url": base_url, "access_token": self.access_token}

    def writes(self, request: Request) -> bool:
        """Anything but reading."""
        if request.method == "GET":
            return False
        return not "/".join(request.segments).endswith(READING_POSTS)

    def route(self, request: Request) -> str:
        """`objects/contacts/{id}`: the same for every version, objects by name, ids and names left out."""
        return routes.label(self.portal, request.segments)

    def refusal(self, kind: str) -> Response:
        """The vendor's own words."""
        if kind == "429":
            return too_often("TEN_SECONDLY_ROLLING", "ten_secondly_rolling")
        if kind == "token-expiry":
            return self._token_expired().response()
        if kind == "conflict":
            return Refusal(423, "LOCKED", "The resource is locked by another request").response()
        return Refusal(500, "INTERNAL_ERROR", "internal error").response()

    def answer(self, request: Request) -> Response:
        """Do the work, or refuse it in the vendor's shape."""
        if len(request.target) > self.portal.quirks.max_url:
            return Response(414, b"<html><head><title>414 Request-URI Too Large</title></head></html>")
        if request.segments[:1] == ["oauth"]:
            return self._answered(lambda: self._oauth(request))
        located = routes.locate(request.segments)
        searches = located is not None and located[0] == "objects" and located[2][1:] == ["search"]
        # Search has a limit of its own, and no headers that tell of it.
        response = self._answered(lambda: self._limited(request, located, searches=searches))
        return response if searches else self._announced(response)

    @staticmethod
    def _answered(work: Callable[[], Response]) -> Response:
        try:
            return work()
        except Refusal as refusal:
            return refusal.response()

    def _limited(self, request: Request, located: routes.Located | None, *, searches: bool) -> Response:
        self._authenticate(request)
        if searches:
            if not self.search_limit.admit():
                return too_often("SECONDLY", "secondly")
        elif self.limit is not None and not self.limit.admit():
            return too_often("TEN_SECONDLY_ROLLING", "ten_secondly_rolling")
        if request.method == "GET" and request.segments == ["account-info", "v3", "details"]:
            return metadata.account(self.portal)
        if located is None:
            raise not_found("resource not found")
        return routes.dispatch(self.portal, request, *located)

    def _announced(self, response: Response) -> Response:
        if self.limit is not None:
            response.headers |= {
                "X-HubSpot-RateLimit-Max": str(self.limit.calls),
                "X-HubSpot-RateLimit-Remaining": str(self.limit.remaining),
                "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(self.limit.seconds * 1000)),
            }
        return response

    def _authenticate(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token != self.access_token:
            raise Refusal(
                401,
                "INVALID_AUTHENTICATION",
                "Authentication credentials not found. This API supports OAuth 2.0 authentication",
            )
        if self._expired or (self._token_ends is not None and moments.now() >= self._token_ends):
            raise self._token_expired()

    @staticmethod
    def _token_expired() -> Refusal:
        return Refusal(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired 1 second(s) ago.")

    def _oauth(self, request: Request) -> Response:
        if request.method != "POST" or request.segments[1:] not in [[v, "token"] for v in ("v1", "v3", *routes.DATED)]:
            raise not_found("resource not found")
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if any(form.get(name) != value for name, value in self.client.items()):
            raise Refusal(400, "BAD_CLIENT_ID", "missing or unknown client id or secret")
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != self.refresh_token:
            raise Refusal(400, "BAD_REFRESH_TOKEN", "missing or invalid refresh token")
        token = self.renew_token()
        self._token_ends = moments.now() + TOKEN_LIFE * 1000
        grant = {"access_token": token, "refresh_token": self.refresh_token, "token_type": "bearer"}
        return json_response(200, {**grant, "expires_in": TOKEN_LIFE})

    def control(self, request: Request) -> Response | None:
        """This vendor's part of the control surface."""
        body = json.loads(request.body or b"{}")
        controls: dict[tuple[str, str], Callable[[], object]] = {
            ("GET", "dump"): lambda: {
                "results": self.records(
                    request.first("type") or "contacts", archived=request.first("archived") == "true"
                )
            },
            ("POST", "records"): lambda: {
                "ids": [str(self.add(body["type"], each, at=body.get("at")).id) for each in body["records"]]
            },
            ("POST", "edit"): lambda: {
                "ids": self.bulk_edit(body["type"], body["properties"], ids=body.get("ids"), at=body.get("at"))
            },
            ("POST", "archive"): lambda: {
                "ids": [self.archive(body["type"], each, at=body.get("at")).id for each in body["ids"]]
            },
            ("POST", "properties"): lambda: {
                "names": self.add_properties(
                    body["type"],
                    int(body["count"]),
                    **{key: body[key] for key in ("prefix", "kind", "fill") if key in body},
                )
            },
            ("POST", "schemas"): lambda: {
                "objectTypeId": self.add_schema(
                    body["name"], body["properties"], records=int(body.get("records", 0))
                ).type_id
            },
            ("POST", "index-lag"): lambda: self._lag(float(body["seconds"])),
        }
        act = controls.get((request.method, "/".join(request.segments[1:])))
        return None if act is None else json_response(200, act())

    def _lag(self, seconds: float) -> dict[str, float]:
        self.index_lag = seconds
        return {"seconds": seconds}
