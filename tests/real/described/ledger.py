"""The small API of `oidc_server.mjs`, as a user would describe it: a source to read, copies to write, a log-in before both."""

from antiphon import schema
from antiphon.api import Api, Read, Resource, Setting, Write
from antiphon.auth import OAuth2
from antiphon.paging import Cursor

WORDS = {"id": "integer!", "name": "string"}

ledger = Api(
    "ledger",
    "Ledger",
    "{url}/api",
    auth=OAuth2(
        "{url}/token",
        authorize_url="{url}/auth?prompt=consent",
        device_url="{url}/device/auth",
        scope="openid offline_access",
        grant={"grant_type": "client_credentials"},
        client_auth="client_secret_basic",
    ),
    settings=(
        Setting("url", "URL", "Of the provider.", required=True),
        Setting("client_id", "Client", "Of the app.", required=True),
        Setting("client_secret", "Secret", "Of the app.", secret=True),
    ),
    check=Read("/me"),
    resources=(
        Resource("source", schema.record(WORDS), read=Read("/source", records="rows", paging=Cursor("next", "after"))),
        Resource(
            "copies",
            schema.record({"id": "integer!", "name": "string", "number": "integer"}, readonly=["id"]),
            create=Write("/copies", body="{record}"),
        ),
    ),
)
