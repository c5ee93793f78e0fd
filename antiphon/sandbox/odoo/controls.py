"""The vendor's own part of the control surface.

Beside the common control surface it answers, without credentials,

- `GET  /_sandbox/dump?model=res.partner` -> `{"records": [...]}`, archived ones too, many2one as bare ids
- `POST /_sandbox/records` `{"model", "records": [{...}], "at"?}` -> `{"ids": [...]}`
- `POST /_sandbox/edit` `{"model", "ids"?, "values", "at"?}`: all records, unless ids are given, in one transaction
- `POST /_sandbox/delete` `{"model", "ids"}`: for good, as in the UI
- `POST /_sandbox/begin` `{"at"?}` -> `{"transaction": n}`; the three above take `"transaction": n`, and then nothing is
  seen until `POST /_sandbox/commit` `{"transaction": n}` -> `{"ids": [...]}`
- `POST /_sandbox/models` `{"model": "x_badge", "fields": {"x_name": "char"}, "records": 3}`
- `POST /_sandbox/fields` `{"model", "fields": {"x_colour": "selection:red,blue"}}`
- `POST /_sandbox/uninstall` `{"model"}`; `POST /_sandbox/deny` and `/allow` `{"model", "operations": ["read"]}`
- `POST /_sandbox/break` `{"model", "field"}`: reading the field fails from now on
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from antiphon.sandbox.exchange import Request

if TYPE_CHECKING:
    from antiphon.sandbox.odoo.emulator import Odoo


def control(app: Odoo, request: Request) -> object:  # noqa: C901, PLR0912
    """Do what a control says. None when there is no such control; Failure, KeyError or TypeError when it is misused."""
    what = request.method, "/".join(request.segments[1:])
    body: dict[str, Any] = json.loads(request.body or b"{}")
    at, doer = body.get("at"), app.pending[body["transaction"]] if "transaction" in body else None
    done: object = {"ok": True}
    match what:
        case ("GET", "dump"):
            done = {"records": app.records(request.first("model") or "")}
        case ("POST", "records") if doer is not None:
            doer.add(body["model"], *body["records"])
        case ("POST", "records"):
            done = {"ids": app.add(body["model"], *body["records"], at=at)}
        case ("POST", "edit") if doer is not None:
            doer.edit(body["model"], body["values"], ids=body.get("ids"))
        case ("POST", "edit"):
            done = {"ids": app.edit(body["model"], body["values"], ids=body.get("ids"), at=at)}
        case ("POST", "delete") if doer is not None:
            doer.delete(body["model"], *body["ids"])
        case ("POST", "delete"):
            app.delete(body["model"], *body["ids"])
        case ("POST", "begin"):
            number = len(app.pending) + 1
            app.pending[number] = app.begin(at)
            done = {"transaction": number}
        case ("POST", "commit") if doer is not None:
            done = {"ids": doer.commit()}
        case ("POST", "models"):
            app.add_model(body["model"], body["fields"], records=body.get("records", 0))
        case ("POST", "fields"):
            for name, definition in body["fields"].items():
                app.add_field(body["model"], name, definition)
        case ("POST", "uninstall"):
            app.uninstall(body["model"])
        case ("POST", "deny"):
            app.deny(body["model"], *body.get("operations", ()))
        case ("POST", "allow"):
            app.allow(body["model"], *body.get("operations", ()))
        case ("POST", "break"):
            app.break_field(body["model"], body["field"])
        case _:
            return None
    return done
