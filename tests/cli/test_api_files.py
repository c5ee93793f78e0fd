"""An API of the user's own, by the file that describes it, wherever a connection is named."""

import json

import pytest

URL = "https://shop.example/v1"
SCRIPT = """\
from antiphon import schema
from antiphon.api import Api, Nothing, Read, Resource, Setting, Write
from antiphon.auth import Bearer

shop = Api(
    "shop",
    title="The shop",
    base_url="https://shop.example/v1",
    auth=Bearer("{token}"),
    settings=(Setting("token", "Token", "From the till.", secret=True, required=True, example="till-1-…"),),
    check=Read("/me"),
    resources=(
        Resource(
            "orders",
            schema.record({"id": "string!", "code": "string"}, readonly=["id"]),
            aliases=("order",),
            match=("code",),
            read=Read("/orders", records="items"),
            get=Read("/orders/{id}"),
            find=Read("/orders", params={"code": "{match.value}"}, records="items"),
            create=Write("/orders", body="{record}"),
            delete=Write("/orders/{id}", "DELETE", outcomes=Nothing()),
        ),
    ),
)
"""


@pytest.fixture
def shop(tmp_path, monkeypatch, requests_mock):
    (tmp_path / "shop.py").write_text(SCRIPT)
    monkeypatch.setenv("SHOP_TOKEN", "from the variable")
    requests_mock.get(f"{URL}/me", json={})
    requests_mock.get(f"{URL}/orders", json={"items": [{"id": "1", "code": "A1"}]})
    requests_mock.get(f"{URL}/orders/1", json={"id": "1", "code": "A1"})
    requests_mock.post(f"{URL}/orders", json={"id": "2", "code": "A2"})
    requests_mock.delete(f"{URL}/orders/1", status_code=204)
    return requests_mock


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("check {}", {"connection": "shop", "api": "shop", "base_url": URL, "works": True}),
        ("add {} order code=A2", {"id": "2", "code": "A2"}),
        ("get {} order 1", {"id": "1", "code": "A1"}),
        ("find {} orders code=A1", [{"id": "1", "code": "A1"}]),
        ("delete {} order 1", {"id": "1", "deleted": True}),
        ("call {} GET /me", {}),
    ],
)
@pytest.mark.parametrize("how", ["shop.py", "./shop.py", "--api shop.py", "--api=shop.py"])
def test_a_file_stands_where_a_connection_is_named(run, shop, line, said, how):
    ran = run(*line.format(how).split())
    assert ran.code == 0, ran.err
    assert json.loads(ran.out) == said
    assert shop.last_request.headers["Authorization"] == "Bearer from the variable"


def test_the_option_may_stand_anywhere(run, shop):
    assert run("add", "order", "code=A2", "--api", "shop.py").code == 0
    assert run("add", "order", "--api", "shop.py", "--set", "token=given", "code=A2").code == 0
    assert shop.last_request.headers["Authorization"] == "Bearer given"


def test_what_follows_two_dashes_is_no_option(run, shop):
    ran = run("find", "shop.py", "order", "--", "--api=1")
    assert 'orders has no field "--api"' in ran.err


def test_a_plugins_config_says_which_api_as_well(run, shop, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"api": "shop.py", "token": "of the config"}))
    assert run("check", "till", "--config", "config.json").code == 0
    assert shop.last_request.headers["Authorization"] == "Bearer of the config"


def test_the_connect_form_is_drawn_from_the_file(run, shop, watched):
    told = run("apis", "shop.py").out
    for words in (
        "The shop", "SHOP_TOKEN", "required, secret", "From the till. For example: till-1-…", "orders / order",
        "read get find create delete", "antiphon check shop.py", "TAP_UNIVERSAL_API=shop.py tap-universal > shop.jsonl",
        'connect("shop.py")',
    ):  # fmt: skip
        assert words in told
    assert json.loads(run("apis", "--api", "shop.py", "--json").out)["settings"][0]["example"] == "till-1-…"


def test_the_shell_snippet_of_a_file_with_a_blank_in_its_name_can_be_typed(run, shop, tmp_path):
    (tmp_path / "shop.py").rename(tmp_path / "my shop.py")
    lines = json.loads(run("apis", "my shop.py").out)["snippets"]["shell"].splitlines()
    assert "antiphon check 'my shop.py'" in lines


@pytest.mark.parametrize(
    "line", ["check none.py", "apis none.py", "login --api none.py", "add --api none.py order a=b"]
)
def test_a_file_that_is_not_there_is_told_in_one_line(run, line):
    ran = run(*line.split())
    assert (ran.code, ran.err) == (1, "antiphon: none.py -> there is no such file. Check the path.\n")


def test_a_setting_that_is_missing_is_told_with_its_variable(run, shop, monkeypatch):
    monkeypatch.delenv("SHOP_TOKEN")
    ran = run("check", "shop.py")
    assert ran.err == (
        "antiphon: shop: the setting token (Token) is missing. Give it in the config, or as the variable SHOP_TOKEN.\n"
    )


def test_who_has_to_log_in_is_told_to_by_the_file(run, shop, tmp_path, monkeypatch):
    auth = """OAuth2("https://shop.example/token", authorize_url="https://shop.example/in")"""
    text = SCRIPT.replace('Bearer("{token}")', auth).replace("import Bearer", "import OAuth2")
    text = text.replace('Setting("token"', 'Setting("client_id"')
    (tmp_path / "shop.py").write_text(text)
    monkeypatch.setenv("SHOP_CLIENT_ID", "ours")
    ran = run("check", "./shop.py")
    assert ran.code == 1
    assert "antiphon login ./shop.py" in ran.err
