"""What a mirror took away comes back by piping its undo file into the same target: as it was, where it was, and the mirror's own again."""

from __future__ import annotations

from copy import deepcopy

import pytest

from antiphon.errors import Storage

from .pipes import crm as an_account
from .pipes import read, record, schema, state

WIDE = {"mode": "mirror", "complete": "end", "max_delete": "100%"}
CONTACTS = {"resource": "contacts", **WIDE}
COMPANIES = {"resource": "companies", **WIDE, "match": ["name"]}
DEALS = {"resource": "deals", **WIDE, "match": ["dealname"], "fields": {"dealstage": {"const": "closedwon"}}}
NAMED = {"fields": {"firstname": {"const": "X"}}}


@pytest.fixture
def crm(tmp_path):
    with an_account(tmp_path) as made:
        yield made


class Mirror:
    """The stream ``ours``, mirrored as *entry* says."""

    def __init__(self, crm, entry):
        self.crm, self.settings = crm, {"streams": {"ours": entry}}

    def __call__(self, *rows, code=0):
        names = dict.fromkeys(name for row in rows for name in row)
        given = schema("ours", *names), *(record("ours", **row) for row in rows), state({})
        ran = self.crm.pipe(*given, **deepcopy(self.settings))
        assert ran.code == code, ran.err
        return ran

    def files(self):
        """The undo files, the newest last."""
        return sorted((self.crm.folder / "state" / "undo").glob("*"), key=lambda path: path.stat().st_mtime_ns)

    def undo(self):
        """Pipe in what the last run took away."""
        newest = self.files()[-1]
        lines = newest.read_bytes().splitlines()
        newest.rename(self.crm.folder / f"undone-{newest.name}")
        return self.crm.pipe(*lines, **deepcopy(self.settings))


def names(crm, resource="companies", field="name"):
    return sorted(one[field] for one in crm.shown(resource, field))


A, B, C = ({"name": name} for name in ("A", "B", "C"))


def test_a_replay_creates_and_leaves_alone_what_somebody_else_made_meanwhile(crm):
    mirror = Mirror(crm, COMPANIES)
    mirror({"name": "Ours", "domain": "shared.org"}, {"name": "Stay", "domain": "stay.org"})
    crm.app.add("companies", {"name": "Theirs", "domain": "shared.org"})
    mirror({"name": "Stay", "domain": "stay.org"})
    assert names(crm) == ["Stay", "Theirs"]
    assert mirror.undo().code == 0
    assert names(crm) == ["Ours", "Stay", "Theirs"]
    assert [one["domain"] for one in crm.shown("companies", "name", "domain") if one["name"] == "Ours"] == [
        "shared.org"
    ]


def test_a_replay_leaves_as_it_is_what_somebody_else_made_under_the_same_key(crm):
    mirror = Mirror(crm, COMPANIES)
    mirror({"name": "A"}, {"name": "B", "city": "Ulm"})
    mirror(A)
    crm.app.add("companies", {"name": "B", "city": "Linz"})
    assert "1 skipped" in mirror.undo().err
    assert [one for one in crm.shown("companies", "name", "city") if one["name"] == "B"] == [
        {"name": "B", "city": "Linz"}
    ]
    mirror(A)
    assert names(crm) == ["A", "B"]


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        (COMPANIES, "name"),
        (DEALS, "dealname"),
        ({**CONTACTS, "match": ["email"]}, "email"),
        (CONTACTS, "email"),
        ({**CONTACTS, **NAMED, "match": ["phone"], "match_by": {"phone": "digits"}}, "phone"),
        ({**CONTACTS, "match": ["phone", "email"], "match_by": {"phone": "digits"}}, "email"),
    ],
)
def test_what_comes_back_is_the_mirrors_own_again(crm, entry, field):
    values = {"email": ("1@x.org", "2@x.org"), "phone": ("+43 1 5551234", "+43 1 5559876")}
    one, other = ({field: value} for value in values.get(field, ("A", "B")))
    mirror = Mirror(crm, entry)
    for _ in range(2):
        mirror(one, other)
        mirror(one)
        ran = mirror.undo()
        assert (ran.code, names(crm, entry["resource"], field)) == (0, sorted([one[field], other[field]]))
        assert "did not come" not in ran.err
    mirror(one, other)
    mirror(one)
    assert names(crm, entry["resource"], field) == [one[field]]
    mirror.undo()
    mirror(one)
    assert names(crm, entry["resource"], field) == [one[field]]


