"""`antiphon new`: the beginning of an API that works before it is changed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon import apis, scaffold
from tap_universal import TapUniversal

ROOT = Path(__file__).parents[2]


def checkout(folder):
    """Make *folder* look like a checkout of this project."""
    for path in ("antiphon/apis/__init__.py", "taps/tap_x.py", "targets/target_x.py", "pyproject.toml"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def test_elsewhere_the_files_stand_side_by_side_and_their_test_passes(run, tmp_path):
    ran = run("new", "my-api", "--python")
    assert ran.code == 0
    made = sorted(path.name for path in (tmp_path / "my_api").iterdir())
    assert made == ["my_api.py", "tap_my_api.py", "target_my_api.py", "test_my_api.py"]
    for name in made:
        assert name in ran.out
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_api.py"]
    env = {"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(tmp_path)}
    tested = subprocess.run(
        command, cwd=tmp_path / "my_api", env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert tested.returncode == 0, tested.stdout
    assert "2 passed" in tested.stdout


def test_in_yaml_it_is_one_file_that_describes_the_same_api(run, tmp_path):
    ran = run("new", "my-api")
    assert ran.code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["my_api.yaml"]
    (tmp_path / "my_api.py").write_text(scaffold.description("my_api"))
    assert apis.load("my_api.yaml") == apis.load("my_api.py")
    assert "MY_API_ACCESS_TOKEN" in (tmp_path / "my_api.yaml").read_text()


def test_the_steps_that_follow_can_be_typed(run, tmp_path, requests_mock):
    steps = [line.split(". ", 1)[1] for line in run("new", "my_api").out.split("Next:\n")[1].splitlines()]
    typed = [step.partition("  #")[0].split()[1:] for step in steps if step.startswith("antiphon ")]
    assert [words[0] for words in typed] == ["lint", "apis", "infer"]
    requests_mock.get("https://api.example.com/v1/people", json={"items": [{"id": "1", "size": 2}], "next": None})
    for words in typed:
        settings = ["--set", "access_token=made-up"] if words[0] == "infer" else []
        assert run(*words, *settings).code == 0
    assert "size: integer" in (tmp_path / "my_api.yaml").read_text()


def test_what_it_says_of_tap_universal_works_to_the_letter(run, tmp_path, requests_mock, capsys):
    last = run("new", "my_api").out.strip().splitlines()[-1].split(". ", 1)[1]
    variable, *command = last.split()
    assert command == ["tap-universal", "--discover"]
    env = {"PYTHONPATH": f"{ROOT}:{ROOT / 'taps'}", "PATH": "", "HOME": str(tmp_path)} | dict([variable.split("=")])
    listed = subprocess.run(
        [sys.executable, "-m", "tap_universal", "--discover"], cwd=tmp_path, env=env, capture_output=True, check=True
    )
    assert [stream["tap_stream_id"] for stream in json.loads(listed.stdout)["streams"]] == ["people"]
    people = [{"id": str(number), "updated_at": f"2026-01-0{number}T00:00:00Z"} for number in (1, 2)]
    pages = [{"json": {"items": people[:1], "next": "b"}}, {"json": {"items": people[1:], "next": None}}]
    requests_mock.get("https://api.example.com/v1/people", pages)
    TapUniversal(config={"api": "my_api.yaml", "access_token": "made-up"}).sync_all()
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [m["record"]["id"] for m in said if m["type"] == "RECORD"] == ["1", "2"]


def test_in_a_checkout_the_files_go_into_their_places(run, tmp_path):
    checkout(tmp_path)
    ran = run("new", "my_api")
    assert ran.code == 0
    for path in (
        "antiphon/apis/my_api.py",
        "taps/tap_my_api.py",
        "targets/target_my_api.py",
        "tests/apis/test_my_api.py",
    ):
        assert (tmp_path / path).is_file()
        assert path in ran.out
    assert 'tap-my-api = "antiphon.launch:tap_my_api"' in ran.out
    assert 'target-my-api = "antiphon.launch:target_my_api"' in ran.out
    assert run("new", "other", "--yaml").code == 0
    assert (tmp_path / "other.yaml").is_file()


def test_the_folder_can_be_named(run, tmp_path):
    assert run("new", "my_api", "--python", "--dir", "elsewhere").code == 0
    assert (tmp_path / "elsewhere" / "my_api.py").is_file()
    assert run("new", "my_api", "--dir", "elsewhere").code == 0
    assert (tmp_path / "elsewhere" / "my_api.yaml").is_file()


def test_nothing_is_ever_overwritten(run, tmp_path):
    (tmp_path / "my_api").mkdir()
    (tmp_path / "my_api" / "tap_my_api.py").write_text("mine")
    ran = run("new", "my_api", "--python")
    assert ran.code == 1
    assert "tap_my_api.py is there already" in ran.err
    assert [path.name for path in (tmp_path / "my_api").iterdir()] == ["tap_my_api.py"]
    assert (tmp_path / "my_api" / "tap_my_api.py").read_text() == "mine"


@pytest.mark.parametrize("name", ["9lives", "a b", "../up", "class", "hubspot", "HubSpot"])
def test_a_name_that_cannot_be_is_refused(run, tmp_path, name):
    ran = run("new", name)
    assert ran.code == 1
    assert ran.err.startswith("antiphon: new: ")
    assert not list(tmp_path.iterdir())


def test_what_is_written_passes_the_projects_own_lint():
    for path, text in scaffold.files("my_api", ROOT).items():
        # ruff sorts imports by which files exist, and these do not yet
        for command in (["format", "--check"], ["check", "--ignore", "I001"]):
            ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", "--stdin-filename", str(path), "-"]
            ran = subprocess.run(ruff, input=text, cwd=ROOT, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_description_is_about_25_lines_long():
    lines = scaffold.description("my_api").splitlines()
    assert len(lines) - lines.index("my_api = Api(") <= 27


def test_the_plugins_beside_a_description_are_named_after_it(run, tmp_path):
    run("new", "my_api", "--python")
    env = {"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(tmp_path)}
    for kind in ("tap", "target"):
        command = [sys.executable, f"{kind}_my_api.py", "--about", "--format", "json"]
        about = subprocess.run(
            command, cwd=tmp_path / "my_api", env=env, capture_output=True, text=True, timeout=60, check=True
        )
        told = json.loads(about.stdout)
        assert told["name"] == f"{kind}-my-api"
        assert "access_token" in told["settings"]["properties"]
