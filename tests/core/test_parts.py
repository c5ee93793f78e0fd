"""Long lists read in several parts at once, served by a server that knows nothing of parts."""

import base64
import json
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
import requests_mock
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon import limits, paging
from antiphon.ahead import Lanes
from antiphon.api import Parts, Query, Read
from antiphon.errors import DescriptionError
from antiphon.limits import Limiter

from .tiny import a_client, an_api, mounted, people

MOST = 400
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Server:
    """A list of ids, upwards; before each answer some come and some go. How many requests it had, and how many at once."""

    def __init__(self, ids, edits=(), size=5, *, shuffled=False, name=lambda n: n):
        self.ids, self.edits, self.size, self.shuffled, self.name = set(ids), list(edits), size, shuffled, name
        self.gone, self.asked, self.paths = set(), 0, []
        self.lock, self.under_way, self.at_once = threading.Lock(), 0, 0
        self.together = None

    def answer(self, request, context):
        with self.lock:
            self.under_way += 1
            self.at_once = max(self.at_once, self.under_way)
        if self.together:
            self.together(self)
        try:
            with self.lock:
                return self._answer(request)
        finally:
            with self.lock:
                self.under_way -= 1

    def _answer(self, request):
        self.asked += 1
        assert self.asked < 2000, "it does not end"
        for comes, low, high in self.edits.pop(0) if self.edits else ():
            ids = set(range(low, high + 1))
            if comes:
                self.ids |= {n for n in ids - self.gone if n > max(self.ids, default=0)}  # new ids are higher
            else:
                self.gone |= ids & self.ids
                self.ids -= ids
        url = urlsplit(request.url)
        self.paths.append(url.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        return getattr(self, url.path.strip("/"))(asked)

    def row(self, n):
        return {"id": self.name(n)}

    def after(self, asked):
        found = [n for n in sorted(self.ids) if self.name(n) > type(self.name(n))(asked["last"])]
        return {"rows": [self.row(n) for n in found[: self.size]]}

    def highest(self, asked):
        found = [n for n in sorted(self.ids) if "upto" not in asked or n <= int(asked["upto"])]
        return {"rows": [self.row(n) for n in found[-1:]], "total": len(found)}

    def listed(self, asked):
        """The list, whose cursors are sealed: nobody can begin where he likes."""
        order = sorted(self.ids, key=lambda n: (n * 7919 % 1009, n) if self.shuffled else n)
        at = json.loads(base64.b64decode(asked["at"])) if "at" in asked else None
        place = (lambda n: (n * 7919 % 1009, n)) if self.shuffled else (lambda n: n)
        rest = [n for n in order if at is None or place(n) > place(at)]
        page = rest[: self.size]
        more = base64.b64encode(json.dumps(page[-1]).encode()).decode() if len(rest) > len(page) else None
        return {"rows": [self.row(n) for n in page], "next": more}


KEYED = Read("/after", params={"last": "{last}"}, records="rows", paging=paging.Keyset())
LAST = Read("/highest", params={"upto": "{upto}"}, records="rows")
BY_KEY = Read("/after", params={"last": "{last}"}, records="rows", paging=paging.Keyset(), parts=Parts(LAST))
BESIDE = Read(
    "/listed",
    records="rows",
    paging=paging.Cursor("next", "at"),
    parts=Parts(LAST, KEYED, total="total"),
)
KINDS = {"by key": BY_KEY, "a search beside the list": BESIDE}


def walk(read, server, cursor=None, *, lanes=4, **query):
    adapter = requests_mock.Adapter()
    adapter.register_uri(requests_mock.ANY, requests_mock.ANY, json=server.answer)
    resource = people(read=read)
    client = a_client(an_api(resource), session=mounted(adapter))
    client.lanes = Lanes(lanes)
    pages = list(client.read(resource, Query(cursor=cursor, **{"parts": True, **query})))
    return pages, [record["id"] for page in pages for record in page.records]


edit = st.tuples(st.booleans(), st.integers(1, MOST), st.integers(0, 40)).map(
    lambda e: (e[0], e[1], min(MOST, e[1] + e[2]))
)
changing = st.lists(st.lists(edit, max_size=2), max_size=40)
some = st.one_of(
    st.sets(st.integers(1, MOST), max_size=200),
    st.tuples(st.integers(1, 99), st.integers(100, 200), st.integers(201, 10**9)).map(  # crowds, far apart
        lambda at: {n for begin in at for n in range(begin, begin + 60)}
    ),
)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(ids=some, edits=changing, size=st.integers(1, 9), lanes=st.integers(2, 6), shuffled=st.booleans())
def test_every_lasting_record_comes_once_while_others_come_and_go(kind, ids, edits, size, lanes, shuffled):
    server = Server(ids, [] if shuffled else edits, size, shuffled=shuffled)
    pages, found = walk(KINDS[kind], server, lanes=lanes)
    assert len(found) == len(set(found))
    assert ids - server.gone <= set(found) <= ids | server.ids | server.gone
    assert not pages or pages[-1].cursor is None


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(ids=some, size=st.integers(1, 9), stop=st.integers(0, 200), edits=changing, lanes=st.integers(1, 4))
def test_an_interrupted_read_goes_on_with_what_was_not_read(kind, ids, size, stop, edits, lanes):
    server = Server(ids, [], size)
    pages, _ = walk(KINDS[kind], server)
    if len(pages) < 2:
        return
    stop %= len(pages) - 1
    before = [record["id"] for page in pages[: stop + 1] for record in page.records]
    cursor = json.loads(json.dumps(pages[stop].cursor))
    server.edits = edits
    _, after = walk(KINDS[kind], server, cursor, lanes=lanes)
    assert not set(before) & set(after)
    assert ids - server.gone <= set(before) | set(after)


@pytest.mark.parametrize("kind", KINDS)
def test_as_many_requests_are_under_way_as_there_are_lanes(kind):
    for moment in (0.01, 0.1, 0.5):  # the longer, the surer they meet, even on a machine that has other things to do
        server = Server(range(1, 400), size=20)
        server.together = lambda _server, moment=moment: threading.Event().wait(moment)
        _, found = walk(KINDS[kind], server)
        assert sorted(found) == list(range(1, 400))
        if server.at_once == 4:
            break
    assert server.at_once == 4


def test_a_search_beside_the_list_takes_its_share():
    server = Server(range(1, 400))
    slow = threading.Event()
    server.together = lambda server: slow.wait(0.01)
    _, found = walk(BESIDE, server)
    assert sorted(found) == list(range(1, 400))
    assert server.paths.count("/after") >= 10
    assert server.paths.count("/listed") >= 10


@pytest.mark.parametrize(("kind", "lanes"), [(kind, lanes) for kind in KINDS for lanes in (1, 4)])
def test_a_list_in_parts_spreads_its_calls_and_one_that_goes_a_page_at_a_time_has_others_spread_theirs(
    kind, lanes, monkeypatch
):
    told = []
    for word in ("singly", "spread"):
        asked = getattr(Limiter, word)
        monkeypatch.setattr(Limiter, word, lambda self, asked=asked, word=word: told.append(word) or asked(self))
    walk(KINDS[kind], Server(range(1, 100)), lanes=lanes)
    assert set(told) == ({"spread"} if lanes > 1 else {"singly"})


def test_nothing_is_spread_for_a_list_whose_reader_wants_no_page_for_a_while(monkeypatch):
    monkeypatch.setattr(limits, "_PAUSED", 0.0)
    adapter, server, asked = requests_mock.Adapter(), Server(range(1, 99)), []
    server.together = lambda server: asked.append(client.http.limiter._asked())
    adapter.register_uri(requests_mock.ANY, requests_mock.ANY, json=server.answer)
    resource = people(read=BY_KEY)
    client = a_client(an_api(resource), session=mounted(adapter))
    pages = client.read(resource)
    next(pages)
    assert (asked, client.http.limiter._asked()) == ([True], False)
    next(pages)
    assert asked == [True, True]
    pages.close()
    assert not client.http.limiter._lists


def test_a_list_in_another_order_than_that_of_the_key_is_read_to_its_end():
    server = Server(range(1, 400), shuffled=True)
    _, found = walk(BESIDE, server)
    assert sorted(found) == list(range(1, 400))
    assert server.paths.count("/listed") == 80


@pytest.mark.parametrize("gaps", [1, 1000])
def test_parts_cost_few_calls_more(gaps):
    ids = {n + gaps * 10**6 * (n // 1000) for n in range(1, 4000)}
    server = Server(ids, size=10)
    _, found = walk(BY_KEY, server)
    assert set(found) == ids
    assert server.asked <= 400 * 1.1


def test_a_short_list_is_read_as_if_alone():
    server = Server(range(1, 11))
    pages, found = walk(BY_KEY, server)
    assert found == list(range(1, 11))
    assert server.paths == ["/after"] * 3
    assert [page.cursor for page in pages] == [{"last": 5}, {"last": 10}, None]


@pytest.mark.parametrize("more", [{"parts": False}, {"lanes": 1}])
@pytest.mark.parametrize("kind", KINDS)
def test_pages_come_in_their_order_where_that_is_asked_for_or_one_request_is_allowed(kind, more):
    server = Server(range(1, 100))
    _, found = walk(KINDS[kind], server, **more)
    assert found == list(range(1, 100))
    assert server.asked <= 21


def test_a_key_may_be_a_text_of_letters_and_digits():
    def name(n):
        text = ""
        while n:
            n, digit = divmod(n, 36)
            text = DIGITS[digit] + text
        return "P" + text.rjust(5, "0")

    server = Server(range(1, 2000), size=10, name=name)
    slow = threading.Event()
    server.together = lambda server: slow.wait(0.002)
    read = Read(
        "/after",
        params={"last": "{last}"},
        records="rows",
        paging=paging.Keyset(start="P"),
        parts=Parts(LAST, digits=DIGITS, width=6),
    )
    pages, found = walk(read, server)
    assert sorted(found) == [name(n) for n in range(1, 2000)]
    assert found != sorted(found)
    assert json.dumps([page.cursor for page in pages])


def test_parts_need_a_paging_by_key():
    with pytest.raises(DescriptionError, match=r"parts are read by key, and this list is not"):
        an_api(people(read=Read("/listed", paging=paging.Cursor("next"), parts=Parts(LAST))))
    with pytest.raises(DescriptionError, match=r"parts are read by key, and this list is not"):
        an_api(people(read=Read("/after", paging=paging.Keyset(inclusive=True), parts=Parts(LAST))))


def test_a_list_beside_a_search_has_to_be_counted():
    with pytest.raises(DescriptionError, match=r"people.read: a list whose parts are read by another .* counted"):
        an_api(people(read=Read("/listed", paging=paging.Cursor("next"), parts=Parts(LAST, KEYED))))


def test_an_error_in_one_part_is_the_walks():
    server = Server(range(1, 400))

    def broken(asked):
        if server.asked > 20:
            raise ZeroDivisionError
        return Server.after(server, asked)

    server.after = broken
    with pytest.raises(ZeroDivisionError):
        walk(BY_KEY, server)
