from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import DescriptionError
from antiphon.fill import MISSING, fill, fill_path, look, names, parts, put, refuse_unknown, spelled, text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "path", "found"),
    [
        ({"a": 1}, "", {"a": 1}),
        ({"a": {"b": {"c": 3}}}, "a.b.c", 3),
        ({"errors": [{"message": "no"}]}, "errors.0.message", "no"),
        ({"a": None}, "a", None),
        ({"a": 1}, "b", "default"),
        ({"a": None}, "a.b", "default"),
        ({"a": [1]}, "a.1", "default"),
        ({"a": [1]}, "a.-1", "default"),
        ({"a": [1]}, "a.²", "default"),
        ({"a": "text"}, "a.0", "default"),
        ([1, 2], "1", 2),
        (None, "a", "default"),
    ],
)
def test_a_dotted_path_leads_to_a_value_or_to_the_default(value, path, found):
    assert look(value, path, "default") == found


def test_putting_makes_the_objects_on_the_way_and_keeps_what_is_there():
    into = {"a": {"x": 1}}
    put(into, "a.b.c", 2)
    put(into, "d", 3)
    assert into == {"a": {"x": 1, "b": {"c": 2}}, "d": 3}


@given(JSON)
def test_a_text_that_is_wholly_one_placeholder_keeps_the_type_of_the_value(value):
    assert fill("{it}", {"it": value}) == value
    assert fill({"a": ["{it}"]}, {"it": value}) == {"a": [value]}


def test_within_a_text_values_stand_as_in_a_url():
    values = {"yes": True, "no": False, "null": None, "list": [1, "b"], "number": 3}
    assert fill("{yes} {no} [{null}] {list} {number} [{absent}]", values) == "true false [] 1,b 3 []"


def test_what_has_no_value_is_left_out_and_null_is_a_value():
    template = {"gone": "{a}", "deep": {"gone": "{b.c}", "stays": 1}, "list": ["{a}", 2], "null": "{null}"}
    assert fill(template, {"null": None, "b": {}}) == {"deep": {"stays": 1}, "list": [2], "null": None}


def test_keys_are_filled_too():
    assert fill({"{match.field}": "{match.value}"}, {"match": {"field": "email", "value": "a@b.c"}}) == {
        "email": "a@b.c"
    }
    assert fill({"filter[{field}]": 1}, {"field": "name"}) == {"filter[name]": 1}
    assert fill({"{absent}": 1, "kept": 2}, {}) == {"kept": 2}


def test_a_value_that_looks_like_a_placeholder_is_not_filled_again():
    assert fill({"a": "{x}", "b": "<{x}>"}, {"x": "{token}", "token": "secret"}) == {"a": "{token}", "b": "<{token}>"}
    assert fill_path("/{x}", {"x": "{token}", "token": "secret"}) == "/%7Btoken%7D"


def test_filling_leaves_the_template_as_it_was():
    template = {"a": {"b": ["{x}"]}}
    filled = fill(template, {"x": 1})
    filled["a"]["b"].append(2)
    assert template == {"a": {"b": ["{x}"]}}


def test_braces_that_name_nothing_stay():
    assert fill("{} {1} { x } {a-b}", {"x": 1}) == "{} {1} { x } {a-b}"


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("50%", "50%25"),
        ("żó", "%C5%BC%C3%B3"),
        ("a b", "a%20b"),
        ("..%2f", "..%252f"),
        (0, "0"),
        (False, "false"),
        ([1, 2], "1%2C2"),
        ("a.b", "a.b"),
    ],
)
def test_a_value_in_a_path_is_percent_encoded(value, encoded):
    assert fill_path("/people/{id}/x", {"id": value}) == f"/people/{encoded}/x"


@pytest.mark.parametrize("value", [None, "", MISSING, ".", ".."])
def test_a_path_is_refused_where_the_value_would_lead_somewhere_else(value):
    with pytest.raises(DescriptionError, match=r"/people/\{record.id\}.*\{record\.id\}"):
        fill_path("/people/{record.id}", {"record": {"id": value}})
    with pytest.raises(DescriptionError):
        fill_path("/people/{absent}", {})


def test_the_names_of_a_template_are_those_its_placeholders_begin_with():
    assert names({"{a.b}": ["{c}", ("x{d}y", 3)], "k": {"l": "{e.0.f}"}}) == {"a", "c", "d", "e"}
    assert names(None) == set()


