import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from singer_sdk.singerlib import RecordMessage, SchemaMessage, StateMessage

from antiphon.singer import messages
from antiphon.singer.messages import MessageWriter, States


@pytest.fixture
def stdout(monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(messages, "sys", SimpleNamespace(stdout=out))
    return out.buffer


def record(**fields):
    return RecordMessage("people", fields)


def test_records_wait_for_company_and_other_messages_take_them_along(stdout):
    writer = MessageWriter()
    writer.write_message(record(id=1))
    assert stdout.getvalue() == b""
    writer.write_message(StateMessage({"a": 1}))
    assert [json.loads(line)["type"] for line in stdout.getvalue().splitlines()] == ["RECORD", "STATE"]


def test_a_full_block_is_written(stdout, monkeypatch):
    monkeypatch.setattr(messages, "BLOCK", 100)
    writer = MessageWriter()
    writer.write_message(record(id=1, name="x" * 100))
    assert len(stdout.getvalue().splitlines()) == 1


def test_messages_are_utf_8_whatever_the_terminal_is(stdout):
    MessageWriter().write_message(SchemaMessage("Häuser \U0001f3e0", {}, ["id"]))
    assert "Häuser \U0001f3e0" in stdout.getvalue().decode("utf-8")


def test_values_keep_their_digits():
    line = MessageWriter().format_message(
        RecordMessage(
            "people",
            {"price": Decimal("0.10"), "big": 2**70, "long": Decimal("12345678901234567890.12345")},
            time_extracted=datetime(2026, 1, 31, 9, 5, tzinfo=UTC),
        )
    )
    assert '"price":0.10,"big":1180591620717411303424,"long":12345678901234567890.12345' in line
    assert json.loads(line)["time_extracted"] == "2026-01-31T09:05:00Z"


def test_a_signal_waits_until_the_lines_are_out(stdout, monkeypatch):
    ended = []

    def end():
        ended.append(stdout.getvalue())
        writer.write_message(StateMessage({}))
        raise SystemExit(143)

    writer = MessageWriter()
    writer.write_message(record(id=1))
    whole = messages._write

    def interrupted(text):
        if not ended:
            writer.when_free(end)
            assert not ended
        whole(text)

    monkeypatch.setattr(messages, "_write", interrupted)
    with pytest.raises(SystemExit):
        writer.flush()
    assert len(ended) == 1
    assert ended[0].endswith(b"}\n")
    assert [json.loads(line)["type"] for line in stdout.getvalue().splitlines()] == ["RECORD", "STATE"]


def test_a_signal_between_writes_is_heard_at_once(stdout):
    with pytest.raises(SystemExit):
        MessageWriter().when_free(lambda: sys.exit(143))


def test_a_pipe_that_nobody_reads_ends_the_process_without_a_word():
    program = (
        "from singer_sdk.singerlib import StateMessage\n"
        "from antiphon.singer.messages import MessageWriter\n"
        "MessageWriter().write_message(StateMessage({}))\n"
    )
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=out, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_state_is_written_once_until_it_changes(capsys):
    writer = States(MessageWriter())
    state = {"bookmarks": {"people": {"n": 1}}}
    for n in (1, 1, 2, 2, 1):
        state["bookmarks"]["people"]["n"] = n
        writer.write_state(state)
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert written == [{"type": "STATE", "value": {"bookmarks": {"people": {"n": n}}}} for n in (1, 2, 1)]
