"""Lists whose rows come and go while they are walked, served as each kind of paging has it by a server that knows none of ours."""

import base64
import json
import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests_mock
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon import paging, sent
from antiphon.ahead import Lanes
from antiphon.api import Query, Read
from antiphon.condition import Condition
from antiphon.errors import PagingError

from .tiny import URL, a_client, an_api, mounted, people

MOST = 90
"""The largest id."""
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Server:
    """A list of ids in their order, up or down; before each answer some come and some go."""

    def __init__(self, ids, edits, *, size, down=False, cap=10**6):
        self.ids, self.edits, self.size, self.down, self.cap = set(ids), list(edits), size, down, cap
        self.gone, self.asked, self.lock = set(), 0, threading.Lock()

    def listed(self):
        return sorted(self.ids, reverse=self.down)

    def edit(self):
        self.asked += 1
        assert self.asked < 600, "it does not end"
        for comes, low, high in self.edits.pop(0) if self.edits else ():
            ids = set(range(low, high + 1))
            if comes:
                self.ids |= ids - self.gone  # who has gone does not come again
            else:
                self.gone |= ids & self.ids
                self.ids -= ids

    def answer(self, request, context):
        with self.lock:
            return self.answered(request, context)

    def answered(self, request, context):
        self.edit()
        url = urlsplit(request.url)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if request.body:
            asked |= json.loads(request.body)
        return getattr(self, url.path.strip("/"))(asked, context)

    # by place

    def slice(self, start, size):
        return [{"id": n} for n in self.listed()[start : start + size]]

    def offset(self, asked, context):
        return self.slice(int(asked.get("offset", 0)), min(self.size, int(asked.get("limit", 1000))))

    def counted(self, asked, context):
        return {"Resources": self.slice(int(asked["startIndex"]) - 1, int(asked["count"])), "total": len(self.ids)}

    def positional(self, asked, context):
        domain, offset, limit, order = asked["params"]
        assert (domain, order) == ([], "id")
        return self.slice(offset, limit)

    def variables(self, asked, context):
        assert asked["query"] == "query { people { id } }"
        return self.slice(asked["variables"]["offset"], asked["variables"]["limit"])

    def numbered(self, asked, context):
        size = min(self.size, int(asked["size"]))
        number = int(asked["page"])
        context.status_code = 404 if number and number * size >= len(self.ids) else 200
        return self.slice(number * size, size)

    def stubborn(self, asked, context):
        """Heed no size that is asked for."""
        return self.slice((int(asked["page"]) - 1) * self.size, self.size)

    # by what is told: the last key, sealed

    def after(self, token):
        last = json.loads(base64.urlsafe_b64decode(token))["last"] if token else None
        rest = [n for n in self.listed() if last is None or (n < last if self.down else n > last)]
        page = rest[: self.size]
        more = (
            base64.urlsafe_b64encode(json.dumps({"last": page[-1]}).encode()).decode()
            if len(rest) > len(page)
            else None
        )
        return [{"id": n} for n in page], more

    def cursor(self, asked, context):
        rows, more = self.after(asked.get("after"))
        return {"rows": rows, "meta": {"next": more}}

    def posted(self, asked, context):
        rows, more = self.after(asked.get("page", {}).get("token"))
        return {"rows": rows, "next": more or "kept", "has_more": bool(more)}

    def headed(self, asked, context):
        rows, more = self.after(asked.get("after"))
        if more:
            context.headers["X-Next"] = more
        return rows

    def following(self, asked, context):
        rows, more = self.after(asked.get("at"))
        return {"rows": rows, "next": f"?at={more}" if more else None}

    def linked(self, asked, context):
        rows, more = self.after(asked.get("at"))
        if more:
            context.headers["Link"] = f'</linked?at=>; rel="first", </linked?at={more}>; rel="next last"'
        return rows

    def odata(self, asked, context):
        rows, more = self.after(asked.get("$skiptoken"))
        return {
            "value": rows,
            **({"@odata.nextLink": f"odata?$skiptoken={more}"} if more else {"@odata.deltaLink": "x"}),
        }

    def relay(self, asked, context):
        rows, more = self.after(asked["variables"].get("after"))
        return {"people": {"nodes": rows, "pageInfo": {"hasNextPage": bool(more), "endCursor": more}}}

    def keyed(self, asked, context):
        rows = [
            n
            for n in self.listed()
            if "after" not in asked or (n < int(asked["after"]) if self.down else n > int(asked["after"]))
        ]
        return {"data": [{"id": n} for n in rows[: int(asked["limit"])]], "has_more": len(rows) > int(asked["limit"])}

    def ties(self, asked, context):
        """Page by a key that others have too, and give the one that is named again."""
        rows = [{"id": n, "group": n // 3} for n in sorted(self.ids) if n // 3 >= int(asked["from"])]
        return rows[:8]

    # by time

    def timed(self, asked, context):
        since, until = (datetime.fromisoformat(asked[name]) for name in ("since", "until"))
        found = [n for n in self.listed() if since <= EPOCH + timedelta(minutes=10 * n) <= until]
        rows = [n for n in found[: self.cap] if n > int(asked.get("after", 0))]
        return {"rows": [{"id": n} for n in rows[: self.size]], "total": len(found)}


def kinds(size):
    """A read for each kind of paging."""
    sized, bounds = {"limit": size}, {"since": "{since}", "until": "{until}"}
    document = "query { people { id } }"
    return {
        "offset": Read("/offset", paging=paging.Offset(size=("limit", size))),
        "offset of the server's own size": Read("/offset", paging=paging.Offset()),
        "offset from 1": Read("/counted", records="Resources", paging=paging.Offset("startIndex", ("count", size), "total", 1)),
        "offset in a list": Read("/positional", "POST", body={"params": [[], 0, 0, "id"]},
                                 paging=paging.Offset("params.1", ("params.2", size))),
        "offset in variables": Read("/variables", query=document, paging=paging.Offset("variables.offset", ("variables.limit", size))),
        "page": Read("/numbered", paging=paging.Page("page", 0, ("size", size + 7), past_end=(404,))),
        "cursor": Read("/cursor", records="rows", paging=paging.Cursor("meta.next", "after")),
        "cursor in a body": Read("/posted", "POST", body={"q": 1}, records="rows",
                                 paging=paging.Cursor("next", "page.token", more="has_more")),
        "cursor in a header": Read("/headed", paging=paging.Cursor(header="X-Next", param="after")),
        "next url": Read("/following", records="rows", paging=paging.NextUrl()),
        "link header": Read("/linked", paging=paging.LinkHeader()),
        "odata": Read("/odata", records="value", paging=paging.ODataLinks(size)),
        "relay": Read("/relay", query=document, records="people.nodes", paging=paging.Relay("people", size=("first", size))),
        "keyset": Read("/keyed", params=sized, records="data", paging=paging.Keyset(start=None, param="after")),
        "keyset with more": Read("/keyed", records="data", paging=paging.Keyset(start=None, param="after", more="has_more",
                                                                               size=("limit", size))),
        "keyset with ties": Read("/ties", paging=paging.Keyset("group", 0, "from", ("limit", 8), inclusive=True)),
        "windows": Read("/timed", params=bounds, records="rows",
                        paging=paging.Windows(36_000, 12, within=paging.Keyset(param="after"), total="total")),
        "windows that tell no total": Read("/timed", params=bounds, records="rows", paging=paging.Windows(7200, size)),
        "advanced": Read("/cursor", records="rows", paging=paging.Advanced(
            {"after": "{response.meta.next}"}, add_if=(Condition("iteration", above=0),),
            break_early=(Condition("iteration", above=0), Condition("response.meta.next", empty=True)))),
    }  # fmt: skip


KINDS = sorted(kinds(1))
ONE_WAY = {"keyset with ties", "windows", "windows that tell no total"}
BY_PLACE = [kind for kind in KINDS if kind.startswith(("offset", "page"))]

edit = st.tuples(st.booleans(), st.integers(1, MOST), st.integers(0, 25)).map(
    lambda e: (e[0], e[1], min(MOST, e[1] + e[2]))
)
changing = st.lists(st.lists(edit, max_size=3), max_size=25)
some = st.sets(st.integers(1, MOST), max_size=60)


def walk(kind, server, query=None, lanes=1):
    adapter = requests_mock.Adapter()
    adapter.register_uri(requests_mock.ANY, requests_mock.ANY, json=server.answer)
    read = kinds(server.size)[kind]
    resource = people(read=read)
    query = query or Query(since=EPOCH.isoformat(), until="2026-01-02T00:00:00Z")
    client = a_client(an_api(resource), session=mounted(adapter))
    client.lanes = Lanes(lanes)
    pages = list(client.read(resource, query))
    return pages, [record["id"] for page in pages for record in page.records]


def served(kind, ids, edits, size, down):
    """A server that *kind* can walk: pages by place need two rows to overlap, halves of a window what the cap can hold."""
    place = kind in BY_PLACE or kind.startswith("windows")
    cap = 12 if kind == "windows" else size + 1
    size = size + 7 if kind == "page" else max(size, 2) if place else size
    return Server(ids, edits, size=size, down=down and kind not in ONE_WAY, cap=cap)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(ids=some, edits=changing, size=st.integers(1, 8), down=st.booleans(), lanes=st.sampled_from([1, 4]))
def test_every_lasting_record_comes_once_while_others_come_and_go(kind, ids, edits, size, down, lanes):
    server = served(kind, ids, edits, size, down)
    _, found = walk(kind, server, lanes=lanes)
    assert len(found) == len(set(found))
    assert ids - server.gone <= set(found)
    assert set(found) <= ids | server.ids | server.gone


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None)
@given(ids=some, size=st.integers(1, 8), down=st.booleans(), lanes=st.sampled_from([1, 4]))
def test_where_nothing_changes_all_come_in_their_order(kind, ids, size, down, lanes):
    server = served(kind, ids, [], size, down)
    pages, found = walk(kind, server, lanes=lanes)
    assert found == server.listed()
    assert pages[-1].cursor is None


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None)
@given(ids=some, size=st.integers(1, 8), stop=st.integers(0, 30), edits=changing)
def test_an_interrupted_read_goes_on_where_it_stopped_and_misses_nothing(kind, ids, size, stop, edits):
    server = served(kind, ids, [], size, down=False)
    pages, _ = walk(kind, server)
    if len(pages) < 2:
        return
    stop %= len(pages) - 1
    before = [record["id"] for page in pages[: stop + 1] for record in page.records]
    cursor = json.loads(json.dumps(pages[stop].cursor))
    server.edits = edits
    since, until = EPOCH.isoformat(), "2026-01-02T00:00:00Z"
    try:
        _, after = walk(kind, server, Query(cursor=cursor, since=since, until=until))
    except PagingError:  # so much has gone that it does not know where it is: it is read anew
        assert kind in BY_PLACE
        return
    assert len(after) == len(set(after))
    assert ids - server.gone <= set(before) | set(after)


