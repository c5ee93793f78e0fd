"""The Meltano project, as far as it can be judged without Meltano; `tests/meltano` runs it."""

from pathlib import Path

import pytest
import yaml

import write_plugins
from antiphon import sandbox
from antiphon.singer.plan import plan

ROOT = Path(__file__).parent.parent
PROJECT = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
PLUGINS = {found.name: found for found in write_plugins.plugins()}
CONFIGURED = [
    (environment["name"], plugin)
    for environment in PROJECT["environments"]
    for plugins in environment["config"]["plugins"].values()
    for plugin in plugins
]


def test_every_plugin_is_declared():
    assert {path.stem for path in write_plugins.FOLDER.glob("*.yml")} == set(PLUGINS)


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_is_declared_as_it_is(name):
    kept = (write_plugins.FOLDER / f"{name}.yml").read_text("utf-8")
    assert kept == write_plugins.text(PLUGINS[name]), "run `make meltano`"


@pytest.mark.parametrize("name", PLUGINS)
def test_every_setting_is_declared_and_secrets_are_sensitive(name):
    declared = yaml.safe_load((write_plugins.FOLDER / f"{name}.yml").read_text("utf-8"))["plugins"]
    ((kind, (plugin,)),) = declared.items()
    assert kind == ("extractors" if name.startswith("tap-") else "loaders")
    assert (plugin["namespace"], plugin["executable"]) == (name.replace("-", "_"), name)
    assert "pip_url" not in plugin
    settings = {setting["name"]: setting for setting in plugin["settings"]}
    own = PLUGINS[name].config_jsonschema["properties"]
    assert own.keys() <= settings.keys()
    assert {n for n, s in settings.items() if s.get("sensitive")} == {n for n, s in own.items() if s.get("secret")}
    assert plugin["settings_group_validation"][0] == PLUGINS[name].config_jsonschema["required"]


def test_nothing_in_the_project_asks_the_hub_or_tells_anyone():
    assert PROJECT["send_anonymous_usage_stats"] is False
    assert PROJECT["cli"] == {"disable_version_check": True}
    assert PROJECT["requires_meltano"] == ">=4.4"


@pytest.mark.parametrize(("environment", "plugin"), CONFIGURED, ids=lambda value: str(value)[:40])
def test_the_projects_configs_are_for_settings_that_there_are(environment, plugin):
    known = write_plugins.settings(PLUGINS[plugin["name"]])
    assert plugin.get("config", {}).keys() <= known.keys(), environment
    for stream in plugin.get("config", {}).get("streams", {}):
        plan(stream, plugin["config"]["streams"], environment)


def test_the_sandbox_environment_has_the_sandboxs_token():
    with sandbox.start("hubspot", records=0) as server:
        token = server.config["access_token"]
    given = {
        plugin["config"]["access_token"]
        for name, plugin in CONFIGURED
        if name == "sandbox" and "hubspot" in plugin["name"]
    }
    assert given == {token}


def test_jobs_and_schedules_are_of_plugins_that_there_are():
    jobs = {job["name"]: job["tasks"] for job in PROJECT["jobs"]}
    assert "demo" in jobs
    assert {name for tasks in jobs.values() for task in tasks for name in task.split()} <= PLUGINS.keys()
    assert {schedule["job"] for schedule in PROJECT["schedules"]} <= jobs.keys()
    assert "@daily" in {schedule["interval"] for schedule in PROJECT["schedules"]}
