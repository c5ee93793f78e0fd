"""This vendor's part of the control surface, which needs no credentials.

- `GET  /_sandbox/dump?type=Account[&deleted=true]` -> `{"results": [...]}`, every field that is stored
- `GET  /_sandbox/size?type=Account` -> `{"records": n}`
- `POST /_sandbox/records` `{"type", "records": [{...}], "at"?}` -> `{"ids": [...]}`
- `POST /_sandbox/edit` `{"type", "ids"?, "fields", "at"?, "stamp"?}`: all records, unless ids are given, at one timestamp;
  `"stamp": false` leaves the timestamps alone, as a formula that changes does
- `POST /_sandbox/delete` `{"type", "ids", "hard"?, "at"?}`
- `POST /_sandbox/fields` `{"type", "count", "prefix"?, "fill"?}` or `{"type", "catalogue"}` -> `{"names": [...]}`
- `POST /_sandbox/hide` `{"type", "field"}`: as field-level security does
- `POST /_sandbox/objects` `{"name", "catalogue", "prefix"?}`; `fields` says how a catalogue is written
- `GET  /_sandbox/settings`, `POST /_sandbox/settings` `{"daily_used": 90000, ...}`: the fields of `Settings`
- `POST /_sandbox/lock-rows` `{"n"}`: the next rows that are written are held by somebody else
- `POST /_sandbox/jobs/fail-next` `{"after", "state"?, "message"?}`: the next ingest job ends after so many rows
- `GET  /_sandbox/jobs` -> `{"ingest": [...], "query": [...]}`, each `{"id", "operation", "object", "state", "processed"}`
- `POST /_sandbox/locators/expire`
- `POST /_sandbox/login/revoke`: the user takes the app's access away
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from antiphon.sandbox.exchange import Request, Response, json_response

if TYPE_CHECKING:
    from antiphon.sandbox.salesforce.emulator import Salesforce


def answer(app: Salesforce, request: Request) -> Response | None:
    """Answer one request; None when there is no such thing."""
    body = {name: values[0] for name, values in request.query.items()} | json.loads(request.body or b"{}")
    act = _controls(app, body).get((request.method, "/".join(request.segments[1:])))
    if act is None:
        return None
    done = act()
    return json_response(200, {"ok": True} if done is None else done)


def _edit(app: Salesforce, body: Mapping[str, Any]) -> dict[str, Any]:
    more = {name: body[name] for name in ("ids", "at", "stamp") if name in body}
    return {"edited": app.edit(body["type"], body["fields"], **more)}


def _delete(app: Salesforce, body: Mapping[str, Any]) -> None:
    for each in body["ids"]:
        app.delete(body["type"], each, hard=body.get("hard", False), at=body.get("at"))


def _fields(app: Salesforce, body: Mapping[str, Any]) -> dict[str, Any]:
    if "catalogue" in body:
        return {"names": [field.name for field in app.add_fields(body["type"], body["catalogue"])]}
    more = {name: body[name] for name in ("prefix", "fill") if name in body}
    return {"names": app.add_many_fields(body["type"], int(body["count"]), **more)}


def _set(app: Salesforce, body: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in body.items():
        app.settings.change(name, value)
    return vars(app.settings)


def _jobs(app: Salesforce) -> dict[str, Any]:
    def shown(jobs: Iterable[Any]) -> list[dict[str, Any]]:
        names = ("id", "operation", "object", "state", "processed")
        return [{name: getattr(job, name) for name in names} for job in jobs]

    return {"ingest": shown(app.state.ingests.jobs.values()), "query": shown(app.state.extracts.jobs.values())}


def _fail_next(app: Salesforce, body: Mapping[str, Any]) -> None:
    app.fail_next_job(int(body["after"]), **{name: body[name] for name in ("state", "message") if name in body})


def _controls(app: Salesforce, body: Mapping[str, Any]) -> dict[tuple[str, str], Callable[[], object]]:
    return {
        ("GET", "dump"): lambda: {"results": app.records(body["type"], deleted=body.get("deleted") == "true")},
        ("GET", "size"): lambda: {"records": app.size(body["type"])},
        ("POST", "records"): lambda: {
            "ids": [app.add(body["type"], each, at=body.get("at")) for each in body["records"]]
        },
        ("POST", "edit"): lambda: _edit(app, body),
        ("POST", "delete"): lambda: _delete(app, body),
        ("POST", "fields"): lambda: _fields(app, body),
        ("POST", "hide"): lambda: app.hide_field(body["type"], body["field"]),
        ("POST", "objects"): lambda: {
            "name": app.add_object(body["name"], body.get("catalogue", ""), prefix=body.get("prefix")).name
        },
        ("GET", "settings"): lambda: vars(app.settings),
        ("POST", "settings"): lambda: _set(app, body),
        ("POST", "lock-rows"): lambda: app.lock_rows(int(body["n"])),
        ("POST", "jobs/fail-next"): lambda: _fail_next(app, body),
        ("GET", "jobs"): lambda: _jobs(app),
        ("POST", "locators/expire"): app.state.cursors.forget,
        ("POST", "login/revoke"): app.sessions.revoke_all,
    }
