import stat
from pathlib import Path

import pytest

import antiphon
from antiphon import apis, connect, connection
from antiphon.api import Read, Setting, Write
from antiphon.errors import Lost, NotFound, Refused, SettingError, Unknown
from antiphon.outcome import Nothing

from .tiny import URL, an_api, people

SETTINGS = (
    Setting("access_token", "Access token", secret=True, required=True, pattern="^[a-z-]+$"),
    Setting("version", "Version", default="v1", example="v2"),
    Setting("wide", "Wide", schema={"type": "boolean"}),
    Setting("size", "Size", schema={"type": "integer", "minimum": 1}),
    Setting("tags", "Tags", schema={"type": "array", "items": {"type": "string"}}),
)


@pytest.fixture
def tiny(monkeypatch):
    """The API under the name ``tiny``, with a few settings."""
    api = an_api(
        people(
            aliases=("person",),
            get=Read("/people/{id}"),
            find=Read("/people", params={"email": "{match.value}"}, records="results"),
            changes=Read("/people", params={"since": "{since}"}, records="results"),
            create=Write("/people", body="{record}"),
            update=Write("/people/{id}", "PATCH", body="{record}"),
            delete=Write("/people/{id}", "DELETE", outcomes=Nothing()),
            actions={"greet": Write("/people/{id}/greet", body="{record}")},
        ),
        settings=SETTINGS,
    )
    real = apis.load
    monkeypatch.setattr(apis, "load", lambda name, **more: api if name == "tiny" else real(name, **more))
    return api


def value(name, setting="access_token", **given):
    return connection.settings(name, given, api="tiny").values.get(setting)


def config(folder, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "connections.yaml").write_text(text, "utf-8")


# Where settings come from


def test_the_first_source_that_has_a_setting_gives_it(tiny, home, monkeypatch):
    config(home / ".config" / "antiphon", "crm: {api: tiny, access_token: from-user}")
    assert connection.settings("crm").values["access_token"] == "from-user"
    config(Path(), "crm: {api: tiny, access_token: from-folder}")
    assert connection.settings("crm").values["access_token"] == "from-folder"
    monkeypatch.setenv("CRM_ACCESS_TOKEN", "from-variable")
    assert connection.settings("crm").values["access_token"] == "from-variable"
    assert connection.settings("crm", {"access_token": "given"}).values["access_token"] == "given"


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_is_given_empty_is_not_given(tiny, monkeypatch, nothing):
    monkeypatch.setenv("TINY_ACCESS_TOKEN", "from-variable")
    assert value("tiny", access_token=nothing) == "from-variable"
    monkeypatch.setenv("TINY_VERSION", "")
    assert "version" not in connection.settings("tiny", {"version": nothing}).values


def test_each_setting_is_looked_up_on_its_own(tiny, monkeypatch):
    config(Path(), "crm: {api: tiny, version: v9, size: 5}")
    monkeypatch.setenv("CRM_SIZE", "7")
    found = connection.settings("crm", {"access_token": "given"})
    assert found.values == {"access_token": "given", "version": "v9", "size": 7}


