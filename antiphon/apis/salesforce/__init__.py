"""Salesforce: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/.

Every object is read and written alike, so :func:`sobject` builds them all, custom ones included. The fields of an object are known to
the organisation alone, and come from its describe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from antiphon import schema
from antiphon.api import Api, Quota, Read, Resource, Schema, Setting, Write
from antiphon.apis.salesforce.bulk import HardDelete, job
from antiphon.apis.salesforce.reading import BASE, Deleted, Find, Get, Rows
from antiphon.apis.salesforce.writing import Collection, Removal
from antiphon.auth import Bearer, Jwt, OAuth2
from antiphon.client import Client
from antiphon.errors import ApiError, QuotaSpent, Unavailable
from antiphon.style import Rest

_WORDS = {
    "boolean": "boolean",
    "int": "integer",
    "long": "integer",
    "double": "number",
    "currency": "number",
    "percent": "number",
    "date": "date",
    "datetime": "date-time",
}
_LEFT_OUT = {"address", "location", "base64", "complexvalue"}
"""Compound fields, whose parts are fields of their own, and files."""


def sobject(name: str, *, title: str = "", tracked: bool = True, common: bool = True) -> Resource:
    """Return one object as a resource; *tracked* ones have the time of their last change."""
    word = name.lower()
    return Resource(
        name,
        schema=lambda client: _schema(client, name),
        key=("Id",),
        aliases=tuple(dict.fromkeys((word, f"{word}s"))),
        title=title,
        created="CreatedDate" if tracked else "",
        updated="SystemModstamp" if tracked else "",
        common=common,
        lookback=600,  # a long transaction is seen when it is committed, with the time of its beginning
        folded=("Email", "Username"),
        read=Rows(name, tracked=tracked),
        # By id within the window of time: equal times are common after bulk loads.
        changes=Rows(name) if tracked else None,
        deleted=Deleted(name) if tracked else None,
        get=Get(name),
        find=Find(name),
        create=Write(via=Collection(name, "create"), job=job(name, "create"), batch=200, atomic=True),
        update=Write(via=Collection(name, "update"), job=job(name, "update"), batch=200, safe=True),
        upsert=Write(via=Collection(name, "upsert"), job=job(name, "upsert"), batch=200, safe=True, not_by=("Id",)),
        delete=Write(via=Removal(name), job=job(name, "delete"), batch=200, safe=True),
        erase=Write(via=HardDelete(name), batch=10_000, safe=True),
    )


def _schema(client: Client, name: str) -> Schema:
    """Return the schema of an object from its describe (one call)."""
    path = f"/services/data/v{client.settings['api_version']}/sobjects/{name}/describe"
    found = client.call("GET", path, doing=f"asking for the fields of {name}")
    properties: dict[str, Any] = {}
    relations = []
    for field in found["fields"]:
        if field["type"] in _LEFT_OUT:
            continue
        properties[field["name"]] = _field(field)
        if field.get("relationshipName"):
            relations.append(field["relationshipName"])
    parents = {f"^({'|'.join(sorted(relations))})\\.\\w+$": schema.of("string")} if relations else {}
    return {"type": "object", "properties": properties, "patternProperties": parents}


def _field(field: Mapping[str, Any]) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if not (field.get("createable") or field.get("updateable")):
        more["readOnly"] = True
    elif field.get("externalId") or (field.get("unique") and field.get("idLookup")):
        more["x-unique"] = True
    if field.get("picklistValues") and field.get("restrictedPicklist"):
        active = [option for option in field["picklistValues"] if option.get("active", True)]
        more["x-options"] = [option["value"] for option in active]
        more["x-labels"] = {option["value"]: option["label"] for option in active if option.get("label")}
    if field["type"] == "multipicklist":
        more["x-several"] = ";"
    if field.get("length") and field["type"] in {"string", "textarea", "email", "phone", "url"}:
        more["maxLength"] = field["length"]
    return schema.of("string!" if field["name"] == "Id" else _WORDS.get(field["type"], "string"), **more)


def objects(client: Client) -> Iterable[Resource]:
    """Yield a resource for each object that can be queried (one call)."""
    path = f"/services/data/v{client.settings['api_version']}/sobjects"
    usual = {resource.name: resource for resource in salesforce.resources}
    for found in client.call("GET", path, doing="asking for the objects")["sobjects"]:
        if found.get("queryable") and not found.get("deprecatedAndHidden"):
            tracked = bool(found.get("replicateable", True))
            name = found["name"]
            yield usual.get(name) or sobject(name, title=found.get("labelPlural", ""), tracked=tracked, common=False)


_ADVICE = {
    "API_DISABLED_FOR_ORG": "An administrator has to give this user the permission API Enabled, or the edition has no API",
}


def words(body: Any) -> str:
    """Return what an error says: a list of errors at the API, an object at the token endpoint."""
    errors = body if isinstance(body, list) else [body or {}]
    said = []
    for error in errors:
        if isinstance(error, dict):
            code = error.get("errorCode") or error.get("error")
            message = error.get("message") or error.get("error_description")
            said.append(" ".join(str(part) for part in (code, message, _ADVICE.get(str(code))) if part))
    return "; ".join(said)


def limited(_status: int, body: Any) -> type[ApiError] | None:
    """Return which error a 403 is that tells of a limit: too many calls at once, or the day's are used up."""
    error = body[0] if isinstance(body, list) and body and isinstance(body[0], dict) else {}
    if error.get("errorCode") != "REQUEST_LIMIT_EXCEEDED":
        return None
    return Unavailable if "Concurrent" in str(error.get("message")) else QuotaSpent


