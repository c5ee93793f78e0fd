"""A field of a model, and the way its values go into storage.

A value that is not set is stored as None; how it is shown (False, 0, "") is for reading to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from antiphon.sandbox.odoo import failures, moments

TO_MANY = frozenset({"one2many", "many2many"})
NUMBERS = frozenset({"integer", "float", "monetary", "many2one_reference"})
MAGIC = ("id", "display_name", "create_uid", "create_date", "write_uid", "write_date")


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `related` is the dotted path it follows; `computed` says that a function makes its value."""

    name: str
    type: str
    string: str = ""
    required: bool = False
    readonly: bool = False
    store: bool = True
    relation: str | None = None
    inverse: str | None = None
    selection: tuple[tuple[str, str], ...] = ()
    related: str | None = None
    computed: bool = False
    default: Any = None
    ondelete: str = ""
    copied: bool = True
    manual: bool = False
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def null(self) -> Any:
        """What a value that is not set reads as."""
        if self.type == "many2one_reference":
            return 0
        return 0 if self.type == "integer" else 0.0 if self.type in {"float", "monetary"} else False

    @property
    def exact(self) -> bool:
        """Whether its moments keep their microseconds."""
        return self.name in {"create_date", "write_date"}

    @property
    def restricts(self) -> str:
        """What becomes of a record when the one it points to is deleted."""
        return self.ondelete or ("restrict" if self.required else "set null")


def stored(model: str, of: Field, value: Any) -> Any:  # noqa: C901, PLR0911, PLR0912 - one case for each type
    """The value as it is kept; None when it is not set. Raises Failure in Python's own words."""
    if value is None or (value is False and of.type != "boolean"):
        return None
    match of.type:
        case "boolean":
            return bool(value) or None
        case "char" | "text" | "html" | "binary":
            text = value if isinstance(value, str) else str(value)
            return text[: of.more["size"]] if "size" in of.more else text
        case "integer" | "many2one_reference":
            return _number(int, value) or None
        case "float" | "monetary":
            return _number(float, value) or None
        case "selection":
            if value not in {key for key, _ in of.selection}:
                raise failures.wrong_value(f"Wrong value for {model}.{of.name}: {value!r}")
            return value
        case "many2one":
            if isinstance(value, int):
                return int(value) or None
            raise failures.wrong_value(f"Wrong value for {model}.{of.name}: {value!r}")
        case "date":
            try:
                return datetime.strptime(str(value)[:10], "%Y-%m-%d").strftime("%Y-%m-%d")  # noqa: DTZ007
            except ValueError as error:
                raise failures.wrong_value(str(error)) from None
        case "datetime":
            try:
                return moments.read(str(value))
            except ValueError as error:
                raise failures.wrong_value(str(error)) from None
        case _:
            return value


def _number(kind: type[int | float], value: Any) -> Any:
    try:
        return kind(value)
    except (TypeError, ValueError) as error:
        raise failures.wrong_value(str(error)) from None


def literal(of: Field, value: Any) -> Any:
    """A value of a domain, made comparable with what is stored. Raises Failure."""
    if of.type == "datetime" and isinstance(value, str):
        try:
            seconds = moments.read(value)
        except ValueError as error:
            raise failures.wrong_value(str(error)) from None
        return seconds + ".000000" if of.exact else seconds
    if of.type == "date" and isinstance(value, str):
        return value[:10]
    return value


def description(of: Field) -> dict[str, Any]:
    """What `fields_get` says of a field. Attributes without a value are left out, as the vendor does."""
    shown: dict[str, Any] = {
        "name": of.name,
        "type": of.type,
        "string": of.string,
        "required": of.required,
        "readonly": of.readonly,
        "store": of.store,
        "manual": of.manual,
        "searchable": of.store or of.related is not None,
        "sortable": of.store and of.type not in TO_MANY,
        "groupable": of.store and of.type not in {"one2many", "binary", "json"},
        "exportable": True,
        "company_dependent": False,
        "change_default": False,
        "depends": [],
    }
    if of.related is not None:
        shown["related"] = of.related
    if of.relation is not None:
        shown |= {"relation": of.relation, "domain": [], "context": {}}
    if of.type == "one2many":
        shown["relation_field"] = of.inverse
    if of.type == "selection":
        shown["selection"] = [list(option) for option in of.selection]
    if of.type == "monetary":
        shown["currency_field"] = "currency_id"
    if of.type in {"char", "text", "html"}:
        shown["translate"] = bool(of.more.get("translate"))
    return shown | {key: value for key, value in of.more.items() if key != "translate"}
