"""What is wrong with a description: one line each, with the place and what was meant."""

import re
import tracemalloc

import pytest

from antiphon import description
from antiphon.description.nodes import MOST_BYTES, MOST_LEVELS
from antiphon.errors import DescriptionError
from tests.core.test_description import PYTHON, SMALL


def lines(tmp_path, text, name="my.yaml"):
    """Return what lint says of *text*, without the folder."""
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [line.replace(f"{tmp_path}/", "") for line in description.problems(file)]


def changed(old, new):
    assert old in SMALL
    return SMALL.replace(old, new)


MISTAKES = {
    "an unknown key": ("title: My API", "titel: My API", 'my.yaml:2:1: unknown key "titel". Did you mean "title"?'),
    "an unknown key deep inside": (
        "      records: items",
        "      recrods: items",
        'my.yaml:17:7: resources.people.read: unknown key "recrods". Did you mean "records"?',
    ),
    "a number for a text": (
        "name: my_api",
        "name: 5",
        "my.yaml:1:7: name: a text is wanted, not the number 5. Put it in quotes.",
    ),
    "a text for a flag": (
        "secret: true",
        "secret: yes",
        "my.yaml:6:47: settings.access_token.secret: true or false is wanted, not a text.",
    ),
    "nothing for a text": ("title: My API", "title:", "my.yaml:2:7: title: a text is wanted, not nothing."),
    "a text for a number": (
        "calls: 100",
        'calls: "100"',
        "my.yaml:7:17: limits.calls: a number is wanted, not a text.",
    ),
    "an unknown kind": (
        "{bearer:",
        "{beerer:",
        'my.yaml:4:8: auth: unknown kind "beerer". Did you mean "bearer"?',
    ),
    "an unknown bare kind": (
        "outcomes: nothing",
        "outcomes: noting",
        'my.yaml:22:62: resources.people.delete.outcomes: unknown kind "noting". Did you mean "nothing"?',
    ),
    "two kinds at once": (
        '{bearer: "{access_token}"}',
        '{bearer: "{access_token}", basic: }',
        "my.yaml:4:34: auth: two kinds at once, bearer and basic. Keep one of them, or write a list.",
    ),
    "what stands beside a kind": (
        '{bearer: "{access_token}"}',
        '{bearer: "{access_token}", scheme: Token}',
        'my.yaml:4:34: auth: "scheme" stands beside the kind bearer. What is said of a kind stands within it.',
    ),
    "an undeclared setting": (
        '"{access_token}"',
        '"{acess_token}"',
        'my.yaml:4:16: auth.bearer: unknown placeholder {acess_token}. Did you mean "access_token"?',
    ),
    "an unknown placeholder in a request": (
        '"{since}"',
        '"{sinse}"',
        'my.yaml:19:50: resources.people.changes.params.updated_since: unknown placeholder {sinse}. Did you mean "since"?',
    ),
    "a placeholder in the base URL": (
        "https://api.example.com/v1",
        '"https://{host}/v1"',
        "my.yaml:3:11: base_url: unknown placeholder {host}. Declare it: settings: {host: {title: …}}.",
    ),
    "a word that is no type": (
        "email: string",
        "email: strng",
        'my.yaml:11:43: resources.people.schema.email: no type of field is called "strng". Did you mean "string"?',
    ),
    "a word within a JSON Schema": (
        "email: string",
        "email: {type: object, properties: {work: {type: array, items: string}}}",
        "my.yaml:11:98: resources.people.schema.email.properties.work.items: a JSON Schema is wanted, not a text. For example: {type: string}.",
    ),
    "a flag for a JSON Schema": (
        "email: string",
        "email: {type: object, properties: {work: true}}",
        "my.yaml:11:77: resources.people.schema.email.properties.work: a JSON Schema is wanted, not true. For example: {type: string}.",
    ),
    "a list for a JSON Schema": (
        "email: string",
        "email: {type: array, items: [{type: string}]}",
        "my.yaml:11:64: resources.people.schema.email.items: a JSON Schema is wanted, not a list. For example: {type: string}.",
    ),
    "a list for the fields of a JSON Schema": (
        "email: string",
        "email: {type: object, properties: [work]}",
        "my.yaml:11:70: resources.people.schema.email.properties: a mapping is wanted, not a list.",
    ),
    "a field that is not in the schema": (
        "updated: updated_at",
        "updated: updated",
        'my.yaml:13:14: resources.people.updated: the schema has no field "updated". Did you mean "updated_at"?',
    ),
    "a further value of a field that is not in the schema": (
        "updated: updated_at",
        "further: {mail: email}",
        'my.yaml:13:15: resources.people.further: the schema has no field "mail". Did you mean "email"?',
    ),
    "further values in a field that is not in the schema": (
        "updated: updated_at",
        "further: {email: emails}",
        'my.yaml:13:22: resources.people.further.email: the schema has no field "emails". Did you mean "email"?',
    ),
    "no key": (
        "{id: string! readonly,",
        "{code: string!,",
        'my.yaml:10:3: resources.people: the key is "id" unless `key` says otherwise, and the schema has no such field.',
    ),
    "a key twice": (
        "title: My API",
        "title: My API\ntitle: Yours",
        'my.yaml:3:1: "title" stands twice in one place, first at 2:1.',
    ),
    "a field that is missing": ("title: My API\n", "", 'my.yaml:1:1: "title" is missing.'),
    "settings in a list": (
        "  access_token: {title: Access token,",
        "- {name: access_token,",
        "my.yaml:6:1: settings: a mapping is wanted, not a list. Write each under its name.",
    ),
    "a function": (
        "get: /people/{id}",
        "get: {function: my_module:get}",
        "my.yaml:20:10: resources.people.get: a function is named, and no code is run for a description in YAML. Functions",
    ),
    "a slot for functions alone": (
        "check: /me",
        "discover: /me",
        "my.yaml:8:11: discover: only a function can stand here. Functions are for descriptions in Python: a .py file that holds an Api.",
    ),
    "a batch without a place": (
        'create: {path: /people, body: "{record}"}',
        'create: {path: /people, batch: 10, body: {"a": 1}}',
        "my.yaml:21:13: resources.people.create: a batch needs `into`, the place of the records in the body.",
    ),
    "a text that would want quotes": (
        "title: My API",
        "title: My: API",
        'my.yaml:2:10: no YAML: mapping values are not allowed here. A text with ": " in it goes into quotes.',
    ),
    "a placeholder that would want quotes": (
        '"{access_token}"',
        "{access_token}",
        'my.yaml:4:17: auth.bearer: unknown key "access_token". A placeholder goes into quotes: "{access_token}".',
    ),
    "a body that would want quotes": (
        'body: "{record}"',
        "body: {record}",
        'my.yaml:21:35: resources.people.create.body: a mapping of record to nothing. A placeholder goes into quotes: "{record}".',
    ),
    "a limit of less than nothing": (
        "calls: 100",
        "calls: -1",
        "my.yaml:7:17: limits.calls: a number above 0 is wanted, not the number -1.",
    ),
    "pages without a record": (
        "size: {limit: 100}",
        "size: {limit: 0}",
        "my.yaml:18:66: resources.people.read.paging.cursor.size: a number from 1 on is wanted, not the number 0.",
    ),
    "a window of more than can be remembered": (
        "{cursor: {next: next, param: cursor, size: {limit: 100}}}",
        "{windows: {seconds: 60, cap: 30000}}",
        "my.yaml:18:44: resources.people.read.paging.windows.cap: a number from 1 to 20000 is wanted, not the number 30000.",
    ),
    "a status that is none": (
        "{cursor: {next: next, param: cursor, size: {limit: 100}}}",
        "{page: {past_end: 4040}}",
        "my.yaml:18:33: resources.people.read.paging.page.past_end: a number from 100 to 599 is wanted, not the number 4040.",
    ),
    "a status for what is not there that says nothing is wrong": (
        "      records: items",
        "      absent: 200\n      records: items",
        "my.yaml:17:15: resources.people.read.absent: a number from 400 to 499 is wanted, not the number 200.",
    ),
    "another protocol": (
        "https://api.example.com/v1",
        "ftp://api.example.com",
        'my.yaml:3:11: base_url: a URL that begins with https:// or http:// is wanted, not "ftp://api.example.com".',
    ),
    "a URL without a scheme": (
        "https://api.example.com/v1",
        "api.example.com",
        'my.yaml:3:11: base_url: a URL that begins with https:// or http:// is wanted, not "api.example.com".',
    ),
    "an address of a log-in that is a path": (
        '{bearer: "{access_token}"}',
        "{oauth2: {token_url: /token}}",
        'my.yaml:4:28: auth.oauth2.token_url: a URL that begins with https:// or http:// is wanted, not "/token".',
    ),
    "a method in small letters": (
        "method: DELETE",
        "method: delete",
        'my.yaml:22:44: resources.people.delete.method: a method in capitals, such as GET or POST, is wanted, not "delete".',
    ),
    "a word that is none of those there are": (
        '{bearer: "{access_token}"}',
        '{hmac: {template: "{body}", headers: {X: "{signature}"}, key: "{access_token}", hash: sha-1}}',
        'my.yaml:4:93: auth.hmac.hash: unknown word "sha-1". Did you mean "sha1"?',
    ),
    "a way of a client that there is not": (
        '{bearer: "{access_token}"}',
        "{oauth2: {token_url: https://example.com, client_auth: basic}}",
        'my.yaml:4:62: auth.oauth2.client_auth: unknown word "basic". There are: client_secret_basic, client_secret_post, none',
    ),
    "a signature of OAuth 1 that there is not": (
        '{bearer: "{access_token}"}',
        "{oauth1: {method: HMAC}}",
        'my.yaml:4:25: auth.oauth1.method: unknown word "HMAC". ',
    ),
    "an ETag that is no way": (
        "limits:",
        "style: {odata: none}\nlimits:",
        'my.yaml:7:16: style.odata: unknown word "none". There are: "", *, read.',
    ),
    "a meaning that nobody knows": (
        "limits:",
        "style: {rest: {codes: {Odd: unavailible}}}\nlimits:",
        'my.yaml:7:29: style.rest.codes.Odd: unknown word "unavailible". Did you mean "unavailable"?',
    ),
    "an outcome that nobody knows": (
        "outcomes: nothing",
        "outcomes: {by_status: {kinds: {200: change}}}",
        'my.yaml:22:88: resources.people.delete.outcomes.by_status.kinds.200: unknown word "change". ',
    ),
    "shared parts in quotes": (
        "changes: {<<: *list",
        'changes: {"<<": *list',
        'my.yaml:19:15: in quotes "<<" is a key like any other. Take the quotes away.',
    ),
    "a list of shared parts in quotes": (
        "changes: {<<: *list",
        "changes: {'<<': [*list]",
        'my.yaml:19:15: in quotes "<<" is a key like any other. Take the quotes away.',
    ),
    "a time zone that there is not": (
        "records: items",
        "zone: Berlin",
        'my.yaml:17:13: resources.people.read.zone: there is no time zone "Berlin". For example: Europe/Berlin.',
    ),
    "a condition on what there is not": (
        "{cursor: {next: next, param: cursor, size: {limit: 100}}}",
        "{advanced: {break_early: {path: responce.next, empty: true}}}",
        'my.yaml:18:40: resources.people.read.paging.advanced.break_early: there is no "responce". Did you mean "response"?',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_with_its_place_and_what_was_meant(tmp_path, old, new, line):
    [found, *_] = lines(tmp_path, changed(old, new))
    assert found.removesuffix(".").startswith(line.removesuffix(".")), found
    assert "\n" not in found


def test_all_mistakes_are_told_in_the_order_of_the_file(tmp_path):
    text = SMALL
    for old, new in (
        ("title:", "titel:"),
        ("secret: true", "secret: 1"),
        ('"{since}"', '"{sinse}"'),
        ("get: /", "gett: /"),
    ):
        text = text.replace(old, new)
    found = lines(tmp_path, text)
    assert [re.match(r"my\.yaml:(\d+):", line)[1] for line in found] == ["2", "6", "6", "19", "20"]


def test_loading_says_the_first_and_how_many_more(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(changed("title: My API", "x: 5"), "utf-8")
    with pytest.raises(DescriptionError) as raised:
        description.load(file)
    assert str(raised.value) == f'{file}:1:1: "title" is missing. And 1 more: antiphon lint shows them all.'


def test_a_mistake_in_a_shared_part_is_told_once(tmp_path):
    assert len(lines(tmp_path, changed("path: /people\n", "path: /{poeple}\n"))) == 1


def test_two_resources_with_one_name_are_refused_where_the_second_is():
    data = {**description.data(PYTHON)}
    data["resources"] = {**data["resources"], "persons": {**data["resources"]["people"], "aliases": ["people"]}}
    with pytest.raises(DescriptionError, match=r'resources\.persons: "people" is what people is called already'):
        description.from_mapping(data, "config: api")


def test_a_parent_that_is_not_there_is_refused():
    data = {**description.data(PYTHON)}
    data["resources"]["people"] |= {"parent": "evnts"}
    with pytest.raises(DescriptionError, match=r'^config: api: resources.people.parent: there is no resource "evnts"'):
        description.from_mapping(data, "config: api")


def test_a_resource_below_itself_is_refused_and_one_below_a_circle_is_not_blamed():
    data = {**description.data(PYTHON)}
    people = data["resources"]["people"]
    parents = {"people": "teams", "teams": "people", "rooms": "rooms", "desks": "people"}
    data["resources"] = {name: {**people, "aliases": [], "parent": parent} for name, parent in parents.items()}
    with pytest.raises(DescriptionError) as refused:
        description.from_mapping(data, "config: api")
    assert "resources.people.parent: it stands below itself: people -> teams -> people" in str(refused.value)
    assert "And 2 more" in str(refused.value)


def test_a_pattern_that_is_none_is_refused():
    data = {**description.data(PYTHON)}
    data["settings"] = {"access_token": {"pattern": "("}}
    with pytest.raises(
        DescriptionError, match=r"settings\.access_token\.pattern: it is no regular expression: missing \)"
    ):
        description.from_mapping(data, "config: api")


def test_json_has_the_same_places_tabs_or_not(tmp_path):
    assert 'my.json:3:3: unknown key "titel". Did you mean "title"?' in lines(
        tmp_path, '{\n\t"name": "a",\n\t\t"titel": "A"\n}', "my.json"
    )


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
MERGED = "a0: &a0 {k: [x, x, x, x, x, x, x, x, x]}\n" + "".join(
    f"a{n}: &a{n} {{<<: *a{n - 1}, b{n}: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 12)
)
HOSTILE = {
    "a tag": ("name: !!python/object/apply:os.system [ls]", "1:7: the tag !!python/object/apply:os.system is refused"),
    "a tag of a scalar": ("name: !!int '5'", "1:7: the tag !!int is refused"),
    "a tag of a key": ("!!str name: a", "1:1: the tag !!str is refused"),
    "a bomb of aliases": (BOMB, "more than 100,000 values"),
    "a bomb of merges": (MERGED, "more than 100,000 values"),
    "an alias of itself": ("name: &a [*a]", "1:11: *a stands within what it repeats"),
    "an alias of nothing": ("name: *a", "1:7: there is no anchor &a before this"),
    "deep lists": ("name: " + "[" * 100_000, f"more than {MOST_LEVELS} levels"),
    "deep mappings": ("{a: " * 100_000, f"more than {MOST_LEVELS} levels"),
    "deep blocks": ("".join(" " * n + "a:\n" for n in range(500)), f"more than {MOST_LEVELS} levels"),
    "a long file": (b"#" * (MOST_BYTES + 1), f"more than {MOST_BYTES:,} bytes"),
    "no UTF-8": (b"name: a\ntitle: \xff\xfe", "2:8: the text is not UTF-8. Save it as UTF-8."),
    "UTF-16": ("name: a".encode("utf-16"), "1:1: the text is not UTF-8"),
    "a control character": ("name: a\x07", "1:8: the character U+0007 cannot stand in a text"),
    "a second document": ("name: a\n---\nname: b", "2:1: a second document begins here"),
    "a huge number": ("name: " + "9" * 5000, "1:7: a number this long"),
    "a number beyond floats": ("name: 1e999", "1:7: the number 1e999 is too large"),
    "half a surrogate": ('name: "\\ud83d"', "1:7: half a pair of escapes"),
    "a key that is a list": ("? [a]\n: b", "1:3: a key is a word"),
    "a merge of a text": ("<<: a", "1:1: << takes an alias of a mapping, or a list of them"),
    "a line break of some": ("name: a\u2028b", "1:8: a character U+2028 breaks the line for some and not for others"),
    "nothing": ("", "1:1: a mapping is wanted, not nothing. It has to say `name`, `title`, `base_url`"),
    "a text": ("hello", "1:1: a mapping is wanted, not a text"),
    "tabs": ("a:\n\tb: 1", "2:1: no YAML"),
    "an open quote": ('name: "a', "no YAML: found unexpected end of stream"),
    "an open list": ("name: [a", "no YAML: "),
}


@pytest.mark.parametrize(("text", "line"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_input_is_one_clear_line_and_costs_little(tmp_path, text, line):
    tracemalloc.start()
    try:
        [found, *more] = lines(tmp_path, text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert line in found
    assert not more
    assert "\n" not in found
    assert peak < 40_000_000


def test_a_mapping_that_is_too_deep_or_holds_what_json_has_not_is_refused():
    deep = {}
    for _ in range(100):
        deep = {"a": deep}
    for wrong in (deep, {"name": {1, 2}}, {"name": b"x"}):
        with pytest.raises(DescriptionError, match=r"^config: "):
            description.from_mapping(wrong, "config")


def test_a_pair_of_escapes_is_one_character():
    assert description.parse(changed("title: My API", 'title: "\\ud83d\\ude00"'), "my.yaml").title == "😀"
