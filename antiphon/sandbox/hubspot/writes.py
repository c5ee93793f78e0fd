"""What the vendor checks before it writes a record, and the write itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from antiphon.sandbox.hubspot.catalogue import STAGES
from antiphon.sandbox.hubspot.portal import Portal
from antiphon.sandbox.hubspot.properties import InvalidValue, Property
from antiphon.sandbox.hubspot.refusals import Refusal, invalid, invalid_values
from antiphon.sandbox.hubspot.store import Record, Store

Links = list[tuple[str, int, list[int]]]
_LIFECYCLE = STAGES.split("|")
_ADMIN_RULES_SINCE = "2026-09"


@dataclass(slots=True)
class Change:
    """A write that has passed every check. Without a record it is a new one."""

    store: Store
    values: dict[str, str]
    record: Record | None = None
    links: Links = field(default_factory=list)

    def apply(self, portal: Portal) -> Record:
        """Write it, at the time of the real clock."""
        if self.record is not None:
            return self.store.edit(self.record, self.values)
        record = self.store.add(self.values)
        for name, other, type_ids in self.links:
            portal.associations.link((self.store.name, name), record.id, other, type_ids)
        return record


class Checker:
    """Checks the rows of one request; remembers what earlier rows claim, since they may not claim it twice."""

    def __init__(self, portal: Portal, store: Store, version: str) -> None:
        self.portal = portal
        self.store = store
        self.version = version
        self._claimed: set[tuple[str, str]] = set()

    def create(self, row: Mapping[str, Any]) -> Change:
        """A new record from `{properties, associations}`."""
        values = self._values(_properties(row), None)
        self._require(values)
        change = Change(self.store, values, None, self._links(row))
        self._claim(change)
        return change

    def update(self, row: Mapping[str, Any], record: Record) -> Change:
        """A changed record from `{properties}`."""
        change = Change(self.store, self._values(_properties(row), record), record)
        self._claim(change)
        return change

    def _values(self, properties: Mapping[str, Any], record: Record | None) -> dict[str, str]:
        values: dict[str, str] = {}
        problems: list[tuple[str, str, str]] = []
        for name, value in properties.items():
            definition = self.store.properties.get(name)
            if definition is None or definition.archived_at is not None:
                problems.append((name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'))
            elif value is not None:
                try:
                    values[name] = self._resolved(definition, definition.accept(value), record)
                except InvalidValue as error:
                    problems.append((name, error.code, error.message))
        try:
            self._stage(values, record)
        except InvalidValue as error:
            problems.append(((self.store.pipeline or ("", ""))[1], error.code, error.message))
        if problems:
            raise invalid_values(problems)
        return self._forward_only(values, record)

    def _resolved(self, definition: Property, value: str, record: Record | None) -> str:
        if definition.name == "hubspot_owner_id" and value:
            if value not in {str(owner.id) for owner in self.portal.owners if not owner.archived}:
                msg = f"Owner {value} does not exist"
                raise InvalidValue("INVALID_OWNER_ID", msg)
        elif definition.several and value.startswith(";"):
            # A leading semicolon adds to the options that are set, says the vendor's properties guide.
            old = record.properties.get(definition.name, "") if record else ""
            parts = [*filter(None, old.split(";")), *filter(None, value.split(";"))]
            return ";".join(dict.fromkeys(parts))
        return value

    def _stage(self, values: dict[str, str], record: Record | None) -> None:
        if self.store.pipeline is None or self.store.name not in self.portal.pipelines:
            return
        pipeline_name, stage_name = self.store.pipeline
        if not values.get(pipeline_name) and not values.get(stage_name):
            return
        held = record.properties if record else {}
        pipeline = values.get(pipeline_name) or held.get(pipeline_name) or self.portal.pipelines[self.store.name][0][0]
        stages = self.portal.stages(self.store, pipeline)
        if stages is None:
            msg = f"{pipeline} was not one of the allowed options"
            raise InvalidValue("INVALID_OPTION", msg)
        stage = values.get(stage_name) or held.get(stage_name)
        if stage and stage not in stages:
            msg = f"{stage} was not one of the allowed options: [{', '.join(stages)}]"
            raise InvalidValue("INVALID_OPTION", msg)
        values.setdefault(pipeline_name, pipeline)

    @staticmethod
    def _forward_only(values: dict[str, str], record: Record | None) -> dict[str, str]:
        # A lifecycle stage only moves forward; clearing it first is the way back. The vendor's lifecycle stage guide.
        stage = values.get("lifecyclestage")
        held = record.properties.get("lifecyclestage") if record else None
        if stage and held in _LIFECYCLE and stage in _LIFECYCLE and _LIFECYCLE.index(stage) < _LIFECYCLE.index(held):
            return {name: value for name, value in values.items() if name != "lifecyclestage"}
        return values

    def _require(self, values: Mapping[str, str]) -> None:
        singular = self.store.singular
        for group in self.store.required:
            if not any(values.get(name) for name in group):
                needed = list(group)
                raise invalid(
                    f"Error creating {singular.upper()}. Some required properties were not set.",
                    errors=[
                        {
                            "message": f"{singular.upper()} needs {' or '.join(needed)}",
                            "code": "REQUIRED_PROPERTY_MISSING",
                            "context": {"properties": needed},
                        }
                    ],
                )
        # Rules that administrators set bind the API since 2026-09 only, says the vendor's changelog.
        rules = (self.portal.quirks.admin_required or {}).get(self.store.name, ())
        missing = [name for name in rules if not values.get(name)]
        if missing and self.version >= _ADMIN_RULES_SINCE and self.version[:1] != "v":
            raise invalid(
                f"Required properties are missing: {', '.join(missing)}",
                errors=[{"message": "required", "code": "REQUIRED_PROPERTY", "context": {"propertyName": missing}}],
            )

    def _claim(self, change: Change) -> None:
        claims: set[tuple[str, str]] = set()
        for name, value in change.values.items():
            addresses = self.store.name == "contacts" and name in {"email", "hs_additional_emails"}
            if value and (addresses or self.store.properties[name].unique):
                key = "email" if addresses else name
                claims |= {(key, part) for part in (value.lower().split(";") if addresses else [value])}
        for key, value in sorted(claims):
            holder = self.store.by(key, value)
            if holder is not None and holder is not change.record:
                raise self._conflict(key, value, f"{self.store.singular} already exists. Existing ID: {holder.id}")
            if (key, value) in self._claimed:
                raise self._conflict(key, value, f"Duplicate value for {key} in the batch input: {value}")
        self._claimed |= claims

    @staticmethod
    def _conflict(name: str, value: str, message: str) -> Refusal:
        error = {
            "message": f'"{value}" already has that value.' if name != "email" else message,
            "code": "CONFLICTING_UNIQUE_VALUE",
            "context": {"propertyName": [name]},
        }
        return Refusal(409, "CONFLICT", message, errors=[error])

    def _links(self, row: Mapping[str, Any]) -> Links:
        links: Links = []
        for link in row.get("associations") or []:
            for kind in link.get("types") or []:
                known = self.portal.associations.types.get(int(kind.get("associationTypeId", 0)))
                if known is None or known.pair[0] != self.store.name:
                    raise invalid(f"invalid association type {kind.get('associationTypeId')}")
                other = self.portal.stores[known.pair[1]].get(link.get("to", {}).get("id", ""))
                if other is None:
                    raise invalid(f"No {known.pair[1]} with ID {link.get('to', {}).get('id')} exists to associate with")
                links.append((known.pair[1], other.id, [known.type_id]))
        return links


def _properties(row: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = row.get("properties")
    if not isinstance(properties, dict):
        raise invalid("Invalid input JSON: properties must be an object of names and values")
    return properties


def unique_property(store: Store, name: str, portal: Portal, *, email: bool) -> str:
    """The name, if records of this object can be addressed by it; `email` says whether this route takes e-mail."""
    definition = store.properties.get(name)
    if store.name == "contacts" and name == "email" and email:
        return name
    if definition is None or not definition.unique:
        raise invalid(
            f"Unable to perform update/upsert by non-unique {store.type_id} property {name} in portal ID {portal.id}"
        )
    return name
