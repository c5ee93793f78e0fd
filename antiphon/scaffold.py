"""The beginning of a new API, as text that works before it is changed: a description in YAML, or one in Python with two plugins and a test.

Both describe the same API. The one in Python is the example that CONTRIBUTING opens with.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from antiphon import apis
from antiphon.errors import SettingError, Storage

_API = '''\
"""My Title: https://docs.example.com."""

from __future__ import annotations

from antiphon import schema
from antiphon.api import Api, RateLimit, Read, Resource, Setting, Write
from antiphon.auth import Bearer
from antiphon.paging import Cursor

_PEOPLE = {"id": "string!", "email": "string", "name": "string", "updated_at": "date-time"}
_PAGES = Cursor(next="next", param="cursor", size=("limit", 100))  # the reply's `next` goes into the parameter `cursor`

my_api = Api(
    "my_api",
    title="My Title",
    base_url="https://api.example.com/v1",
    auth=Bearer("{access_token}"),  # or ApiKey, Basic …: antiphon/auth
    settings=(Setting("access_token", "Access token", "From your account's page.", secret=True, required=True),),
    limits=(RateLimit(calls=100, seconds=60),),
    check=Read("/me"),  # the cheapest request that needs the credential
    resources=(
        Resource(
            "people",
            schema.record(_PEOPLE, readonly=["id", "updated_at"]),
            aliases=("person",),
            updated="updated_at",
            match=("email",),  # what an upsert finds a record by
            read=Read("/people", records="items", paging=_PAGES),
            changes=Read(params={"updated_since": "{since}"}),  # all else is as in `read`
            find=Read(params={"email": "{match.value}"}),
            get=Read("/people/{id}"),
            create=Write("/people"),  # POST, and the record for a body
            update=Write("/people/{id}"),  # PATCH, unless `method` says otherwise
            delete=Write("/people/{id}"),
        ),
    ),
)
'''

_YAML = """\
# yaml-language-server: $schema=https://raw.githubusercontent.com/antiphon-elt/antiphon/main/antiphon/description/schema.json
#
# My Title: https://docs.example.com
#
# What can be said here, and how: https://github.com/antiphon-elt/antiphon/blob/main/docs/describe.md
name: my_api
title: My Title
base_url: https://api.example.com/v1

# What a user has to give: in the config, or as the variable MY_API_ACCESS_TOKEN.
settings:
  access_token: {title: Access token, description: From your account's page., secret: true, required: true}

auth: bearer  # or api_key, basic …
limits: {calls: 100, seconds: 60}
check: /me  # the cheapest request that needs the credential

resources:
  people:
    aliases: person
    updated: updated_at  # when a record was last changed
    match: email  # what an upsert finds a record by
    schema:  # a word for each field; antiphon infer my_api.yaml finds more in the API's records
      id: string! readonly
      email: string
      name: string
      updated_at: date-time readonly
    read:
      path: /people
      records: items  # where in the reply they are
      paging: {cursor: {next: next, param: cursor, size: {limit: 100}}}  # the reply's `next` goes into the parameter `cursor`
    changes: {params: {updated_since: "{since}"}}  # all else is as in `read`
    find: {params: {email: "{match.value}"}}
    get: /people/{id}
    create: /people  # POST, and the record for a body
    update: /people/{id}  # PATCH, unless `method` says otherwise
    delete: /people/{id}
"""

_TAP = '''\
"""tap-my-api."""

from antiphon.singer.tap import Tap


class TapMyApi(Tap):
    """Reads people from My Title."""

    api = "my_api"


if __name__ == "__main__":
    TapMyApi.cli()
'''

_TARGET = '''\
"""target-my-api."""

from antiphon.singer.target import Target


class TargetMyApi(Target):
    """Writes people to My Title."""

    api = "my_api"


if __name__ == "__main__":
    TargetMyApi.cli()
'''

_TEST = '''\
"""My Title against canned answers: the first test, to be followed by a sandbox or a real server."""

from antiphon.apis.my_api import my_api
from antiphon.connection import connect

PEOPLE = "https://api.example.com/v1/people"


