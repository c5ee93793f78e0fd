"""What the settings say of one field, read: which policies its values meet, checked against what the API says of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, tzinfo
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from antiphon.errors import SettingError, did_you_mean
from antiphon.fill import folded, text
from antiphon.schema import shown, types
from antiphon.writeback.currency import CODES, SYMBOL, Currency
from antiphon.writeback.dates import EPOCHS, Moment, usable
from antiphon.writeback.policies import Allowed, Choose, Length, Otherwise, Policy, Replace

#: The settings of one field, for ``--about`` and editors; :func:`read` is what checks them.
ENTRY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "from": {"type": "string", "description": "The column, or a path into one (person.email); the field's name by default."},
        "const": {"description": "A value that stands in every record."},
        "replace": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Texts to replace by others, wherever they stand in the value.",
        },
        "map": {"type": "object", "description": "Values of the column, and what the API has for them."},
        "otherwise": {
            "enum": ["error", "default", "omit", "create"],
            "description": "What becomes of a value that is no option: the record is refused (default), the default stands in, the field is left out, or the option is added in the API.",
        },
        "default": {"description": "What stands in for a value that is no option."},
        "format": {
            "type": ["string", "array"],
            "items": {"type": "string"},
            "description": "How dates are written, such as %d/%m/%Y, epoch or epoch-ms; ISO 8601 is always read.",
        },
        "as": {"enum": ["date", "date-time"], "description": "What a field of plain text is to hold; what came, by default."},
        "source_zone": {"type": "string", "description": "The zone of times that name none, such as Europe/Brussels; UTC by default."},
        "target_zone": {"type": "string", "description": "The zone in which a time becomes a date; the source's by default."},
        "currency": {
            "type": ["string", "object"],
            "properties": {
                "to": {"enum": ["code", "symbol"]},
                "default": {"type": ["string", "array"], "items": {"type": "string"}},
            },
            "description": "code or symbol; or {to, default: [USD, SEK]}, default being what ambiguous symbols stand for.",
        },
        "allowed": {"type": "string", "description": "A regular expression for one character that may be in it: [A-Za-z0-9 ]."},
        "max_length": {"type": "integer", "minimum": 1, "description": "Characters at most; the API's own limit by default."},
        "on_too_long": {"enum": ["error", "truncate"], "description": "Refuse what is too long (default), or cut it."},
    },
}  # fmt: skip


_DATED = {"format", "source_zone", "target_zone", "as"}


def read(
    given: Mapping[str, Any], known: Mapping[str, Any], where: str, create: Callable[[str], str] | None = None
) -> tuple[Policy, ...]:
    """Return the policies that the settings *given* name for a field whose schema is *known*, in the order they are applied.

    The options and the length that the API tells of are checked too. *create* adds an option in the API; *where* opens each message.

    Raises:
        SettingError: there is something unknown or wrong in them.
    """
    for name in given:
        if name not in ENTRY_SCHEMA["properties"]:
            raise SettingError(f'{where} has no setting "{name}"', hint=did_you_mean(name, ENTRY_SCHEMA["properties"]))
    policies = (
        _replace(given, where),
        _currency(given, where),
        _moment(given, known, where),
        _choose(given, known, where, create),
        _allowed(given, where),
        _length(given, known, where),
    )
    return tuple(policy for policy in policies if policy is not None)


def refuse_option(const: Any, known: Mapping[str, Any], where: str) -> None:
    """Raise :class:`SettingError` for a constant that is none of the options the API lists."""
    options = [str(option) for option in known.get("x-options") or ()]
    separator = known.get("x-several")
    parts = str(const).split(separator) if separator else [str(const)]
    for part in parts if options and isinstance(const, str) and const else ():
        if part not in options:
            raise SettingError(f'{where}: "{part}" is no option of the API', hint=did_you_mean(part, options))


def _replace(given: Mapping[str, Any], where: str) -> Replace | None:
    if "replace" not in given:
        return None
    texts = _mapping(given["replace"], f"{where}.replace")
    for name, to in texts.items():
        if not name or not isinstance(to, str):
            raise SettingError(f"{where}.replace cannot be {shown(texts)}: each is a text and what replaces it")
    return Replace(texts)


def _choose(
    given: Mapping[str, Any], known: Mapping[str, Any], where: str, create: Callable[[str], str] | None
) -> Choose | None:
    options = tuple(map(text, known.get("x-options") or ()))
    if not options and not {"map", "otherwise", "default"} & set(given):
        return None
    if "map" not in given and not options:
        raise SettingError(f"{where}: the API lists no options for it", hint="Give a map of values.")
    if "map" in given and (_DATED | {"currency"}) & set(given):
        raise SettingError(f"{where}: a map and a date or currency do not go together", hint="Use replace.")
    otherwise = _one_of(given.get("otherwise", "error"), ("error", "default", "omit", "create"), f"{where}.otherwise")
    if (otherwise == "default") != ("default" in given):
        hint = (
            "Leave default out, or set otherwise: default."
            if "default" in given
            else "Give default, or set otherwise to another."
        )
        raise SettingError(f"{where}: default and otherwise: default need each other", hint=hint)
    if otherwise == "create" and create is None:
        hint = "Use error, default or omit, and add the option there by hand."
        raise SettingError(f"{where}.otherwise: there is no way to add an option through this API", hint=hint)
    texts = {folded(option): option for option in reversed(options)}
    titles = known.get("x-labels") or {}
    spoken = list(map(folded, titles.values()))
    labels = {folded(label): text(option) for option, label in titles.items() if spoken.count(folded(label)) == 1}
    found = Choose(
        _stripped(_mapping(given.get("map") or {}, f"{where}.map"), f"{where}.map"),
        options,
        {**labels, **texts},
        known.get("x-several") or "",
        cast("Otherwise", otherwise),
        given.get("default"),
        create,
        *([known["maxLength"]] if known.get("maxLength") else []),
    )
    meant = [*found.map.values(), *([found.default] if otherwise == "default" else [])]
    for value in meant if options and otherwise != "create" else ():
        for part in text(value).split(found.several) if found.several else [text(value)]:
            if part and found.option(part) is None:
                raise SettingError(f'{where}: "{part}" is no option of the API', hint=did_you_mean(part, options))
    return found


def _stripped(map: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Return *map* with its values as they are looked for: without spaces around them."""
    found: dict[str, Any] = {}
    for name, to in map.items():
        if found.setdefault(text(name).strip(), to) != to:
            raise SettingError(
                f'{where} has "{text(name).strip()}" twice, for spaces around a value do not count',
                hint="Keep one of them.",
            )
    return found


