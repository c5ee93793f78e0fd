"""CSV files as an API to read: each entry of the setting ``files`` is a resource. Nothing here speaks HTTP.

Where a description cannot be data it is functions in the same slots: ``discover`` names the resources, ``schema`` looks at
the files, ``read`` yields pages whose cursor is a file and a line.

Every line is accounted for. It becomes a record, or it is a bad line, reported by file and number: too few or too many
cells, a quote out of place, a value that is not of its column's type, an empty key. Only lines without any text are
passed over. Numbers do not pass through float, and a column is taken for anything but text only if reading it so loses
nothing (``007`` and ``+49 …`` stay text).
"""

from __future__ import annotations

import codecs
import gzip
import io
import logging
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from csv import QUOTE_MINIMAL, QUOTE_NONE, field_size_limit, reader
from csv import Error as CsvError
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from glob import glob
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from antiphon import moment, schema
from antiphon.api import Api, Page, Query, Record, Resource, Schema, Setting
from antiphon.client import Client
from antiphon.errors import InputError, SettingError, did_you_mean

log = logging.getLogger("antiphon.apis.csv")

PAGE = 1_000
"""Records in a page."""
PAGE_TEXT = 8 * 2**20
"""Characters after which a page ends, however few its records."""
SAMPLE = 10_000
"""Records of a resource from which types are inferred, shared among its files."""
HEAD = 256 * 2**10
"""Characters at the start of a file in which its header must end, and from which the delimiter is found."""
LONGEST_CELL = 16 * 2**20
"""Characters; bounds what an open quote can swallow."""
WARNINGS = 100
"""Bad places of a resource that are logged as warnings; the rest are logged for debugging."""
FILE, LINE = "_sdc_source_file", "_sdc_source_lineno"

field_size_limit(LONGEST_CELL)

Type = Literal["string", "integer", "number", "boolean", "date", "date-time"]


class FileSet(msgspec.Struct, frozen=True):
    """A file, or files alike, that make one stream. A text alone is its path."""

    path: Annotated[
        str,
        Meta(min_length=1, description="A file, or a glob (`exports/people-*.csv`) of files with the same columns."),
    ]
    entity: Annotated[str, Meta(description="The stream's name; if not given, it is made from the file's name.")] = ""
    keys: Annotated[list[str], Meta(description="The columns that tell records apart. They may not be empty.")] = []
    types: Annotated[
        dict[str, Type], Meta(description="Types of columns; those not named here are inferred from the first lines.")
    ] = {}
    delimiter: Annotated[
        str,
        Meta(max_length=1, description="What separates cells; if not given, comma, semicolon, tab or bar is found."),
    ] = ""
    encoding: Annotated[
        str, Meta(description="Such as `cp1252`; if not given, what the byte order mark says, else UTF-8.")
    ] = ""
    quotechar: Annotated[str, Meta(max_length=1, description="What quoted cells stand between; empty: none are.")] = '"'
    escapechar: Annotated[
        str, Meta(max_length=1, description="What takes the next character's meaning away, if any.")
    ] = ""
    skipinitialspace: Annotated[bool, Meta(description="Whether spaces after a delimiter are dropped.")] = False
    skip_rows: Annotated[int, Meta(ge=0, description="Lines to drop at the top of each file, before the header.")] = 0
    header: Annotated[list[str], Meta(description="The columns' names, for files without a header line.")] = []
    nulls: Annotated[list[str], Meta(description="Texts that mean null: an empty cell, unless given.")] = msgspec.field(
        default_factory=lambda: [""]
    )


@dataclass(frozen=True)
class Layout:
    """How one file is to be read: what was found at its start."""

    path: str
    encoding: str
    form: Mapping[str, Any]
    """The keywords for :func:`csv.reader`."""
    columns: tuple[str, ...]
    start: int
    """Lines before the first record."""
    mark: list[int]
    """Size and time of change (ns): they tell whether it is still the same file."""


