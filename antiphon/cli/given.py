"""What a user gives on the command line: fields as ``name=text`` and ``name:=json``, settings, and JSON from a file or a pipe."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from antiphon import apis
from antiphon.api import Api
from antiphon.api.wire import decode
from antiphon.connection import (
    Connection,
    Settings,
    converted,
    of_plugin,
    refuse_other_api,
    refuse_unknown,
    settings,
    variable,
)
from antiphon.errors import SettingError

Command = TypeVar("Command", bound=Callable[..., Any])

#: Stands for a command's first argument; the group puts it there.
api_option = click.option(
    "--api",
    metavar="FILE",
    expose_value=False,
    help="A file that describes the API; then no connection or API is named.",
)
_set = click.option(
    "--set", "pairs", multiple=True, metavar="NAME=VALUE", help="A setting, repeatable. Secrets go into variables."
)
_config = click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="A JSON file with settings of the connection."
)
_PAIR = re.compile(r"(.+?)(:=|==|=)(.*)", re.DOTALL)


def settings_options(command: Command) -> Command:
    """Give *command* the options for settings: ``pairs`` and ``config``."""
    return _set(_config(command))


def decoded(text: str | bytes, where: str) -> Any:
    """Return the JSON in *text*, its fractions as Decimals.

    Raises:
        click.UsageError: it is none; *where* says what was read.
    """
    try:
        return decode(text)
    except InvalidOperation:  # more than a Decimal holds
        raise click.UsageError(f"{where} holds a number whose exponent is too long to be read.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{where} is no JSON: {error}.") from None


def pair(text: str, *, query: bool = False) -> tuple[str, str, Any]:
    """Return name, separator and value of ``name=text`` or ``name:=json``; with *query* also of ``name==text``.

    Raises:
        click.UsageError: *text* is none of these.
    """
    found = _PAIR.fullmatch(text)
    if not found:
        raise click.UsageError(f'"{text}" is no field: write name=text, or name:=json for numbers, lists and objects.')
    name, sign, value = found[1], found[2], found[3]
    if sign == "==" and not query:
        sign, value = "=", f"={value}"
    return name, sign, decoded(value, f"the value of {name}") if sign == ":=" else value


def fields(pairs: Sequence[str], data: str | None = None) -> dict[str, Any]:
    """Return a record from *pairs* and from *data*: an object as JSON, or ``-`` to read one from stdin.

    Raises:
        click.UsageError: one of them cannot be read, or there is no field at all.
    """
    record: dict[str, Any] = {}
    if data is not None:
        found = body(data)
        if not isinstance(found, dict):
            raise click.UsageError("--data takes one JSON object.")
        record.update(found)
    record.update({name: value for name, _, value in map(pair, pairs)})
    if not record:
        raise click.UsageError("No fields were given: write name=text, or --data with a JSON object.")
    return record


def body(data: str) -> Any:
    """Return the JSON that ``--data`` gives, from stdin for ``-``."""
    return decoded(sys.stdin.buffer.read(), "stdin") if data == "-" else decoded(data, "--data")


def opened(name: str, pairs: Sequence[str], config: Path | None, *, api: Api | None = None) -> Connection:
    """Return the connection *name*, see :func:`found`."""
    return Connection(found(name, pairs, config, api=api))


def found(
    name: str, pairs: Sequence[str], config: Path | None, *, api: Api | None = None, check: bool = True
) -> Settings:
    """Return the settings of the connection *name*: those given by *pairs*, then by the file *config*, then as usual.

    With an *api* it is to that one, and *name* is what the user calls it. The file may be the config of a tap or a target: what it
    says of those alone is passed over. The connection it names is meant where *name* says only which API it is to.

    Raises:
        SettingError: a setting is unknown or wrong, or missing unless *check* is false.
        Unknown: there is no such connection or API.
    """
    return _found(name, pairs, stored(config), str(config), api=api, check=check)


def of_target(name: str, pairs: Sequence[str], config: Path | None) -> tuple[Settings, str]:
    """Return the settings with which a target writes through the connection *name*, and its pipeline, if it has one; none need be there.

    They are those of :func:`found`, and of the target's own variables (``TARGET_HUBSPOT_STATE_DIR``), which count for less than its *config*.
    A target is told by ``--config ENV`` that there are these alone.
    """
    in_file = {} if str(config) == "ENV" else stored(config)
    given = {**in_file, **{name: value for name, _, value in map(pair, pairs)}}
    known = settings(name, api=given.get("api"), check=False).api
    plugin = f"target-{known.name if known.name in apis.shipped() else 'universal'}"
    names = ("connection", "pipeline", *(setting.name for setting in known.all_settings))
    values = {key: value for key in names if (value := of_plugin(in_file, plugin, key)) is not None}
    where = str(config) if "connection" in in_file else variable(plugin, "connection")
    return _found(name, pairs, {**in_file, **values}, where, check=False), str(values.get("pipeline") or "")


def _found(
    name: str, pairs: Sequence[str], stored_in: Mapping[str, Any], where: str, *, api: Api | None = None, check: bool
) -> Settings:
    """Return the settings of the connection *name*: given by *pairs*, *stored_in* a plugin's config; *where* names a connection it says."""
    given = {**stored_in, **{name: value for name, _, value in map(pair, pairs)}}
    named = given.pop("api", None)
    by_name = (
        replace(settings(api.name, api=api, check=False), called=name)
        if api
        else settings(name, api=named, check=False)
    )
    known = by_name.api
    own = {setting.name for setting in known.all_settings}
    others = _of_plugins() if stored_in.keys() - own - {"api"} else frozenset()
    given = {key: value for key, value in given.items() if key in own or key not in stored_in or key not in others}
    refuse_unknown([*given], known, by_name.name, also=others)
    for key, value in given.items():
        if isinstance(value, str):
            given[key] = converted(value, known.setting(key))
    if (connection := stored_in.get("connection")) and by_name.name == known.name:
        refuse_other_api(str(connection), known, where)
        return settings(str(connection), given, api=known, check=check)
    return replace(settings(by_name.name, given, api=known, check=check), called=by_name.called)


def _of_plugins() -> frozenset[str]:
    """Return the names of the settings that taps and targets have besides those of their connection."""
    from antiphon.singer.config import SDK_SETTINGS  # noqa: PLC0415 - the SDK, which no command needs but for this
    from antiphon.singer.plan import SETTINGS as OF_TARGETS  # noqa: PLC0415
    from antiphon.singer.tap import SETTINGS as OF_TAPS  # noqa: PLC0415

    return frozenset({"connection", *OF_TARGETS, *OF_TAPS, *SDK_SETTINGS})


def stored(path: Path | None) -> dict[str, Any]:
    """Return the settings in a JSON file, if there is one: an object, or as the sandbox prints it, one under ``config``.

    Raises:
        SettingError: it cannot be read, or holds something else.
    """
    if path is None:
        return {}
    try:
        found = decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise SettingError(f"{path}: cannot be read: {error.strerror}") from None
    except click.UsageError as error:
        raise SettingError(error.message) from None
    if isinstance(found, dict) and isinstance(found.get("config"), dict):
        found = found["config"]
    if not isinstance(found, dict):
        raise SettingError(f"{path}: expected a JSON object of settings")
    return found
