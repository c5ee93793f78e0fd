"""Schemas of records out of an OpenAPI document: 3.0, 3.1, or Swagger 2.

Documents are seldom quite valid, and it is not for us to refuse them: what cannot be understood becomes a field of any type, and
:attr:`Document.warnings` says so. A document may describe without end (a reference to itself), so that depth and number of schemas are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import unquote

from antiphon import fill
from antiphon.errors import DescriptionError, did_you_mean

MOST_BYTES = 32 << 20
MOST_DEPTH = 8
"""Objects within objects; what is deeper is of any type."""
MOST_SCHEMAS = 20_000
"""Schemas in one record's."""

_TYPES = ("string", "integer", "number", "boolean", "object", "array")
_TIMES = {"date": "date", "date-time": "date-time", "datetime": "date-time", "timestamp": "date-time"}
"""Formats of texts; the last two are nobody's standard and some vendors' habit."""
_METHODS = ("get", "put", "post", "delete", "patch")

Node = Mapping[str, Any]


def parsed(body: bytes, where: str) -> Any:
    """Return the document in *body*, JSON or YAML.

    Raises:
        DescriptionError: it is neither, or larger than :data:`MOST_BYTES`.
    """
    import msgspec  # noqa: PLC0415 - here and below: of no use to who has the schema already

    if len(body) > MOST_BYTES:
        raise DescriptionError(f"{where} -> more than {MOST_BYTES >> 20} MB")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    import yaml  # noqa: PLC0415

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """YAML 1.2 as OpenAPI wants it: ``on`` and ``no`` are texts, and mappings are not merged, which could fill all memory."""

        yaml_implicit_resolvers: ClassVar = {
            first: [(tag, form) for tag, form in forms if tag.rpartition(":")[2] not in {"bool", "timestamp", "merge"}]
            for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

        def flatten_mapping(self, node: Any) -> None:
            pass

    Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("(?i:true|false)$"), list("tTfF"))
    try:
        return yaml.load(body, Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        at = f", line {mark.line + 1}" if mark else ""
        raise DescriptionError(f"{where}{at} -> neither JSON nor YAML") from None


@dataclass
class Document:
    """An OpenAPI document, as :func:`parsed`; *where* names it in errors."""

    root: Node = field(repr=False)
    where: str
    warnings: list[str] = field(default_factory=list)
    """What was not understood, in the order it was met."""
    _made: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no such document at all.

        Raises:
            DescriptionError: it has neither paths nor components.
        """
        if not isinstance(self.root, Mapping) or not self.root.keys() & {"openapi", "swagger", "paths", "components"}:
            raise DescriptionError(f"{self.where} -> no OpenAPI document")

    def component(self, name: str) -> dict[str, Any]:
        """Return the schema of a record that the component *name* describes.

        Raises:
            DescriptionError: there is no such component, or it is no object.
        """
        known = _mapping(_mapping(self.root.get("components")).get("schemas")) or _mapping(self.root.get("definitions"))
        if name not in known:
            said = f'{self.where} -> there is no component "{name}"'
            raise DescriptionError(said, hint=did_you_mean(name, map(str, known)))
        return self._record(known[name], f'the component "{name}"')

    def answer(self, path: str, method: str = "get", records: str = "") -> dict[str, Any]:
        """Return the schema of a record that *method* on *path* answers with, at the dotted path *records* in the reply.

        Raises:
            DescriptionError: there is no such path, or its answer describes no object there.
        """
        what = f"the answer to {method.upper()} {path}"
        found: Any = self._schema_of(self._success(self._operation(path, method), what), what)
        for part in fill.parts(records) if records else ():
            properties = self._properties(found)
            if part not in properties:
                raise DescriptionError(f'{self.where} -> {what} has no "{part}"', hint=did_you_mean(part, properties))
            found = properties[part]
        return self._record(found, what + (f" at {records}" if records else ""))

    # Where things are

    def _operation(self, path: str, method: str) -> Node:
        paths = {str(known): item for known, item in _mapping(self.root.get("paths")).items()}
        found = next((item for known, item in paths.items() if _shape(known) == _shape(path)), None)
        if found is None:
            raise DescriptionError(f"{self.where} -> there is no path {path}", hint=did_you_mean(path, paths))
        operations = self._resolved(found)
        if method.lower() not in operations:
            has = ", ".join(name for name in _METHODS if name in operations).upper()
            raise DescriptionError(
                f"{self.where} -> {path} has no {method.upper()}", hint=f"It has: {has or 'nothing'}."
            )
        return _mapping(operations[method.lower()])

    def _success(self, operation: Node, what: str) -> Node:
        """Return the response to a call that worked."""
        responses = {str(status): response for status, response in _mapping(operation.get("responses")).items()}
        for status in ("200", "201", "2XX", "2xx", *sorted(s for s in responses if s.startswith("2")), "default"):
            if status in responses:
                return self._resolved(responses[status])
        raise DescriptionError(f"{self.where} -> {what} is not described")

    def _schema_of(self, response: Node, what: str) -> Any:
        """Return the schema of a response's body: that of JSON, rather than another's."""
        content = _mapping(response.get("content"))
        kinds = sorted(content, key=lambda kind: "json" not in str(kind).lower())
        for media in (*(_mapping(content[kind]) for kind in kinds), response):
            if "schema" in media:
                return media["schema"]
        raise DescriptionError(f"{self.where} -> {what} has no schema")

    def _resolved(self, node: Any) -> Node:
        """Return *node*, or what its reference leads to; nothing where that is nowhere."""
        seen: set[str] = set()
        while isinstance(node, Mapping) and isinstance(ref := node.get("$ref"), str):
            if ref in seen:
                self._warn(f"{ref} is a reference to itself")
                return {}
            seen.add(ref)
            beside = {key: value for key, value in node.items() if key != "$ref"}  # 3.1 lets more stand there
            node = self._referred(ref)
            node = {**node, **beside} if isinstance(node, Mapping) else node
        return _mapping(node)

    def _referred(self, ref: str) -> Any:
        """Return what a JSON pointer within the document leads to (RFC 6901)."""
        if not ref.startswith("#"):
            self._warn(f"{ref} is in another document")
            return {}
        node: Any = self.root
        for part in unquote(ref[1:]).split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(node, list):
                node = node[int(name)] if name.isdecimal() and int(name) < len(node) else None
            elif isinstance(node, Mapping):
                node = node.get(name, node.get(int(name)) if name.isdecimal() else None)  # YAML reads 200: as a number
            else:
                node = None
            if node is None:
                self._warn(f"{ref} leads nowhere")
                return {}
        return node

    def _warn(self, words: str) -> None:
        if words not in self.warnings:
            self.warnings.append(words)

    # What they are

    def _record(self, node: Any, what: str) -> dict[str, Any]:
        self._made = 0
        found = self._whole(node)
        if "items" in found and not found.get("properties"):
            found = self._whole(found["items"])
        properties = _mapping(found.get("properties"))
        if not properties:
            raise DescriptionError(f"{self.where} -> {what} is no object with properties")
        return {"type": "object", "properties": self._fields(found, depth=0, within=frozenset())}

    def _properties(self, node: Any) -> Node:
        found = self._whole(node)
        return _mapping(found.get("properties")) or (self._properties(found["items"]) if "items" in found else {})

    def _fields(self, node: Node, depth: int, within: frozenset[int]) -> dict[str, Any]:
        needed = node.get("required")
        required = {name for name in needed if isinstance(name, str)} if isinstance(needed, list) else set()
        return {
            str(name): self._field(of, depth, within, required=name in required)
            for name, of in _mapping(node.get("properties")).items()
        }

    def _field(self, node: Any, depth: int, within: frozenset[int], *, required: bool) -> dict[str, Any]:
        """Return the schema of one field; within *within* are the schemas that it stands in, by identity."""
        self._made += 1
        inside = self._target(node)
        if self._made > MOST_SCHEMAS:
            self._warn(f"there are more than {MOST_SCHEMAS:,} schemas in one record")
        if depth > MOST_DEPTH or id(inside) in within or self._made > MOST_SCHEMAS:
            return {}
        found = self._whole(node)
        kinds = _types(found)
        made: dict[str, Any] = {}
        if kinds:
            words = [*kinds, *(["null"] if not required or _nullable(found) else [])]
            made["type"] = words if len(words) > 1 else words[0]
        if kinds == ("string",) and (form := _TIMES.get(str(found.get("format")).lower())):
            made["format"] = form
        within |= {id(inside)}
        if "object" in kinds:
            made["additionalProperties"] = True
            if inner := self._fields(found, depth + 1, within):
                made["properties"] = inner
        if "array" in kinds:
            made["items"] = self._field(found.get("items", {}), depth + 1, within, required=True)
        options = found.get("enum")
        if isinstance(options, list) and kinds == ("string",):
            made["x-options"] = [option for option in options if isinstance(option, str)]
        made |= {key: True for key in ("readOnly", "writeOnly") if found.get(key) is True}
        made |= {
            key: " ".join(found[key].split()) for key in ("title", "description") if isinstance(found.get(key), str)
        }
        return made

    def _target(self, node: Any) -> Any:
        """Return what a reference leads to as it stands in the document, to be known again by its identity."""
        seen = set()
        while isinstance(node, Mapping) and isinstance(ref := node.get("$ref"), str) and ref not in seen:
            seen.add(ref)
            node = self._referred(ref)
        return node

    def _whole(self, node: Any, depth: int = 0) -> Node:
        """Return a schema without references on top, its parts (allOf, oneOf, anyOf) put together."""
        found = dict(self._resolved(node))
        if depth > MOST_DEPTH:
            return found
        parts = [(self._whole(part, depth + 1), True) for part in _list(found.pop("allOf", None))]
        for word in ("oneOf", "anyOf"):
            choices = [self._whole(part, depth + 1) for part in _list(found.pop(word, None))]
            rest = [choice for choice in choices if _types(choice) or not _nullable(choice)]
            if len(rest) < len(choices):
                found["nullable"] = True
            parts += [(choice, len(rest) == 1) for choice in rest]
        for part, sure in parts:
            found = _together(found, part, sure=sure)
        return found


def _together(one: Node, other: Node, *, sure: bool) -> dict[str, Any]:
    """Return what both schemas say; where *other* is but one of several choices, it requires nothing."""
    made = {**other, **one}
    properties = {**_mapping(other.get("properties")), **_mapping(one.get("properties"))}
    if properties:
        made["properties"] = properties
    if not sure and _types(one) and _types(other):
        made["type"] = list(dict.fromkeys((*_types(one), *_types(other))))
    required = [*_list(one.get("required")), *(_list(other.get("required")) if sure else ())]
    made.pop("required", None)
    if required:
        made["required"] = required
    if _nullable(one) or _nullable(other):
        made["nullable"] = True
    return made


def _types(node: Node) -> tuple[str, ...]:
    """Return the types that a schema may have, without null; those that follow from what else it says, if it names none."""
    named = node.get("type")
    kinds = tuple({"file": "string"}.get(kind, kind) for kind in ([named] if isinstance(named, str) else _list(named)))
    known = tuple(kind for kind in kinds if kind in _TYPES)
    if known or kinds:
        return known
    if isinstance(node.get("properties"), Mapping) or isinstance(node.get("additionalProperties"), Mapping):
        return ("object",)
    if "items" in node:
        return ("array",)
    options = _list(node.get("enum"))
    return ("string",) if options and all(isinstance(option, str | None) for option in options) else ()


def _nullable(node: Node) -> bool:
    """Whether a value may be null: ``nullable`` in 3.0, ``x-nullable`` in Swagger 2, a type in 3.1, or one of the options."""
    named = node.get("type")
    return (
        node.get("nullable") is True
        or node.get("x-nullable") is True
        or named == "null"
        or "null" in _list(named)
        or None in _list(node.get("enum"))
    )


def _shape(path: str) -> list[str]:
    """Return the parts of a path; what a placeholder is called does not matter."""
    return ["{}" if part.startswith("{") else part for part in path.strip("/").split("/")]


def _mapping(value: Any) -> Node:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