@pytest.mark.parametrize("kind", [kind for kind in BY_PLACE if "offset" in kind and "own" not in kind])
@settings(max_examples=40, deadline=None)
@given(ids=some, edits=changing, size=st.integers(2, 8), down=st.booleans())
def test_where_more_changes_than_is_remembered_it_is_an_error_and_never_a_loss(kind, ids, edits, size, down):
    server = served(kind, ids, edits, size, down)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sent, "REMEMBERED", 15)
        try:
            _, found = walk(kind, server)
        except PagingError:
            return
    assert len(found) == len(set(found))
    assert ids - server.gone <= set(found)


@settings(max_examples=40, deadline=None)
@given(ids=some, size=st.integers(2, 12), asked=st.integers(1, 12))
def test_a_server_that_heeds_no_size_is_read_in_its_own_pages(ids, size, asked):
    server = Server(ids, [], size=size)
    adapter = requests_mock.Adapter()
    adapter.register_uri(requests_mock.ANY, requests_mock.ANY, json=server.answer)
    resource = people(read=Read("/stubborn", paging=paging.Page(size=("size", asked))))
    found = [
        r["id"] for page in a_client(an_api(resource), session=mounted(adapter)).read(resource) for r in page.records
    ]
    assert found == server.listed()


class Moody(Server):
    """A server whose pages are at times shorter than was asked for: as short as one record."""

    def __init__(self, ids, moods, *, size):
        super().__init__(ids, [], size=size)
        self.moods = list(moods)

    def slice(self, start, size):
        rows = super().slice(start, size)
        return rows[: self.moods.pop(0)] if self.moods else rows


