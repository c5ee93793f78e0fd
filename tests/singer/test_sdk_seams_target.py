"""What our targets override or count on of singer-sdk that it does not promise; see test_sdk_seams."""

import hashlib
import inspect
import io
from importlib import import_module

import pytest
from singer_sdk import Sink as TheirSink
from singer_sdk import Target as TheirTarget
from singer_sdk.mapper import DefaultStreamMap, RemoveRecordTransform
from singer_sdk.plugin_base import BaseSingerReader
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.sinks import BatchSink

from antiphon.singer import reader, sink, target

SOURCES = {
    "singer_sdk.target_base:Target.__init__": "8bd68db7b870",
    "singer_sdk.target_base:Target.get_sink": "d50a023664a5",
    "singer_sdk.target_base:Target.add_sink": "73895e789f57",
    "singer_sdk.target_base:Target._process_schema_message": "ed6e8449bc8f",
    "singer_sdk.target_base:Target._process_record_message": "08aaf4096e2d",
    "singer_sdk.target_base:Target._process_state_message": "e27158e2b1e7",
    "singer_sdk.target_base:Target._process_activate_version_message": "377950028ca9",
    "singer_sdk.target_base:Target._process_batch_message": "f26fbe519745",
    "singer_sdk.target_base:Target._handle_max_record_age": "5762750ab103",
    "singer_sdk.target_base:Target._handle_termination": "0d610b822293",
    "singer_sdk.target_base:Target.process_endofpipe": "cfb659b6898b",
    "singer_sdk.target_base:Target.drain_all": "1da0109210d3",
    "singer_sdk.target_base:Target.drain_one": "97c86cb67c13",
    "singer_sdk.target_base:Target._drain_all": "8160903b0918",
    "singer_sdk.target_base:Target.invoke": "09090ea685c4",
    "singer_sdk.target_base:Target.append_builtin_config": "a13850e650ef",
    "singer_sdk.target_base:Target.get_singer_command": "8cfb93a35031",
    "singer_sdk.plugin_base:PluginBase.append_builtin_config": "4f7fa33ae7b6",
    "singer_sdk.plugin_base:BaseSingerReader.__init__": "a6124e35eb5e",
    "singer_sdk.plugin_base:BaseSingerReader.listen": "5bdc6bfc6914",
    "singer_sdk.plugin_base:BaseSingerReader.process_lines": "3442243efb20",
    "singer_sdk.sinks.core:Sink.__init__": "8013bcca4771",
    "singer_sdk.sinks.core:Sink.get_validator": "bb2fff05e8ae",
    "singer_sdk.sinks.core:Sink.start_drain": "179b29d94207",
    "singer_sdk.sinks.core:Sink.mark_drained": "b134f77ef2c5",
    "singer_sdk.sinks.core:Sink.tally_record_read": "b1cfae5f7a3f",
    "singer_sdk.sinks.core:Sink._remove_sdc_metadata_from_record": "7cd9e5fb192f",
    "singer_sdk.sinks.core:Sink._remove_sdc_metadata_from_schema": "2dc71b7ab109",
    "singer_sdk.sinks.core:JSONSchemaValidator.__init__": "17bce4eb0d66",
    "singer_sdk.sinks.core:JSONSchemaValidator.validate": "8257e8ff34b3",
    "singer_sdk.singerlib.encoding.base:GenericSingerReader.process_lines": "f6d848854616",
    "singer_sdk.mapper:PluginMapper.register_raw_stream_schema": "b86016569f9b",
    "singer_sdk.mapper:PluginMapper._eval_stream": "a81688d4ccf6",
    "singer_sdk.mapper:RemoveRecordTransform.transform": "699121fdfd0a",
}
PAIRS = (
    (target.Target, TheirTarget),
    (sink.Sink, BatchSink),
    (sink.NullSink, BatchSink),
    (sink.CheckSink, BatchSink),
    (reader.LineReader, GenericSingerReader),
)


def source_hash(name):
    module, _, path = name.partition(":")
    found = import_module(module)
    for part in path.split("."):
        found = inspect.getattr_static(found, part)
    found = getattr(found, "__func__", found)
    return hashlib.sha256(inspect.getsource(found).encode()).hexdigest()[:12]


@pytest.mark.parametrize("name", SOURCES)
def test_what_we_build_on_is_as_it_was(name):
    assert source_hash(name) == SOURCES[name]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        pytest.param(getattr(mine, name), getattr(theirs, name), id=f"{mine.__name__}.{name}")
        for mine, theirs in PAIRS
        for name, what in vars(mine).items()
        if inspect.isfunction(what) and not name.startswith("__") and hasattr(theirs, name)
    ],
)
def test_methods_that_we_override_take_what_they_took(mine, theirs):
    assert list(inspect.signature(mine).parameters) == list(inspect.signature(theirs).parameters)


def test_every_private_method_that_is_called_above_is_there():
    for mine, theirs in PAIRS:
        source = inspect.getsource(mine)
        for name in vars(mine):
            if f"super().{name}(" in source:
                assert hasattr(theirs, name), (mine, name)


def test_we_override_no_method_that_is_final():
    for mine, theirs in PAIRS:
        for name in vars(mine):
            assert not getattr(inspect.getattr_static(theirs, name, None), "__final__", False), (mine, name)


def test_the_private_names_that_we_use_are_there():
    for name, where in {
        "_sinks_active": TheirTarget.__init__,
        "_last_full_drain_at": TheirTarget.__init__,
        "_validator": TheirSink.__init__,
        "original_schema": TheirSink.__init__,
        "message_reader": BaseSingerReader.__init__,
        "_current_message": GenericSingerReader.__init__,
    }.items():
        assert f"self.{name}" in inspect.getsource(where), name
    assert issubclass(RemoveRecordTransform, DefaultStreamMap)


def test_the_sdk_gives_its_reader_a_file_whose_bytes_can_be_read():
    text = io.TextIOWrapper(io.BytesIO(b'{"type":"STATE","value":{}}\n'))
    seen = []
    assert reader.LineReader().process_lines(text, {"STATE": seen.append})["STATE"] == 1
    assert seen == [{"type": "STATE", "value": {}}]