def test_the_configuration_folder_may_be_elsewhere(tiny, tmp_path, monkeypatch):
    config(tmp_path / "xdg" / "antiphon", "crm: {api: tiny, access_token: from-xdg}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert connection.settings("crm").values["access_token"] == "from-xdg"


def test_a_file_in_the_folder_does_not_hide_other_connections_of_the_user(tiny, home):
    config(home / ".config" / "antiphon", "crm: {api: tiny, access_token: mine}")
    config(Path(), "other: {api: tiny, access_token: other}")
    assert connection.settings("crm").values["access_token"] == "mine"


@pytest.mark.parametrize(
    ("name", "setting", "variable"),
    [
        ("crm", "access_token", "CRM_ACCESS_TOKEN"),
        ("my-crm", "size", "MY_CRM_SIZE"),
        ("crm.eu 2", "size", "CRM_EU_2_SIZE"),
    ],
)
def test_a_variable_is_named_after_the_connection_and_the_setting(name, setting, variable):
    assert connection.variable(name, setting) == variable


@pytest.mark.parametrize(
    ("setting", "text", "read"),
    [
        ("size", "7", 7),
        ("wide", "true", True),
        ("tags", '["a","b"]', ["a", "b"]),
        ("version", "2", "2"),
        ("timeout", "1.5", 1.5),
    ],
)
def test_a_variable_has_the_type_of_its_setting(tiny, monkeypatch, setting, text, read):
    monkeypatch.setenv(f"TINY_{setting.upper()}", text)
    assert value("tiny", setting, access_token="t") == read


def test_a_secret_may_be_the_name_of_a_variable(tiny, monkeypatch):
    config(Path(), "crm: {api: tiny, access_token: {env: MY_TOKEN}, size: {env: MY_SIZE}}")
    monkeypatch.setenv("MY_TOKEN", "from-my-token")
    monkeypatch.setenv("MY_SIZE", "3")
    values = connection.settings("crm").values
    assert (values["access_token"], values["size"]) == ("from-my-token", 3)


def test_a_variable_that_is_not_set_is_named_if_it_is_needed(tiny):
    config(Path(), "crm: {api: tiny, access_token: {env: MY_TOKEN}}")
    with pytest.raises(SettingError, match=r"connections.yaml: crm.access_token: the variable MY_TOKEN is not set"):
        connection.settings("crm")
    assert connection.settings("crm", {"access_token": "given"}).values["access_token"] == "given"


# Settings that are wrong


def test_a_missing_setting_is_named_with_its_variable(tiny):
    with pytest.raises(SettingError) as caught:
        connection.settings("tiny")
    assert str(caught.value) == (
        "tiny: the setting access_token (Access token) is missing. "
        "Give it in the config, or as the variable TINY_ACCESS_TOKEN."
    )
    assert connection.settings("tiny", check=False).values == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"size": "many"}, 'tiny: the setting size cannot be "many": it is to be a whole number'),
        ({"size": 0}, "tiny: the setting size cannot be 0: it is less than the minimum of 1"),
        ({"wide": "yes"}, 'tiny: the setting wide cannot be "yes": it is to be true or false'),
        ({"version": 2}, "tiny: the setting version cannot be 2: it is to be a text. For example: v2"),
        ({"rate_share": 0}, "tiny: the setting rate_share cannot be 0: it is less than or equal to the minimum of 0"),
        ({"timeout": -1}, "tiny: the setting timeout cannot be -1: it is less than or equal to the minimum of 0"),
    ],
)
def test_a_value_of_a_wrong_type_is_told_with_its_setting(tiny, given, said):
    with pytest.raises(SettingError) as caught:
        value("tiny", access_token="t", **given)
    assert str(caught.value) == said


@pytest.mark.parametrize("secret", ["S3CRET", 12345])
def test_a_secret_of_a_wrong_form_is_not_shown(tiny, secret):
    with pytest.raises(SettingError) as caught:
        value("tiny", access_token=secret)
    assert str(caught.value) == "tiny: the setting access_token cannot be what was given: it is not of the right form"


def test_a_wrong_type_in_a_variable_is_told(tiny, monkeypatch):
    monkeypatch.setenv("TINY_SIZE", "many")
    with pytest.raises(SettingError, match='size cannot be "many"'):
        value("tiny", access_token="t")


def test_an_unknown_setting_is_told_with_the_nearest(tiny):
    with pytest.raises(SettingError, match=r'^tiny: there is no setting "acces_token". Did you mean "access_token"\?'):
        value("tiny", acces_token="t")
    config(Path(), "crm: {api: tiny, access_token: t, sise: 3}")
    with pytest.raises(SettingError, match=r'^crm: there is no setting "sise". Did you mean "size"\?'):
        connection.settings("crm")


@pytest.mark.parametrize(
    "text",
    ["crm: [", "crm: {access_token: s3cret-of-mine\nother", "- crm", "crm: s3cret-of-mine", "crm:", "\ts3cret-of-mine", "3",
     "crm: {access_token: *s3cret-of-mine}", "crm: !s3cret-of-mine {}"],
)  # fmt: skip
def test_a_connections_file_that_is_broken_is_told_in_one_line_without_what_is_in_it(tiny, text):
    config(Path(), text)
    with pytest.raises(SettingError, match=r"^connections.yaml: ") as caught:
        connection.settings("crm")
    assert "s3cret" not in str(caught.value)


