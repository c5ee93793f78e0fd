"""Connections: a name, an API and its settings. One connection reads and writes.

Settings come, first found first, from

1. what is given explicitly (keywords, a plugin's config),
2. ``TAP_…`` / ``TARGET_…`` variables (a plugin's; read by the Singer SDK),
3. variables named after the connection: ``CRM_ACCESS_TOKEN`` for the setting ``access_token`` of the connection ``crm``,
4. a connections file: ``connections.yaml`` in the working folder, else in the user's configuration folder
   (``$XDG_CONFIG_HOME/antiphon``). It maps names to settings, with ``api`` for the API: its name, or a file that describes it, relative to
   the connections file; a secret may be ``{env: NAME}``.

This module is the only one of the library that reads the environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from antiphon import apis, moment
from antiphon.api import Api, Query, Record, Resource, Setting
from antiphon.client import Client, doing_word
from antiphon.errors import Lost, NotFound, Refused, SettingError, Unknown, did_you_mean
from antiphon.fill import fill
from antiphon.outcome import Change, Kind, Outcome
from antiphon.schema import misfit, said, shown

if TYPE_CHECKING:
    import requests

    from antiphon.writeback.ledger import Ledger, Payload

CONNECTIONS_FILE = "connections.yaml"


@dataclass(frozen=True)
class Settings:
    """The settings of one connection, found and checked."""

    name: str
    api: Api
    values: Mapping[str, Any]
    called: str
    """What the user calls it: its name, or the file that describes its API."""

    def client(self, *, session: requests.Session | None = None) -> Client:
        """Return the way to the API with these settings."""
        name = re.sub(r"[^A-Za-z0-9._-]", "_", self.name)
        return Client(
            self.api,
            self.values,
            session=session,
            folder=self.state_dir / name,
            connection=self.called,
            counted=self._counted(),
        )

    def _counted(self) -> list[Path]:
        """Return the folders in which calls may be counted, the user's own first: an account has one limit, whatever the state folder is."""
        folders = [self.state_dir]
        with suppress(RuntimeError):  # a user without a home
            folders.insert(0, state_dir())
        return [folder / "limits" for folder in dict.fromkeys(folders)]

    @property
    def state_dir(self) -> Path:
        """The folder for what this connection keeps: ledger, rejects, tokens.

        Raises:
            SettingError: a URL was given, perhaps with a password in it.
        """
        given = self.values.get("state_dir")
        if given and re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", given):
            said = f"{self.name}: the setting state_dir cannot be a URL: what is kept are files in a folder"
            raise SettingError(said, hint="Give the path of a folder on this machine.")
        return state_dir(given)

    @property
    def host(self) -> str:
        """The server spoken to, where the name of the connection does not say which: it is not the usual one of an API of ours."""
        usual = apis.load(self.api.name).base_url if self.api.name in apis.shipped() else ""
        address = str(self.values.get("base_url") or self.api.base_url)
        return "" if address == usual else urlsplit(str(fill(address, self.values))).netloc.rpartition("@")[2]

    @property
    def ledger_path(self) -> Path:
        """Where the ledger of this connection to its server is."""
        from antiphon.writeback.store import file_name  # noqa: PLC0415

        return self.state_dir / file_name(self.name, self.host)

    def ledger(self, *, payload: Payload = "full") -> Ledger:
        """Open the ledger of what was written through this connection; *payload* says what it may keep of records."""
        from antiphon.writeback.ledger import Ledger  # noqa: PLC0415 - a one-liner needs none

        return Ledger(self.state_dir, self.name, self.host, payload=payload)


def state_dir(given: str | None = None) -> Path:
    """Return the folder *given*, or the user's state folder (``$XDG_STATE_HOME/antiphon``)."""
    if given:
        return Path(given).expanduser()
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "antiphon"


