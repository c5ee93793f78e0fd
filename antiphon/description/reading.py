"""From a tree of nodes to an :class:`~antiphon.api.Api`: each node is read as the shape that is wanted where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from antiphon import fill, schema
from antiphon.api import PLACEHOLDERS, Api, Read, Resource, Write
from antiphon.description import shapes
from antiphon.description.checking import check
from antiphon.description.nodes import Mark, Node
from antiphon.description.problems import Findings, Need, Placeholder, Problem, near, nearest
from antiphon.description.shapes import Shape, is_json_schema
from antiphon.errors import DescriptionError

_INVALID: Any = object()
"""Stands for a value that something is wrong with."""
_FUNCTION = re.compile(r"[\w.]+:[\w.<>]+")
_PYTHON = "Functions are for descriptions in Python: a .py file that holds an Api."

Names = frozenset[str] | None
"""What placeholders may name at a place besides settings; None where texts have no placeholders."""


def read(root: Node) -> tuple[Api | None, list[Problem]]:
    """Return the API that *root* describes, or None and all that is wrong with it."""
    findings = Findings()
    reading = _Reading(findings)
    values = reading.fields(Api, root, "", None)
    if isinstance(root.value, dict):
        check(root, findings)
    api = None if findings.problems else reading.made(Api, values, root, "")
    problems = findings.in_order()
    return (None if problems else api), problems


def misfits(root: Node) -> list[Problem]:
    """Return what is wrong with the shape of *root* alone, whatever its names mean: what a JSON Schema can see."""
    findings = Findings()
    _Looking(findings).fields(Api, root, "", None)
    return findings.in_order()


def faults(root: Node, needed: Mapping[str, tuple[str, ...]]) -> list[Problem]:
    """Return what is wrong with *root*, which an API that was made in Python is written as; *needed* are the settings its slots need."""
    findings = Findings()
    _Judging(findings).fields(Api, root, "", None)
    findings.needs += [Need(root, path, settings, ()) for path, settings in needed.items()]
    check(root, findings)
    return findings.in_order()


class _Reading:
    """One walk through a description. What is wrong goes to the findings, and :data:`_INVALID` stands for it."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def wrong(self, where: Node | Mark | None, path: str, message: str, hint: str = "") -> Any:
        self.findings.wrong(where, path, message, hint)
        return _INVALID

    def misfit(self, node: Node, path: str, wanted: str, hint: str = "", *, exact: bool = False) -> Any:
        return self.wrong(node, path, f"{wanted} is wanted, not {_said(node, exact=exact)}", hint)

    def value(self, shape: Shape, node: Node, path: str, names: Names) -> Any:  # noqa: C901, PLR0911, PLR0912 - one case for each shape
        """Return what *node* says where *shape* is wanted."""
        if _is_function(node):
            return self.function(node, path, "a function is named, and no code is run for a description in YAML")
        match shape:
            case shapes.Maybe():
                return None if node.value is None else self.value(shape.shape, node, path, names)
            case shapes.Either():
                fitting = next((each for each in shape.shapes if _fits(each, node)), shape.shapes[-1])
                return self.value(fitting, node, path, names)
            case shapes.Choice():
                return self.choice(shape, node, path, names)
            case shapes.Record():
                return self.record(shape.cls, node, path, names)
            case shapes.Named():
                return self.named(shape.cls, node, path)
            case shapes.Table():
                return self.table(shape.value, node, path, names)
            case shapes.Many():
                return self.many(shape, node, path, names)
            case shapes.Pair():
                return self.pair(shape, node, path, names)
            case shapes.Fields():
                return self.schema(node, path)
            case shapes.Anything():
                return self.anything(node, path, names)
            case shapes.Function():
                return self.function(node, path, "only a function can stand here")
            case _:
                return self.scalar(shape, node, path, names)

    def scalar(self, shape: Shape, node: Node, path: str, names: Names) -> Any:
        if not _fits(shape, node):
            quotes = isinstance(shape, shapes.Text) and isinstance(node.value, int | float)
            hint = "Put it in quotes." if quotes else _quotes_for(_unquoted(node))
            return self.misfit(node, path, _WANTED[type(shape)], hint)
        if isinstance(shape, shapes.Word) and node.value not in shape.words:
            return self.wrong(
                node, path, f'unknown word "{node.value}"', near(node.value, (word or '""' for word in shape.words))
            )
        bounds = getattr(shape, "bounds", None)
        if bounds and not bounds.holds(node.value):
            return self.misfit(node, path, bounds.wanted, exact=True)
        if isinstance(node.value, str):
            self.note(node, path, names)
        return node.value

    def note(self, node: Node, path: str, names: Names) -> None:
        """Keep the placeholders in a text, to be judged when all settings are known."""
        if names is not None:
            found = sorted(fill.names(node.value))
            self.findings.placeholders += [Placeholder(node, path, name, names) for name in found]

    def note_keys(self, node: Node, path: str, names: Names) -> None:
        for key, mark in node.keys.items():
            self.note(Node(key, mark), path, names)

    def anything(self, node: Node, path: str, names: Names) -> Any:
        if names is not None and (name := _unquoted(node)):
            return self.wrong(node, path, f"a mapping of {name} to nothing", _quotes_for(name))
        if isinstance(node.value, dict):
            return self.table(shapes.Anything(), node, path, names)
        if isinstance(node.value, list):
            return _all(list, (self.value(shapes.Anything(), item, path, names) for item in node.value))
        if isinstance(node.value, str):
            self.note(node, path, names)
        return node.value

    def many(self, shape: shapes.Many, node: Node, path: str, names: Names) -> Any:
        if node.value is None and not isinstance(shape.item, shapes.Anything):
            return self.misfit(node, path, "a list")
        items = node.value if isinstance(node.value, list) else [node]
        return _all(shape.of, (self.value(shape.item, item, path, names) for item in items))

    def pair(self, shape: shapes.Pair, node: Node, path: str, names: Names) -> Any:
        found = node.value
        if isinstance(found, dict) and len(found) == 1:
            self.note_keys(node, path, names)
            [(name, value)] = found.items()
            return _all(tuple, (name, self.value(shape.value, value, path, names)))
        if isinstance(found, list) and len(found) == 2:  # noqa: PLR2004
            name, value = (
                self.value(s, n, path, names) for s, n in zip((shapes.Text(), shape.value), found, strict=True)
            )
            return _all(tuple, (name, value))
        return self.misfit(node, path, "a name and its value, as in {limit: 100},")

    def table(self, shape: Shape, node: Node, path: str, names: Names) -> Any:
        if not isinstance(node.value, dict):
            return self.misfit(node, path, "a mapping")
        self.note_keys(node, path, names)
        found = {key: self.value(shape, item, f"{path}.{key}", names) for key, item in node.value.items()}
        return _INVALID if _any_invalid(found.values()) else found

    def named(self, cls: type, node: Node, path: str) -> Any:
        if not isinstance(node.value, dict):
            return self.misfit(node, path, "a mapping", "Write each under its name.")
        items = node.value.items()
        return _all(tuple, (self.record(cls, item, f"{path}.{name}", None, name=name) for name, item in items))

    def record(self, cls: type, node: Node, path: str, names: Names, **given: Any) -> Any:
        """Return the object of *cls* that *node* describes; *given* are fields that stand elsewhere."""
        if cls in {Read, Write}:
            names = (names or frozenset()) | PLACEHOLDERS
        return self.made(cls, self.fields(cls, node, path, names, **given), node, path)

    def fields(self, cls: type, node: Node, path: str, names: Names, **given: Any) -> dict[str, Any]:
        """Return the values of the fields of *cls* in *node*; where something is wrong, one of them is invalid."""
        known = {name: field for name, field in shapes.fields(cls).items() if name not in given}
        missing = [name for name, field in known.items() if field.required]
        short = None if given else shapes.brief(cls)
        found = node.value
        if short and (isinstance(found, str) or (isinstance(found, list) and isinstance(short.shape, shapes.Many))):
            return {short.name: self.value(short.shape, node, path, names)}
        if found is None and not missing:
            return given
        if not isinstance(found, dict):
            return {"": self.misfit(node, path, "a mapping", f"It has to say {_listed(missing)}." if missing else "")}
        values = dict(given)
        for key, item in found.items():
            if key in known:
                values[key] = self.value(known[key].shape, item, f"{path}.{key}".lstrip("."), _scope(cls, key, names))
            elif (cls, key) != (Api, "$schema"):  # that is for editors
                hint = _quotes_for(_unquoted(node)) or near(key, known)
                values[""] = self.wrong(node.keys[key], path, f'unknown key "{key}"', hint)
        misspelt = {nearest(key, known) for key in found if key not in known}
        for name in missing:
            if name not in found and f'Did you mean "{name}"?' not in misspelt:
                values[""] = self.wrong(node, path, f'"{name}" is missing', _WHAT_NEXT.get((cls, name), ""))
        return values

    def made(self, cls: type, values: Mapping[str, Any], node: Node, path: str) -> Any:
        """Return an object of *cls*, unless something in it is wrong."""
        if _any_invalid(values.values()):
            return _INVALID
        try:
            return cls(**values)
        except DescriptionError as error:
            at = ".".join(filter(None, (path, *error.at)))
            return self.wrong(_inside(node, error.at), at, error.said, error.hint)

    def choice(self, shape: shapes.Choice, node: Node, path: str, names: Names) -> Any:
        """Return the object of the kind that *node* names."""
        word, inside = _chosen(shape, node)
        if word:
            return self.kind(shape.kinds[word], inside, f"{path}.{word}", names)
        if shape.plain:
            return self.value(shape.plain, node, path, names)
        return self.no_kind(shape, node, path)

    def no_kind(self, shape: shapes.Choice, node: Node, path: str) -> Any:
        """Say why *node* names no kind."""
        found = node.value
        if not found or not isinstance(found, str | dict):
            return self.misfit(node, path, "a kind", near("", shape.kinds))
        keys = {found: node.mark} if isinstance(found, str) else node.keys
        kinds = [key for key in keys if key in shape.kinds]
        others = [key for key in keys if key not in shape.kinds]
        if len(kinds) > 1:
            hint = "Keep one of them" + (", or write a list." if shape.slot == "auth" else ".")
            return self.wrong(keys[kinds[1]], path, f"two kinds at once, {kinds[0]} and {kinds[1]}", hint)
        if kinds:
            said = f'"{others[0]}" stands beside the kind {kinds[0]}'
            return self.wrong(keys[others[0]], path, said, "What is said of a kind stands within it.")
        return self.wrong(keys[others[0]], path, f'unknown kind "{others[0]}"', near(others[0], shape.kinds))

    def kind(self, cls: type, node: Node, path: str, names: Names) -> Any:
        """Return the object of a kind, in whose texts placeholders may stand: also for what it gives itself (``given``)."""
        before = len(self.findings.placeholders)
        made = self.record(cls, node, path, (names or frozenset()) | frozenset(getattr(cls, "VALUES", ())))
        given = getattr(made, "given", ())
        uses = self.findings.placeholders
        uses[before:] = [use for use in uses[before:] if use.name not in given]
        if made is not _INVALID and hasattr(made, "needs"):
            self.findings.needs.append(Need(node, path, made.needs(), made.heeds()))
        return made

    def schema(self, node: Node, path: str) -> Any:
        """Return a JSON Schema given as it is, or by a word for each field."""
        if not isinstance(node.value, dict):
            return self.misfit(node, path, "a mapping", "Write a word for each field: {id: string!, email: string}.")
        if is_json_schema(node.plain()):
            return self.json_schema(node, path)
        found = {name: self.field(field, f"{path}.{name}") for name, field in node.value.items()}
        return _INVALID if _any_invalid(found.values()) else schema.record(found)

    def json_schema(self, node: Node, path: str) -> Any:
        """Return a JSON Schema; those within it are JSON Schemas as well: no words, and no true or list, which no tap can tell on."""
        within = [("items", node.value["items"])] if "items" in node.value else []
        found = []
        if (properties := node.value.get("properties")) is not None:
            if isinstance(properties.value, dict):
                within += [(f"properties.{name}", field) for name, field in properties.value.items()]
            else:
                found.append(self.misfit(properties, f"{path}.properties", "a mapping"))
        for name, inner in within:
            inside = isinstance(inner.value, dict)
            where, hint = f"{path}.{name}", "For example: {type: string}."
            found.append(self.json_schema(inner, where) if inside else self.misfit(inner, where, "a JSON Schema", hint))
        return _INVALID if _any_invalid(found) else node.plain()

    def field(self, node: Node, path: str) -> Any:
        if isinstance(node.value, dict):
            return self.json_schema(node, path)
        if not isinstance(node.value, str):
            return self.misfit(node, path, "a word such as string, or a JSON Schema,")
        try:
            return schema.of(node.value)
        except DescriptionError as error:
            return self.wrong(node, path, error.message, error.hint)

    def function(self, node: Node, path: str, said: str) -> Any:
        """Say that there is no function here: only Python has them."""
        return self.wrong(node, path, said, _PYTHON)


