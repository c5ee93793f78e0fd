"""The pages of a list, one after the other, in the shape of the resource's schema, each record once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from antiphon import moment, shape
from antiphon.api import Page, Query, Read, Record, Reply, Request, Resource, Then
from antiphon.asking import asked, fetched, requests, rows
from antiphon.errors import ApiError, BadReply, NotFound, PagingError
from antiphon.expected import Expected
from antiphon.fill import MISSING, fill, look, names
from antiphon.sent import Sent

if TYPE_CHECKING:
    from antiphon.client import Client
    from antiphon.encode import Rows
    from antiphon.shape import Shape

IDLE = 50
"""Pages in a row with nothing but records that were sent: more are an error."""
_CONDITIONAL = ("If-Modified-Since", "If-None-Match")


def pages(
    client: Client, read: Read, resource: Resource, query: Query, doing: str, values: Mapping[str, Any]
) -> Iterator[Page]:
    """Yield the pages that *read* gives; *values* are more that its placeholders may name.

    Raises:
        PagingError: a cursor came twice, or the list changes more than can be followed.
        BadReply: there are no records where the description says.
    """
    given = {**client.settings, **asked(client, read, resource, query), **values}
    then, fields = _needed(read.then, given.get("fields")), given.get("fields")
    if then:
        given["fields"] = MISSING
    source = client.worded(then.read if then else read)
    shaped = shape.compiled(source, client.schema(resource))
    walk = _Walk(client, read, resource, query, doing)
    made = requests(read, given, doubled=client.doubled)
    cursor, bookmark = walk.first(), None
    while cursor is not None:
        reply = walk.answer(cursor, made)
        if reply.status == HTTPStatus.NOT_MODIFIED:
            yield Page(bookmark=query.since, rows=[])
            return
        replies = [reply]
        page = None if then else _written(query, source, replies, given)
        came = page.came if page else rows(client, read, reply, doing)
        around = page.around if page else reply
        if then:
            replies = fetched(client, then, {**given, "fields": fields}, list(came), doing)
            page = _written(query, source, replies, given)
        whole: Callable[[], list[Record]] = partial(_shaped, client, source, replies, shaped, given, doing)
        fresh = None
        if not walk.new(page):
            found = _brief(page, resource) if page else whole()
            if (back := walk.back(cursor, found, len(came))) is not None:
                cursor = back
                continue
            fresh = walk.fresh(found)
            if page:
                if len(fresh) < len(found):
                    page, whole = only(page, whole, _places(found, fresh))
                fresh = None
        following = walk.following(cursor, around, came)
        bookmark = bookmark or (reply.headers.get(read.bookmark) if read.bookmark else _server_time(reply))
        body = None if reply.format else reply.body
        yield Page(body, read.records, reply.headers, bookmark, following, fresh, page, whole)
        cursor = following


class _Walk:
    """One walk through a list: where it goes next, and which records it knows again."""

    def __init__(self, client: Client, read: Read, resource: Resource, query: Query, doing: str) -> None:
        self._client, self._read, self._query, self._doing = client, read, query, doing
        self._paging: Any = read.paging
        self._by_place = hasattr(read.paging, "overlap")
        self._expected = Expected(client, self._paging, doing)
        if not resource.key or read.each:  # its rows cannot be known again
            self._apart()
        cursor = query.cursor
        self._sent = Sent(resource, cursor.get("seen", ()) if isinstance(cursor, Mapping) else ())
        self._idle = 0
        self._asked = cursor is not None
        self._named: set[int] = set()

    def first(self) -> Any:
        """Return where the walk begins: where an earlier one stopped, or at the first page."""
        if self._query.cursor is not None:
            cursor = self._query.cursor
        elif begin := getattr(self._paging, "begin", None):
            cursor = begin(self._query)
        else:
            cursor = self._paging.first() if self._paging else {}
        self._named.add(hash(repr(cursor)))
        return cursor

    def answer(self, cursor: Any, made: Callable[[Any], Request]) -> Reply:
        """Return the answer to the request *made* for *cursor*; one without content where there is no such page any more."""
        try:
            reply = self._expected.answer(cursor, made)
        except ApiError as error:
            asked = made(cursor)
            if error.status == HTTPStatus.NOT_MODIFIED and any(name in asked.headers for name in _CONDITIONAL):
                return Reply(HTTPStatus.NOT_MODIFIED, {}, b"", asked.url)
            if self._none(error):
                return _nothing({}, asked.url)
            raise
        finally:
            self._asked = True
        return _nothing(reply.headers, reply.url) if reply.status == HTTPStatus.NO_CONTENT else reply

    def _none(self, error: ApiError) -> bool:
        """Return whether *error* says that there are no records, or no more."""
        read = self._read
        if error.status in read.absent or (isinstance(error, NotFound) and "match" in names(read.path)):
            return True
        return self._asked and error.status in getattr(self._paging, "past_end", ())

    def back(self, cursor: Any, found: Sequence[Record], came: int) -> Any:
        """Return a cursor further back where a page that should overlap shows no record that is known; else None.

        Raises:
            PagingError: more has changed than is remembered.
        """
        if self.overlaps and not all(self._sent.key(row) is not None for row in found):
            self._apart()
        if not self.overlaps:
            return None
        if self._sent.knows(found):
            return None
        if cursor.get("overlap") or (found and cursor.get("alone")):
            self._tick()
            self._sent.turn()
            further = self._paging.back(cursor, came)
            if self._sent.whole or further.get("back", 0) <= len(self._sent):
                return further
        elif self._sent.whole or not found or not cursor.get("begin"):
            return None
        raise self._changes()

    def new(self, page: Rows | None) -> bool:
        """Return whether all rows of a page that is written already are new; from now on they were sent."""
        if page is None or self._paging is None:
            return page is not None
        if self.overlaps or not self._sent.took(page.keys, page.changed):
            return False
        self._idle = 0 if page.count else self._idle
        return True

    def fresh(self, found: list[Record]) -> list[Record]:
        """Return those of the records *found* that were not sent before.

        Raises:
            PagingError: page after page brings nothing else; or more has changed than is remembered.
        """
        if self._paging is None:
            return found
        fresh = self._sent.fresh(found, ordered=self.overlaps)
        if self._sent.lost:
            raise self._changes()
        if fresh:
            self._idle = 0
        elif found and self._by_place:
            self._tick()
        return fresh

    def following(self, cursor: Any, reply: Reply, listed: Sequence[Record]) -> Any:
        """Return the cursor of the next page.

        Raises:
            PagingError: it was named before.
        """
        try:
            following = self._paging.following(cursor, reply, listed) if self._paging else None
        except (PagingError, BadReply) as error:
            self._client.http.fail(error, self._doing)
        if following is None:
            return None
        self._expected.came(reply, len(listed))
        if isinstance(following, dict):
            for place in (following, following.get("at")):
                if isinstance(place, dict) and isinstance(place.get("url"), str):
                    place["url"] = self._client.http.unsigned(place["url"])
        if self.overlaps:
            return {**following, "seen": self._sent.last()}
        mark = repr(following)
        if hash(mark) in self._named:
            hint = "Nothing more was read, and the bookmark was not moved. The server is at fault."
            raise self._error(f"the same page was named twice ({self._client.http.redact(mark)[:80]})", hint)
        self._named.add(hash(mark))
        return following

    @property
    def overlaps(self) -> bool:
        """Whether each page begins with a row of the one before."""
        return bool(getattr(self._paging, "overlap", False))

    def _apart(self) -> None:
        """Let pages not overlap: what they have in common could not be seen."""
        if self.overlaps:
            self._paging = replace(self._paging, overlap=False)
            self._expected = Expected(self._client, self._paging, self._doing)

    def _tick(self) -> None:
        self._idle += 1
        if self._idle > IDLE:
            hint = (
                "Nothing more was read, and the bookmark was not moved. Does the API heed the parameters of its paging?"
            )
            raise self._error(f"the same records came on {IDLE} pages in a row", hint)

    def _changes(self) -> PagingError:
        hint = "Read it when it changes less, or by a key: see paging in the description."
        return self._error("the list changes more, while it is read, than can be followed", hint)

    def _error(self, said: str, hint: str) -> PagingError:
        return PagingError(f"{self._client.api.name}: {self._doing} -> {said}", hint=hint)


def _nothing(headers: Mapping[str, str], url: str) -> Reply:
    """Return the answer of *url* where there are no records, and no page after it."""
    return Reply(HTTPStatus.NO_CONTENT, headers, b"null", url)


def _written(query: Query, read: Read, replies: Sequence[Reply], values: Mapping[str, Any]) -> Rows | None:
    return query.encoder.rows(read, replies, values) if query.encoder and replies else None


def _brief(page: Rows, resource: Resource) -> list[Record]:
    """Return of each row what it is known by: its key and its time of change."""
    names = (*resource.key, resource.updated)
    keys = zip(page.keys) if len(resource.key) == 1 else page.keys
    return [dict(zip(names, (*key, time), strict=True)) for key, time in zip(keys, page.changed, strict=True)]


def only(
    page: Rows, whole: Callable[[], list[Record]], places: Sequence[int]
) -> tuple[Rows, Callable[[], list[Record]]]:
    """Return the rows of *page* at these *places*, and what decodes them; *whole* decodes the page."""

    def some() -> list[Record]:
        records = whole()
        return [records[place] for place in places]

    return page.only(places), some


def _places(found: Sequence[Record], fresh: Sequence[Record]) -> list[int]:
    """Return where in what was *found* the *fresh* ones are."""
    wanted = {id(row) for row in fresh}
    return [place for place, row in enumerate(found) if id(row) in wanted]


def _shaped(
    client: Client, read: Read, replies: Sequence[Reply], shaped: Shape, values: Mapping[str, Any], doing: str
) -> list[Record]:
    """Return the records in *replies*, in shape."""
    return [shaped(row) for reply in replies for row in _lines(read, rows(client, read, reply, doing), values)]


def _needed(then: Then | None, fields: Any) -> Then | None:
    if then is None or not isinstance(fields, list) or len(",".join(fields)) <= then.over:
        return None
    return then


def _lines(read: Read, found: list[Record], values: Mapping[str, Any]) -> Iterator[Record]:
    """Yield the rows, or where the read says so the lines within them, each with the fields it is to keep."""
    for row in found:
        kept = fill(read.keep, {**values, "record": row}) if read.keep else {}
        if read.each:
            for line in look(row, read.each) or ():
                yield {**line, **kept}
        else:
            yield {**row, **kept} if kept else row


def _server_time(reply: Reply) -> str | None:
    """Return the server's clock as its Date header has it: whole seconds, never later than the truth."""
    try:
        return moment.rfc3339(reply.headers["Date"])
    except (KeyError, ValueError, TypeError):
        return None
