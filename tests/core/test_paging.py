import itertools
import json
from urllib.parse import urlencode

import pytest
import requests_mock
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon import asking
from antiphon.api import Query, Read, Reply, Request, Setting
from antiphon.condition import Condition
from antiphon.errors import BadReply, ForeignHost, PagingError
from antiphon.paging import Advanced, Cursor, Keyset, LinkHeader, NextUrl, ODataLinks, Offset, Page, Windows, link

from .tiny import URL, a_client, an_api, mounted, people


class Server:
    """Lists ids in ascending order, in pages of a few; each kind of paging has a route of its own."""

    def __init__(self, ids, size):
        self.ids, self.size = sorted(ids), size
        self.between = lambda: None
        self.asked = []

    def adapter(self):
        made = requests_mock.Adapter()
        for path in (
            "cursor",
            "body",
            "page",
            "pages",
            "offset",
            "total",
            "next",
            "relative",
            "link",
            "keyset",
            "more",
        ):
            made.register_uri(requests_mock.ANY, f"{URL}/{path}", json=getattr(self, path))
        return made

    def rows(self, start, context=None):
        self.between()
        self.asked.append(start)
        return [{"id": n} for n in self.ids[start : start + self.size]]

    def value(self, request, name, default=0):
        return int(request.qs.get(name, [default])[0])

    def named(self, start):
        end = start + self.size
        return {
            "results": self.rows(start),
            **({"paging": {"next": {"after": f"c{end}"}}} if end < len(self.ids) else {}),
        }

    def cursor(self, request, context):
        assert request.qs["limit"] == [str(self.size)]
        return self.named(int(request.qs.get("after", ["c0"])[0][1:]))

    def body(self, request, context):
        asked = request.json()
        assert (request.method, asked["limit"], asked["filter"]) == ("POST", self.size, "x")
        return self.named(int(asked.get("page", {}).get("after", "c0")[1:]))

    def page(self, request, context):
        return {"results": self.rows((self.value(request, "page") - 1) * self.size)}

    def pages(self, request, context):
        size = self.value(request, "size")
        rows = self.rows(self.value(request, "p") * size)[:size]
        return {"results": rows, "meta": {"pages": -(-len(self.ids) // size)}}

    def offset(self, request, context):
        return {"results": self.rows(self.value(request, "offset"))}

    def total(self, request, context):
        return {"results": self.rows(self.value(request, "skip")), "count": str(len(self.ids))}

    def following(self, request, base):
        start = self.value(request, "at")
        assert request.qs.get("size") == (None if "at" in request.qs else [str(self.size)])
        end = start + self.size
        query = urlencode({"at": end, "q": "a,b; c"}, safe=",;")
        return {"results": self.rows(start), "next": f"{base}?{query}" if end < len(self.ids) else None}

    def next(self, request, context):
        return self.following(request, f"{URL}/next")

    def relative(self, request, context):
        return self.following(request, "")

    def link(self, request, context):
        found = self.following(request, "/link")
        after = f', <{found["next"]}>; title="the next, <b>; rel=no"; REL="last Next"' if found["next"] else ""
        context.headers["Link"] = f"</link?x=1,2>; rel=first, </link?at=0>; rel=prev{after}"
        return {"results": found["results"]}

    def after(self, last):
        return next((n for n, id in enumerate(self.ids) if id > last), len(self.ids))

    def keyset(self, request, context):
        last = self.value(request, "last")
        self.between()
        start = self.after(last)
        return {"results": [{"id": n} for n in self.ids[start : start + self.size]]}

    def more(self, request, context):
        start = self.after(int(request.json()["where"]["above"]))
        return {"results": self.rows(start), "has_more": start + self.size < len(self.ids)}


def reads(size):
    """Return a read for each kind of paging."""
    return {
        "cursor": Read("/cursor", records="results", paging=Cursor("paging.next.after", "after", ("limit", size))),
        "body": Read("/body", "POST", body={"filter": "x"}, records="results",
                     paging=Cursor("paging.next.after", "page.after", ("limit", size))),
        "page": Read("/page", records="results", paging=Page()),
        "pages": Read("/pages", records="results", paging=Page("p", 0, ("size", size), "meta.pages")),
        "offset": Read("/offset", records="results", paging=Offset()),
        "total": Read("/total", records="results", paging=Offset("skip", ("take", size), "count")),
        "next": Read("/next", params={"q": "a"}, records="results", paging=NextUrl("next", ("size", size))),
        "relative": Read("/relative", records="results", paging=NextUrl(size=("size", size))),
        "link": Read("/link", records="results", paging=LinkHeader(size=("size", size))),
        "keyset": Read("/keyset", records="results", paging=Keyset(param="last")),
        "more": Read("/more", "POST", body={"where": {"above": "{last}"}}, records="results", paging=Keyset(more="has_more")),
    }  # fmt: skip


KINDS = sorted(reads(1))


def client_of(server, read):
    resource = people(read=read)
    return a_client(an_api(resource), session=mounted(server.adapter())), resource


def ids(pages):
    return [record["id"] for page in pages for record in page.records]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(count=st.integers(0, 20), size=st.integers(1, 6))
def test_every_record_comes_once_whatever_the_size_of_a_page(kind, count, size):
    server = Server(range(1, count + 1), size)
    client, resource = client_of(server, reads(size)[kind])
    pages = list(client.read(resource))
    assert ids(pages) == server.ids
    assert pages[-1].cursor is None
    assert all(page.cursor is not None for page in pages[:-1])


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(count=st.integers(1, 15), size=st.integers(1, 5))
def test_a_read_goes_on_from_any_page_as_a_state_remembers_it(kind, count, size):
    server = Server(range(1, count + 1), size)
    client, resource = client_of(server, reads(size)[kind])
    pages = list(client.read(resource))
    for n, page in enumerate(pages[:-1]):
        cursor = json.loads(json.dumps(page.cursor))
        assert ids(client.read(resource, Query(cursor=cursor))) == ids(pages[n + 1 :])


@pytest.mark.parametrize("kind", ["cursor", "body", "pages", "total", "next", "link", "more"])
def test_no_page_is_asked_for_that_the_api_did_not_promise(kind):
    server = Server(range(1, 7), 2)
    client, resource = client_of(server, reads(2)[kind])
    list(client.read(resource))
    assert server.asked == ([0, 1, 2, 3, 4] if kind == "total" else [0, 2, 4])  # offsets overlap by a row


@settings(max_examples=60)
@given(
    st.sets(st.integers(1, 60), max_size=25),
    st.integers(1, 5),
    st.lists(st.tuples(st.sampled_from(["insert", "delete"]), st.integers(1, 60)), max_size=30),
)
def test_paging_by_key_brings_every_lasting_record_once_while_others_come_and_go(start, size, edits):
    server = Server(start, size)
    waiting, gone = iter(edits), set()

    def edit():
        for what, id in itertools.islice(waiting, 2):
            if what == "insert" and id not in server.ids:
                server.ids = sorted([*server.ids, id])
            elif what == "delete" and id in server.ids:
                gone.add(id)
                server.ids.remove(id)

    server.between = edit
    client, resource = client_of(server, reads(size)["keyset"])
    found = ids(client.read(resource))
    assert len(found) == len(set(found))
    assert start - gone <= set(found)


# Servers that go wrong


def answering(*replies, paging, **read):
    adapter = requests_mock.Adapter()
    adapter.register_uri(
        requests_mock.ANY, requests_mock.ANY, [reply if "json" in reply else {"json": reply} for reply in replies]
    )
    resource = people(read=Read("/people", records="results", paging=paging, **read))
    return a_client(an_api(resource), session=mounted(adapter)), resource, adapter


@pytest.mark.parametrize(
    ("paging", "reply"),
    [
        (Cursor("next", "after"), {"results": [{"id": 1}], "next": "again"}),
        (Cursor("next", "after"), {"results": [], "next": "again"}),
        (NextUrl(), {"results": [{"id": 1}], "next": "/people?page=2"}),
        (LinkHeader(), {"json": {"results": [{"id": 1}]}, "headers": {"Link": "</people?page=2>; rel=next"}}),
        (Keyset(param="last"), {"results": [{"id": 1}, {"id": 2}]}),
        (Keyset(param="last"), {"results": [{"name": "no key"}]}),
    ],
)
def test_a_page_named_twice_is_an_error_and_no_loop(paging, reply):
    client, resource, adapter = answering(reply, paging=paging)
    with pytest.raises(PagingError, match=r"^tiny: reading people -> the same page was named twice"):
        list(client.read(resource))
    assert adapter.call_count == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_without_content_is_the_end(session, adapter, kind):
    adapter.register_uri(requests_mock.ANY, f"{URL}/{kind}", status_code=204)
    resource = people(read=reads(2)[kind])
    client = a_client(an_api(resource), session=session)
    assert [page.records for page in client.read(resource)] == [[]]
    assert adapter.call_count == 1


def test_cursors_that_go_round_in_a_circle_are_an_error():
    replies = [{"results": [{"id": n}], "next": after} for n, after in enumerate("abcabc")]
    client, resource, adapter = answering(*replies, paging=Cursor("next", "after"))
    with pytest.raises(PagingError):
        list(client.read(resource))
    assert adapter.call_count == 4


def test_a_resumed_read_whose_cursor_leads_to_itself_is_an_error_at_once():
    client, resource, adapter = answering({"results": [{"id": 1}], "next": "a"}, paging=Cursor("next", "after"))
    with pytest.raises(PagingError):
        list(client.read(resource, Query(cursor={"after": "a"})))
    assert adapter.call_count == 1


@pytest.mark.parametrize("url", ["https://evil.example/people?page=2", "//evil.example/people", "http://api.example.org/people",
                                 "https://evil.example\\@api.example.org/", "https://[bad/people"])  # fmt: skip
@pytest.mark.parametrize("kind", [NextUrl(), LinkHeader()])
def test_a_next_page_on_another_host_is_an_error_and_nothing_is_sent_there(kind, url):
    reply = {"json": {"results": [{"id": 1}], "next": url}, "headers": {"Link": f"<{url}>; rel=next"}}
    client, resource, adapter = answering(reply, paging=kind)
    with pytest.raises(ForeignHost, match=r"^tiny: reading people -> the API pointed"):
        list(client.read(resource))
    assert adapter.call_count == 1


@pytest.mark.parametrize("end", [None, "", False])
def test_a_cursor_that_is_empty_is_the_end(end):
    client, resource, _ = answering({"results": [{"id": 1}], "next": end}, paging=Cursor("next", "after"))
    assert ids(client.read(resource)) == [1]


def test_a_short_or_empty_page_with_a_cursor_is_not_the_end():
    replies = [{"results": [{"id": 1}, {"id": 2}], "next": "a"}, {"results": [], "next": "b"}, {"results": [{"id": 3}]}]
    client, resource, _ = answering(*replies, paging=Cursor("next", "after"))
    assert ids(client.read(resource)) == [1, 2, 3]


@pytest.mark.parametrize("total", [None, "many", 1.5])
@pytest.mark.parametrize("paging", [Page(pages="total"), Offset(total="total")])
def test_where_the_total_is_missing_the_walk_ends_at_an_empty_page(paging, total):
    replies = [{"results": [{"id": 1}], "total": total}, {"results": [{"id": 2}], "total": total}, {"results": []}]
    client, resource, adapter = answering(*replies, paging=paging)
    assert ids(client.read(resource)) == [1, 2]
    assert adapter.call_count == 3


def test_an_offset_counts_what_came_and_not_what_was_asked_for():
    server = Server(range(1, 11), 3)
    client, resource = client_of(server, Read("/offset", records="results", paging=Offset(size=("limit", 100))))
    assert ids(client.read(resource)) == server.ids


def test_without_paging_there_is_one_page():
    client, resource, adapter = answering({"results": [{"id": 1}], "next": "/people?page=2"}, paging=None)
    [page] = client.read(resource)
    assert (ids([page]), page.cursor, adapter.call_count) == ([1], None, 1)


# Link headers


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("", None),
        ("</a>; rel=next", "/a"),
        ('</a>; rel="next"', "/a"),
        ('</a>;rel="next";title="x"', "/a"),
        ('</a>; title="x" ; rel = "next"', "/a"),
        ("</a>; REL=Next", "/a"),
        ('</a>; rel="prev next"', "/a"),
        ('</a>; rel="nextpage"', None),
        ("</a>; rel=prev", None),
        ("</a>", None),
        ('</p>; rel="prev", </n>; rel="next", </l>; rel="last"', "/n"),
        ('</a?x=1,2;3>; rel="prev", </b?x=1,2;3>; rel="next"', "/b?x=1,2;3"),
        ('</a>; title="one, </b>; rel=next"; rel=prev, </c>; rel=next', "/c"),
        ('</a>; title="a \\" b, </x>; rel=next"; rel=next', "/a"),
        ('</a>; title="; rel=prev"; rel=next', "/a"),
        ("</a>; rev=next, </b>; rel=next", "/b"),
        ("</a>; rel=prev; rel=next", None),
        ("<>; rel=next", ""),
        ("</a>; rel=next, garbage <", "/a"),
    ],
)
def test_a_link_header_is_read_as_rfc_8288_has_it(header, target):
    assert link(header, "next") == target


def test_a_cursor_is_put_into_a_copy_of_the_body():
    body = {"filter": "x"}
    Cursor("next", "after").ask(Request("POST", "/x", body=body), {"after": "c"})
    assert body == {"filter": "x"}


def test_a_next_url_is_made_absolute_by_the_url_that_gave_it():
    reply = Reply(200, {}, b'{"next": "?page=2"}', f"{URL}/v2/people?page=1")
    assert NextUrl().following({"url": None}, reply, []) == {"url": f"{URL}/v2/people?page=2"}


@pytest.mark.parametrize("within", [False, True])
def test_what_a_loop_by_conditions_adds_may_name_settings_and_what_is_asked_for(session, adapter, within):
    adapter.register_uri("GET", "/people", [{"json": [{"id": 1}]}, {"json": [{"id": 2}]}, {"json": []}])
    loop = Advanced(
        {"page": "{number}", "key": "{token}-{number}", "from": "{since}", "limit": "{limit}"},
        {"X-Team": "{team}"},
        add_if=(Condition("iteration", above=0),),
        limit=5,
    )
    paging = Windows(seconds=10**9, cap=10, within=loop) if within else loop
    read = Read("/people", params={"all": "{team}"}, paging=paging)
    api = an_api(people(changes=read), settings=tuple(map(Setting, ("access_token", "token", "team", "limit"))))
    client = a_client(api, session, token="t", team="red", limit="own")
    query = Query(since="2026-01-01T00:00:00Z", until="2026-01-02T00:00:00Z")
    for _ in client.read(client.resource("people"), query, slot="changes"):
        pass
    first, second, *_ = adapter.request_history
    assert first.qs == {"all": ["red"]}
    assert "X-Team" not in first.headers
    assert second.qs == {
        "all": ["red"],
        "page": ["2"],
        "key": ["t-2"],
        "from": ["2026-01-01t00:00:00z"],
        "limit": ["5"],
    }
    assert second.headers["X-Team"] == "red"


@pytest.mark.parametrize(
    ("paging", "reply", "said"),
    [
        (NextUrl(), {"next": 2}, "no URL but 2. If that is the name of a page, or its number: paging: {cursor: …}."),
        (NextUrl("paging.next"), {"paging": {"next": {"after": "x"}}}, 'no URL but {"after":"x"}. If that is the name'),
        (NextUrl(), {"next": ["/people"]}, 'no URL but ["/people"]'),
        (NextUrl(), {"next": True}, "no URL but true"),
        (ODataLinks(), {"@odata.nextLink": 17}, "no URL but 17"),
    ],
)
def test_a_next_page_that_is_no_url_is_not_followed(session, adapter, paging, reply, said):
    adapter.register_uri("GET", "/people", json={"rows": [{"id": 1}], **reply})
    client = a_client(an_api(people(read=Read("/people", records="rows", paging=paging))), session)
    with pytest.raises(BadReply) as raised:
        list(client.read(client.resource("people")))
    assert said in str(raised.value)
    assert str(raised.value).startswith("tiny: reading people -> the next page is ")
    assert adapter.call_count == 1


class Rough:
    """A paging of somebody's own that writes into what it is given."""

    def first(self):
        return {"n": 0}

    def ask(self, request, cursor):
        request.params["n"] = cursor["n"]
        request.headers["X-N"] = str(cursor["n"])
        if request.body is not None:
            request.body["n"] = cursor["n"]
        return request

    def following(self, cursor, reply, records):
        return None


@pytest.mark.parametrize(
    ("kind", "cursors"),
    [
        (None, [{}, {}]),
        (Cursor(param="at", size=("limit", 5)), [{"after": None}, {"after": "b"}, {"after": "c"}, {"after": None}]),
        (Keyset(param="from"), [{"last": 0}, {"last": 7}]),
        (Keyset(), [{"last": 0}, {"last": 7}]),
        (NextUrl("next"), [{"url": None}, {"url": f"{URL}/next?a=1"}, {"url": f"{URL}/next?a=2"}]),
        (Rough(), [{"n": 0}, {"n": 1}, {"n": 2}]),
    ],
)
@pytest.mark.parametrize("body", [None, {"fields": "{fields}", "above": "{last}"}])
def test_what_is_the_same_for_all_requests_of_a_list_is_made_once_and_they_are_what_each_alone_would_be(
    kind, cursors, body
):
    read = Read("/x/{id}", params={"f": "{fields}", "l": "{last}"}, headers={"X": "{id}"}, body=body, paging=kind)
    values = {"fields": ["a", "b"], "id": "1 2"}
    made = asking.requests(read, values)
    for cursor in cursors:
        assert made(cursor) == asking.request(read, values, cursor)
