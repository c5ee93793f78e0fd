"""Salesforce: its records read by pages and by jobs, looked up, and what is known of its objects."""

from __future__ import annotations

import pytest
from salesforce_account import org

from antiphon.errors import Refused, Unknown


@pytest.fixture
def there(tmp_path):
    with org(tmp_path, records=30) as made:
        yield made


def by_id(rows):
    return {row["Id"]: row for row in rows}


def test_all_records_are_read_by_id(tmp_path):
    with org(tmp_path, counts={"Account": 4500}, page_rows=700) as there:
        found = [row["Id"] for row in there.rows("account")]
        assert found == there.ids()
        assert len(found) == 4500


def test_a_short_list_takes_one_call_besides_the_count(there):
    there.rows("account", bulk_above=0)
    assert there.app.count("query") == 1


def test_a_job_gives_what_pages_give(there):
    nulls = {
        "Name": 'Zoë "O\'Hara", Søn & Co.',
        "Description": "two\nlines, and \\ more",
        "Score__c": None,
        "Phone": None,
    }
    there.app.add("Account", nulls)
    pages, job = by_id(there.rows("account")), by_id(there.rows("account", bulk_above=10))
    assert len(there.jobs("query")) == 1
    assert pages == job
    types = {name: type(value) for row in pages.values() for name, value in row.items() if value is not None}
    assert types["Active__c"] is bool
    assert types["NumberOfEmployees"] is int
    assert pages[there.ids()[-1]]["Description"] == "two\nlines, and \\ more"
    assert pages[there.ids()[0]]["CreatedDate"].endswith("Z")


def test_without_more_rows_than_bulk_above_there_is_no_job(there):
    assert len(there.rows("account", bulk_above=30)) == 30
    assert there.jobs("query") == []


def test_an_object_that_jobs_do_not_read_is_read_by_pages(there):
    for n in range(3):
        there.app.add("CaseStatus", {"MasterLabel": f"S{n}"})
    assert len(there.rows("CaseStatus", bulk_above=1)) == len(there.ids("CaseStatus")) >= 3
    assert there.jobs("query") == []


def test_a_job_is_taken_up_where_it_was_left(tmp_path):
    with org(tmp_path, counts={"Account": 9000}, result_rows=3000) as there:
        pages = there.pages("account", bulk_above=100)
        assert pages[0].cursor == {"job": there.jobs("query")[0].id, "locator": None}
        assert pages[0].bookmark
        whole = [row["Id"] for page in pages for row in page.records]
        assert sorted(whole) == there.ids()
        for n, page in enumerate(pages[:-1]):
            rest = there.rows("account", bulk_above=100, cursor=page.cursor)
            before = [row["Id"] for page in pages[: n + 1] for row in page.records]
            assert {*before, *(row["Id"] for row in rest)} == set(whole)
        assert len(rest) < 9000
        assert len(there.jobs("query")) == 1


def test_a_job_that_failed_is_told_with_what_to_do(there):
    there.app.settings.job_polls = 5
    client = there.connect(bulk_above=1).client
    pages = client.read(client.resource("account"))
    next(pages)
    there.jobs("query")[0].finish("Failed", "InvalidBatch : the database said no")
    with pytest.raises(Refused, match=r"ended as Failed: InvalidBatch.*Set bulk_above to 0"):
        list(pages)


def test_changes_are_those_of_the_window_whether_by_pages_or_by_job(there):
    ids = there.ids()
    there.app.edit("Account", {"Phone": "1"}, ids=ids[:5], at="2031-01-01T00:00:00Z")
    there.app.edit("Account", {"Phone": "2"}, ids=ids[5:8], at="2031-01-02T00:00:00Z")
    for above in (0, 1):
        asked = {"since": "2031-01-01T00:00:00Z", "bulk_above": above}
        assert sorted(row["Id"] for row in there.rows("account", "changes", **asked)) == ids[:8]
        asked["until"] = "2031-01-01T12:00:00Z"
        assert sorted(row["Id"] for row in there.rows("account", "changes", **asked)) == ids[:5]


def test_many_records_of_one_moment_are_all_read(tmp_path):
    with org(tmp_path, counts={"Account": 4100}, page_rows=500) as there:
        there.app.edit("Account", {"Phone": "1"}, at="2031-01-01T00:00:00Z")
        found = there.rows("account", "changes", since="2031-01-01T00:00:00Z")
        assert [row["Id"] for row in found] == there.ids()


def test_records_that_change_or_go_during_the_walk_shift_no_others(tmp_path):
    with org(tmp_path, counts={"Account": 4100}) as there:
        client, ids = there.connect(bulk_above=0).client, there.ids()
        pages = client.read(client.resource("account"))
        found = [row["Id"] for row in next(pages).records]
        there.app.delete("Account", ids[5])
        there.app.edit("Account", {"Name": "Renamed"}, ids=[ids[3], ids[3000]])
        found += [row["Id"] for page in pages for row in page.records]
        assert found == ids


