"""One account: its object types with their records, associations, pipelines and owners."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.sandbox.hubspot import moments
from antiphon.sandbox.hubspot.associations import Associations
from antiphon.sandbox.hubspot.catalogue import COMMON, CUSTOM, PIPELINES, STANDARD
from antiphon.sandbox.hubspot.properties import Property, parse_catalogue
from antiphon.sandbox.hubspot.refusals import invalid
from antiphon.sandbox.hubspot.store import Store

PORTAL_ID = 148_392_011
MAX_UNIQUE = 10
"""Unique properties per object type, says the vendor's properties guide."""


@dataclass(slots=True)
class Owner:
    """Somebody whom records can belong to. The id is the owner's, not the user's."""

    id: int
    email: str
    first_name: str
    last_name: str
    archived: bool = False
    kind: str = "PERSON"

    def document(self) -> dict[str, Any]:
        """As the vendor shows it."""
        shown: dict[str, Any] = {
            "id": str(self.id),
            "type": self.kind,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "createdAt": "2023-02-01T09:12:44.201Z",
            "updatedAt": "2024-11-05T16:40:02.118Z",
            "archived": self.archived,
        }
        if self.kind == "PERSON":
            shown |= {"email": self.email, "userIdIncludingInactive": self.id - 70_000_000}
            shown["userId"] = None if self.archived else self.id - 70_000_000
            shown["teams"] = [] if self.archived else [{"id": "368389", "name": "Sales", "primary": True}]
        return shown


@dataclass(slots=True)
class Schema:
    """What is known of a custom object beside its properties."""

    id: int
    plural: str
    description: str
    required: list[str]
    searchable: list[str]
    primary: str
    secondary: list[str]
    associated: list[str]
    created: int


@dataclass(frozen=True, slots=True)
class Quirks:
    """Where the vendor's documentation leaves a choice, or accounts differ.

    - `merge_keeps_primary_id`: accounts outside the "Primary ID preservation" beta get a new id from a merge
    - `partial_email_upsert`: the vendor says partial upserts are "not supported" with email; False refuses them,
      True takes them like any other
    - `folded_errors`: 2026-09 writes answer 200 or 201 with `errors`, as its published schema has it, instead of 207
    - `admin_required`: by object, properties that the account's administrators require; only 2026-09 enforces them
    - `association_page`: associations per page, inside records and in association reads
    - `max_url`: the longest request target before 414
    """

    merge_keeps_primary_id: bool = True
    partial_email_upsert: bool = False
    folded_errors: bool = False
    admin_required: Mapping[str, tuple[str, ...]] | None = None
    association_page: int = 500
    max_url: int = 8192


class Portal:
    """The state of one account."""

    def __init__(self, seed: int = 0, quirks: Quirks | None = None, id: int = PORTAL_ID) -> None:
        self.id = id
        self.quirks = quirks or Quirks()
        self.random = random.Random(f"portal:{seed}")
        self.stores = {of.name: Store.standard(of, self.id) for of in STANDARD}
        self.schemas: dict[str, Schema] = {}
        self.associations = Associations()
        self.pipelines = PIPELINES
        self.owners = [
            Owner(81_200_101, "grace.park@example.com", "Grace", "Park"),
            Owner(81_200_102, "omar.haddad@example.com", "Omar", "Haddad"),
            Owner(81_200_103, "lucía.ferrer@example.com", "Lucía", "Ferrer"),
            Owner(81_200_104, "wanda.kim@example.com", "Wanda", "Kim", archived=True),
            Owner(81_200_105, "", "Support", "Queue", kind="QUEUE"),
        ]
        self._created = moments.parse("2023-01-15T08:30:00.512Z")
        for store in self.stores.values():
            for definition in store.properties.values():
                definition.created = definition.updated = self._created

    def find(self, name: str) -> Store | None:
        """The object type of this name, type id, `p<portal>_name` or `p_name`."""
        for store in self.stores.values():
            if name in {store.name, store.type_id}:
                return store
            if store.custom and name in {f"p{self.id}_{store.name}", f"p_{store.name}"}:
                return store
        # The vendor also takes the singular of its own objects.
        lowered = name.lower().replace(" ", "_")
        return next((s for s in self.stores.values() if lowered == s.singular.lower().replace(" ", "_")), None)

    def store(self, name: str) -> Store:
        """The same, or the vendor's refusal."""
        found = self.find(name)
        if found is None:
            raise invalid(f"Unable to infer object type from: {name}")
        return found

    def shuffled(self, items: list[Any]) -> list[Any]:
        """The items in another order: a batch's results are not in the order of its inputs."""
        mixed = items[:]
        self.random.shuffle(mixed)
        return mixed[::-1] if mixed == items else mixed

    def stages(self, store: Store, pipeline: str | None) -> list[str] | None:
        """The stages of a pipeline (of every pipeline, for None); None when there is no such pipeline."""
        found = [p for p in self.pipelines.get(store.name, ()) if pipeline in {None, p[0]}]
        return [stage[0] for p in found for stage in p[2]] if found else None

    def add_property(self, store: Store, definition: Property) -> Property:
        """Define a property, replacing one of the same name. Raises ValueError past ten unique ones."""
        if (
            definition.unique
            and sum(p.unique and not p.defined_by_vendor for p in store.properties.values()) >= MAX_UNIQUE
        ):
            msg = f"an object has at most {MAX_UNIQUE} properties with unique values"
            raise ValueError(msg)
        definition.group = definition.group or store.group
        definition.created = definition.created or moments.now()
        definition.updated = definition.updated or definition.created
        store.properties[definition.name] = definition
        if definition.unique:
            store.reindex(definition.name)
        return definition

    def add_schema(  # noqa: PLR0913
        self,
        name: str,
        properties: list[Property],
        *,
        singular: str = "",
        plural: str = "",
        description: str = "",
        required: list[str] | None = None,
        searchable: list[str] | None = None,
        primary: str = "",
        secondary: list[str] | None = None,
        associated: list[str] | None = None,
    ) -> Store:
        """Define a custom object."""
        number = 3_465_404 + len(self.schemas)
        singular = singular or name.capitalize()
        primary = primary or (properties[0].name if properties else "hs_object_id")
        defaults = parse_catalogue(CUSTOM + COMMON, f"{singular.lower().replace(' ', '')}information")
        store = Store(
            name, f"2-{number}", singular, defaults,
            required=tuple((need,) for need in required or []), first_id=8991, portal=self.id,
        )  # fmt: skip
        created = moments.now()
        for definition in [*defaults.values(), *properties]:
            definition.created = definition.updated = created
        self.stores[name] = store
        self.schemas[name] = Schema(
            number, plural or singular + "s", description, required or [], searchable or [primary], primary,
            secondary or [], associated or [], created,
        )  # fmt: skip
        for definition in properties:
            self.add_property(store, definition)
        return store