class _Looking(_Reading):
    """A walk that makes no objects, which might find their values wrong."""

    def made(self, cls: type, values: Mapping[str, Any], node: Node, path: str) -> Any:  # noqa: ARG002
        return _INVALID if _any_invalid(values.values()) else None


class _Judging(_Looking):
    """A walk through what was made in Python, where functions may stand."""

    def function(self, node: Node, path: str, said: str) -> Any:  # noqa: ARG002
        return None


#: What to do where a field is missing, if not just to write it.
_WHAT_NEXT: dict[tuple[type, str], str] = {
    (Resource, "schema"): "Write a word for each field, or let the API's records tell: antiphon infer."
}

_WANTED: dict[type, str] = {
    shapes.Text: "a text",
    shapes.Word: "a word",
    shapes.Flag: "true or false",
    shapes.Whole: "a whole number",
    shapes.Number: "a number",
}


def _fits(shape: Shape, node: Node) -> bool:
    """Whether *node* is of the kind of value that *shape* is written as."""
    types: Any = {
        shapes.Text: str,
        shapes.Word: str,
        shapes.Flag: bool,
        shapes.Whole: int,
        shapes.Number: int | float,
        shapes.Many: list,
        shapes.Table: dict,
        shapes.Record: dict,
    }.get(type(shape), ())
    return isinstance(node.value, types) and (types is bool or not isinstance(node.value, bool))


