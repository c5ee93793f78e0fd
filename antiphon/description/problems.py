"""What is wrong with a description, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from antiphon.description.nodes import Mark, Node
from antiphon.errors import DescriptionError

_LISTED = 30
"""Words in one hint, at most."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong: its line and column (from 1; 0: it has none), and the path of names to it."""

    mark: Mark
    path: str
    message: str
    hint: str = ""

    def told(self, where: str) -> str:
        """Return the one line that says it of the description *where*: ``my.yaml:3:5: resources.people: …``."""
        line, column = self.mark
        place = f"{where}:{line}:{column}" if line else where
        return str(DescriptionError(": ".join(filter(None, (place, self.path, self.message))), hint=self.hint))


@dataclass(frozen=True)
class Placeholder:
    """A placeholder at a node, and what may be named there besides settings."""

    node: Node
    path: str
    name: str
    known: frozenset[str]


@dataclass(frozen=True)
class Need:
    """The settings that what stands at a node cannot do without, and those that it can."""

    node: Node
    path: str
    settings: tuple[str, ...]
    heeded: tuple[str, ...]


@dataclass
class Findings:
    """What a reading found: problems, and what can be judged only when all was read."""

    problems: list[Problem] = field(default_factory=list)
    placeholders: list[Placeholder] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)

    def wrong(self, where: Node | Mark | None, path: str, message: str, hint: str = "") -> None:
        """Note a problem."""
        mark = where.mark if isinstance(where, Node) else where
        self.problems.append(Problem(mark or (0, 0), path, message, hint))

    def in_order(self) -> list[Problem]:
        """Return the problems in the order of the text; one in a part that aliases repeat is told once."""
        once: dict[object, Problem] = {}
        for problem in self.problems:
            once.setdefault((problem.mark, problem.message) if problem.mark != (0, 0) else problem, problem)
        return sorted(once.values())


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the hint which word was meant; empty where none is near."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f'Did you mean "{close[0]}"?' if close else ""


def near(word: str, known: Iterable[str]) -> str:
    """Return the hint which word was meant; where none is near, which there are."""
    words = sorted(known)
    shown = ", ".join(words[:_LISTED]) + (f" and {len(words) - _LISTED} more" if len(words) > _LISTED else "")
    return nearest(word, words) or (f"There are: {shown}." if words else "")
