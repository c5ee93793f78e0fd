"""meltano-tap-hubspot on the mock: it knows HubSpot's address by heart, so requests to there are sent elsewhere."""

from __future__ import annotations

import os

import requests
from tap_hubspot.tap import TapHubspot

_prepare_url = requests.models.PreparedRequest.prepare_url


def _elsewhere(self: requests.PreparedRequest, url: str, params: object) -> None:
    _prepare_url(self, url.replace("https://api.hubapi.com", os.environ["BASE"]), params)


requests.models.PreparedRequest.prepare_url = _elsewhere  # type: ignore[method-assign, assignment]

if __name__ == "__main__":
    TapHubspot.cli()
