"""Pages that are asked for before the one before them has come, and lists under parents that are begun together."""

import threading
from itertools import islice
from urllib.parse import parse_qs, urlsplit

import pytest
import requests_mock

from antiphon import paging
from antiphon.ahead import Lanes
from antiphon.api import Query, Read
from antiphon.apis.pretix import Counted
from antiphon.errors import ApiError

from .tiny import a_client, an_api, mounted, people


class Server:
    """A list of so many records, in pages; which were asked for, and how many at once."""

    def __init__(self, count, size=10, fails=(), moment=0.01):
        self.count, self.size, self.fails, self.moment = count, size, fails, moment
        self.asked, self.lock, self.under_way, self.at_once = [], threading.Lock(), 0, 0

    def answer(self, request, context):
        url = urlsplit(request.url)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        with self.lock:
            self.asked.append({"path": url.path, **asked})
            self.under_way += 1
            self.at_once = max(self.at_once, self.under_way)
        threading.Event().wait(self.moment)  # as long as an answer takes
        with self.lock:
            self.under_way -= 1
        if url.path in self.fails:
            context.status_code = 403
            return {}
        return getattr(self, url.path.split("/")[1])(asked, context)

    def rows(self, start, size):
        return [{"id": n} for n in range(1, self.count + 1)[start : start + size]]

    def offset(self, asked, context):
        return {"rows": self.rows(int(asked["offset"]), int(asked["limit"])), "total": self.count}

    def page(self, asked, context):
        size = int(asked.get("page_size") or asked.get("size"))
        start = (int(asked["page"]) - 1) * size
        if start and start >= self.count:
            context.status_code = 404
        more = "more" if start + size < self.count else None
        return {"rows": self.rows(start, size), "count": self.count, "next": more, "pages": -(-self.count // size)}

    def timed(self, asked, context):
        day = int(asked["since"][8:10])
        return {"rows": [{"id": 10 * day + n} for n in range(3)]}

    def parents(self, asked, context):
        return {"rows": [{"id": n} for n in range(1, self.count + 1)]}

    def kids(self, asked, context):
        return {"rows": [{"id": n} for n in range(2)]}


MOMENTS = (0.01, 0.1, 0.5)
"""Seconds that an answer takes: the longer, the surer several are under way together, even on a machine that has other things to do."""
DAYS = {"since": "2026-03-01T00:00:00Z", "until": "2026-03-21T00:00:00Z"}
LISTS = {
    "offset": Read("/offset", records="rows", paging=paging.Offset(size=("limit", 10), total="total")),
    "offset without overlap": Read("/offset", records="rows", paging=paging.Offset(size=("limit", 10), overlap=False)),
    "page": Read("/page", records="rows", paging=paging.Page(size=("size", 10), past_end=(404,))),
    "page of many": Read("/page", records="rows", paging=paging.Page(size=("size", 10), pages="pages", overlap=False)),
    "pretix": Read("/page", records="rows", paging=Counted(("page_size", 10))),
    "windows": Read("/timed", params={"since": "{since}"}, records="rows", paging=paging.Windows(86400, 100)),
}
TOLD = {"offset", "page of many", "pretix", "windows"}
"""Lists whose end is known beforehand."""


def walk(read, server, lanes=4, cursor=None):
    adapter = requests_mock.Adapter()
    adapter.register_uri(requests_mock.ANY, requests_mock.ANY, json=server.answer)
    resource = people(read=read)
    client = a_client(an_api(resource), session=mounted(adapter))
    client.lanes = Lanes(lanes)
    pages = list(client.read(resource, Query(cursor=cursor, **DAYS)))
    return pages, [record["id"] for page in pages for record in page.records]


@pytest.mark.parametrize("kind", LISTS)
def test_pages_that_can_be_told_are_asked_for_side_by_side_and_come_in_their_order(kind):
    alone = Server(200)
    one, found = walk(LISTS[kind], alone, lanes=1)
    for moment in MOMENTS:
        together = Server(200, moment=moment)
        four, same = walk(LISTS[kind], together)
        assert same == found
        assert [page.cursor for page in four] == [page.cursor for page in one]
        if together.at_once == 4:
            break
    assert (alone.at_once, together.at_once) == (1, 4)


@pytest.mark.parametrize("count", [1, 9, 10, 11, 25, 40, 200])
@pytest.mark.parametrize("kind", LISTS)
def test_no_call_is_made_in_vain_where_the_end_is_told_and_few_elsewhere(kind, count):
    alone, together = Server(count), Server(count)
    _, found = walk(LISTS[kind], alone, lanes=1)
    _, same = walk(LISTS[kind], together)
    assert same == found
    more = len(together.asked) - len(alone.asked)
    assert more == 0 if kind in TOLD else more <= min(3, len(alone.asked) // 2)


def test_the_first_page_is_asked_for_alone_since_its_time_is_the_bookmark():
    server = Server(200)
    walk(LISTS["offset"], server)
    assert server.asked[0]["offset"] == "0"


def under(server, lanes=4, count=0):
    adapter = requests_mock.Adapter()
    adapter.register_uri(requests_mock.ANY, requests_mock.ANY, json=server.answer)
    kids = Read("/kids/{parent.id}", records="rows", keep={"name": "{parent.id}"})
    api = an_api(
        people("parents", read=Read("/parents", records="rows")),
        people("children", read=kids, parent="parents", key=("name", "id")),
    )
    client = a_client(api, session=mounted(adapter))
    client.lanes = Lanes(lanes)
    return client.read(client.resource("children"), Query())


def test_lists_under_parents_are_begun_together_and_told_in_their_order():
    for moment in MOMENTS:
        server = Server(12, moment=moment)
        found = [(record["name"], record["id"]) for page in under(server) for record in page.records]
        assert found == [(name, id) for name in range(1, 13) for id in range(2)]
        if server.at_once > 2:
            break
    assert server.at_once in {3, 4}
    assert [one["path"] for one in server.asked[:2]] == ["/parents", "/kids/1"]


def test_an_error_under_a_parent_is_told_in_its_turn():
    pages = under(Server(12, fails=("/kids/4",)))
    assert {record["name"] for page in islice(pages, 2) for record in page.records} == {1, 2}
    with pytest.raises(ApiError):
        list(pages)
