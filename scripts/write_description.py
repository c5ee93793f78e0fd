"""Writes what is drawn from the types of a description: its JSON Schema for editors, and the tables of kinds in docs/describe.md."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from antiphon import api, description
from antiphon.auth import Step
from antiphon.condition import Condition
from antiphon.description import shapes
from antiphon.description.completion import explained, summary
from antiphon.style import Cost

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "antiphon" / "description" / "schema.json"
PAGE = ROOT / "docs" / "describe.md"
TYPES: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        api.Api, api.Resource, api.Read, api.Then, api.Write, api.Setting, api.RateLimit, api.LimitHeaders, api.Quota, Step,
        Condition, Cost,
    )
}  # fmt: skip
"""What has a table of its own, besides the kinds."""
_TITLES = {"RateLimit": "limits", "LimitHeaders": "headers of a limit"}
_TABLE = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- /\2 -->)", re.DOTALL)


def schema() -> str:
    """Return the text of the JSON Schema."""
    return msgspec.json.format(msgspec.json.encode(description.json_schema()), indent=1).decode() + "\n"


def filled(page: str) -> str:
    """Return *page* with its tables of kinds as the registries have them."""
    return _TABLE.sub(lambda found: f"{found[1]}{_table(found[2])}{found[3]}", page)


def _table(name: str) -> str:
    if cls := TYPES.get(name):
        fields = ((field, explained(cls).get(field, "")) for field in shapes.fields(cls))
        return f"| {_TITLES.get(name, name.lower())} | |\n|---|---|\n" + "".join(
            f"| `{f}` | {_cell(said)} |\n" for f, said in fields
        )
    rows = (f"| `{word}` | {_cell(summary(cls))} | {_fields(cls)} |\n" for word, cls in shapes.kinds(name).items())
    return "| kind | what it is | what can be said of it |\n|---|---|---|\n" + "".join(rows)


def _fields(cls: type) -> str:
    said = explained(cls)
    fields = (field for field in shapes.fields(cls).values() if not isinstance(field.shape, shapes.Function))
    shown = (
        f"`{field.name}`{'' if not field.required else ' (needed)'}{_said(said.get(field.name))}" for field in fields
    )
    return _cell("<br>".join(shown))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _said(text: str | None) -> str:
    return f": {text.rstrip('.')}" if text else ""


if __name__ == "__main__":
    SCHEMA.write_text(schema(), "utf-8")
    if PAGE.exists():
        PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
