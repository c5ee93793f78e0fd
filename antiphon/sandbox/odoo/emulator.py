"""An Odoo server in memory: XML-RPC, JSON-RPC, JSON-2 and the web client's session calls, over one database."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from antiphon.sandbox.emulator import Emulator
from antiphon.sandbox.exchange import Request, Response, json_response
from antiphon.sandbox.odoo import controls, failures, marshalling, moments, registry, seeds, services, values, writing
from antiphon.sandbox.odoo.asked import Asked, understood
from antiphon.sandbox.odoo.database import ADMIN, Database, Env, Records
from antiphon.sandbox.odoo.failures import Failure
from antiphon.sandbox.odoo.moments import Moment
from antiphon.sandbox.odoo.pending import Pending
from antiphon.sandbox.odoo.services import LEGACY, Instance

READING = re.compile(
    r"(search|search_read|search_count|read|fields_get|default_get|name_search|name_get|exists|context_get"
    r"|check_access_rights|check_object_reference|version|authenticate|login|list|server_version)"
)
BEARER = re.compile(r"bearer\s+(.+)", re.IGNORECASE)
PASSWORD = "sandbox-password"
HTML = {"Content-Type": "text/html; charset=utf-8"}
NO_ADMIN = (
    ("ir.model", "read"),
    ("ir.model.fields", "read"),
    ("ir.model.fields", "create"),
    *(("res.users", op) for op in ("create", "write", "unlink")),
)
RIGHTS = ("read", "create", "write", "unlink")
LOST = "Did you mean POST /json/2/<model>/<method>?"


class Odoo(Emulator):
    """One server with one database that holds data, and one user who may come in.

    `records` contacts and fewer of the other models (or as `counts` says by model). `version` decides which protocols
    are on (JSON-2 from 19), unless `protocols` says; further names in `databases` are empty databases. `missing` models
    are not installed, `custom` ones are added, `deny` takes rights away by model; `admin` False is a user who cannot
    read `ir.model`. `password` None is a user without one, who has an API key only.
    """

    name: ClassVar[str] = "odoo"

    def __init__(  # noqa: PLR0913
        self,
        *,
        records: int = 100,
        counts: Mapping[str, int] | None = None,
        version: str = "19.0",
        protocols: Iterable[str] | None = None,
        databases: Iterable[str] = ("sandbox",),
        list_databases: bool = False,
        login: str = "admin",
        password: str | None = PASSWORD,
        admin: bool = True,
        missing: Iterable[str] = (),
        custom: Mapping[str, Mapping[str, Any]] | None = None,
        deny: Mapping[str, Iterable[str]] | None = None,
        limit: tuple[int, float] | None = None,
        faults: Mapping[str, float] | None = None,
        seed: int = 0,
        latency_ms: float = 0,
        stall_seconds: float = 0.2,
    ) -> None:
        super().__init__(limit=limit, faults=faults, seed=seed, latency_ms=latency_ms, stall_seconds=stall_seconds)
        major = int(re.findall(r"\d+", version)[0])
        names = tuple(databases)
        self.db = Database(names[0], major, registry.build(major, missing))
        on = [*(LEGACY if major < 22 else LEGACY[2:]), *(["json2"] if major >= 19 else [])]
        self.instance = Instance(
            self.db,
            version,
            frozenset(on if protocols is None else protocols),
            names,
            login,
            password,
            _key(1),
            list_databases=list_databases,
            documented=admin,
        )
        self._keys = 1
        self._asked: tuple[Request, Asked] | None = None
        self.pending: dict[int, Pending] = {}
        seeds.sow(self.db, records, counts or {}, seed, login)
        for model, fields in (custom or {}).items():
            self.add_model(model, fields)
        if not admin:
            self.db.denied.update(NO_ADMIN)
        for model, operations in (deny or {}).items():
            self.deny(model, *operations)
        seeds.describe(self.db)

    # To look into it and to steer it.

    @property
    def api_key(self) -> str:
        """The only API key that is accepted."""
        return self.instance.api_key

    def env(self, at: Moment | None = None) -> Env:
        """What somebody in the UI works with: every right, and a transaction that began at this moment."""
        return Env(self.db, context={"active_test": False}, now=moments.stored(at), sudo=True)

    def of(self, model: str, ids: Iterable[int] | None = None, *, at: Moment | None = None) -> Records:
        """Records of a model, all of them unless ids are given. KeyError for a model that is not installed."""
        found = self.db.model(model)
        return Records(self.env(at), found, list(self.db.tables[model].ids if ids is None else ids))

    def records(self, model: str, fields: list[str] | None = None) -> list[dict[str, Any]]:
        """Every record, archived ones too, as `read` shows it with bare ids. `write_date` keeps its microseconds."""
        with self.lock:
            chosen = self.of(model)
            names = fields or [name for name in chosen.model.fields if name not in chosen.model.broken]
            shown = values.read(chosen.env, chosen.model, chosen.ids, names, classic=False)
            for one in shown:
                if one.get("write_date"):
                    one["write_date"] = chosen.table.rows[one["id"]]["write_date"]
            return shown

    def add(self, model: str, *given: Mapping[str, Any], at: Moment | None = None) -> list[int]:
        """New records, made in one transaction; their ids."""
        with self.lock:
            return writing.create(self.of(model, [], at=at), [dict(one) for one in given])

    def edit(
        self, model: str, given: Mapping[str, Any], *, ids: Iterable[int] | None = None, at: Moment | None = None
    ) -> list[int]:
        """The same values for many records (all, unless ids are given), in one transaction: one `write_date`."""
        with self.lock:
            chosen = self.of(model, ids, at=at)
            writing.write(chosen, dict(given))
            return chosen.ids

    def delete(self, model: str, *ids: int) -> None:
        """Delete for good, by the same rules as everybody."""
        with self.lock:
            writing.unlink(self.of(model, ids))

    def begin(self, at: Moment | None = None) -> Pending:
        """A transaction that takes its time: what it does is seen from `commit` on, dated to its start."""
        return Pending(self, moments.stored(at))

    def external_id(self, xid: str, model: str, id_: int) -> None:
        """Give a record an external id such as `shop.customer_7`."""
        module, _, name = xid.partition(".")
        self.add("ir.model.data", {"module": module, "name": name, "model": model, "res_id": id_})

    def add_model(self, model: str, fields: Mapping[str, Any], *, records: int = 0, label: str = "") -> None:
        """A custom model with fields as `registry.field_from` reads them, and so many records in it."""
        with self.lock:
            seeds.add_model(self.db, model, fields, records, label)

    def add_field(self, model: str, name: str, definition: str | Mapping[str, Any]) -> None:
        """A custom field, as `registry.field_from` reads it."""
        with self.lock:
            self.db.model(model).fields[name] = registry.field_from(name, definition)
            seeds.describe(self.db)

    def uninstall(self, model: str) -> None:
        """From now on there is no such model, nor a field that points to it."""
        with self.lock:
            del self.db.models[model], self.db.tables[model]
            for other in self.db.models.values():
                registry.prune(other, self.db.models)
            seeds.describe(self.db)

    def deny(self, model: str, *operations: str) -> None:
        """Take rights from the user: `read`, `create`, `write`, `unlink`, or all of them."""
        self.db.denied.update((model, operation) for operation in operations or RIGHTS)

    def allow(self, model: str, *operations: str) -> None:
        """Give them back."""
        self.db.denied.difference_update((model, operation) for operation in operations or RIGHTS)

    def break_field(self, model: str, field: str) -> None:
        """Reading the field fails from now on, as a computed field with a bug does."""
        self.db.model(model).broken.add(field)

    def expire_token(self) -> None:
        """From now on no credential is accepted, until `renew_token`."""
        self.instance.expired = True

    def renew_token(self) -> str:
        """A fresh API key, the only one that is accepted from now on. The password stays."""
        self._keys += 1
        self.instance.api_key = _key(self._keys)
        self.instance.expired = False
        return self.api_key

    # What the rest of the sandbox asks of a vendor.

    def config(self, base_url: str) -> dict[str, Any]:
        """The plugin config with which a client reaches this server."""
        known = {"base_url": base_url, "database": self.db.name, "login": self.instance.login}
        if self.instance.password is not None:
            known["password"] = self.instance.password
        if self.instance.major >= 19 or self.instance.password is None:
            known["api_key"] = self.api_key
        return known

    def route(self, request: Request) -> str:
        """`xmlrpc/res.partner/create`, `jsonrpc/common/login`, `json2/res.partner/search`, `web/version`."""
        asked = self._understand(request)
        return f"{asked.protocol}/{asked.called}" if asked.protocol else asked.target

    def writes(self, request: Request) -> bool:
        """Anything but reading."""
        asked = self._understand(request)
        name = asked.called.rpartition("/")[2]
        return asked.protocol in {*LEGACY, "json2"} and not READING.fullmatch(name)

    def refusal(self, kind: str) -> Response:
        """In the shape of the protocol of the call in hand."""
        asked = self._asked[1] if self._asked is not None else Asked("", "")
        if kind == "429":
            page = b"<html><head><title>429 Too Many Requests</title></head><body>nginx</body></html>"
            return Response(429, page, {"Content-Type": "text/html"})
        if kind == "token-expiry":
            return (
                self._unauthorized("Invalid apikey")
                if asked.protocol == "json2"
                else self._refused(asked, failures.denied())
            )
        if kind == "conflict":
            return self._refused(asked, failures.serialization())
        words = "The server encountered an internal error and was unable to complete your request."
        if asked.protocol == "json2":
            return self._refused(asked, Failure("werkzeug.exceptions.InternalServerError", words, [words, 500]))
        return _page(500, "Internal Server Error", words)

    def answer(self, request: Request) -> Response:
        """Do the work, or refuse it in the shape of its protocol."""
        if self.limit is not None and not self.limit.admit():
            return self.refusal("429")
        asked = self._understand(request)
        if asked.protocol not in self.instance.protocols:
            return self._plain(request)
        if asked.wrong:
            return Response(400, asked.wrong.encode(), {"Content-Type": "text/plain; charset=utf-8"})
        try:
            return self._json2(request, asked) if asked.protocol == "json2" else self._legacy(request, asked)
        except Failure as failure:
            return self._refused(asked, failure)

    # The protocols.

    def _understand(self, request: Request) -> Asked:
        if self._asked is None or self._asked[0] is not request:
            self._asked = request, understood(request)
        return self._asked[1]

    def _refused(self, asked: Asked, failure: Failure) -> Response:
        if asked.protocol == "xmlrpc":
            return _xml(marshalling.fault(failure, old=asked.old))
        if asked.protocol == "json2":
            return json_response(failure.status, failure.document())
        code, words = (200 if self.instance.major < 19 else 0), "Odoo Server Error"
        if failure.name == failures.SESSION:
            code, words = 100, "Odoo Session Expired"
        elif failure.name == "werkzeug.exceptions.NotFound":
            code, words = 404, "404: Not Found"
        error = {"code": code, "message": words, "data": failure.document()}
        return json_response(200, {"jsonrpc": "2.0", "id": asked.id, "error": error})

    def _legacy(self, request: Request, asked: Asked) -> Response:
        if asked.protocol == "xmlrpc":
            # Marshalled after the commit: a None that cannot be marshalled was written all the same.
            result = services.dispatch(self.instance, asked.target, asked.method, asked.params)
            return _xml(marshalling.response(result))
        headers: dict[str, str] = {}
        if asked.protocol == "session":
            result = self._session(request, asked, headers)
        else:
            result = services.dispatch(self.instance, asked.target, asked.method, asked.params)
        return json_response(200, {"jsonrpc": "2.0", "id": asked.id, "result": result}, headers)

    def _session(self, request: Request, asked: Asked, headers: dict[str, str]) -> Any:
        instance, params = self.instance, asked.params
        if asked.method == "version_info":
            return services.dispatch(instance, "common", "version", [])
        if asked.method == "authenticate":
            uid = instance.uid(params.get("db"), params.get("login"), params.get("password"))
            if uid is None or params.get("password") != instance.password:
                raise failures.denied()  # an API key opens no session
            token = secrets.token_hex(20)
            instance.sessions[token] = uid
            headers["Set-Cookie"] = f"session_id={token}; HttpOnly; Path=/"
            context = services.call_kw(self.db, uid, "res.users", "context_get", [], {})
            return {"uid": uid, "db": self.db.name, "username": instance.login, "user_context": context,
                    "server_version": instance.version, "server_version_info": instance.version_info}  # fmt: skip
        token = request.headers.get("cookie", "").partition("session_id=")[2].partition(";")[0]
        uid = None if instance.expired else instance.sessions.get(token)
        if uid is None:
            raise Failure(failures.SESSION, "Session expired")
        if asked.method == "destroy":
            del instance.sessions[token]
            return None
        kwargs = params.get("kwargs") or {}
        return services.call_kw(self.db, uid, params["model"], params["method"], params.get("args") or [], kwargs)

    def _json2(self, request: Request, asked: Asked) -> Response:
        if request.segments[0] == "json" and not asked.method:
            raise failures.http("NotFound", 404, LOST)
        refused = self._bearer(request)
        if refused is not None:
            return refused
        if request.segments[0] == "doc-bearer":
            return self._documents(request, asked.target.removeprefix("doc-bearer/"))
        try:
            body = json.loads(request.body or b"{}")
        except ValueError:
            raise failures.http("BadRequest", 400, "could not parse the body as json") from None
        given = body if isinstance(body, dict) else {}
        return json_response(200, services.call_named(self.db, ADMIN, asked.target, asked.method, given))

    def _bearer(self, request: Request) -> Response | None:
        named = request.headers.get("x-odoo-database")
        if named not in self.instance.databases and (named is not None or len(self.instance.databases) > 1):
            return _page(404, "Not Found", _NOT_FOUND)
        match = BEARER.fullmatch(request.headers.get("authorization", ""))
        if match is None:
            return self._unauthorized("User not authenticated, use an API Key with a Bearer Authorization header.")
        if self.instance.expired or match[1] != self.api_key or named not in {None, self.db.name}:
            return self._unauthorized("Invalid apikey")
        return None

    def _documents(self, request: Request, name: str) -> Response:
        if not self.instance.documented:
            raise failures.access("This page is only accessible to Access to API Documentation users.")
        tag = f'"{self.db.name}-{len(self.db.models)}"'
        if request.headers.get("if-none-match") == tag:
            return Response(304, b"", {"ETag": tag})
        if name == "index":
            return json_response(200, services.index(self.instance), {"ETag": tag})
        if name not in self.db.models:
            raise failures.http("NotFound", 404, _NOT_FOUND)
        return json_response(200, services.reference(self.instance, self.db.model(name)), {"ETag": tag})

    @staticmethod
    def _unauthorized(words: str) -> Response:
        failure = failures.http("Unauthorized", 401, words)
        return json_response(401, failure.document(), {"WWW-Authenticate": "bearer"})

    def _plain(self, request: Request) -> Response:
        path = "/".join(request.segments)
        if self.instance.major >= 19 and path in {"web/version", "json/version"} and request.method == "GET":
            known = {"version_info": self.instance.version_info, "version": self.instance.version}
            return json_response(200, known)
        return _page(404, "Not Found", _NOT_FOUND)

    # The vendor's own part of the control surface.

    def control(self, request: Request) -> Response | None:
        """Everything that `controls` lists."""
        try:
            done = controls.control(self, request)
        except Failure as failure:
            raise ValueError(failure.message) from None
        return None if done is None else json_response(200, done)


_NOT_FOUND = (
    "The requested URL was not found on the server. "
    "If you entered the URL manually please check your spelling and try again."
)


def _key(number: int) -> str:
    return hashlib.sha256(b"key %d of the sandbox" % number).hexdigest()[:40]


def _xml(body: bytes) -> Response:
    return Response(200, body, {"Content-Type": "text/xml; charset=utf-8"})


def _page(status: int, title: str, words: str) -> Response:
    page = f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n<h1>{title}</h1>\n<p>{words}</p>\n"
    return Response(status, page.encode(), HTML)
