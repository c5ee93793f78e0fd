from decimal import Decimal

import pytest

from antiphon import connection
from antiphon.api import Api, Setting
from antiphon.errors import SettingError
from antiphon.singer import config

from .shelf import TOKEN, TapPeople, api


@pytest.fixture(autouse=True)
def _nowhere(tmp_path, monkeypatch):
    """No connections file, no variables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("TAP_SHELF_ACCESS_TOKEN", "SHELF_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def resolved(given, **more):
    return config.resolve(api(), given, plugin_name="tap-shelf", **more).values


def test_a_missing_setting_is_named_with_its_variables():
    with pytest.raises(SettingError) as error:
        TapPeople(config={}, setup_mapper=False)
    assert str(error.value) == (
        "tap-shelf: the setting access_token (Token) is missing. "
        "Give it in the config, or as the variable TAP_SHELF_ACCESS_TOKEN or SHELF_ACCESS_TOKEN."
    )


def test_an_unknown_setting_is_refused_with_a_guess():
    with pytest.raises(SettingError) as error:
        TapPeople(config={"acess_token": TOKEN}, setup_mapper=False)
    assert str(error.value).startswith('tap-shelf: there is no setting "acess_token". Did you mean "access_token"?')


def test_the_settings_that_the_sdk_gives_are_known():
    given = {"access_token": TOKEN, "stream_maps": {}, "flattening_enabled": True, "flattening_max_depth": 1}
    assert resolved(given) == {"access_token": TOKEN}
    assert TapPeople(config=given, setup_mapper=False).config["flattening_enabled"] is True


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"start_date": "soon"}, 'tap-shelf: the setting start_date cannot be "soon": it is no time. Give a date, or'),
        ({"lookback": -1}, "tap-shelf: the setting lookback cannot be -1: it is less than the minimum of 0"),
        ({"lookback": "0.5x"}, 'tap-shelf: the setting lookback cannot be "0.5x": it is to be a number'),
        ({"parallel": Decimal("0.5")}, "tap-shelf: the setting parallel cannot be 0.5: it is to be a whole number"),
        ({"new_fields": "keep"}, 'tap-shelf: the setting new_fields cannot be "keep". There are: add, fail, ignore.'),
        ({"timeout": "long"}, 'shelf: the setting timeout cannot be "long": it is to be a number'),
        ({"access_token": 5}, "shelf: the setting access_token cannot be what was given: it is not of the right form"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line(given, said):
    with pytest.raises(SettingError) as error:
        TapPeople(config={"access_token": TOKEN, **given}, setup_mapper=False)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_variables_are_heard_after_the_config_and_the_plugins_before_the_connections(monkeypatch):
    monkeypatch.setenv("SHELF_ACCESS_TOKEN", "third")
    assert resolved({})["access_token"] == "third"
    monkeypatch.setenv("TAP_SHELF_ACCESS_TOKEN", "second")
    assert resolved({})["access_token"] == "second"
    assert resolved({"access_token": "first"})["access_token"] == "first"


def test_a_plugins_own_setting_may_be_a_variable(monkeypatch):
    monkeypatch.setenv("TAP_SHELF_LOOKBACK", "90")
    monkeypatch.setenv("TAP_SHELF_DELETES", "yes")
    tap = TapPeople(config={"access_token": TOKEN}, setup_mapper=False, validate_config=False)
    assert (tap.config["lookback"], tap.config["deletes"], tap.config["new_fields"]) == (90, True, "ignore")


def test_text_is_read_as_the_settings_type():
    assert resolved({"access_token": TOKEN, "timeout": "5"})["timeout"] == 5
    assert config.typed("[1]", {"type": ["array", "null"]}) == [1]
    assert config.typed("off", {"type": "boolean"}) is False
    assert config.typed("5", {"type": "string"}) == "5"
    assert config.typed("five", {"type": "integer"}) == "five"


def test_a_named_connection_is_looked_up(tmp_path, monkeypatch):
    monkeypatch.setenv("OFFICE_ACCESS_TOKEN", "of-the-office")
    found = config.resolve(api(), {"connection": "office"}, plugin_name="tap-shelf")
    assert (found.name, found.values["access_token"]) == ("office", "of-the-office")


def test_a_missing_setting_of_a_named_connection_has_that_name():
    with pytest.raises(SettingError, match="TAP_SHELF_ACCESS_TOKEN or OFFICE_ACCESS_TOKEN"):
        resolved({"connection": "office"})


def test_a_connection_to_another_api_is_refused(tmp_path):
    (tmp_path / connection.CONNECTIONS_FILE).write_text("office: {api: csv}")
    with pytest.raises(SettingError) as error:
        resolved({"connection": "office"})
    assert str(error.value) == (
        'tap-shelf: the connection "office" is one to CSV files. '
        "Name a connection to Shelf, or use what is for CSV files."
    )


def test_a_setting_may_be_missing_where_it_is_not_checked_but_none_may_be_unknown():
    assert config.missing(config.resolve(api(), {}, plugin_name="tap-shelf", check=False))[0].name == "access_token"
    with pytest.raises(SettingError):
        resolved({"color": "red"}, check=False)


def test_a_plugin_shows_the_settings_of_its_direction():
    settings = (Setting("a", reading=False), Setting("b", writing=False, pattern="^x", example="xy", default="xx"))
    both = Api("both", "Both", "https://example.org", settings=settings)
    reading, writing = (config.settings_schema(both, reading=reading)["properties"] for reading in (True, False))
    assert ("a" in reading, "b" in reading, "a" in writing, "b" in writing) == (False, True, True, False)
    assert reading["b"] == {"type": "string", "pattern": "^x", "examples": ["xy"], "default": "xx"}
