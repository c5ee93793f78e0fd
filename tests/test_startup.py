"""What is loaded when a command starts: what it uses, and no more. Modules are counted, not seconds."""

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon import auth, launch, style
from antiphon.sandbox import start

ROOT = Path(__file__).parent.parent
RUN = """
import json, sys
from antiphon import launch
name, sys.argv = sys.argv[1], sys.argv[1:]
try:
    getattr(launch, name)()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
UNUSED = {
    "antiphon.apis.pretix",
    "antiphon.auth.jwt",
    "antiphon.auth.kinds",
    "antiphon.auth.oauth2",
    "antiphon.cli",
    "antiphon.description",
    "antiphon.openapi",
    "antiphon.sandbox",
    "antiphon.script",
    "antiphon.sources",
    "antiphon.style.envelopes",
    "antiphon.style.kinds",
    "authlib",
    "botocore",
    "rich",
    "sqlalchemy",
    "yaml",
}
"""What neither a tap nor a target of HubSpot uses."""


@pytest.fixture(scope="module")
def hubspot():
    with start("hubspot", records=30) as server:
        yield server


@pytest.fixture
def config(hubspot, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**hubspot.config, "state_dir": str(tmp_path)}))
    return path


def ran(*args, stdin=""):
    """Return the names of the modules that are loaded when a run ends, and what it wrote."""
    command = [sys.executable, "-c", RUN, *map(str, args)]
    done = subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(done.stderr.splitlines()[-1])), done.stdout


def test_a_sync_loads_what_it_uses(config, tmp_path):
    _, found = ran("tap_hubspot", "--config", config, "--discover")
    [contacts] = [entry for entry in json.loads(found)["streams"] if entry["tap_stream_id"] == "contacts"]
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps({"streams": [contacts]}))
    modules, written = ran("tap_hubspot", "--config", config, "--catalog", catalog)
    assert written.count('"RECORD"') == 30
    assert "antiphon.auth.keys" in modules
    unused = {*UNUSED, "antiphon.singer.target", "antiphon.writeback", "filelock", "sqlite3"}
    assert not modules & unused


def test_a_target_loads_what_it_uses(config):
    messages = (
        {"type": "SCHEMA", "stream": "contacts", "schema": {"properties": {"email": {}}}, "key_properties": ["email"]},
        {"type": "RECORD", "stream": "contacts", "record": {"email": "new@example.org"}},
    )
    modules, _ = ran("target_hubspot", "--config", config, stdin="\n".join(map(json.dumps, messages)))
    assert "antiphon.writeback.writer" in modules
    assert not modules & {*UNUSED, "antiphon.singer.tap", "antiphon.encode", "antiphon.layout"}


@pytest.mark.parametrize("package", [auth, style])
def test_a_package_of_kinds_has_what_it_names(package):
    assert all(
        getattr(package, name).__module__.startswith(package.__name__)
        for name in set(package.__all__) - {"KINDS", "MEANINGS", "RETRIED"}
    )
    assert set(package.KINDS.values()) <= {
        getattr(package, name) for name in package.__all__ if isinstance(getattr(package, name), type)
    }
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = package.Nothing


def test_importing_leaves_the_collector_at_work():
    with launch.importing():
        assert not gc.isenabled()
    assert gc.isenabled()
