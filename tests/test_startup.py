"""What is loaded when a command starts: what it uses, and no more. Modules are counted, not seconds."""

import gc
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from antiphon import auth, formats, launch, paging, style
from antiphon.sandbox import start
from antiphon.singer.spared import spared

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
    "antiphon.auth.oauth2",
    "antiphon.cli",
    "antiphon.description",
    "antiphon.formats.as_csv",
    "antiphon.formats.as_xml",
    "antiphon.openapi",
    "antiphon.paging.places",
    "antiphon.paging.turns",
    "antiphon.sandbox",
    "antiphon.script",
    "antiphon.sources",
    "antiphon.style.envelopes",
    "asyncio",
    "authlib",
    "backoff",
    "botocore",
    "fsspec",
    "joblib",
    "multiprocessing",
    "rich",
    "sqlalchemy",
    "upath",
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


@pytest.mark.parametrize("package", [auth, formats, paging, style])
def test_a_package_of_kinds_has_what_it_names(package):
    named = [getattr(package, name) for name in package.__all__]
    assert all(kind in named for kind in package.KINDS.values())
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = package.Nothing


def test_importing_leaves_the_collector_at_work():
    with launch.importing():
        assert not gc.isenabled()
    assert gc.isenabled()


AS_EVER = """
from antiphon.singer import UNUSED
import sys
assert not sys.modules.keys() & set(UNUSED)
from singer_sdk.helpers._batch import StorageTarget
from singer_sdk.streams import rest
from singer_sdk import target_base
with StorageTarget(sys.argv[1]).open("a", "wb") as file:
    file.write(b"written")
waits = rest.RESTStream.backoff_wait_generator(None)
assert target_base.Parallel(n_jobs=1)(target_base.delayed(abs)(n) for n in (-1, -2)) == [1, 2]
import backoff, joblib, upath
assert type(waits) is type(backoff.expo()) and waits.gi_code is backoff.expo().gi_code
assert isinstance(upath.UPath, type) and isinstance(joblib.Parallel, type) and backoff.expo.__module__.startswith("backoff")
"""


def test_what_the_sdk_has_of_packages_that_are_spared_works_when_it_is_called(tmp_path):
    subprocess.run([sys.executable, "-c", AS_EVER, tmp_path.as_uri()], cwd=ROOT, check=True, timeout=60)
    assert (tmp_path / "a").read_text() == "written"


def test_who_needs_more_of_a_package_than_a_call_imports_it(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "needed_package.py").write_text("class Base: pass")
    (tmp_path / "needing.py").write_text("from needed_package import Base\nclass Derived(Base): pass")
    with pytest.raises(TypeError), spared("needed_package"):
        import_module("needing")
    assert import_module("needing").Derived.__mro__[1].__module__ == "needed_package"


def test_a_package_that_is_there_is_not_replaced():
    with spared("json"):
        assert sys.modules["json"] is json
    assert sys.modules["json"] is json


def test_a_description_loads_the_kinds_that_it_names():
    code = "import json, sys; from antiphon import apis; apis.load('examples/sap_cap.yaml'); print(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    modules = set(json.loads(done.stdout))
    assert {"antiphon.auth.keys", "antiphon.style.odata", "antiphon.paging.links"} <= modules
    unused = {"auth.oauth2", "auth.session", "formats.as_xml", "paging.turns", "style.envelopes"}
    assert not modules & {f"antiphon.{name}" for name in unused}