@pytest.mark.parametrize("kind", BY_PLACE)
@settings(max_examples=60, deadline=None)
@given(ids=some, size=st.integers(2, 8), moods=st.lists(st.integers(1, 9), max_size=20), lanes=st.sampled_from([1, 4]))
def test_a_page_that_is_short_in_the_middle_of_a_list_does_not_end_it(kind, ids, size, moods, lanes):
    server = Moody(ids, moods, size=size + 7 if kind == "page" else size)
    pages, found = walk(kind, server, lanes=lanes)
    assert found == server.listed()
    assert pages[-1].cursor is None


class Restless(Moody):
    """A moody server whose rows come and go, too; but none goes between a page that may be the last and the one after it.

    That is one whose last row was given before, or that reaches no further than others did. Who has seen it asks whether anything follows:
    what goes at that moment is not seen by its gap.
    """

    def __init__(self, ids, edits, moods, *, size, down):
        super().__init__(ids, moods, size=size)
        self.edits, self.down, self.given, self.reached, self.quiet = list(edits), down, set(), 0, False

    def edit(self):
        if self.quiet and self.edits:
            self.edits[0] = [one for one in self.edits[0] if one[0]]
        super().edit()

    def slice(self, start, size):
        rows = super().slice(start, size)
        end = start + len(rows)
        self.quiet = bool(rows) and (rows[-1]["id"] in self.given or end <= self.reached)
        self.given |= {row["id"] for row in rows}
        self.reached = max(self.reached, end)
        return rows


