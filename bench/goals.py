"""What each part of the bench is to reach, and has: a table that parts print and the page collects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

HEAD = "| goal | at least | reached |\n|---|---|---|\n"
_TABLE = re.compile(re.escape(HEAD) + r"((?:\|.*\n?)+)")


@dataclass(frozen=True)
class Goal:
    """Something that is to be reached, in words."""

    what: str
    least: str
    """What is asked; at the most, where less is better."""
    reached: str


@dataclass(frozen=True)
class Missed:
    """A goal of CPU that was missed, in microseconds for each record: what it asks for, what ours takes, and for its start alone."""

    what: str
    asked: float
    ours: float
    start: float


def faster(what: str, least: float, reached: float) -> Goal:
    """Return a goal of so many times less."""
    return Goal(what, f"{least:g} times", f"{reached:.1f} times{'' if reached >= least else ', missed'}")


def within(what: str, most: float, reached: float, unit: str = "") -> Goal:
    """Return a goal that is a bound."""
    return Goal(what, f"within {most:g}{unit}", f"{reached:.3g}{unit}{'' if reached <= most else ', missed'}")


def share(what: str, least: float, reached: float, refused: int) -> Goal:
    """Return a goal of so large a share of a limit, without a call too many."""
    missed = "" if reached >= least and not refused else ", missed"
    return Goal(what, f"{least:.0%}, no 429", f"{reached:.1%}, {refused or 'no'} 429{missed}")


def room(missed: Sequence[Missed], floors: Mapping[str, float]) -> str:
    """Return as a table what goals that were *missed* ask for, beside what the *floors* take for each record; nothing where none was."""
    if not missed:
        return ""
    head = "".join(f" {name} |" for name in floors)
    rows = "".join(
        f"| {one.what} | {one.asked:.1f} | {one.ours:.1f} | {one.start:.1f} |"
        + "".join(f" {each:.1f} |" for each in floors.values())
        + "\n"
        for one in missed
    )
    return f"| missed, CPU µs/record | asked | ours | its start alone |{head}\n|---|---|---|---|{'---|' * len(floors)}\n{rows}"


def table(goals: Sequence[Goal]) -> str:
    """Return *goals* as a table, or nothing for none."""
    return HEAD + "".join(f"| {goal.what} | {goal.least} | {goal.reached} |\n" for goal in goals) if goals else ""


def taken(text: str) -> tuple[list[Goal], str]:
    """Return the goals in what a part printed, and the rest of it."""
    goals = [
        Goal(*(cell.strip() for cell in row.strip("| ").split("|")))
        for found in _TABLE.finditer(text)
        for row in found[1].splitlines()
    ]
    return goals, re.sub(r"\n{3,}", "\n\n", _TABLE.sub("", text)).strip()
