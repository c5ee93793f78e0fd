"""What a value of a description may be, said on its type: lint goes by it, and the JSON Schema has it.

``calls: Annotated[float, Span(above=0)]`` is a number above 0. Which words there are is said by ``Literal``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any


@dataclass(frozen=True)
class Span:
    """Numbers from *least* on, or above *above*; up to *most*."""

    least: float = -math.inf
    above: float = -math.inf
    most: float = math.inf

    def holds(self, number: float) -> bool:
        """Return whether *number* is one of them."""
        return self.least <= number <= self.most and number > self.above

    @property
    def wanted(self) -> str:
        """What is wanted, in words."""
        if self.above > -math.inf:
            return f"a number above {self.above:g}"
        if self.most == math.inf:
            return f"a number from {self.least:g} on"
        return f"a number from {self.least:g} to {self.most:g}"

    def schema(self) -> dict[str, Any]:
        """Return the keywords of JSON Schema that say the same."""
        said = {"minimum": self.least, "exclusiveMinimum": self.above, "maximum": self.most}
        return {keyword: number for keyword, number in said.items() if math.isfinite(number)}


@dataclass(frozen=True)
class Written:
    """Texts in which *pattern* is found, a regular expression of JSON Schema; *wanted* says in words what they are."""

    pattern: str
    wanted: str

    def holds(self, text: str) -> bool:
        """Return whether *text* is one of them."""
        return bool(re.search(self.pattern.replace("$", r"\Z"), text))  # the end, as JSON Schema means it

    def schema(self) -> dict[str, Any]:
        """Return the keywords of JSON Schema that say the same."""
        return {"pattern": self.pattern}


Count = Annotated[int, Span(least=1)]
"""How many: one or more."""
Place = Annotated[int, Span(least=0)]
"""A number to count from, or of what may be none."""
Seconds = Annotated[float, Span(above=0)]
"""A time that passes."""
Wait = Annotated[float, Span(least=0)]
"""Seconds that may be none."""
Status = Annotated[int, Span(least=100, most=599)]
"""An HTTP status."""
Refusal = Annotated[int, Span(least=400, most=499)]
"""An HTTP status that says that what was asked is wrong."""
Url = Annotated[str, Written(r"^$|^\{|^[Hh][Tt][Tt][Pp][Ss]?://[^\s/]", "a URL that begins with https:// or http://")]
"""An absolute URL; what a setting holds is not seen here. None where it is empty."""
Method = Annotated[str, Written("^[A-Z]+$", "a method in capitals, such as GET or POST,")]
"""A method of HTTP, or of an API's own."""
Letter = Annotated[str, Written(r"^[^\r\n]$", "one character")]
"""A single character."""
