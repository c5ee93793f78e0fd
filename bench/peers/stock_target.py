"""A target of the Singer SDK as it comes: records are held against their schema, held in batches, and written nowhere.

Where the variable COUNT names a file it says there how many it took.
"""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from typing import Any

from singer_sdk import BatchSink, Target
from singer_sdk import typing as th


class NoSink(BatchSink):
    """Writes nothing."""

    taken = 0

    def process_batch(self, context: dict[str, Any]) -> None:
        """Write nothing."""
        NoSink.taken += len(context["records"])


class TargetStock(Target):
    """Writes nothing."""

    name = "target-stock"
    config_jsonschema = th.PropertiesList().to_dict()
    default_sink_class = NoSink


def _tell() -> None:
    if path := os.environ.get("COUNT"):
        Path(path).write_text(str(NoSink.taken), "utf-8")


if __name__ == "__main__":
    atexit.register(_tell)
    TargetStock.cli()
