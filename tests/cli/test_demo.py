"""`antiphon demo`: the main job with the real commands, on a sandbox of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from antiphon.cli import demo, people
from antiphon.cli.demo import DemoError, Stage

ROOT = Path(__file__).parents[2]
RECORDS = 200
CONTACTS = [
    {
        "email": f"person{n}@example.com",
        "firstname": "Ada",
        "lastname": "King",
        "jobtitle": None,
        "lifecyclestage": "lead",
    }
    for n in range(RECORDS)
]


def stage(folder):
    return Stage(folder, dict(os.environ), Console())


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """One whole demo whose files were kept: its output and its folder."""
    folder = tmp_path_factory.mktemp("demo") / "kept"
    command = [sys.executable, "-m", "antiphon.cli", "demo", "--records", str(RECORDS), "--keep", str(folder)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout, folder


def lines_of(output):
    """Return the shell lines that a demo printed."""
    return [line.removeprefix("$ ") for line in output.splitlines() if line.startswith("$ ")]


def shown_in(output, name):
    """Return the number beside *name* in a table."""
    [found] = re.findall(rf"^ *{re.escape(name)} +([\d,]+) *$", output, re.MULTILINE)
    return int(found.replace(",", ""))


def test_what_became_of_everybody_is_shown(played):
    output, _ = played
    assert shown_in(output, "created") == RECORDS // 10
    assert shown_in(output, "updated") == RECORDS // 20
    assert shown_in(output, "unchanged") == RECORDS // 20
    assert shown_in(output, "rejected") == 5
    assert "jonas@nowhere" in output
    assert "Email address jonas@nowhere is invalid" in output
    assert "very important was not one of the allowed options" in output
    assert f"{RECORDS // 10 + RECORDS // 20} contacts in" in output


def test_piped_it_is_plain_text_of_a_readable_width(played):
    output, _ = played
    assert "\x1b" not in output
    tables = [line for line in output.splitlines() if not line.startswith(("$", "The files"))]
    assert max(map(len, tables)) <= 120


def test_the_printed_lines_can_be_pasted_and_do_the_same_again(played):
    output, folder = played
    before = (folder / "changes.jsonl").read_bytes().count(b'"RECORD"')
    for name in ("hubspot.jsonl", "state.json", "changes.jsonl", "receipts.jsonl", "rejects.jsonl", "written.json"):
        (folder / name).unlink()
    script = "\n".join(["set -eo pipefail", *lines_of(output), "kill %1"])
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert (folder / "changes.jsonl").read_bytes().count(b'"RECORD"') == before
    assert (folder / "rejects.jsonl").read_bytes().count(b'"RECORD"') == 5


def test_it_leaves_no_sandbox_and_no_folder_behind_when_it_is_ended(tmp_path):
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-u", "-m", "antiphon.cli", "demo", "--records", "2000"]
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            port = next(int(line.split()[-2]) for line in child.stdout if line.startswith("$ antiphon sandbox"))
            next(line for line in child.stdout if line.startswith("$ tap-hubspot"))
        finally:
            child.send_signal(signal.SIGTERM)
        child.communicate(timeout=20)
    assert child.returncode == 143
    assert not list(tmp_path.iterdir())
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_folder_that_holds_something_is_not_used(run, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mine.txt").touch()
    ran = run("demo", "--keep", "kept")
    assert ran.code == 1
    assert "kept is not empty" in ran.err
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["mine.txt"]


def test_a_command_that_is_not_installed_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = run("demo")
    assert ran.code == 1
    assert ran.err.startswith("antiphon: demo: the command antiphon is not installed. ")


def test_a_line_that_fails_is_told_with_its_last_words(tmp_path):
    with pytest.raises(DemoError, match=r"demo: echo it broke >&2; exit 3 -> exit code 3\. It said: it broke"):
        demo.run(stage(tmp_path), "echo it broke >&2; exit 3")


def test_a_failure_inside_a_pipe_counts(tmp_path):
    with pytest.raises(DemoError, match="exit code 4"):
        demo.run(stage(tmp_path), "(exit 4) | cat")


def test_outcomes_other_than_those_due_end_the_demo(tmp_path):
    (tmp_path / "receipts.jsonl").write_text('{"type": "RECORD", "record": {"outcome": "created"}}\n')
    (tmp_path / "rejects.jsonl").write_text("")
    with pytest.raises(DemoError, match="'created': 1"):
        demo.show_outcomes(stage(tmp_path), people.people(CONTACTS))


def test_changes_other_than_those_written_end_the_demo(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "run", lambda *_: 0.1)
    (tmp_path / "changes.jsonl").write_text('{"type": "RECORD", "stream": "contacts", "record": {"id": "2"}}\n')
    written = [{"outcome": "created", "remote_id": "1"}, {"outcome": "rejected", "remote_id": None}]
    with pytest.raises(DemoError, match="1 contacts came, where the 1 that were written were due"):
        demo.read_changes(stage(tmp_path), written)


def test_the_people_are_the_same_for_the_same_contacts():
    found = people.people(CONTACTS)
    assert found == people.people(CONTACTS)
    assert (found.changed, found.unchanged, found.new, found.invalid) == (10, 10, 20, 5)
    assert len(found.rows) == 45
    emails = [row[0] for row in found.rows if row[0]]
    assert len(set(emails)) == len(emails)


def test_the_unchanged_are_as_the_api_has_them_and_the_changed_are_not():
    found = people.people(CONTACTS)
    assert {row[3] for row in found.rows[: found.changed]} == {"Chief of Something New"}
    assert {row[1:] for row in found.rows[found.changed : 2 * found.changed]} == {("Ada", "King", "", "lead")}
