"""YAML and JSON as a tree of values that know where they stand.

Scalars are those of JSON: ``true``, ``null`` (or ``~``, or nothing), decimal numbers; all else is text, so that ``no``, ``2026-01-01``,
``010`` and ``1_000`` stay what they look like. Anchors and merge keys (``<<``) share parts; tags are refused. What a text
may expand to is bounded, so that a hostile one costs next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from antiphon.errors import DescriptionError

MOST_BYTES = 1_000_000
"""Of one file."""
MOST_NODES = 100_000
"""Values in one description, those that aliases repeat counted each time."""
MOST_LEVELS = 50
"""Values within values."""

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_LONGEST_NUMBER = 40
BREAKS = re.compile("[\x85\u2028\u2029]")
"""Line breaks to some parsers and not to others: as escapes in double quotes they are fine."""

Mark = tuple[int, int]
"""Line and column, from 1."""


@dataclass(slots=True, eq=False)
class Node:
    """A value: a scalar, a list of nodes, or nodes by key; with where it stands."""

    value: Any
    mark: Mark | None = None
    keys: dict[str, Mark | None] = field(default_factory=dict)
    """Where each of its keys stands."""
    size: int = 1
    """How many values it holds, itself included."""
    absent: bool = False
    """Whether nothing is written where it stands, which is null."""

    def plain(self) -> Any:
        """Return the value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return [node.plain() for node in self.value] if isinstance(self.value, list) else self.value


class Unreadable(DescriptionError):
    """A text that is no YAML, or more than we take; ``mark`` is the place."""

    def __init__(self, message: str, mark: Mark | None = None, *, hint: str = "") -> None:
        """Keep what is wrong there."""
        super().__init__(message, hint=hint)
        self.mark = mark


def decoded(data: bytes) -> str:
    """Return the text in *data*.

    Raises:
        Unreadable: it is too long, or no UTF-8.
    """
    if len(data) > MOST_BYTES:
        raise Unreadable(f"more than {MOST_BYTES:,} bytes are no description")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        mark = before.count(b"\n") + 1, len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise Unreadable("the text is not UTF-8", mark, hint="Save it as UTF-8.") from None


def composed(text: str) -> Node:
    """Return the tree of the one document in *text*, YAML or JSON.

    Raises:
        Unreadable: it is neither, or more than we take.
    """
    if len(text) > MOST_BYTES:
        raise Unreadable(f"more than {MOST_BYTES:,} characters are no description")
    if found := BREAKS.search(text):
        raise Unreadable(
            f"a character U+{ord(found[0]):04X} breaks the line for some and not for others",
            _mark_at(text, found.start()),
            hint="Leave it out, or escape it in double quotes.",
        )
    if text.lstrip().startswith(("{", "[")):
        text = text.replace("\t", " ")  # white space in JSON, which YAML's flow style does not take
    try:
        return _Composer(yaml.parse(text, Loader=yaml.SafeLoader)).document()
    except yaml.reader.ReaderError as error:
        said = f"the character U+{error.character:04X} cannot stand in a text"
        raise Unreadable(said, _mark_at(text, error.position)) from None
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        mark = (at.line + 1, at.column + 1) if at else None
        raise Unreadable(_said(error), mark, hint=_advice(error)) from None


def composed_of(value: Any, level: int = 1) -> Node:
    """Return the tree of a value that was decoded elsewhere: mappings, lists and scalars.

    Raises:
        Unreadable: it is more than we take, or holds what JSON has no word for.
    """
    if level > MOST_LEVELS:
        _too_deep(None)
    if isinstance(value, Mapping):
        nodes = {str(key): composed_of(item, level + 1) for key, item in value.items()}
        return _bounded(Node(nodes, None, dict.fromkeys(nodes), 1 + sum(node.size for node in nodes.values())))
    if isinstance(value, list | tuple):
        items = [composed_of(item, level + 1) for item in value]
        return _bounded(Node(items, None, size=1 + sum(node.size for node in items)))
    if value is None or isinstance(value, str | int | float | bool):
        return Node(value)
    raise Unreadable(f"a {type(value).__name__} is no value of a description", hint="Put it in quotes.")


