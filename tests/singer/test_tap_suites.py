"""The SDK's own tests for taps. They want streams when they are collected, so a sandbox is up from then on."""

import atexit
from pathlib import Path

import pytest
from singer_sdk.testing import get_tap_test_class

from antiphon.sandbox import start
from tap_csv import TapCSV
from tap_hubspot import TapHubSpot

#: HubSpot leaves fields out of its answers: archivedAt of what is not archived.
pytestmark = pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records:UserWarning")
PEOPLE = str(Path(__file__).with_name("people.csv"))
SANDBOX = start("hubspot", records=12)
atexit.register(SANDBOX.stop)

TestTapCSV = get_tap_test_class(TapCSV, config={"files": [{"path": PEOPLE, "keys": ["id"]}]}, parse_env_config=False)
TestTapHubSpot = get_tap_test_class(TapHubSpot, config=SANDBOX.config, parse_env_config=False)