def _is_function(node: Node) -> bool:
    """Whether a function is named instead of data."""
    name = node.value.get("function") if isinstance(node.value, dict) else None
    return name is not None and isinstance(name.value, str) and bool(_FUNCTION.fullmatch(name.value))


def _unquoted(node: Node) -> str:
    """Return the name in what is a placeholder, but for the quotes: YAML takes ``{token}`` for a mapping of it to nothing."""
    if isinstance(node.value, dict) and len(node.value) == 1:
        [(name, value)] = node.value.items()
        return name if value.absent and fill.names(f"{{{name}}}") else ""
    return ""


def _quotes_for(name: str) -> str:
    return f'A placeholder goes into quotes: "{{{name}}}".' if name else ""


def _chosen(shape: shapes.Choice, node: Node) -> tuple[str, Node]:
    """Return the word for the kind that *node* names, and what is said of it; no word where it names none."""
    found = node.value
    if isinstance(found, str) and found in shape.kinds and shape.plain is None:
        return found, Node(None, node.mark)
    if isinstance(found, dict) and len(found) == 1:
        [(word, inside)] = found.items()
        a_field = (
            isinstance(shape.plain, shapes.Fields) and isinstance(inside.value, str) and schema.is_word(inside.value)
        )
        if word in shape.kinds and not a_field:
            return word, inside
    return "", node


def _scope(cls: type, field: str, names: Names) -> Names:
    """Return what placeholders may name in a *field* of *cls*, which stands where they may name *names*."""
    if (cls, field) == (Api, "base_url"):
        return frozenset()
    return None if field in getattr(cls, "LITERAL", ()) else names


def _all(of: type, values: Iterable[Any]) -> Any:
    found = list(values)
    return _INVALID if _any_invalid(found) else of(found)


def _any_invalid(values: Iterable[Any]) -> bool:
    return any(value is _INVALID for value in values)


def _inside(node: Node, names: Iterable[str]) -> Node:
    """Return the node that *names* lead to, or the last on the way there."""
    for name in names:
        if not isinstance(node.value, dict) or name not in node.value:
            break
        node = node.value[name]
    return node


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _said(node: Node, *, exact: bool = False) -> str:  # noqa: PLR0911 - one for each kind of value
    match node.value:
        case None:
            return "nothing"
        case bool():
            return str(node.value).lower()
        case int() | float():
            return f"the number {node.value}"
        case str() if exact:
            return f'"{node.value}"'
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "a mapping"
