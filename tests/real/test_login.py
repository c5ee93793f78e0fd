"""Logging in at a real OpenID provider, and keeping the token alive from several processes."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from .oidc_provider import APP, ROBOT, ROBOT_SECRET, Browser

PLUGINS = Path(__file__).with_name("ledger_plugins.py")
MINUTE = 60


class Command:
    """A command in a process of its own; what it says on stderr is read as it comes."""

    def __init__(self, args, environment, folder, stdin=subprocess.DEVNULL, stdout=None):
        self.said = folder / f"{args[0]}-{id(self)}.out"
        self.err = ""
        with self.said.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, str(PLUGINS), *args],
                env=environment,
                cwd=folder,
                stdin=stdin,
                stdout=stdout or file,
                stderr=subprocess.PIPE,
                text=True,
            )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        with self.process.stderr as lines:
            for line in lines:
                self.err += line

    def says(self, pattern, within=30):
        """Wait until stderr has *pattern*; return its first group."""
        ends = time.monotonic() + within
        while not (found := re.search(pattern, self.err)):
            assert time.monotonic() < ends, self.err
            assert self.process.poll() is None, self.err
            time.sleep(0.05)
        return found[1]

    def answers(self, times, within=30):
        """Wait until the API has said who asks so many times."""
        ends = time.monotonic() + within
        while self.out().count("ada") < times:
            assert time.monotonic() < ends, self.err
            assert self.process.poll() is None, self.err
            time.sleep(0.05)

    def end(self, within=60):
        """Wait for its end; return its exit code."""
        code = self.process.wait(within)
        self.reader.join(10)
        return code

    def kill(self):
        """Leave it no time for anything."""
        self.process.kill()
        self.end()

    def out(self):
        return self.said.read_text()


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state" / "antiphon" / "ledger"


@pytest.fixture
def start(provider, tmp_path):
    """Start a command whose connection is in the environment; what still runs at the end of the test is killed."""
    started = []
    environment = {
        name: text for name, text in os.environ.items() if not name.startswith(("LEDGER_", "TAP_", "TARGET_"))
    }
    environment |= {
        "LEDGER_URL": provider.url,
        "LEDGER_CLIENT_ID": APP,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PYTHONPATH": str(PLUGINS.parent.parent.parent),
    }

    def start(*args, stdin=subprocess.DEVNULL, stdout=None, **variables):
        started.append(Command(args, {**environment, **variables}, tmp_path, stdin, stdout))
        return started[-1]

    yield start
    for command in started:
        command.kill()


@pytest.fixture
def logged_in(start):
    """Have somebody log in."""
    command = start("antiphon", "login", "ledger", "--no-browser")
    browser = Browser()
    browser.consent(browser.open(command.says(r"(http://\S+/auth\S+)")))
    assert command.end() == 0, command.err


def token(state):
    return json.loads((state / "token.json").read_text())


def works(start, **variables):
    """Return whether ``antiphon check`` says so, and what it said."""
    command = start("antiphon", "check", "ledger", **variables)
    return command.end() == 0, command.err


def test_login_by_browser_gives_a_token_that_is_renewed_by_rotation(provider, start, state):
    command = start("antiphon", "login", "ledger", "--no-browser")
    browser = Browser()
    page = browser.consent(browser.open(command.says(r"(http://\S+/auth\S+)")))
    assert page.status_code == 200
    assert "You can close this window" in page.text
    assert command.end() == 0, command.err
    assert json.loads(command.out())["logged_in"] is True
    first = token(state)
    assert stat.S_IMODE((state / "token.json").stat().st_mode) == 0o600
    assert first["access_token"] not in command.out() + command.err
    assert first["refresh_token"] not in command.out() + command.err
    assert works(start) == (True, "")
    time.sleep(5.5)
    assert works(start) == (True, "")
    assert token(state)["refresh_token"] != first["refresh_token"]
    seen = provider.seen()
    assert seen["granted"]["authorization_code"] == 1
    assert seen["granted"]["refresh_token"] >= 1
    assert not seen["refused"]


def test_a_user_who_turns_back_is_told(start, state):
    command = start("antiphon", "login", "ledger", "--no-browser")
    browser = Browser()
    browser.refuse(browser.open(command.says(r"(http://\S+/auth\S+)")))
    assert command.end() == 1
    assert command.err.splitlines()[-1].startswith("antiphon: ledger: logging in -> access_denied: ")
    assert not (state / "token.json").exists()


def test_an_address_can_be_pasted(start, state):
    command = start("antiphon", "login", "ledger", "--paste", stdin=subprocess.PIPE)
    browser = Browser()
    page = browser.open(command.says(r"(http://\S+/auth\S+)"))
    address = browser.where_consent_leads(page)
    assert address.startswith("http://127.0.0.1/callback?")
    command.process.stdin.write(f"{address}\n")
    command.process.stdin.close()
    assert command.end() == 0, command.err
    assert works(start) == (True, "")


def test_login_by_device_code(provider, start, state):
    command = start("antiphon", "login", "ledger", "--device")
    address = command.says(r"(http://\S+/device\S*)")
    code = command.says(r"type the code (\S+)")
    assert code in address
    refused = []
    while "authorization_pending" not in refused:  # it is to ask in vain first
        time.sleep(0.1)
        refused = provider.seen()["refused"]
    Browser().type_code(address)
    assert command.end() == 0, command.err
    first = token(state)["refresh_token"]
    time.sleep(5.5)
    assert works(start) == (True, "")
    assert token(state)["refresh_token"] != first


def test_client_credentials_with_a_secret_of_odd_letters(provider, start, state):
    robot = {"LEDGER_CLIENT_ID": ROBOT, "LEDGER_CLIENT_SECRET": ROBOT_SECRET}
    assert works(start, **robot) == (True, "")
    first = token(state)
    assert not first["refresh_token"]
    time.sleep(5.5)
    assert works(start, **robot) == (True, "")
    assert token(state)["access_token"] != first["access_token"]
    seen = provider.seen()
    assert seen["granted"].keys() == {"client_credentials"}
    assert not seen["refused"]


def test_a_wrong_secret_names_the_settings(start):
    worked, said = works(start, LEDGER_CLIENT_ID=ROBOT, LEDGER_CLIENT_SECRET="wr%ong")
    assert not worked
    assert said.startswith("antiphon: ledger: checking")
    assert "401 invalid_client" in said
    assert "client_secret" in said
    assert "wr%ong" not in said


SIGNER = """\
name: signer
title: Signer
base_url: {url}/api
auth:
  oauth2:
    token_url: {url}/token
    grant: {{grant_type: client_credentials}}
    client_auth: private_key_jwt
    client_assertion: {{headers: {{kid: signer-1}}}}
