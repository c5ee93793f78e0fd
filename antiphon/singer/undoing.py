"""Undo files: Singer messages that bring back what a mirror took away, when they are piped into the same target.

The name of their stream says how, and of which mirror: ``antiphon_undo_people`` is created where there is none by the fields that the mirror
matches by, ``antiphon_restore_people`` is archived and restored by its id. Either way it is the mirror's own again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from singer_sdk.mapper import PluginMapper, SameRecordTransform

from antiphon.api import Record
from antiphon.singer.rejects import MessageFile
from antiphon.writeback.writer import Mode, Writer

_MODES: dict[str, Mode] = {"antiphon_undo_": "create", "antiphon_restore_": "update"}
"""How what is in a stream is written whose name begins so; the mirror's follows."""
UNDO, RESTORE = _MODES
_LEFT_OUT = ("readOnly", "x-children")
"""Keywords of the fields that are not kept: what the API sets itself, and what refers to records that went with this one."""


def undone(stream: str) -> str:
    """Return the name of the mirror that *stream* brings records back of; empty where it is none of an undo file."""
    return next((stream.removeprefix(begin) for begin in _MODES if stream.startswith(begin)), "")


def mode_of(stream: str) -> Mode:
    """Return how a stream of an undo file is written."""
    return next(mode for begin, mode in _MODES.items() if stream.startswith(begin))


def known_as(stream: str) -> str:
    """Return the name under which *stream* is in the ledger: what is created anew is the mirror's from the first."""
    return stream.removeprefix(UNDO)


class Mapper(PluginMapper):
    """The stream maps of a target. What is in an undo file has the fields of the API: no map is for that."""

    def register_raw_stream_schema(
        self, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        """Let the records of an undo file through as they are, and those of other streams as the maps say."""
        if undone(stream_name):
            as_it_is = SameRecordTransform(stream_name, schema, key_properties, flattening_options=None)
            self.stream_maps[stream_name] = [as_it_is]
        else:
            super().register_raw_stream_schema(stream_name, schema, key_properties)


def keep(file: MessageFile, writer: Writer, stream: str, by: str, records: Sequence[Record]) -> None:
    """Keep *records* of the mirror *stream*, matched by the field *by*: as they are, or where they can be restored what they are known by."""
    archived = writer.removal == "archive" and writer.restorable
    rows = [{name: value for name, value in one.items() if value is not None} for one in records]
    kept = {name for row in rows for name in row if not any(writer.match.field(name).get(word) for word in _LEFT_OUT)}
    if archived:
        keys = list(writer.resource.key)
        kept = {*keys, *(name for name in kept if name in writer.address or name in writer.match.marks)}
    else:
        keys = [name for name in dict.fromkeys((by, *writer.match.names)) if name in kept]
    rows = [{name: value for name, value in row.items() if name in kept} for row in rows]
    schema: dict[str, Any] = {"type": "object", "properties": {name: {} for name in sorted(kept)}}
    begin = RESTORE if archived else UNDO
    file.write(f"{begin}{stream}", schema, keys, [{"record": row} for row in rows])
    file.sync()
