"""The mock's two lists through dlt's rest_api source, into files of JSON lines in the folder that is named: of one run, the last."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}

import dlt
from dlt.sources.rest_api import rest_api_source

ENDPOINTS: dict[str, dict[str, Any]] = {
    "contacts": {
        "path": "crm/objects/2026-09/contacts",
        "params": {"limit": 100},
        "data_selector": "results",
        "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"},
    },
    "items": {
        "path": "items",
        "params": {"per_page": 1000},
        "data_selector": "data",
        "paginator": {
            "type": "page_number",
            "base_page": 1,
            "page_param": "page",
            "total_path": None,
            "stop_after_empty_page": False,
            "has_more_path": "has_more",
        },
    },
}

if __name__ == "__main__":
    name, folder = sys.argv[1:]
    shutil.rmtree(folder, ignore_errors=True)
    source = rest_api_source(
        {
            "client": {"base_url": os.environ["BASE"]},
            "resources": [{"name": name, "primary_key": "id", "endpoint": ENDPOINTS[name]}],
        }
    )
    pipeline = dlt.pipeline(
        "bench",
        destination=dlt.destinations.filesystem(f"file://{folder}/files"),
        dataset_name="bench",
        pipelines_dir=f"{folder}/pipelines",
    )
    pipeline.run(source, loader_file_format="jsonl")