def test_a_connections_file_that_is_no_text_is_told(tiny):
    Path("connections.yaml").write_bytes(b"crm: {access_token: \xff\xfe}")
    with pytest.raises(SettingError, match=r"^connections.yaml: "):
        connection.settings("crm")


def test_a_connections_file_that_may_not_be_read_is_told(tiny, monkeypatch):
    def denied(*_):
        raise PermissionError(13, "Permission denied")

    config(Path(), "crm: {}")
    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(SettingError, match=r"^connections.yaml: cannot be read: Permission denied$"):
        connection.settings("crm")


def test_an_empty_connections_file_has_no_connections(tiny):
    config(Path(), "# nothing yet\n")
    assert value("tiny", access_token="t") == "t"


# Which API


def test_a_connection_is_of_the_api_that_is_given_or_stored_or_has_its_name(tiny):
    config(Path(), "crm: {api: tiny, access_token: t}\ntiny: {access_token: u}")
    assert connection.settings("crm").api is tiny
    assert connection.settings("tiny").values["access_token"] == "u"
    assert connection.settings("other", {"access_token": "t"}, api="tiny").api is tiny
    assert connection.settings("other", {"access_token": "t"}, api=tiny).api is tiny


def test_a_name_that_is_no_connection_and_no_api_is_told_with_those_that_exist():
    with pytest.raises(
        Unknown, match=r'no connection and no API "hubsopt". Did you mean "hubspot"\?.*connections.yaml'
    ):
        connect("hubsopt")
    config(Path(), "crm: {api: nowhere}")
    with pytest.raises(Unknown, match='there is no API "nowhere"'):
        connect("crm")


# The state folder


def test_the_state_folder_is_the_users_unless_told_otherwise(tiny, home, monkeypatch, tmp_path):
    assert connection.state_dir() == home / ".local" / "state" / "antiphon"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert connection.state_dir() == tmp_path / "antiphon"
    found = connection.settings("tiny", {"access_token": "t", "state_dir": "~/mine"})
    assert found.state_dir == home / "mine"
    monkeypatch.setenv("TINY_STATE_DIR", "/elsewhere")
    assert connection.settings("tiny", {"access_token": "t"}).state_dir == Path("/elsewhere")


@pytest.mark.parametrize("url", ["postgresql://u:hushhush@db/state", "s3:/bucket/x", "file:///tmp/hushhush"])
def test_a_url_is_no_state_folder_and_is_not_repeated(tiny, home, url):
    with pytest.raises(SettingError) as refused:
        connect("tiny", access_token="t", state_dir=url)
    assert "state_dir cannot be a URL" in str(refused.value)
    assert "hushhush" not in str(refused.value)
    assert "hushhush" not in repr(refused.value)
    assert [path.name for path in Path().iterdir()] == []


def test_a_state_folder_is_its_owners_alone(home):
    state = home / "some" / "state"
    given = {"api_token": "t", "organizer": "o", "base_url": "https://pretix.example", "state_dir": str(state)}
    connection.settings("pretix", given).ledger().close()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (state.parent, state)] == [0o700, 0o700]


def test_calls_are_counted_in_the_users_own_folder_whatever_the_state_folder_is(tiny, home, tmp_path, monkeypatch):
    limited = apis.load("pretix")
    monkeypatch.setattr(apis, "load", lambda *_, **__: limited)
    given = {"api_token": "t", "organizer": "o", "base_url": "https://pretix.eu"}

    def counted(name):
        connection.settings("pretix", {**given, "state_dir": str(tmp_path / name)}).client()
        return sorted(str(p.relative_to(home)) for p in home.rglob("*.calls"))

    assert counted("one") == counted("other")
    assert len(counted("one")) == 1
    assert not list(tmp_path.joinpath("one").rglob("*.calls"))
    (home / ".local").rename(home / "gone")
    (home / ".local").write_text("no folder")
    connection.settings("pretix", {**given, "state_dir": str(tmp_path / "third")}).client()
    assert len(list(tmp_path.joinpath("third", "limits").glob("*.calls"))) == 1


# One-liners


