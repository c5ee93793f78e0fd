"""`antiphon lint`, `show` and `schema`: descriptions checked, printed, and completed by editors."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from antiphon import apis, description, scaffold

[GOOD] = scaffold.in_yaml("my_api", Path()).values()


@pytest.fixture
def good(tmp_path):
    (tmp_path / "my_api.yaml").write_text(GOOD)
    return tmp_path / "my_api.yaml"


def test_lint_says_so_when_all_is_well(run, good):
    ran = run("lint", "my_api.yaml")
    assert (ran.code, ran.out, ran.err) == (0, "my_api.yaml: all is well\n", "")


def test_lint_tells_all_that_is_wrong_a_line_each_with_its_place(run, good):
    good.write_text(GOOD.replace("title:", "titel:", 1).replace("{since}", "{sinec}"))
    (good.parent / "other.yaml").write_text(GOOD)
    ran = run("lint", "my_api.yaml", "other.yaml")
    title, since, other = ran.out.splitlines()
    line = 1 + good.read_text().splitlines().index("titel: My Api")
    assert ran.code == 1
    assert title == f'my_api.yaml:{line}:1: unknown key "titel". Did you mean "title"?'
    assert 'unknown placeholder {sinec}. Did you mean "since"?' in since
    assert other == "other.yaml: all is well"


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        ((), 2, "Missing argument 'FILES...'."),
        (("./folder",), 1, "folder -> it is a folder. Check the path."),
        (("none.yaml",), 1, "reading none.yaml -> No such file or directory"),
        (("none.py",), 1, "none.py -> there is no such file. Check the path."),
        (("hubspto",), 1, 'there is no API "hubspto". Did you mean "hubspot"?'),
        (("notes.txt/",), 1, "notes.txt -> there is no such file."),
    ],
)
def test_lint_wants_files_that_are_there(run, tmp_path, args, code, said):
    (tmp_path / "folder").mkdir()
    ran = run("lint", *args)
    assert ran.code == code
    assert said in ran.out + ran.err


@pytest.mark.parametrize("name", apis.names())
def test_lint_finds_nothing_wrong_with_an_api_that_we_ship(run, name):
    assert (run("lint", name).code, run("lint", name).out) == (0, f"{name}: all is well\n")


PYTHON = """\
from antiphon.api import Api, RateLimit, Read, Resource, Setting
from antiphon.auth import Bearer
from antiphon.paging import Cursor

shop = Api("shop", "Shop", "https://shop.example.org", auth=Bearer(), settings=(Setting("access_token"),), resources=(
    Resource("orders", lambda client: {}, read=Read("/orders", paging=Cursor("next"))),
))
"""


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("", "", "shop.py: all is well"),
        ("Bearer()", 'Bearer("{acess_token}")', 'shop.py: auth.bearer: unknown placeholder {acess_token}. Did you mean "access_token"?'),
        ('Cursor("next")', 'Cursor(size=("limit", 0))', "shop.py: resources.orders.read.paging.cursor.size: a number from 1 on is"),
        ("settings=", "limits=(RateLimit(-1, 60),), settings=", "shop.py: limits.calls: a number above 0 is wanted, not the"),
        ("https:", "ftp:", 'shop.py: base_url: a URL that begins with https:// or http:// is wanted, not "ftp:'),
        ('"/orders"', '"/{order}"', "shop.py:5:8: shop: orders.read: unknown placeholder {order}"),
        ('Cursor("next")', "Cursr()", "shop.py:6:71: NameError: name 'Cursr' is not defined"),
        ("\n))\n", "\n)\n", "shop.py:5:11: '(' was never closed"),
    ],
)  # fmt: skip
def test_lint_takes_python_too(run, tmp_path, old, new, line):
    (tmp_path / "shop.py").write_text(PYTHON.replace(old, new, 1))
    ran = run("lint", "shop.py")
    assert ran.code == (1 if new else 0)
    assert ran.out.startswith(line), ran.out
    assert len(ran.out.splitlines()) == 1


@pytest.mark.parametrize("name", apis.names())
def test_an_api_that_we_ship_is_shown_in_both_forms_alike(run, name):
    as_yaml, as_json = run("show", name), run("show", name, "--json")
    assert as_yaml.code == as_json.code == 0
    assert json.loads(as_json.out)["name"] == name
    assert yaml.load(as_yaml.out, yaml.BaseLoader).keys() == json.loads(as_json.out).keys()


def test_what_show_prints_of_a_file_is_the_same_description(run, good):
    for option, name in (("--yaml", "again.yaml"), ("--json", "again.json")):
        (good.parent / name).write_text(run("show", "my_api.yaml", option).out)
        assert run("lint", name).code == 0
        assert apis.load(name) == apis.load("my_api.yaml")


def test_show_refuses_what_is_not_there_and_two_forms_at_once(run, good):
    unknown = run("show", "hubspto")
    assert unknown.code == 1
    assert 'there is no API "hubspto". Did you mean "hubspot"?' in unknown.err
    both = run("show", "my_api.yaml", "--yaml", "--json")
    assert both.code == 2
    assert "YAML or JSON, not both." in both.err


def test_schema_prints_the_schema_by_which_editors_check(run):
    ran = run("schema")
    assert ran.code == 0
    assert json.loads(ran.out) == description.json_schema()
    jsonschema.validate(yaml.safe_load(GOOD), json.loads(ran.out))
