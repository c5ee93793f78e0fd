"""The models that are installed, and their fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from antiphon.sandbox.odoo.catalogue import MODELS
from antiphon.sandbox.odoo.fields import Field

_HEADING = re.compile(r"\[(?P<name>[^]]+)] (?P<label>[^;]+)(?P<more>.*)")
_VERSIONS = re.compile(r"(<|>=)(\d+)")
FLAGS = {"required", "readonly", "unstored", "computed", "nocopy", "cascade", "restrict", "translate"}


@dataclass(slots=True)
class Model:
    """One model. `view` has no magic columns and cannot be written; `broken` fields fail whenever they are computed."""

    name: str
    label: str
    order: str = "id"
    module: str = "base"
    view: bool = False
    transient: bool = False
    manual: bool = False
    fields: dict[str, Field] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    @property
    def rec_name(self) -> str:
        """The field whose value stands for the record."""
        return next((name for name in ("name", "x_name", "login") if name in self.fields), "id")


def magic(model: Model) -> dict[str, Field]:
    """The columns every model has, and those that only tables have."""
    shown = {
        "id": Field("id", "integer", "ID", readonly=True, copied=False),
        "display_name": Field(
            "display_name", "char", "Display Name", readonly=True, store=False, computed=True, copied=False
        ),
    }
    if not model.view:
        for name, kind, label, relation in (
            ("create_uid", "many2one", "Created by", "res.users"),
            ("create_date", "datetime", "Created on", None),
            ("write_uid", "many2one", "Last Updated by", "res.users"),
            ("write_date", "datetime", "Last Updated on", None),
        ):
            shown[name] = Field(name, kind, label, readonly=True, relation=relation, copied=False)
    return shown


def field_from(name: str, definition: str | Mapping[str, Any]) -> Field:
    """A field as a knob gives it: `char`, `many2one:res.partner`, `selection:a,b`, or a mapping of Field's own names."""
    if isinstance(definition, str):
        kind, _, rest = definition.partition(":")
        definition = {"type": kind}
        if kind == "selection":
            definition["selection"] = [(key, key.title()) for key in rest.split(",")]
        elif rest:
            definition["relation"], _, inverse = rest.partition("/")
            definition["inverse"] = inverse or None
    values = dict(definition)
    values["selection"] = tuple((key, label) for key, label in values.get("selection", ()))
    values.setdefault("string", name.removeprefix("x_").replace("_", " ").title())
    return Field(name, manual=name.startswith("x_"), **values)


def build(version: int, missing: Iterable[str] = ()) -> dict[str, Model]:
    """The models of a version, without those that are not installed and the fields that point to them."""
    left_out = set(missing)
    models = {model.name: model for model in _parsed(version) if model.name not in left_out}
    for model in models.values():
        prune(model, models)
    return models


def prune(model: Model, models: Mapping[str, Model]) -> None:
    """Drop the fields that point to a model which is not there, or follow a field which is not."""
    for of in list(model.fields.values()):
        lost = of.relation is not None and of.relation not in models
        if lost or (of.related is not None and of.related.split(".")[0] not in model.fields):
            del model.fields[of.name]


def _parsed(version: int) -> list[Model]:
    models: list[Model] = []
    for line in filter(None, MODELS.splitlines()):
        heading = _HEADING.fullmatch(line)
        if heading is None:
            of = _field(line, version)
            if of is not None:
                models[-1].fields[of.name] = of
            continue
        traits: dict[str, str] = {}
        for part in heading["more"].split(";"):
            key, _, value = part.strip().partition("=")
            traits[key] = value
        model = Model(
            heading["name"], heading["label"], traits["order"], traits["module"], "view" in traits, "transient" in traits
        )  # fmt: skip
        model.fields.update(magic(model))
        models.append(model)
    pricelist = next(model for model in models if model.name == "product.pricelist")
    # A None among the attributes: reported for this model, and what XML-RPC cannot marshal.
    pricelist.fields["sequence"] = replace(pricelist.fields["sequence"], more={"aggregator": None})
    return models


def _field(line: str, version: int) -> Field | None:
    spec, string, *options = (part.strip() for part in line.split(" | "))
    name, kind, *tokens = spec.split()
    known: dict[str, Any] = {"more": {}}
    flags: set[str] = set()
    for token in tokens:
        bounds = _VERSIONS.fullmatch(token)
        key, equals, value = token.partition("=")
        if bounds is not None:
            if (version < int(bounds[2])) != (bounds[1] == "<"):
                return None
        elif token in FLAGS:
            flags.add(token)
        elif equals:
            known[key] = value
        else:
            known["relation"], _, inverse = token.partition("/")
            known["inverse"] = inverse or None
    if "default" in known:
        known["default"] = _default(kind, known["default"])
    if "translate" in flags:
        known["more"]["translate"] = True
    if options:
        known["selection"] = tuple((k, v) for k, _, v in (o.partition("=") for o in options[0].split(",")))
    return Field(
        name,
        kind,
        string,
        required="required" in flags,
        readonly="readonly" in flags,
        store="unstored" not in flags and kind != "one2many",
        computed="computed" in flags,
        copied="nocopy" not in flags and "computed" not in flags and kind != "one2many",
        ondelete="cascade" if "cascade" in flags else "restrict" if "restrict" in flags else "",
        **known,
    )


def _default(kind: str, text: str) -> Any:
    if kind in {"integer", "many2one"}:
        return int(text)
    if kind in {"float", "monetary"}:
        return float(text)
    return bool(int(text)) if kind == "boolean" else text
