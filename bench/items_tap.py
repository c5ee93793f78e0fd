"""The mock's items as an API of ours, and a tap on it. Where it answers is the setting ``base_url``."""

from __future__ import annotations

from writing import SCHEMA

from antiphon.api import Api, Read, Resource
from antiphon.paging import Page
from antiphon.singer.tap import Tap

ITEMS = Read("/items", records="data", paging=Page(size=("per_page", 1000), overlap=False))
MOCK = Api(
    "mock",
    "Mock",
    "http://127.0.0.1",
    resources=(Resource("items", SCHEMA, updated="updated_at", read=ITEMS),),
)


class TapMock(Tap):
    """Reads items."""

    api = MOCK


if __name__ == "__main__":
    TapMock.cli()
