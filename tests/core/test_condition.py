import pytest

from antiphon.condition import Condition, all_hold

VALUES = {"turn": 2, "reply": {"next": None, "more": True, "left": "3", "rows": [], "word": "ok"}}


@pytest.mark.parametrize(
    "condition",
    [
        Condition("reply.next", empty=True),
        Condition("reply.absent", empty=True),
        Condition("reply.rows", empty=True),
        Condition("turn", empty=False),
        Condition("reply.more", equals=True),
        Condition("reply.word", equals=["fine", "ok"]),
        Condition("turn", equals=2),
        Condition("turn", above=1, below=3),
        Condition("reply.left", above=2.5),
    ],
)
def test_a_condition_that_holds(condition):
    assert condition.holds(VALUES)


@pytest.mark.parametrize(
    "condition",
    [
        Condition("reply.more", empty=True),
        Condition("reply.next", empty=False),
        Condition("reply.more", equals=1),  # true is no number
        Condition("turn", equals=[1, 3]),
        Condition("turn", above=2),
        Condition("turn", below=2),
        Condition("reply.word", above=0),
        Condition("reply.absent", below=1),
        Condition("reply.more", above=0),
        Condition("turn", above=1, below=2),
    ],
)
def test_a_condition_that_does_not_hold(condition):
    assert not condition.holds(VALUES)


def test_of_several_conditions_all_must_hold_and_none_is_no_condition():
    first, second = Condition("turn", above=1), Condition("reply.next", empty=True)
    assert all_hold((first, second), VALUES)
    assert not all_hold((first, Condition("turn", above=5)), VALUES)
    assert not all_hold((), VALUES)
