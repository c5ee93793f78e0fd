"""A target: writes the streams that come in to the resources of an API, and accounts for every record.

What this class changes in the Singer SDK's: STATE is written as soon as everything before it is accounted for, never
earlier; several batches are under way at once, and the next lines are read meanwhile; SIGTERM, SIGINT and SIGHUP let what is under way
finish, unless it would have to be tried again, then end the run with 143, 130 or 129; a schema that changes midway has the records before it written first; one record that is
refused does not end the run.
"""

from __future__ import annotations

import copy
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from types import FrameType
from typing import Any, ClassVar, NoReturn, Self

import click
import singer_sdk
from singer_sdk.exceptions import InvalidJSONSchema
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import (
    TARGET_BATCH_SIZE_ROWS_CONFIG,
    TARGET_VALIDATE_RECORDS_CONFIG,
    PluginCapabilities,
    TargetCapabilities,
)
from singer_sdk.mapper import PluginMapper, RemoveRecordTransform, SameRecordTransform
from singer_sdk.plugin_base import PluginBase

from antiphon import apis, connection
from antiphon.api import Api
from antiphon.client import Client
from antiphon.errors import ApiError, InputError, Interrupted, Unknown
from antiphon.outcome import Outcome
from antiphon.pauses import Pauses
from antiphon.schema import shown
from antiphon.singer import config as plugin_config
from antiphon.singer import undoing
from antiphon.singer.accounts import Accounts
from antiphon.singer.cli import command
from antiphon.singer.plan import SETTINGS, Plan, plan
from antiphon.singer.reader import UNREADABLE, LineReader, Run, beyond
from antiphon.singer.reader import record as record_on
from antiphon.singer.signals import heed_hangup
from antiphon.singer.sink import CheckSink, Held, NullSink, Sink, SourceSchema, without_metadata
from antiphon.singer.universal import drawn
from antiphon.singer.valid import Check
from antiphon.singer.whole import Whole
from antiphon.writeback import inspection
from antiphon.writeback.batch import Batch, Refused
from antiphon.writeback.flights import Flights, Steps
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.mirror import Kept
from antiphon.writeback.recent import Recent
from antiphon.writeback.settling import settle_open
from antiphon.writeback.underway import UnderWay
from antiphon.writeback.writer import Allowance, Seen

_MOST = 1 << 63
_TICK = 0.2
"""Seconds after which a wait before something is tried again is looked at: a signal ends it."""
_PATTERN = frozenset("*?[")
"""What makes a name in stream_maps one for several streams."""
TEST_STREAM = "meltano_test_stream"


