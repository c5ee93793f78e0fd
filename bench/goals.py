"""What each part of the bench is to reach, and has: a table that parts print and the page collects."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
