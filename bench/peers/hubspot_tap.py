"""meltano-tap-hubspot on the mock: its streams know HubSpot's address by heart, and are given the mock's."""

from __future__ import annotations

import os
from typing import Any

from tap_hubspot.client import HubspotStream
from tap_hubspot.tap import TapHubspot

_get_url = HubspotStream.get_url


def _elsewhere(self: HubspotStream, context: Any) -> str:
    return _get_url(self, context).replace("https://api.hubapi.com", os.environ["BASE"], 1)


HubspotStream.get_url = _elsewhere

if __name__ == "__main__":
    TapHubspot.cli()
