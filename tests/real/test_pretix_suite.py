"""The SDK's own tests for taps, on a real pretix."""

from __future__ import annotations

import pytest
from singer_sdk.testing import get_tap_test_class
from singer_sdk.testing.runners import TapTestRunner

from tap_pretix import TapPretix

from .pretix import Pretix
from .pretix_seed import HOME

#: Some fields are null in every record of the seed, and pretix leaves some out of its answers.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records:UserWarning"),
    pytest.mark.filterwarnings("ignore:No records were available to test:UserWarning"),
]

#: The streams are the same for every account: the tests are made without a server.
NOWHERE = {"base_url": "http://127.0.0.1:1", "api_token": "none", "organizer": "nobody"}
Suite = get_tap_test_class(TapPretix, config=NOWHERE, parse_env_config=False)


class TestTapPretix(Suite):
    @pytest.fixture(scope="class")
    @classmethod
    def runner(cls, pretix: Pretix) -> TapTestRunner:
        pretix.reset()
        webhook = {"enabled": False, "target_url": "https://hooks.example.org", "all_events": True, "limit_events": []}
        pretix.api("POST", f"{HOME}/webhooks/", {**webhook, "action_types": ["pretix.event.order.paid"]})
        running = TapTestRunner(tap_class=TapPretix, config=pretix.config, parse_env_config=False)
        running.sync_all()
        return running


del Suite