class Target(singer_sdk.Target):
    """Writes records to an API of Antiphon. A named target says only which: ``api = "hubspot"``."""

    api: ClassVar[str | Api]
    settings: connection.Settings
    package_name = "antiphon"
    default_sink_class = Sink
    _busy = False
    """Whether a signal is to wait for what is done just now."""
    _stopping = 0
    message_reader_class = LineReader
    capabilities: ClassVar[list[Any]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
        TargetCapabilities.VALIDATE_RECORDS,
    ]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Draw name and settings from the API."""
        super().__init_subclass__(**kwargs)
        api = cls.description()
        cls.name = f"target-{api.name.replace('_', '-')}"
        extra = {**SETTINGS, "parallel": {**SETTINGS["parallel"], "default": api.parallel}}
        cls.config_jsonschema = plugin_config.settings_schema(api, reading=False, extra=extra)

    def __new__(cls, *, config: Any = None, **_given: Any) -> Self:
        """Make a target for the API that the config names, where the class does not say which."""
        return super().__new__(drawn(cls, config))

    def __init__(self, **kwargs: Any) -> None:
        """Find the connection's settings. Nothing is sent before the first SCHEMA."""
        super().__init__(**kwargs)
        self.max_parallelism = 1  # streams in the order of their first SCHEMA: companies before their contacts
        self.flights = Flights(self.config["parallel"])
        self.pauses = Pauses(_TICK)
        self.under_way = UnderWay(self.flights)
        self.allowances: dict[str, Allowance] = {}
        self.recent: dict[str, Recent] = {}
        self.seen: dict[str, Seen] = {}
        self._mirrored: set[str] = set()
        self._versions: dict[str, int] = {}
        """Versions of mirrors' streams that were said to be whole before any of their records came, if any did."""
        self._whole = Whole()
        self._schemas: dict[str, SourceSchema] = {}
        self.accounts = Accounts(
            self.name,
            self.settings.state_dir,
            self.config,
            api=self.settings.api.name,
            started=self.initialized_at,
            log=self.logger,
            known_as=self.known_as,
        )
        reader: LineReader = self.message_reader  # type: ignore[assignment]
        reader.quoting = self.accounts.payload == "full"
        reader.on_input = self.accounts.begin
        reader.on_records, reader.check = self._process_records, self._check
        reader.on_wait, reader.wake, reader.on_error = self._await_input, self.flights.wake, self._broken_off

    @classmethod
    def description(cls) -> Api:
        """Return the API that is written to."""
        return cls.api if isinstance(cls.api, Api) else apis.load(cls.api)

    @cached_property
    def client(self) -> Client:
        """The way to the API."""
        client = self.settings.client()
        client.http.quoting = self.accounts.payload == "full"
        client.http.pauses = self.pauses
        return client

    @cached_property
    def ledger(self) -> Ledger:
        """The connection's ledger, with what an earlier run left open settled."""
        ledger = self.settings.ledger(payload=self.accounts.payload)
        try:
            ledger.claim(self.client.account(), self.settings.name)
            settled = settle_open(self.client, ledger)
        except BaseException:
            ledger.close()
            raise
        for (operation, kind), count in Counter((outcome.operation, outcome.kind) for outcome in settled).items():
            self.logger.warning("from an interrupted run: %s of %s records ended as %s", operation, f"{count:,}", kind)
        self.accounts.ledger = ledger
        return ledger

    # Settings

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - as the SDK has it
        """What ``--config ENV`` adds to the config."""
        return plugin_config.of_environment(cls)  # type: ignore[arg-type]  # it is the class

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings ourselves: those of the connection may come from elsewhere."""
        self.settings, self._config = plugin_config.validated(
            type(self), self.description(), self._config, check=raise_errors
        )
        return []

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's settings that mean something here: those for tables (load method, metadata columns) do not."""
        for builtin in (TARGET_BATCH_SIZE_ROWS_CONFIG, TARGET_VALIDATE_RECORDS_CONFIG):
            for name, schema in builtin["properties"].items():
                own = {"minimum": 1} if name == "batch_size_rows" else {}
                config_jsonschema["properties"].setdefault(name, {**schema, **own})
        PluginBase.append_builtin_config.__func__(cls, config_jsonschema)  # type: ignore[attr-defined]

    def setup_mapper(self) -> None:
        """Read the stream maps."""
        self.mapper = undoing.Mapper(plugin_config=dict(self.config), logger=self.logger)

    def plan(self, stream: str) -> Plan:
        """Return how *stream* is to be written."""
        return plan(stream, self.config.get("streams") or {}, self.name)

    def known_as(self, stream: str) -> str:
        """Return what the ledger calls *stream*: by its pipeline's name, if there is one."""
        return inspection.known_as(undoing.known_as(stream), self.config.get("pipeline"))

    # Messages

    def get_sink_class(self, stream_name: str) -> type[Any]:
        """Return the sink for a stream."""
        if stream_name == TEST_STREAM:
            return CheckSink
        removed = any(isinstance(m, RemoveRecordTransform) for m in self.mapper.stream_maps.get(stream_name, ()))
        return NullSink if removed else Sink

    def get_sink(
        self,
        stream_name: str,
        *,
        record: dict[str, Any] | None = None,
        schema: dict[str, Any] | None = None,
        key_properties: Sequence[str] | None = None,
    ) -> Any:
        """Return the sink of *stream_name*; where its schema has changed, what it holds is written first."""
        there = self._sinks_active.get(stream_name)
        if there and schema is not None and (there.original_schema, there.key_properties) != (schema, key_properties):
            self.drain_one(there)
        return super().get_sink(stream_name, record=record, schema=schema, key_properties=key_properties)

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"stream", "schema"})
        stream = message_dict["stream"]
        if kept := message_dict.get("payload"):
            said = f'the stream "{stream}" comes from rejects without what was in them (payload: {shown(kept)})'
            raise InputError(said, hint="They cannot be written again: mend them in their source, and run its tap.")
        message_dict["schema"].setdefault("properties", {})
        keys = message_dict.get("key_properties") or []
        line = self.message_reader.line_number  # type: ignore[attr-defined]
        self._schemas[stream] = SourceSchema(stream, copy.deepcopy(message_dict["schema"]), keys, line)
        message_dict["key_properties"] = keys
        try:
            super()._process_schema_message(message_dict)
        except Unknown as error:
            hint = f'{error.hint} Or say which one it is: streams: {{"{stream}": {{"resource": …}}}}.'
            raise Unknown(f'{self.name}: the stream "{stream}" cannot be written: {error.message}', hint=hint) from None
        except InvalidJSONSchema as error:
            at = ".".join(map(str, getattr(error.__cause__, "absolute_path", ())))
            said = f"{at}: {getattr(error.__cause__, 'message', error)}"
            hint = "Look at what writes it."
            raise InputError(
                f'line {line} is a SCHEMA of "{stream}" that is no JSON Schema, at {said}', hint=hint
            ) from None

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"stream", "record"})
        stream = message_dict["stream"]
        self._announced(stream, self.message_reader.line_number)  # type: ignore[attr-defined]
        self._take_mapped(stream, message_dict["record"], message_dict.get("version"))
        self._handle_max_record_age()
        self._go_on()

    def _process_records(self, run: Run) -> None:
        """Take the records of *run*."""
        self._announced(run.stream, run.first)
        if sink := self._as_they_are(run.stream):
            source, before = self._schemas[run.stream], self.accounts.states.received[sink.stream_name]
            held = [Held(source, position, line) for position, line in enumerate(run.lines, before + 1)]
            self._take(sink, held, run.version, valid=run.valid, size=sum(map(len, run.lines)))
        else:
            for number, line in enumerate(run.lines, run.first):
                self._take_mapped(run.stream, _record(line, number), run.version, len(line))
        self._handle_max_record_age()
        self._go_on()

    def _as_they_are(self, stream: str) -> Any:
        """Return the sink that takes the records of *stream* as they came; None where stream maps have to look at them."""
        maps = self.mapper.stream_maps[stream]
        if len(maps) == 1 and type(maps[0]) is SameRecordTransform and not maps[0].flattening_enabled:
            return self._sinks_active[maps[0].stream_alias]
        return None

    def _check(self, stream: str) -> Check | None:
        """Return what checks the lines of *stream*, if its records are held against their schema as they came."""
        sink = self._as_they_are(stream) if stream in self._schemas else None
        return sink.check(stream) if isinstance(sink, Sink) else None

    def _announced(self, stream: str, line: int) -> None:
        """Take note that a record of *stream* came.

        Raises:
            InputError: its SCHEMA did not come before.
        """
        if stream not in self._schemas:
            hint = "Start the input with the stream's SCHEMA message."
            raise InputError(f'line {line} is a RECORD of the stream "{stream}" before its SCHEMA', hint=hint)
        self._whole.record(stream)

    def _take_mapped(self, stream: str, received: dict[str, Any], version: int | None, size: int = 0) -> None:
        """Let the stream maps make records of the one *received*, on a line of *size* bytes, and take them; where one of them fails, it is refused."""
        for stream_map in self.mapper.stream_maps[stream]:
            refused = None
            try:
                record = stream_map.transform(copy.copy(received))
            except Exception as error:  # noqa: BLE001 - an expression may fail in any way
                said = f"stream_maps cannot be applied to it: {type(error).__name__}: {error}"
                record, refused = received, Refused(said, "stream_maps", sure=False)
            if record is not None:
                sink = self._sinks_active[stream_map.stream_alias]
                position = self.accounts.states.received[sink.stream_name] + 1
                held = Held(self._schemas[stream], position, b"", received, without_metadata(record), refused)
                self._take(sink, [held], version, valid=False, size=size)

    def _take(self, sink: Any, held: list[Held], version: int | None, *, valid: bool, size: int) -> None:
        """Let *sink* hold records of a *version* of the stream, *size* bytes of lines, and write what it holds when it is full, or of another.

        *valid* are those that need not be held against their schema.
        """
        if (
            version is not None
            and isinstance(sink, Sink)
            and sink.plan.complete == "version"
            and version != sink.version
        ):
            if sink.plan.mode == "mirror" and (type(version) is not int or abs(version) >= _MOST):
                said = f'records of the stream "{sink.stream_name}" have the version {shown(version)}'
                raise InputError(f"{said}: it is to be a whole number of 64 bits", hint="Look at what writes it.")
            self.drain_one(sink)
            sink.version = version
        while held:
            room = sink.max_size - sink.current_size
            now, held = held[:room], held[room:]
            self.accounts.states.received[sink.stream_name] += len(now)
            left = sum(one.size for one in held)
            sink.take(now, valid=valid, size=size - left)
            size = left
            sink.tally_record_read(len(now))
            sink.record_counter_metric.increment(len(now))
            if sink.is_full:
                self.drain_one(sink)

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        """Keep the state until all that came before it is accounted for."""
        self._assert_line_requires(message_dict, requires={"value"})
        self._whole.state(message_dict["value"])
        self.accounts.states.add(message_dict["value"])
        self.accounts.write_due_state()

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Let the mirrors of a stream take away what is not of the version that was read, if there were records of it."""
        for stream_map in self.mapper.stream_maps.get(str(message_dict.get("stream")), ()):
            sink = self._sinks_active.get(stream_map.stream_alias)
            if isinstance(sink, Sink) and sink.plan.mode == "mirror" and sink.plan.complete == "version":
                sources = self._sources(sink)
                if len(sources) > 1:
                    continue
                self.drain_one(sink)
                self._finish()
                version = message_dict.get("version")
                if sink.version is not None and sink.version == version:
                    sink.take_away(sink.version, sources)
                    self._mirrored.add(sink.stream_name)
                elif sink.version is None and type(version) is int:
                    self._versions[sink.stream_name] = version

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        hint = "Run the tap without batch_config."
        raise InputError(f'the stream "{message_dict.get("stream")}" comes as a BATCH of files', hint=hint)

    def process_endofpipe(self) -> None:
        """Write what is held, the last STATE and a summary.

        Raises:
            SystemExit: more was refused than ``max_rejects`` allows, or the end of a record is not known.
        """
        try:
            self.drain_all(is_endofpipe=True)
            self._finish()
            self._end_mirrors()
        except Interrupted:
            self._end(self._stopping)
        except ApiError as error:
            self._keep_back(error)
            raise
        code = self.accounts.end({undoing.undone(stream) or stream for stream in self._schemas})
        self.close()
        if code:
            sys.exit(code)

    def _end_mirrors(self) -> None:
        for sink in self._sinks_active.values():
            if isinstance(sink, Sink) and sink.plan.mode == "mirror":
                self._end_mirror(sink)

    def _end_mirror(self, sink: Sink) -> None:
        """Take away what the source of *sink* has no more, if the end of the input is its end; or say why that is not done."""
        if sink.stream_name in self._mirrored:
            return
        sources = self._sources(sink)
        if patterns := sorted(source for source in sources - self._schemas.keys() if not _PATTERN.isdisjoint(source)):
            said = f"{', '.join(patterns)} goes into it, and nobody can tell whether all came that this means"
            self.accounts.account_kept(sink, Kept(f"{said}. Name each stream in stream_maps", wrong=True))
            return
        if sink.plan.complete == "version" and len(sources) > 1:
            said = f"several streams go into it ({', '.join(sorted(sources))}), and an ACTIVATE_VERSION speaks for one alone"
            hint = f"Set streams.{sink.stream_name}.complete to end, or write each as a stream of its own"
            self.accounts.account_kept(sink, Kept(f"{said}. {hint}", wrong=True))
            return
        if sink.plan.complete == "version" or sink.version is None:
            if not sink.writer.seen.records:
                if sink.stream_name in self._versions:
                    sink.take_away(self._versions[sink.stream_name], sources)
                else:
                    self.accounts.account_kept(sink, Kept("the source was empty"))
                return
            said = "nothing says that its source was read whole: no ACTIVATE_VERSION came after records of that version"
            hint = f"Run its tap to the end; if that sends none and reads all each time, set streams.{sink.stream_name}.complete to end"
            meant = "then a STATE after the last record and the end of the input say so"
            self.accounts.account_kept(sink, Kept(f"{said}. {hint}: {meant}", wrong=True))
            return
        absent = sorted(sources - self._schemas.keys())
        said = f"{', '.join(absent)}, which goes into it, did not come: run its tap to the end, or take that out of stream_maps"
        lacking = said if absent else self._whole.lacking(sources)
        if lacking and sink.writer.seen.records:
            self.accounts.account_kept(sink, Kept(lacking, wrong=True))
        else:
            sink.take_away(sink.version, sources)

    def _sources(self, sink: Sink) -> set[str]:
        """Return the streams that go into *sink*: those that came, and those, or patterns of them, of which stream_maps says so."""
        came = self.mapper.stream_maps.items()
        named = (self.config.get("stream_maps") or {}).items()
        return {source for source, to in came if any(one.stream_alias == sink.stream_name for one in to)} | {
            str(to.get("__source__", name))
            for name, to in named
            if isinstance(to, dict) and _alias(name, to) == sink.stream_name
        }

    def close(self) -> None:
        """Give the ledger back, and close the files."""
        if "ledger" in self.__dict__:
            self.ledger.close()
        self.accounts.close()

    # Batches under way

    def begin(
        self, batch: Batch, steps: Callable[[Batch], Steps[list[Outcome]]], told: Callable[[list[Outcome]], None]
    ) -> None:
        """Begin to write *batch* in *steps* when there is room for it; what became of its records is *told* in its turn."""
        while self.under_way.full:
            self._wait()
        self.under_way.begin(batch, steps, told)

    def _broken_off(self, error: BaseException) -> None:
        """Write what is under way to its end where the input ends in an *error*; whoever wants to end at once waits for nothing."""
        with suppress(Exception):  # the first error is the one that is told
            if isinstance(error, Exception):
                self.under_way.finish()
        self.under_way.drop()
        if isinstance(error, Interrupted):
            self._end(self._stopping)
        if isinstance(error, ApiError):
            self._keep_back(error)

    def _keep_back(self, error: ApiError) -> None:
        """Take the API's words out of the *error* that ends the run, where they may not be told."""
        if self.accounts.payload != "full" and error.brief != error.message:
            error.message = f"{error.brief} (payload: {self.accounts.payload} keeps back the words)"

    def _wait(self) -> None:
        """Wait for news, of the input or of a batch, and go on with what is under way."""
        self.flights.wait()
        self._go_on()

    def _await_input(self) -> None:
        """Wait for news, and write what is held when it is old, though nothing more may come: a pipe can stay open for long."""
        if any(sink.current_size for sink in self._sinks_active.values()):
            self.flights.wait((self._MAX_RECORD_AGE_IN_MINUTES - self._max_record_age_in_minutes) * 60)
            self._handle_max_record_age()
            self._go_on()
        else:
            self._wait()

    def _go_on(self) -> None:
        """Go on with the batches under way; after a signal that is the last that is done."""
        self.under_way.go_on()
        if self._stopping:
            self._finish()

    def _finish(self) -> None:
        """Write to their end the batches under way."""
        self.under_way.finish()
        if self._stopping:
            self._end(self._stopping)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let something be finished before a signal ends the run."""
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
        if self._stopping:
            self._end(self._stopping)

    # Signals

    def _setup_signal_handlers(self) -> None:
        super()._setup_signal_handlers()
        heed_hangup(self._handle_termination)

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if (self._busy or self.under_way) and not self._stopping:
            self._stopping = signum
            self.pauses.end()
            self._tell(f"{signal.Signals(signum).name}: finishing what is under way")
            self.flights.wake()
        else:
            self._end(signum)

    def _end(self, signum: int) -> NoReturn:
        """End the run. What was written is covered by the last STATE, or in the ledger."""
        self.under_way.drop()
        self._tell(f"ended by {signal.Signals(signum).name}; run again with the last state to go on")
        sys.exit(128 + signum)

    def _tell(self, words: str) -> None:
        with suppress(RuntimeError):  # the signal came in the middle of another line
            click.echo(f"{self.name}: {words}", err=True)

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Return the command, which tells errors in one line."""
        said = "Look up and compare even what the ledger has as unchanged since the last run."
        return command(cls, super().get_singer_command(), click.Option(["--full"], is_flag=True, help=said))


def _alias(name: str, to: dict[str, Any]) -> str:
    """Return what the stream is written as that is *name* in stream_maps, and *to* there."""
    if "__source__" in to or "__alias__" not in to:
        return name
    return PluginMapper._eval_stream(to["__alias__"], name)  # noqa: SLF001 - what the mapper itself calls it by


def _record(line: bytes, number: int) -> dict[str, Any]:
    """Return the record on the *line* of that *number*; no stream map could do with less than the whole of it."""
    try:
        return record_on(line)
    except UNREADABLE as error:
        raise InputError(f"line {number} {beyond(error) or error}", hint="Look at what writes it.") from None