def crm(session, **given):
    return connect("tiny", session=session, access_token="some-token", **given)


def test_a_record_is_added_by_dict_or_by_keywords_and_comes_back(tiny, session, adapter):
    adapter.register_uri("POST", f"{URL}/people", json={"id": 7, "name": "Ada"})
    assert crm(session).add("person", {"name": "Ada"}) == {"id": 7, "name": "Ada"}
    assert crm(session).add("people", {"name": "Bob"}, name="Ada", record="x") == {"id": 7, "name": "Ada"}
    assert [r.json() for r in adapter.request_history] == [{"name": "Ada"}, {"name": "Ada", "record": "x"}]


def test_a_record_is_got_found_updated_and_deleted(tiny, session, adapter):
    adapter.register_uri("GET", f"{URL}/people/7", json={"id": 7})
    adapter.register_uri("GET", f"{URL}/people?email=a@b.c", json={"results": [{"id": 7}]})
    adapter.register_uri("PATCH", f"{URL}/people/7", json={"id": 7, "name": "Bob"})
    adapter.register_uri("DELETE", f"{URL}/people/7", status_code=204)
    adapter.register_uri("POST", f"{URL}/people/7/greet", status_code=204)
    here = crm(session)
    assert here.get("person", 7) == {"id": 7}
    assert here.find("person", email="a@b.c") == [{"id": 7}]
    assert here.update("person", id=7, name="Bob") == {"id": 7, "name": "Bob"}
    assert here.delete("person", 7) is None
    assert here.call("person.greet", id=7, word="hello") == {"word": "hello", "id": "7"}
    assert adapter.last_request.json() == {"word": "hello"}


def test_records_are_read_all_or_since_a_time(tiny, session, adapter):
    adapter.register_uri("GET", f"{URL}/people", json={"results": [{"id": 1}, {"id": 2}]})
    adapter.register_uri("GET", f"{URL}/people?since=2026-01-01T00:00:00Z", json={"results": [{"id": 2}]})
    assert [r["id"] for r in crm(session).read("people")] == [1, 2]
    assert [r["id"] for r in crm(session).read("people", since="2026-01-01T00:00:00Z")] == [2]


def test_what_the_api_refuses_is_raised_with_its_words(tiny, session, adapter):
    adapter.register_uri("POST", f"{URL}/people", status_code=422, json={"message": "no name", "code": "NAME"})
    with pytest.raises(Refused, match=r"^tiny: creating people -> 422 no name$") as caught:
        crm(session).add("person", {})
    assert (caught.value.status, caught.value.code) == (422, "NAME")
    adapter.register_uri("PATCH", f"{URL}/people/7", status_code=404)
    with pytest.raises(NotFound, match=r"^tiny: updating people -> 404 Not Found$"):
        crm(session).update("person", id=7, name="x")


def test_what_may_or_may_not_be_done_is_raised_as_lost(tiny, session, adapter):
    adapter.register_uri("POST", f"{URL}/people", status_code=500, json={"message": "oh"})
    with pytest.raises(Lost, match=r"^tiny: creating people -> (500 )?oh"):
        crm(session).add("person", {})


def test_a_call_takes_any_path(tiny, session, adapter):
    adapter.register_uri("GET", f"{URL}/me?x=1", json={"id": 1})
    assert crm(session).call("GET", "/me", params={"x": 1}) == {"id": 1}


@pytest.mark.parametrize("where", [{}, {"a": 1, "b": 2}])
def test_finding_takes_one_field(tiny, session, where):
    with pytest.raises(Unknown, match="find takes one field"):
        crm(session).find("person", **where)


def test_a_resource_that_does_not_exist_is_told_with_those_that_do(tiny, session):
    with pytest.raises(Unknown, match=r'tiny has no resource "peoples". Did you mean "people"'):
        crm(session).add("peoples", {})
    with pytest.raises(Unknown, match="tiny cannot erase people"):
        crm(session).erase("people", 7)


def test_a_connection_shows_no_setting(tiny, session):
    assert repr(crm(session)) == "<connection tiny to Tiny>"


def test_only_the_names_that_are_shown_can_be_imported():
    with pytest.raises(AttributeError):
        _ = antiphon.nonsense
    assert antiphon.connect is connect