def test_people_are_read_page_by_page(requests_mock):
    requests_mock.get(
        PEOPLE,
        [
            {"json": {"items": [{"id": "1", "email": "ada@example.org"}], "next": "two"}},
            {"json": {"items": [{"id": "2", "email": "bob@example.org"}], "next": None}},
        ],
    )
    people = connect("my_api", api=my_api, access_token="made-up").read("people")
    assert [person["id"] for person in people] == ["1", "2"]
    assert requests_mock.last_request.qs["cursor"] == ["two"]


def test_a_person_is_added_and_comes_back_with_an_id(requests_mock):
    requests_mock.post(PEOPLE, json={"id": "3", "email": "eve@example.org"})
    person = connect("my_api", api=my_api, access_token="made-up").add("person", email="eve@example.org")
    assert person["id"] == "3"
    assert requests_mock.last_request.json() == {"email": "eve@example.org"}
'''


def description(name: str) -> str:
    """Return the text of an API's description in Python: a small one that works, with a comment where a choice is made."""
    return _named(_API, name)


def in_yaml(name: str, folder: Path) -> dict[Path, str]:
    """Return the same description in YAML, which taps, targets and commands take as it is, by the path of its file."""
    text = _named(_YAML, name).replace("MY_API", name.upper())
    return {folder / f"{name}.yaml": text}


def is_checkout(folder: Path) -> bool:
    """Whether *folder* is a checkout of this project, where a new API has its places."""
    return (folder / "antiphon" / "apis" / "__init__.py").is_file() and (folder / "taps").is_dir()


def files(name: str, folder: Path) -> dict[Path, str]:
    """Return what belongs to a new API in Python, by path: in place in a checkout, else side by side in *folder*."""
    if is_checkout(folder):
        return {
            folder / "antiphon" / "apis" / f"{name}.py": description(name),
            folder / "taps" / f"tap_{name}.py": _named(_TAP, name),
            folder / "targets" / f"target_{name}.py": _named(_TARGET, name),
            folder / "tests" / "apis" / f"test_{name}.py": _named(_TEST, name),
        }
    return {
        folder / f"{name}.py": description(name),
        folder / f"tap_{name}.py": _apart(_TAP, name),
        folder / f"target_{name}.py": _apart(_TARGET, name),
        folder / f"test_{name}.py": _apart(_TEST, name),
    }


def checked(name: str) -> str:
    """Return *name* as a module may be called.

    Raises:
        SettingError: it cannot be, or there is such an API.
    """
    name = name.replace("-", "_").lower()
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        hint = "Use letters, digits and underscores, a letter first: my_api."
        raise SettingError(f'new: an API cannot be called "{name}"', hint=hint)
    if name in apis.names():
        raise SettingError(f'new: there is an API called "{name}"', hint="Change its file, or choose another name.")
    return name


def write(made: dict[Path, str]) -> None:
    """Write the files, none of which may be there yet.

    Raises:
        SettingError: one is there; nothing was written.
        Storage: one cannot be written.
    """
    for path in made:
        if path.exists():
            raise SettingError(f"new: {path} is there already", hint="Nothing was written.")
    try:
        for path, text in made.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    except OSError as error:
        raise Storage(f"new: writing {error.filename} -> {error.strerror}") from None


def scripts(name: str) -> tuple[str, str]:
    """Return the lines that pyproject.toml needs under ``[project.scripts]``."""
    dashed = name.replace("_", "-")
    return f'tap-{dashed} = "antiphon.launch:tap_{name}"', f'target-{dashed} = "antiphon.launch:target_{name}"'


def _named(template: str, name: str) -> str:
    title = name.replace("_", " ").title()
    replaced = template.replace("my_api", name).replace("my-api", name.replace("_", "-")).replace("MyApi", _camel(name))
    return replaced.replace("My Title", title)


def _apart(template: str, name: str) -> str:
    """Return the text for a folder of its own, where the description stands beside its plugins and is imported by them."""
    text = _named(template, name).replace(f"from antiphon.apis.{name} import", f"from {name} import")
    if f'    api = "{name}"' in text:
        text = text.replace(f'    api = "{name}"', f"    api = {name}")
        text = text.replace("\n\n\nclass ", f"\nfrom {name} import {name}\n\n\nclass ")
    return text


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
