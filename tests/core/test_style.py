import pytest

from antiphon.api import Reply
from antiphon.errors import Forbidden, NotFound, QuotaSpent, Refused, Unauthorized, Unavailable
from antiphon.style import Rest


def reply(status, body=b""):
    return Reply(status, {}, body, "https://api.example.org/x")


@pytest.mark.parametrize("status", [200, 201, 202, 204, 207])
def test_a_success_is_no_fault_whatever_it_holds(status):
    assert Rest().fault(reply(status, b'{"error": "x"}')) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (300, Refused),
        (304, Refused),
        (400, Refused),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (408, Unavailable),
        (409, Refused),
        (410, NotFound),
        (422, Refused),
        (425, Unavailable),
        (429, Unavailable),
        (500, Unavailable),
        (501, Unavailable),
        (503, Unavailable),
        (599, Unavailable),
    ],
)
def test_the_status_tells_what_the_user_can_do(status, kind):
    error = Rest().fault(reply(status))
    assert type(error) is kind
    assert error.status == status


@pytest.mark.parametrize(
    ("body", "words", "code"),
    [
        (b'{"message": "no city", "code": "CITY"}', "no city", "CITY"),
        (b'{"error": {"message": "no city", "code": 17}}', "no city", "17"),
        (b'{"errors": [{"message": "no city"}]}', "no city", ""),
        (b'{"error": "invalid", "error_description": "no city"}', "no city", "invalid"),
        (b'{"detail": "no city"}', "no city", ""),
        (b'{"message": {"name": ["no city"]}}', '{"name":["no city"]}', ""),
        (b'{"message": "two\\n lines"}', "two lines", ""),
        (b'{"message": ""}', "Bad Request", ""),
        (b"<html>Bad gateway</html>", "Bad Request", ""),
        (b"", "Bad Request", ""),
        (b"no such city\n  in Germany", "no such city in Germany", ""),
        (b'"no such city"', "no such city", ""),
        (b"x" * 5000, "x" * 300, ""),
        (b'{"message": "cut sho', "Bad Request", ""),
        (b"[]", "Bad Request", ""),
        (b"\xff\xfe", "Bad Request", ""),
        (b"[" * 100_000, "Bad Request", ""),
    ],
)
def test_the_words_and_the_code_come_from_the_body_else_from_the_status(body, words, code):
    error = Rest().fault(reply(400, body))
    assert error is not None
    assert (error.message, error.code) == (f"400 {words}", code)


def test_a_status_without_a_name_is_told_too():
    error = Rest().fault(reply(499))
    assert error is not None
    assert error.message == "499 without a reason"


def test_a_function_may_find_the_words():
    style = Rest(message=lambda body: "; ".join(body["email"]))
    error = style.fault(reply(400, b'{"email": ["taken", "too long"]}'))
    assert error is not None
    assert error.message == "400 taken; too long"
    unread = style.fault(reply(502, b"<html>"))
    assert unread is not None
    assert unread.message == "502 Bad Gateway"


def test_an_api_may_say_not_now_with_a_status_of_its_own():
    assert type(Rest(retry=frozenset({423})).fault(reply(423))) is Unavailable
    assert type(Rest().fault(reply(423))) is Refused


def test_a_spent_quota_is_told_from_a_burst():
    style = Rest(spent={"policyName": "DAILY"})
    assert type(style.fault(reply(429, b'{"policyName": "DAILY"}'))) is QuotaSpent
    assert type(style.fault(reply(429, b'{"policyName": "SECONDLY"}'))) is Unavailable
