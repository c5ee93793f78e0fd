"""Descriptions of APIs in YAML or JSON: the same types as in Python, with the same words.

Everything here is driven by the dataclasses of :mod:`antiphon.api` and by the registries ``KINDS`` of the modules that hold what
fills their slots. Reading never imports or runs what a description names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from antiphon.api import Api
from antiphon.description.completion import json_schema
from antiphon.description.nodes import MOST_BYTES, Node, Unreadable, composed, composed_of, decoded
from antiphon.description.problems import Problem
from antiphon.description.reading import faults, read
from antiphon.description.writing import data, dump
from antiphon.errors import DescriptionError


def load(path: Path | str) -> Api:
    """Return the API that the file at *path* describes.

    Raises:
        DescriptionError: it cannot be read, or something is wrong with it; the text says where.
    """
    return _described(lambda: _composed(path), str(path))


def parse(text: str, where: str) -> Api:
    """Return the API that *text* describes; *where* names it in errors.

    Raises:
        DescriptionError: something is wrong with it.
    """
    return _described(lambda: composed(text), where)


def from_mapping(mapping: Mapping[str, Any], where: str) -> Api:
    """Return the API that *mapping* describes, which stands in a plugin's config for one; *where* names it in errors.

    Raises:
        DescriptionError: something is wrong with it.
    """
    return _described(lambda: composed_of(mapping), where)


def draft(text: str, where: str) -> Api:
    """Return the API that *text* describes, though some of its resources may have no schema yet: they get one without fields.

    Raises:
        DescriptionError: something else is wrong with it.
    """
    return _described(lambda: _with_schemas(composed(text)), where)


def judged(api: Api, where: str) -> Api:
    """Return *api*, which was made in Python, if all is well with it; *where* names it in errors.

    Raises:
        DescriptionError: something is wrong with it, which its types do not let through.
    """
    return _only(api if not (found := _faults(api)) else None, found, where)


def problems_of(api: Api, where: str) -> list[str]:
    """Return all that is wrong with *api*, which was made in Python, a line each."""
    return [problem.told(where) for problem in _faults(api)]


def _faults(api: Api) -> list[Problem]:
    signing = api.auth if isinstance(api.auth, tuple) else (api.auth,)
    try:
        return faults(composed_of(data(api)), {"auth": tuple(name for auth in signing for name in auth.needs())})
    except Unreadable as error:
        return [Problem((0, 0), "", error.message, error.hint)]


def problems(path: Path | str) -> list[str]:
    """Return all that is wrong with the file at *path*, a line each, in the order of the file."""
    try:
        _, found = read(_composed(path))
    except DescriptionError as error:
        refused = _refused(error, str(path)) if isinstance(error, Unreadable) else error
        return [str(refused)]
    return [problem.told(str(path)) for problem in found]


def _described(tree: Callable[[], Node], where: str) -> Api:
    try:
        return _only(*read(tree()), where)
    except Unreadable as error:
        raise _refused(error, where) from None


def _with_schemas(root: Node) -> Node:
    """Return *root* with a schema without fields for each of its resources that has none."""
    resources = root.value.get("resources") if isinstance(root.value, dict) else None
    for node in resources.value.values() if resources and isinstance(resources.value, dict) else ():
        if isinstance(node.value, dict) and not ("schema" in node.value and node.value["schema"].value):
            node.value["schema"] = composed_of({"properties": {}})
    return root


def _composed(path: Path | str) -> Node:
    try:
        with Path(path).open("rb") as file:
            found = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise DescriptionError(f"reading {path} -> {error.strerror}") from None
    return composed(decoded(found))


def _refused(error: Unreadable, where: str) -> DescriptionError:
    return DescriptionError(Problem(error.mark or (0, 0), "", error.message, error.hint).told(where))


def _only(api: Api | None, found: list[Problem], where: str) -> Api:
    if api is None:
        first, *others = (problem.told(where) for problem in found)
        more = f"And {len(others)} more: antiphon lint shows them all." if others else ""
        raise DescriptionError(first, hint=more)
    return api


__all__ = [
    "Problem",
    "data",
    "draft",
    "dump",
    "from_mapping",
    "json_schema",
    "judged",
    "load",
    "parse",
    "problems",
    "problems_of",
]
