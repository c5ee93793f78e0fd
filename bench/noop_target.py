"""A target of ours that takes records, holds them against their schema, holds them in batches, and writes nothing.

Where the variable COUNT names a file it says there how many it took; with DECODE each record is decoded, as who writes it would.
"""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from typing import Any

from antiphon.api import Api, Resource, Write
from antiphon.singer.sink import Sink
from antiphon.singer.target import Target

_ANYTHING = {"type": "object", "properties": {"id": {"type": "integer"}}, "additionalProperties": True}


class _NoSink(Sink):
    """Writes nothing."""

    taken = 0

    def process_batch(self, context: dict[str, Any]) -> None:  # noqa: ARG002
        """Write nothing."""
        held, self.held = self.held, []
        if "DECODE" in os.environ:
            for one in held:
                assert "id" in one.record
        _NoSink.taken += len(held)
        self.target.accounts.pass_over(self.stream_name, len(held))


class TargetNothing(Target):
    """Writes nothing."""

    api = Api(
        "nothing",
        title="Nothing",
        base_url="http://127.0.0.1:9",
        resources=(Resource("items", _ANYTHING, create=Write("/items", body="{record}")),),
    )

    def get_sink_class(self, stream_name: str) -> type[Any]:  # noqa: ARG002
        """Return the sink that writes nothing."""
        return _NoSink


def _tell() -> None:
    if path := os.environ.get("COUNT"):
        Path(path).write_text(str(_NoSink.taken), "utf-8")


if __name__ == "__main__":
    atexit.register(_tell)
    TargetNothing.cli()
