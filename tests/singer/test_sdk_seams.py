"""What we override or count on of singer-sdk that it does not promise. A test that fails here says: read what the SDK changed.

Where the change does no harm, write the new hash here; `singer-sdk ~= 0.54.9` lets only patch releases in.
"""

import dataclasses
import hashlib
import inspect
from importlib import import_module

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.plugin_base import PluginBase, _ConfigInput

from antiphon.singer import messages
from antiphon.singer import stream as ours
from antiphon.singer import tap as our_tap

SOURCES = {
    "singer_sdk.plugin_base:PluginBase._validate_config": "0584b9e347e3",
    "singer_sdk.plugin_base:PluginBase._handle_termination": "d467c7407cf5",
    "singer_sdk.plugin_base:PluginBase._setup_signal_handlers": "eb4287001bdd",
    "singer_sdk.plugin_base:PluginBase.invoke": "75a3a489004a",
    "singer_sdk.tap_base:Tap.__init__": "ba24f58616a2",
    "singer_sdk.tap_base:Tap.invoke": "d84e3568823e",
    "singer_sdk.tap_base:Tap.cb_discover": "ca602861eba2",
    "singer_sdk.tap_base:Tap.cb_test": "4f1ea14c3ccb",
    "singer_sdk.tap_base:Tap.sync_all": "e4412393757b",
    "singer_sdk.tap_base:Tap.run_sync_dry_run": "da3cd8ec5cd9",
    "singer_sdk.tap_base:Tap.setup_mapper": "29be842dc31d",
    "singer_sdk.tap_base:Tap.load_state": "038849ff1971",
    "singer_sdk.tap_base:Tap._handle_termination": "2bb79ae47769",
    "singer_sdk.tap_base:Tap.get_singer_command": "5ff64e2082d5",
    "singer_sdk.streams.core:Stream.sync": "6b4262dcdddf",
    "singer_sdk.streams.core:Stream._sync_records": "8928dc7f50e9",
    "singer_sdk.streams.core:Stream._abort_sync": "6c285c060dd5",
    "singer_sdk.streams.core:Stream._finalize_state": "e08e1d0714a9",
    "singer_sdk.streams.core:Stream.finalize_state_progress_markers": "295d29eb8b73",
    "singer_sdk.streams.core:Stream._write_state_message": "f82ecd8d1698",
    "singer_sdk.streams.core:Stream._write_schema_message": "4077b24e5440",
    "singer_sdk.streams.core:Stream._write_record_message": "292b7bed3988",
    "singer_sdk.streams.core:Stream._generate_record_messages": "9b5f9fbcdedb",
    "singer_sdk.streams.core:Stream._write_starting_replication_value": "0a24e5d05cd5",
    "singer_sdk.streams.core:Stream._increment_stream_state": "cabc0edb2fd4",
    "singer_sdk.streams.core:Stream._process_record": "8529b9f3ce2f",
    "singer_sdk.streams.core:Stream.apply_catalog": "c1809c2cdad3",
    "singer_sdk.helpers._catalog:get_selected_schema": "54ef02038a82",
    "singer_sdk.helpers._state:finalize_state_progress_markers": "bab6282c3228",
    "singer_sdk.helpers._state:StateWriter.write_state": "40a241228848",
    "singer_sdk.singerlib.encoding.simple:SimpleSingerWriter.write_message": "5fc83c04001e",
}


@pytest.mark.parametrize("name", SOURCES)
def test_what_we_build_on_is_as_it_was(name):
    module, _, path = name.partition(":")
    found = import_module(module)
    for part in path.split("."):
        found = inspect.getattr_static(found, part)
    found = getattr(found, "__func__", found)
    assert hashlib.sha256(inspect.getsource(found).encode()).hexdigest()[:12] == SOURCES[name]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (getattr(mine, name), getattr(theirs, name))
        for mine, theirs in ((ours.ResourceStream, Stream), (our_tap.Tap, Tap))
        for name, what in vars(mine).items()
        if inspect.isfunction(what) and name.startswith("_") and not name.startswith("__") and hasattr(theirs, name)
    ],
)
def test_private_methods_that_we_override_take_what_they_took(mine, theirs):
    assert list(inspect.signature(mine).parameters) == list(inspect.signature(theirs).parameters)


def test_the_private_names_that_we_use_are_there():
    assert [field.name for field in dataclasses.fields(_ConfigInput)] == ["config", "parse_env"]
    made = inspect.getsource(Stream.__init__)
    for name in ("_schema", "_input_schema", "_stream_maps", "_tap"):
        assert f"self.{name}" in made
    assert "_config" in PluginBase.__annotations__
    assert "self._state_writer: StateWriter = StateWriter(" in inspect.getsource(Tap.__init__)
    assert "self._message_writer = message_writer" in inspect.getsource(messages.States.__mro__[1])


def test_we_override_no_method_that_is_final():
    for mine, theirs in ((ours.ResourceStream, Stream), (our_tap.Tap, Tap), (messages.MessageWriter, object)):
        for name in vars(mine):
            assert not getattr(inspect.getattr_static(theirs, name, None), "__final__", False), name


def test_every_private_method_that_we_override_is_there():
    for mine, theirs in ((ours.ResourceStream, Stream), (our_tap.Tap, Tap)):
        source = inspect.getsource(mine)
        for name, what in vars(mine).items():
            if inspect.isfunction(what) and name.startswith("_") and f"super().{name}(" in source:
                assert hasattr(theirs, name), name
