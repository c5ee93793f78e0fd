import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from antiphon.sandbox import start

from . import shelf as tiny
from .shelf import TOKEN, Shelf, TapPeople, TapShelf, people, served

ROOT = Path(__file__).parents[2]
CONTACTS = 3000


@pytest.fixture
def surroundings(tmp_path):
    """An environment for a process, in which nobody has given a token or a connections file."""
    env = {name: value for name, value in os.environ.items() if "HUBSPOT" not in name and "LOGLEVEL" not in name}
    return env | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "taps")]),
        "XDG_CONFIG_HOME": str(tmp_path),
        "NO_PROXY": "127.0.0.1",
    }


@pytest.fixture
def tap(tmp_path, surroundings):
    """Start tap-hubspot with the arguments given; a dict becomes a file."""

    def run(*args, **more):
        line = [sys.executable, "-m", "tap_hubspot"]
        for number, arg in enumerate(args):
            if isinstance(arg, dict):
                path = tmp_path / f"{number}.json"
                path.write_text(json.dumps(arg))
                line.append(str(path))
            else:
                line.append(str(arg))
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(line, cwd=tmp_path, env=surroundings, **{**pipes, **more})

    return run


@pytest.fixture
def refusal(tap):
    """Run the tap and return the one line that is its error."""

    def run(*args):
        process = tap(*args)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "Traceback" not in err
        told = [line for line in err.splitlines() if " | " not in line]  # the rest is log
        assert len(told) == 1
        assert err.splitlines()[-1] == told[0]
        assert not any('"RECORD"' in line for line in out.splitlines())
        return told[0]

    return run


@pytest.fixture(scope="module")
def sandbox():
    with start("hubspot", records=CONTACTS, latency_ms=5) as server:
        yield server


@pytest.fixture
def contacts(sandbox, tap):
    """The catalog with contacts alone selected, and of them few fields."""
    process = tap("--config", sandbox.config, "--discover")
    catalog = json.loads(process.communicate(timeout=60)[0])
    chosen = [entry for entry in catalog["streams"] if entry["tap_stream_id"] == "contacts"]
    for metadata in chosen[0]["metadata"]:
        if metadata["breadcrumb"]:
            metadata["metadata"]["selected"] = metadata["breadcrumb"][-1] == "email"
    return {"streams": chosen}


# Bad input


def test_a_missing_token_names_the_setting_and_its_variables(refusal):
    assert refusal() == (
        "tap-hubspot: the setting access_token (Access token) is missing. "
        "Give it in the config, or as the variable TAP_HUBSPOT_ACCESS_TOKEN or HUBSPOT_ACCESS_TOKEN."
    )


def test_a_wrong_token_names_the_credential_and_not_its_value(refusal, sandbox):
    told = refusal("--config", {**sandbox.config, "access_token": "pat-na1-wr0ng"})
    assert told.startswith("hubspot: ")
    assert "-> 401 " in told
    assert told.endswith("Check the setting access_token: it is not accepted.")
    assert "wr0ng" not in told


def test_an_unknown_setting_comes_with_a_guess(refusal, sandbox):
    told = refusal("--config", {**sandbox.config, "start_dat": "2026-01-01"})
    assert told.startswith('tap-hubspot: there is no setting "start_dat". Did you mean "start_date"? There are: ')


def test_a_catalog_with_an_unknown_stream_lists_those_that_are(refusal, sandbox):
    catalog = {"streams": [{"tap_stream_id": "contatcs", "schema": {}, "metadata": []}]}
    told = refusal("--config", sandbox.config, "--catalog", catalog)
    assert told.startswith(
        'tap-hubspot: the catalog names a stream "contatcs", which does not exist. Did you mean "contacts"? There are: calls, '
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"{",
            "no JSON at line 1, column 2: Expecting property name enclosed in double quotes. One JSON object is expected.",
        ),
        (b"", "it is empty. Leave it out if there is nothing to give."),
        (b"[1]", "one JSON object is expected, not [1]"),
        (b'{"a": "\xff"}', "no UTF-8 at byte 7. Save it as UTF-8."),
    ],
)
@pytest.mark.parametrize("option", ["config", "state", "catalog"])
def test_a_broken_file_is_named(refusal, tmp_path, option, content, said):
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    assert refusal(f"--{option}", path) == f"tap-hubspot: --{option} {path} -> {said}"


