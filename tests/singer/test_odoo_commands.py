"""tap-odoo and target-odoo as commands, and the SDK's own tests for taps on tap-odoo."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.testing import get_tap_test_class

from antiphon import apis
from antiphon.sandbox import start
from antiphon.sandbox.server import Server
from tap_odoo import TapOdoo

BIN = Path(sys.executable).parent
SUITE = start("odoo", records=12, counts={"project.project": 3, "event.event": 3, "hr.employee": 3})
atexit.register(SUITE.stop)
#: By model, what the sandbox leaves empty: the suite wants a value in each field.
VALUES: dict[str, dict[str, Any]] = {
    "project.project": {"date_start": "2026-01-31", "date": "2026-12-31", "company_id": 1},
    "crm.lead": {"date_deadline": "2026-01-31", "date_closed": "2026-01-31 09:05:00", "team_id": 1, "company_id": 1},
    "sale.order": {"validity_date": "2026-01-31", "team_id": 1},
    "hr.employee": {"birthday": "1990-01-31", "user_id": 2},
    "event.event": {"organizer_id": 1, "user_id": 2, "company_id": 1},
    "event.registration": {"date_closed": "2026-01-31 09:05:00", "partner_id": 1, "company_id": 1},
    "account.move": {"invoice_user_id": 2},
    "account.move.line": {"product_id": 1, "analytic_distribution": False},
    "project.task": {"partner_id": 1, "company_id": 1},
    "product.template": {"company_id": 1},
    "res.country": {"currency_id": 1},
    "res.partner": {"state_id": 1, "company_id": 1, "currency_id": 1},
}
for model, values in VALUES.items():
    SUITE.app.edit(model, values)
for model in ("hr.employee", "project.task"):
    SUITE.app.edit(model, {"parent_id": 1}, ids=[2])
[ticket] = SUITE.app.add("event.event.ticket", {"name": "All", "event_id": 1})
SUITE.app.edit("event.registration", {"event_ticket_id": ticket})

#: `analytic_distribution` has none, for it may be of any type by its schema, and no value is of all.
pytestmark = pytest.mark.filterwarnings("ignore:No records were available to test:UserWarning")


ODOO = apis.load("odoo")


class Usual(TapOdoo):
    """The suite reads every stream that is listed, selected or not: here the usual ones are listed, as far as the sandbox has them."""

    api = replace(ODOO, discover=None, resources=tuple(r for r in ODOO.resources if r.name != "purchase_order"))


TestTapOdoo = get_tap_test_class(Usual, config={**SUITE.config, "protocol": "json2"}, parse_env_config=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with start("odoo", records=40) as running:
        yield running


def run(
    name: str, config: dict[str, Any], folder: Path, *args: str, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run a command with nothing of the user's around it."""
    (folder / "config.json").write_text(json.dumps({"state_dir": str(folder / "state"), **config}))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LOGLEVEL": "WARNING"}
    command = [BIN / name, "--config", "config.json", *args]
    return subprocess.run(
        command, input=given, capture_output=True, check=False, timeout=60, cwd=folder, env=environment
    )


def messages(out: bytes, kind: str) -> list[dict[str, Any]]:
    return [m for line in out.splitlines() if (m := json.loads(line))["type"] == kind]


def test_a_tap_without_a_catalog_reads_the_usual_models(server, tmp_path):
    done = run("tap-odoo", server.config, tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    streams = {message["stream"] for message in messages(done.stdout, "RECORD")}
    assert {"partner", "user", "company", "lead", "sale_order", "invoice", "event", "registration"} <= streams
    assert not any("_" in stream and stream.startswith(("ir_", "res_")) for stream in streams)


def test_what_one_odoo_has_is_piped_into_another(server, tmp_path):
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": [
        {"tap_stream_id": "partner", "stream": "partner", "schema": {},
         "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}]},
    ]}))  # fmt: skip
    read = run("tap-odoo", server.config, tmp_path, "--catalog", "catalog.json")
    assert read.returncode == 0, read.stderr.decode()
    rows = [message["record"] for message in messages(read.stdout, "RECORD")]
    assert len(rows) == 40
    with start("odoo", records=0) as other:
        kept = {name: name for name in ("name", "email", "city", "active", "country_id_name")}
        maps = {"partner": {"__else__": None, "id": "str(id)", **kept, "__key_properties__": ["id"]}}
        fields = {"external_id": "id", "country_id": "country_id_name"}
        config = {**other.config, "streams": {"partner": {"fields": fields}}, "stream_maps": maps}
        for outcome in "40 created", "40 unchanged":
            written = run("target-odoo", config, tmp_path, given=read.stdout)
            said = written.stderr.decode()
            assert written.returncode == 0, said
            assert outcome in said
        app: Any = other.app
        there = {row["name"]: row for row in app.records("res.partner")}
        for row in rows:
            found = there[row["name"]]
            assert (found["city"], found["active"]) == (row["city"] or False, row["active"])
            assert found["country_id"] == (row["country_id"] or False)


def test_a_wrong_key_is_one_line_and_exit_code_1(server, tmp_path):
    for name in "tap-odoo", "target-odoo":
        done = run(name, {**server.config, "protocol": "json2", "api_key": "n0-such-key"}, tmp_path,
                   given=b'{"type":"SCHEMA","stream":"partner","schema":{"properties":{"name":{}}},"key_properties":[]}\n')  # fmt: skip
        said = done.stderr.decode()
        assert done.returncode == 1, said
        assert "Invalid apikey" in said
        assert "api_key" in said
        assert "n0-such-key" not in said
        assert "Traceback" not in said


def test_a_missing_database_is_one_line(server, tmp_path):
    config = {name: value for name, value in server.config.items() if name not in {"database", "api_key"}}
    done = run("tap-odoo", config, tmp_path)
    assert done.returncode == 1
    said = done.stderr.decode().rstrip().splitlines()[-1]
    assert "odoo: the setting database is missing. Give the name of the database; on Odoo Online it is" in said


def test_the_settings_are_tested_without_writing_anything(server, tmp_path):
    given = b'{"type":"SCHEMA","stream":"meltano_test_stream","schema":{"properties":{"id":{}}},"key_properties":[]}\n'
    done = run("target-odoo", server.config, tmp_path, given=given)
    assert done.returncode == 0, done.stderr.decode()


def test_without_credentials_the_usual_streams_are_listed(tmp_path):
    done = run("tap-odoo", {}, tmp_path, "--discover")
    assert done.returncode == 0, done.stderr.decode()
    names = {stream["tap_stream_id"] for stream in json.loads(done.stdout)["streams"]}
    assert {"partner", "product", "lead", "sale_order", "invoice", "project", "task", "employee", "event"} <= names