def _moment(given: Mapping[str, Any], known: Mapping[str, Any], where: str) -> Moment | None:
    if not _DATED & set(given):
        return None
    if types(known) and "string" not in types(known):
        raise SettingError(f"{where}: dates are set for it, and it holds {' or '.join(types(known))}")
    formats = _texts(given.get("format"), f"{where}.format")
    for form in formats:
        if form not in EPOCHS and ("%" not in form or not usable(form)):
            hint = f"Give {' or '.join(EPOCHS)}, or one such as %d/%m/%Y."
            raise SettingError(f'{where}.format cannot be "{form}"', hint=hint)
    source = _zone(given.get("source_zone"), f"{where}.source_zone")
    kind = known.get("format")
    wanted = given.get("as", kind)
    if wanted != kind:
        if kind in {"date", "date-time"}:
            raise SettingError(f'{where}.as cannot be "{wanted}": the field holds a {kind}')
        kind = _one_of(wanted, ("date", "date-time"), f"{where}.as")
    return Moment(
        cast("Any", kind if kind in {"date", "date-time"} else ""),
        formats,
        source or UTC,
        _zone(given.get("target_zone"), f"{where}.target_zone") or (source if kind == "date" else None),
    )


def _currency(given: Mapping[str, Any], where: str) -> Currency | None:
    if "currency" not in given:
        return None
    wanted = given["currency"]
    wanted = {"to": wanted} if isinstance(wanted, str) else _mapping(wanted, f"{where}.currency")
    for name in wanted:
        if name not in {"to", "default"}:
            raise SettingError(f'{where}.currency has no setting "{name}"', hint=did_you_mean(name, ("to", "default")))
    to = _one_of(wanted.get("to", "code"), ("code", "symbol"), f"{where}.currency.to")
    codes = _texts(wanted.get("default"), f"{where}.currency.default")
    for code in codes:
        if code not in CODES:
            raise SettingError(f'{where}.currency.default: "{code}" is no code of a currency')
    by_symbol: dict[str, str] = {}
    for code in codes if to == "code" else ():
        if by_symbol.setdefault(SYMBOL.get(code, code), code) != code:
            said = f'"{SYMBOL[code]}" would be both {by_symbol[SYMBOL[code]]} and {code}'
            raise SettingError(f"{where}.currency.default: {said}", hint="Name one of them.")
    return Currency(cast("Any", to), codes)


def _allowed(given: Mapping[str, Any], where: str) -> Allowed | None:
    if "allowed" not in given:
        return None
    pattern = given["allowed"]
    hint = "Give one for a single character, such as [A-Za-z0-9 ]."
    if pattern == "":
        raise SettingError(f"{where}.allowed is empty: then nothing would be allowed", hint=hint)
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise SettingError(f'{where}.allowed cannot be "{pattern}": {error}', hint=hint) from None
    if not _of_one_character(pattern):
        raise SettingError(
            f'{where}.allowed cannot be "{pattern}": it is for no single character, or for more', hint=hint
        )
    return Allowed(pattern)


def _of_one_character(pattern: str) -> bool:
    """Return whether the regular expression *pattern* fits single characters, and nothing longer or shorter."""
    flags = re.match(r"(\(\?[a-z]+\))*", pattern)
    begin = flags[0] if flags else ""
    try:
        re.compile(f"{begin}(?<=(?:{pattern.removeprefix(begin)}))")  # what stands there is to fit one length alone
    except re.error:
        return False
    return any(re.fullmatch(pattern, chr(code)) for code in range(sys.maxunicode + 1))


def _length(given: Mapping[str, Any], known: Mapping[str, Any], where: str) -> Length | None:
    most = given.get("max_length")
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
        raise SettingError(f"{where}.max_length cannot be {shown(most)}: it is a number of characters")
    declared = known.get("maxLength")
    how = _one_of(given.get("on_too_long", "error"), ("error", "truncate"), f"{where}.on_too_long")
    limits = [limit for limit in (most, declared) if limit]
    if not limits:
        if "on_too_long" in given:
            raise SettingError(f"{where}: the API tells no length for it", hint="Give max_length.")
        return None
    return Length(min(limits), how == "truncate")


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingError(f"{where} cannot be {shown(value)}: it is an object")
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    found = (value,) if isinstance(value, str) else value or ()
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) for one in found):
        raise SettingError(f"{where} cannot be {shown(value)}: it is a text, or a list of texts")
    return tuple(found)


def _one_of(value: Any, allowed: Iterable[str], where: str) -> str:
    if value not in allowed:
        raise SettingError(f'{where} cannot be "{value}"', hint=f"It is one of: {', '.join(allowed)}.")
    return str(value)


def _zone(name: Any, where: str) -> tzinfo | None:
    if name is None:
        return None
    try:
        return UTC if name == "UTC" else ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingError(f'{where}: there is no time zone "{name}"', hint="For example: Europe/Brussels.") from None
