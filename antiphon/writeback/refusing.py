"""What the settings of a stream may not ask of its resource, refused before anything is read of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from antiphon.api import Read
from antiphon.errors import Busy, SettingError, did_you_mean

if TYPE_CHECKING:
    from antiphon.writeback.writer import Writer

_UPSERT = ("upsert", "create", "update")


def refuse_impossible(writer: Writer) -> None:
    """Refuse a mode, or a policy for what is deleted or archived, that the resource has nothing for.

    Raises:
        SettingError: it has not; the text tells what it has.
        Busy: another run mirrors a stream of this name.
    """
    can = {"upsert": _UPSERT, "mirror": _UPSERT, "delete": ("delete", "archive")}.get(writer.mode, (writer.mode,))
    if not any(getattr(writer.resource, slot) for slot in can):
        has = ", ".join(writer.resource.operations)
        raise SettingError(
            f"{writer.where}: {writer.resource.name} cannot be written in mode {writer.mode}", hint=f"It has: {has}."
        )
    if writer.mode == "mirror":
        _refuse_mirror(writer)
    if writer.deletes != "ignore" and not (writer.resource.delete or writer.resource.archive):
        raise SettingError(f"{writer.where}: {writer.resource.name} cannot be deleted", hint="Set deletes: ignore.")
    if writer.deletes == "archive" and not writer.archives:
        raise SettingError(f"{writer.where}: {writer.resource.name} cannot be archived", hint="Set deletes: delete.")
    if writer.restore == "all" and not writer.restorable:
        said = f"{writer.where}: {writer.client.api.title} does not restore {writer.resource.name} through its API"
        hint = "Restore them in its own pages, and leave out restore: what is archived is not found, and created anew."
        raise SettingError(said, hint=hint)


def _refuse_mirror(writer: Writer) -> None:
    found = writer.resource.get or (writer.resource.find and not isinstance(writer.resource.find, Read))
    if not (writer.resource.delete or writer.resource.archive) or not found or writer.ledger is None:
        said = f"{writer.where}: {writer.resource.name} cannot be mirrored"
        raise SettingError(said, hint="It needs to be deleted or archived, and read back by id.")
    before = writer.ledger.resource(writer.stream)
    if before not in {"", writer.resource.name}:  # it would take away what has the same ids here
        said = f"{writer.where}: it was written to {before} before, and a mirror to {writer.resource.name} knows nothing of that"
        hint = f"Give this one a pipeline of its own, or let the other be forgotten: antiphon ledger forget {writer.client.api.name} {writer.stream}"
        raise SettingError(said, hint=hint)
    if not writer.ledger.alone(writer.stream):
        said = f"{writer.where}: another run is mirroring a stream of this name"
        hint = "Wait until it ends; or, if it is another job's, give each a pipeline of its own."
        raise Busy(said, hint=hint)


def refuse_match(writer: Writer, match: Sequence[str]) -> None:
    """Refuse fields of *match* that are not there, or by which nothing is found.

    Raises:
        SettingError: naming the field.
    """
    known = writer.schema.get("properties", {})
    for name in match:
        if name not in known:
            hint = did_you_mean(name, known)
            raise SettingError(
                f'{writer.where}: match names "{name}", which {writer.resource.name} does not have', hint=hint
            )
        if not (writer.match.is_id(name) or writer.resource.found_by(name) or writer.native(name)):
            raise SettingError(f"{writer.where}: {writer.resource.name} cannot be looked up by {name}")
    for name in writer.match.alike:
        if name not in writer.match.names:
            hint = did_you_mean(name, writer.match.names)
            raise SettingError(f'{writer.where}: match_by names "{name}", which is not matched by', hint=hint)
        if writer.match.hidden(name) and (writer.resource.read is None or writer.match.is_id(name)):
            hint = f"Take {name} out of match_by, and map it to the form that the API has."
            raise SettingError(
                f"{writer.where}: {writer.resource.name} cannot be listed, to find {name} in other forms", hint=hint
            )


def narrowed(writer: Writer, fields: set[str], *, asked: bool) -> tuple[str, ...]:
    """Return the match fields that are among the *fields* which the stream gives; refuse one that gives none, though it is *asked* for some."""
    there = tuple(name for name in writer.match.names if name in fields)
    if not there and (writer.mode != "create" or asked):
        possible = ", ".join(writer.match.names) or "none by default: name one"
        hint = (
            f"Map a column to one of them with fields ({possible}), name another field as match, or set mode: create."
        )
        raise SettingError(
            f"{writer.where}: no column of the stream is a field to match {writer.resource.name} by", hint=hint
        )
    return there