@pytest.mark.parametrize("option", ["config", "state", "catalog"])
def test_a_file_that_is_not_there_is_named(refusal, tmp_path, option):
    path = tmp_path / "nowhere.json"
    assert (
        refusal(f"--{option}", path) == f"tap-hubspot: --{option} {path} -> No such file or directory. Check the path."
    )


def test_a_state_that_knows_none_of_our_streams_is_refused(refusal, sandbox):
    told = refusal("--config", sandbox.config, "--state", {"bookmarks": {"issues": {"since": "2026-01-01"}}})
    assert told.startswith("tap-hubspot: the state is another tap's: it knows issues. There are: calls, ")
    assert told.endswith("Give this tap's own state, or none to read all.")


@pytest.mark.parametrize(
    ("body", "said"), [(b"<html>Hello, people</html>", 'no JSON but "<html>Hello'), (b"", "an empty body")]
)
def test_a_server_that_is_none_of_the_apis_is_told(refusal, body, said):
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        told = refusal("--config", {"base_url": f"http://127.0.0.1:{server.server_port}", "access_token": "x"})
        server.shutdown()
        thread.join()
    assert said in told


# Files that are given in other ways


def test_config_from_a_pipe_is_read_once(sandbox, surroundings, tmp_path):
    line = f"{sys.executable} -m tap_hubspot --config <(echo '{json.dumps(sandbox.config)}') --discover"
    found = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, env=surroundings, capture_output=True, timeout=60, check=True
    )
    assert len(json.loads(found.stdout)["streams"]) > 10


def test_a_state_may_be_the_message_as_the_tap_wrote_it(sandbox, tap, contacts):
    state = {
        "bookmarks": {"contacts": {"replication_key": "updatedAt", "replication_key_value": "2100-01-01T00:00:00Z"}}
    }
    arguments = ["--config", {**sandbox.config, "lookback": 0}, "--catalog", contacts]
    out, _ = tap(*arguments, "--state", {"type": "STATE", "value": state}).communicate(timeout=60)
    assert '"RECORD"' not in out


# A closed stdout


@pytest.mark.parametrize("arguments", [[], ["--discover"], ["--about"], ["--about", "--format=json"]])
def test_a_closed_stdout_ends_in_silence(sandbox, tap, arguments):
    process = tap("--config", sandbox.config, *arguments)
    assert process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) in ({141} if not arguments else {0, 141})
    assert [line for line in err.splitlines() if "| INFO " not in line] == []


def test_head_takes_one_line_and_nobody_complains(sandbox, surroundings, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(sandbox.config))
    line = f"{sys.executable} -m tap_hubspot --config config.json | head -1"
    found = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, env=surroundings, capture_output=True, text=True, timeout=60, check=False
    )
    assert found.returncode == 0
    assert json.loads(found.stdout)["type"] == "SCHEMA"
    assert [line for line in found.stderr.splitlines() if "| INFO " not in line] == []


# Signals


