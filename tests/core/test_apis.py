"""An API is found by its name, by a package's name for it, or by the file that describes it."""

import json
import logging
import sys
from pathlib import Path

import pytest
import yaml

from antiphon import apis, connect, connection
from antiphon.errors import DescriptionError, Unknown

SCRIPT = """\
from antiphon.api import Api, Read, Resource, Setting
from antiphon.auth import Bearer

{name} = Api(
    "{name}",
    title="{title}",
    base_url="https://shop.example/v1",
    auth=Bearer("{{token}}"),
    settings=(Setting("token", "Token", "From the till.", secret=True, required=True),),
    check=Read("/me"),
    resources=(Resource("orders", {{"properties": {{"id": {{"type": "string"}}}}}}, read=Read("/orders")),),
)
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def installed(here, monkeypatch):
    """Installs a package that adds an API; the text is its module's."""
    monkeypatch.syspath_prepend(str(here))
    apis._installed.cache_clear()

    def install(package, name, text):
        (here / f"{package}_module.py").write_text(text)
        info = here / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[antiphon.apis]\n{name} = {package}_module:api\n")

    yield install
    apis._installed.cache_clear()


def script(name="shop", title="The shop"):
    return SCRIPT.format(name=name, title=title)


def package(name, title):
    return script(name, title) + f"api = {name}\n"


def test_the_names_are_those_of_our_own_apis():
    assert {"csv", "hubspot", "odoo", "pretix", "salesforce"} == set(apis.shipped()) <= set(apis.names())


@pytest.mark.parametrize("name", ["hubspot", "HubSpot"])
def test_a_name_is_in_any_case(name):
    assert apis.load(name).name == "hubspot"


def test_a_name_that_means_nothing_is_told_with_those_that_do():
    with pytest.raises(Unknown, match=r'^there is no API "hubspto". Did you mean "hubspot"\? There are: csv, '):
        apis.load("hubspto")


# Packages


def test_a_package_adds_its_apis(installed):
    installed("acme", "acme-shop", package("acme_shop", "Acme"))
    assert "acme_shop" in apis.names()
    assert apis.load("acme-shop").title == "Acme"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("api = 1", 'the API "shop" of the package acme: it is no Api but int'),
        ("import nowhere", 'the API "shop" of the package acme: acme_module:api -> ModuleNotFoundError: No module named \'nowhere\''),
        ("", 'the API "shop" of the package acme: acme_module:api -> AttributeError: '),
    ],
)  # fmt: skip
def test_a_package_whose_api_cannot_be_had_is_named(installed, text, said):
    installed("acme", "shop", text)
    sys.modules.pop("acme_module", None)
    with pytest.raises(DescriptionError) as caught:
        apis.load("shop")
    assert str(caught.value).startswith(said)


def test_a_name_of_ours_means_ours_and_the_package_is_told(installed, caplog):
    installed("acme", "hubspot", package("hubspot", "Not HubSpot"))
    with caplog.at_level(logging.WARNING):
        assert apis.names().count("hubspot") == 1
    assert caplog.messages == [
        'the API "hubspot" of the package acme is left out: the name means one of Antiphon\'s own'
    ]
    assert apis.load("hubspot").title == "HubSpot"


def test_of_two_packages_the_first_by_its_name_is_meant(installed, caplog):
    installed("zeta", "shop", package("shop", "Of Zeta"))
    installed("alpha", "shop", package("shop", "Of Alpha"))
    with caplog.at_level(logging.WARNING):
        assert apis.load("shop").title == "Of Alpha"
    assert caplog.messages == ['the API "shop" of the package zeta is left out: the name means that of alpha']


# Python files


def test_a_python_file_holds_an_api(here):
    (here / "shop.py").write_text(script())
    for reference in ("shop.py", "./shop.py", str(here / "shop.py"), Path("shop.py")):
        assert apis.load(reference).title == "The shop"


def test_a_relative_path_may_be_from_another_folder(here):
    (here / "described").mkdir()
    (here / "described" / "shop.py").write_text(script())
    assert apis.load("shop.py", folder=Path("described")).name == "shop"


