"""The SDK's own tests for targets, on an API that takes any stream. They ask for little more than that nothing breaks."""

from __future__ import annotations

import importlib.resources
import json
import signal
from collections import Counter

import pytest
from singer_sdk.testing import get_target_test_class, target_test_streams
from singer_sdk.testing.suites import SingerTestSuite, target_tests
from singer_sdk.testing.target_tests import TargetRecordBeforeSchemaTest

from antiphon.api import Api, Resource
from antiphon.errors import InputError
from antiphon.outcome import Kind, Outcome
from antiphon.singer.target import Target

SAMPLES = [path for path in importlib.resources.files(target_test_streams).iterdir() if path.name.endswith(".singer")]
STREAMS = sorted(
    {json.loads(line)["stream"] for path in SAMPLES for line in path.open(encoding="utf8") if '"SCHEMA"' in line}
)
WRITTEN: Counter[str] = Counter()


def take(client, resource, changes):
    for change in changes:
        WRITTEN[resource.name] += 1
        yield Outcome(change, Kind.CREATED, "1")


class TargetAnything(Target):
    """Takes any stream."""

    api = Api(
        "anything",
        "Anything",
        "https://anything.example",
        resources=tuple(
            Resource(name, {"type": "object", "properties": {}, "additionalProperties": True}, create=take)
            for name in STREAMS
        ),
    )


class RecordBeforeSchema(TargetRecordBeforeSchemaTest):
    """Ours is told in one line, by an error of our own."""

    def test(self):
        with pytest.raises(InputError, match=r'line 1 is a RECORD of the stream ".*" before its SCHEMA'):
            self.runner.sync_all()


#: A record that lacks a key of its stream is as good as any here: what it is matched by is another matter. Nor need a
#: SCHEMA list its properties.
OTHERWISE = {"record_before_schema", "record_missing_key_property", "invalid_schema"}
OURS = [test for test in target_tests.tests if test.name not in OTHERWISE]
SUITE = SingerTestSuite(kind="target", tests=[*OURS, RecordBeforeSchema])


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """State in a folder of its own; the signals are pytest's again."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    WRITTEN.clear()
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


TestTarget = get_target_test_class(TargetAnything, config={}, custom_suites=[SUITE], include_target_tests=False)


def test_the_suite_is_whole():
    names = {name for name in dir(TestTarget) if name.startswith("test_target_")}
    assert len(names) == len(target_tests.tests) - 2
