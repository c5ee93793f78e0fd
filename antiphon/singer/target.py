"""A target: writes the streams that come in to the resources of an API, and accounts for every record.

What this class changes in the Singer SDK's: STATE is written as soon as everything before it is accounted for, never
earlier; several batches are under way at once, and the next lines are read meanwhile; SIGTERM and SIGINT let what is under way
finish, then end the run with 143 or 130; a schema that changes midway has the records before it written first; one record that is
refused does not end the run.
"""

from __future__ import annotations

import copy
import signal
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import IO, Any, ClassVar, Self

import click
import msgspec
import singer_sdk
from singer_sdk.helpers.capabilities import (
    TARGET_BATCH_SIZE_ROWS_CONFIG,
    TARGET_VALIDATE_RECORDS_CONFIG,
    PluginCapabilities,
    TargetCapabilities,
)
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.plugin_base import PluginBase

from antiphon import apis, connection
from antiphon.api import Api
from antiphon.client import Client
from antiphon.errors import InputError, SettingError, Unknown
from antiphon.outcome import Kind, Outcome
from antiphon.singer import config as plugin_config
from antiphon.singer.cli import command
from antiphon.singer.plan import STREAM_SCHEMA, Plan, plan, share
from antiphon.singer.reader import LineReader, decoded
from antiphon.singer.rejects import RECEIPT_SCHEMA, RECEIPTS, MessageFile, expire, receipt, reject
from antiphon.singer.sink import CheckSink, Held, NullSink, Sink, SourceSchema, without_metadata
from antiphon.singer.universal import drawn
from antiphon.writeback import inspection
from antiphon.writeback.batch import Batch
from antiphon.writeback.flights import Flights, Steps
from antiphon.writeback.ledger import Ledger, Payload
from antiphon.writeback.sending import settle_open
from antiphon.writeback.underway import UnderWay
from antiphon.writeback.writer import Allowance, Seen

TEST_STREAM = "meltano_test_stream"
_PENDING_STATES = 256
_ENCODE = msgspec.json.Encoder(decimal_format="number").encode

