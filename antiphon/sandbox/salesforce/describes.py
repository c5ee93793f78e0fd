"""What the org says of itself: versions, resources, objects, their fields, and the limits."""

from __future__ import annotations

import time
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from antiphon.sandbox.exchange import Response, json_response
from antiphon.sandbox.salesforce.sessions import ORG_ID

if TYPE_CHECKING:
    from antiphon.sandbox.salesforce.context import Context
    from antiphon.sandbox.salesforce.store import SObject

_RESOURCES = ("composite", "jobs", "limits", "query", "queryAll", "sobjects")
_BULK_BATCHES = 15_000
_QUERY_JOBS = 10_000
_SEASONS = ("Spring", "Summer", "Winter")


def versions(first: int, last: int) -> Response:
    """`GET /services/data/`: known without a session."""
    listed = []
    for number in range(first, last + 1):
        # 67 is Summer '26; three a year.
        season = _SEASONS[(number - 66) % 3]
        year = 26 + (number - 66) // 3 + (season == "Winter")
        label = f"{season} '{year % 100:02d}"
        listed.append({"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"})
    return json_response(200, listed)


def resources(context: Context) -> Response:
    """`GET /services/data/v67.0/`."""
    addresses = {name: f"{context.root}/{name}" for name in _RESOURCES}
    identity = f"{context.base}/id/{ORG_ID}/{context.org.ids.text(context.org.user)}"
    return json_response(200, {**addresses, "identity": identity})


def everything(context: Context) -> Response:
    """`GET …/sobjects`: describeGlobal."""
    changed = max(of.changed for of in context.org.objects.values())
    if _unchanged(context, changed):
        return Response(304)
    found = [_short(context, of) for of in context.org.objects.values()]
    reply = {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": sorted(found, key=lambda each: each["name"])}
    return json_response(200, reply, _dated(changed))


def basic(context: Context, of: SObject) -> Response:
    """`GET …/sobjects/{s}`."""
    return json_response(200, {"objectDescribe": _short(context, of), "recentItems": []})


def describe(context: Context, of: SObject) -> Response:
    """`GET …/sobjects/{s}/describe`."""
    if _unchanged(context, of.changed):
        return Response(304)
    children = [
        {
            "cascadeDelete": False,
            "childSObject": other.name,
            "deprecatedAndHidden": False,
            "field": field.name,
            "relationshipName": None,
            "restrictedDelete": False,
        }
        for other in context.org.objects.values()
        for field in other.fields.values()
        if of.name in field.refers_to
    ]
    reply = {
        **_short(context, of),
        "childRelationships": children,
        "compactLayoutable": True,
        "fields": [field.describe() for field in of.fields.values()],
        "namedLayoutInfos": [],
        "recordTypeInfos": [
            {
                "active": True, "available": True, "defaultRecordTypeMapping": True, "developerName": "Master",
                "master": True, "name": "Master", "recordTypeId": "012000000000000AAA", "urls": {},
            }
        ],
        "supportedScopes": [{"label": f"All {of.plural}", "name": "everything"}],
    }  # fmt: skip
    return json_response(200, reply, _dated(of.changed))


def limits(context: Context, used: int) -> Response:
    """`GET …/limits`."""
    most = context.state.settings.daily_limit
    reply: dict[str, Any] = {
        "DailyApiRequests": {"Max": most, "Remaining": max(0, most - used)},
        "DailyBulkApiBatches": {"Max": _BULK_BATCHES, "Remaining": _BULK_BATCHES - context.state.ingests.batches},
        "DailyBulkV2QueryJobs": {"Max": _QUERY_JOBS, "Remaining": _QUERY_JOBS - context.state.extracts.count},
        "DailyBulkV2QueryFileStorageMB": {"Max": 976_562, "Remaining": 976_562},
        "DataStorageMB": {"Max": 5120, "Remaining": 5120},
        "HourlyTimeBasedWorkflow": {"Max": 1000, "Remaining": 1000},
    }
    return json_response(200, reply)


def _short(context: Context, of: SObject) -> dict[str, Any]:
    address = f"{context.root}/sobjects/{of.name}"
    return {
        "activateable": False,
        "associateEntityType": None,
        "createable": True,
        "custom": of.custom,
        "customSetting": False,
        "deletable": of.name != "User",
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "keyPrefix": of.prefix,
        "label": of.label,
        "labelPlural": of.plural,
        "layoutable": True,
        "mergeable": "MasterRecordId" in of.fields,
        "mruEnabled": True,
        "name": of.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": True,
        "triggerable": True,
        "undeletable": of.name != "User",
        "updateable": True,
        "urls": {
            "sobject": address,
            "describe": f"{address}/describe",
            "rowTemplate": f"{address}/{{ID}}",
        },
    }


def _dated(changed: int) -> dict[str, str]:
    return {"Last-Modified": formatdate(changed, usegmt=True)}


def _unchanged(context: Context, changed: int) -> bool:
    given = context.request.headers.get("if-modified-since")
    if given is None:
        return False
    try:
        return changed <= min(parsedate_to_datetime(given).timestamp(), time.time())
    except ValueError:
        return False
