"""The parts of the bench at tiny counts; the stock sides are those of the SDK that is installed here."""

import subprocess
import sys
from pathlib import Path

import goals
import memory
import peers
import pytest
import reading
import writing
from measure import verify
from mockserver import served


@pytest.fixture(autouse=True)
def installed_here(monkeypatch):
    monkeypatch.setattr(peers, "python", lambda peer: Path(sys.executable))


@pytest.mark.parametrize(("stream", "count"), [("contacts", 300), ("items", 2000)])
def test_a_tap_is_measured_beside_the_stock_one_and_what_they_write_means_the_same(stream, count, capsys):
    runs = reading.measured(stream, count, rounds=1, slow=1, alone=True)
    reached = reading.table(stream, count, runs)
    assert [goal.what for goal in reached if "singer-sdk" in goal.what] == [f"tap, {stream}: CPU against singer-sdk"]
    said = capsys.readouterr().out
    assert f"| tap, {stream} | CPU, ours = 1 |" in said
    assert ("\n| antiphon, without libcurl |" in said) is (stream == "contacts")
    assert "A quick run: 1 of the 5 rounds" in said
    assert "\n| antiphon | 1.0 |" in said


@pytest.mark.parametrize(("stream", "count"), [("contacts", 300), ("items", 2000)])
def test_both_floors_write_every_record_and_the_raw_one_the_very_bytes(stream, count, tmp_path):
    with served(count, count) as at:
        floors = reading.Bench(stream, tmp_path, at).floors()
        wrote = [tmp_path / side.name for side in floors]
        for side, path in zip(floors, wrote, strict=True):
            verify(side, count, path)
    decoded, raw = ([reading.meaning(line) for line in reading.records(path)] for path in wrote)
    assert decoded == raw


def test_taps_that_do_not_write_the_same_are_told(tmp_path):
    for name, amount in (("ours", "1.50"), ("stock", "1.5"), ("other", "1.51")):
        (tmp_path / name).write_text(f'{{"type":"RECORD","record":{{"amount":{amount}}}}}\n')
    reading.compare(tmp_path / "ours", tmp_path / "stock")
    with pytest.raises(SystemExit, match="not the same"):
        reading.compare(tmp_path / "ours", tmp_path / "other")


def test_targets_say_how_many_they_took(tmp_path):
    ours, decoded, floor, stock, _ = writing.sides(tmp_path, 500, slow=1)
    for side in (ours, decoded, floor, stock):
        verify(side, 500, tmp_path / "out")
        with pytest.raises(SystemExit, match="500 records came, where 499 were due"):
            verify(side, 499, tmp_path / "out")


def test_memory_is_told_for_each_count_and_all_are_written():
    command = [sys.executable, memory.__file__, "--most", "40", "--written", "4"]
    said = subprocess.run(
        command, capture_output=True, text=True, check=True
    ).stdout  # a child is charged with its parent's memory
    reached, rest = goals.taken(said)
    assert [goal.least for goal in reached] == ["within 120 MB", "within 10 MB"] * 3
    assert [row.split(" | ")[1] for row in rest.splitlines()[2:]] == ["8", "40", "8", "40", "4"]
