"""`antiphon infer`: the fields of a resource, from its own records, into the file that describes it."""

import json
from textwrap import dedent

import pytest

from antiphon import apis, schema

URL = "https://shop.example/v1"
SHOP = """\
# The shop, as its manual of 2026 has it.
name: shop
title: The shop
base_url: https://shop.example/v1
auth: {bearer: "{token}"}
settings:
  token: {title: Token, secret: true, required: true}

resources:
  orders:
    aliases: order
    # Newest first.
    read: {path: /orders, records: items, paging: page}
  shops:
    schema:
      id: string! readonly  # as on the sign
      seats: integer
    read: /shops
"""
ORDERS = [
    {"id": 1, "code": "A1", "placed": "2026-01-31T09:05:00+01:00", "due": "2026-02-01", "total": 9, "paid": True,
     "lines": [{"n": 1}], "buyer": {"name": "Ada"}, "note": None},
    {"id": 2, "code": "A2", "placed": None, "due": None, "total": 9.5, "paid": False, "lines": [], "buyer": None, "note": None, "late": 1},
]  # fmt: skip


@pytest.fixture
def shop(tmp_path, monkeypatch, requests_mock):
    monkeypatch.setenv("SHOP_TOKEN", "t")
    requests_mock.get(f"{URL}/orders", [{"json": {"items": ORDERS}}, {"json": {"items": []}}])
    requests_mock.get(f"{URL}/shops", json=[{"id": "a", "seats": "many", "open": True}])
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP)
    return path


def test_the_fields_of_what_has_none_are_written_into_the_file(run, shop):
    ran = run("infer", "shop.yaml")
    assert (ran.code, ran.err) == (0, "")
    assert shop.read_text() == SHOP.replace(
        "    aliases: order\n",
        """\
    aliases: order
    schema:
      id: integer! readonly
      code: string
      placed: date-time
      due: date
      total: number
      paid: boolean
      lines: array
      buyer: object
      note: any
      late: integer
""",
    )
    assert ran.out == dedent("""\
        orders: 2 records
          + id: integer! readonly
          + code: string
          + placed: date-time
          + due: date
          + total: number
          + paid: boolean
          + lines: array
          + buyer: object
          + note: any
          + late: integer
          ! note is null in each: any
        shop.yaml: written
        """)
    assert apis.load("shop.yaml").resources[0].schema["properties"]["due"] == schema.of("date")


def test_until_then_the_file_is_refused_with_the_way_out(run, shop):
    ran = run("check", "shop.yaml")
    assert ran.code == 1
    assert "shop.yaml" in ran.err
    assert "antiphon infer" in ran.err


def test_what_is_written_is_changed_only_where_the_sample_contradicts_it(run, shop):
    ran = run("infer", "shop.yaml", "shops")
    assert ran.out == dedent("""\
        shops: 1 record
          - seats: integer
          + seats: any
          + open: boolean
        shop.yaml: written
        """)
    assert "      id: string! readonly  # as on the sign\n      seats: any\n      open: boolean\n" in shop.read_text()
    assert run("infer", "shop.yaml", "shops").out.endswith("shop.yaml: nothing to change\n")


def test_a_dry_run_writes_nothing(run, shop):
    ran = run("infer", "shop.yaml", "--dry-run")
    assert "+ id: integer!" in ran.out
    assert ran.out.endswith("shop.yaml: nothing is written, for it is a dry run\n")
    assert shop.read_text() == SHOP


def test_no_more_records_than_asked_for_are_looked_at(run, shop, requests_mock):
    assert "orders: 1 record\n" in run("infer", "shop.yaml", "--records", "1").out
    assert "late" not in shop.read_text()
    assert requests_mock.call_count == 1


def test_fields_that_were_not_met_stay_and_are_told(run, shop):
    shop.write_text(SHOP.replace("seats: integer", "seats: any\n      roof: string"))
    told = run("infer", "shop.yaml", "shops").out
    assert "    roof: in none of them\n" in told
    assert "roof: string" in shop.read_text()


def test_a_json_file_stays_json(run, shop, tmp_path):
    text = {"name": "shop", "title": "Shop", "base_url": URL, "resources": {"shops": {"read": "/shops"}}}
    (tmp_path / "shop.json").write_text(json.dumps(text, indent=2))
    assert run("infer", "shop.json").code == 0
    text["resources"]["shops"]["schema"] = {"id": "string! readonly", "seats": "string", "open": "boolean"}
    assert json.loads((tmp_path / "shop.json").read_text()) == text


def test_what_can_be_read_only_by_its_changes_is_looked_at_from_the_beginning_of_time(run, shop, requests_mock):
    shop.write_text(
        SHOP.replace("read: /shops", 'changes: {path: /shops, params: {since: "{since}", fields: "{fields}"}}')
    )
    assert run("infer", "shop.yaml", "shops").code == 0
    assert requests_mock.last_request.qs == {
        "since": ["1970-01-01t00:00:00z"]
    }  # and no fields are named, for none are known


def test_records_below_others_are_looked_at_below_them(run, shop, requests_mock):
    requests_mock.get(f"{URL}/shops/a/tills", json=[{"id": 1, "open": True}])
    tills = "  tills:\n    parent: shops\n    read: {path: '/shops/{parent.id}/tills', keep: {shop: '{parent.id}'}}\n"
    shop.write_text(SHOP + tills)
    told = run("infer", "shop.yaml", "tills").out
    assert told.splitlines()[:4] == [
        "tills: 1 record",
        "  + id: integer! readonly",
        "  + open: boolean",
        "  + shop: string",
    ]


def test_where_all_values_are_text_they_are_read_as_what_they_look_like(run, shop, requests_mock):
    requests_mock.get(f"{URL}/shops", text="id,seats,opened\na,12,2026-01-31\n")
    shop.write_text(
        SHOP.replace("read: /shops", "read: {path: /shops, text: true, format: csv}").replace(
            "seats: integer", "x: any"
        )
    )
    assert "  + seats: integer\n  + opened: date\n" in run("infer", "shop.yaml", "shops").out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("infer none.yaml", "antiphon: reading none.yaml -> No such file or directory. Check the path."),
        ("infer shop.py", "antiphon: shop.py: fields are written into YAML or JSON only"),
        ("infer shop.yaml ordrs", 'antiphon: shop has no resource "ordrs". Did you mean "orders"?'),
        ("infer shop.yaml --set tokn=x", 'antiphon: shop: there is no setting "tokn". Did you mean "token"?'),
        ("infer broken.yaml", "antiphon: broken.yaml:"),
        ("infer empty.yaml", "antiphon: shop: orders has no records to learn from. Add one there, or write the fields down."),
        ("infer long.yaml shops", "antiphon: long.yaml: the schema of shops is not written as a word for each field. It is left as it is."),
        ("infer known.yaml", "antiphon: known.yaml: every resource has a schema. Name those to look at again: shops."),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_line_and_writes_nothing(run, shop, tmp_path, requests_mock, line, said):
    head = SHOP.partition("resources:\n")[0]
    texts = {
        "broken": "name: [",
        "empty": SHOP.replace("/orders,", "/none,"),
        "long": head + "resources: {shops: {schema: {properties: {id: {type: string}}}, read: /shops}}",
        "known": head + "resources: {shops: {schema: {id: string}, read: /shops}}",
    }
    requests_mock.get(f"{URL}/none", json={"items": []})
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    before = {path: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    ran = run(*line.split())
    assert ran.code == 1
    assert ran.err.startswith(said)
    assert len(ran.err.splitlines()) == 1
    assert {path: path.read_text() for path in tmp_path.iterdir() if path.is_file()} == before