@dataclass
class BadLines:
    """The lines of one resource that became no record: how many, in how many places, and which the first of these are."""

    stream: str
    lines: int = 0
    places: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, path: str, first: int, last: int, reason: str) -> None:
        """Count and log the lines *first* to *last*."""
        place = f"{path} line {first}" if first == last else f"{path} lines {first}-{last}"
        level = logging.WARNING if self.places < WARNINGS else logging.DEBUG
        log.log(level, "csv: reading %s -> %s: %s", self.stream, place, reason)
        self.lines += last - first + 1
        self.places += 1
        self.first = [*self.first, place][:5]

    def __str__(self) -> str:
        """Return how many and where, in words."""
        more = ", …" if self.places > len(self.first) else ""
        more += " all in the log at level DEBUG" if self.places > WARNINGS else ""
        return f"bad lines left out: {self.lines} ({', '.join(self.first)}{more})"


# The resources


def _discover(client: Client) -> Iterator[Resource]:
    for files in _file_sets(client):
        fields, read = partial(_schema, files=files), partial(_read, files=files)
        yield Resource(files.entity, fields, tuple(files.keys), title=files.path, read=read)


def _check(client: Client, resource: Resource, query: Query) -> Iterator[Page]:  # noqa: ARG001
    for files in _file_sets(client):
        _layouts(files)
    yield from ()


