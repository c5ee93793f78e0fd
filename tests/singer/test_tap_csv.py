import gzip
import json

import pytest

from antiphon.errors import AntiphonError
from tap_csv import TapCSV

from .shelf import written

PEOPLE = "id,name,born,score\n1,Ada,1815-12-10,1.50\n2,Grace,1906-12-09,\n3,Joan,1943-01-01,7\n"
ROWS = 2_345


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("files")
    (path / "people.csv").write_text(PEOPLE)
    with gzip.open(path / "many.csv.gz", "wt") as file:
        file.write("id,email\n")
        file.writelines(f"{n},p{n}@example.org\n" for n in range(ROWS))
    return path


def sync(files, **more):
    tap = TapCSV(config={"files": files}, **more)
    return written(tap.sync_all), tap


def test_files_become_streams_with_the_types_of_their_columns(folder):
    out, _ = sync(
        [{"path": str(folder / "people.csv"), "keys": ["id"]}, {"path": str(folder / "many.csv.gz"), "keys": ["id"]}]
    )
    assert out.records("people")[1] == {"id": 2, "name": "Grace", "born": "1906-12-09", "score": None}
    assert out.schemas("people")[0]["properties"]["score"] == {"type": ["number", "null"]}
    assert out.ids("many") == list(range(ROWS))


def test_only_selected_columns_leave(folder):
    files = [{"path": str(folder / "people.csv"), "keys": ["id"]}]
    catalog = TapCSV(config={"files": files}).catalog_dict
    for metadata in catalog["streams"][0]["metadata"]:
        if metadata["breadcrumb"] == ["properties", "name"]:
            metadata["metadata"]["selected"] = False
    out, _ = sync(files, catalog=catalog)
    assert out.records("people")[0].keys() == {"id", "born", "score"}


def test_a_read_that_was_interrupted_goes_on_in_the_file(folder):
    files = [{"path": str(folder / "many.csv.gz"), "keys": ["id"]}]
    whole, _ = sync(files)
    state = next(m["value"] for m in whole if m["type"] == "STATE")
    assert state["bookmarks"]["many"]["reading"]["cursor"]["line"]
    rest, _ = sync(files, state=json.loads(json.dumps(state)))
    assert rest.ids("many") == list(range(1000, ROWS))
    assert rest.bookmark("many") == {"version": 1}


def test_a_file_that_cannot_be_read_does_not_keep_the_others_back(folder, tmp_path):
    (tmp_path / "broken.csv").write_bytes(b"id,name\n1,\xff\n")
    out, tap = sync([str(tmp_path / "broken.csv"), {"path": str(folder / "people.csv"), "keys": ["id"]}])
    assert len(out.records("people")) == 3
    with pytest.raises(AntiphonError, match="1 of 2 streams failed: broken"):
        tap.tell_failures()


def test_bad_lines_are_told_after_the_good_ones_have_left(folder, tmp_path):
    (tmp_path / "some.csv").write_text("id,name\n1,Ada\n2\n3,Joan\n")
    out, tap = sync([{"path": str(tmp_path / "some.csv"), "keys": ["id"]}])
    assert out.ids("some") == [1, 3]
    with pytest.raises(AntiphonError, match="line 3"):
        tap.tell_failures()


def test_a_file_with_a_bad_line_is_left_as_one_that_is_being_read(folder, tmp_path):
    (tmp_path / "broken.csv").write_text("id,name\n1,Ada\n2,Grace,too many\n3,Joan\n")
    files = [{"path": str(path), "keys": ["id"]} for path in (tmp_path / "broken.csv", folder / "people.csv")]
    out, tap = sync(files)
    assert (out.ids("broken"), out.ids("people")) == ([1, 3], [1, 2, 3])
    assert list(tap.failures) == ["broken"]
    assert "reading" in out.bookmark("broken")
    assert "reading" not in out.bookmark("people")
    tap = TapCSV(config={"files": files}, state=json.loads(json.dumps(out.state)))
    again = written(tap.sync_all)
    assert again.ids("broken") == [1, 3]
