"""Messages read in blocks: the same, in the same order, as one by one, whatever lies between them."""

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from antiphon.singer.reader import LineReader, record
from antiphon.singer.valid import compiled

SCHEMA = {"properties": {"id": {"type": "integer"}, "name": {"type": "string"}}, "required": ["id"]}
records = st.fixed_dictionaries({}, optional={"id": st.integers(0, 3) | st.just("x"), "name": st.text(max_size=3)})
versions = st.sampled_from([None, 1, 2])
messages = st.one_of(
    st.builds(
        lambda stream, record, version: {"type": "RECORD", "stream": stream, "record": record, "version": version},
        st.sampled_from(["a", "b"]),
        records,
        versions,
    ),
    st.builds(lambda value: {"type": "STATE", "value": value}, records),
    st.builds(lambda stream: {"type": "SCHEMA", "stream": stream, "schema": SCHEMA}, st.sampled_from(["a", "b"])),
)
lines = st.builds(
    lambda message, ascii_only: json.dumps(message, ensure_ascii=ascii_only).encode(), messages, st.booleans()
) | st.sampled_from([b"", b"  "])


@given(st.lists(lines, max_size=12))
def test_every_message_comes_once_in_its_order_and_what_is_said_to_be_valid_is(given_lines):
    came = []

    def take(run):
        for number, line in enumerate(run.lines, run.first):
            found = record(line)
            came.append((number, "RECORD", found))
            assert (run.stream, run.version) == (json.loads(line)["stream"], json.loads(line)["version"])
            assert not run.valid or isinstance(found.get("id"), int)

    def other(message):
        came.append((reader.line_number, message["type"], message.get("record", message)))

    reader = LineReader()
    reader.on_records, reader.check = take, lambda stream: compiled(stream, SCHEMA) if stream == "a" else None
    counts = reader.process_lines(
        io.BytesIO(b"\n".join(given_lines)), dict.fromkeys(["RECORD", "STATE", "SCHEMA"], other)
    )
    due = [(n, json.loads(line)) for n, line in enumerate(given_lines, 1) if line.strip()]
    assert came == [(n, message["type"], message.get("record", message)) for n, message in due]
    assert counts.total() == len(due)


def test_a_record_of_the_wrong_kind_is_not_valid_by_a_schema_that_allows_it():
    for kind in ("null", ["object", "null"], "string"):
        check = compiled("a", {"type": kind})
        reader, came = LineReader(), []
        reader.check, reader.on_records = lambda _stream, check=check: check, came.append
        reader.process_lines(io.BytesIO(b'{"type":"RECORD","stream":"a","record":{}}'), {})
        assert [run.valid for run in came] == [kind == ["object", "null"]]
