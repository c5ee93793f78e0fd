"""What the vendor refuses, and how it says so."""

from __future__ import annotations

import json
import time

import pytest

CONTACTS = "/crm/v3/objects/contacts"
DATED = "/crm/objects/2026-09/contacts"


def refused(sandbox, properties, *, kind="contacts"):
    body = sandbox.post(f"/crm/v3/objects/{kind}", {"properties": properties}, expect=400)
    assert body["category"] == "VALIDATION_ERROR"
    return {error["code"]: error for error in body["errors"]}, body["message"]


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"email": "foo"}, "INVALID_EMAIL"),
        ({"email": "a@b"}, "INVALID_EMAIL"),
        ({"nope": "1"}, "PROPERTY_DOESNT_EXIST"),
        ({"associatedcompanyid": "1,000"}, "INVALID_INTEGER"),
        ({"lifecyclestage": "Lead"}, "INVALID_OPTION"),
        ({"hs_buying_role": "CHAMPION;KING"}, "INVALID_OPTION"),
        ({"hs_email_optout": "yes"}, "INVALID_OPTION"),
        ({"closedate": "tomorrow"}, "INVALID_DATE"),
        ({"hubspot_owner_id": "1"}, "INVALID_OWNER_ID"),
        ({"createdate": "2024-01-01"}, "READ_ONLY_VALUE"),
        ({"hubspotscore": "7"}, "READ_ONLY_VALUE"),
    ],
)
def test_a_value_its_property_cannot_take_is_refused_by_code(sandbox, properties, code):
    codes, message = refused(sandbox, {"lastname": "X", **properties})
    assert codes[code]["context"]["propertyName"] == list(properties)
    embedded = json.loads(message[message.index("[") :])
    assert embedded[0]["error"] == code
    assert embedded[0]["name"] == next(iter(properties))


def test_a_day_with_a_time_of_day_is_refused_and_midnight_is_kept_as_a_day(sandbox):
    sandbox.app.add_property("contacts", "birthday", "date")
    assert "INVALID_DATE" in refused(sandbox, {"lastname": "X", "birthday": "1757548800001"})[0]
    made = sandbox.post(CONTACTS, {"properties": {"lastname": "X", "birthday": "1757548800000"}}, expect=201)
    assert made["properties"]["birthday"] == "2025-09-11"


def test_values_come_back_as_text_or_null(sandbox):
    properties = {"dealname": "D", "dealstage": "closedwon", "amount": 1500.5, "closedate": 1726061259356}
    made = sandbox.post("/crm/v3/objects/deals", {"properties": properties}, expect=201)
    shown = sandbox.get(f"/crm/v3/objects/deals/{made['id']}", properties="amount,closedate,description,nope")
    assert shown["properties"]["amount"] == "1500.5"
    assert shown["properties"]["closedate"] == "2024-09-11T13:27:39.356Z"
    assert shown["properties"]["description"] is None
    assert "nope" not in shown["properties"]
    assert shown["properties"]["hs_lastmodifieddate"] == shown["updatedAt"]
    assert shown["properties"]["hs_object_id"] == shown["id"]


@pytest.mark.parametrize(
    ("kind", "lacking"),
    [
        ("contacts", {"city": "X"}),
        ("companies", {"city": "X"}),
        ("deals", {"dealname": "X"}),
        ("tickets", {"subject": "X"}),
        ("notes", {"hs_note_body": "X"}),
        ("emails", {"hs_timestamp": "0"}),
    ],
)
def test_a_new_record_needs_what_its_object_requires(sandbox, kind, lacking):
    assert "Some required properties were not set" in refused(sandbox, lacking, kind=kind)[1]


def test_a_stage_must_belong_to_the_pipeline(sandbox):
    wrong = {"dealname": "X", "pipeline": "default", "dealstage": "1193"}
    assert "INVALID_OPTION" in refused(sandbox, wrong, kind="deals")[0]


def test_a_lifecycle_stage_only_moves_forward_unless_cleared(sandbox):
    made = sandbox.post(CONTACTS, {"properties": {"lastname": "X", "lifecyclestage": "customer"}}, expect=201)
    for stage, then in (("lead", "customer"), ("", None), ("lead", "lead")):
        sandbox("PATCH", f"{CONTACTS}/{made['id']}", {"properties": {"lifecyclestage": stage}})
        shown = sandbox.get(f"{CONTACTS}/{made['id']}", properties="lifecyclestage")
        assert shown["properties"]["lifecyclestage"] == then


@pytest.mark.parametrize(
    "query", ["limit=101", "limit=0", "limit=x", "limit=51&propertiesWithHistory=email", "after=101"]
)
def test_a_page_that_the_vendor_would_not_give_is_refused(sandbox, query):
    assert sandbox("GET", f"{CONTACTS}?{query}").status_code == 400


