"""Where the time goes: what a thread does is charged to the layer of whoever called for it, from the first page on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from layers import BEGINS, LAYERS, LOADING, REST, Layers
from measure import Side
from profiled import Run, Spent, middle, profiled, table

ROOT = Path(__file__).parents[2]
BUSY = """
import sys, threading, time
def busy(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until: pass
def fetched(): busy(0.1)
def encoded(): [busy(0.1) for _ in range(3)]
def nameless(): busy(0.1)
busy(0.3)
fetched()
thread = threading.Thread(target=encoded)
thread.start()
thread.join()
nameless()
if sys.argv[1:]: sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "bench" / "floor.py"
    path.parent.mkdir()
    path.write_text(BUSY)
    return path


def test_whatever_a_layer_names_is_there():
    begins = [f"{file.removeprefix('bench/')}:{function}" for file, function in BEGINS]
    for parts in (begins, *(parts for layers in LAYERS.values() for parts in layers.values())):
        for part in parts:
            file, _, function = part.partition(":")
            if file.startswith("/"):
                continue
            path = ROOT / file if (ROOT / file).exists() else ROOT / "bench" / file
            assert path.exists(), part
            assert not function or f"def {function}(" in path.read_text("utf-8"), part


def test_a_function_is_in_its_layer_before_its_file_is_and_what_has_none_is_its_callers():
    tap = Layers("tap")
    assert tap.of("/x/antiphon/layout.py", "written") == "encoding"
    assert tap.of("/x/antiphon/layout.py", "_shape") == "shaping"
    assert tap.of("/x/antiphon/layout.py", "<listcomp>") is None
    assert tap.of("/usr/lib/python3.11/copy.py", "deepcopy") is None
    assert tap.of("/x/singer_sdk/singerlib/encoding/simple.py", "to_dict") == "the SDK's messages"
    assert tap.of("<frozen importlib._bootstrap>", "_load") == LOADING


def test_the_cpu_of_every_thread_is_charged_once_the_start_is_over(script, tmp_path):
    found = profiled(Side("one", [sys.executable, script]), "tap", 1, tmp_path)
    seconds = {layer: spent / 1e6 for layer, spent in found.layers.items()}
    assert 0.05 < seconds["HTTP: urllib3, libcurl, sockets"] < 0.2 < seconds["encoding"] < 0.4
    assert 0.05 < seconds[REST] < 0.3
    assert found.whole / 1e6 == pytest.approx(sum(seconds.values()))
    assert 0.4 < found.told < 0.95


def test_a_run_that_fails_or_ends_before_it_began_is_no_run(script, tmp_path):
    with pytest.raises(SystemExit, match="one -> exit code 3"):
        profiled(Side("one", [sys.executable, script, "3"]), "tap", 1, tmp_path)
    script.write_text("print('nothing')")
    with pytest.raises(SystemExit, match="one -> it ended before"):
        profiled(Side("one", [sys.executable, script]), "tap", 1, tmp_path)


def test_a_module_can_be_as_if_it_were_not_installed(tmp_path):
    (tmp_path / "script.py").write_text("try:\n    import wave\nexcept ImportError:\n    print('not there')\n")
    command = [sys.executable, ROOT / "bench" / "sampled.py", tmp_path / "report", "tap", tmp_path / "script.py"]
    said = subprocess.run(command, env={"WITHOUT": "wave"}, capture_output=True, text=True, check=True).stdout
    assert said == "not there\n"
    assert json.loads((tmp_path / "report").read_text())["whole"] == 0


def test_the_table_shows_ours_beside_the_floor_and_what_could_be_saved_at_most():
    ours = Spent({"decoding": 30.0, "HTTP: requests": 60.0, REST: 10.0}, 100.0)
    floor = Spent({"decoding": 40.0, REST: 0.0}, 40.0)
    told = table(Run("tap", "tap, 500 items", "page", 5, ()), {"antiphon": ours, "floor": floor})
    assert told.splitlines()[0] == "| tap, 500 items, CPU µs/page | antiphon | floor |"
    assert "| HTTP: requests | 60.0 |  |" in told
    assert "90% of what ours takes is in a layer that has a name. HTTP is 60% of it." in told
    assert "Against the floor ours takes 60.0 µs more for each page." in told


def test_the_round_in_the_middle_is_told():
    rounds = [Spent({}, whole) for whole in (9.0, 1.0, 2.0)]
    assert middle(rounds).whole == 2.0