def test_what_is_in_the_recycle_bin_is_read_with_the_time_it_got_there(there):
    ids = there.ids()
    there.app.delete("Account", ids[2], at="2031-01-01T00:00:00Z")
    there.app.delete("Account", ids[4], at="2021-01-01T00:00:00Z")
    [gone] = there.rows("account", "deleted", since="2030-01-01T00:00:00Z")
    assert (gone["Id"], gone["_sdc_deleted_at"]) == (ids[2], "2031-01-01T00:00:00Z")
    assert gone["Name"]
    assert ids[2] not in {row["Id"] for row in there.rows("account")}


@pytest.mark.parametrize("above", [0, 1])
def test_eight_hundred_fields_are_read_whole(there, above):
    names = there.app.add_many_fields("Account", 800, prefix="Some_Long_Field_Name_", fill=True)
    rows = there.rows("account", bulk_above=above)
    truth = by_id(there.app.records("Account"))
    assert len(rows) == 30
    assert all(row[name] == truth[row["Id"]][name] for row in rows for name in names)
    there.app.delete("Account", rows[0]["Id"])
    assert len(there.rows("account", "deleted", since="2020-01-01T00:00:00Z")) == 1
    connection = there.connect()
    assert connection.get("account", rows[1]["Id"]) == rows[1]
    assert connection.find("account", Id=[rows[1]["Id"]]) == [rows[1]]
    assert {call.status for call in there.app.log} <= {200}


def test_one_that_goes_between_ids_and_fields_is_left_out(there):
    there.app.add_many_fields("Account", 800, prefix="Some_Long_Field_Name_")
    ids = there.ids()
    there.on(lambda request: "composite" in request.segments, lambda: None, done=True)
    there.on(lambda request: "query" in request.segments, lambda: there.app.delete("Account", ids[3]), done=True)
    assert [row["Id"] for row in there.rows("account")] == [id for id in ids if id != ids[3]]


@pytest.mark.parametrize(
    "value", ["O'Hara", "back\\slash", "two\nlines", 'dou"ble', "Åsa & Sön ✓ 山田", "{since}", "100%+1", "a,b", "\\'"]
)
def test_any_text_is_found(there, value):
    field = "Name" if "\n" not in value else "BillingStreet"
    id = there.app.add("Account", {"Name": "some", field: value})
    assert [row["Id"] for row in there.connect().find("account", **{field: value})] == [id]


@pytest.mark.parametrize(
    ("field", "value", "asked"),
    [
        ("NumberOfEmployees", 4242, "4242"),
        ("Score__c", 12.5, "12.50"),
        ("Since__c", "2020-02-29", "2020-02-29"),
        ("Last_Sync__c", "2020-02-29T10:00:00Z", "2020-02-29T11:00:00+01:00"),
    ],
)
def test_other_types_are_found_by_their_literals(there, field, value, asked):
    id = there.app.add("Account", {"Name": "some", field: value})
    assert [row["Id"] for row in there.connect().find("account", **{field: asked})] == [id]
    assert there.connect().find("account", **{field: "no such value"}) == []


def test_long_lists_of_values_are_split_under_the_limit_of_a_url(tmp_path):
    with org(tmp_path) as there:
        names = ["山田" * 20 + str(n) for n in range(300)]
        for name in names:
            there.app.add("Account", {"Name": name})
        assert {row["Name"] for row in there.connect().find("account", Name=names)} == set(names)
        assert 3 < there.app.count("query") < 60
        assert {call.status for call in there.app.log} <= {200}


def test_a_field_that_there_is_not_names_near_ones(there):
    with pytest.raises(Unknown, match=r'Account has no field "Nme". Did you mean "Name"\?'):
        there.connect().find("account", Nme="x")


def test_custom_objects_are_found_with_their_fields(there):
    there.app.add_object("Room__c", "Seats__c:int\nKind__c:picklist,closed=Big|Small\nPlan__c:base64")
    there.app.add("Room__c", {"Name": "Hall", "Seats__c": 12, "Kind__c": "Big"})
    connection = there.connect()
    assert "Room__c" in {resource.name for resource in connection.resources()}
    [room] = connection.read("room__c")
    assert (room["Name"], room["Seats__c"]) == ("Hall", 12)
    fields = connection.client.schema(connection.client.resource("Room__c"))["properties"]
    assert fields["Kind__c"]["x-options"] == ["Big", "Small"]
    assert "Plan__c" not in fields


def test_compounds_are_left_out_and_their_parts_are_not(there):
    client = there.connect().client
    fields = client.schema(client.resource("account"))["properties"]
    assert "BillingAddress" not in fields
    assert "BillingCity" in fields
    assert fields["Ext_Id__c"]["x-unique"]
    assert fields["Name"]["maxLength"] == 255
    assert fields["CreatedDate"]["readOnly"]
