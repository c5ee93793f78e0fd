import threading

import pytest

from antiphon import shared
from antiphon.api import Page


class Pages:
    """A list of so many pages; ``asked`` is where each walk asked for one."""

    def __init__(self, count, fails=()):
        self.count, self.fails, self.asked = count, set(fails), []

    def make(self, cursor):
        for number in range(cursor or 0, self.count):
            self.asked.append(number)
            if number in self.fails:
                self.fails.remove(number)
                raise ValueError(number)
            yield Page(cursor=number + 1 if number + 1 < self.count else None, rows=[{"id": number}])


def read(pages):
    return [record["id"] for page in pages for record in page.records]


def test_a_page_is_asked_for_once_however_many_walk_side_by_side():
    pages, lists = Pages(9), shared.Shared()
    walks = [lists.pages("ids", None, pages.make) for _ in range(3)]
    found = [[next(walk).records[0]["id"] for walk in walks] for _ in range(9)]
    assert found == [[number] * 3 for number in range(9)]
    assert [list(walk) for walk in walks] == [[]] * 3
    assert pages.asked == list(range(9))


def test_who_comes_later_is_given_the_pages_that_are_kept():
    pages, lists = Pages(9), shared.Shared()
    first = lists.pages("ids", None, pages.make)
    assert [next(first).records[0]["id"] for _ in range(4)] == [0, 1, 2, 3]
    assert read(lists.pages("ids", None, pages.make)) == list(range(9))
    assert read(lists.pages("ids", 6, pages.make)) == [6, 7, 8]
    assert read(first) == [4, 5, 6, 7, 8]
    assert pages.asked == list(range(9))


def test_what_nobody_reads_any_more_is_asked_for_anew():
    pages, lists = Pages(3), shared.Shared()
    assert read(lists.pages("ids", None, pages.make)) == read(lists.pages("ids", None, pages.make)) == [0, 1, 2]
    assert pages.asked == [0, 1, 2] * 2


def test_a_list_that_somebody_left_open_is_walked_anew_and_its_pages_are_let_go(monkeypatch):
    pages, lists = Pages(9), shared.Shared()
    left, behind = lists.pages("ids", None, pages.make), lists.pages("ids", None, pages.make)
    assert (read([next(left), next(left)]), read([next(behind)])) == ([0, 1], [0])
    [walk] = lists._walks.values()
    monkeypatch.setattr(shared, "_FRESH", 0.0)
    assert read(lists.pages("ids", None, pages.make)) == list(range(9))
    assert pages.asked == [0, 1, *range(9)]
    assert not walk._kept
    assert read(behind) == list(range(1, 9))
    assert read(left) == list(range(2, 9))


def test_another_list_and_another_place_are_walked_alone():
    pages, lists = Pages(5), shared.Shared()
    walks = [
        lists.pages("ids", None, pages.make),
        lists.pages("others", None, pages.make),
        lists.pages("ids", 3, pages.make),
    ]
    assert [next(walk).records[0]["id"] for walk in walks] == [0, 0, 3]
    assert [read(walk) for walk in walks] == [[1, 2, 3, 4], [1, 2, 3, 4], [4]]


def test_who_falls_behind_goes_on_alone_and_misses_nothing(monkeypatch):
    monkeypatch.setattr(shared, "_KEPT", 4)
    pages, lists = Pages(20), shared.Shared()
    slow, quick = lists.pages("ids", None, pages.make), lists.pages("ids", None, pages.make)
    assert [next(slow).records[0]["id"], next(slow).records[0]["id"]] == [0, 1]
    assert read(quick) == list(range(20))
    assert read(slow) == list(range(2, 20))
    assert pages.asked == [*range(20), *range(2, 20)]


def test_an_error_is_for_the_one_who_asked_and_the_others_ask_themselves():
    pages, lists = Pages(5, fails=[2]), shared.Shared()
    one, other = lists.pages("ids", None, pages.make), lists.pages("ids", None, pages.make)
    assert [next(walk).records[0]["id"] for walk in (one, other, one, other)] == [0, 0, 1, 1]
    with pytest.raises(ValueError, match="2"):
        next(one)
    assert read(other) == [2, 3, 4]
    assert read(lists.pages("ids", None, pages.make)) == [0, 1, 2, 3, 4]


def test_who_stops_early_ends_no_walk_but_his_own():
    pages, lists = Pages(5), shared.Shared()
    one, other = lists.pages("ids", None, pages.make), lists.pages("ids", None, pages.make)
    next(one), next(other)
    one.close()
    assert read(other) == [1, 2, 3, 4]
    assert pages.asked == list(range(5))


def test_threads_are_each_given_every_page_in_its_order():
    pages, lists = Pages(300), shared.Shared()
    found = [[] for _ in range(4)]
    walks = [lists.pages("ids", None, pages.make) for _ in found]
    ways = [threading.Thread(target=lambda n=n: found[n].extend(read(walks[n]))) for n in range(4)]
    for way in ways:
        way.start()
    for way in ways:
        way.join()
    assert found == [list(range(300))] * 4


def test_who_begins_when_another_is_at_the_end_begins_at_the_beginning(monkeypatch):
    monkeypatch.setattr(shared, "_KEPT", 4)
    pages, lists = Pages(9), shared.Shared()
    first = lists.pages("ids", None, pages.make)
    assert [next(first).records[0]["id"] for _ in range(9)] == list(range(9))
    assert read(lists.pages("ids", None, pages.make)) == list(range(9))
    assert list(first) == []
