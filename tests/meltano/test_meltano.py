"""The Meltano project, run by Meltano against sandboxes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from real.pretix import start_pretix
from singer.shop import TOKEN, YAML, opened

pytestmark = pytest.mark.real

ROOT = Path(__file__).parent.parent.parent


def written(server):
    """How many calls changed something."""
    return sum(
        n
        for (method, route), n in server.app.calls.items()
        if method != "GET" and route.endswith(("create", "update", "upsert"))
    )


def emails(server):
    return sorted(contact["properties"]["email"] for contact in server.app.records("contacts"))


def test_the_project_files_are_valid_by_meltanos_own_schema(meltano, project):
    (path,) = meltano.glob("lib/python*/site-packages/meltano/schemas/meltano.schema.json")
    schema = json.loads(path.read_text("utf-8"))
    for file in (project.folder / "meltano.yml", *project.folder.glob("plugins/*.yml")):
        jsonschema.validate(yaml.safe_load(file.read_text("utf-8")), schema)


def test_the_demo_job_writes_the_people_of_the_csv_and_a_second_run_has_nothing_to_write(project, account):
    hubspot = account(3)
    before = emails(hubspot)
    project.writes(hubspot)
    project("run", "demo")
    people = (project.folder / "examples" / "people.csv").read_text("utf-8").splitlines()[1:]
    assert emails(hubspot) == sorted([*before, *(line.partition(",")[0] for line in people)])
    titles = {c["properties"]["email"]: c["properties"].get("jobtitle") for c in hubspot.app.records("contacts")}
    assert titles["hedy@example.org"] == "Inventor"
    assert written(hubspot) == 1
    project("run", "demo")
    assert written(hubspot) == 1


def test_a_second_run_reads_and_writes_only_what_changed(project, account):
    source, destination = account(120), account(0)
    project.reads(source)
    project.writes(destination)
    project("run", "tap-hubspot", "target-hubspot")
    assert emails(destination) == emails(source)
    state = json.loads(project.run("state", "get", "sandbox:tap-hubspot-to-target-hubspot").stdout)
    bookmark = state["singer_state"]["bookmarks"]["contacts"]
    assert bookmark["replication_key"] == "updatedAt"
    assert bookmark["replication_key_value"]
    changed = source.app.records("contacts")[7]
    source.app.edit("contacts", changed["id"], {"jobtitle": "Chief of Something New"})
    destination.app.calls.clear()
    project("run", "tap-hubspot", "target-hubspot")
    assert written(destination) == 1
    titles = {c["properties"]["email"]: c["properties"].get("jobtitle") for c in destination.app.records("contacts")}
    assert titles[changed["properties"]["email"]] == "Chief of Something New"


def test_the_attendees_job_makes_contacts_of_a_real_pretixs_attendees_once(project, account, tmp_path_factory):
    pretix = start_pretix(tmp_path_factory.mktemp("pretix"))
    try:
        hubspot = account(0)
        project.environment = "dev"
        project.writes(hubspot)
        project.variables |= {f"TAP_PRETIX_{name.upper()}": value for name, value in pretix.config.items()}
        project.variables["TARGET_HUBSPOT_ACCESS_TOKEN"] = hubspot.config["access_token"]
        project("run", "attendees")
        positions = [p for order in pretix.every(f"/organizers/{pretix.organizer}/orders/") for p in order["positions"]]
        expected = {p["attendee_email"] for p in positions if p["attendee_email"]}
        assert set(emails(hubspot)) == expected
        assert len(emails(hubspot)) == len(expected)
        ada = next(
            c["properties"]
            for c in hubspot.app.records("contacts")
            if c["properties"]["email"] == "attendee000@example.org"
        )
        assert (ada["firstname"], ada["lastname"]) == ("Ada", "Lovelace")
        before = written(hubspot)
        project("run", "attendees")
        assert written(hubspot) == before
    finally:
        pretix.stop()


def test_config_test_accepts_a_tap_that_can_read_and_tells_why_another_cannot(project, account):
    project.reads(account(3))
    assert "Plugin configuration is valid" in project("config", "test", "tap-hubspot")
    assert "Plugin configuration is valid" in project("config", "test", "tap-csv")
    project.variables["TAP_HUBSPOT_ACCESS_TOKEN"] = "pat-na1-wrong"
    said = project("config", "test", "tap-hubspot", fails=True)
    assert "Plugin configuration is invalid" in said
    assert "access_token" in said
    assert "pat-na1-wrong" not in said


@pytest.mark.parametrize(("token", "code"), [("pat-na1-sandbox-00000001", 0), ("pat-na1-wrong", 1)])
def test_config_test_of_a_target_checks_the_connection_and_writes_nothing(project, account, token, code):
    # Meltano 4.4 ends the process it has seen ending, which raises ProcessLookupError in most runs, whatever the loader.
    # What the target did is in its log all the same.
    hubspot = account(3)
    project.writes(hubspot)
    project.variables["TARGET_HUBSPOT_ACCESS_TOKEN"] = token
    done = project.run("config", "test", "target-hubspot", log_level="debug")
    said = done.stdout + done.stderr
    assert re.search(rf"Process return code: {code}\b", said), said
    assert done.returncode == code or "ProcessLookupError" in said, said
    assert hubspot.app.calls.total()
    assert written(hubspot) == 0
    assert "pat-na1-wrong" not in said


def test_a_missing_token_is_named_in_one_line(project, account):
    hubspot = account(3)
    project.environment = "dev"
    project.reads(hubspot)
    assert "TAP_HUBSPOT_ACCESS_TOKEN" in project("invoke", "tap-hubspot", fails=True)
    said = project("run", "tap-hubspot", "target-hubspot", fails=True)
    # Meltano drops what one of them says if the other has ended before.
    assert re.search("(TAP|TARGET)_HUBSPOT_ACCESS_TOKEN", said)
    assert not hubspot.app.calls


def test_streams_and_fields_can_be_selected(project, account):
    hubspot = account(3)
    project.reads(hubspot)
    listed = project("select", "tap-hubspot", "--list", "--all")
    assert re.search(r"\[selected *\] contacts\.jobtitle", listed)
    assert re.search(r"\[automatic *\] contacts\.id", listed)
    assert re.search(r"\[excluded *\] calls\.hs_call_body", listed)
    project("select", "tap-hubspot", "--exclude", "contacts", "jobtitle")
    assert re.search(r"\[excluded *\] contacts\.jobtitle", project("select", "tap-hubspot", "--list", "--all"))


@pytest.mark.parametrize("plugin", sorted(path.stem for path in (ROOT / "plugins").glob("*.yml")))
def test_meltano_knows_every_settings_variable_and_shows_no_secret(project, plugin):
    project.variables["TARGET_HUBSPOT_ACCESS_TOKEN"] = "pat-na1-secret"
    listed = project("config", "list", plugin, "--all")
    (declared,) = next(
        iter(yaml.safe_load((project.folder / "plugins" / f"{plugin}.yml").read_text("utf-8"))["plugins"].values())
    )
    for setting in declared["settings"]:
        assert f"{plugin}_{setting['name']}".upper().replace("-", "_") in listed
    assert "pat-na1" not in listed


def test_the_schedule_is_listed_with_its_job(project):
    assert re.search(r"@daily.*attendees-daily.*tap-pretix target-hubspot", project("schedule", "list"))


def test_apis_of_ones_own_are_plugins_that_inherit_by_file_and_inline(project):
    with opened() as here, opened() as there:
        (project.folder / "shop.yaml").write_text(YAML.format(url=here.url))
        there.orders.clear()
        whole = yaml.safe_load((project.folder / "meltano.yml").read_text("utf-8"))
        inline = yaml.safe_load(YAML.format(url=there.url))
        whole["plugins"] = {
            "extractors": [{"name": "tap-shop", "inherit_from": "tap-universal", "config": {"api": "./shop.yaml"}}],
            "loaders": [
                {
                    "name": "target-shop",
                    "inherit_from": "target-universal",
                    "config": {"api": inline, "state_dir": ".antiphon"},
                }
            ],
        }
        (project.folder / "meltano.yml").write_text(yaml.safe_dump(whole), "utf-8")
        project.variables["TILL_TOKEN"] = TOKEN
        said = project("run", "tap-shop", "target-shop")
        assert sorted(order["code"] for order in there.orders.values()) == ["A1", "A2", "A3"]
        assert TOKEN not in said
        there.orders[1]["paid"] = True
        project("run", "--full-refresh", "tap-shop", "target-shop")
        assert len(there.orders) == 3