salesforce = Api(
    "salesforce",
    title="Salesforce",
    base_url="{instance_url}",
    docs="https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/",
    version="67.0",
    auth=(
        Bearer("{access_token}"),
        OAuth2(
            token_url="{login_url}/services/oauth2/token",  # noqa: S106
            authorize_url="{login_url}/services/oauth2/authorize",
            scope="api refresh_token",
            assertion=Jwt(claims={"iss": "{client_id}", "sub": "{username}", "aud": "{audience}"}),
            grant={"grant_type": "client_credentials"},
            base="instance_url",
        ),
    ),
    settings=(
        Setting("client_id", "Consumer key", "Of an external client app, or a connected app.", example="3MVG9…"),
        Setting(
            "client_secret", "Consumer secret", "Of that app; alone it is used for client credentials.", secret=True
        ),
        Setting("refresh_token", "Refresh token", "If one is at hand; antiphon login gets one otherwise.", secret=True),
        Setting("username", "User name", "The user to act as, with a private key.", example="bot@example.org"),
        Setting("private_key", "Private key", "PEM, for the JWT bearer flow.", secret=True),
        Setting(
            "login_url",
            "Login URL",
            "Where to log in: test.salesforce.com for a sandbox; My Domain for client credentials.",
            default="https://login.salesforce.com",
            pattern="^https?://",
        ),
        Setting(
            "audience",
            "Audience",
            "Of the JWT: the login host of production or of sandboxes.",
            default="https://login.salesforce.com",
        ),
        Setting("access_token", "Session", "A session that is there already; needs instance_url as well.", secret=True),
        Setting("instance_url", "Instance URL", "The instance of that session.", pattern="^https?://"),
        Setting("api_version", "API version", "Of the REST API.", default="67.0", pattern=r"^\d+\.0$"),
        Setting(
            "bulk_above",
            "Bulk above",
            "Rows above which reading and writing is done by Bulk 2.0 jobs; 0: never.",
            default=10000,
            schema={"type": "integer", "minimum": 0},
        ),
    ),
    quota=Quota(usage="Sforce-Limit-Info"),
    style=Rest(message=words, code=("0.errorCode", "error"), kind=limited),
    check=Read(f"{BASE}/limits"),
    account="{base_url}",  # each org has a domain of its own
    discover=objects,
    complete=True,
    resources=(
        sobject("Account"),
        sobject("Contact"),
        sobject("Lead"),
        sobject("Opportunity"),
        sobject("Case"),
        sobject("Task"),
        sobject("Event"),
        sobject("Campaign"),
        sobject("User"),
        sobject("Product2"),
    ),
)
