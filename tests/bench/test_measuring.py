"""What is measured is what it is said to be: sides that give other counts are no sides, ratios are those of one round."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from measure import Side, Used, in_turns, lines_in, median, quick, record_lines, run, times, verify


def python(code, **more):
    return Side("one", [sys.executable, "-c", code], **more)


def used(cpu):
    return Used(1.0, cpu, 10.0)


MEASURED = """
import sys
from pathlib import Path
from measure import Side, run
held = "held = b'x' * 50_000_000; sum(range(3_000_000)); print(len(held))"
took = run(Side("one", [sys.executable, "-c", held], stdout=Path(sys.argv[1])))
print(took.cpu, took.memory)
"""
"""A process is charged with what its parent holds: so the parent is one that holds little."""


def test_what_a_process_takes_is_told(tmp_path):
    bench = Path(__file__).parents[2] / "bench"
    told = subprocess.check_output([sys.executable, "-c", MEASURED, str(tmp_path / "out")], cwd=bench, text=True)
    cpu, memory = map(float, told.split())
    assert cpu > 0.02
    assert 50 < memory < 150
    assert (tmp_path / "out").read_text() == "50000000\n"


def test_a_process_that_fails_says_what_it_said():
    with pytest.raises(SystemExit, match=r"one -> exit code 3: no such thing"):
        run(python("import sys; sys.stderr.write('no such thing'); sys.exit(3)"))


def test_a_feed_is_its_input_and_may_not_fail_either(tmp_path):
    count = "import sys; print(len(sys.stdin.read()))"
    run(python(count, feed=[sys.executable, "-c", "print('x' * 999_999)"], stdout=tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "1000000\n"
    with pytest.raises(SystemExit, match="what feeds one -> exit code 1"):
        run(python(count, feed=[sys.executable, "-c", "raise SystemExit(1)"]))


WRITES = """print('{"type":"SCHEMA"}'); print('{"type":"RECORD","n":1}\\n{"type":"RECORD"}')"""


def test_a_side_that_gives_other_records_than_were_due_ends_the_bench(tmp_path):
    verify(python(WRITES), 2, tmp_path / "out")
    assert record_lines(tmp_path / "out") == 2
    with pytest.raises(SystemExit, match="one -> 2 records came, where 3 were due"):
        verify(python(WRITES), 3, tmp_path / "out")
    with pytest.raises(SystemExit, match="one -> 7 records came, where 2 were due"):
        verify(python(WRITES, count=lambda: 7), 2, tmp_path / "out")


def test_lines_are_counted_in_packed_files_too(tmp_path):
    (tmp_path / "a.jsonl").write_text("1\n2\n")
    with gzip.open(tmp_path / "b.jsonl.gz", "wt") as file:
        file.write("3\n4\n5\n")
    assert lines_in(tmp_path.iterdir()) == 5


def test_sides_take_turns_and_slow_ones_fewer(tmp_path):
    log = tmp_path / "log"
    sides = [
        Side(name, [sys.executable, "-c", f"open({str(log)!r}, 'a').write('{name}')"], rounds=rounds)
        for name, rounds in (("a", None), ("b", 1))
    ]
    runs = in_turns(sides, 3)
    assert log.read_text() == "abaa"
    assert {name: len(took) for name, took in runs.items()} == {"a": 3, "b": 1}


def test_a_ratio_is_that_of_medians_and_one_slow_run_is_no_matter():
    ours, theirs = [used(1), used(1), used(4)], [used(8), used(9), used(8)]
    assert median(ours) == used(1)
    assert times(theirs, ours) == 8
    assert times(theirs[:1], ours) == 8


def test_few_rounds_are_told():
    assert quick({"a": [used(1)] * 5, "b": [used(1)] * 6}) == "All took turns in 5 rounds."
    assert quick({"a": [used(1)] * 5, "b": [used(1)]}).startswith("A quick run: 1 of the 5 rounds")