SETTINGS: dict[str, Any] = {
    "streams": {
        "type": "object",
        "additionalProperties": STREAM_SCHEMA,
        "title": "Streams",
        "description": "How each stream is written. A stream named like a resource (or its alias) needs no entry.",
    },
    "rejects": {
        "type": "string",
        "title": "Rejects",
        "description": "File for the records that were refused, ready to be piped in again; in the state folder by default.",
    },
    "receipts": {
        "type": "string",
        "title": "Receipts",
        "description": "File for a receipt of every record: Singer messages, without content.",
    },
    "max_rejects": {
        "type": ["integer", "string"],
        "default": 0,
        "title": "Rejects allowed",
        "description": 'How many rejects are no error: a number, or a share of the records such as "5%".',
    },
    "parallel": {
        "type": "integer",
        "minimum": 1,
        "maximum": 10,
        "title": "Requests at a time",
        "description": "How many requests may be under way at a time, within the API's rate limit.",
    },
    "pipeline": {
        "type": "string",
        "title": "Pipeline",
        "description": "What tells this job from others that write streams of the same names through this connection; a mirror takes away only what its own pipeline made.",
    },
    "payload": {
        "type": "string",
        "enum": ["full", "keys", "none"],
        "default": "full",
        "title": "What is kept of records",
        "description": "What rejects, receipts and ledger keep of records: all of a reject, only its keys, or nothing but why.",
    },
    "retention_days": {
        "type": "integer",
        "minimum": 0,
        "title": "Days to keep",
        "description": "After how many days rejects, undo files and what the ledger knows are deleted; never, if it is not given.",
    },
    "full": {
        "type": "boolean",
        "default": False,
        "title": "Ask for all",
        "description": "Look up and compare even what the ledger has as unchanged since the last run; --full says so for one run.",
    },
}


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
        self.under_way = UnderWay(self.flights)
        self.allowances: dict[str, Allowance] = {}
        self.recent: dict[str, dict[Any, str | None]] = {}
        self.seen: dict[str, Seen] = {}
        self._kept_back: list[str] = []
        """Streams of which a mirror would have taken away more than is allowed."""
        self._mirrored: set[str] = set()
        self.counts: dict[str, Counter[Kind]] = {}
        self._received: Counter[str] = Counter()
        self._accounted: Counter[str] = Counter()
        self._states: deque[tuple[Any, dict[str, int]]] = deque()
        self._schemas: dict[str, SourceSchema] = {}
        self._stated = False
        self._uncovered = False
        self._max_rejects = share(self.config.get("max_rejects", 0), f"{self.name}: max_rejects")
        folder = self.settings.state_dir
        path = self.config.get("rejects") or folder / "rejects" / f"{self.name}-{self.initialized_at}.jsonl"
        self.rejects = MessageFile(Path(path), f"{self.name}: rejects")
        self.undo = MessageFile(folder / "undo" / f"{self.name}-{self.initialized_at}.jsonl", f"{self.name}: undo")
        self.payload: Payload = self.config.get("payload") or "full"
        self._retention: int | None = self.config.get("retention_days")
        if self._retention is not None:
            expire((folder / "rejects", folder / "undo"), self._retention)
        receipts = self.config.get("receipts")
        self.receipts = MessageFile(Path(receipts), f"{self.name}: receipts") if receipts else None
        if self.receipts and self.receipts.path.absolute() == self.rejects.path.absolute():
            raise SettingError(f"{self.name}: rejects and receipts cannot be one file: {self.rejects.path}")
        reader: LineReader = self.message_reader  # type: ignore[assignment]
        reader.on_input = self._refuse_own_files
        reader.on_records = self._process_records
        reader.on_wait, reader.wake, reader.on_error = self._wait, self.flights.wake, self._broken_off

    def _refuse_own_files(self, source: IO[bytes]) -> None:
        for file in (self.rejects, self.receipts):
            if file:
                file.refuse_input(source)

    @classmethod
    def description(cls) -> Api:
        """Return the API that is written to."""
        return cls.api if isinstance(cls.api, Api) else apis.load(cls.api)

    @cached_property
    def client(self) -> Client:
        """The way to the API."""
        return self.settings.client()

    @cached_property
    def ledger(self) -> Ledger:
        """The connection's ledger, with what an earlier run left open settled."""
        ledger = self.settings.ledger(payload=self.payload)
        try:
            ledger.claim(self.client.account(), self.settings.name)
            if self._retention is not None:
                inspection.expire(ledger, self._retention)
            settled = settle_open(self.client, ledger)
        except BaseException:
            ledger.close()
            raise
        for outcome in settled:
            key = outcome.change.value or outcome.change.id
            self.logger.warning(
                "from an interrupted run: %s of %s ended as %s", outcome.operation, key, outcome.kind.value
            )
        return ledger

    # Settings

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
                config_jsonschema["properties"].setdefault(name, schema)
        PluginBase.append_builtin_config.__func__(cls, config_jsonschema)  # type: ignore[attr-defined]

    def plan(self, stream: str) -> Plan:
        """Return how *stream* is to be written."""
        return plan(stream, self.config.get("streams") or {}, self.name)

    def known_as(self, stream: str) -> str:
        """Return what the ledger calls *stream*: by its pipeline's name, if there is one."""
        pipeline = self.config.get("pipeline")
        return f"{pipeline}/{stream}" if pipeline else stream

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
        message_dict["schema"].setdefault("properties", {})
        keys = message_dict.get("key_properties") or []
        self._schemas[stream] = SourceSchema(stream, copy.deepcopy(message_dict["schema"]), keys)
        message_dict["key_properties"] = keys
        try:
            super()._process_schema_message(message_dict)
        except Unknown as error:
            hint = f'{error.hint} Or say which one it is: streams: {{"{stream}": {{"resource": …}}}}.'
            raise Unknown(f'{self.name}: the stream "{stream}" cannot be written: {error.message}', hint=hint) from None

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"stream", "record"})
        stream = message_dict["stream"]
        self._refuse_unannounced(stream, self.message_reader.line_number)  # type: ignore[attr-defined]
        self._take_mapped(stream, message_dict["record"], message_dict.get("version"))
        self._handle_max_record_age()
        self._go_on()

    def _process_records(self, stream: str, records: list[msgspec.Raw], line: int, version: int | None) -> int:
        """Take *records* of a *version* of *stream*, the first on the line of that number; return how many more fill a batch."""
        self._refuse_unannounced(stream, line)
        room = 1
        maps = self.mapper.stream_maps[stream]
        if len(maps) == 1 and type(maps[0]) is SameRecordTransform and not maps[0].flattening_enabled:
            source, sink = self._schemas[stream], self._sinks_active[maps[0].stream_alias]
            self._take(sink, [Held(source, record) for record in records], version)
            room = sink.max_size - sink.current_size
        else:
            for record in records:
                self._take_mapped(stream, decoded(record), version)
        self._handle_max_record_age()
        self._go_on()
        return room

    def _refuse_unannounced(self, stream: str, line: int) -> None:
        if stream not in self._schemas:
            hint = "Start the input with the stream's SCHEMA message."
            raise InputError(f'line {line} is a RECORD of the stream "{stream}" before its SCHEMA', hint=hint)

    def _take_mapped(self, stream: str, received: dict[str, Any], version: int | None) -> None:
        """Let the stream maps make records of the one *received*, and take them."""
        for stream_map in self.mapper.stream_maps[stream]:
            record = stream_map.transform(copy.copy(received))
            if record is not None:
                held = Held(self._schemas[stream], received=received, record=without_metadata(record))
                self._take(self._sinks_active[stream_map.stream_alias], [held], version)

    def _take(self, sink: Any, held: list[Held], version: int | None) -> None:
        """Let *sink* hold records of a *version* of the stream, and write what it holds when it is full, or of another."""
        if (
            version is not None
            and isinstance(sink, Sink)
            and sink.plan.complete == "version"
            and version != sink.version
        ):
            self.drain_one(sink)
            sink.version = version
        while held:
            room = sink.max_size - sink.current_size
            now, held = held[:room], held[room:]
            before = self._received[sink.stream_name]
            self._received[sink.stream_name] += len(now)
            for position, one in enumerate(now, before + 1):
                one.position = position
            sink.take(now)
            sink.tally_record_read(len(now))
            sink.record_counter_metric.increment(len(now))
            if sink.is_full:
                self.drain_one(sink)

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        """Keep the state until all that came before it is accounted for."""
        self._assert_line_requires(message_dict, requires={"value"})
        self._stated = True
        received = dict(self._received)
        if self._states and self._states[-1][1] == received:
            self._states.pop()
        self._states.append((message_dict["value"], received))
        if len(self._states) > _PENDING_STATES:  # every other one will do, and the newest always
            self._states = deque([state for n, state in enumerate(reversed(self._states)) if n % 2 == 0][::-1])
        self._write_due_state()

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Let the mirrors of a stream take away what is not of the version that was read, if there were records of it."""
        for stream_map in self.mapper.stream_maps.get(str(message_dict.get("stream")), ()):
            sink = self._sinks_active.get(stream_map.stream_alias)
            if isinstance(sink, Sink) and sink.plan.mode == "mirror" and sink.plan.complete == "version":
                self.drain_one(sink)
                self._finish()
                if sink.version is not None and sink.version == message_dict.get("version"):
                    sink.take_away(sink.version)
                    self._mirrored.add(sink.stream_name)

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        hint = "Run the tap without batch_config."
        raise InputError(f'the stream "{message_dict.get("stream")}" comes as a BATCH of files', hint=hint)

    def process_endofpipe(self) -> None:
        """Write what is held, the last STATE and a summary.

        Raises:
            SystemExit: more was refused than ``max_rejects`` allows, or the end of a record is not known.
        """
        self.drain_all(is_endofpipe=True)
        self._finish()
        for sink in self._sinks_active.values():
            if isinstance(sink, Sink) and sink.plan.mode == "mirror":
                if sink.plan.complete == "end" and sink.version is not None:
                    sink.take_away(sink.version)
                elif sink.stream_name not in self._mirrored:
                    said = "its source was not read whole: no ACTIVATE_VERSION came after records of that version"
                    self.account_removed(sink, [], f"nothing was taken away, for {said}")
        self._write_due_state()
        self._stored()
        if "ledger" in self.__dict__:
            self._forget_all(self.ledger)
        code = self._summary()
        self.close()
        if code:
            sys.exit(code)

    def close(self) -> None:
        """Give the ledger back, and close the files."""
        if "ledger" in self.__dict__:
            self.ledger.close()
        for file in (self.rejects, self.receipts, self.undo):
            if file:
                file.close()

    def _forget_all(self, ledger: Ledger) -> None:
        """Forget what the source will not send again: all of it if a STATE covers all, else what this run has written.

        A source without any STATE begins anew each time.
        """
        if not self._stated:
            for stream, position in self._received.items():
                ledger.forget(self.known_as(stream), position)
        elif not self._uncovered:
            ledger.forget_all(map(self.known_as, self._received))

    # Accounting

    def account(self, sink: Sink, held: Sequence[Held], outcomes: Sequence[Outcome]) -> None:
        """Take note of what became of the records that *sink* held: receipts, rejects, then STATE."""
        stream = sink.stream_name
        counts = self.counts.setdefault(stream, Counter())
        counts.update(outcome.kind for outcome in outcomes)
        if self.receipts:
            rows = [
                {"record": receipt(str(self.ledger.run), stream, sink.resource.name, outcome, self.payload)}
                for outcome in outcomes
            ]
            self.receipts.write(RECEIPTS, RECEIPT_SCHEMA, [], rows)
        for h, outcome in zip(held, outcomes, strict=True):
            if outcome.kind in {Kind.REJECTED, Kind.UNKNOWN} and outcome.problem:
                if outcome.problem is not sink.ended:
                    which = outcome.change.value or outcome.change.id or f"record {h.position}"
                    self.logger.warning("%s: %s %s: %s", stream, which, outcome.kind.value, outcome.problem.message)
                if outcome.kind is Kind.REJECTED:
                    row = reject(h.received, outcome.problem, [*h.source.keys, *sink.writer.match.names], self.payload)
                    self.rejects.write(h.source.stream, h.source.schema, h.source.keys, [row])
        if (ended := sink.writer.send.ended) and ended is not sink.ended:
            sink.ended = ended
            click.echo(
                f"{self.name}: {stream}: {ended.message}; what else came of it is in {self.rejects.path}", err=True
            )
        self.pass_over(stream, len(held))

    def account_removed(self, sink: Sink, outcomes: Sequence[Outcome], why: str) -> None:
        """Take note of what a mirror took away, or of *why* it took nothing."""
        stream = sink.stream_name
        self.counts.setdefault(stream, Counter()).update(outcome.kind for outcome in outcomes)
        if self.receipts:
            of = (str(self.ledger.run), stream, sink.resource.name)
            rows = [receipt(*of, outcome, self.payload) for outcome in outcomes]
            self.receipts.write(RECEIPTS, RECEIPT_SCHEMA, [], [{"record": row} for row in rows])
        for outcome in outcomes:
            if outcome.problem:
                self.logger.warning("%s: %s %s: %s", stream, outcome.change.id, outcome.kind, outcome.problem.message)
        if why:
            click.echo(f"{self.name}: {stream}: {why}", err=True)
            self._kept_back += [stream] if "max_delete" in why else []
        elif outcomes:
            anew = sink.writer.removal == "archive" and not sink.writer.restorable
            said = (
                f"; {self.client.api.title} restores it in its own pages only, here it is created anew" if anew else ""
            )
            click.echo(f"{self.name}: {stream}: what was taken away is kept in {self.undo.path}{said}", err=True)

    def pass_over(self, stream: str, number: int) -> None:
        """Count so many records of *stream* as accounted for, and write the STATE that this makes due."""
        self._accounted[stream] += number
        self._uncovered = True
        self._write_due_state()

    def _write_due_state(self) -> None:
        due = None
        while self._states and all(self._accounted[stream] >= n for stream, n in self._states[0][1].items()):
            due = self._states.popleft()
        if due is None:
            return
        value, covered = due
        self._stored()
        sys.stdout.write(_ENCODE(value).decode() + "\n")
        sys.stdout.flush()
        self._uncovered = any(self._accounted[stream] > covered.get(stream, 0) for stream in self._accounted)
        if "ledger" in self.__dict__:
            for stream, position in covered.items():
                self.ledger.forget(self.known_as(stream), position)

    def _stored(self) -> None:
        self.rejects.sync()
        if self.receipts:
            self.receipts.sync()

    def _summary(self) -> int:
        """Tell what became of the records, on stderr; return the exit code."""
        total: Counter[Kind] = Counter()
        for stream, counts in self.counts.items():
            total.update(counts)
            told = ", ".join(f"{counts[kind]:,} {kind.value}" for kind in Kind if counts[kind])
            click.echo(f"{self.name}: {stream}: {told}", err=True)
        for name in self.config.get("streams") or {}:
            if name not in self._schemas and name not in self.counts:
                click.echo(f'{self.name}: the stream "{name}" of the setting streams did not come', err=True)
        rejects, unknown = total[Kind.REJECTED], total[Kind.UNKNOWN]
        allowed = self._max_rejects * total.total() if isinstance(self._max_rejects, float) else self._max_rejects
        if rejects:
            click.echo(
                f"{self.name}: {rejects:,} rejected, kept in {self.rejects.path} to be mended and piped in again",
                err=True,
            )
        if unknown:
            said = f"{unknown:,} records were sent and not answered, and could not be found out; they will not be sent again"
            click.echo(
                f"{self.name}: {said}. Look them up by hand; the ledger lists them: {self.ledger.path}", err=True
            )
        return 1 if rejects > allowed or unknown or self._kept_back else 0

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

    def _wait(self) -> None:
        """Wait for news, of the input or of a batch, and go on with what is under way."""
        self.flights.wait()
        self._go_on()

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

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if (self._busy or self.under_way) and not self._stopping:
            self._stopping = signum
            self._tell(f"{signal.Signals(signum).name}: finishing what is under way")
            self.flights.wake()
        else:
            self._end(signum)

    def _end(self, signum: int) -> None:
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