check: /me
"""


def test_a_client_that_signs_who_it_is(provider, start, tmp_path):
    (tmp_path / "signer.yaml").write_text(SIGNER.format(url=provider.url))
    signs = {"SIGNER_CLIENT_ID": "signer", "SIGNER_PRIVATE_KEY": provider.key}
    command = start("antiphon", "check", "signer.yaml", **signs)
    assert (command.end(), command.err) == (0, "")
    assert provider.seen()["granted"] == {"client_credentials": 1}
    other = start("antiphon", "check", "signer.yaml", **{**signs, "SIGNER_CLIENT_ID": "robot"})
    assert other.end() == 1
    assert "401 invalid_client" in other.err
    assert other.err.endswith("Check the settings client_id and private_key.\n")
    assert "PRIVATE" not in other.err


@pytest.mark.usefixtures("logged_in")
def test_a_family_that_was_revoked_says_which_command_renews_it(provider, start, state):
    stolen = token(state)["refresh_token"]
    time.sleep(5)
    assert works(start) == (True, "")
    Browser().session.post(
        f"{provider.url}/token", {"grant_type": "refresh_token", "client_id": APP, "refresh_token": stolen}, timeout=10
    )
    assert provider.seen()["revoked"] == 1
    time.sleep(5)
    worked, said = works(start)
    assert not worked
    assert said.count("\n") == 1
    assert "400 invalid_grant" in said
    assert said.endswith("Run: antiphon login ledger\n")
    assert "Traceback" not in said


@pytest.mark.usefixtures("logged_in")
def test_a_tap_and_a_target_renew_side_by_side_for_a_minute(provider, start, tmp_path):
    catalog = tmp_path / "catalog.json"
    discovering = start("tap", "--discover")
    assert discovering.end() == 0, discovering.err
    found = json.loads(discovering.out())
    found["streams"] = [stream for stream in found["streams"] if stream["stream"] == "source"]
    catalog.write_text(json.dumps(found))
    config = tmp_path / "target.json"
    fields = {"number": "id", "name": "name"}
    entry = {"resource": "copies", "mode": "create", "fields": fields}
    config.write_text(json.dumps({"streams": {"source": entry}, "batch_size_rows": 10}))

    read, write = os.pipe()
    began = time.monotonic()
    tap = start("tap", "--catalog", str(catalog), stdout=write)
    target = start("target", "--config", str(config), stdin=read)
    os.close(read)
    os.close(write)
    assert tap.end(4 * MINUTE) == 0, tap.err
    assert target.end(MINUTE) == 0, target.err
    took = time.monotonic() - began

    seen = provider.seen()
    assert took > MINUTE
    assert not seen["revoked"]
    assert not seen["refused"]
    assert seen["granted"]["refresh_token"] >= MINUTE // 5
    assert seen["granted"]["refresh_token"] <= took / 3, "each token is renewed by one of them alone"
    assert [copy["number"] for copy in seen["copies"]] == list(range(1, 1501))
    assert works(start) == (True, "")


@pytest.mark.usefixtures("logged_in")
def test_processes_that_are_killed_do_not_lose_the_token(provider, start, state):
    """Three ask all the time, and one after the other is killed.

    A process is killed while another has the lock, never between the provider's answer and the disk: a token that is lost
    there is lost with every provider that rotates.
    """

    def ask():
        command = start("asking")
        command.answers(1)
        return command

    asking = [ask() for _ in range(3)]
    for number in range(9):
        time.sleep(1.3)
        with FileLock(f"{state / 'token.json'}.lock", timeout=10):
            victim = asking[number % 3]
            assert victim.process.poll() is None, victim.err
            if number % 2:
                time.sleep(4)  # the token ends meanwhile: all are waiting for the lock
            victim.kill()
        asking[number % 3] = ask()
    time.sleep(5)
    for command in asking:
        command.answers(command.out().count("ada") + 1)
    seen = provider.seen()
    assert not seen["revoked"]
    assert not seen["refused"]
    assert works(start) == (True, "")
