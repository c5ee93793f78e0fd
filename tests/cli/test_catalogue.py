"""`antiphon apis`: the APIs we know, and what each can do."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

from antiphon import apis

ROOT = Path(__file__).parents[2]


def test_all_apis_are_listed_with_what_they_read_and_write(run, zoo):
    found = {api["name"]: api for api in json.loads(run("apis").out)}
    assert set(found) == set(apis.names())
    assert found["zoo"] == {
        "name": "zoo",
        "title": "The Zoo",
        "reads": ["animals", "keepers"],
        "writes": ["animals"],
        "actions": ["animals.feed"],
        "discovers": False,
    }


def test_one_api_is_described_from_its_description(run, zoo):
    found = json.loads(run("apis", "zoo").out)
    [token, gate] = found["settings"]
    assert (token["secret"], token["required"], token["variable"]) == (True, True, "ZOO_ACCESS_TOKEN")
    assert gate["description"] == "Which gate to use."
    animals = found["resources"][0]
    assert animals["aliases"] == ["animal"]
    assert animals["key"] == ["id"]
    assert animals["match"] == ["name"]
    assert animals["operations"] == ["read", "get", "find", "create", "update", "delete"]
    assert animals["actions"] == ["animals.feed"]


def test_the_shell_snippet_can_be_typed(run, zoo, requests_mock, monkeypatch):
    monkeypatch.delenv("ZOO_ACCESS_TOKEN")
    requests_mock.get("https://zoo.example/v1/me", json={})
    requests_mock.post("https://zoo.example/v1/animals", json={"id": "1"})
    requests_mock.get("https://zoo.example/v1/animals", json={"items": []})
    export, *lines = json.loads(run("apis", "zoo").out)["snippets"]["shell"].splitlines()
    assert export == "export ZOO_ACCESS_TOKEN=…"
    monkeypatch.setenv("ZOO_ACCESS_TOKEN", "x")
    typed = [line.split()[1:] for line in lines if line.startswith("antiphon ")]
    assert [words[0] for words in typed] == ["check", "add", "find"]
    for words in typed:
        assert run(*words).code == 0


def test_the_python_snippet_runs(run, zoo, requests_mock, capsys):
    requests_mock.post("https://zoo.example/v1/animals", json={"id": "1"})
    requests_mock.get("https://zoo.example/v1/animals", json={"items": [{"id": "1", "name": "Ada"}]})
    exec(json.loads(run("apis", "zoo").out)["snippets"]["python"], {})
    assert "'name': 'Ada'" in capsys.readouterr().out


def test_every_api_we_ship_can_be_described(run):
    for name in apis.names():
        found = json.loads(run("apis", name).out)
        assert found["snippets"]["shell"].startswith("export ")


def test_an_unknown_api_names_those_we_know(run, zoo):
    ran = run("apis", "zooo")
    assert ran.code == 1
    assert 'Did you mean "zoo"?' in ran.err


def test_people_see_tables(run, zoo, watched):
    assert "animals, (keepers)" in run("apis").out
    out = run("apis", "zoo").out
    for word in ("ZOO_ACCESS_TOKEN", "required, secret", "animals / animal", "animals.feed", "connect("):
        assert word in out


def test_a_terminal_gets_a_table_and_a_pipe_gets_json():
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "antiphon.cli", "apis"]
    subprocess.run(command, cwd=ROOT, stdout=theirs, timeout=60, check=True)
    os.close(theirs)
    seen = "".join(iter(lambda: _shown(ours), ""))
    os.close(ours)
    assert "antiphon apis NAME shows" in seen
    assert '"name"' not in seen
    piped = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, timeout=60, check=True).stdout
    assert {api["name"] for api in json.loads(piped)} == set(apis.names())


def _shown(terminal):
    try:
        return os.read(terminal, 1 << 16).decode("utf-8", "replace")
    except OSError:  # the other end is closed, and all of it was read
        return ""


def test_a_package_whose_api_is_broken_is_told_and_hides_no_other(run, tmp_path, monkeypatch):
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[antiphon.apis]\nacme = acme_nowhere:api\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    apis._installed.cache_clear()
    try:
        ran = run("apis")
    finally:
        apis._installed.cache_clear()
    assert ran.err.startswith('antiphon: the API "acme" of the package acme: acme_nowhere:api -> ModuleNotFoundError')
    assert {api["name"] for api in json.loads(ran.out)} == set(apis.shipped())
