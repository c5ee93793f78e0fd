"""From an :class:`~antiphon.api.Api` to plain data and YAML: what is at its default is left out, functions are named."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import is_dataclass
from typing import Any

import yaml

from antiphon import schema
from antiphon.api import Api, Resource, usual
from antiphon.description import nodes, shapes
from antiphon.description.shapes import Shape, is_json_schema

_WIDTH = 120
_SHORT = 90
"""Characters; a list or mapping of scalars that is not longer stands in one line."""


def data(api: Api) -> dict[str, Any]:
    """Return the description of *api* as mappings, lists and scalars."""
    found = _record(Api, api)
    assert isinstance(found, dict)  # noqa: S101 - more than one field has to be given
    resources = found.pop("resources", {})
    return {**found, "resources": resources} if resources else found


def dump(api: Api) -> str:
    """Return the description of *api* as YAML. Functions stand there as ``{function: module:name}``, which is not read back."""
    text: str = yaml.dump(data(api), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text


def _plain(shape: Shape, value: Any) -> Any:  # noqa: C901, PLR0911 - one case for each shape
    match shape:
        case shapes.Maybe():
            return None if value is None else _plain(shape.shape, value)
        case shapes.Either():
            many = next((s for s in shape.shapes if isinstance(s, shapes.Many)), None)
            other = next((s for s in shape.shapes if s is not many), shapes.Anything())
            return _plain(many if many and isinstance(value, list | tuple) else other, value)
        case shapes.Choice():
            return _choice(shape, value)
        case shapes.Function():
            return None if value is None else _function(value)
        case _ if callable(value):
            return _function(value)
        case shapes.Fields():
            return _schema(value)
        case shapes.Many():
            return [_plain(shape.item, item) for item in (sorted(value) if shape.of is frozenset else value)]
        case shapes.Pair():
            return {value[0]: _plain(shape.value, value[1])}
        case shapes.Table():
            return {key: _plain(shape.value, item) for key, item in value.items()}
        case shapes.Named():
            return {item.name: _record(shape.cls, item, without="name") for item in value}
        case shapes.Record():
            return _record(shape.cls, value)
        case _:
            return _json(value)


def _record(cls: type, value: Any, *, without: str = "") -> Any:
    if cls is Resource:
        value = usual.shortened(value)
    if cls is Api:
        value = _without_implied(value)
    found = {
        name: _plain(field.shape, getattr(value, name))
        for name, field in shapes.fields(cls).items()
        if name != without and (field.required or getattr(value, name) != field.default)
    }
    short = shapes.brief(cls)
    if short and not without and list(found) == [short.name] and isinstance(found[short.name], str | list):
        return found[short.name]
    return found


def _without_implied(api: Api) -> Api:
    """Return *api* without the settings and the check that go without saying. It is for showing, not for use."""
    made = copy(api)
    implied = api.implied(())
    object.__setattr__(made, "settings", tuple(setting for setting in api.settings if setting not in implied))
    if api.check == api.first_of_a_list():
        object.__setattr__(made, "check", None)
    return made


def _choice(shape: shapes.Choice, value: Any) -> Any:
    word = next((word for word, cls in shape.kinds.items() if type(value) is cls), None)
    if word:
        found = _record(shape.kinds[word], value)
        bare = found == {} and not isinstance(shape.plain, shapes.Record)
        return word if bare else {word: found}
    return _function(value) if callable(value) or shape.plain is None else _plain(shape.plain, value)


def _function(value: Any) -> dict[str, str]:
    named = type(value) if is_dataclass(value) or not hasattr(value, "__qualname__") else value
    return {"function": f"{named.__module__}:{named.__qualname__}"}


def _schema(value: Mapping[str, Any]) -> Any:
    properties = value.get("properties")
    if isinstance(properties, Mapping) and schema.record(properties) == value:
        words = {name: schema.word(field) or _json(field) for name, field in properties.items()}
        if not is_json_schema(words) and not (len(words) == 1 and set(words) & set(shapes.kinds("schema"))):
            return words
    return _json(value)


def _json(value: Any) -> Any:
    if callable(value):
        return _function(value)
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    return [_json(item) for item in value] if isinstance(value, list | tuple) else value


class _Dumper(yaml.SafeDumper):
    """Writes YAML that our reader and others take for the same."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:  # noqa: ARG002
        node = super().represent_mapping(tag, mapping, flow_style=False)
        inside = [part for pair in node.value for part in pair]
        node.flow_style = not inside or (len(node.value) < 7 and _fits(inside))  # noqa: PLR2004
        return node

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:  # noqa: ARG002
        node = super().represent_sequence(tag, sequence, flow_style=False)
        node.flow_style = _fits(node.value)
        return node


def _fits(inside: list[yaml.Node]) -> bool:
    return all(isinstance(n, yaml.ScalarNode) and "\n" not in n.value for n in inside) and (
        sum(len(n.value) + 3 for n in inside) <= _SHORT
    )


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = '"' if nodes.BREAKS.search(text) else "|" if "\n" in text.strip("\n") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
# What our reader takes for a number and YAML 1.1 does not has to stand in quotes.
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", nodes.NUMBER, list("-+0123456789"))
