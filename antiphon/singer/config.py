"""The settings of a plugin: the JSON Schema they have, where they come from, and what is refused.

A plugin has the settings of its API, those of any connection, some of its own, and those that the SDK gives to every plugin. The
first two are looked up as a connection's (:func:`antiphon.connection.settings`); the others belong to the plugin alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.helpers.capabilities import (
    ADD_RECORD_METADATA_CONFIG,
    FLATTENING_CONFIG,
    STREAM_MAPS_CONFIG,
    TARGET_BATCH_SIZE_ROWS_CONFIG,
    TARGET_VALIDATE_RECORDS_CONFIG,
)
from singer_sdk.plugin_base import PluginBase

from antiphon import connection
from antiphon.api import JSON, Api, Setting
from antiphon.connection import Settings
from antiphon.errors import SettingError
from antiphon.schema import types

#: The settings that the SDK gives to plugins.
SDK_SETTINGS: tuple[str, ...] = tuple(
    name
    for builtin in (
        STREAM_MAPS_CONFIG,
        FLATTENING_CONFIG,
        ADD_RECORD_METADATA_CONFIG,
        TARGET_BATCH_SIZE_ROWS_CONFIG,
        TARGET_VALIDATE_RECORDS_CONFIG,
    )
    for name in builtin["properties"]
)

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})

_CONNECTION = {
    "type": "string",
    "title": "Connection",
    "description": "The name of the connection whose settings are used; the API's name unless given.",
}


def settings_schema(
    api: Api, *, reading: bool, extra: Mapping[str, Mapping[str, JSON]] | None = None
) -> dict[str, Any]:
    """Return the JSON Schema of a plugin's settings, for ``config_jsonschema``.

    *reading* tells a tap from a target. *extra* are the plugin's own settings: names to JSON Schemas.
    """
    own = [s for s in api.settings if (s.reading if reading else s.writing)]
    properties: dict[str, Any] = {s.name: _property(s) for s in own}
    properties |= {name: dict(schema) for name, schema in (extra or {}).items()}
    properties["connection"] = dict(_CONNECTION)
    properties |= {s.name: _property(s) for s in api.all_settings if s not in api.settings}
    required = [s.name for s in own if s.required and s.default is None]
    return {"type": "object", "properties": properties, "required": required}


def resolve(
    api: Api,
    plugin_config: Mapping[str, Any],
    *,
    plugin_name: str,
    extra_names: Iterable[str] = (),
    check: bool = True,
) -> Settings:
    """Return the settings of the connection that *plugin_config* names or describes.

    *extra_names* are the plugin's other settings; the SDK's are known. With *check* false a setting may be missing (see :func:`missing`); nothing else
    is let through then.

    Raises:
        SettingError: one is unknown or wrong, or is missing; the text names its variables.
    """
    return _resolved(api, plugin_config, plugin_name, [*extra_names, *SDK_SETTINGS], check=check)


def _resolved(
    api: Api, plugin_config: Mapping[str, Any], plugin_name: str, others: Iterable[str], *, check: bool
) -> Settings:
    connection.refuse_unknown(list(plugin_config), api, plugin_name, also=["connection", *others])
    named = connection.of_plugin(plugin_config, plugin_name, "connection")
    name = str(named or api.name)
    if named:
        connection.refuse_other_api(name, api, plugin_name)
    given = {
        setting.name: typed(value, setting.schema)
        for setting in api.all_settings
        if (value := connection.of_plugin(plugin_config, plugin_name, setting.name)) is not None
    }
    found = connection.settings(name, given, api=api, check=False)
    if absent := missing(found):
        if not check:
            return found
        setting = absent[0]
        titled = f" ({setting.title})" if setting.title else ""
        variables = [connection.variable(owner, setting.name) for owner in (plugin_name, name)]
        hint = f"Give it in the config, or as the variable {' or '.join(variables)}."
        raise SettingError(f"{plugin_name}: the setting {setting.name}{titled} is missing", hint=hint)
    return connection.settings(name, given, api=api)


def missing(found: Settings) -> list[Setting]:
    """Return the settings that are required and have no value."""
    return [
        s for s in found.api.settings if s.required and s.default is None and found.values.get(s.name) in (None, "")
    ]


def validated(
    plugin: type[PluginBase], api: Api, plugin_config: Mapping[str, Any], *, check: bool = True
) -> tuple[Settings, dict[str, Any]]:
    """Return the settings of *plugin*'s connection, and its whole config: defaults filled in, text read as the setting's type.

    Settings that are absent from *plugin_config* are looked for in the environment (``TAP_HUBSPOT_START_DATE``).

    Raises:
        SettingError: see :func:`resolve`; or one of the plugin's own settings is wrong.
    """
    schema = plugin.config_jsonschema
    plugin.append_builtin_config(schema)
    connections = {s.name for s in api.all_settings}
    own = {name: field for name, field in schema["properties"].items() if name not in connections}
    found = _resolved(api, plugin_config, plugin.name, own, check=check)
    config = dict(plugin_config)
    for name, field in own.items():
        value = connection.of_plugin(plugin_config, plugin.name, name)
        if value is None:
            value = field.get("default")
        if value is not None:
            config[name] = typed(value, field)
            connection.refuse_misfit(plugin.name, name, field, config[name])
    return found, config


def of_environment(plugin: type[PluginBase]) -> dict[str, Any]:
    """Return the settings of *plugin* that variables give, or a ``.env`` file, as texts: :func:`validated` reads them as what they are to be."""
    schema = plugin.config_jsonschema
    plugin.append_builtin_config(schema)
    texts = {"properties": {name: {"type": "string"} for name in schema["properties"]}}
    prefix = connection.variable(plugin.name, "")
    return {name: value for name, value in parse_environment_config(texts, prefix).items() if value}


def typed(value: JSON, schema: Mapping[str, Any]) -> JSON:
    """Return *value*, read as *schema*'s type if it is a text where no text is due: ``"5"``, ``"true"``, ``"[1, 2]"``.

    What cannot be read so is returned as it is, to be refused by its schema.
    """
    kinds = types(schema)
    if not isinstance(value, str) or not kinds or "string" in kinds:
        return value
    word = value.strip().lower()
    if "boolean" in kinds and word in _TRUE | _FALSE:
        return word in _TRUE
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


def _property(setting: Setting) -> dict[str, Any]:
    found: dict[str, Any] = {**setting.schema, "title": setting.title, "description": setting.description}
    if setting.secret:
        found["secret"] = found["writeOnly"] = True
    if setting.pattern:
        found["pattern"] = setting.pattern
    if setting.example:
        found["examples"] = [setting.example]
    if setting.default is not None:
        found["default"] = setting.default
    return {key: value for key, value in found.items() if value != ""}