def test_a_stream_that_is_named_like_its_resource_and_a_pipeline_are_found_again(crm):
    mirror = Mirror(crm, COMPANIES)
    mirror.settings["pipeline"] = "north"
    mirror(A, B)
    mirror(A)
    assert mirror.undo().code == 0
    mirror(A)
    assert names(crm) == ["A"]


def test_a_replay_finds_its_record_by_the_field_that_the_mirror_knew_it_by(crm):
    mirror = Mirror(crm, {**CONTACTS, "match": ["phone", "email"]})
    mirror({"email": "a@x.org"}, {"email": "b@x.org"})
    [_, ours] = crm.app.store("contacts")
    ours.properties["phone"] = "7"
    mirror({"email": "a@x.org"})
    assert mirror.undo().code == 0
    assert crm.shown("contacts", "email", "phone")[-1] == {"email": "b@x.org", "phone": "7"}
    mirror({"email": "a@x.org"})
    assert names(crm, "contacts", "email") == ["a@x.org"]


def test_a_file_that_is_piped_in_twice_creates_once(crm):
    mirror = Mirror(crm, COMPANIES)
    mirror(A, B, C)
    mirror(A)
    lines = mirror.files()[-1].read_bytes().splitlines()
    for _ in range(2):
        assert crm.pipe(*lines, **mirror.settings).code == 0
    assert names(crm) == ["A", "B", "C"]
    mirror(A)
    assert names(crm) == ["A"]


def test_nothing_is_taken_away_that_could_not_be_written_down_before(crm):
    mirror = Mirror(crm, COMPANIES)
    mirror(A, B)
    (crm.folder / "state" / "undo").write_text("no folder")
    with pytest.raises(Storage, match=r"undo: .* cannot be written") as failed:
        mirror(A)
    assert failed.value.hint == "What it was to keep was not taken away: free space or mend the rights, then run again."
    assert names(crm) == ["A", "B"]
    (crm.folder / "state" / "undo").unlink()
    mirror(A)
    assert names(crm) == ["A"]
    [_, kept] = read(mirror.files()[-1])
    assert kept["record"]["name"] == "B"


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"stream_maps": {"ours": {"name": "name"}, "__else__": None}}, "B"),
        ({"stream_maps": {"ours": {"name": "name", "__else__": None}, "*_ours": None}}, "B"),
        ({"stream_maps": {"*": {"name": "name + ' EU'"}}}, "B EU"),
        ({"stream_maps": {"*": {"__filter__": "name != 'B EU'", "name": "name + ' EU'"}}}, "B EU"),
        ({"stream_maps": {"*": {"name": "title", "title": None}}}, "B"),
        ({"flattening_enabled": True, "flattening_max_depth": 1}, "B"),
    ],
)
def test_what_comes_back_does_not_go_through_the_stream_maps(crm, settings, kept):
    mirror = Mirror(crm, COMPANIES)
    mirror.settings |= settings
    column = "title" if "title" in str(settings) else "name"
    mirror({column: "A"}, {column: "B"})
    mirror({column: "A"})
    assert kept not in names(crm)
    ran = mirror.undo()
    assert (ran.code, names(crm)) == (0, [kept.replace("B", "A"), kept])
    mirror({column: "A"})
    assert names(crm) == [kept.replace("B", "A")]
