"""A plugin for any API: the setting ``api`` says which, and from that one the plugin is drawn once its config is known."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import new_class
from typing import Any, TypeVar

import singer_sdk
from singer_sdk.plugin_base import PluginBase

from antiphon import apis, connection
from antiphon.api import COMMON_SETTINGS, Api, Setting
from antiphon.errors import DescriptionError, SettingError, Unknown
from antiphon.singer import config as plugin_config

Plugin = TypeVar("Plugin", bound=PluginBase)

#: What stands for the API of a plugin before its config is known.
ANY = Api(
    "universal",
    title="Any API",
    base_url="{base_url}",
    settings=(
        Setting(
            "api",
            "API",
            "A file that describes the API (YAML, JSON, or Python that holds an Api), the name of one that is installed, "
            "or the description itself.",
            required=True,
            example="./my_api.yaml",
            schema={"anyOf": [{"type": "string"}, {"type": "object"}]},  # so that the SDK takes no path for JSON
        ),
    ),
)


def drawn(plugin: type[Plugin], config: object, *, check: bool = True) -> type[Plugin]:
    """Return *plugin* as it is for the API that its *config* or environment names; a plugin for one API as it is.

    With *check* false the API need not be named.

    Raises:
        SettingError: neither ``api`` nor ``connection`` is given, or a target is to write where nothing can be written.
        DescriptionError: the API's description is wrong, or not there, or has a setting that is the plugin's.
        Unknown: there is no such API.
    """
    if vars(plugin).get("api") is not ANY:
        return plugin
    api = _api(plugin.name, config if isinstance(config, Mapping) else {})
    if api is None:
        if not check:
            return plugin
        variable = connection.variable(plugin.name, "api")
        hint = f"Give a file such as ./my_api.yaml, or a name, in the config or as the variable {variable}."
        raise SettingError(
            f"{plugin.name}: the setting api is missing", hint=f"{hint} Names: {', '.join(apis.names())}."
        )
    if not (api.writable or api.discover if issubclass(plugin, singer_sdk.Target) else api.readable):
        doing = "written" if issubclass(plugin, singer_sdk.Target) else "read"
        raise SettingError(f"{plugin.name}: by its description, nothing of {api.title} can be {doing}")
    taken = plugin.config_jsonschema["properties"].keys() - {setting.name for setting in COMMON_SETTINGS}
    for setting in api.settings:
        if setting.name in taken:
            said = (
                f'{plugin.name}: the setting "{setting.name}" of {api.title} has the name of one of the plugin\'s own'
            )
            raise DescriptionError(said, hint="Call it otherwise in the description.")
    kept = {"api": api, "__doc__": plugin.__doc__, "__module__": plugin.__module__}
    found: type[Plugin] = new_class(plugin.__name__, (plugin,), exec_body=lambda names: names.update(kept))
    found.name = plugin.name
    which = plugin.config_jsonschema["properties"]["api"]
    found.config_jsonschema["properties"] = {"api": which, **found.config_jsonschema["properties"]}
    return found


def _api(plugin_name: str, config: Mapping[str, Any]) -> Api | None:
    setting, named = (
        config.get(name) or os.environ.get(connection.variable(plugin_name, name)) for name in ("api", "connection")
    )
    if setting:
        try:
            return apis.load(plugin_config.typed(setting, {"type": "object"}))
        except (DescriptionError, Unknown) as error:
            raise type(error)(f"{plugin_name}: the setting api: {error.message}", hint=error.hint) from error
    return connection.settings(named, check=False).api if named else None
