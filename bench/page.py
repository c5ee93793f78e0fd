"""The page of results: what is to be reached and was, then each part as it printed it, with its command, day and commit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import goals
from goals import Goal

GOALS = "| goal | at least | reached | part |\n|---|---|---|---|\n"
_COMMIT = re.compile(r", at (\w+(?:, changed since)?)$")
_PART = re.compile(r"^## (.+)\n\n", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """What a part printed, and how it was run."""

    how: str
    text: str
    reached: tuple[Goal, ...] = ()


def section(how: str, printed: str) -> Section:
    """Return the section of a part that *printed* this when it was run as *how* says."""
    reached, text = goals.taken(printed)
    return Section(how, text, tuple(reached))


def mixed(sections: Mapping[str, Section]) -> str:
    """Return a line that names the commits at which the parts were measured, where it was not one; else nothing."""
    commits: dict[str, list[str]] = {}
    for part, measured in sections.items():
        if found := _COMMIT.search(measured.how):
            commits.setdefault(found[1], []).append(part)
    if len(commits) < 2:
        return ""
    told = "; ".join(f"{commit}: {', '.join(parts)}" for commit, parts in commits.items())
    return f"**Its parts were measured at different commits**, and do not show one state of the code: {told}.\n\n"


def written(heading: str, titles: Mapping[str, str], sections: Mapping[str, Section], notes: str) -> str:
    """Return the page, its parts in the order of *titles*, with *notes* at the end."""
    rows = "".join(
        f"| {goal.what} | {goal.least} | {goal.reached} | {part} |\n"
        for part in titles
        if part in sections
        for goal in sections[part].reached
    )
    parts = "".join(
        f"## {titles[part]}\n\n{sections[part].how}\n\n{sections[part].text}\n\n" for part in titles if part in sections
    )
    return f"# Measured\n\n{mixed(sections)}{heading}\n\n{GOALS}{rows}\n{parts}{notes.strip()}".rstrip() + "\n"


def read(text: str, titles: Mapping[str, str]) -> dict[str, Section]:
    """Return the sections of a page that was written earlier, by part."""
    names = {title: part for part, title in titles.items()}
    reached: dict[str, list[Goal]] = {}
    table = text.partition(GOALS)[2].partition("\n\n")[0]
    for row in table.splitlines():
        what, least, got, part = (cell.strip() for cell in row.strip("| ").split("|"))
        reached.setdefault(part, []).append(Goal(what, least, got))
    _, *found = _PART.split(text)
    sections = {}
    for title, body in zip(found[::2], found[1::2], strict=True):
        if part_ := names.get(title):
            how, _, printed = body.strip().partition("\n\n")
            sections[part_] = Section(how, printed, tuple(reached.get(part_, ())))
    return sections
