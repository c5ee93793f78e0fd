"""What no place in a description shows alone: names that are used and not declared, or declared twice."""

from __future__ import annotations

import re

from antiphon.api import COMMON_SETTINGS, CREDENTIALS
from antiphon.description import shapes
from antiphon.description.nodes import Mark, Node
from antiphon.description.problems import Findings, near, nearest
from antiphon.description.shapes import is_json_schema

#: Fields of a resource that name fields of its records.
_NAMING = ("key", "created", "updated", "match", "within", "folded")


def check(root: Node, findings: Findings) -> None:
    """Add to *findings* what is wrong with the names in *root*."""
    settings = root.value.get("settings")
    if settings is None or isinstance(settings.value, dict):
        _check_settings(set(_entries(root, "settings")), findings)
    for name, (node, _) in _entries(root, "settings").items():
        for pattern in _texts(node, "pattern"):
            _check_pattern(pattern, f"settings.{name}.pattern", findings)
    resources = _entries(root, "resources")
    called: dict[str, str] = {}
    for name, (node, at) in resources.items():
        path = f"resources.{name}"
        for word, place in ((name, at), *((alias.value, alias.mark) for alias in _texts(node, "aliases"))):
            if called.setdefault(word, name) != name:
                findings.wrong(place, path, f'"{word}" is what {called[word]} is called already')
        for parent in _texts(node, "parent"):
            if parent.value not in resources:
                said = f'there is no resource "{parent.value}"'
                findings.wrong(parent, f"{path}.parent", said, near(parent.value, resources))
        if name in (above := _above(name, resources)):
            said = f"it stands below itself: {' -> '.join((name, *above))}"
            findings.wrong(_texts(node, "parent")[0], f"{path}.parent", said)
        _check_fields(node, path, at, findings)


def _above(name: str, resources: dict[str, tuple[Node, Mark | None]]) -> list[str]:
    """Return the resource's parent, the parent of that, and so on, each once."""
    found: list[str] = []
    while name in resources and (parents := _texts(resources[name][0], "parent")) and parents[0].value not in found:
        found.append(name := parents[0].value)
    return found


def _check_settings(declared: set[str], findings: Findings) -> None:
    used = {name for need in findings.needs for name in (*need.settings, *need.heeded)}
    usual = {setting.name for setting in CREDENTIALS}
    implied = used & usual
    known = declared | implied | {setting.name for setting in COMMON_SETTINGS}
    told = set()
    for use in findings.placeholders:
        if use.name not in known | use.known:
            told.add(use.name)
            meant = usual if use.path.startswith("auth") else implied
            hint = nearest(use.name, declared | meant | use.known) or _declare(use.name)
            findings.wrong(use.node, use.path, f"unknown placeholder {{{use.name}}}", hint)
    for need in findings.needs:
        for name in sorted(set(need.settings) - known - told):
            hint = nearest(name, declared) or _declare(name)
            findings.wrong(need.node, need.path, f'it needs the setting "{name}", which there is not', hint)


def _check_pattern(pattern: Node, path: str, findings: Findings) -> None:
    try:
        re.compile(pattern.value)
    except re.error as error:
        findings.wrong(pattern, path, f"it is no regular expression: {error}")


def _check_fields(resource: Node, path: str, at: Mark | None, findings: Findings) -> None:
    """Find the names of fields that the resource's schema, if it is given here, does not have."""
    known = _fields(resource.value.get("schema"))
    if not known:
        return
    named: list[tuple[str, str, Node | Mark | None]]
    named = [(slot, node.value, node) for slot in _NAMING for node in _texts(resource, slot)]
    further = resource.value.get("further")
    if further and isinstance(further.value, dict):
        named += [("further", name, further.keys[name]) for name in further.value]
        named += [(f"further.{name}", node.value, node) for name in further.value for node in _texts(further, name)]
    for place, name, where in named:
        if name not in known:
            findings.wrong(where, f"{path}.{place}", f'the schema has no field "{name}"', near(name, known))
    if "key" not in resource.value and "id" not in known:
        findings.wrong(at, path, 'the key is "id" unless `key` says otherwise, and the schema has no such field')


def _entries(root: Node, name: str) -> dict[str, tuple[Node, Mark | None]]:
    """Return what stands at *name*, by its names, each with the place of its name."""
    found = root.value.get(name)
    if found is None or not isinstance(found.value, dict):
        return {}
    empty = Node({})
    return {k: (n if isinstance(n.value, dict) else empty, found.keys[k]) for k, n in found.value.items()}


def _texts(node: Node, name: str) -> list[Node]:
    """Return the texts at *name*, which is one or a list of them; not the empty ones."""
    found = node.value.get(name)
    items = found.value if found and isinstance(found.value, list) else [found]
    return [item for item in items if item and isinstance(item.value, str) and item.value]


def _fields(node: Node | None) -> set[str]:
    """Return the fields of a schema that is given as it is; none of one that leaves others open."""
    if node is None or not isinstance(node.value, dict) or set(node.value) & {"function", *shapes.kinds("schema")}:
        return set()
    plain = node.plain()
    if not is_json_schema(plain):
        return set(plain)
    return set() if "patternProperties" in plain else set(plain["properties"])


def _declare(name: str) -> str:
    return f"Declare it: settings: {{{name}: {{title: …}}}}."
