"""Writes ``plugins/<plugin>.yml``: each tap and target as Meltano wants it declared, drawn from the plugin itself.

``namespace`` and ``executable`` without ``pip_url`` let Meltano run what is installed beside it, and ask no hub. A default is
shown as the placeholder and not given as the value: what Meltano passes on would hide the connection's own setting.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import yaml
from singer_sdk.plugin_base import PluginBase

from antiphon.launch import plugin
from antiphon.singer.config import SDK_SETTINGS

FOLDER = Path(__file__).parent.parent / "plugins"
HEAD = "# Made from the plugin by `make meltano`. Give it settings in meltano.yml, not here.\n"
_KINDS = {"number": "decimal", "integer": "integer", "boolean": "boolean", "object": "object", "array": "array"}
_CAPABILITIES = {
    "extractors": {
        "catalog",
        "discover",
        "state",
        "about",
        "test",
        "stream-maps",
        "schema-flattening",
        "structured-logging",
    },
    "loaders": {"about", "stream-maps", "schema-flattening", "hard-delete", "structured-logging"},
}
"""Those of ours that Meltano has a word for."""


def plugins() -> Iterator[type[PluginBase]]:
    """Yield the classes behind the console scripts, in the order of their names."""
    for script in sorted(distribution("antiphon").entry_points, key=lambda script: script.name):
        if script.group == "console_scripts" and script.name.startswith(("tap-", "target-")):
            yield plugin(script.name.replace("-", "_"))


def declared(found: type[PluginBase]) -> dict[str, Any]:
    """Return what goes into Meltano's project file for a plugin."""
    kind = "extractors" if found.name.startswith("tap-") else "loaders"
    of_the_plugin = {
        "name": found.name,
        "namespace": found.name.replace("-", "_"),
        "label": found.description().title,  # type: ignore[attr-defined]
        "description": (found.__doc__ or "").strip().split("\n")[0],
        "executable": found.name,
        "capabilities": [str(c.value) for c in found.capabilities if str(c.value) in _CAPABILITIES[kind]],
        "settings_group_validation": [list(found.config_jsonschema["required"]), ["connection"]],
        "settings": [setting(name, schema) for name, schema in settings(found).items()],
    }
    return {"plugins": {kind: [of_the_plugin]}}


def settings(found: type[PluginBase]) -> dict[str, Any]:
    """Return the JSON Schemas of all settings of a plugin by name: its own and, after them, the SDK's."""
    whole = copy.deepcopy(found.config_jsonschema)
    found.append_builtin_config(whole)
    return dict(whole["properties"])


def setting(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return one setting, as Meltano describes it, from its JSON Schema."""
    found: dict[str, Any] = {"name": name, "label": schema.get("title", name), "kind": kind(schema)}
    if schema.get("secret"):
        found["sensitive"] = True
    if "enum" in schema:
        found["options"] = [{"label": value, "value": value} for value in schema["enum"]]
    if schema.get("description"):
        found["description"] = schema["description"]
    if isinstance(schema.get("default"), str | int | float) and name not in SDK_SETTINGS:
        found["placeholder"] = str(schema["default"])
    return found


def kind(schema: Mapping[str, Any]) -> str:
    """Return Meltano's word for a setting's type."""
    named = schema.get("type", "string")
    types = [name for name in ([named] if isinstance(named, str) else named) if name != "null"]
    if "enum" in schema:
        return "options"
    if schema.get("format") == "date-time":
        return "date_iso8601"
    return _KINDS.get(types[0], "string") if len(types) == 1 else "string"


def text(found: type[PluginBase]) -> str:
    """Return the file of a plugin."""
    return HEAD + yaml.safe_dump(declared(found), sort_keys=False, allow_unicode=True, width=120)


def main() -> None:
    """Write them all; that of a plugin that is gone goes."""
    FOLDER.mkdir(exist_ok=True)
    written = []
    for found in plugins():
        written.append(FOLDER / f"{found.name}.yml")
        written[-1].write_text(text(found), "utf-8")
        print(written[-1].relative_to(FOLDER.parent))
    for old in set(FOLDER.glob("*.yml")) - set(written):
        old.unlink()


if __name__ == "__main__":
    main()
