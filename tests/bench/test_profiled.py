"""Where the time goes: functions by name, what is small counted as its callers'."""

import sys

from measure import Side
from profiled import ROOT, by_function, profiled, where


def test_a_function_is_told_by_file_and_name():
    assert where((str(ROOT / "antiphon" / "encode.py"), 9, "encoded")) == "antiphon/encode.py: encoded"
    assert where(("/usr/lib/python3.11/copy.py", 128, "deepcopy")) == "python3.11/copy.py: deepcopy"
    assert where(("~", 0, "<method 'decode' of 'msgspec.json.Decoder' objects>")) == (
        "method decode of msgspec.json.Decoder objects"
    )


def test_what_is_small_is_its_callers_time():
    mine, others = ("/x/a.py", 1, "f"), ("/x/b.py", 2, "g")
    stats = {
        mine: (1, 1, 2.0, 9.0, {}),
        others: (1, 1, 1.0, 9.0, {}),
        ("~", 0, "<built-in method builtins.len>"): (2, 2, 0.75, 0.75, {mine: (1, 1, 0.5, 0.5), others: (1, 1, 0.25, 0.25)}),
        ("~", 0, "<method 'decode' of 'msgspec.json.Decoder' objects>"): (1, 1, 4.0, 4.0, {mine: (1, 1, 4.0, 4.0)}),
    }  # fmt: skip
    assert by_function(stats) == {
        "x/a.py: f": 2.5,
        "x/b.py: g": 1.25,
        "method decode of msgspec.json.Decoder objects": 4.0,
    }


def test_a_script_is_run_under_the_profiler_with_its_arguments(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import sys\ndef busy():\n    return sum(n * n for n in range(int(sys.argv[1])))\nbusy()\n")
    most, others = profiled(Side("one", [sys.executable, script, "300000"]), tmp_path)
    assert any("script.py" in name and share > 0.3 for name, share in most[:2])
    assert others < 0.5
