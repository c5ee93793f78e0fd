"""What tap-odoo reads: nothing missed while records come, go and change; deletes by comparing; streams found out."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from contract import plugins
from contract.small import small
from odoo_account import EACH, odoo

from antiphon import moment
from antiphon.api import Query
from antiphon.client import Client
from antiphon.errors import AntiphonError, SettingError, Storage
from tap_odoo import TapOdoo

ALONE = dict.fromkeys(["account.move", "sale.order", "crm.lead", "event.registration", "project.task"], 0)
"""Nothing points to a partner then, so that each can be deleted."""


def ago(seconds: float) -> str:
    return moment.rfc3339(moment.now() - timedelta(seconds=seconds))


def ids(said: plugins.Read, stream: str = "partner") -> list[int]:
    return [
        record["id"]
        for record in said.records(stream)
        if "_sdc_deleted_at" not in record or not record["_sdc_deleted_at"]
    ]


def gone(said: plugins.Read, stream: str = "partner") -> list[int]:
    return [record["id"] for record in said.records(stream) if record.get("_sdc_deleted_at")]


# Nothing missed


def test_records_that_change_and_go_while_a_list_is_walked_hide_none(tmp_path):
    with odoo(tmp_path, records=60, counts=ALONE) as account:
        client = Client(small("odoo", 10), account.config)
        resource = client.resource("partner")
        seen: Counter[int] = Counter()
        for number, page in enumerate(client.read(resource, Query(("id", "name", "write_date")))):
            seen.update(row["id"] for row in page.records)
            account.app.edit("res.partner", {"city": f"c{number}"}, ids=[5, 15, 25, 35, 45])
            if number == 1:
                account.app.delete("res.partner", 9, 12, 27, 53)
        assert set(seen.values()) == {1}
        assert seen.keys() >= set(range(1, 61)) - {9, 12, 27, 53}


def test_more_records_than_a_page_with_one_time_of_change_are_all_read_once(tmp_path):
    with odoo(tmp_path, records=2500) as account:
        account.app.edit("res.partner", {"city": "Gent"}, at=ago(60))
        state = {"bookmarks": {"partner": {"replication_key": "write_date", "replication_key_value": ago(30)}}}
        assert sorted(ids(account.read("partner", state))) == list(range(1, 2501))


def test_microseconds_that_odoo_does_not_show_hide_nothing(tmp_path):
    with odoo(tmp_path, records=5) as account:
        at = moment.rfc3339(moment.parse(ago(30)).replace(microsecond=0))
        account.app.edit("res.partner", {"city": "Gent"}, at=at.replace("Z", ".000001Z"), ids=[2])
        account.app.edit("res.partner", {"city": "Gent"}, at=at.replace("Z", ".999999Z"), ids=[4])
        state = {"bookmarks": {"partner": {"replication_key": "write_date", "replication_key_value": at}}}
        assert ids(account.read("partner", state, lookback=0)) == [2, 4]


def test_a_long_transaction_that_commits_behind_the_bookmark_is_read(tmp_path):
    with odoo(tmp_path) as account:
        work = account.app.begin(ago(500))
        work.add("res.partner", {"name": "Late"})
        work.edit("res.partner", {"city": "Late"}, ids=[4])
        first = account.read("partner")
        changed = work.commit()
        second = account.read("partner", first.state)
        assert sorted(ids(second)) == sorted(changed)
        third = account.read("partner", second.state)
        assert ids(third) == []
        assert ids(account.read("partner", first.state, lookback=0)) == []


def test_what_changes_within_the_second_of_the_bookmark_is_read_again(tmp_path):
    with odoo(tmp_path) as account:
        first = account.read("partner")
        account.app.edit("res.partner", {"city": "Gent"}, ids=[3])
        second = account.read("partner", first.state)
        account.app.edit("res.partner", {"city": "Lier"}, ids=[3])
        third = account.read("partner", second.state)
        assert (ids(second), ids(third)) == ([3], [3])


def test_archived_records_are_records(tmp_path):
    with odoo(tmp_path) as account:
        account.app.edit("res.partner", {"active": False}, ids=[7])
        [row] = [r for r in account.read("partner").records("partner") if r["id"] == 7]
        assert row["active"] is False


def test_a_read_can_be_taken_up_at_any_page(tmp_path):
    with odoo(tmp_path, records=35) as account:
        client = Client(small("odoo", 10), account.config)
        resource = client.resource("partner")
        for since in (None, "2000-01-01T00:00:00Z"):
            slot = "changes" if since else "read"
            pages = list(client.read(resource, Query(("id",), since), slot=slot))
            assert [len(page.records) for page in pages] == [10, 10, 10, 5, 0]
            for number, page in enumerate(pages[:-1], 1):
                cursor = json.loads(json.dumps(page.cursor))
                rest = client.read(resource, Query(("id",), since, cursor=cursor), slot=slot)
                assert [r["id"] for p in rest for r in p.records] == list(range(10 * number + 1, 36))


# Deletes


@EACH
def test_deletes_are_found_by_comparing_and_told_once(tmp_path, protocol):
    with odoo(tmp_path, protocol, records=30, counts=ALONE) as account:
        first = account.read("partner", deletes=True)
        assert (len(ids(first)), gone(first)) == (30, [])
        account.app.delete("res.partner", 9, 12)
        second = account.read("partner", first.state, deletes=True)
        assert gone(second) == [9, 12]
        third = account.read("partner", second.state, deletes=True)
        assert third.records("partner") == []


def test_deletes_of_a_run_whose_state_was_lost_are_told_again(tmp_path):
    with odoo(tmp_path, records=30, counts=ALONE) as account:
        first = account.read("partner", deletes=True)
        account.app.delete("res.partner", 9)
        assert gone(account.read("partner", first.state, deletes=True)) == [9]
        account.app.delete("res.partner", 12)
        assert gone(account.read("partner", first.state, deletes=True)) == [9, 12]


def test_what_is_deleted_while_the_first_read_is_under_way_is_told(tmp_path):
    with odoo(tmp_path, records=30, counts=ALONE) as account:
        tap = plugins.plugin("tap_odoo:TapOdoo", api=small("odoo", 10))
        answer, calls = account.app.answer, []

        def answering(request: Any) -> Any:
            said = answer(request)
            if (
                b'"name"' in request.body
                and b"search_read" in request.target.encode()
                and b'["id",">",10]' in request.body
            ):
                calls.append(1)
                account.app.delete("res.partner", 9)  # it was on the first page
            return said

        account.app.answer = answering
        first = plugins.read(tap, {**account.config, "deletes": True}, "partner")
        assert calls == [1]
        assert 9 in ids(first)
        assert gone(first) == [9]


def test_a_record_that_is_archived_is_not_deleted(tmp_path):
    with odoo(tmp_path) as account:
        first = account.read("partner", deletes=True)
        account.app.edit("res.partner", {"active": False}, ids=[7])
        assert gone(account.read("partner", first.state, deletes=True)) == []


def test_each_stream_has_ids_of_its_own(tmp_path):
    with odoo(tmp_path, records=30) as account:
        first = plugins.read(TapOdoo, {**account.config, "deletes": True}, "partner", "registration")
        account.app.delete("event.registration", 3)
        second = plugins.read(
            TapOdoo, {**account.config, "deletes": True}, "partner", "registration", state=first.state
        )
        assert (gone(second), gone(second, "registration")) == ([], [3])


def test_ids_that_cannot_be_read_stop_the_stream_and_nothing_is_called_deleted(tmp_path):
    with odoo(tmp_path) as account:
        first = account.read("partner", deletes=True)
        [file] = (tmp_path / "state").rglob("partner.json")
        assert file.stat().st_mode & 0o777 == 0o600
        file.write_text("[1, 2")
        with pytest.raises(AntiphonError, match="cannot be used"):
            account.read("partner", first.state, deletes=True)
        client = account.client()
        with pytest.raises(Storage, match="Mend or remove the file"):
            list(client.read(client.resource("partner"), slot="deleted"))


def test_a_deletion_is_forgotten_after_its_days(tmp_path):
    with odoo(tmp_path) as account:
        account.read("partner", deletes=True)
        [file] = (tmp_path / "state").rglob("partner.json")
        kept = msgspec.json.decode(file.read_bytes())
        kept["gone"] = [[9001, ago(89 * 86400)], [9002, ago(91 * 86400)]]
        file.write_bytes(msgspec.json.encode(kept))
        client = account.client()
        [page] = client.read(client.resource("partner"), slot="deleted")
        assert [row["id"] for row in page.records] == [9001]


def test_without_a_folder_to_keep_ids_in_it_is_asked_for(tmp_path):
    with odoo(tmp_path) as account:
        client = Client(account.client().api, account.config)
        with pytest.raises(SettingError, match="Set state_dir"):
            list(client.read(client.resource("partner"), slot="deleted"))


# Streams and fields


def discovered(account: Any) -> dict[str, Any]:
    catalog = TapOdoo(config=account.config).catalog_dict
    return {entry["tap_stream_id"]: entry for entry in catalog["streams"]}


@EACH
def test_models_are_found_out_custom_ones_among_them(tmp_path, protocol):
    badge = {"x_badge": {"x_name": "char", "x_colour": "selection:red,blue", "x_owner": "many2one:res.partner"}}
    with odoo(tmp_path, protocol, custom=badge) as account:
        app = account.app
        app.add("x_badge", {"x_name": "One", "x_colour": "red", "x_owner": 3})
        streams = discovered(account)
        assert {"partner", "invoice", "x_badge", "product_category", "sale_report"} <= streams.keys()
        assert not {"res_partner", "base_partner_merge_automatic_wizard"} & streams.keys()
        [row] = account.read("x_badge").records("x_badge")
        assert (row["x_name"], row["x_colour"], row["x_owner"]) == ("One", "red", 3)
        assert row["x_owner_name"]


def test_names_are_listed_cheaply_and_fields_fetched_for_what_is_usual(tmp_path):
    with odoo(tmp_path) as account:
        streams = discovered(account)
        assert account.called("ir.model/search_read") == 1
        assert account.called("fields_get") < len(streams)
        assert len(streams["partner"]["schema"]["properties"]) > 20


def test_a_report_without_a_time_of_change_is_read_whole(tmp_path):
    with odoo(tmp_path, records=60) as account:
        first = account.read("sale_report")
        assert first.records("sale_report")
        assert len(account.read("sale_report", first.state).records("sale_report")) == len(first.records("sale_report"))
        assert "replication_key" not in discovered(account)["sale_report"]


def test_fields_have_the_types_that_odoo_says(tmp_path):
    with odoo(tmp_path) as account:
        client = account.client()
        known = client.schema(client.resource("sale_order"))["properties"]
        assert known["partner_id"]["type"] == ["integer", "null"]
        assert known["partner_id"]["x-relation"] == "res.partner"
        assert known["partner_id_name"]["readOnly"]
        assert known["amount_total"]["type"] == ["number", "null"]
        assert known["date_order"]["format"] == "date-time"
        assert known["validity_date"]["format"] == "date"
        assert known["order_line"]["type"] == ["array", "null"]
        assert known["state"]["x-options"] == ["draft", "sent", "sale", "cancel"]
        assert known["write_date"]["readOnly"]
        variant = client.schema(client.resource("product_variant"))["properties"]
        assert {"name", "list_price"} <= variant.keys()
        assert client.schema(client.resource("product"))["properties"]["image_1920"]["writeOnly"]
        assert "display_name" not in variant
        assert (
            not {"image_1920", "product_variant_count"} & discovered(account)["product"]["schema"]["properties"].keys()
        )


@EACH
def test_of_a_relation_the_name_can_be_selected_alone(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        catalog = {
            "streams": [
                {
                    "tap_stream_id": "partner",
                    "stream": "partner",
                    "key_properties": ["id"],
                    "schema": {
                        "type": "object",
                        "properties": {
                            "id": {"type": "integer"},
                            "write_date": {"type": ["string", "null"], "format": "date-time"},
                            "country_id": {"type": ["integer", "null"]},
                            "country_id_name": {"type": ["string", "null"]},
                            "name": {"type": ["string", "null"]},
                        },
                    },
                    "metadata": [
                        {"breadcrumb": [], "metadata": {"selected": True}},
                        {"breadcrumb": ["properties", "country_id"], "metadata": {"selected": False}},
                        {"breadcrumb": ["properties", "name"], "metadata": {"selected": False}},
                    ],
                }
            ]
        }
        account.app.edit("res.partner", {"country_id": False}, ids=[3])
        account.app.edit("res.partner", {"country_id": 1}, ids=[4])
        tap = TapOdoo(config=account.config, catalog=catalog)
        by_id = {row["id"]: row for row in tap.streams["partner"].get_records(None)}
        assert by_id[3]["country_id_name"] is None
        assert by_id[4]["country_id_name"] == "Belgium"
        assert "name" not in by_id[4]
        assert tap.client.http.notes["protocol"] == protocol


@EACH
def test_a_model_that_is_not_installed_is_said_and_the_others_go_on(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        account.app.uninstall("crm.lead")
        assert "lead" not in discovered(account)
        with pytest.raises(AntiphonError, match=r"1 of 2 streams failed: lead: .*crm.lead.*The others are complete"):
            plugins.read(TapOdoo, account.config, "lead", "partner")


@EACH
def test_a_user_who_may_not_list_the_models_gets_the_usual_ones(tmp_path, protocol):
    with odoo(tmp_path, protocol, admin=False, missing=["crm.lead", "event.registration"]) as account:
        streams = discovered(account)
        assert {"partner", "invoice", "task"} <= streams.keys()
        assert not {"lead", "registration", "product_category"} & streams.keys()
        tap = TapOdoo(config=account.config)
        assert not tap.troubles
        assert len(account.read("partner").records("partner")) == 12


def test_a_field_that_cannot_be_read_fails_its_stream_and_can_be_left_out(tmp_path):
    with odoo(tmp_path) as account:
        account.app.break_field("res.partner", "complete_name")
        with pytest.raises(AntiphonError, match=r"partner: .*float division by zero"):
            plugins.read(TapOdoo, account.config, "partner", "company")
        client = account.client()
        assert len([r for p in client.read(client.resource("partner"), Query(("id", "name"))) for r in p.records]) == 12


@pytest.mark.parametrize("kind", ["429", "500", "502-html", "cut", "timeout"])
@EACH
def test_a_read_goes_on_after_a_fault(tmp_path, protocol, kind):
    with odoo(tmp_path, protocol, records=30, counts=ALONE) as account:
        account.app.fail_next(2, kind, "search_read")
        assert sorted(ids(account.read("partner"))) == list(range(1, 31))
