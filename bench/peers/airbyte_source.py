"""The mock's two lists as a low-code source of airbyte-cdk; its messages go to stdout."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from airbyte_cdk.entrypoint import launch
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

_NEXT = "response.get('paging', {}).get('next', {}).get('after')"
CURSOR = {
    "type": "CursorPagination",
    "page_size": 100,
    "cursor_value": "{{ " + _NEXT + " }}",
    "stop_condition": "{{ not " + _NEXT + " }}",
}
PAGES = {"type": "PageIncrement", "page_size": 1000, "start_from_page": 1, "inject_on_first_request": True}


def stream(name: str, path: str, records: str, paging: dict[str, Any], page: str, size: str) -> dict[str, Any]:
    def parameter(field: str) -> dict[str, str]:
        return {"type": "RequestOption", "inject_into": "request_parameter", "field_name": field}

    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": ["id"],
        "schema_loader": {
            "type": "InlineSchemaLoader",
            "schema": json.loads(Path(os.environ["SCHEMA"]).read_text("utf-8")),
        },
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": os.environ["BASE"], "path": path, "http_method": "GET"},
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": [records]},
                "schema_normalization": "Default",
            },
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": parameter(page),
                "page_size_option": parameter(size),
                "pagination_strategy": paging,
            },
        },
    }


STREAMS = {
    "contacts": stream("contacts", "/crm/objects/2026-09/contacts", "results", CURSOR, "after", "limit"),
    "items": stream("items", "/items", "data", PAGES, "page", "per_page"),
}
MANIFEST = {
    "version": "7.39.1",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": [os.environ["STREAM"]]},
    "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": 1, "max_concurrency": 2},
    "streams": [STREAMS[os.environ["STREAM"]]],
    "spec": {
        "type": "Spec",
        "connection_specification": {"type": "object", "properties": {}, "additionalProperties": True},
    },
}

if __name__ == "__main__":
    arguments = sys.argv[1:]
    given = json.loads(Path(arguments[arguments.index("--catalog") + 1]).read_text("utf-8"))
    catalog = ConfiguredAirbyteCatalogSerializer.load(given)
    launch(ConcurrentDeclarativeSource(catalog=catalog, config={}, state=None, source_config=MANIFEST), arguments)