def messages(text):
    """Return the messages in *text*; a last line that was torn by kill -9 is none."""
    lines = text.splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_run_that_is_ended_goes_on_where_its_state_says(sandbox, tap, contacts, number, code):
    arguments = ["--config", sandbox.config, "--catalog", contacts]
    process = tap(*arguments, stderr=subprocess.DEVNULL)
    head = ""
    while '"STATE"' not in head.rpartition("\n")[0].rpartition("\n")[2]:
        head += process.stdout.readline()
    process.send_signal(number)
    rest = process.stdout.read()  # unlike communicate, it begins with what was read ahead
    process.stdout.close()
    assert process.wait(60) == code
    first = messages(head + rest)
    if number != signal.SIGKILL:
        assert (head + rest).endswith("\n"), "no line is torn"
    state = [m["value"] for m in first if m["type"] == "STATE"][-1]
    out, _ = tap(*arguments, "--state", state).communicate(timeout=60)
    ids = [[m["record"]["id"] for m in part if m["type"] == "RECORD"] for part in (first, messages(out))]
    assert 0 < len(ids[0]) < CONTACTS
    assert len(ids[1]) < CONTACTS
    assert set(ids[0]) | set(ids[1]) == {r["id"] for r in sandbox.app.records("contacts")}
    assert len(ids[0]) + len(ids[1]) <= CONTACTS + 300, "at most what was in hand is sent twice"
    last = json.loads(out.splitlines()[-1])["value"]["bookmarks"]["contacts"]
    assert last["replication_key_value"] == state["bookmarks"]["contacts"]["reading"]["bookmark"]


@pytest.mark.parametrize("path", ["/fields", "/people/changes"])
def test_a_signal_before_anything_was_read_leaves_the_state_as_it_was(path, capsys):
    state = {"bookmarks": {"people": {"version": 1, "replication_key": "updated", "replication_key_value": tiny.at(1)}}}
    shelf = Shelf()
    shelf.before = lambda asked, params: os.kill(os.getpid(), signal.SIGTERM) if asked == path else None
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with served(shelf), pytest.raises(SystemExit) as ended:
            tiny.made(TapPeople, state=state).sync_all()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert ended.value.code == 143
    states = [m["value"] for m in messages(capsys.readouterr().out) if m["type"] == "STATE"]
    assert all(found == state for found in states)


# In this process


def run(tap, *args):
    with pytest.raises(SystemExit) as ended:
        tap.get_singer_command().main([str(arg) for arg in args])
    return ended.value.code


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"access_token": TOKEN}))
    return path


def test_a_stream_that_fails_is_named_last_and_the_exit_code_says_so(config, capsys):
    shelf = Shelf()
    shelf.put("people", *people(2))
    shelf.refuse = {"/notes": 403}
    with served(shelf):
        assert run(TapShelf, "--config", config) == 1
    out, err = capsys.readouterr()
    assert '"RECORD"' in out
    assert err.splitlines()[-1] == (
        "tap-shelf: 1 of 3 streams failed: notes: shelf: reading notes -> 403 not for you. The others are complete."
    )


def test_a_test_that_fails_names_the_streams(config, capsys):
    shelf = Shelf()
    shelf.refuse = {"/notes": 403}
    with served(shelf):
        assert run(TapShelf, "--config", config, "--test") == 1
    assert capsys.readouterr().err.startswith("tap-shelf: 1 of 3 streams failed: notes: ")


def test_a_run_that_succeeds_ends_with_0(config, capsys):
    with served(Shelf()):
        assert run(TapShelf, "--config", config) == 0
        assert run(TapShelf, "--config", config, "--test=schema") == 0
        assert run(TapShelf, "--config", config, "--discover") == 0
    assert run(TapPeople, "--version") == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("tap-shelf v")


def test_what_nobody_expected_is_one_line_and_its_place_is_in_the_log(config, capsys, caplog, monkeypatch):
    def broken(self):
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(tiny.TapPeople, "read_all", broken)
    caplog.set_level("DEBUG", logger="antiphon.singer")
    with served(Shelf()):
        assert run(TapPeople, "--config", config) == 1
    assert capsys.readouterr().err.splitlines() == [
        "tap-shelf: unexpected ZeroDivisionError: division by zero. LOGLEVEL=DEBUG shows where it happened."
    ]
    assert "Traceback" in caplog.text


def test_a_wrong_option_is_clicks_to_tell(capsys):
    assert run(TapPeople, "--confg", "x") == 2
    assert "No such option" in capsys.readouterr().err