def test_of_several_apis_the_one_called_like_the_file_is_meant(here):
    (here / "shop.py").write_text("from antiphon.apis.hubspot import hubspot\n" + script())
    assert apis.load("shop.py").title == "The shop"
    (here / "other.py").write_text("from antiphon.apis.hubspot import hubspot\n" + script())
    with pytest.raises(DescriptionError) as caught:
        apis.load("other.py")
    assert str(caught.value) == (
        "other.py -> it holds several APIs: hubspot, shop. Call the one that is meant other, like the file."
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "shop.py -> it holds no Api. Call the one that is meant shop, like the file."),
        ("x = 1\ny = (", "shop.py:2:5: '(' was never closed"),
        ("\n\nimport nowhere", "shop.py:3:1: ModuleNotFoundError: No module named 'nowhere'"),
        ("def f():\n    return {}['a']\n\nf()", "shop.py:2:12: KeyError: 'a'"),
        ("from antiphon.api import Api\n\na = Api('a', title='A', base_url='{nobody}')",
         "shop.py:3:5: a: base_url: unknown placeholder {nobody}. There are: "),
        ("from antiphon import schema\nschema.of('strin')", "shop.py:2:1: no type of field is called"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_python_file_is_told_with_its_line(here, text, said):
    (here / "shop.py").write_text(text)
    with pytest.raises(DescriptionError) as caught:
        apis.load("shop.py")
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("nowhere.py", "nowhere.py -> there is no such file. Check the path."),
        ("./nowhere", "nowhere -> there is no such file. Check the path."),
        ("folder.py", "folder.py -> it is a folder. Check the path."),
        ("./notes.txt", "notes.txt -> no description of an API. Its name should end with "),
        (7, "no API: 7. Give a name, or a file that ends with "),
    ],
)
def test_what_is_no_description_is_refused_in_one_line(here, reference, said):
    (here / "folder.py").mkdir()
    (here / "notes.txt").touch()
    with pytest.raises(DescriptionError) as caught:
        apis.load(reference)
    assert str(caught.value).startswith(said)


# Data

YAML = """
name: shop
title: The shop
base_url: https://shop.example/v1
auth: {bearer: "{token}"}
settings:
  token: {title: Token, description: From the till., secret: true, required: true}
check: /me
resources:
  orders: {schema: {id: string}, read: /orders}
"""


def test_the_same_api_may_be_python_yaml_json_or_a_mapping(here):
    data = yaml.safe_load(YAML)
    (here / "shop.yaml").write_text(YAML)
    (here / "shop.json").write_text(json.dumps(data))
    (here / "shop.py").write_text(script().replace('{"properties": {"id": {"type": "string"}}}', 'record({"id": "string"})')
                                  .replace("from antiphon.api", "from antiphon.schema import record\nfrom antiphon.api"))  # fmt: skip
    found = apis.load("shop.py")
    assert found == apis.load("shop.yaml") == apis.load("shop.json") == apis.load(data)


def test_what_is_wrong_in_data_is_told_with_its_place(here):
    (here / "shop.yaml").write_text(YAML.replace("check:", "chekc:"))
    with pytest.raises(DescriptionError, match=r'^shop\.yaml:8:1: unknown key "chekc"\. Did you mean "check"'):
        apis.load("shop.yaml")
    with pytest.raises(DescriptionError, match=r'^the mapping given as api: unknown key "chekc"'):
        apis.load(yaml.safe_load(YAML.replace("check:", "chekc:")))


@pytest.mark.parametrize("suffix", [".yaml", ".py"])
def test_an_openapi_document_is_beside_the_file_that_names_it(here, suffix):
    (here / "described").mkdir()
    document = {
        "components": {"schemas": {"Order": {"properties": {"id": {"type": "string"}, "code": {"type": "string"}}}}}
    }
    (here / "described" / "openapi.json").write_text(json.dumps(document))
    texts = {
        ".yaml": YAML.replace("{id: string}", "{openapi: {file: openapi.json, component: Order}}"),
        ".py": "from antiphon.sources import OpenApi\n"
        + script().replace(
            '{"properties": {"id": {"type": "string"}}}', 'OpenApi(file="openapi.json", component="Order")'
        ),
    }
    path = here / "described" / f"shop{suffix}"
    path.write_text(texts[suffix])
    shop = connect("./described/" + path.name, token="t")
    assert list(shop.client.schema(shop.client.resource("orders"))["properties"]) == ["id", "code"]


def test_a_list_of_fields_may_be_an_endpoint_of_the_api(here, requests_mock):
    source = "{metadata: {read: {path: /fields, records: fields}, types: {txt: string}, also: {id: string!}}}"
    (here / "shop.yaml").write_text(YAML.replace("{id: string}", source))
    requests_mock.get("https://shop.example/v1/fields", json={"fields": [{"name": "code", "type": "txt"}]})
    shop = connect("shop.yaml", token="t")
    assert list(shop.client.schema(shop.client.resource("orders"))["properties"]) == ["id", "code"]


# Connections


def test_a_file_may_stand_for_a_connection(here, monkeypatch):
    (here / "shop.py").write_text(script())
    monkeypatch.setenv("SHOP_TOKEN", "from the variable")
    found = connection.settings("shop.py")
    assert (found.name, found.values["token"]) == ("shop", "from the variable")
    assert repr(connect(Path("shop.py"), token="t")) == "<connection shop to The shop>"


def test_an_entry_of_the_connections_file_names_a_file_beside_it(here, monkeypatch):
    folder = here / "config" / "antiphon"
    folder.mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(here / "config"))
    (folder / "shop.py").write_text(script())
    (folder / "connections.yaml").write_text("till: {api: ./shop.py, token: t}")
    found = connection.settings("till")
    assert (found.name, found.api.name, found.values["token"]) == ("till", "shop", "t")


def test_a_connection_may_be_given_the_file_of_its_api(here):
    (here / "shop.py").write_text(script())
    assert connection.settings("till", {"token": "t"}, api="./shop.py").name == "till"
