"""A query in SOQL as a tree: one object, its fields and its parents', conditions, order, limit and offset.

Left out: GROUP BY and aggregates other than `COUNT()`, sub-queries, TYPEOF, and date literals such as `TODAY`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal as OneOf
from typing import NoReturn

from antiphon.sandbox.salesforce import moments
from antiphon.sandbox.salesforce.refusals import Refusal

MAX_LENGTH = 100_000
MAX_OFFSET = 2000
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>'(?:[^'\\]|\\.)*')
  | (?P<moment>\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))?)
  | (?P<clock>\d\d:\d\d:\d\d(?:\.\d+)?Z?)
  | (?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)
  | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_WORDS = {"null": None, "true": True, "false": False}
_SIGNS = {"=", "!=", "<>", "<", "<=", ">", ">="}
Kind = OneOf["text", "number", "boolean", "null", "date", "datetime", "time"]


@dataclass(frozen=True)
class Path:
    """A field, behind the relationships that lead to it. `at` is its offset in the query."""

    parts: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True)
class Literal:
    """A value: text without quotes, a number, true and false, seconds for a datetime, None for null."""

    kind: Kind
    value: str | float | bool | None
    written: str


@dataclass(frozen=True)
class Comparison:
    """`path sign values`; several values for `in`, `not in`, `includes` and `excludes`."""

    path: Path
    sign: str
    values: tuple[Literal, ...]


@dataclass(frozen=True)
class Not:
    """What is not so."""

    of: Condition


@dataclass(frozen=True)
class Joined:
    """Conditions that hold all (`and`) or any (`or`)."""

    word: str
    parts: tuple[Condition, ...]


Condition = Comparison | Not | Joined


@dataclass(frozen=True)
class Order:
    """One column of ORDER BY."""

    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Query:
    """A query. `all_of` is the word within FIELDS(…), `counts` whether it asks for COUNT()."""

    text: str
    paths: tuple[Path, ...]
    object: str
    object_at: int
    counts: bool = False
    all_of: str | None = None
    where: Condition | None = None
    orders: tuple[Order, ...] = field(default=())
    limit: int | None = None
    offset: int = 0


def malformed(message: str) -> Refusal:
    """400 MALFORMED_QUERY."""
    return Refusal(400, "MALFORMED_QUERY", message)


def pointed(text: str, at: int, message: str) -> str:
    """A message with the place in the query that it is about, as the vendor draws it."""
    line = text[:at].count("\n") + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    start = max(0, at - 50)
    shown = text[start : at + 50].replace("\n", " ")
    return f"\n{shown}\n{' ' * (at - start)}^\nERROR at Row:{line}:Column:{column}\n{message}"


def parse(text: str) -> Query:
    """Read a query. Raises Refusal, in the vendor's words."""
    if len(text) > MAX_LENGTH:
        raise malformed(f"SOQL statements cannot be longer than {MAX_LENGTH} characters.")
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str, int]] = []
        self.next = 0
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None:
                start = at + len(text[at:]) - len(text[at:].lstrip())
                raise malformed(pointed(text, start, f"unexpected token: '{text[start : start + 1]}'"))
            kind = found.lastgroup or ""
            self.tokens.append((kind, found.group(kind), found.start(kind)))
            at = found.end()

    # Tokens.

    def peek(self, *words: str) -> bool:
        """Whether these words come next."""
        ahead = self.tokens[self.next : self.next + len(words)]
        return [token.lower() for _, token, _ in ahead] == list(words)

    def take(self, *words: str) -> bool:
        """Whether these words come next; if so they are taken."""
        found = self.peek(*words)
        self.next += len(words) * found
        return found

    def expect(self, word: str) -> None:
        if not self.take(word):
            self.unexpected(f", expecting '{word}'")

    def of_kind(self, kind: str) -> tuple[str, int]:
        if self.next == len(self.tokens) or self.tokens[self.next][0] != kind:
            self.unexpected()
        _, token, at = self.tokens[self.next]
        self.next += 1
        return token, at

    def unexpected(self, more: str = "") -> NoReturn:
        if self.next == len(self.tokens):
            raise malformed(f"unexpected token: '<EOF>'{more}")
        _, token, at = self.tokens[self.next]
        raise malformed(pointed(self.text, at, f"unexpected token: '{token}'{more}"))

    # Clauses.

    def query(self) -> Query:
        self.expect("select")
        counts, all_of, paths = self.take("count", "(", ")"), None, []
        if not counts and self.take("fields", "("):
            all_of = self.of_kind("name")[0].lower()
            self.expect(")")
            if all_of not in {"all", "standard", "custom"}:
                raise malformed(f"Invalid FIELDS argument: {all_of}")
        elif not counts:
            paths = [self.path()]
            while self.take(","):
                paths.append(self.path())
            self._once(paths)
        self.expect("from")
        name, at = self.of_kind("name")
        where = self.conditions() if self.take("where") else None
        orders = self.orders() if self.take("order", "by") else ()
        limit = self.whole() if self.take("limit") else None
        offset = self.whole() if self.take("offset") else 0
        if self.next < len(self.tokens):
            self.unexpected()
        if offset > MAX_OFFSET:
            raise Refusal(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
        if all_of in {"all", "custom"} and (limit is None or limit > 200):
            raise malformed("The SOQL FIELDS function must have a LIMIT of at most 200")
        return Query(self.text, tuple(paths), name, at, counts, all_of, where, orders, limit, offset)

    @staticmethod
    def _once(paths: list[Path]) -> None:
        seen: set[str] = set()
        for path in paths:
            if str(path).lower() in seen:
                raise malformed(f"duplicate field selected: {path}")
            seen.add(str(path).lower())

    def path(self) -> Path:
        token, at = self.of_kind("name")
        if self.peek("("):
            raise malformed(pointed(self.text, at, f"the sandbox does not know the function {token}()"))
        return Path(tuple(token.split(".")), at)

    def whole(self) -> int:
        token, _ = self.of_kind("number")
        if not token.isdigit():
            self.next -= 1
            self.unexpected()
        return int(token)

    def orders(self) -> tuple[Order, ...]:
        found = []
        while True:
            path = self.path()
            descending = self.take("desc")
            if not descending:
                self.take("asc")
            last = self.take("nulls", "last")
            if not last:
                self.take("nulls", "first")
            found.append(Order(path, descending, last))
            if not self.take(","):
                return tuple(found)

    # Conditions: AND and OR do not mix without parentheses, which the vendor insists on.

    def conditions(self) -> Condition:
        parts = [self.condition()]
        word = "and" if self.peek("and") else "or"
        while self.take(word):
            parts.append(self.condition())
        if self.peek("and") or self.peek("or"):
            self.unexpected()
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def condition(self) -> Condition:
        if self.take("not"):
            return Not(self.condition())
        if self.take("("):
            inner = self.conditions()
            self.expect(")")
            return inner
        path = self.path()
        if self.take("not", "in"):
            return Comparison(path, "not in", self.several())
        for word in ("in", "includes", "excludes"):
            if self.take(word):
                return Comparison(path, word, self.several())
        if self.take("like"):
            return Comparison(path, "like", (self.literal(),))
        sign, _ = self.of_kind("sign")
        if sign not in _SIGNS:
            self.next -= 1
            self.unexpected()
        return Comparison(path, "!=" if sign == "<>" else sign, (self.literal(),))

    def several(self) -> tuple[Literal, ...]:
        self.expect("(")
        found = [self.literal()]
        while self.take(","):
            found.append(self.literal())
        self.expect(")")
        return tuple(found)

    def literal(self) -> Literal:
        if self.next == len(self.tokens):
            self.unexpected()
        kind, token, _ = self.tokens[self.next]
        found = self._literal(kind, token)
        if found is None:
            self.unexpected()
        self.next += 1
        return found

    @staticmethod
    def _literal(kind: str, token: str) -> Literal | None:
        word = token.lower()
        match kind:
            case "text":
                return Literal("text", _unescaped(token[1:-1]), token)
            case "number":
                return Literal("number", float(token) if re.search("[.eE]", token) else int(token), token)
            case "moment":
                return _moment(token)
            case "clock":
                return Literal("time", token, token)
            case "name" if word in _WORDS:
                return Literal("null" if word == "null" else "boolean", _WORDS[word], token)
        return None


def _moment(token: str) -> Literal:
    try:
        seconds = moments.parse(token)
    except ValueError:
        raise malformed(f"Invalid date: {token}") from None
    return Literal("date", token, token) if len(token) == 10 else Literal("datetime", seconds, token)


def _unescaped(text: str) -> str:
    # A wildcard keeps its backslash: LIKE takes it for the character itself.
    return re.sub(r"\\(.)", lambda found: found[0] if found[1] in "_%" else _ESCAPES.get(found[1], found[1]), text)