def test_a_batch_over_100_inputs_is_refused(sandbox):
    rows = [{"properties": {"email": f"n{n}@example.com"}} for n in range(101)]
    sandbox.post(f"{CONTACTS}/batch/create", {"inputs": rows}, expect=400)
    sandbox.post(f"{CONTACTS}/batch/create", {"inputs": rows[:100]}, expect=201)


def test_without_trace_ids_of_their_own_one_bad_row_fails_all(sandbox):
    good, bad = {"properties": {"email": "ok@example.com"}}, {"properties": {"email": "bad"}}
    same = {"objectWriteTraceId": "same"}
    for rows in ([good, bad], [good | same, bad | same], [good | same, bad]):
        sandbox.post(f"{CONTACTS}/batch/create", {"inputs": rows}, expect=400)
    assert len(sandbox.app.store("contacts")) == 12


def test_with_trace_ids_the_status_is_207_unless_2026_09_folds_its_errors(made):
    rows = [{"properties": {"email": e}, "objectWriteTraceId": e} for e in ("ok@example.com", "bad")]
    for folded, expect in ((False, 207), (True, 201)):
        reply = made(folded_errors=folded).post(f"{DATED}/batch/create", {"inputs": rows}, expect=expect)
        assert (len(reply["results"]), reply["numErrors"]) == (1, 1)


def test_the_same_record_twice_in_a_batch_is_refused(sandbox):
    one = str(sandbox.app.store("contacts").live[0])
    rows = [{"id": one, "properties": {"city": c}, "objectWriteTraceId": c} for c in "ab"]
    assert "Duplicate IDs" in sandbox.post(f"{CONTACTS}/batch/update", {"inputs": rows}, expect=400)["message"]
    new = [{"properties": {"email": "twice@example.com"}}] * 2
    sandbox.post(f"{CONTACTS}/batch/create", {"inputs": new}, expect=409)
    assert len(sandbox.app.store("contacts")) == 12


def test_email_addresses_a_contact_on_every_route_but_batch_update(sandbox):
    email = sandbox.app.records("contacts")[0]["properties"]["email"]
    assert sandbox("PATCH", f"{CONTACTS}/{email}?idProperty=email", {"properties": {"city": "X"}}).status_code == 200
    rows = [{"id": email, "idProperty": "email", "properties": {"city": "Y"}}]
    body = sandbox.post(f"{CONTACTS}/batch/update", {"inputs": rows}, expect=400)
    assert "Unable to perform update/upsert by non-unique 0-1 property" in body["message"]


def test_a_property_that_is_not_unique_addresses_nothing(sandbox):
    rows = [{"id": "company00001.example", "idProperty": "domain", "properties": {"name": "X"}}]
    for action in ("upsert", "update"):
        sandbox.post(f"/crm/v3/objects/companies/batch/{action}", {"inputs": rows}, expect=400)
    assert sandbox("GET", "/crm/v3/objects/companies/x?idProperty=domain").status_code == 400


def test_an_upsert_by_a_unique_property_may_be_partial_and_one_by_email_may_not(made):
    for allowed, expect in ((False, 400), (True, 200)):
        sandbox = made(partial_email_upsert=allowed)
        email = sandbox.app.records("contacts")[0]["properties"]["email"]
        rows = [{"id": email, "idProperty": "email", "properties": {"city": "X"}}]
        sandbox.post(f"{CONTACTS}/batch/upsert", {"inputs": rows}, expect=expect)
        sandbox.app.add_property("contacts", "ext_id", unique=True)
        rows = [{"id": "7", "idProperty": "ext_id", "properties": {"city": "X", "lastname": "Y"}}]
        assert sandbox.post(f"{CONTACTS}/batch/upsert", {"inputs": rows})["results"][0]["new"]
        rows[0]["properties"].pop("lastname")
        assert not sandbox.post(f"{CONTACTS}/batch/upsert", {"inputs": rows})["results"][0]["new"]


def test_a_unique_value_conflicts_and_is_free_again_once_archived(sandbox):
    sandbox.app.add_property("contacts", "ext_id", unique=True)
    first = sandbox.post(CONTACTS, {"properties": {"lastname": "X", "ext_id": "1"}}, expect=201)
    body = sandbox.post(CONTACTS, {"properties": {"lastname": "Y", "ext_id": "1"}}, expect=409)
    assert body["category"] == "CONFLICT"
    assert sandbox("DELETE", f"{CONTACTS}/{first['id']}").status_code == 204
    assert sandbox("DELETE", f"{CONTACTS}/{first['id']}").status_code == 204
    sandbox.post(CONTACTS, {"properties": {"lastname": "Y", "ext_id": "1"}}, expect=201)


