"""A stream of records on its way to a resource: held, written in batches, each record accounted for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import jsonschema
from msgspec import Raw, Struct
from referencing import Registry
from referencing.exceptions import Unresolvable
from singer_sdk.exceptions import InvalidRecord
from singer_sdk.sinks import BatchSink
from singer_sdk.sinks.core import BaseJSONSchemaValidator, JSONSchemaValidator
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from antiphon.errors import InputError, SettingError
from antiphon.outcome import Outcome, Problem, Record
from antiphon.singer import undoing
from antiphon.singer.plan import Plan
from antiphon.singer.reader import UNREADABLE, beyond, pieces
from antiphon.singer.reader import record as record_on
from antiphon.singer.valid import Check, compiled
from antiphon.writeback import mirror
from antiphon.writeback.batch import Refused
from antiphon.writeback.fields import DELETED_AT
from antiphon.writeback.recent import Recent
from antiphon.writeback.restoring import Restore
from antiphon.writeback.writer import Allowance, Seen, Writer

if TYPE_CHECKING:
    from antiphon.singer.target import Target

HELD = 1000
"""Records that are held before they are written, unless ``batch_size_rows`` says otherwise."""
_ROOM = 64 << 20
"""Bytes of lines after which no more are held, however few records that are: what is made of them takes several times as much memory."""


_METADATA = frozenset(
    f"_sdc_{name}"
    for name in ("extracted_at", "received_at", "batched_at", "sequence", "table_version", "sync_started_at")
)


def _is_integer(_checker: jsonschema.TypeChecker, value: object) -> bool:
    whole = isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value()
    return whole or DEFAULT_JSONSCHEMA_VALIDATOR.TYPE_CHECKER.is_type(value, "integer")


_DRAFT = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    DEFAULT_JSONSCHEMA_VALIDATOR,
    type_checker=DEFAULT_JSONSCHEMA_VALIDATOR.TYPE_CHECKER.redefine("integer", _is_integer),
)


@dataclass(frozen=True, slots=True)
class SourceSchema:
    """What the last SCHEMA message said of a stream as it comes in, before any stream map."""

    stream: str
    schema: dict[str, Any]
    keys: Sequence[str]
    line: int
    """The number of the line that it is on."""


class Held(Struct, gc=False, eq=False):
    """A record that waits to be written: as it came, as the stream maps left it, and its number in the stream.

    What no stream map changes is held as the line it came on, until somebody asks for its fields.
    """

    source: SourceSchema
    position: int
    _line: bytes = b""
    _received: dict[str, Any] | None = None
    _record: dict[str, Any] | None = None
    _refused: Refused | None = None

    @property
    def size(self) -> int:
        """Bytes of the line that it is held as."""
        return len(self._line)

    @property
    def refused(self) -> Refused | None:
        """Why it is not written; None where it is."""
        self._read()
        return self._refused

    def refuse(self, why: Refused | None) -> None:
        """Have it not written, if there is a reason *why*."""
        self._refused = self._refused or why

    def _read(self) -> dict[str, Any]:
        if self._received is None:
            try:
                self._received = record_on(self._line)
            except UNREADABLE as error:
                self._received = pieces(self._line)
                unread = {name for name, value in self._received.items() if isinstance(value, Raw)}
                self._refused = Refused(f"it {beyond(error) or error}", "schema", columns=unread)
        return self._received

    @property
    def received(self) -> dict[str, Any]:
        """The record as it came; values that cannot be read are the bytes that they came as."""
        return self._read()

    @property
    def record(self) -> dict[str, Any]:
        """The record as the stream maps left it, without the SDK's metadata columns."""
        if self._record is None:
            self._record = without_metadata(self.received)
        return self._record


