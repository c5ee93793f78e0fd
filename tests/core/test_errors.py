import inspect
import re

import pytest

from antiphon import errors
from antiphon.errors import AntiphonError, ApiError, did_you_mean


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    drawn: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([ │├└─]*)([A-Z]\w+)(\s{2,}|$)", line)
        if not found:
            continue
        depth, name = len(found[1]), found[2]
        above = [(d, n) for d, n in above if d < depth]
        drawn[name] = above[-1][1] if above else "Exception"
        above.append((depth, name))
    real = {name: cls.__base__.__name__ for name, cls in inspect.getmembers(errors, inspect.isclass)
            if issubclass(cls, AntiphonError)}  # fmt: skip
    assert drawn == real


@pytest.mark.parametrize(
    ("message", "hint", "said"),
    [
        ("tiny: reading -> 500 Oh", "", "tiny: reading -> 500 Oh"),
        ("tiny: reading -> 500 Oh", "Try later.", "tiny: reading -> 500 Oh. Try later."),
        ("It ended.", "Try later.", "It ended. Try later."),
        ("Really?", "Yes.", "Really? Yes."),
        ("two\n  lines\tand a tab", "Mend it.", "two lines and a tab. Mend it."),
    ],
)
def test_an_error_is_one_line_what_happened_then_what_to_do(message, hint, said):
    assert str(AntiphonError(message, hint=hint)) == said


def test_an_error_of_the_api_keeps_what_the_api_said():
    error = ApiError("no", status=400, code="BAD", retry_after=3)
    assert (error.status, error.code, error.retry_after, error.message, error.hint) == (400, "BAD", 3, "no", "")


def test_a_hint_lists_what_exists_the_nearest_first():
    assert did_you_mean("emial", ["phone", "email"]) == 'Did you mean "email"? There are: email, phone.'
    assert did_you_mean("xyz", ["phone"]) == "There are: phone."
    assert did_you_mean("xyz", []) == "There are: none."


def test_a_hint_does_not_list_a_thousand_names():
    said = did_you_mean("x", (f"field{n:04}" for n in range(1000)))
    assert said.endswith("field0039 and 960 more.")
