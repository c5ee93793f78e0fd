"""The command run in this process, in a folder and an environment that hold nothing of the user's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from antiphon import apis, schema
from antiphon.api import Api, Nothing, Read, Resource, Setting, Write
from antiphon.auth import Bearer
from antiphon.cli import main, shown
from antiphon.sandbox import Server, start

URL = "https://zoo.example/v1"

ZOO = Api(
    "zoo",
    title="The Zoo",
    base_url=URL,
    auth=Bearer("{access_token}"),
    settings=(
        Setting("access_token", "Access token", "From the gate.", secret=True, required=True),
        Setting("gate", "Gate", "Which gate to use.", schema={"type": "integer"}),
    ),
    check=Read("/me"),
    resources=(
        Resource(
            "animals",
            schema.record({"id": "string!", "name": "string", "legs": "integer", "note": "string"}, readonly=["id"]),
            aliases=("animal",),
            match=("name",),
            read=Read("/animals", records="items"),
            get=Read("/animals/{id}"),
            find=Read("/animals", params={"name": "{match.values}"}, records="items", values=50),
            create=Write("/animals", body="{record}"),
            update=Write("/animals/{id}", "PATCH", body="{record}"),
            delete=Write("/animals/{id}", "DELETE", outcomes=Nothing()),
            actions={"feed": Write("/animals/{id}/feed", body="{record}")},
        ),
        Resource("keepers", schema.record({"id": "string!", "name": "string"}), read=Read("/keepers", records="items")),
    ),
)


@dataclass(frozen=True)
class Ran:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _nothing_of_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("ZOO_", "HUBSPOT_", "TAP_", "TARGET_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*args: str) -> Ran:
        with pytest.raises(SystemExit) as ended:
            main(args)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch) -> Api:
    """An API that we know, with its credential in the environment."""
    real = apis.load
    known = {name: real(name) for name in apis.names()} | {"zoo": ZOO}

    def load(reference: apis.Reference, *, folder: Path | None = None) -> Api:
        if not isinstance(reference, str) or apis.is_file(reference):
            return real(reference, folder=folder)
        if reference not in known:
            raise apis.Unknown(f'there is no API "{reference}"', hint=apis.did_you_mean(reference, known))
        return known[reference]

    monkeypatch.setattr(apis, "load", load)
    monkeypatch.setattr(apis, "names", lambda: tuple(sorted(known)))
    monkeypatch.setenv("ZOO_ACCESS_TOKEN", "gate-secret")
    return ZOO


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody watches: stdout is a terminal."""
    monkeypatch.setattr(shown, "for_people", lambda as_json: not as_json)


@pytest.fixture(scope="session")
def hubspot() -> Iterator[Server]:
    with start("hubspot", records=30) as server:
        yield server