class _Composer:
    """Makes nodes of the parser's events."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self.events = events
        self.anchors: dict[str, Node | None] = {}

    def document(self) -> Node:
        next(self.events)  # the stream's beginning
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            return Node(None, (1, 1))
        node = self.node(next(self.events), 1)
        next(self.events)  # the document's end
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise Unreadable("a second document begins here", _mark(event), hint="One file describes one API.")
        return node

    def node(self, event: Any, level: int) -> Node:
        mark = _mark(event)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(str(event.anchor), mark)
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise Unreadable(f"the tag {tag} is refused: values have the type they look like", mark)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if level > MOST_LEVELS:
            _too_deep(mark)
        if isinstance(event, yaml.ScalarEvent):
            node = Node(_scalar(event, mark), mark, absent=event.style is None and not event.value)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.sequence(mark, level)
        else:
            node = self.mapping(mark, level)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, name: str, mark: Mark) -> Node:
        if name not in self.anchors:
            raise Unreadable(f"there is no anchor &{name} before this", mark)
        node = self.anchors[name]
        if node is None:
            raise Unreadable(f"*{name} stands within what it repeats", mark)
        return node

    def sequence(self, mark: Mark, level: int) -> Node:
        node = Node([], mark)
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            item = self.node(event, level + 1)
            node.value.append(item)
            _bounded(node, item.size)
        return node

    def mapping(self, mark: Mark, level: int) -> Node:
        node = Node({}, mark)
        merged: list[Node] = []
        places: dict[str, Mark] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            at = _mark(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise Unreadable("a key is a word", at)
            self.node(event, level + 1)  # for its tag or anchor; whatever it looks like, a key is text
            key, value = _text(event, at), self.node(next(self.events), level + 1)
            if key in places:
                line, column = places[key]
                raise Unreadable(f'"{key}" stands twice in one place, first at {line}:{column}', at)
            places[key] = at
            if key == "<<" and event.style is None:
                merged = self.shared(value, at)
            elif key == "<<" and self.is_shared(value):
                raise Unreadable('in quotes "<<" is a key like any other', at, hint="Take the quotes away.")
            else:
                node.value[key], node.keys[key] = value, at
                _bounded(node, 1 + value.size)
        for source in merged:
            for key, value in source.value.items():
                if key not in node.value:
                    node.value[key], node.keys[key] = value, source.keys[key]
                    _bounded(node, 1 + value.size)
        return node

    def is_shared(self, value: Node) -> bool:
        """Whether *value* is what an alias names, or a list of such."""
        sources = value.value if isinstance(value.value, list) else [value]
        return any(source is named for source in sources for named in self.anchors.values())

    def shared(self, value: Node, at: Mark) -> list[Node]:
        sources = value.value if isinstance(value.value, list) else [value]
        if not all(isinstance(source.value, dict) for source in sources):
            raise Unreadable("<< takes an alias of a mapping, or a list of them", at)
        return list(sources)


def _bounded(node: Node, more: int = 0) -> Node:
    node.size += more
    if node.size > MOST_NODES:
        raise Unreadable(f"more than {MOST_NODES:,} values, with what aliases repeat", node.mark)
    return node


def _too_deep(mark: Mark | None) -> NoReturn:
    raise Unreadable(f"more than {MOST_LEVELS} levels of values within values", mark)


def _mark(event: Any) -> Mark:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _mark_at(text: str, position: int) -> Mark:
    before = text[:position]
    return before.count("\n") + 1, position - before.rfind("\n")


def _scalar(event: yaml.ScalarEvent, mark: Mark) -> Any:
    if event.style is not None:
        return _text(event, mark)
    text = event.value
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if found := NUMBER.fullmatch(text):
        if len(text) > _LONGEST_NUMBER:
            raise Unreadable("a number this long is none of a description", mark, hint="Put it in quotes.")
        number = float(text) if found[2] or found[3] else int(text)
        if number in {float("inf"), float("-inf")}:
            raise Unreadable(f"the number {text} is too large", mark)
        return number
    return text


def _text(event: yaml.ScalarEvent, mark: Mark) -> str:
    try:  # JSON escapes a character beyond the first 65,536 as a pair
        return event.value.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise Unreadable("half a pair of escapes for one character", mark) from None


def _said(error: yaml.MarkedYAMLError) -> str:
    problem = str(error.problem or error.context or "this is no YAML")
    return f"no YAML: {problem}" + (f", {error.context}" if error.context and error.problem else "")


def _advice(error: yaml.MarkedYAMLError) -> str:
    problem = str(error.problem)
    if "'\\t'" in problem:
        return "Indent with spaces, not tabs."
    if "mapping values are not allowed" in problem:
        return 'A text with ": " in it goes into quotes; or the line is indented otherwise than those beside it.'
    if "expected ',' or" in problem:
        return "A text with a brace, a bracket or a comma in it goes into quotes there."
    if "cannot start any token" in problem:
        return "A text that begins with this character goes into quotes."
    return ""
