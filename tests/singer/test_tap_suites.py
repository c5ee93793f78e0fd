"""The SDK's own tests for taps. They want streams when they are collected, so a sandbox is up from then on."""

import atexit
from pathlib import Path

import pytest
from singer_sdk.testing import get_tap_test_class

from antiphon.sandbox import start
from tap_csv import TapCSV
from tap_hubspot import TapHubSpot
from tap_salesforce import TapSalesforce

#: HubSpot leaves fields out of its answers: archivedAt of what is not archived.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records:UserWarning"),
    pytest.mark.filterwarnings("ignore:No records were available to test:UserWarning"),
]
PEOPLE = str(Path(__file__).with_name("people.csv"))
SANDBOX = start("hubspot", records=12)
OBJECTS = {"Account", "Contact", "Opportunity", "User"}
ORG = start("salesforce", records=12, login="session")
atexit.register(SANDBOX.stop)
atexit.register(ORG.stop)

TestTapCSV = get_tap_test_class(TapCSV, config={"files": [{"path": PEOPLE, "keys": ["id"]}]}, parse_env_config=False)
TestTapHubSpot = get_tap_test_class(TapHubSpot, config=SANDBOX.config, parse_env_config=False)
COMMON = {
    "streams": [s for s in TapSalesforce(config=ORG.config).catalog_dict["streams"] if s["tap_stream_id"] in OBJECTS]
}
TestTapSalesforce = get_tap_test_class(TapSalesforce, config=ORG.config, catalog=COMMON, parse_env_config=False)


class ByRecord(TapHubSpot):
    """Reads HubSpot record by record."""

    by_page = False


TestTapHubSpotByRecord = get_tap_test_class(ByRecord, config=SANDBOX.config, parse_env_config=False)