def _file_sets(client: Client) -> list[FileSet]:
    """Return the entries of the setting ``files``, each with a name that no other has."""
    entries = client.settings.get("files") or ()
    found = [_file_set(entry, f"csv: files[{number}]") for number, entry in enumerate(entries)]
    names = [files.entity for files in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        said = f"csv: files: more than one entry is called {', '.join(twice)}"
        raise SettingError(said, hint="Give each an `entity` of its own.")
    return found


def _file_set(entry: Any, where: str) -> FileSet:
    entry = {"path": entry} if isinstance(entry, str) else entry
    known = FileSet.__struct_fields__
    for name in entry if isinstance(entry, Mapping) else ():
        if name not in known:
            raise SettingError(f'{where}: there is no "{name}"', hint=did_you_mean(str(name), known))
    try:
        files = msgspec.convert(entry, FileSet)
        reader((), **_form(files), delimiter=files.delimiter or ",")
        io.TextIOWrapper(io.BytesIO(), files.encoding or "utf-8")
    except (msgspec.ValidationError, TypeError, ValueError, LookupError) as error:
        raise SettingError(f"{where}: {error}") from None
    entity = files.entity or _name(Path(files.path))
    if not entity:
        raise SettingError(f'{where}: "{files.path}" gives the stream no name', hint="Give it as `entity`.")
    return msgspec.structs.replace(files, entity=entity)


def _name(path: Path) -> str:
    """Return a name made from the file's: ``exports/people-2026-*.csv.gz`` -> ``people_2026``; else the folder's."""
    for text in (Path(path.name.removesuffix(".gz")).stem, path.parent.name):
        if name := re.sub(r"\W+", "_", re.sub(r"\[.*?\]", "*", text)).strip("_"):
            return name
    return ""


def _schema(client: Client, files: FileSet) -> Schema:
    layouts = _layouts(files)
    columns = layouts[0].columns
    words: dict[str, str] = {**_inferred(layouts, files), **files.types}
    fields = {name: words[name] + ("!" if name in files.keys else "") for name in columns}
    if client.settings.get("add_metadata_columns"):
        if taken := {FILE, LINE} & set(columns):
            hint = "Set add_metadata_columns to false, or rename it."
            raise SettingError(f"csv: {layouts[0].path} has a column {', '.join(sorted(taken))} already", hint=hint)
        fields |= {FILE: "string", LINE: "integer"}
    return schema.record(fields)


def _read(client: Client, resource: Resource, query: Query, files: FileSet) -> Iterator[Page]:
    properties = client.schema(resource)["properties"]
    asked = properties if query.fields is None else {*query.fields, *resource.key}
    fields = {name: properties[name] for name in properties if name in asked}
    located = client.settings.get("add_metadata_columns")
    layouts = _layouts(files)
    bad = BadLines(resource.name)
    resumed, line = _resumed(query.cursor, layouts, bad)
    rows: list[Record] = []
    size = 0
    for layout in layouts[resumed:]:
        record_of = _compiled(layout, fields, files)
        for first, last, row in _rows(layout, max(line, layout.start)):
            record = row if isinstance(row, str) else record_of(row)
            if isinstance(record, str):
                bad.add(layout.path, first, last, record)
                continue
            if len(rows) == PAGE or size > PAGE_TEXT:
                place = {"file": layout.path, "line": first - 1, "mark": layout.mark}
                yield Page(rows=rows, cursor={**place, "bad": [bad.lines, bad.places, bad.first]})
                rows, size = [], 0
            if located:
                record |= {name: value for name, value in ((FILE, layout.path), (LINE, first)) if name in fields}
            rows.append(record)
            size += sum(map(len, row))
        line = 0
    if rows:
        yield Page(rows=rows)
    if bad.lines and client.settings.get("bad_lines") == "skip":
        log.warning("csv: reading %s -> %s", resource.name, bad)
    elif bad.lines:
        hint = 'All others were passed on. Mend these, or set bad_lines to "skip".'
        raise InputError(f"csv: reading {resource.name} -> {bad}", hint=hint)


def _resumed(cursor: Any, layouts: Sequence[Layout], bad: BadLines) -> tuple[int, int]:
    """Return which file an earlier read stopped in, and after which line; the start if that file is not as it was."""
    match cursor:
        case {"file": path, "line": int(line), "mark": mark, "bad": [int(lines), int(places), [*first]]}:
            for number, layout in enumerate(layouts):
                if (path, mark) == (layout.path, layout.mark):
                    bad.lines, bad.places, bad.first = lines, places, first
                    return number, line
            log.info("csv: reading %s -> %s has changed: reading from the start", bad.stream, path)
    return 0, 0


# Files


def _paths(files: FileSet) -> list[str]:
    """Return the file at the path, or those that the glob matches, sorted."""
    try:
        path = Path(files.path).expanduser()
        if path.is_file():
            return [str(path)]
        found = sorted(name for name in glob(str(path), recursive=True) if Path(name).is_file())  # noqa: PTH207 -- absolute too
    except (OSError, RuntimeError) as error:
        raise SettingError(f"csv: files: {files.path} -> {error}") from None
    if found:
        return found
    if path.is_dir():
        raise SettingError(f"csv: files: {path} is a folder", hint=f"To read the files in it, give {path}/*.csv.")
    if path.exists():
        raise SettingError(
            f"csv: files: {path} is no regular file", hint="It has to be read more than once: save it first."
        )
    raise SettingError(f"csv: files: there is no file {path}")


@contextmanager
def _text(path: str, encoding: str, errors: str = "strict") -> Iterator[io.TextIOWrapper]:
    """Open *path* as text, unpacked if it is gzip."""
    try:
        with ExitStack() as stack:
            raw = stack.enter_context(Path(path).open("rb"))
            zipped = raw.peek(2)[:2] == b"\x1f\x8b"
            stream = stack.enter_context(gzip.GzipFile(fileobj=raw)) if zipped else raw
            encoding = _encoding(stream.peek(4), encoding)
            yield stack.enter_context(io.TextIOWrapper(stream, encoding, errors, newline=""))
    except UnicodeError as error:
        place = f"line {_undecodable(path, encoding)}: " if errors == "strict" else ""
        what = f"the byte 0x{error.object[error.start]:02x}" if isinstance(error, UnicodeDecodeError) else "it"
        said = f"csv: reading {path} -> {place}{what} is not {encoding}"
        raise InputError(said, hint="Give the file's `encoding`, such as cp1252.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"csv: reading {path} -> the gzip file is damaged: {error}") from None
    except OSError as error:
        raise InputError(f"csv: reading {path} -> {error.strerror or error}") from None


_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def _encoding(start: bytes, given: str) -> str:
    """Return the encoding: as the byte order mark says, unless one that has no such marks is given."""
    if not given or codecs.lookup(given).name.startswith("utf"):
        for mark, encoding in _MARKS.items():
            if start.startswith(mark):
                return encoding
    return given or "utf-8"


def _undecodable(path: str, encoding: str) -> int:
    """Return the number of the first line that *encoding* cannot read."""
    exact = codecs.lookup(encoding).name.startswith("utf-8")
    trace = re.compile("[\udc80-\udcff]" if exact else "\ufffd")
    with _text(path, encoding, "surrogateescape" if exact else "replace") as text:
        return next((number for number, line in enumerate(text, 1) if trace.search(line)), 0)


def _form(files: FileSet) -> dict[str, Any]:
    return {
        "quotechar": files.quotechar or None,
        "quoting": QUOTE_MINIMAL if files.quotechar else QUOTE_NONE,
        "escapechar": files.escapechar or None,
        "skipinitialspace": files.skipinitialspace,
    }


def _layouts(files: FileSet) -> list[Layout]:
    """Return how each of the files is to be read, having made sure that they have the same columns."""
    layouts = [_layout(path, files) for path in _paths(files)]
    first = layouts[0]
    for name in (*files.keys, *files.types):
        if name not in first.columns:
            raise SettingError(f'csv: {first.path} has no column "{name}"', hint=did_you_mean(name, first.columns))
    for other in layouts[1:]:
        if odd := set(first.columns) ^ set(other.columns):
            said = (
                f"csv: {other.path} has not the columns of {first.path}; only one of them has {', '.join(sorted(odd))}"
            )
            raise InputError(said, hint="Files of one glob need the same columns. Make two entries of `files`.")
    return layouts


def _layout(path: str, files: FileSet) -> Layout:
    with _text(path, files.encoding) as text:
        encoding = text.encoding
        deque(islice(text, files.skip_rows), maxlen=0)
        head, cut = text.read(HEAD), bool(text.read(1))
    lines = list(io.StringIO(head, newline=""))[: -1 if cut else None]
    form = _form(files)
    form["delimiter"] = files.delimiter or _delimiter(lines, form, len(files.header))
    names, start = files.header, 0
    if not names:
        rows = reader(lines, strict=True, **form)
        try:
            names = next((row for row in rows if any(row)), [])
        except CsvError as error:
            raise InputError(f"csv: reading {path} -> the header cannot be read: {_reason(error)}") from None
        start = rows.line_num
    columns = tuple(name.strip() for name in names)
    _check_header(path, columns)
    stat = Path(path).stat()
    return Layout(path, encoding, form, columns, files.skip_rows + start, [stat.st_size, stat.st_mtime_ns])


def _check_header(path: str, columns: Sequence[str]) -> None:
    said, hint = "", "Mend the header; or give the names as `header`, and skip_rows for the lines to drop."
    if not columns:
        said = "there is no header line"
    elif any("\0" in name for name in columns):
        said, hint = "the header holds null characters", "Give the file's `encoding`, probably utf-16-le or utf-16-be."
    elif "" in columns:
        said = f"column {columns.index('') + 1} of the header has no name"
    elif twice := sorted({name for name in columns if columns.count(name) > 1}):
        said = f"more than one column is called {', '.join(twice)}"
    if said:
        raise InputError(f"csv: reading {path} -> {said}", hint=hint)


def _delimiter(lines: Sequence[str], form: Mapping[str, Any], width: int) -> str:
    """Return the delimiter by which the most of the first lines have as many cells as the header, then the most cells."""
    scores: dict[str, tuple[float, int]] = {}
    for delimiter in ",;\t|":
        widths = [len(row) for row in islice(reader(lines, delimiter=delimiter, **form), 100) if any(row)]
        expected = width or (widths[0] if widths else 0)
        if expected > 1 and widths:
            scores[delimiter] = (widths.count(expected) / len(widths), expected)
    return max(scores, key=lambda delimiter: scores[delimiter], default=",")


def _rows(layout: Layout, after: int) -> Iterator[tuple[int, int, list[str] | str]]:
    """Yield what follows the line *after*: numbers of first and last line, and the cells; or why they cannot be read."""
    with _text(layout.path, layout.encoding) as text:
        deque(islice(text, after), maxlen=0)
        rows = reader(text, strict=True, **layout.form)
        while True:
            first = after + rows.line_num + 1
            try:
                row = next(rows, None)
            except CsvError as error:
                yield first, after + rows.line_num, _reason(error)
                continue
            if row is None:
                return
            if any(row):
                yield first, after + rows.line_num, row


def _reason(error: CsvError) -> str:
    said = str(error)
    if "end of data" in said:
        return "a quote is opened and never closed"
    if "expected after" in said:
        return "a quote within a quoted cell is not doubled"
    if "field limit" in said:
        return f"a cell is longer than {LONGEST_CELL} characters; a quote may have been left open"
    return said


# Types


def _boolean(cell: str) -> bool:
    match cell.strip().lower():
        case "true" | "t" | "yes" | "y" | "1":
            return True
        case "false" | "f" | "no" | "n" | "0":
            return False
    raise ValueError(cell)


_INTEGER = re.compile(r"([+-]?[0-9]+)(?:\.0*)?")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII)

_CANONICAL = len("2026-01-31T09:05:00Z")


def _integer(cell: str) -> int:
    return int(_matched(_INTEGER, cell.strip())[1])


def _number(cell: str) -> int | Decimal:
    text = _matched(_NUMBER, cell.strip())[0]
    return int(text) if text.lstrip("+-").isdigit() else Decimal(text)


def _date(cell: str) -> str:
    text = _matched(_DATE, cell.strip())[0]
    date.fromisoformat(text)  # refuses what no calendar has
    return text


def _moment(cell: str) -> str:
    text = _matched(_MOMENT, cell.strip())[0].replace(",", ".")
    if len(text) == _CANONICAL and text[10] == "T" and text[-1] == "Z":
        datetime.fromisoformat(text)
        return text
    return moment.rfc3339(text)


def _matched(form: re.Pattern[str], text: str) -> re.Match[str]:
    match = form.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return match


_READ: dict[str, Callable[[str], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "date": _date,
    "date-time": _moment,
}
#: How a cell must be written for its type to be inferred: so that it reads the same to everybody, and nothing is lost.
#: A time without a zone is left as text, for it may be anybody's.
_PLAIN = {
    "boolean": re.compile("true|false", re.IGNORECASE),
    "integer": re.compile("0|-?[1-9][0-9]{0,18}"),
    "number": re.compile(r"0|-?[1-9][0-9]{0,18}|-?(0|[1-9][0-9]{0,14})\.[0-9]{1,20}"),
    "date": _DATE,
    "date-time": re.compile(r"[0-9]{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII),
}
_LARGEST = 2**63


def _plain(word: str, cell: str) -> Any:
    """Return *cell* as the type *word* if it is written plainly.

    Raises:
        ValueError: it is not.
        ArithmeticError: it is beyond what the type holds.
    """
    _matched(_PLAIN[word], cell)
    value = _READ[word](cell)
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise OverflowError(cell)
    return value


def _fits(word: str, cell: str) -> bool:
    try:
        _plain(word, cell)
    except (ValueError, ArithmeticError):
        return False
    return True


def _inferred(layouts: Sequence[Layout], files: FileSet) -> dict[str, str]:
    """Return the types that the values in the first lines of the files have in common; text where there is none."""
    possible = {name: list(_READ) for name in layouts[0].columns if name not in files.types}
    filled: set[str] = set()
    nulls = set(files.nulls)
    for layout in layouts:
        for _, _, row in islice(_rows(layout, layout.start), max(100, SAMPLE // len(layouts))):
            if isinstance(row, str) or len(row) != len(layout.columns):
                continue
            for name, cell in zip(layout.columns, row, strict=True):
                if (words := possible.get(name)) and cell not in nulls:
                    filled.add(name)
                    possible[name] = [word for word in words if _fits(word, cell)]
    return {name: words[0] if words and name in filled else "string" for name, words in possible.items()}


def _compiled(layout: Layout, properties: Mapping[str, Any], files: FileSet) -> Callable[[list[str]], Record | str]:
    """Return the function that makes a record of the cells of one line, or says why it cannot."""
    width, nulls = len(layout.columns), frozenset(files.nulls)
    cells = [
        (name, number, _converter(name, properties[name], files), name in files.keys)
        for number, name in enumerate(layout.columns)
        if name in properties
    ]

    def record_of(row: list[str]) -> Record | str:
        if len(row) != width:
            return f"it has {len(row)} cells, the header {width}"
        record: Record = {}
        for name, number, convert, key in cells:
            cell = row[number]
            if cell in nulls:
                if key:
                    return f'the key column "{name}" is empty'
                record[name] = None
            elif convert is None:
                record[name] = cell
            else:
                try:
                    record[name] = convert(cell)
                except (ValueError, ArithmeticError):
                    return _misfit(name, cell, properties[name], files)
        return record

    return record_of


def _converter(name: str, field: Mapping[str, Any], files: FileSet) -> Callable[[str], Any] | None:
    word = _word(field)
    if word not in _READ:
        return None
    return _READ[word] if name in files.types else partial(_plain, word)


def _word(field: Mapping[str, Any]) -> str:
    kinds = schema.types(field)
    return str(field.get("format", "string")) if "string" in kinds else next(iter(kinds), "string")


def _misfit(name: str, cell: str, field: Mapping[str, Any], files: FileSet) -> str:
    shown = f'"{cell[:40]}…"' if len(cell) > 40 else f'"{cell}"'  # noqa: PLR2004
    if name in files.types:
        return f'column "{name}" holds {shown}, which is not of the type {files.types[name]}'
    other = (
        f'unlike the first lines, which are of the type {_word(field)}; give `types`, such as {{"{name}": "string"}}'
    )
    return f'column "{name}" holds {shown}, {other}'


def _entry() -> dict[str, Any]:
    """Return the JSON Schema of one of ``files``."""
    [found] = msgspec.json.schema_components([FileSet])[1].values()
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found))
    return {**plain, "type": ["string", "object"]}


csv = Api(
    "csv",
    title="CSV files",
    base_url="",
    docs="https://www.rfc-editor.org/rfc/rfc4180",
    settings=(
        Setting(
            "files",
            "Files",
            "The files to read: each a path or a glob, or an object with `path` and what else is to be said of them.",
            required=True,
            example='[{"path": "people.csv", "keys": ["email"]}]',
            schema={"type": "array", "minItems": 1, "items": _entry()},
        ),
        Setting(
            "bad_lines",
            "Bad lines",
            "Lines that cannot be read are reported by number and left out, and the others passed on; then `fail` ends the "
            "stream with an error, `skip` with a warning.",
            default="fail",
            schema={"type": "string", "enum": ["fail", "skip"]},
        ),
        Setting(
            "add_metadata_columns",
            "Add metadata columns",
            f"Whether records tell where they are from: `{FILE}` and `{LINE}`.",
            default=False,
            schema={"type": "boolean"},
        ),
    ),
    discover=_discover,
    check=_check,
)