def test_a_secondary_address_blocks_a_new_contact(sandbox):
    holder = sandbox.app.add("contacts", {"email": "one@example.com", "hs_additional_emails": "two@example.com"})
    body = sandbox.post(CONTACTS, {"properties": {"email": "Two@example.com"}}, expect=409)
    assert body["message"] == f"Contact already exists. Existing ID: {holder.id}"


def test_at_most_ten_properties_are_unique(sandbox):
    for n in range(10):
        sandbox.app.add_property("contacts", f"u{n}", unique=True)
    body = {"name": "u", "label": "U", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
    sandbox.post("/crm/properties/2026-09/contacts", body | {"hasUniqueValue": True}, expect=400)
    sandbox.post("/crm/properties/2026-09/contacts", body, expect=201)


def test_administrators_rules_bind_2026_09_alone(made):
    sandbox = made(admin_required={"contacts": ("city",)})
    for path, expect in ((DATED, 400), ("/crm/objects/2026-03/contacts", 201), (CONTACTS, 201)):
        sandbox.post(path, {"properties": {"lastname": "X"}}, expect=expect)


@pytest.mark.parametrize("header", [None, "Basic x", "Bearer wrong"])
def test_without_the_token_it_is_401(sandbox, header):
    reply = sandbox("GET", CONTACTS, headers={"Authorization": header})
    assert (reply.status_code, reply.json()["category"]) == (401, "INVALID_AUTHENTICATION")


def test_an_expired_token_is_401_until_it_is_renewed(sandbox):
    sandbox.app.expire_token()
    assert sandbox("GET", CONTACTS).json()["category"] == "EXPIRED_AUTHENTICATION"
    form = {**sandbox.app.client, "grant_type": "refresh_token", "refresh_token": sandbox.app.refresh_token}
    reply = sandbox.session.post(f"{sandbox.server.url}/oauth/2026-03/token", data=form, timeout=5).json()
    assert reply["access_token"] == sandbox.server.config["access_token"]
    assert sandbox("GET", CONTACTS).status_code == 200


def test_an_unknown_path_object_or_record_is_refused_in_the_vendors_shape(sandbox):
    for path, status in (
        ("/crm/v3/nothing", 404),
        ("/crm/v4/objects/contacts", 404),
        ("/crm/objects/2024-01/contacts", 404),
        ("/crm/v3/objects/unicorns", 400),
        (f"{CONTACTS}/1", 404),
    ):
        reply = sandbox("GET", path)
        assert reply.status_code == status, path
        assert reply.json()["status"] == "error"
        assert reply.json()["correlationId"]
        assert reply.headers["Date"]


def test_old_and_dated_paths_show_the_same(sandbox):
    old = sandbox.get(CONTACTS)
    for version in ("2025-09", "2026-03", "2026-09"):
        assert sandbox.get(f"/crm/objects/{version}/0-1")["results"] == old["results"]
    assert sandbox.get("/crm/owners/2026-09")["results"] == sandbox.get("/crm/v3/owners/")["results"]
    assert sandbox.get("/crm/pipelines/2026-09/deals") == sandbox.get("/crm/v3/pipelines/deals")
    assert sandbox.get("/crm-object-schemas/2026-09/schemas") == sandbox.get("/crm/v3/schemas") == {"results": []}
    assert sandbox.get("/account-info/v3/details")["portalId"]


def test_association_ids_are_numbers_in_v4_and_text_since(sandbox):
    contact = sandbox.app.store("contacts").live[0]
    sandbox.app.associate("contacts", contact, "companies", sandbox.app.store("companies").live[0])
    body = {"inputs": [{"id": str(contact)}]}
    for path, kind in (("/crm/v4/associations", int), ("/crm/associations/2026-09", str)):
        reply = sandbox.post(f"{path}/contacts/companies/batch/read", body)
        assert isinstance(reply["results"][0]["to"][0]["toObjectId"], kind)
    archive = {"inputs": [{"from": {"id": str(contact)}, "to": [{"id": "1"}]}]}
    sandbox.post("/crm/v4/associations/contacts/companies/batch/archive", archive, expect=204)
    sandbox.post("/crm/associations/2026-09/contacts/companies/batch/archive", archive, expect=200)


def test_associations_come_with_a_listed_record_and_page_within_it(made):
    sandbox = made(association_page=2, counts={"companies": 3, "deals": 0, "notes": 0})
    one = sandbox.app.add("contacts", {"lastname": "X"}).id
    for company in sandbox.app.store("companies").live:
        sandbox.app.associate("contacts", one, "companies", company)
    shown = sandbox.get(f"{CONTACTS}/{one}", associations="companies")["associations"]["companies"]
    assert [link["type"] for link in shown["results"]] == ["contact_to_company"] * 2
    after, found = shown["paging"]["next"]["after"], []
    found = sandbox.get(f"/crm/v4/objects/contacts/{one}/associations/companies", after=after)["results"]
    assert [link["toObjectId"] for link in found] == sandbox.app.store("companies").live[2:]


def test_a_url_too_long_is_414_and_800_properties_fit_a_batch_read(sandbox):
    names = sandbox.app.add_properties("contacts", 800)
    assert sandbox("GET", f"{CONTACTS}?properties={','.join(names)}").status_code == 414
    one = str(sandbox.app.store("contacts").live[0])
    read = sandbox.post(f"{DATED}/batch/read", {"inputs": [{"id": one}], "properties": names})
    assert len(read["results"][0]["properties"]) == 803
    assert read["results"][0]["properties"][names[7]]


def test_writes_are_stamped_by_the_real_clock_and_seeds_are_older_than_a_day(sandbox):
    for record in sandbox.app.store("contacts"):
        assert record.created <= record.updated < (time.time() - 86_400) * 1000
    before = int(time.time() * 1000)
    made = sandbox.post(CONTACTS, {"properties": {"lastname": "X"}}, expect=201)
    stamped = sandbox.app.store("contacts").get(made["id"]).updated
    assert before <= stamped <= time.time() * 1000
    assert made["createdAt"].endswith("Z")
    assert len(made["createdAt"]) == len("2024-09-11T13:27:39.356Z")


def test_the_same_seed_makes_the_same_account(made):
    one, two, other = made(seed=3), made(seed=3), made(seed=4)
    assert one.get(CONTACTS) == two.get(CONTACTS) != other.get(CONTACTS)


def test_archived_records_are_listed_apart_with_the_time(sandbox):
    one = sandbox.app.archive("contacts", sandbox.app.store("contacts").live[0], at="2026-01-02T03:04:05Z")
    shown = sandbox.get(CONTACTS, archived="true")["results"]
    assert [(record["id"], record["archivedAt"]) for record in shown] == [(str(one.id), "2026-01-02T03:04:05.000Z")]
    assert str(one.id) not in {record["id"] for record in sandbox.get(CONTACTS, limit=100)["results"]}


def test_history_is_newest_first(sandbox):
    one = sandbox.app.add("contacts", {"city": "A"}, at="2025-01-01T00:00:00Z")
    sandbox.app.edit("contacts", one.id, {"city": "B"}, at="2025-02-01T00:00:00Z")
    shown = sandbox.get(f"{CONTACTS}/{one.id}", propertiesWithHistory="city")["propertiesWithHistory"]["city"]
    assert [(version["value"], version["timestamp"][:7]) for version in shown] == [("B", "2025-02"), ("A", "2025-01")]


def test_a_walk_neither_skips_nor_repeats_while_records_come_and_go(sandbox):
    store = sandbox.app.store("contacts")
    stay = set(store.live[1:])
    page = sandbox.get(CONTACTS, limit=5)
    seen = [record["id"] for record in page["results"]]
    sandbox.app.archive("contacts", store.live[0])
    sandbox.app.add("contacts", {"lastname": "X"})
    while "paging" in page:
        page = sandbox.get(CONTACTS, limit=5, after=page["paging"]["next"]["after"])
        seen += [record["id"] for record in page["results"]]
    assert len(seen) == len(set(seen))
    assert stay <= {int(number) for number in seen}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CONTACTS, []),
        (CONTACTS, {"properties": []}),
        (CONTACTS, {"properties": {"lastname": {}}}),
        (CONTACTS, {"properties": {"lastname": "X"}, "associations": "x"}),
        (CONTACTS, {"properties": {"lastname": "X"}, "associations": [{"types": [{"associationTypeId": "x"}]}]}),
        (f"{CONTACTS}/batch/update", {"inputs": None}),
        (f"{CONTACTS}/batch/update", {"inputs": [{"id": "951", "idProperty": ["x"], "properties": {}}]}),
        (f"{CONTACTS}/search", {"filterGroups": [{"filters": [5]}]}),
        (f"{CONTACTS}/search", {"sorts": [5]}),
        ("/crm/v4/associations/contacts/companies/batch/create", {"inputs": [{"from": "x", "to": {"id": "1"}}]}),
        ("/crm/v3/properties/contacts", {"name": 5}),
        ("/crm/v3/schemas", {"name": "x", "labels": []}),
    ],
)
def test_a_body_of_another_shape_is_the_callers_fault(sandbox, path, body):
    assert sandbox.post(path, body, expect=400)["category"] == "VALIDATION_ERROR"