def test_an_unknown_placeholder_is_refused_by_name_with_the_nearest_known():
    with pytest.raises(DescriptionError, match=r'tiny: path: unknown placeholder \{sicne\}. Did you mean "since"\?'):
        refuse_unknown({"x": "{sicne}"}, {"since", "until"}, "tiny: path")
    with pytest.raises(DescriptionError, match=r"\{recrod\}"):
        refuse_unknown({"{recrod.a}": 1}, {"record"}, "tiny: body")
    refuse_unknown("{since}/{until.x}", {"since", "until"}, "tiny: path")


def test_a_missing_value_is_no_text():
    assert text(MISSING) == ""
    assert not MISSING


# Keys with dots, texts in quotes


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("a.b", ("a", "b")),
        (r"@odata\.nextLink", ("@odata.nextLink",)),
        (r"meta.@odata\.count.x", ("meta", "@odata.count", "x")),
        (r"a\.b\.c.d", ("a.b.c", "d")),
        ("a", ("a",)),
    ],
)
def test_a_dot_that_belongs_to_a_key_is_escaped(path, keys):
    assert parts(path) == keys
    into = {}
    put(into, path, 1)
    assert look(into, path) == 1
    assert look(fill({"it": f"{{record.{path}}}"}, {"record": into}), "it") == 1


def test_an_entry_is_left_out_where_none_of_its_placeholders_has_a_value():
    template = {"filter": "gte:{since}", "both": "{since}..{until}", "list": ["x{since}"], "plain": "x"}
    assert fill(template, {}) == {"list": [], "plain": "x"}
    assert fill(template, {"until": 3}) == {"both": "..3", "list": [], "plain": "x"}


def test_within_quotes_a_quote_is_doubled_and_nowhere_else():
    values = {"name": "O'Neil"}
    template = {"a": "name eq '{name}'", "b": "{name}", "c": "x {name}", "d": "'{name}"}
    assert fill(template, values, doubled="'") == {
        "a": "name eq 'O''Neil'", "b": "O'Neil", "c": "x O'Neil", "d": "'O'Neil"}  # fmt: skip
    assert fill(template, values)["a"] == "name eq 'O'Neil'"
    assert fill_path("/People('{name}')/x", values, doubled="'") == "/People('O%27%27Neil')/x"


# Values are made of letters that no template has: what comes out is told apart.
LITERAL = st.text(" abc.(){$%|'\"\\1+-*/#@:", max_size=8)
VALUE = st.text("ⒶⒷⒸ", min_size=1, max_size=4)
PIECES = st.lists(st.tuples(LITERAL, st.sampled_from(["one", "two.x", "deep.list.1"])), max_size=5)


@given(PIECES, LITERAL, VALUE, VALUE, VALUE)
def test_filling_puts_values_into_the_text_and_never_computes(pieces, last, one, two, three):
    values = {"one": one, "two": {"x": two}, "deep": {"list": ["no", three]}}
    by_name = {"one": one, "two.x": two, "deep.list.1": three}
    template = "".join(f"{literal}{{{name}}}" for literal, name in pieces) + last
    filled = text(fill(template, values))
    if not any(name in literal for literal, _ in pieces for name in by_name):
        assert "".join(c for c in filled if c not in "ⒶⒷⒸ") == "".join(literal for literal, _ in pieces) + last
        assert "".join(c for c in filled if c in "ⒶⒷⒸ") == "".join(by_name[name] for _, name in pieces)


@given(JSON, st.dictionaries(st.text("abc", min_size=1), JSON, max_size=3))
def test_every_value_that_comes_out_stood_in_the_template_or_among_the_values(template, values):
    def leaves(value):
        if isinstance(value, dict):
            return set().union(*(leaves(v) for v in value.values()))
        if isinstance(value, list):
            return set().union(*(leaves(v) for v in value))
        return {(type(value), value)}

    assert leaves(fill(template, values)) <= leaves(template) | leaves(values)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("1E+2", "100"),
        ("1.50", "1.50"),
        ("0E-3", "0.000"),
        ("1E+999999999", "1E+999999999"),
        ("1E-999999999", "1E-999999999"),
        ("0E+999999999", "0E+999999999"),
    ],
)
def test_a_number_is_spelled_out_unless_that_takes_all_memory(number, said):
    assert spelled(Decimal(number)) == said
