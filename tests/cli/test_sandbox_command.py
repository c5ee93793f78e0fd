"""`antiphon sandbox`: an emulated API in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import requests

ROOT = Path(__file__).parents[2]


def test_alone_it_lists_the_sandboxes(run):
    assert "hubspot" in json.loads(run("sandbox").out)


def test_it_prints_one_json_line_answers_and_ends_on_sigterm():
    command = [sys.executable, "-m", "antiphon.cli", "sandbox", "hubspot", "--records", "3", "--seed", "7"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            config = json.loads(child.stdout.readline())["config"]
            headers = {"Authorization": f"Bearer {config['access_token']}"}
            reply = requests.get(f"{config['base_url']}/crm/v3/objects/contacts", headers=headers, timeout=5)
            assert len(reply.json()["results"]) == 3
            reply.close()
        finally:
            child.send_signal(signal.SIGTERM)
        rest, said = child.communicate(timeout=10)
    assert (child.returncode, rest, said) == (0, "", "")


def account(*knobs):
    """Return the id of the account that a sandbox of its own says it is."""
    command = [sys.executable, "-m", "antiphon.cli", "sandbox", "hubspot", "--records", "0", *knobs]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            config = json.loads(child.stdout.readline())["config"]
            headers = {"Authorization": f"Bearer {config['access_token']}"}
            return requests.get(f"{config['base_url']}/account-info/v3/details", headers=headers, timeout=5).json()
        finally:
            child.send_signal(signal.SIGTERM)


def test_each_start_is_another_account_unless_it_is_asked_for_by_its_seed():
    assert account()["portalId"] != account()["portalId"]
    assert account("--seed", "7") == account("--seed", "7")


def test_with_tls_its_config_names_the_certificate_to_trust(run, tmp_path):
    command = [sys.executable, "-m", "antiphon.cli", "sandbox", "hubspot", "--records", "1", "--tls"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            line = child.stdout.readline()
            (tmp_path / "sandbox.json").write_text(line)
            assert json.loads(line)["config"]["base_url"].startswith("https://")
            assert run("check", "hubspot", "--config", "sandbox.json").code == 0
        finally:
            child.send_signal(signal.SIGTERM)


def test_its_line_is_a_config_file_for_every_connection_command(run, hubspot, tmp_path):
    (tmp_path / "sandbox.json").write_text(json.dumps({"config": hubspot.config}) + os.linesep)
    assert run("check", "hubspot", "--config", "sandbox.json").code == 0


def test_an_unknown_name_names_those_there_are(run):
    ran = run("sandbox", "hubspto")
    assert ran.code == 1
    assert 'Did you mean "hubspot"?' in ran.err


def test_knobs_that_cannot_be_read_are_wrong_usage(run):
    for knob in (["--limit", "many"], ["--faults", "418=0.1"], ["--faults", "429=2"], ["--port", "70000"]):
        ran = run("sandbox", "hubspot", *knob)
        assert ran.code == 2
        assert knob[0] in ran.err


def test_a_port_that_is_taken_is_an_error_of_one_line(run, hubspot):
    ran = run("sandbox", "hubspot", "--port", str(hubspot.port))
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert f"port {hubspot.port} cannot be used" in ran.err
