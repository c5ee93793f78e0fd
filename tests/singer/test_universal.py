"""tap-universal and target-universal: any API, by a description that the user brings."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tap_universal import TapUniversal

from .shop import SCRIPT, TOKEN, YAML, opened

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
PEOPLE = Path(__file__).with_name("people.csv")
READ_ONLY = """\
from antiphon.api import Api, Read, Resource
view = Api("view", "The view", "http://127.0.0.1:9", resources=(Resource("seen", {"properties": {}}, read=Read("/")),))
"""
LATE = (
    READ_ONLY.replace("Resource\n", "Resource, Setting\n")
    .replace("The view", "Late")
    .replace("resources=", 'settings=(Setting("start_date"),), resources=')
)
ORDERS = {"type": "SCHEMA", "stream": "orders", "key_properties": ["code"],
          "schema": {"properties": {"code": {"type": ["string", "null"]}, "paid": {"type": "boolean"}}}}  # fmt: skip


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def messages(self):
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def told(self):
        """What is said besides the log."""
        return [line for line in self.err.splitlines() if " | " not in line]


@pytest.fixture
def shop(tmp_path):
    with opened() as shop:
        (tmp_path / "shop.py").write_text(SCRIPT.format(url=shop.url))
        yield shop


@pytest.fixture
def run(tmp_path):
    """Run a command in a folder and an environment that hold nothing of the user's; a dict becomes its config file."""

    def run(command, *args, given="", **variables):
        env = {
            "PATH": str(BIN),
            "HOME": str(tmp_path),
            "NO_PROXY": "127.0.0.1",
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "taps", ROOT / "targets"))),
            **variables,
        }
        line = [sys.executable, "-m", command.replace("-", "_")]
        for arg in args:
            if isinstance(arg, dict):
                (tmp_path / "config.json").write_text(json.dumps(arg))
                line += ["--config", "config.json"]
            else:
                line.append(str(arg))
        done = subprocess.run(line, cwd=tmp_path, env=env, input=given, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        assert TOKEN not in done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


def piped(*records):
    messages = [ORDERS, *({"type": "RECORD", "stream": "orders", "record": r} for r in records)]
    return "".join(json.dumps(m) + "\n" for m in [*messages, {"type": "STATE", "value": {"n": len(records)}}])


# Reading and writing


def test_a_description_in_a_file_is_a_tap(run, shop):
    ran = run("tap-universal", {"api": "shop.py", "token": TOKEN})
    assert ran.code == 0, ran.err
    records = [m["record"] for m in ran.messages if m["type"] == "RECORD"]
    assert [(r["id"], r["code"], r["paid"]) for r in records] == [(1, "A1", False), (2, "A2", False), (3, "A3", False)]
    assert [m for m in ran.messages if m["type"] == "STATE"]


def test_the_same_file_is_a_target(run, shop, tmp_path):
    given = piped({"code": "A2", "paid": True}, {"code": "B1", "paid": True}, {"code": "", "paid": True})
    ran = run("target-universal", {"api": "./shop.py", "token": TOKEN, "rejects": "rejects.jsonl"}, given=given)
    assert shop.orders[2] == {"id": 2, "code": "A2", "paid": True}
    assert shop.orders[4] == {"id": 4, "code": "B1", "paid": True}
    assert ran.code == 1  # one was rejected
    assert ran.messages == [{"n": 3}]
    assert "target-universal: orders: 1 created, 1 updated, 1 rejected" in ran.told
    assert "no value in code" in (tmp_path / "rejects.jsonl").read_text()


def test_the_tap_is_asked_for_its_catalog_and_heeds_it(run, shop, tmp_path):
    config = {"api": "shop.py", "token": TOKEN}
    catalog = json.loads(run("tap-universal", config, "--discover").out)
    for entry in catalog["streams"][0]["metadata"]:
        if entry["breadcrumb"] == ["properties", "paid"]:
            entry["metadata"]["selected"] = False
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    ran = run("tap-universal", config, "--catalog", "catalog.json")
    assert {tuple(m["record"]) for m in ran.messages if m["type"] == "RECORD"} == {("id", "code")}


def test_the_taps_own_settings_stand_beside_those_of_the_api(run, shop):
    ran = run("tap-universal", {"api": "shop.py", "token": TOKEN, "start_date": "soon"})
    assert len(ran.told) == 1
    assert ran.told[0].startswith('tap-universal: the setting start_date cannot be "soon": it is no time.')


def test_a_description_in_yaml_reads_and_writes_as_well(run, shop, tmp_path):
    (tmp_path / "till.yaml").write_text(YAML.format(url=shop.url))
    config = {"api": "till.yaml", "token": TOKEN}
    assert sum(m["type"] == "RECORD" for m in run("tap-universal", config).messages) == 3
    ran = run("target-universal", config, given=piped({"code": "A2", "paid": True}))
    assert (ran.code, shop.orders[2]["paid"]) == (0, True)


def test_a_description_may_stand_in_the_config_itself(run, shop):
    given = yaml.safe_load(YAML.format(url=shop.url))
    in_config = run("tap-universal", {"api": given, "token": TOKEN})
    in_variable = run("tap-universal", TAP_UNIVERSAL_API=json.dumps(given), TILL_TOKEN=TOKEN)
    for ran in (in_config, in_variable):
        assert ran.code == 0, ran.err
        assert sum(m["type"] == "RECORD" for m in ran.messages) == 3


# Which API, and which connection to it


def test_the_api_and_its_settings_may_be_variables(run, shop):
    by_plugin = run("tap-universal", TAP_UNIVERSAL_API="shop.py", TAP_UNIVERSAL_TOKEN=TOKEN)
    by_connection = run("tap-universal", TAP_UNIVERSAL_API="./shop.py", SHOP_TOKEN=TOKEN)
    by_sdk = run("tap-universal", "--config", "ENV", TAP_UNIVERSAL_API="shop.py", TAP_UNIVERSAL_TOKEN=TOKEN)
    assert (by_plugin.code, by_connection.code, by_sdk.code) == (0, 0, 0)
    assert sum(m["type"] == "RECORD" for m in by_connection.messages) == 3


def test_an_entry_of_the_connections_file_is_enough(run, shop, tmp_path):
    folder = tmp_path / "own" / "antiphon"
    folder.mkdir(parents=True)
    (tmp_path / "shop.py").rename(folder / "shop.py")
    (folder / "connections.yaml").write_text("till: {api: shop.py, token: {env: TILL}}")
    variables = {"XDG_CONFIG_HOME": str(tmp_path / "own"), "TILL": TOKEN}
    assert run("tap-universal", {"connection": "till"}, **variables).code == 0
    assert run("tap-universal", TAP_UNIVERSAL_CONNECTION="till", **variables).code == 0


def test_a_name_means_an_api_that_is_installed(run):
    about = json.loads(run("tap-universal", "--about", "--format=json", {"api": "hubspot"}).out)
    assert "access_token" in about["settings"]["properties"]


def test_each_connection_has_a_ledger_of_its_own_and_so_has_each_server(run, shop, tmp_path):
    config = {"api": "shop.py", "token": TOKEN, "state_dir": "kept"}
    run("target-universal", config, given=piped({"code": "B1"}))
    run("target-universal", {**config, "connection": "other"}, given=piped({"code": "B2"}))
    with opened() as elsewhere:  # another API that happens to have the same name
        (tmp_path / "else").mkdir()
        (tmp_path / "else" / "shop.py").write_text(SCRIPT.format(url=elsewhere.url))
        ran = run("target-universal", {**config, "api": "else/shop.py"}, given=piped({"code": "B1"}))
        assert ran.code == 0
        assert "B1" in [order["code"] for order in elsewhere.orders.values()]
        hosts = [f"127.0.0.1_{server.server_address[1]}" for server in (shop, elsewhere)]
    ledgers = sorted(path.name for path in (tmp_path / "kept").glob("*.ledger.sqlite3"))
    assert ledgers == sorted(
        f"{name}.ledger.sqlite3" for name in (f"shop-{hosts[0]}", f"other-{hosts[0]}", f"shop-{hosts[1]}")
    )


# What a plugin tells of itself


@pytest.mark.parametrize("plugin", ["tap-universal", "target-universal"])
def test_about_shows_the_settings_of_the_api_once_it_is_named(run, shop, plugin):
    bare = json.loads(run(plugin, "--about", "--format=json").out)["settings"]
    assert bare["required"] == ["api"]
    assert "token" not in bare["properties"]
    found = json.loads(run(plugin, {"api": "shop.py"}, "--about", "--format=json").out)
    assert found["name"] == plugin
    shown = found["settings"]["properties"]
    assert shown["token"]["secret"]
    assert shown["token"]["examples"] == ["t0k3n-…"]
    assert {"api", "connection", "base_url"} <= shown.keys()


def test_a_version_needs_no_api(run):
    assert run("tap-universal", "--version").out.startswith("tap-universal v")


def test_it_can_be_used_from_python(shop, tmp_path):
    tap = TapUniversal(config={"api": str(tmp_path / "shop.py"), "token": TOKEN})
    assert isinstance(tap, TapUniversal)
    assert list(tap.streams) == ["orders"]
    other = TapUniversal(config={"api": "csv", "files": [{"path": str(PEOPLE)}]})
    assert (other.name, "token" in other.config_jsonschema["properties"]) == ("tap-universal", False)


# Mistakes


@pytest.mark.parametrize(
    ("plugin", "config", "said"),
    [
        ("tap-universal", {}, "the setting api is missing. Give a file such as ./my_api.yaml, or a name, in "),
        ("target-universal", {}, "the setting api is missing. "),
        ("tap-universal", {"api": "none.py"}, "the setting api: none.py -> there is no such file. Check the path."),
        ("tap-universal", {"api": "hubspto"}, 'the setting api: there is no API "hubspto". Did you mean "hubspot"? '),
        ("tap-universal", {"api": 7}, "the setting api: no API: 7. "),
        ("tap-universal", {"api": "shop.py"}, "the setting token (Token) is missing. Give it in the config, "),
        ("tap-universal", {"api": "shop.py", "tokn": "x"}, 'there is no setting "tokn". Did you mean "token"? '),
        ("tap-universal", {"api": "broken.py"}, "the setting api: broken.py:2:1: NameError: "),
        ("tap-universal", {"api": {"name": "x", "title": "X", "base_url": "https://x.example", "dosc": ""}},
         'the setting api: the mapping given as api: unknown key "dosc". Did you mean "docs"?'),
        ("tap-universal", {"api": "late.py"},
         'the setting "start_date" of Late has the name of one of the plugin\'s own. Call it otherwise in the description.'),
        ("target-universal", {"api": "view.py"}, "by its description, nothing of The view can be written"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_line(run, shop, tmp_path, plugin, config, said):
    (tmp_path / "view.py").write_text(READ_ONLY)
    (tmp_path / "late.py").write_text(LATE)
    (tmp_path / "broken.py").write_text("x = 1\nApi()\n")
    ran = run(plugin, config)
    assert ran.code == 1
    assert len(ran.told) == 1
    assert ran.told[0].startswith(f"{plugin}: {said}")