LEAST = {"page": 9}
"""Rows in the largest page, so that any two that are next to each other, of fewer than 2,520, can be asked for in one; by offset two do."""


@pytest.mark.parametrize("kind", BY_PLACE)
@settings(max_examples=100, deadline=None)
@given(
    ids=some,
    edits=changing,
    size=st.integers(2, 15),
    moods=st.lists(st.integers(1, 9), max_size=20),
    down=st.booleans(),
)
def test_every_lasting_record_comes_once_where_pages_are_short_in_the_middle(kind, ids, edits, size, moods, down):
    least = LEAST.get(kind, 2)
    moods = [least, *moods] if kind == "page" else [max(mood, least) for mood in moods]
    server = Restless(ids, edits, moods, size=max(size, least), down=down)
    _, found = walk(kind, server)
    assert len(found) == len(set(found))
    assert ids - server.gone <= set(found)


def test_a_page_by_number_that_is_short_in_the_middle_overlaps_the_next():
    server = Restless(set(range(1, 12)), [[], [], [(False, 9, 9)]], [9, 2], size=9, down=False)
    assert walk("page", server)[1] == [*server.listed()[:8], 9, 10, 11]


@pytest.mark.parametrize("lanes", [1, 4])
@pytest.mark.parametrize(("count", "calls"), [(0, 1), (1, 3), (5, 3), (10, 3), (11, 4), (19, 4), (24, 5)])
def test_to_see_that_a_list_has_ended_takes_a_page_with_the_row_before_and_an_empty_one(count, calls, lanes):
    server = Server(set(range(1, count + 1)), [], size=10)
    walk("offset", server, lanes=lanes)
    assert calls <= server.asked <= calls + (lanes > 1 and count > 10)