def settings(
    name: str | os.PathLike[str],
    given: Mapping[str, Any] | None = None,
    *,
    api: Api | apis.Reference | None = None,
    check: bool = True,
) -> Settings:
    """Return the settings of the connection *name*, looked up and checked.

    *api* is needed where neither *name* nor the connections file tells which one it is. Where *name* is a file that describes an API,
    the connection is called as the API is. Unless *check* is false:

    Raises:
        SettingError: one is missing (the text names it and its variable), unknown, or wrong.
        Unknown: there is no such connection or API.
        DescriptionError: the file that describes the API is wrong, or not there.
    """
    called = name = str(name)
    if apis.is_file(name) and not isinstance(api, Api):
        api = apis.load(name)
        name = api.name
    stored, file = _stored(name)
    known = api if isinstance(api, Api) else apis.load(api) if api else _api_of(name, stored, file)
    values: dict[str, Any] = {}
    for setting in known.all_settings:
        value = dict(given or {}).get(setting.name)
        if value in (None, ""):
            value = _variable(name, setting)
        if value is None:
            value = _resolved(stored.get(setting.name), setting, f"{file}: {name}")
        if value not in (None, ""):
            values[setting.name] = value
    if check:
        refuse_unknown([*dict(given or {}), *(key for key in stored if key != "api")], known, name)
        _check(known, name, values)
    return Settings(name, known, values, called)


def refuse_unknown(names: Iterable[str], api: Api, where: str, also: Iterable[str] = ()) -> None:
    """Raise :class:`SettingError` for a setting that *api* does not have; *also* are further ones that are right."""
    known = {s.name for s in api.all_settings} | set(also)
    for name in names:
        if name not in known:
            raise SettingError(f'{where}: there is no setting "{name}"', hint=did_you_mean(name, known))


def refuse_other_api(name: str, api: Api, where: str) -> None:
    """Raise :class:`SettingError` where the connection *name* is one to another than *api*: its credentials are not for that one."""
    try:
        other = settings(name, check=False).api
    except Unknown:  # described nowhere: its settings are in a config, or in variables
        return
    if other.name != api.name:
        hint = f"Name a connection to {api.title}, or use what is for {other.title}."
        raise SettingError(f'{where}: the connection "{name}" is one to {other.title}', hint=hint)


def variable(connection: str, setting: str) -> str:
    """Return the name of the environment variable for a *setting* of *connection*: ``CRM_ACCESS_TOKEN``."""
    return re.sub(r"\W", "_", f"{connection}_{setting}").upper()


def of_plugin(config: Mapping[str, Any], plugin: str, name: str) -> Any:
    """Return the setting *name* of a *plugin*: what its *config* says, else its variable (``TARGET_HUBSPOT_PIPELINE``); None if neither does."""
    value = config.get(name)
    return value if value is not None else os.environ.get(variable(plugin, name)) or None


def _variable(connection: str, setting: Setting) -> Any:
    text = os.environ.get(variable(connection, setting.name))
    if text is None or text == "":
        return None
    return converted(text, setting)


def converted(text: str, setting: Setting) -> Any:
    """Return *text* as the setting's type wants it: a number, a flag, or JSON for lists and objects."""
    import msgspec  # noqa: PLC0415

    kind = setting.schema.get("type", "string")
    if kind == "string" or not isinstance(kind, str):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _check(api: Api, name: str, values: Mapping[str, Any]) -> None:
    for setting in api.all_settings:
        value = values.get(setting.name)
        if value is None or value == "":
            if setting.required and setting.default is None:
                hint = f"Give it in the config, or as the variable {variable(name, setting.name)}."
                raise SettingError(f"{name}: the setting {setting.name} ({setting.title}) is missing", hint=hint)
            continue
        schema = {**setting.schema, **({"pattern": setting.pattern} if setting.pattern else {})}
        refuse_misfit(name, setting.name, schema, value, secret=setting.secret, example=setting.example)


def refuse_misfit(
    where: str, name: str, schema: Mapping[str, Any], value: Any, *, secret: bool = False, example: str = ""
) -> None:
    """Raise :class:`SettingError` where *value* is not valid by the *schema* of the setting *name*; what is *secret* is not shown."""
    why = hint = ""
    if error := misfit(schema, value):
        plain = secret or error.validator == "pattern"
        why, hint = ("it is not of the right form", "") if plain else said(error)
        name, value = ".".join(map(str, (name, *error.absolute_path))), error.instance
    elif schema.get("format") == "date-time":
        try:
            moment.parse(value)
        except (ValueError, OverflowError):
            why, hint = "it is no time", "Give a date, or a time such as 2026-01-31T09:05:00Z."
    if why or hint:
        given = "what was given" if secret else shown(value)
        hint = hint or (f"For example: {example}" if example else "")
        raise SettingError(f"{where}: the setting {name} cannot be {given}{why and f': {why}'}", hint=hint)


