"""A tap: the resources of an API as Singer streams.

What this class changes in the Singer SDK's: settings may come from a connection; discovery asks the API for the fields of the
streams that are read, and for no others; one stream that fails does not end the others; SIGTERM and SIGINT leave the state
of what was sent, and end with 143 and 130.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from functools import cached_property, partial
from types import FrameType
from typing import Any, ClassVar, NoReturn, Self, cast

import click
import singer_sdk
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.plugin_base import PluginBase, _ConfigInput
from singer_sdk.singerlib import Catalog
from singer_sdk.tap_base import CliTestOptionValue

from antiphon import apis, connection, moment
from antiphon.ahead import Lanes, interleaved
from antiphon.api import Api, Resource
from antiphon.client import Client
from antiphon.errors import (
    AntiphonError,
    BadReply,
    Forbidden,
    InputError,
    NotFound,
    Refused,
    SettingError,
    Unauthorized,
)
from antiphon.schema import for_catalog
from antiphon.singer import catalog
from antiphon.singer import config as plugin_config
from antiphon.singer import state as bookmarks
from antiphon.singer.cli import command
from antiphon.singer.messages import MessageWriter, States
from antiphon.singer.signals import heed_hangup
from antiphon.singer.stream import ResourceStream
from antiphon.singer.universal import drawn

SETTINGS: dict[str, Any] = {
    "start_date": {
        "type": "string",
        "format": "date-time",
        "title": "Start date",
        "description": "Records last changed before this are not read: a date, or a time in RFC 3339.",
        "examples": ["2026-01-31"],
    },
    "end_date": {
        "type": "string",
        "format": "date-time",
        "title": "End date",
        "description": "Records last changed after this are not read, and bookmarks do not pass it; for backfills.",
        "examples": ["2026-02-01T00:00:00Z"],
    },
    "lookback": {
        "type": "number",
        "minimum": 0,
        "title": "Lookback",
        "description": "Seconds before the bookmark at which a read starts, for changes that become visible late. "
        "By default what each resource is known to need.",
    },
    "deletes": {
        "type": "boolean",
        "default": False,
        "title": "Deletes",
        "description": "Whether records that were deleted since the bookmark (or start_date) are sent too, "
        "with the time in _sdc_deleted_at.",
    },
    "parallel_streams": {
        "type": "integer",
        "minimum": 1,
        "default": 4,
        "title": "Parallel streams",
        "description": "Streams that are read side by side, at the most. They share the API's rate limit.",
    },
    "parallel": {
        "type": "integer",
        "minimum": 1,
        "maximum": 10,
        "default": 4,
        "title": "Requests at a time",
        "description": "How many requests of a list may be under way at a time, where it can be read in parts or pages are "
        "known before they are named. Streams that are read side by side have those beyond the first in common.",
    },
    "new_fields": {
        "type": "string",
        "enum": ["ignore", "add", "fail"],
        "default": "ignore",
        "title": "New fields",
        "description": "What to do with fields that the catalog does not have: leave them out, "
        "add them to the schema, or end the stream with an error.",
    },
}
_OF_ONE_STREAM = (Forbidden, NotFound, Refused, BadReply, InputError)


class Tap(singer_sdk.Tap):
    """Reads an API of Antiphon. A named tap says only which: ``api = "hubspot"``."""

    api: ClassVar[str | Api]
    package_name = "antiphon"
    message_writer_class = MessageWriter
    message_writer: MessageWriter
    by_page: ClassVar[bool] = True
    """Whether pages may be written as they come; tests compare both ways."""
    capabilities: ClassVar[list[Any]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        TapCapabilities.TEST,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    settings: connection.Settings
    """The connection's settings."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Draw name and settings from the API."""
        super().__init_subclass__(**kwargs)
        api = cls.description()
        cls.name = f"tap-{api.name.replace('_', '-')}"
        cls.config_jsonschema = plugin_config.settings_schema(api, reading=True, extra=SETTINGS)

    def __new__(cls, *, config: Any = None, **_given: Any) -> Self:
        """Make a tap for the API that the config names, where the class does not say which."""
        return super().__new__(drawn(cls, config))

    def __init__(self, *, catalog: Any = None, state: Any = None, **kwargs: Any) -> None:
        """Take catalog and state; nothing is asked of the API unless there is no catalog, or one that lacks fields.

        Raises:
            SettingError: a setting is missing, unknown or wrong.
            InputError: the catalog or the state is not for this tap.
        """
        self.failures: dict[str, AntiphonError] = {}
        """The streams that could not be read to their end, and why."""
        self.troubles: dict[str, AntiphonError] = {}
        """The streams whose fields could not be fetched, and why."""
        self._lenient = False
        self._offline = False
        self._ready = False
        self._ending = False
        super().__init__(catalog=_catalog(catalog, self.name), state=state, **kwargs)
        self._state_writer = States(self.message_writer)
        self._ready = True

    @classmethod
    def description(cls) -> Api:
        """Return the API that is read."""
        return cls.api if isinstance(cls.api, Api) else apis.load(cls.api)

    @cached_property
    def client(self) -> Client:
        """The way to the API."""
        client = self.settings.client()
        client.lanes = Lanes(int(self.config["parallel"]))
        return client

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - as the SDK has it
        """What ``--config ENV`` adds to the config."""
        return plugin_config.of_environment(cls)  # type: ignore[arg-type]  # it is the class

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings ourselves: those of the connection may come from elsewhere. Discovery does without credentials."""
        self.settings, self._config = plugin_config.validated(
            type(self), self.description(), self._config, check=raise_errors
        )
        start, end = self._config.get("start_date"), self._config.get("end_date")
        if start and end and moment.parse(start) > moment.parse(end):
            raise SettingError(
                f"{self.name}: start_date {start} is after end_date {end}", hint="Nothing would be read."
            )
        self._lenient = not raise_errors
        if absent := plugin_config.missing(self.settings):
            self._go_offline(f"{' and '.join(setting.name for setting in absent)} not given")
        return []

    def _go_offline(self, why: str) -> None:
        self._offline = True
        self.logger.warning("only what is the same for every account is listed: %s", why)

    # Streams

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """The resources that may be read, by name: those of the catalog, else all. Their fields are not fetched for this."""
        known = {r.name: r for r in self.description().resources if r.read or r.changes}
        if self.input_catalog is None:
            found = self._discovered()
            return found if found and self.description().complete else known | found
        wanted = [name for name, entry in self.input_catalog.items() if catalog.selected(entry)]
        if any(name not in known for name in wanted):
            known |= self._discovered()
            catalog.refuse_unknown(wanted, known, self.name)
        return {name: known[name] for name in self.input_catalog if name in known}

    def _discovered(self) -> dict[str, Resource]:
        """Return the resources that only the API knows of."""
        if self.description().discover is None or self._offline:
            return {}
        try:
            return {r.name: r for r in self.client.discovered() if r.read or r.changes}
        except Unauthorized as error:
            if not self._lenient:
                raise
            self._go_offline(str(error))
        except Forbidden as error:
            self.logger.warning("streams that are this account's own are not listed: %s", error)
        return {}

    def fields(self, resource: Resource, *, fetch: bool) -> dict[str, Any]:
        """Return the schema of *resource*; if only the API knows it, it is asked where *fetch* says so.

        Without them the schema has the key and the time of change alone; where they were refused, :attr:`troubles` has the reason.
        """
        whole: dict[str, Any] = catalog.minimal(resource)
        if not callable(resource.schema):
            whole = for_catalog(resource.schema)
        elif fetch and not self._offline:
            try:
                whole = for_catalog(self.client.schema(resource))
            except Unauthorized as error:
                if not self._lenient:
                    raise
                self._go_offline(str(error))
            except _OF_ONE_STREAM as error:
                self.troubles[resource.name] = error
                self.logger.warning("the fields of %s are not known: %s", resource.name, error)
        return catalog.with_deletion(whole) if self._with_deletes(resource) else whole

    def _with_deletes(self, resource: Resource) -> bool:
        return bool(self.config.get("deletes")) and resource.deleted is not None

    def discover_streams(self) -> list[ResourceStream]:
        """Return a stream for each of the resources."""
        return [ResourceStream(self, resource) for resource in self.resources.values()]

    def setup_mapper(self) -> None:
        """Register the streams' schemas; what a selected entry of the catalog lacks is fetched before."""
        for name, entry in (self.input_catalog or {}).items():
            if catalog.selected(entry):
                resource = self.resources[name]
                fields = partial(self.fields, resource, fetch=True)
                catalog.complete(entry, fields, deletes=self._with_deletes(resource), resource=resource)
        super().setup_mapper()

    def load_state(self, state: dict[str, Any]) -> None:
        """Take the state of an earlier run.

        Raises:
            InputError: it is not this tap's.
        """
        bookmarks.check(state, self.streams.keys() | {r.name for r in self.description().resources}, self.name)
        super().load_state(state)

    # Running

    def read_all(self) -> None:
        """Read the selected streams, as many side by side as is set; ``sync_all`` does one after the other.

        What they write is written by this thread alone.
        """
        self._reset_state_progress_markers()
        self._set_compatible_replication_methods()
        if self.state:
            self.state_writer.write_state(self.state)
        arrived = threading.Event()
        selected = [cast("ResourceStream", stream) for stream in self.streams.values() if stream.selected]
        most = int(self.config["parallel_streams"])
        if (
            most > 1
        ):  # what can have several requests under way comes last: it takes what room the others leave, at the end as well
            selected.sort(key=lambda stream: stream.parted)
        interleaved((stream.steps(arrived) for stream in selected), most, arrived)
        for stream in selected:
            stream.log_sync_costs()

    def _setup_signal_handlers(self) -> None:
        super()._setup_signal_handlers()
        heed_hangup(self._handle_termination)

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Write the state of what was sent, and end. A line that is being written is finished first."""

        def end() -> NoReturn:
            if self.state:
                self.state_writer.write_state(self.state)
            self.message_writer.flush()
            raise SystemExit(128 + signum)

        if self._ending or not self._ready:  # an earlier run's state may not have been taken in yet: write none
            raise SystemExit(128 + signum)
        self._ending = True
        self.message_writer.when_free(end)

    def tell_failures(self) -> None:
        """Raise an error that names the streams which failed, if any did."""
        if not self.failures:
            return
        selected = sum(stream.selected for stream in self.streams.values())
        told = "; ".join(f"{name}: {error.message}" for name, error in self.failures.items())
        hint = "The others are complete." if selected > len(self.failures) else ""
        raise AntiphonError(f"{self.name}: {len(self.failures)} of {selected} streams failed: {told}", hint=hint)

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        state: dict[str, Any] | None = None,
        catalog: dict[str, Any] | None = None,
    ) -> None:
        """Read the selected streams.

        Raises:
            AntiphonError: some of them failed, or all.
        """
        PluginBase.invoke.__func__(cls, about=about, about_format=about_format)  # type: ignore[attr-defined]
        cls.print_version(print_fn=logging.getLogger(cls.name).info)
        config = config or _ConfigInput()
        if state and state.get("type") == "STATE":  # the message as it stands in a tap's output
            state = state.get("value")
        tap = cls(config=config.config, parse_env_config=config.parse_env, catalog=catalog, state=state)
        tap.read_all()
        tap.message_writer.flush()
        tap.tell_failures()

    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:  # noqa: ARG003
        """Read one record of every stream, or write every schema; the option ``--test``."""
        if value == CliTestOptionValue.Disabled.value:
            return
        config = ctx.params.get("config") or _ConfigInput()
        tap = cls(config=config.config, parse_env_config=config.parse_env)
        if value == CliTestOptionValue.Schema.value:
            tap.write_schemas()
        else:
            tap.run_connection_test()
        tap.tell_failures()
        ctx.exit()

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Return the command, which tells errors in one line."""
        return command(cls, super().get_singer_command())


def _catalog(given: Any, tap: str) -> Any:
    return catalog.read(given, tap) if isinstance(given, Mapping) and not isinstance(given, Catalog) else given
