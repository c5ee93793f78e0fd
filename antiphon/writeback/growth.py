"""What is added to an API so that a stream fits into it: fields for new columns, options for new values."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from antiphon.api import Resource, Schema
from antiphon.client import Client
from antiphon.errors import ApiError, SettingError
from antiphon.fill import folded, text

log = logging.getLogger("antiphon.fields")


class Growth:
    """Adds fields and options to one resource, by the ways its description has. An option is added when :meth:`options` is called."""

    def __init__(self, client: Client, resource: Resource) -> None:
        """Add nothing yet."""
        self._client, self._resource = client, resource
        self._known: dict[tuple[str, str], str] = {}
        """A field and an option as it is one to readers -> how it is written."""
        self._wanted: list[tuple[str, str]] = []

    def refuse(self, name: str, where: str) -> None:
        """Raise :class:`SettingError` for a name that no field can have; *where* names the setting."""
        if self._resource.refuse_field:
            with _as_setting(name, where):
                self._resource.refuse_field(self._client, self._resource, name)

    def field(self, name: str, schema: Schema, where: str) -> Schema:
        """Add the field *name* for a column with *schema*, and return the schema it has.

        Raises:
            SettingError: the API refused, and what it said; *where* names the setting.
        """
        assert self._resource.add_field  # noqa: S101 - a mapper asks for no field without it
        with _as_setting(name, where):
            made = self._resource.add_field(self._client, self._resource, name, schema)
        log.info('%s: the field "%s" was added in %s', where, name, self._client.api.title)
        self._client.forget(self._resource)
        return made

    def wanting(self, name: str) -> Callable[[str], str]:
        """Return what notes that the field *name* needs an option, and returns how that is written: as one that is there, if it is the same to readers."""

        def want(option: str) -> str:
            same = name, folded(option)
            if same not in self._known:
                field = self._client.schema(self._resource).get("properties", {}).get(name, {})
                there = [*dict(field.get("x-labels", {})).items(), *((one, one) for one in field.get("x-options", ()))]
                self._known |= {(name, folded(text(word))): text(value) for value, word in there}
            wanted = {(field, folded(one)): one for field, one in self._wanted}
            found = self._known.get(same) or wanted.get(same)
            if not found:
                self._wanted.append((name, option))
            return found or option

        return want

    def options(self, *, refused: bool) -> list[tuple[str, str]]:
        """Add the options that a record needs, none for one that is *refused*; return for which fields the API said what against it."""
        wanted, self._wanted = dict.fromkeys(self._wanted), []
        wrong = []
        for name, option in wanted if not refused else ():
            assert self._resource.add_option  # noqa: S101
            try:
                self._resource.add_option(self._client, self._resource, name, option)
            except ApiError as error:
                wrong.append((name, f'adding the option "{option}": {error.message}'))
            else:
                log.info("an option of %s was added in %s", name, self._client.api.title)
                self._client.forget(self._resource)
                self._known[name, folded(option)] = option
        return wrong


@contextmanager
def _as_setting(name: str, where: str) -> Iterator[None]:
    """Let what the API says against a field *name* be an error of the setting that is *where*."""
    try:
        yield
    except ApiError as error:
        hint = error.hint or "Set unknown: ignore, or add the field there by hand."
        raise SettingError(f'{where}: adding the field "{name}": {error.message}', hint=hint) from None