def _api_of(name: str, stored: Mapping[str, Any], file: Path) -> Api:
    """Return the API of a connection: what its entry in the connections *file* says, else the one of that name."""
    try:
        return apis.load(stored["api"], folder=file.parent) if "api" in stored else apis.load(name)
    except Unknown as error:
        if "api" in stored:
            said = f'{CONNECTIONS_FILE}: {name}: there is no API "{stored["api"]}"'
            raise Unknown(said, hint=error.hint) from None
        if stored:
            said = f"{CONNECTIONS_FILE}: {name} does not say which API it is to"
            raise SettingError(said, hint=f"Give it as api. {error.hint}") from None
        hint = f"{error.hint} Or describe the connection in {CONNECTIONS_FILE}."
        raise Unknown(f'there is no connection and no API "{name}"', hint=hint) from None


def connections_files() -> list[Path]:
    """Return where connections files are looked for, first first."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return [Path(CONNECTIONS_FILE), Path(home) / "antiphon" / CONNECTIONS_FILE]


def _stored(name: str) -> tuple[dict[str, Any], Path]:
    """Return what the connections files say of the connection, and which of them does."""
    for path in connections_files():
        if path.is_file():
            found = _file(path)
            if name in found:
                return found[name], path
    return {}, Path(CONNECTIONS_FILE)


def _file(path: Path) -> dict[str, dict[str, Any]]:
    import yaml  # noqa: PLC0415

    try:
        found = yaml.safe_load(path.read_text("utf-8")) or {}
    except OSError as error:
        raise SettingError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, ValueError) as error:  # its text quotes the file, and with it perhaps a secret
        mark = getattr(error, "problem_mark", None)
        raise SettingError(f"{path}: not readable as YAML{f', line {mark.line + 1}' if mark else ''}") from None
    if not isinstance(found, dict) or not all(isinstance(value, dict) for value in found.values()):
        raise SettingError(f"{path}: expected a mapping of connection names to their settings")
    return found


def _resolved(value: Any, setting: Setting, where: str) -> Any:
    if isinstance(value, dict) and set(value) == {"env"}:
        found = os.environ.get(str(value["env"]))
        if found is None:
            raise SettingError(f"{where}.{setting.name}: the variable {value['env']} is not set")
        return converted(found, setting)
    return value


class Connection:
    """One account of one API, in one-liners: ``connect("hubspot").add("contact", email="a@example.org")``.

    Every method takes the resource's name or an alias, fields as a dict or as keywords, and returns what the API returned.
    """

    def __init__(self, found: Settings, *, session: requests.Session | None = None) -> None:
        """Use the settings *found*; nothing is sent yet."""
        self.name = found.name
        self.api = found.api
        self.client = found.client(session=session)

    def __repr__(self) -> str:
        """Show name and API, no setting."""
        return f"<connection {self.name} to {self.api.title}>"

    def resources(self) -> list[Resource]:
        """Return all resources, those that only the API knows of included."""
        found = self.client.discovered()
        return found if self.api.complete and found else [*self.api.resources, *found]

    def check(self) -> None:
        """Raise an error unless the connection works."""
        self.client.check()

    def read(self, resource: str, *, since: str | None = None, fields: Sequence[str] | None = None) -> Iterator[Record]:
        """Yield the records of *resource*: all, or those changed *since* a time (RFC 3339)."""
        found = self.client.resource(resource)
        slot = "changes" if since and found.changes else "read"
        if since and not found.changes and not found.updated:
            raise Unknown(f"{self.api.name}: {found.name} has no time of change", hint="Read all of it, without since.")
        for page in self.client.read(found, Query(tuple(fields) if fields else None, since), slot=slot):
            for record in page.records:
                if since and slot == "read" and moment.parse(record.get(found.updated) or since) < moment.parse(since):
                    continue
                yield record

    def get(self, resource: str, id: Any) -> Record:
        """Return the record with that *id*.

        Raises:
            NotFound: there is none.
        """
        return self.client.get(self.client.resource(resource), str(id))

    def find(self, resource: str, /, **where: Any) -> list[Record]:
        """Return the records whose field has a value: ``find("contact", email="a@example.org")``."""
        if len(where) != 1:
            raise Unknown(
                "find takes one field and its value", hint='For example: find("contact", email="a@example.org").'
            )
        [(field, value)] = where.items()
        return self.client.find(self.client.resource(resource), field, value if isinstance(value, list) else [value])

    def add(self, resource: str, record: Mapping[str, Any] | None = None, /, **fields: Any) -> Record:
        """Create a record and return it as the API has it, with its id."""
        return self._one(resource, "create", Change({**(record or {}), **fields}))

    def update(self, resource: str, record: Mapping[str, Any] | None = None, /, *, id: Any, **fields: Any) -> Record:
        """Change fields of the record with that *id*."""
        return self._one(resource, "update", Change({**(record or {}), **fields}, id=str(id)))

    def upsert(
        self, resource: str, record: Mapping[str, Any] | None = None, /, *, by: str | None = None, **fields: Any
    ) -> Record:
        """Create the record, or change it where one with the same value in the field *by* is there.

        Without *by*, the resource's best match field that has a value is taken.
        """
        from antiphon.writeback.writer import Writer  # noqa: PLC0415

        values = {**(record or {}), **fields}
        found = self.client.resource(resource)
        known = self.client.schema(found).get("properties", {})
        if absent := [name for name in values if name not in known and "." not in name]:
            raise Unknown(
                f'{self.api.name}: {found.name} has no field "{absent[0]}"', hint=did_you_mean(absent[0], known)
            )
        [outcome] = Writer(self.client, found, match=(by,) if by else ()).write([values])
        return self._result(found, "upserting", outcome)

    def delete(self, resource: str, id: Any) -> None:
        """Delete the record with that *id* (archive it, where the API does no more)."""
        found = self.client.resource(resource)
        self._one(resource, "archive" if found.archive and not found.delete else "delete", Change({}, id=str(id)))

    def erase(self, resource: str, id: Any) -> None:
        """Erase the person behind the record with that *id*, as privacy law wants it. It cannot be undone."""
        self._one(resource, "erase", Change({}, id=str(id)))

    def call(self, name: str, path: str | None = None, /, **values: Any) -> Any:
        """Carry out an action of a resource, or any request: ``call("checkins.redeem", …)``, ``call("GET", "/path")``."""
        if path is not None:
            return self.client.call(name, path, params=values.get("params"), json=values.get("json"))
        resource, _, action = name.rpartition(".")
        if not resource:
            raise Unknown(f'"{name}" is no action', hint='Say call("checkins.redeem", …), or call("GET", "/path").')
        return self._one(resource, action, Change(values, id=_text(values.pop("id", None))))

    def _one(self, name: str, operation: str, change: Change) -> Record:
        resource = self.client.resource(name)
        [outcome] = self.client.write(resource, operation, [change])
        return self._result(resource, doing_word(operation), outcome)

    def _result(self, resource: Resource, doing: str, outcome: Outcome) -> Record:
        if outcome.kind is Kind.UNKNOWN:
            said = outcome.problem.message if outcome.problem else "no answer"
            raise Lost(
                f"{self.name}: {doing} {resource.name} -> {said}", hint="It may be done: look before you do it again."
            )
        if outcome.problem and not outcome.ok:
            said = f"{self.name}: {doing} {resource.name} -> {outcome.problem.status or ''} {outcome.problem.message}"
            kind = NotFound if outcome.problem.status == HTTPStatus.NOT_FOUND else Refused
            hint = self.client.explain(resource, outcome.change.record)
            hint = "" if hint in said else hint
            raise kind(said, hint=hint, status=outcome.problem.status, code=outcome.problem.code)
        return outcome.record or {**outcome.change.record, **({"id": outcome.id} if outcome.id else {})}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def connect(name: str | os.PathLike[str], *, session: requests.Session | None = None, **given: Any) -> Connection:
    """Return the connection called *name*; its settings come from *given* and from where the module says.

    *name* may be a file that describes an API: ``connect("my_api.yaml")``.

    >>> connect("hubspot", access_token="…").add("contact", email="ada@example.org")  # doctest: +SKIP
    """
    api = given.pop("api", None)
    return Connection(settings(name, given, api=api), session=session)
