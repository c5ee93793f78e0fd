"""Every kind that the engine has for paging, styles, formats, encodings and outcomes, as a description in YAML has it."""

import pytest

from antiphon import apis, formats, outcome, paging, style
from antiphon.condition import Condition

HEAD = """
name: thing
title: Thing
base_url: https://api.example.org
settings: {token: {title: Token, secret: true}}
auth: {bearer: {token: "{token}"}}
"""
RESOURCE = """
resources:
  people:
    schema: {type: object, properties: {id: {type: integer}}}
    read: {path: /people, %s}
    create: {path: /people, body: "{record}", %s}
"""


def described(tmp_path, *, head="", read="records: rows", create="outcomes: one"):
    path = tmp_path / "thing.yaml"
    path.write_text(HEAD + head + RESOURCE % (read, create), "utf-8")
    return apis.load(str(path))


PAGING = {
    "none": paging.Single(),
    "{cursor: {header: X-Next, param: after}}": paging.Cursor(header="X-Next", param="after"),
    "{keyset: {key: updated, param: from, inclusive: true, size: [limit, 100]}}": paging.Keyset(
        "updated", param="from", inclusive=True, size=("limit", 100)
    ),
    "{page: {start: 0, size: [size, 50], past_end: [404]}}": paging.Page(start=0, size=("size", 50), past_end=(404,)),
    "{offset: {param: startIndex, start: 1, overlap: false}}": paging.Offset("startIndex", start=1, overlap=False),
    "{next_url: {at: links.next}}": paging.NextUrl("links.next"),
    "link_header": paging.LinkHeader(),
    "odata": paging.ODataLinks(),
    "{relay: {at: people}}": paging.Relay("people"),
    "{windows: {seconds: 86400, cap: 1000, within: {keyset: {param: after}}}}": paging.Windows(
        86400, 1000, within=paging.Keyset(param="after")
    ),
    '{advanced: {params: {after: "{response.next}"}, add_if: [{path: iteration, above: 0}]}}': paging.Advanced(
        {"after": "{response.next}"}, add_if=(Condition("iteration", above=0),)
    ),
}


@pytest.mark.parametrize("text", PAGING)
def test_paging(tmp_path, text):
    assert described(tmp_path, read=f"paging: {text}").resources[0].read.paging == PAGING[text]


OUTCOMES = {
    "nothing": outcome.Nothing(),
    "location": outcome.Location(),
    "{one: {id: pk, at: data}}": outcome.One("pk", "data"),
    '{by_status: {kinds: {"201": created, "409": unchanged}}}': outcome.ByStatus(
        {"201": "created", "409": "unchanged"}
    ),
    "{by_path: {path: ok}}": outcome.ByPath("ok"),
    "{per_item: {at: Operations, key: bulkId, status: status, good: 200-299, url: true}}": outcome.PerItem(
        "Operations", key="bulkId", status="status", good="200-299", url=True
    ),
    "{failures: {key: email, of: record.email}}": outcome.Failures(key="email", of="record.email"),
}


@pytest.mark.parametrize("text", OUTCOMES)
def test_outcomes(tmp_path, text):
    assert described(tmp_path, create=f"outcomes: {text}").resources[0].create.outcomes == OUTCOMES[text]


STYLES = {
    "{rest: {codes: {Gone: not_found}, failed: [{path: ok, equals: false}]}}": style.Rest(
        codes={"Gone": "not_found"}, failed=(Condition("ok", equals=False),)
    ),
    "{json_rpc: {path: /rpc, last: {}}}": style.JsonRpc("/rpc", last={}),
    "{graphql: {codes: {THROTTLED: unavailable}, cost: {requested: a, available: b, rate: c}}}": style.GraphQL(
        codes={"THROTTLED": "unavailable"}, cost=style.Cost("a", "b", "c")
    ),
    "{odata: {etag: read}}": style.OData("read"),
}


@pytest.mark.parametrize("text", STYLES)
def test_styles(tmp_path, text):
    assert described(tmp_path, head=f"style: {text}\n").style == STYLES[text]


FORMATS = {
    "json": formats.Json(),
    "ndjson": formats.JsonLines(),
    '{csv: {delimiter: ";", header: [a, b]}}': formats.Csv(";", header=("a", "b")),
    "{xml: {lists: [people.person]}}": formats.Xml(("people.person",)),
}


@pytest.mark.parametrize("text", FORMATS)
def test_formats_of_an_api_and_of_a_read(tmp_path, text):
    assert described(tmp_path, head=f"format: {text}\n").format == FORMATS[text]
    assert described(tmp_path, read=f"format: {text}").resources[0].read.format == FORMATS[text]


ENCODINGS = {
    "json": formats.Json(),
    "form": formats.Form(),
    "{form: {lists: brackets}}": formats.Form("brackets"),
    "{multipart: {files: [photo]}}": formats.Multipart(("photo",)),
    "xml": formats.Xml(),
}


@pytest.mark.parametrize("text", ENCODINGS)
def test_encodings_of_an_api_and_of_a_write(tmp_path, text):
    assert described(tmp_path, head=f"encoding: {text}\n").encoding == ENCODINGS[text]
    assert described(tmp_path, create=f"encoding: {text}").resources[0].create.encoding == ENCODINGS[text]


@pytest.mark.parametrize(
    ("kinds", "texts"),
    [
        (paging.KINDS, PAGING),
        (outcome.KINDS, OUTCOMES),
        (style.KINDS, STYLES),
        (formats.KINDS, FORMATS),
        (formats.ENCODINGS, ENCODINGS),
    ],
)
def test_no_kind_is_left_out_here(kinds, texts):
    assert set(kinds.values()) == {type(kind) for kind in texts.values()}
