"""The page of results and its picture: what parts print is collected, kept and drawn."""

import xml.etree.ElementTree as ET

import chart
import goals
import page
import pytest
from goals import Goal

import bench

TITLES = {"reading": "CPU of a tap", "calls": "Calls"}
PRINTED = """| tap, items | CPU, ours = 1 | CPU µs/record | peak MB | rounds |
|---|---|---|---|---|
| antiphon | 1.0 | 3.2 | 66 | 3 |
| floor: decode, encode | 0.6 | 1.9 | 33 | 3 |
| singer-sdk | 15.5 | 49.6 | 55 | 3 |

500 items through each.

| goal | at least | reached |
|---|---|---|
| tap, items: CPU against singer-sdk | 15 times | 15.5 times |
"""


def test_goals_are_taken_out_of_what_a_part_prints():
    reached, rest = goals.taken(PRINTED)
    assert reached == [Goal("tap, items: CPU against singer-sdk", "15 times", "15.5 times")]
    assert rest.endswith("500 items through each.")
    assert goals.taken(goals.table([])) == ([], "")


def test_a_goal_that_is_missed_says_so():
    assert goals.faster("x", 8, 7.94) == Goal("x", "8 times", "7.9 times, missed")
    assert goals.faster("x", 8, 8.0).reached == "8.0 times"
    assert goals.share("x", 0.95, 0.96, 0).reached == "96.0%, no 429"
    assert goals.share("x", 0.95, 0.96, 3).reached == "96.0%, 3 429, missed"
    assert goals.within("x", 120, 121, " MB") == Goal("x", "within 120 MB", "121 MB, missed")


def test_what_a_missed_goal_asks_for_stands_beside_the_floors_and_is_no_goal_itself():
    told = goals.room([goals.Missed("8 times singer-sdk", 6.4, 9.4, 2.0)], {"floor": 3.8})
    assert told.splitlines()[0] == "| missed, CPU µs/record | asked | ours | its start alone | floor |"
    assert told.splitlines()[2] == "| 8 times singer-sdk | 6.4 | 9.4 | 2.0 | 3.8 |"
    assert goals.room([], {"floor": 3.8}) == ""
    assert goals.taken(told)[0] == []
    assert chart.bars(told) == {}


def test_a_page_is_read_as_it_was_written_and_parts_that_were_not_run_stay():
    sections = {part: page.section(f"`python {part}.py`, today", PRINTED) for part in TITLES}
    text = page.written("On a machine.", TITLES, sections, "## What could not be reached\n\nNothing.")
    assert page.read(text, TITLES) == sections
    assert text.index("| goal |") < text.index("## CPU of a tap") < text.index("## Calls") < text.index("Nothing.")
    newer = page.read(text, TITLES) | {"calls": page.section("`python calls.py`, tomorrow", "none")}
    again = page.written("On a machine.", TITLES, newer, "")
    assert "`python reading.py`, today" in again
    assert "Nothing." not in again
    assert again.count("15.5 times") == 1


def test_parts_of_different_commits_are_told_at_the_top():
    sections = {
        "reading": page.section("`python reading.py`, 2026-11-27, at 68f2f59", PRINTED),
        "calls": page.section("`python calls.py`, 2026-11-27, at 68f2f59", "none"),
    }
    assert "different commits" not in page.written("On a machine.", TITLES, sections, "")
    sections["calls"] = page.section("`python calls.py`, 2026-11-28, at 7a5394b, changed since", "none")
    text = page.written("On a machine.", TITLES, sections, "")
    assert text.splitlines()[2].startswith("**Its parts were measured at different commits**")
    assert "68f2f59: reading; 7a5394b, changed since: calls." in text.splitlines()[2]
    assert page.read(text, TITLES) == sections


def test_the_page_that_is_there_has_every_part_with_its_command():
    sections = page.read(bench.RESULTS.read_text("utf-8"), bench.PARTS)
    assert list(sections) == list(bench.PARTS)
    assert all(section.how.startswith(f"`python bench/{part}.py") for part, section in sections.items())


def test_each_part_is_a_script_and_has_its_counts_for_a_quick_and_a_full_run():
    assert list(bench.QUICK) == list(bench.FULL) == list(bench.PARTS)
    assert all((bench.HERE / f"{part}.py").exists() for part in bench.PARTS)


def test_the_picture_has_a_bar_for_each_and_ours_stands_out():
    tables = chart.bars(PRINTED)
    assert tables == {"tap, items": [("antiphon", 1.0), ("floor: decode, encode", 0.6), ("singer-sdk", 15.5)]}
    drawn = ET.fromstring(chart.drawn(tables))
    widths = {bar.get("class"): float(bar.get("width")) for bar in drawn.iter("{http://www.w3.org/2000/svg}rect")}
    assert widths["theirs"] > widths["ours"] > widths["floor"]


def test_a_part_that_fails_ends_the_bench(tmp_path, monkeypatch):
    (tmp_path / "calls.py").write_text("print('| found |')\nraise SystemExit(1)\n")
    monkeypatch.setattr(bench, "HERE", tmp_path)
    with pytest.raises(SystemExit, match="bench: calls -> exit code 1"):
        bench.measured("calls", "")