def endless(answer):
    adapter = requests_mock.Adapter()
    adapter.register_uri("GET", f"{URL}/people", json=answer)
    return mounted(adapter), adapter


@pytest.mark.parametrize(
    "kind", [paging.Offset(), paging.Page(), paging.Page(size=("size", 10)), paging.Offset(overlap=False)]
)
def test_a_server_that_gives_the_same_page_for_ever_is_an_error(kind):
    session, adapter = endless([{"id": n} for n in range(10)])
    resource = people(read=Read("/people", paging=kind))
    with pytest.raises(PagingError, match=r"^tiny: reading people -> the same records came on 50 pages in a row"):
        list(a_client(an_api(resource), session=session).read(resource))
    assert adapter.call_count <= 52


def test_what_is_known_again_takes_no_more_memory_the_longer_a_list_is():
    known = sent.Sent(people())
    for start in range(0, 100_000, 500):
        known.fresh([{"id": n} for n in range(start, start + 500)], ordered=True)
    assert sent.REMEMBERED <= len(known) <= 1.5 * sent.REMEMBERED
    assert not known.whole
    assert known.last() == [str(n) for n in range(99_980, 100_000)]


KEYS = st.integers(0, 60) | st.integers(-3, 1 << 70) | st.integers(0, 200).map(str) | st.text("ab1", max_size=3)


@st.composite
def pages_of_keys(draw):
    """Pages, most of which rise above those before them, or fall below, or have a range of their own elsewhere."""
    made, highest, lowest = [], 0, 0
    for _ in range(draw(st.integers(0, 8))):
        way = draw(st.integers(0, 6))
        if way:
            count = draw(st.integers(0, 5))
            if way < 4:
                begin, highest = highest, highest + count
            elif way == 6:
                begin = 10 * draw(st.integers(-4, 4))
            else:
                begin = lowest = lowest - count
            keys = [begin + n for n in range(1, count + 1)]
            made.append([str(key) for key in keys] if draw(st.booleans()) else keys)
        else:
            made.append(draw(st.lists(KEYS, max_size=4)))
    return made


@given(pages_of_keys(), st.data())
def test_what_is_packed_is_known_again_as_what_is_not(several, data):
    packed, apart = sent.Sent(people()), sent.Sent(people())
    apart._unpack()
    for keys in several:
        times = [data.draw(st.sampled_from(["2026-01-01T00:00:00Z", None])) for _ in keys]
        rows = [{"id": key, "updated_at": time} for key, time in zip(keys, times, strict=True)]
        took = packed.took(keys, times)
        assert took is apart.took(keys, times)
        if not took:
            assert packed.fresh(list(rows), ordered=False) == apart.fresh(list(rows), ordered=False)
    assert (len(packed), packed.last(), packed.whole) == (len(apart), apart.last(), apart.whole)


def test_a_list_whose_keys_rise_is_forgotten_from_its_beginning():
    known = sent.Sent(people())
    for start in range(0, 100_000, 500):
        assert known.took(list(range(start, start + 500)), [None] * 500)
    assert not known.whole
    assert not known.took([99_999], [None])
    assert known.knows([{"id": 80_000}])
    assert not known.knows([{"id": 79_499}])


@pytest.mark.parametrize("kind", [int, str])
def test_a_list_whose_keys_fall_or_begin_anew_is_known_again_as_well_as_one_whose_keys_rise(kind):
    known = sent.Sent(people())
    starts = [*range(90_000, 50_000, -500), *range(1000, 30_000, 500), *range(50_000, 60_000, 500)]
    for start in starts:
        assert known.took([kind(n) for n in range(start, start + 500)], [None] * 500)
    assert known._ranges, "each key is kept by itself"
    assert not known.took([kind(starts[-1] + 250)], [None])
    assert not known.knows([{"id": kind(70_000)}]), "it was forgotten"
    assert all(known.knows([{"id": kind(start + 499)}]) for start in starts[-sent.REMEMBERED // 500 :])
