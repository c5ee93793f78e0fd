"""What the APIs tell of drop-downs reaches the policies: options, their labels, and whether there may be several."""

import pytest

from antiphon import apis
from antiphon.apis import salesforce
from antiphon.client import Client
from antiphon.errors import InputError
from antiphon.sandbox import start
from antiphon.writeback.fields import Fields, Mapper


@pytest.mark.parametrize(
    ("name", "resource", "field", "label", "option"),
    [
        ("hubspot", "contacts", "hs_lead_status", "Open deal", "OPEN_DEAL"),
        ("odoo", "partner", "company_type", "Individual", "person"),
    ],
)
def test_an_option_is_found_by_its_label(name, resource, field, label, option):
    server = start(name, records=0)
    client = Client(apis.load(name), server.config)
    known = client.resource(resource)
    mapper = Mapper(Fields({field: {"otherwise": "error"}}), known, client.schema(known), where=name)
    client.http.session.close()
    server.stop()
    assert mapper({field: label}) == {field: option}
    with pytest.raises(InputError, match=f'{field}: "no such" is no option'):
        mapper({field: "no such"})


def test_salesforce_tells_options_labels_and_whether_there_are_several():
    values = [{"value": "Hot", "label": "Heiß"}, {"value": "Old", "label": "Alt", "active": False}]
    field = {
        "name": "Mood__c",
        "type": "multipicklist",
        "createable": True,
        "restrictedPicklist": True,
        "picklistValues": values,
    }
    found = salesforce._field(field)
    assert (found["x-options"], found["x-labels"], found["x-several"]) == (["Hot"], {"Hot": "Heiß"}, ";")


def test_hubspot_s_options_that_live_elsewhere_are_not_held_against_a_value():
    server = start("hubspot", records=0)
    client = Client(apis.load("hubspot"), server.config)
    known = client.schema(client.resource("contacts"))["properties"]
    client.http.session.close()
    server.stop()
    assert "x-options" not in known["hubspot_owner_id"]
