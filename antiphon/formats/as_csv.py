"""CSV: tables of text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from antiphon.bounds import Letter
from antiphon.errors import BadReply

LONGEST_CELL = 1 << 24
"""Characters of a cell."""


@dataclass(frozen=True)
class Csv:
    """A table of text with a header; each line becomes an object. Values are text and are read by the schema's types."""

    delimiter: Letter = ","
    """What stands between two values."""
    quote: Letter = '"'
    """What stands around a value that holds one of these."""
    charset: str = "utf-8-sig"
    """The character set: `utf-8-sig` is UTF-8, with a byte order mark or without."""
    header: tuple[str, ...] = ()
    """The names of the columns, where the first line does not have them."""
    empty_is_null: bool = True
    """Whether a value without a letter is null, and no empty text."""

    accept: ClassVar[str] = "text/csv, */*;q=0.5"
    text: ClassVar[bool] = True

    def decode(self, body: bytes) -> list[dict[str, Any]]:
        """Return an object for each line.

        Raises:
            BadReply: it is not in that character set, or a line has more or fewer values than the header.
        """
        csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
        try:
            written = io.StringIO(body.decode(self.charset), newline="")
        except (UnicodeDecodeError, LookupError) as error:
            raise BadReply(f"no CSV in {self.charset}: {error}") from None
        reader = csv.reader(written, delimiter=self.delimiter, quotechar=self.quote, strict=True)
        try:
            return list(self._rows(reader))
        except csv.Error as error:
            raise BadReply(f"no CSV: line {reader.line_num}: {error}") from None

    def _rows(self, reader: Any) -> Iterator[dict[str, Any]]:
        names = self.header or next(reader, ())
        if len(set(names)) != len(names):
            raise csv.Error("two columns have one name")
        for row in reader:
            if not row:  # an empty line
                continue
            if len(row) != len(names):
                raise csv.Error(f"{len(row)} values under {len(names)} names")
            yield {
                name: None if self.empty_is_null and not cell else cell for name, cell in zip(names, row, strict=True)
            }
