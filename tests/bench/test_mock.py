"""The mock that taps and targets are measured on: what is read from it and written to it."""

import json
import urllib.request

import pytest
from mockserver import CONTACTS, DIFFERENT, ITEMS, PROPERTIES, Lists, served


@pytest.fixture(scope="module")
def lists():
    return Lists(250, 2500)


def answered(lists, path):
    return json.loads(b"".join(lists.answer(path.encode())))


def test_contacts_are_read_page_by_page_to_the_last(lists):
    ids, path = [], "/crm/v3/objects/contacts?limit=100&properties=email,city"
    while path:
        page = answered(lists, path)
        ids += [one["id"] for one in page["results"]]
        following = page.get("paging", {}).get("next", {}).get("after")
        path = following and f"/crm/v3/objects/contacts?limit=100&after={following}"
    assert ids == [str(n) for n in range(1, 3 * CONTACTS + 1)]


def test_every_version_of_a_path_gives_the_same_contacts(lists):
    assert answered(lists, "/crm/v3/objects/contacts?limit=100") == answered(lists, "/crm/objects/2026-09/contacts")


def test_the_properties_are_those_that_contacts_have(lists):
    named = [one["name"] for one in answered(lists, "/crm/v3/properties/contacts")["results"]]
    assert named == list(PROPERTIES)
    assert list(answered(lists, "/crm/v3/objects/contacts")["results"][0]["properties"]) == named


def test_items_are_read_page_by_page_and_an_empty_one_follows(lists):
    pages = [answered(lists, f"/items?page={n}&per_page=1000") for n in range(1, 5)]
    assert [(len(page["data"]), page["has_more"]) for page in pages] == [
        (ITEMS, True),
        (ITEMS, True),
        (ITEMS, False),
        (0, False),
    ]


def test_more_than_are_different_are_served_in_turn():
    lists = Lists(DIFFERENT + CONTACTS, 0)
    assert answered(lists, f"/contacts?after={DIFFERENT // CONTACTS - 1}")["results"][-1]["id"] == str(DIFFERENT)
    assert answered(lists, f"/contacts?after={DIFFERENT // CONTACTS}")["results"][0]["id"] == "1"


def test_a_batch_that_is_read_is_not_there_and_one_that_is_created_has_ids(lists):
    status, missing = lists.written(b"/contacts/batch/read", b'{"inputs":[{"id":"a@example.org"}]}')
    assert status.startswith(b"207")
    assert json.loads(missing)["errors"][0]["context"]["ids"] == ["a@example.org"]
    people = b'{"inputs":[{"properties":{"email":"a"}},{"properties":{"email":"b"}}]}'
    both = [json.loads(lists.written(b"/contacts/batch/create", people)[1])["results"] for _ in range(2)]
    assert [one["id"] for one in both[1]] == [str(int(one["id"]) + 2) for one in both[0]]
    assert [one["properties"]["email"] for one in both[0]] == ["a", "b"]


def test_it_is_served_by_a_process_of_its_own_bodies_read_to_their_end():
    with served(100, 1000) as at:
        people = json.dumps({"inputs": [{"properties": {"email": "ü" * 40_000}}] * 5}).encode()
        given = urllib.request.Request(f"{at}/crm/objects/2026-03/contacts/batch/create", people, method="POST")
        with urllib.request.urlopen(given) as reply:
            assert reply.status == 201
            assert len(json.load(reply)["results"]) == 5
        with urllib.request.urlopen(f"{at}/items?page=1") as reply:
            assert len(json.load(reply)["data"]) == ITEMS