class Sink(BatchSink):
    """Writes the records of one stream."""

    MAX_SIZE_DEFAULT = HELD
    _compiles = False
    """Whether what holds records against the schema says no more than the schema."""

    def __init__(
        self, target: Target, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        """Refuse the stream if it cannot be written as its plan says."""
        super().__init__(target=target, stream_name=stream_name, schema=schema, key_properties=key_properties)
        self._checks: dict[str, Check | None] = {}
        self.target = target
        self.plan: Plan = target.plan(stream_name)
        self.resource = target.client.resource(self.plan.resource)
        target.client.schema(self.resource)  # before the ledger asks whose account this is: its error says more
        self.held: list[Held] = []
        self._size = 0
        """Bytes of the lines that are held."""
        self.ended: Problem | None = None
        """Why the stream's records are not sent any more, once that was told."""
        if self.plan.mode == "mirror" and target.accounts.payload != "full":
            said = f"{target.name}: {stream_name}: a mirror keeps what it takes away, which payload: {target.accounts.payload} forbids"
            raise SettingError(said, hint="Set payload: full, or another mode.")
        self.version = target.ledger.run if self.plan.complete == "end" else None
        """The version of the stream that the records held are of; where the end of the input completes it, this run."""
        self.undoes = undoing.undone(stream_name)
        match = tuple(key_properties or ()) if self.undoes else self.plan.match
        properties = self.original_schema["properties"]
        columns = {name: field for name, field in properties.items() if not name.startswith("_sdc_")}
        self.writer = Writer(
            target.client,
            self.resource,
            stream=target.known_as(stream_name),
            columns=columns or None,  # a SCHEMA without properties tells nothing of them
            mode=self.plan.mode,
            match=match,
            alike={name: ways for name, ways in self.plan.alike.items() if not self.undoes or name in match},
            fields=self.plan.fields,
            deletes=self.plan.deletes,
            restore=self._restore(),
            allowance=target.allowances.setdefault(stream_name, Allowance(self.plan.max_delete)),
            seen=target.seen.setdefault(stream_name, Seen()),
            ledger=target.ledger,
            full=bool(self.undoes or target.config.get("full")),
            flights=target.flights,
            recent=target.recent.setdefault(self.resource.name, Recent()),
        )

    def check(self, source: str) -> Check | None:
        """Return what checks the lines of the stream *source*, whose records come here as they are; None where only :meth:`take` can."""
        if source not in self._checks:
            self._checks[source] = compiled(source, self.schema) if self._compiles else None
        return self._checks[source]

    @property
    def is_full(self) -> bool:
        """Whether what is held is to be written."""
        return super().is_full or self._size >= _ROOM

    def take(self, held: Sequence[Held], *, valid: bool, size: int) -> None:
        """Hold records, *size* bytes; unless they are known to be *valid* by their schema, one that is not is refused."""
        self._size += size
        if self._validator is not None and not valid:
            for one in held:
                if not one.refused:
                    one.refuse(self._refusal(one))
        self.held += held

    def _refusal(self, held: Held) -> Refused | None:
        """Return why a record is not valid by its schema; None where it is.

        Raises:
            InputError: the schema refers to what is not there.
        """
        try:
            return self._invalid(held.record)
        except Unresolvable as error:
            said = f'line {held.source.line} is a SCHEMA with a $ref to "{error.ref}", which is not there'
            raise InputError(said, hint="Look at what writes it: a SCHEMA may refer to its own parts alone.") from None

    def _invalid(self, record: dict[str, Any]) -> Refused | None:
        try:
            self._validator.validate(record)  # type: ignore[union-attr]
        except InvalidRecord as error:
            wrong = self._wrong(record)
            said = f"not valid by its own SCHEMA: {error.error_message[:500]}"
            known = [column for column in self.schema["properties"] if column in (wrong or ())]
            return Refused(said, "schema", ", ".join(known), wrong or (), sure=wrong is not None)
        return None

    def _wrong(self, record: dict[str, Any]) -> set[str] | None:
        """Return the columns for which *record* is not valid; None where it is not for single ones."""
        if not isinstance(self._validator, JSONSchemaValidator):
            return None
        wrong: set[str] = set()
        for error in self._validator.validator.iter_errors(record):
            if error.absolute_path:
                wrong.add(str(error.absolute_path[0]))
            elif error.validator == "required":
                wrong |= set(error.validator_value) - record.keys()
            elif error.validator != "additionalProperties":
                return None
        return wrong

    def get_validator(self) -> BaseJSONSchemaValidator | None:
        """Return what holds records against the schema; 5.0 is an integer, as JSON Schema has it."""
        validator = super().get_validator()
        if isinstance(validator, JSONSchemaValidator):
            checker = validator.validator.format_checker
            validator.validator = _DRAFT(self.schema, format_checker=checker, registry=Registry())
            self._compiles = not (checker and checker.checkers)
        return validator

    def process_batch(self, context: dict[str, Any]) -> None:  # noqa: ARG002
        """Begin to write what is held."""
        held, self.held, self._size = self.held, [], 0
        version = self.version if self.plan.mode == "mirror" else None
        refused = {n: h.refused for n, h in enumerate(held) if h.refused}
        batch = self.writer.batch([h.record for h in held], [h.position for h in held], version, refused)

        if version is not None:
            self.writer.seen.sources |= {h.source.stream for n, h in enumerate(held) if n not in batch.gone}

        def told(outcomes: Sequence[Outcome]) -> None:
            if self.undoes and self.plan.mode != "create":
                ids = [o.id for o in outcomes if o.ok and o.id]
                self.target.ledger.records.back(self.target.known_as(self.undoes), ids)
            self.target.accounts.account(self, held, outcomes)

        self.target.begin(batch, self.writer.steps, told)

    def take_away(self, version: int, sources: Collection[str]) -> None:
        """Take away what the stream made and its *sources*, read whole as *version*, have no more."""
        empty = sorted(set(sources) - self.writer.seen.sources)
        with self.target.at_work():
            came = mirror.take_away(self.writer, self.target.ledger, version, self._undo, empty=empty)
            if isinstance(came, mirror.Kept):
                self.target.accounts.account_kept(self, came)
            else:
                self.target.accounts.account_removed(self, came)

    def _restore(self) -> Restore:
        """Return which archived records are restored: of what is brought back those alone that were archived."""
        if self.undoes:
            return "none" if self.plan.mode == "create" else "all"
        return self.plan.restore

    def _undo(self, by: str, records: Sequence[Record]) -> None:
        """Keep *records*, which are known by the field *by*, ready to be piped in again."""
        undoing.keep(self.target.accounts.undo, self.writer, self.stream_name, by, records)

    def _remove_sdc_metadata_from_schema(self) -> None:
        """Strip the SDK's metadata columns, save the one that says that a record is gone."""
        deleted_at = self.schema["properties"].get(DELETED_AT)
        super()._remove_sdc_metadata_from_schema()
        if deleted_at is not None:
            self.schema["properties"][DELETED_AT] = deleted_at


class NullSink(BatchSink):
    """Takes a stream and writes nothing: one that a stream map removes."""

    def __init__(
        self, target: Target, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        """Take whatever schema there is."""
        super().__init__(target=target, stream_name=stream_name, schema=schema, key_properties=key_properties)
        self.target = target

    def take(self, held: Sequence[Held], *, valid: bool, size: int) -> None:
        """Take nothing."""

    def take_away(self, version: int, sources: Collection[str]) -> None:
        """Take nothing away."""

    def process_batch(self, context: dict[str, Any]) -> None:  # noqa: ARG002
        """Write nothing."""
        self.target.accounts.pass_over(self.stream_name, self.current_size)


class CheckSink(NullSink):
    """Takes the stream with which Meltano tests a target: checks the connection and writes nothing."""

    def __init__(
        self, target: Target, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        """Check the connection."""
        super().__init__(target=target, stream_name=stream_name, schema=schema, key_properties=key_properties)
        target.client.check()


def without_metadata(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return *record* without the SDK's metadata columns, save the one that says that it is gone."""
    if _METADATA.isdisjoint(record):
        return dict(record)
    return {name: value for name, value in record.items() if name not in _METADATA}
