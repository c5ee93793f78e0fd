"""One resource as a stream: what is read, from when on, what is left out, and where an interrupted read goes on.

Of the Singer SDK's stream this keeps selection, stream maps, flattening, counters and ``--test``, and replaces what it knows of
state (:mod:`antiphon.singer.state`). A parent's records are walked by the client, so no stream has children.

A resource is read by its slot ``changes`` where there is a time to start from, else by ``read``. That time is the bookmark
less the lookback, or ``start_date``; a stream that is replicated as FULL_TABLE has none. The bookmark moves once the stream is complete,
to the time the server gave for the first page. What is interrupted goes on at the first page that was not wholly sent.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import singer_sdk
from singer_sdk.helpers._catalog import get_selected_schema, pop_deselected_record_properties
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform, StreamMap
from singer_sdk.singerlib import Catalog, RecordMessage
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from antiphon import moment
from antiphon.api import Read, Record, Resource
from antiphon.encode import Encoder, Envelope, Rows, lines, wrapped
from antiphon.errors import AntiphonError, BadReply, InputError, SettingError, Unauthorized
from antiphon.schema import for_catalog
from antiphon.singer import state
from antiphon.singer.catalog import DELETED_AT, inferred, widened
from antiphon.singer.messages import envelope
from antiphon.singer.state import Bookmark
from antiphon.singer.walk import Bounds, Walk

if TYPE_CHECKING:
    from antiphon.singer.tap import Tap

STATE_RECORDS = 1000
STATE_SECONDS = 10.0
"""A STATE follows a page when so many records were sent, or so much time went by, since the last."""


class ResourceStream(singer_sdk.Stream):
    """The stream of one resource."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # the client gives records the shape that the schema has
    STATE_MSG_FREQUENCY = sys.maxsize  # states are written at the ends of pages

    _tap: Tap

    def __init__(self, tap: Tap, resource: Resource) -> None:
        """Make the stream of *resource*; its fields are fetched when they are needed."""
        self.resource = resource
        self.selected_by_default = resource.common
        super().__init__(tap, name=resource.name)
        self.primary_keys = list(resource.key)
        self.replication_key = resource.updated or None
        self._inferred: set[str] = set()
        self._left_out: set[str] = set()
        self._sent = 0
        self._state_at = 0.0
        self._arrived: threading.Event | None = None
        """Set when a page has come; without it, a sync waits for pages."""

    # What the stream is

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its records: the catalog's where there is one, else the resource's own."""
        if self._input_schema is not None:
            return self._input_schema
        if self._schema is None:
            self._schema = self._tap.fields(self.resource, fetch=self.resource.common)
        return self._schema

    @property
    def selected(self) -> bool:
        """Whether it is to be read."""
        return super().selected

    @selected.setter
    def selected(self, value: bool | None) -> None:
        singer_sdk.Stream.selected.__set__(self, value)  # type: ignore[attr-defined]
        self._register()  # `--test` selects streams after their schemas were registered, without the fields then

    @property
    def parted(self) -> bool:
        """Whether several requests for its list may be under way at a time."""
        read = self.resource.read
        return bool(self.resource.parent) or (
            isinstance(read, Read) and bool(read.parts or hasattr(read.paging, "expected"))
        )

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take schema, keys and replication from the catalog; what it leaves out is as the resource says.

        Raises:
            InputError: it asks for a replication key that the API cannot read by.
        """
        super().apply_catalog(catalog)
        updated = self.resource.updated
        self.primary_keys = list(self.primary_keys or self.resource.key)
        if self.forced_replication_method == REPLICATION_FULL_TABLE:
            return
        if self.replication_key not in {None, updated}:
            known = f'Its replication key is "{updated}".' if updated else "It can be replicated as FULL_TABLE only."
            said = f'the catalog asks to read "{self.name}" by "{self.replication_key}"'
            raise InputError(f"{self.tap_name}: {said}, which the API cannot", hint=known)
        if self.forced_replication_method and not updated:
            self.logger.warning("%s has no time of change and is read as a whole", self.name)
        self.replication_key = updated or None

    def get_replication_key_signpost(self, context: Any = None) -> None:
        """Return no signpost: how far a bookmark may move is ours to say."""

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log a message of the SDK's. Errors are told once, by the command."""
        super().log(message, *args, level=logging.DEBUG if level >= logging.ERROR else level, **kwargs)

    # What the SDK does for each record, and we do for each page or not at all

    def _write_starting_replication_value(self, context: Any) -> None:
        pass

    def _increment_stream_state(self, latest_record: Any, *, context: Any = None) -> None:
        pass

    def _process_record(self, record: Any, child_context: Any = None, partition_context: Any = None) -> None:
        pass

    def _write_schema_message(self) -> None:
        if self.name not in self._tap.troubles:
            super()._write_schema_message()

    def _sync_records(self, context: Any = None, *, write_messages: bool = True) -> Generator[dict[str, Any], Any, Any]:
        """Read the stream; an error ends it and not the others, unless they would meet it as well."""
        try:
            if self.ABORT_AT_RECORD_COUNT is None and write_messages:
                yield from self._sync_pages()
            else:
                yield from super()._sync_records(context, write_messages=write_messages)
        except (Unauthorized, SettingError):
            raise
        except AntiphonError as error:
            self._tap.failures[self.name] = error
            self.logger.error("%s", error)  # noqa: TRY400
        finally:
            self._tap.message_writer.flush()

    # Reading

    def get_records(self, context: Any) -> Iterator[Record]:  # noqa: ARG002
        """Yield the records, and keep the bookmark as their pages are done.

        Raises:
            AntiphonError: the stream cannot be read.
        """
        for page in self._walk(None).pages():
            for record in self._fitted(cast("list[Record]", page)):
                self._sent += 1
                yield record

    def steps(self, arrived: threading.Event) -> Generator[Any]:
        """Sync, as :meth:`singer_sdk.Stream.sync` does; yield after each page, and None where it has not come yet."""
        self._arrived = arrived
        self.log("Beginning sync of '%s' in %s mode", self.name, self.replication_method.lower())
        self._write_schema_message()
        if self.replication_method == REPLICATION_FULL_TABLE and self.emit_activate_version_messages:
            self._stream_version = self._initialized_at // 1000
            self._write_activate_version_message(self._stream_version)
        yield from self._sync_records()
        self.finalize_state_progress_markers()

    def _sync_pages(self) -> Iterator[Any]:
        """Write page after page, yielding after each the number of its records, or None where one has not come yet."""
        why = self._by_record()
        self.logger.debug("%s: %s", self.name, f"record by record, for {why}" if why else "pages go as they come")
        encoder = None if why else Encoder(self.resource, self.effective_schema, self._chosen())
        with self.get_record_counter() as counter, self.get_sync_timer() as timer:
            counter.with_context({})
            timer.with_context({})
            for page in self._walk(encoder).pages():
                if page is None:
                    yield None
                    continue
                if isinstance(page, Rows):
                    self._tap.message_writer.write_lines(wrapped(page.records, self._envelope(self.stream_maps[0])))
                    count = page.count
                else:
                    count = len(page)
                    self._write(list(self._fitted(page)))
                self.state_manager.is_flushed = False
                self._sent += count
                counter.increment(count)
                yield count
            self._finalize_state(self.stream_state)
            self._write_state_message()

    def _walk(self, encoder: Encoder | None) -> Walk:
        if self.name in self._tap.troubles:
            raise self._tap.troubles[self.name]
        self._state_at = time.monotonic()
        self._take_new_fields()
        return Walk(
            self._tap.client,
            replace(self.resource, schema=self.effective_schema),  # known: the API need not be asked for it
            state.load(self._tap.state, self.name),
            self._bounds(),
            fields=self._selected_fields(),
            keep=self._remember,
            encoder=encoder,
            arrived=self._arrived,
        )

    def _by_record(self) -> str:
        """Return why each record has to be looked at; nothing if pages may go as they come."""
        if not self._tap.by_page:
            return "it is asked to"
        if self.config.get("new_fields") != "ignore":
            return "new fields are not ignored"
        [first, *more] = self.stream_maps
        if more or type(first) is not SameRecordTransform or first.flattening_enabled:
            return "there is a stream map"
        return "parts of a field are not selected" if self._parts_left_out() else ""

    def _chosen(self) -> tuple[str, ...]:
        return tuple(name for name in self.effective_schema["properties"] if self.mask["properties", name])

    def _parts_left_out(self) -> bool:
        return any(len(crumb) > len(("properties", "a field")) and not chosen for crumb, chosen in self.mask.items())

    def _write(self, records: list[Record]) -> None:
        """Write *records* by way of the stream maps."""
        chosen = set(self._chosen())
        parts = self._parts_left_out()
        for record in records:
            if parts:
                pop_deselected_record_properties(record, self.schema, self.mask)
            else:
                for name in [name for name in record if name not in chosen]:
                    del record[name]
        for stream_map in self.stream_maps:
            mapped = [found for record in records if (found := stream_map.transform(record)) is not None]
            self._tap.message_writer.write_lines(lines(mapped, self._envelope(stream_map)))

    def _envelope(self, stream_map: StreamMap) -> Envelope:
        now = moment.now()
        return envelope(RecordMessage(stream_map.stream_alias, {}, version=self._stream_version, time_extracted=now))

    def _fitted(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield *records* with no field that the stream does not have."""
        known = self.effective_schema["properties"].keys()
        for record in records:
            if self._inferred or not record.keys() <= known:
                known = self._fit(record)
            yield record

    def _bounds(self) -> Bounds:
        config = self.config
        lookback = config.get("lookback")
        return Bounds(
            start=config.get("start_date"),
            end=config.get("end_date"),
            lookback=float(self.resource.lookback if lookback is None else lookback),
            whole=self.replication_method == REPLICATION_FULL_TABLE,
            deletes=bool(config.get("deletes")),
        )

    def _selected_fields(self) -> tuple[str, ...]:
        properties = self.effective_schema["properties"]
        chosen = [name for name in properties if name != DELETED_AT and self.mask["properties", name]]
        needed = [*self.resource.key, self.resource.updated] if self.resource.updated else self.resource.key
        return tuple(dict.fromkeys((*needed, *chosen)))

    def _remember(self, bookmark: Bookmark) -> None:
        """Keep *bookmark*, now that everything before it is written; write the STATE if it is time."""
        self._tap.message_writer.flush()
        state.keep(self._tap.state, self.name, bookmark)
        self.state_manager.is_flushed = False
        if self._sent >= STATE_RECORDS or time.monotonic() - self._state_at >= STATE_SECONDS:
            self._tap.state_writer.write_state(self._tap.state)
            self._sent, self._state_at = 0, time.monotonic()

    # Fields that the catalog does not have

    def _take_new_fields(self) -> None:
        """Compare the catalog with the fields that the API declares now, where new ones are not to be ignored."""
        policy = self.config.get("new_fields")
        if policy == "ignore" or self._input_schema is None:
            return
        declared = self.resource.schema
        fields = for_catalog(declared(self._tap.client) if callable(declared) else declared)["properties"]
        if new := {name: field for name, field in fields.items() if name not in self._input_schema["properties"]}:
            self._add(new)

    def _fit(self, record: Record) -> AbstractSet[str]:
        """Deal with the fields of *record* that the stream does not have, and return those that it has then."""
        policy, properties = self.config.get("new_fields"), self.effective_schema["properties"]
        new: dict[str, Any] = {}
        for name in [name for name in record if name not in properties]:
            value = record[name]
            if policy == "ignore" or name in self.resource.always or (policy == "add" and value is None):
                del record[name]
                if name not in self._left_out:
                    self._left_out.add(name)
                    self.logger.debug('the field "%s" is not in the catalog and is left out', name)
            else:
                new[name] = inferred(value)
        for name in self._inferred & record.keys():
            if record[name] is not None and (wider := widened(properties[name], inferred(record[name]))):
                new[name] = wider
        if new:
            self._add(new)
            self._inferred |= new.keys()
        return self.effective_schema["properties"].keys()  # type: ignore[no-any-return]

    def _add(self, fields: Mapping[str, Any]) -> None:
        """Add *fields* to the schema and write it again.

        Raises:
            BadReply: the user wants none.
        """
        if self.config.get("new_fields") == "fail":
            names = ", ".join(f'"{name}"' for name in fields)
            hint = "Discover the catalog again, or set new_fields to add or ignore."
            raise BadReply(
                f"{self._tap.description().name}: reading {self.name} -> it has fields that are new: {names}", hint=hint
            )
        schema = {**self.effective_schema, "properties": {**self.effective_schema["properties"], **fields}}
        if self._input_schema is None:
            self._schema = schema
        else:
            self._input_schema = schema
        self._register()
        self._write_schema_message()

    def _register(self) -> None:
        """Let the stream maps know the schema as it is now."""
        written = get_selected_schema(self.name, self.effective_schema, self.mask)
        self._tap.mapper.register_raw_stream_schema(self.name, written, self.primary_keys)
        self._stream_maps = None
