"""Strategies for descriptions, made of the shapes of the types and of the registries of kinds."""

import math
from dataclasses import replace

from hypothesis import assume
from hypothesis import strategies as st

from antiphon import schema
from antiphon.api import Api, Resource, Setting
from antiphon.description import shapes
from antiphon.errors import DescriptionError

#: Texts that YAML readers, other than ours or careless, take for something else; and what quoting has to get right.
TRICKY = (
    "yes", "no", "on", "null", "~", "", " ", "true", "010", "0x1f", "1_000", "1e3", "+5", ".5", "-", "2026-01-01", "12:30:00", "<<", "=",
    "a: b", "a #b", "- a", "*a", "&a", "!a", "|", ">", "%a", "@a", "`a", "'", '"', "\\", "{", "}", "[x]", "a\nb", "\n", " a ", "a\n ", "\t",
    "\x85", "\u2028", "\ufeff", "\x00", "é", "😀", "{0}",
)  # fmt: skip
texts = st.sampled_from(TRICKY) | st.text(max_size=8).filter(lambda text: "{" not in text)
patterns = st.sampled_from(("", "^[a-z]+$", "'"))
names = st.text("abcdefghij_", min_size=1, max_size=6)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**20), 10**20)
json = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
words = st.builds(
    lambda name, marks: " ".join((name, *marks)),
    st.sampled_from([*schema.WORDS, "string!", "integer!"]),
    st.lists(st.sampled_from(sorted(schema.MARKS)), unique=True),
)
record_schemas = st.builds(
    lambda fields: schema.record({"id": "string!", **fields}),
    st.dictionaries(names, words | st.fixed_dictionaries({"type": st.just("string"), "maxLength": st.integers(0, 9)})),
) | st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "properties": st.fixed_dictionaries(
            {"id": words.map(schema.of), "n": st.dictionaries(texts, json, max_size=2)}
        ),
    }
)


def of(shape, depth=3):  # noqa: C901, PLR0911, PLR0912
    """Return a strategy for what *shape* stands for."""
    match shape:
        case shapes.Maybe():
            return st.none() | of(shape.shape, depth - 1) if depth > 0 else st.none()
        case shapes.Either():
            return st.one_of(*(of(each, depth) for each in shape.shapes))
        case shapes.Choice():
            found = [objects(cls, depth - 1) for cls in shape.kinds.values()]
            return st.one_of(*found, *([of(shape.plain, depth)] if shape.plain else ()))
        case shapes.Record():
            return objects(shape.cls, depth - 1)
        case shapes.Named():
            return st.lists(objects(shape.cls, depth), max_size=2, unique_by=lambda item: item.name).map(tuple)
        case shapes.Table():
            return st.dictionaries(texts, of(shape.value, depth - 1), max_size=2)
        case shapes.Many():
            return st.lists(of(shape.item, depth - 1), max_size=3).map(shape.of)
        case shapes.Pair():
            return st.tuples(texts, of(shape.value, depth))
        case shapes.Fields():
            return record_schemas
        case shapes.Anything():
            return json
        case shapes.Text():
            bounds = shape.bounds
            return st.from_regex(bounds.pattern).filter(lambda t: "{" not in t and bounds.holds(t)) if bounds else texts
        case shapes.Whole():
            return st.integers(*ends(shape.bounds))
        case shapes.Number():
            least, most = ends(shape.bounds)
            return (
                numbers if shape.bounds is None else st.floats(max(least, 0.001), most) | st.integers(least + 1, most)
            )
        case shapes.Flag():
            return st.booleans()
        case shapes.Word():
            return st.sampled_from(shape.words)


def ends(bounds):
    """Return the least and the greatest whole number that *bounds* allow, or that is tried."""
    least, most = (bounds.least, bounds.most) if bounds else (-math.inf, math.inf)
    least = max(least, bounds.above if bounds else -math.inf)
    return int(max(least, -(10**20))), int(min(most, 10**20))


@st.composite
def objects(draw, cls, depth=3):
    """Draw an object of *cls*: what has to be given, and some of the rest."""
    values = {}
    for name, field in shapes.fields(cls).items():
        if isinstance(field.shape, shapes.Function):
            continue
        if name in {"match", "key", "created", "updated", "within", "folded", "parent"}:
            continue  # they name fields and resources that there have to be
        if field.required or draw(st.integers(0, 3)) == 0:
            values[name] = draw(patterns if (cls, name) == (Setting, "pattern") else of(field.shape, depth))
    try:
        return cls(**values)
    except DescriptionError:
        assume(False)


def declared(api):
    """Return *api* with the settings that its ways to sign need."""
    signing = api.auth if isinstance(api.auth, tuple) else (api.auth,)
    names = {name for auth in signing for name in auth.needs()} - {setting.name for setting in api.settings}
    return replace(api, settings=(*api.settings, *map(Setting, sorted(names))))


apis = objects(Api, depth=6).map(declared)


class Impure(Exception):
    """A value that is a function, or holds one it cannot do without."""


def pure(shape, value):  # noqa: C901, PLR0911
    """Return *value* without functions."""
    match shape:
        case shapes.Function() if value is not None:
            raise Impure
        case shapes.Maybe():
            return None if value is None else pure(shape.shape, value)
        case shapes.Either() if isinstance(value, tuple):
            return tuple(pure(shape.shapes[-1], item) for item in value)
        case shapes.Either():
            return pure(shape.shapes[-1], value)
        case shapes.Choice():
            if type(value) in shape.kinds.values():
                return pure_object(type(value), value)
            if shape.plain is None or callable(value):
                raise Impure
            return pure(shape.plain, value)
        case shapes.Record():
            return pure_object(shape.cls, value)
        case shapes.Named():
            return tuple(pure_object(shape.cls, item) for item in value)
        case shapes.Table():
            return {key: kept for key, item in value.items() if (kept := pure_or_none(shape.value, item)) is not None}
        case _ if callable(value):
            raise Impure
    return value


def pure_or_none(shape, value):
    try:
        return pure(shape, value)
    except Impure:
        return None


def pure_object(cls, value):
    """Return *value* without functions; of an API or a resource what is left without them."""
    found = {}
    for name, field in shapes.fields(cls).items():
        try:
            found[name] = pure(field.shape, getattr(value, name))
        except Impure:
            if cls not in {Api, Resource}:
                raise
            found[name] = schema.record({}) if field.required else field.default
    return cls(**found)
