"""The descriptions in ``examples/``: sound, short, told of, and each of them run for real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from antiphon import description
from tests.real.test_examples import EXAMPLES, FOLDER

FILES = sorted(FOLDER.glob("*.yaml"))
MOST_LINES = 60
SHORT = 30
"""Lines, without those that are empty or hold a comment alone."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_is_sound_short_and_begins_with_what_it_is(file: Path):
    assert description.problems(file) == []
    lines = file.read_text("utf-8").splitlines()
    assert len(lines) < MOST_LINES
    assert re.match(r"# \w.*\.|# \w.*/", lines[0])


def test_most_examples_are_told_in_under_thirty_lines():
    said = [[line for line in file.read_text("utf-8").splitlines() if re.match(r"\s*[^\s#]", line)] for file in FILES]
    assert sum(len(lines) < SHORT for lines in said) > len(FILES) / 2


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_is_named_like_its_file_and_says_what_its_secrets_are(file: Path):
    api = description.load(file)
    assert api.name == file.stem
    secret = [setting.name for setting in api.settings if setting.secret]
    assert all(re.search("secret|password|token|key", name) for name in secret)
    assert secret


def test_every_example_is_in_the_table_and_run_for_real():
    table = re.findall(r"^\| \[(\w+)\.yaml\]\(\1\.yaml\) \|", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE)
    assert table == [file.stem for file in FILES] == sorted(EXAMPLES)
