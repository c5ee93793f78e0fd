"""A target of the Singer SDK as it comes: records are held against their schema, held in batches, and written nowhere."""

from __future__ import annotations

from typing import Any

from singer_sdk import BatchSink, Target
from singer_sdk import typing as th


class NoSink(BatchSink):
    """Writes nothing."""

    def process_batch(self, context: dict[str, Any]) -> None:
        """Write nothing."""


class TargetStock(Target):
    """Writes nothing."""

    name = "target-stock"
    config_jsonschema = th.PropertiesList().to_dict()
    default_sink_class = NoSink


if __name__ == "__main__":
    TargetStock.cli()
