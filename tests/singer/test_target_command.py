"""The console script: what is wrong is one clear line on stderr, and exit 1."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import threading

import pytest

from antiphon.errors import InputError

from .pipes import COMMAND, Process, encoded, environment, hastily, record, run, schema, state
from .pipes import crm as an_account

PEOPLE = schema("contacts", "email", "firstname")
ADA = record("contacts", email="ada@example.com")
LISTED = "calls, companies, companies_deals, contacts, contacts_companies, contacts_deals, deals"


@pytest.fixture(scope="module")
def crm(tmp_path_factory):
    with an_account(tmp_path_factory.mktemp("crm")) as made:
        yield made


@pytest.fixture
def config(tmp_path, crm):
    """Write a config for a command in a folder of its own."""

    def write(**settings):
        crm.folder = tmp_path
        crm.settings["state_dir"] = str(tmp_path / "state")
        return str(crm.write_config(**{"rejects": None, "receipts": None, **settings}))

    return write


def refused(ran, line):
    """The run ended with this one line, and neither a traceback nor a state."""
    assert (ran.err.splitlines()[-1:], ran.code) == ([line], 1)
    assert "Traceback" not in ran.err
    assert ran.out == ""


# Settings


def test_a_missing_token_is_named_with_its_variables(tmp_path):
    path = tmp_path / "c.json"
    path.write_text("{}")
    refused(
        run("--config", str(path), given=encoded([PEOPLE]), folder=tmp_path),
        "target-hubspot: the setting access_token (Access token) is missing. "
        "Give it in the config, or as the variable TARGET_HUBSPOT_ACCESS_TOKEN or HUBSPOT_ACCESS_TOKEN.",
    )


def test_a_wrong_token_is_named_and_never_shown(config, tmp_path):
    ran = run("--config", config(access_token="pat-secret-5"), given=encoded([PEOPLE, ADA]), folder=tmp_path)
    refused(
        ran,
        "hubspot: asking for the fields of contacts -> 401 Authentication credentials not found. This API supports OAuth 2.0 "
        "authentication. Check the setting access_token: it is not accepted.",
    )
    assert "pat-secret-5" not in ran.err


def test_an_unknown_setting_comes_with_a_guess(config, tmp_path):
    ran = run("--config", config(acess_token="x"), given=b"", folder=tmp_path)
    assert ran.code == 1
    assert ran.last.startswith(
        'target-hubspot: there is no setting "acess_token". Did you mean "access_token"? There are: access_token, '
    )


def test_a_setting_of_a_wrong_kind_is_refused(config, tmp_path):
    refused(
        run("--config", config(max_rejects="many"), given=b"", folder=tmp_path),
        'target-hubspot: max_rejects cannot be "many". Give a number of records, or a share such as "5%".',
    )


@pytest.mark.parametrize("rows", [0, -1])
def test_batches_of_no_rows_are_refused(config, tmp_path, rows):
    refused(
        run("--config", config(batch_size_rows=rows), given=b"", folder=tmp_path),
        f"target-hubspot: the setting batch_size_rows cannot be {rows}: it is less than the minimum of 1",
    )


@pytest.mark.parametrize("config", [(), ("--config", "ENV")])
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MAX_REJECTS", "100%", ""),
        ("MAX_REJECTS", "1", ""),
        ("STREAMS", "", ""),
        ("PARALLEL", "3", ""),
        ("STREAMS", "{people", 'streams cannot be "{people": it is to be an object'),
        ("PARALLEL", "many", 'parallel cannot be "many": it is to be a whole number'),
        ("FULL", "perhaps", 'full cannot be "perhaps": it is to be true or false'),
    ],
)
def test_a_variable_says_what_the_config_would(crm, tmp_path, config, name, value, said):
    account = {"ACCESS_TOKEN": crm.app.access_token, "BASE_URL": crm.server.url, "STATE_DIR": str(tmp_path / "state")}
    variables = {f"TARGET_HUBSPOT_{one}": text for one, text in {**account, name: value}.items()}
    ran = run(*config, given=encoded([PEOPLE, record("contacts", email="bad")]), folder=tmp_path, **variables)
    if said:
        refused(ran, f"target-hubspot: the setting {said}")
    else:
        assert (ran.code, "1 rejected" in ran.last) == (int(name != "MAX_REJECTS"), True)


def test_a_token_in_a_variable_is_found(crm, tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"base_url": crm.server.url, "state_dir": str(tmp_path)}))
    given = encoded([PEOPLE, record("contacts", email="variable@example.com")])
    ran = run("--config", str(path), given=given, folder=tmp_path, TARGET_HUBSPOT_ACCESS_TOKEN=crm.app.access_token)
    assert (ran.code, ran.last) == (0, "target-hubspot: contacts: 1 created")


# Input


SINGER = "A Singer message is a SCHEMA, RECORD, STATE or ACTIVATE_VERSION."
ONLY_SINGER = "Only Singer messages may come in; does what writes them print its log to stdout as well?"
IS_UTF8 = "Singer messages are UTF-8; check the encoding of what writes them."
LOOK = "Look at what writes it."
NO_UTF8 = b'{"type":"RECORD","stream":"contacts","record":{"email":"\xff\xfe"}}'


@pytest.mark.parametrize(
    ("messages", "line"),
    [
        ([PEOPLE, b"not json " + b"x" * 100], f"line 2 is no JSON object: «not json {'x' * 71}» …. {ONLY_SINGER}"),
        (
            [b"", PEOPLE, NO_UTF8],
            f"line 3 is not UTF-8: «{NO_UTF8.decode(errors='replace')}». {IS_UTF8}",
        ),
        (
            [ADA],
            'line 1 is a RECORD of the stream "contacts" before its SCHEMA. Start the input with the stream\'s SCHEMA message.',
        ),
    ],
)
def test_input_that_is_no_singer_is_one_line_with_its_number(config, tmp_path, messages, line):
    refused(run("--config", config(), given=encoded(messages), folder=tmp_path), line)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"[1]", f"line 2 is no JSON object: «[1]». {ONLY_SINGER}"),
        (b'{"type":"RECORD","stream":"contacts"}', f"line 2 is a RECORD without a record: «…». {LOOK}"),
        (b'{"type":"RECORD","stream":"a","record":[1]}', f"line 2 is a RECORD whose record is no object: «…». {LOOK}"),
        (b'{"type":"RECORD","stream":5,"record":{}}', f"line 2 is a RECORD whose stream is no text: «…». {LOOK}"),
        (b'{"type":"SCHEMA","stream":"a","schema":"x"}', f"line 2 is a SCHEMA whose schema is no object: «…». {LOOK}"),
        (b'{"type":"SCHEMA","schema":{}}', f"line 2 is a SCHEMA without a stream: «…». {LOOK}"),
        (
            b'{"type":"SCHEMA","stream":"a","schema":{"properties":5}}',
            f"line 2 is a SCHEMA whose properties are no object: «…». {LOOK}",
        ),
        (
            b'{"type":"SCHEMA","stream":"a","schema":{},"key_properties":"email"}',
            f"line 2 is a SCHEMA whose key_properties are no list of texts: «…». {LOOK}",
        ),
        (
            b'{"type":"SCHEMA","stream":"a","schema":{},"key_properties":[5]}',
            f"line 2 is a SCHEMA whose key_properties are no list of texts: «…». {LOOK}",
        ),
        (b'{"type":"STATE"}', f"line 2 is a STATE without a value: «…». {LOOK}"),
        (b'{"type":"RECROD"}', f"line 2 is of the type 'RECROD': «…». {SINGER}"),
        (b'{"type":null}', f"line 2 is of the type None: «…». {SINGER}"),
        (b'{"a":1}', f"line 2 has no type: «…». {SINGER}"),
    ],
)
def test_a_message_of_another_shape_is_told_with_its_number(tmp_path, message, says):
    with an_account(tmp_path) as crm, pytest.raises(InputError) as error:
        crm.pipe(PEOPLE, message)
    assert str(error.value) == says.replace("…", message.decode())


def test_nothing_to_read_from_is_one_line(config, tmp_path):
    given = config()
    done = subprocess.run(
        [COMMAND, "--config", given],
        preexec_fn=lambda: os.close(0),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment(tmp_path),
    )
    line = "nothing is piped in. Pipe a tap into it, or name a file with --input."
    assert (done.returncode, done.stderr.splitlines()[-1:]) == (1, [line])


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path):
    lines = [b"\xef\xbb\xbf" + json.dumps(PEOPLE).encode() + b"\r", json.dumps(ADA).encode() + b"\r"]
    with an_account(tmp_path) as crm:
        assert crm.pipe(*lines).code == 0
        assert crm.emails() == {"ada@example.com": 1}


def test_json_without_a_bottom_is_told_with_its_number(tmp_path):
    deep = b'{"type":"RECORD","stream":"contacts","record":' + b"[" * 100_000
    with an_account(tmp_path) as crm, pytest.raises(InputError, match=r"^line 2 holds objects or lists too deep"):
        crm.pipe(PEOPLE, deep)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b'"\\ud800x"', r"holds half of a pair of surrogates (\ud800), which is no character"),
        (b'"x\\udc00"', r"holds half of a pair of surrogates (\udc00), which is no character"),
        (b"NaN", "holds NaN, which JSON does not have"),
        (b"[-Infinity]", "holds -Infinity, which JSON does not have"),
        (b"[" * 100_000 + b"]" * 100_000, "holds objects or lists too deep within each other to be read"),
    ],
)
def test_what_other_writers_take_for_json_is_called_by_its_name_and_not_quoted(tmp_path, value, says):
    line = b'{"type":"RECORD","stream":"contacts","record":{"email":"secret@example.com","firstname":%s}}' % value
    with an_account(tmp_path) as crm, pytest.raises(InputError) as error:
        crm.pipe(PEOPLE, line)
    assert str(error.value) == f"line 2 {says}. Look at what writes it."


@pytest.mark.parametrize("where", ["&-", "/dev/full"])
def test_a_stdout_that_takes_nothing_is_one_line(tmp_path, where):
    with an_account(tmp_path) as crm:
        done = subprocess.run(
            ["/bin/sh", "-c", f'exec "$0" --config "$1" >{where}', COMMAND, str(crm.write_config())],
            input=encoded([PEOPLE, ADA, {"type": "STATE", "value": 1}]),
            stderr=subprocess.PIPE,
            check=False,
            cwd=tmp_path,
            env=environment(tmp_path),
        )
        closed = "target-hubspot: stdout is closed, and messages go there. Redirect it: > state.json"
        full = "target-hubspot: writing STATE to stdout -> No space left on device"
        said = done.stderr.decode().splitlines()
        assert (done.returncode, said) == (1, [closed if where == "&-" else full])
        assert len(crm.emails()) == (0 if where == "&-" else 1)


def test_a_schema_that_is_none_is_one_line(config, tmp_path):
    wrong = {"type": "SCHEMA", "stream": "contacts", "schema": {"properties": {"email": {"type": "txet"}}}}
    ran = run("--config", config(), given=encoded([wrong]), folder=tmp_path)
    refused(
        ran,
        'line 1 is a SCHEMA of "contacts" that is no JSON Schema, at properties.email.type: '
        "'txet' is not valid under any of the given schemas. Look at what writes it.",
    )


@pytest.mark.parametrize(
    "schema",
    [{"$ref": "#/nope"}, {"$ref": "#/$defs/a"}, {"anyOf": [{"type": "null"}, {"$ref": "http://127.0.0.1:9/x"}]}],
)
def test_a_schema_that_refers_to_what_is_not_there_is_one_line_and_nothing_is_fetched(crm, monkeypatch, schema):
    monkeypatch.setattr("urllib.request.urlopen", lambda *_: pytest.fail("it was fetched"))
    wrong = {"properties": {"email": schema}, "$defs": {"a": {"$ref": "#/$defs/b"}}}
    message = {"type": "SCHEMA", "stream": "contacts", "schema": wrong, "key_properties": ["email"]}
    with pytest.raises(InputError, match=r'^line 2 is a SCHEMA with a \$ref to ".+", which is not there'):
        crm.pipe(state({}), message, ADA)


def test_a_schema_may_refer_to_its_own_parts(crm):
    own = {"properties": {"email": {"$ref": "#/$defs/text"}}, "$defs": {"text": {"type": "string"}}}
    ran = crm.pipe({"type": "SCHEMA", "stream": "contacts", "schema": own, "key_properties": ["email"]}, ADA)
    assert ran.code == 0


def test_what_came_before_a_broken_line_is_not_lost_but_not_covered_by_a_state_either(config, crm, tmp_path):
    given = encoded([PEOPLE, record("contacts", email="before@example.com"), state({"a": 1}), b"oops"])
    ran = run("--config", config(batch_size_rows=1), given=given, folder=tmp_path)
    assert (ran.code, ran.out) == (1, '{"a":1}\n')
    assert "before@example.com" in crm.emails()


def test_an_unknown_stream_is_refused_with_those_there_are(config, tmp_path):
    ran = run("--config", config(), given=encoded([schema("peopel", "email")]), folder=tmp_path)
    assert ran.code == 1
    assert ran.last.startswith(
        f'target-hubspot: the stream "peopel" cannot be written: hubspot has no resource "peopel". There are: {LISTED}'
    )
    assert ran.last.endswith('Or say which one it is: streams: {"peopel": {"resource": …}}.')


def test_a_record_without_its_match_key_is_rejected_and_others_land(config, crm, tmp_path):
    given = encoded(
        [PEOPLE, record("contacts", firstname="No"), record("contacts", email="yes@example.com"), state({"a": 1})]
    )
    ran = run("--config", config(), given=given, folder=tmp_path)
    assert (ran.code, ran.out) == (1, '{"a":1}\n')
    assert ran.err.splitlines()[-2] == "target-hubspot: contacts: 1 created, 1 rejected"
    assert "no value in email, the field it is matched by" in ran.err
    assert "yes@example.com" in crm.emails()


def test_a_record_of_ten_megabytes_is_rejected_by_name_and_its_neighbours_land(config, crm, tmp_path):
    big = record("contacts", email="big@example.com", firstname="x" * 10_000_000)
    given = encoded(
        [PEOPLE, record("contacts", email="left@example.com"), big, record("contacts", email="right@example.com")]
    )
    ran = run("--config", config(rejects=str(tmp_path / "r.jsonl")), given=given, folder=tmp_path)
    assert ran.code == 1
    assert {"left@example.com", "right@example.com"} <= set(crm.emails())
    assert "contacts: big@example.com rejected: firstname was 10000000 characters long" in ran.err
    assert len(ran.err) < 2000
    assert (tmp_path / "r.jsonl").stat().st_size > 10_000_000


def test_the_rejects_file_as_input_is_refused(config, tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_bytes(encoded([PEOPLE, ADA]))
    given = config(rejects=str(path))
    line = (
        f"target-hubspot: rejects: {path} is the very file that is read from. "
        "Give another path, or rename the file before piping it in."
    )
    refused(run("--config", given, "--input", str(path), folder=tmp_path), line)
    with path.open("rb") as source:
        done = subprocess.run(
            [COMMAND, "--config", given],
            stdin=source,
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env=environment(tmp_path),
            text=True,
        )
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, line)


def fed(runs, *messages):
    """Pipe *messages* into all of *runs* at once."""
    feeding = [threading.Thread(target=run.give, args=messages, kwargs={"close": True}) for run in runs]
    for thread in feeding:
        thread.start()
    for thread in feeding:
        thread.join()


def test_two_runs_at_once_share_the_ledger_and_create_nothing_twice(tmp_path):
    with an_account(tmp_path, latency_ms=20) as crm:
        given = str(crm.write_config(rejects=None, receipts=None, batch_size_rows=100))
        people = [record("contacts", email=f"p{n}@example.com") for n in range(500)]
        runs = [Process("--config", given, folder=tmp_path) for _ in range(2)]
        fed(runs, PEOPLE, *people, state({"n": 500}))
        ended = [process.ended() for process in runs]
        assert [(ran.code, ran.states) for ran in ended] == [(0, [{"n": 500}])] * 2, [ran.err for ran in ended]
        assert set(crm.emails().values()) == {1}
        assert len(crm.emails()) == 500
        again = crm.pipe(PEOPLE, *people)
        assert again.last == "target-hubspot: contacts: 500 unchanged"


def test_companies_found_by_search_alone_are_not_created_twice_by_two_runs_at_once(tmp_path):
    with an_account(tmp_path, latency_ms=20, index_lag=60) as crm:
        given = str(crm.write_config(rejects=None, receipts=None, batch_size_rows=50))
        head = schema("companies", "domain")
        companies = [record("companies", domain=f"c{n}.example") for n in range(200)]
        runs = [Process("--config", given, folder=tmp_path) for _ in range(2)]
        fed(runs, head, *companies)
        ended = [process.ended() for process in runs]
        assert [ran.code for ran in ended] == [0, 0], [ran.err for ran in ended]
        assert len(crm.shown("companies", "domain")) == 200


def test_a_damaged_ledger_is_kept_aside_and_the_run_goes_on(config, crm, tmp_path):
    given = config()
    (tmp_path / "state").mkdir()
    crm.ledger().write_text("nothing of the kind" * 500)
    ran = run("--config", given, given=encoded([PEOPLE, ADA, state({"a": 1})]), folder=tmp_path)
    [aside] = (tmp_path / "state").glob("*.corrupt-*")
    assert (ran.code, ran.states) == (0, [{"a": 1}])
    assert f"hubspot: the ledger was damaged (file is not a database) and is kept as {aside}" in ran.err


@pytest.mark.parametrize("full", ["rejects", "ledger"])
def test_a_full_disk_is_one_line_and_the_state_stays(config, crm, tmp_path, full):
    wide = {"firstname": ["x" * 3000]} if full == "rejects" else {}  # refused by us, without a word to the ledger
    people = [record("contacts", email=f"full{n}@example.com", **wide) for n in range(600)]
    states = [message for n, one in enumerate(people) for message in (one, state({"n": n}))]
    most = 600_000
    process = Process(
        "--config",
        config(rejects=str(tmp_path / "r.jsonl"), batch_size_rows=600),
        folder=tmp_path,
        preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )
    process.give(PEOPLE, *states)
    ran = process.ended()
    name = f"target-hubspot: rejects: {tmp_path}/r.jsonl cannot be written: File too large. The state was not moved"
    expected = name if full == "rejects" else f"the ledger {crm.ledger()} cannot be used: "
    assert (ran.code, ran.out) == (1, "")
    assert ran.last.startswith(expected)
    assert "Traceback" not in ran.err
    if full == "rejects":
        assert all(json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines())
    again = run("--config", config(), given=encoded([PEOPLE, *people, state({"end": 1})]), folder=tmp_path)
    assert again.states == [{"end": 1}]
    if full == "ledger":
        assert (again.code, sum(n for email, n in crm.emails().items() if email.startswith("full"))) == (0, 600)


# The server


@pytest.fixture
def answering():
    """Serve the same bytes to whoever comes; for none of them hang up, for None let the caller wait."""
    servers, waiting = [], []

    def serve(answer):
        listener = socket.create_server(("127.0.0.1", 0))
        servers.append(listener)

        def loop():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.recv(65536)
                if answer is None:
                    waiting.append(connection)
                    continue
                with connection:
                    connection.sendall(answer)

        threading.Thread(target=loop, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    for listener in servers:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for connection in waiting:
        connection.close()


HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 26\r\n\r\n<html>We will be back</htm"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CHECK = "Check base_url, the network and the proxy."
DOING = "hubspot: asking for the fields of contacts ->"


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (
            HTML,
            (
                f'{DOING} no JSON but "<html>We will be back</htm". '
                "Check that base_url is the API's own address, and not that of a page for people."
            ),
        ),
        (EMPTY, f"{DOING} an empty body. Check that base_url is the API's own address."),
        (b"", f"{DOING} no answer from {{url}} (the connection was dropped). {CHECK}"),
        (None, f"{DOING} no answer from {{url}} (timed out). {CHECK}"),
    ],
)
def test_a_server_that_is_not_the_api_is_one_line(config, tmp_path, answering, answer, line):
    url = answering(answer)
    given = config(base_url=url, timeout=0.1 if answer is None else 60)
    ran = run("--config", given, given=encoded([PEOPLE, ADA, state({"a": 1})]), folder=tmp_path, **hastily(tmp_path))
    refused(ran, line.replace("{url}", url))


def test_a_server_that_is_not_there_is_one_line(config, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    given = config(base_url=f"http://127.0.0.1:{port}")
    ran = run("--config", given, given=encoded([PEOPLE, ADA, state({"a": 1})]), folder=tmp_path, **hastily(tmp_path))
    refused(
        ran,
        f"hubspot: asking for the fields of contacts -> no connection to http://127.0.0.1:{port} (connection refused). "
        f"{CHECK}",
    )


# What the command says of itself


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_about_prints_well(tmp_path, form):
    ran = run("--about", *([] if form == "text" else [f"--format={form}"]), folder=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert "Writes contacts, companies, deals" in ran.out
    for setting in (
        "access_token",
        "streams",
        "rejects",
        "receipts",
        "max_rejects",
        "batch_size_rows",
        "state_dir",
        "base_url",
    ):
        assert setting in ran.out
    for other in ("load_method", "add_record_metadata", "start_date", "Description: None"):
        assert other not in ran.out
    if form == "json":
        about = json.loads(ran.out)
        assert about["name"] == "target-hubspot"
        assert about["settings"]["properties"]["access_token"]["secret"] is True


def test_version_is_told(tmp_path):
    ran = run("--version", folder=tmp_path)
    assert (ran.code, ran.out.startswith("target-hubspot v0.1.")) == (0, True)


def test_a_closed_stdout_ends_in_silence(config, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    given = encoded([PEOPLE, record("contacts", email="closed@example.com"), state({"a": 1})])
    done = subprocess.run(
        [COMMAND, "--config", config()],
        input=given,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        cwd=tmp_path,
        env=environment(tmp_path),
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")
