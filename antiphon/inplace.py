"""The fields of a resource, put into the text of its description in place: comments, order and style of the rest stay.

The text is YAML or JSON and known to be a description. It is edited at the places where its values stand, never written anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from antiphon.errors import DescriptionError

#: What stands before the schema in a resource: what it is called, and how its records are known.
_BEFORE = frozenset({"name", "title", "aliases", "key", "match", "created", "updated", "parent"})


@dataclass(frozen=True)
class Schema:
    """A resource's schema as the text has it: the word for each field, None where it is not a mere word."""

    fields: Mapping[str, str | None]
    by_words: bool
    """Whether it is a mapping of names to words, or not there, so that fields can be put in."""


def schema(text: str, resource: str) -> Schema:
    """Return what *text* says of the fields of *resource*.

    Raises:
        DescriptionError: it says nothing of the resource, or elsewhere.
    """
    found = _found(_resource(text, resource), "schema")
    if found is None or _is_empty(found[1]):
        return Schema({}, by_words=True)
    value = found[1]
    if not isinstance(value, MappingNode):
        return Schema({}, by_words=False)
    words = {
        key.value: word.value if isinstance(word, ScalarNode) and word.tag.endswith(":str") else None
        for key, word in value.value
    }
    whole = any(isinstance(word, MappingNode) and key.value == "properties" for key, word in value.value)
    return Schema(words, by_words=not whole and value.start_mark.index > found[0].end_mark.index)


def with_fields(text: str, resource: str, fields: Mapping[str, str], *, as_json: bool = False) -> str:
    """Return *text* with *fields* in the schema of *resource*: those it has get the new word, the others are put after them.

    Raises:
        DescriptionError: there is no place for them.
    """
    whole = _resource(text, resource)
    found = _found(whole, "schema")
    entry = _in_json if as_json else _in_flow if whole.flow_style else _in_block
    if found and isinstance(found[1], MappingNode) and found[1].value:
        return _edited(text, found[1], fields, entry if as_json or whole.flow_style else None)
    if found:  # there is nothing in it
        key, value = found
        start, end = (value.start_mark.index, _end(value)) if text[value.start_mark.index : _end(value)] else (0, 0)
        text = text[:start] + text[end:] if end else text
        if whole.flow_style:
            colon = text.index(":", key.end_mark.index) + 1
            return f"{text[:colon]} {_flow(fields, entry)}{text[colon:]}"
        at = _next_line(text, key.end_mark.index)
        return _inserted(text, at, _block(fields, key.start_mark.column + _step(whole, key)))
    if whole.flow_style:
        return _first(text, whole, entry, fields)
    first = whole.value[0][0]
    ahead = [(key, value) for key, value in whole.value if key.value in _BEFORE]
    last = max((_end(value) for _, value in ahead), default=None)
    at = first.start_mark.index - first.start_mark.column if last is None else _next_line(text, last)
    column = int(first.start_mark.column)
    inner = _block(fields, column + _step(whole, first))
    return _inserted(text, at, f"{' ' * column}schema:\n{inner}")


def _edited(text: str, node: MappingNode, fields: Mapping[str, str], entry: Callable[[str, str], str] | None) -> str:
    """Return *text* with the words in the mapping *node* changed, and new ones after them."""
    known = {key.value: value for key, value in node.value}
    new = {name: word for name, word in fields.items() if name not in known}
    first, last = node.value[0][0], node.value[-1][0]
    end = max(_end(value) for value in known.values())
    edits = [(known[name], word) for name, word in fields.items() if name in known]
    if new and node.flow_style:
        form = entry or _in_flow
        apart = last.start_mark.line > first.start_mark.line
        between = "\n" + " " * first.start_mark.column if apart else " "
        put = "".join(f",{between}{form(name, word)}" for name, word in new.items())
        text = text[:end] + put + text[end:]
    elif new:
        text = _inserted(text, _next_line(text, end), _block(new, first.start_mark.column))
    for value, word in sorted(edits, key=lambda edit: -edit[0].start_mark.index):
        written = json.dumps(word) if entry is _in_json else word
        text = text[: value.start_mark.index] + written + text[value.end_mark.index :]
    return text


def _first(text: str, node: MappingNode, entry: Callable[[str, str], str], fields: Mapping[str, str]) -> str:
    """Return *text* with the schema as the first of a mapping in braces."""
    at = node.start_mark.index + 1
    name = '"schema"' if entry is _in_json else "schema"
    put = f"{name}: {_flow(fields, entry)}"
    if not node.value:
        return text[:at] + put + text[at:]
    start = node.value[0][0].start_mark.index
    space = text[at:start]
    return text[:start] + f"{put},{space if '#' not in space and space else ' '}" + text[start:]


def _in_block(name: str, word: str) -> str:
    return str(yaml.safe_dump({name: word}, width=10_000, allow_unicode=True, default_flow_style=False)).rstrip("\n")


def _in_flow(name: str, word: str) -> str:
    return str(yaml.safe_dump({name: word}, width=10_000, allow_unicode=True, default_flow_style=True)).strip()[1:-1]


def _in_json(name: str, word: str) -> str:
    return f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(word)}"


def _flow(fields: Mapping[str, str], entry: Callable[[str, str], str]) -> str:
    return "{" + ", ".join(entry(name, word) for name, word in fields.items()) + "}"


def _block(fields: Mapping[str, str], column: int) -> str:
    return "".join(f"{' ' * column}{_in_block(name, word)}\n" for name, word in fields.items())


def _inserted(text: str, at: int, lines: str) -> str:
    """Return *text* with whole *lines* at a line's beginning, ended as its others are."""
    if "\r\n" in text:
        lines = lines.replace("\n", "\r\n")
    before = text[:at]
    return before + ("\n" if before and not before.endswith("\n") else "") + lines + text[at:]


def _next_line(text: str, at: int) -> int:
    """Return where the line after the one at *at* begins."""
    if at and text[at - 1] == "\n":
        return at
    found = text.find("\n", at)
    return found + 1 if found >= 0 else len(text)


def _end(node: Node) -> int:
    """Return where the text of a value ends; what stands between it and the next one is not of it."""
    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        last: Any = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _step(whole: MappingNode, key: Node) -> int:
    """Return by how many columns what is within *whole* stands further in: as its values do, else by two."""
    inner = (
        value.value[0][0]
        for _, value in whole.value
        if isinstance(value, MappingNode) and value.value and not value.flow_style
    )
    return next((int(first.start_mark.column - key.start_mark.column) for first in inner), 2)


def _is_empty(node: Node) -> bool:
    return (isinstance(node, ScalarNode) and node.tag.endswith(":null")) or (
        isinstance(node, MappingNode) and not node.value
    )


def _resource(text: str, name: str) -> MappingNode:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    resources = _found(root, "resources")
    found = _found(resources[1], name) if resources else None
    if found is None:
        raise DescriptionError(f"the resource {name} does not stand in the file")
    key, value = found
    if not isinstance(value, MappingNode) or value.start_mark.index < key.end_mark.index:
        raise DescriptionError(
            f"the resource {name} is written elsewhere in the file", hint="Write it out in its place."
        )
    return value


def _found(node: Node | None, name: str) -> tuple[Node, Node] | None:
    """Return key and value of the entry called *name*."""
    entries = node.value if isinstance(node, MappingNode) else ()
    return next(((key, value) for key, value in entries if key.value == name), None)
