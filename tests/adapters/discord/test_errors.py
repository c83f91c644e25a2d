"""The error table: what each of Discord's answers means, and which are about a file."""

from __future__ import annotations

import pytest

from adapters.common.http_errors import Effect
from adapters.discord.errors import CLOSE_CODES, Refusal, classify, file_fault, refusal_of
from bridge.model.errors import (
    AccountDown,
    ChangeRefused,
    ChatDown,
    MessageGone,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    Scope,
)

TABLE = [
    (Refusal(status=400, code=50006), Rejected),
    (Refusal(status=400, code=50035), Rejected),
    (Refusal(status=400, code=200000), Rejected),
    (Refusal(status=413, code=40005), Rejected),
    (Refusal(status=404, code=10008), MessageGone),
    (Refusal(status=403, code=50005), ChangeRefused),
    (Refusal(status=400, code=50021), ChangeRefused),
    (Refusal(status=400, code=30046), RetryLater),
    (Refusal(status=404, code=10003), ChatDown),
    (Refusal(status=403, code=50001), ChatDown),
    (Refusal(status=403, code=50013), ChatDown),
    (Refusal(status=403, code=160005), ChatDown),
    (Refusal(status=401, code=0), AccountDown),
    (Refusal(status=403, code=40002), AccountDown),
    (Refusal(status=429, retry_after_s=3.0), RetryLater),
    (Refusal(status=429, code=20028, retry_after_s=3.0), RetryLater),
    (Refusal(status=403, code=20028), RetryLater),
    (Refusal(status=503, code=130000), RetryLater),
    (Refusal(status=400, code=40062), RetryLater),
    (Refusal(status=502, is_json=False), RetryLater),
    (Refusal(status=403, is_json=False), RetryLater),
    (Refusal(status=418), Rejected),
]


@pytest.mark.parametrize(("refusal", "error"), TABLE, ids=[f"{r.status}-{r.code}" for r, _ in TABLE])
def test_every_refusal_has_its_class(refusal: Refusal, error: type[Exception]) -> None:
    assert type(classify(refusal, effect=Effect.IDEMPOTENT)) is error


def test_a_server_error_leaves_a_sends_outcome_open() -> None:
    assert isinstance(classify(Refusal(status=500), effect=Effect.CREATES), OutcomeUnknown)
    assert isinstance(classify(Refusal(status=429, retry_after_s=1.0), effect=Effect.CREATES), RetryLater)


def test_what_a_rate_limit_concerns() -> None:
    chat = classify(refusal_of(429, {"message": "m", "retry_after": 1.5, "global": False}, {}), effect=Effect.CREATES)
    everything = classify(refusal_of(429, {"message": "m", "retry_after": 1.5, "global": True}, {}), effect=Effect.CREATES)
    proxy = classify(refusal_of(429, None, {}), effect=Effect.CREATES)
    assert isinstance(chat, RetryLater)
    assert isinstance(everything, RetryLater)
    assert isinstance(proxy, RetryLater)
    assert (chat.scope, everything.scope, proxy.scope) == (Scope.CHAT, Scope.ACCOUNT, Scope.ACCOUNT)
    assert (chat.after_s, proxy.after_s) == (1.5, None)
    assert all(error.rate_limited for error in (chat, everything, proxy))


@pytest.mark.parametrize(
    ("payload", "headers", "scope", "after_s"),
    [
        # the API without a time: its route, and the core's own back-off
        ({"message": "m", "global": False}, {}, Scope.CHAT, None),
        ({"message": "m", "retry_after": None, "global": False}, {"Retry-After": "3"}, Scope.CHAT, 3.0),
        ({"message": "m", "retry_after": "soon"}, {"X-RateLimit-Reset-After": "0.7"}, Scope.CHAT, 0.7),
        # its body lost on the way: the headers say whose it is
        (None, {"X-RateLimit-Scope": "user", "X-RateLimit-Reset-After": "2.5"}, Scope.CHAT, 2.5),
        (None, {"X-RateLimit-Scope": "shared"}, Scope.CHAT, None),
        (None, {"X-RateLimit-Bucket": "abc"}, Scope.CHAT, None),
        (None, {"X-RateLimit-Scope": "global", "Retry-After": "4"}, Scope.ACCOUNT, 4.0),
        ({"message": "m", "global": True}, {}, Scope.ACCOUNT, None),
        # the proxy in front of it: the whole address
        (None, {"Retry-After": "30"}, Scope.ACCOUNT, 30.0),
    ],
)
def test_a_rate_limit_that_tells_no_time_holds_back_no_more_than_it_concerns(
    payload: object, headers: dict[str, str], scope: Scope, after_s: float | None
) -> None:
    error = classify(refusal_of(429, payload, headers), effect=Effect.CREATES)
    assert isinstance(error, RetryLater)
    assert (error.scope, error.after_s, error.rate_limited) == (scope, after_s, True)


def test_faulty_fields_are_named() -> None:
    errors = {"embeds": {"0": {"title": {"_errors": [{"code": "X", "message": "m"}]}}}, "username": {"_errors": []}}
    refusal = refusal_of(400, {"code": 50035, "message": "Invalid Form Body", "errors": errors}, {})
    assert refusal.fields == ("embeds.0.title", "username")
    assert "embeds.0.title" in str(refusal)


def test_every_final_close_code_says_what_to_do() -> None:
    assert set(CLOSE_CODES) == {4004, 4010, 4011, 4012, 4013, 4014}
    assert all(reason and action for reason, action in CLOSE_CODES.values())


@pytest.mark.parametrize(
    ("status", "code", "errors", "places"),
    [
        (413, 40005, None, ()),
        (413, 0, None, ()),
        (415, 0, None, ()),
        (400, 50045, None, ()),
        (400, 50046, None, ()),
        (400, 50006, None, ()),
        (400, 200000, None, ()),
        (400, 50035, {"files": {"1": {"_errors": [{}]}}}, (1,)),
        (400, 50035, {"attachments": {"0": {"description": {"_errors": [{}]}}}}, (0,)),
        (400, 50035, {"files": {"_errors": [{}]}}, ()),
    ],
)
def test_answers_that_are_about_a_file(status: int, code: int, errors: object, places: tuple[int, ...]) -> None:
    body = {"message": "no", "code": code, **({"errors": errors} if errors else {})}
    fault = file_fault(refusal_of(status, body if code else None, {}))
    assert fault is not None
    assert fault.indexes == places


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, {"code": 50013}),
        (404, {"code": 10003}),
        (400, {"code": 50035, "errors": {"content": {"_errors": [{}]}}}),
        (400, {"code": 240000}),
    ],
)
def test_answers_that_are_not(status: int, body: dict[str, object]) -> None:
    assert file_fault(refusal_of(status, body, {})) is None
