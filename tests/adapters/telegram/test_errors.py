"""The error table: each answer of Telegram's gets the class that the core decides by."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from adapters.common.http_errors import Effect
from adapters.registry import load_platform
from adapters.telegram.errors import NotOfTheApi, Refused, change_fault, classify, without_urls
from bridge.model.errors import (
    AccountDown,
    BridgeError,
    ChangeRefused,
    ChatDown,
    ChatMoved,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    RightMissing,
)

load_platform("telegram").preload()


def answer(status: int, content: str) -> BridgeError:
    from adapters.telegram.lazy_aiogram import exceptions, methods
    from adapters.telegram.responses import result_of

    with pytest.raises((exceptions.AiogramError, NotOfTheApi)) as raised:
        result_of(methods.SendMessage(chat_id=1, text="x"), status, content)
    return classify(raised.value, effect=Effect.CREATES)


def refusal(status: int, description: str, **parameters: Any) -> BridgeError:

    return answer(status, json.dumps({"ok": False, "error_code": status, "description": description, "parameters": parameters}))


@pytest.mark.parametrize(
    ("status", "description", "expected"),
    [
        (400, "Bad Request: chat not found", ChatDown),
        (400, "Bad Request: not enough rights to send text messages to the chat", ChatDown),
        (400, "Bad Request: not enough rights to send photos to the chat", Refused),
        (400, "Bad Request: CHAT_WRITE_FORBIDDEN", ChatDown),
        (400, "Bad Request: message thread not found", ChatDown),
        (400, "Bad Request: TOPIC_CLOSED", ChatDown),
        (400, "Bad Request: message is too long", Refused),
        (400, "Bad Request: something nobody has seen yet", Refused),
        (400, "Logged out", AccountDown),
        (401, "Unauthorized", AccountDown),
        (403, "Forbidden: bot was kicked from the supergroup chat", ChatDown),
        (403, "Forbidden: bot was blocked by the user", ChatDown),
        (404, "Not Found", AccountDown),
        (404, "Not Found: method not found", Refused),
        (413, "Request Entity Too Large", Refused),
        (418, "I'm a teapot", Refused),
        (429, "Too Many Requests: retry after 5", RetryLater),
        (500, "Internal Server Error", OutcomeUnknown),
        (502, "Bad Gateway", OutcomeUnknown),
    ],
)
def test_answers(status: int, description: str, expected: type[BridgeError]) -> None:
    error = refusal(status, description)
    assert type(error) is expected
    if isinstance(error, ChatDown | AccountDown):
        assert error.action


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("message can't be edited", ChangeRefused),
        ("MESSAGE_AUTHOR_REQUIRED", ChangeRefused),
        ("MESSAGE_EDIT_TIME_EXPIRED", ChangeRefused),
        ("message can't be deleted", ChangeRefused),
        ("message can't be deleted for everyone", ChangeRefused),
        ("MESSAGE_DELETE_FORBIDDEN", ChangeRefused),
        ("CHAT_ADMIN_REQUIRED", RightMissing),
        ("not enough rights to delete a message", RightMissing),
        ("message is too long", Refused),
        ("something nobody has seen yet", Refused),
    ],
)
def test_changes_that_are_refused(description: str, expected: type[Rejected]) -> None:
    error = refusal(400, f"Bad Request: {description}")
    assert isinstance(error, Refused)
    fault = change_fault(error)
    assert type(fault) is expected
    assert ("administrator" in fault.reason) == (expected is RightMissing)


def test_answers_with_parameters() -> None:
    moved = refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1005)
    assert isinstance(moved, ChatMoved)
    assert moved.new_chat_id == "-1005"
    later = refusal(429, "Too Many Requests: retry after 5", retry_after=5)
    assert isinstance(later, RetryLater)
    assert (later.after_s, later.rate_limited) == (5.0, True)


@pytest.mark.parametrize("odd", ["soon", "7", 1e300, -5, None, [], {"s": 5}, True, 2**80])
def test_answers_with_odd_parameters(odd: Any) -> None:
    later = refusal(429, "Too Many Requests", retry_after=odd)
    assert isinstance(later, RetryLater)
    assert later.after_s in (None, 7.0)
    assert later.rate_limited
    assert isinstance(refusal(400, "Bad Request: odd", migrate_to_chat_id=odd), Refused | ChatMoved)
    for parameters in (odd, [odd]):
        assert isinstance(answer(400, json.dumps({"ok": False, "description": odd, "parameters": parameters})), Refused)


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (200, "<html>", OutcomeUnknown),
        (200, '{"ok":false}', Refused),
        (200, "[]", OutcomeUnknown),
        (403, "<html>blocked by the proxy", RetryLater),
        (413, "<html>", Refused),
        (429, "<html>", RetryLater),
        (502, "<html>", OutcomeUnknown),
    ],
)
def test_pages_of_proxies_and_load_balancers(status: int, content: str, expected: type[BridgeError]) -> None:
    assert type(answer(status, content)) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (aiohttp.ConnectionTimeoutError(), RetryLater),
        (aiohttp.ServerDisconnectedError(), OutcomeUnknown),
        (aiohttp.ClientOSError(104, "reset"), OutcomeUnknown),
        (aiohttp.ServerTimeoutError(), OutcomeUnknown),
        (TimeoutError(), OutcomeUnknown),
        (aiohttp.InvalidURL("http://secret"), RetryLater),
    ],
)
def test_failures_below_http(error: Exception, expected: type[BridgeError]) -> None:
    classified = classify(error, effect=Effect.CREATES)
    assert type(classified) is expected
    assert "secret" not in classified.reason
    assert isinstance(classify(error, effect=Effect.IDEMPOTENT), RetryLater)


def test_tokens_are_taken_out_of_texts() -> None:
    text = without_urls("GET https://api.telegram.org/bot123456:AAF-abc_DEF1234567890/getMe and 123456:AAF-abc_DEF1234567890")
    assert "AAF" not in text
    assert text.startswith("GET https://api.telegram.org/bot<token>/getMe")
