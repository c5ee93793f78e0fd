"""The smallest API there is, for tests that need one."""

from __future__ import annotations

from typing import Any

import requests
import requests_mock

from antiphon import schema
from antiphon.api import Api, Read, Resource, Setting, Write
from antiphon.auth import Bearer
from antiphon.client import Client
from antiphon.outcome import Change

URL = "https://api.example.org"
TOKEN = "t0k3n-of-mine"

PEOPLE = schema.record({"id": "integer!", "name": "string", "email": "string", "updated": "date-time"}, readonly=["id"])


def people(name: str = "people", **slots: Any) -> Resource:
    """Return a resource; unless told otherwise it lists ``/people``."""
    slots = {"schema": PEOPLE, "read": Read("/people", records="results"), **slots}
    return Resource(name, **slots)


def an_api(*resources: Resource, **more: Any) -> Api:
    """Return an API with a token and the *resources*."""
    given = {
        "base_url": URL,
        "auth": Bearer(),
        "settings": (Setting("access_token", "Token", secret=True, required=True),),
        **more,
    }
    return Api("tiny", "Tiny", resources=resources, **given)


def a_client(api: Api | None = None, session: requests.Session | None = None, **settings: Any) -> Client:
    """Return a client of *api*; its token is the one above unless *settings* hold another."""
    return Client(api or an_api(people()), {"access_token": TOKEN, **settings}, session=session)


def mounted(adapter: requests_mock.Adapter) -> requests.Session:
    """Return a new session that ends at *adapter*, for tests that run many times."""
    session = requests.Session()
    session.mount("https://", adapter)
    return session


def changes(*records: dict[str, Any], key: str = "id") -> list[Change]:
    """Return a change for each of the *records*, known by its *key* where it has one."""
    return [Change(r, id=None if r.get(key) is None else str(r[key])) for r in records]


def writes(**slots: Any) -> Resource:
    """Return a resource that can be written: one record a request unless *slots* say otherwise."""
    return people(**{"create": Write("/people"), **slots})
