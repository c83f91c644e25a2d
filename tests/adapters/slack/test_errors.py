"""The error table: each answer of Slack's gets the class that the core decides by."""

from __future__ import annotations

import pytest

from adapters.common.http_errors import Effect
from adapters.slack.errors import SUCCESS, MissingScope, classify
from bridge.model.errors import (
    AccountDown,
    ChangeRefused,
    ChatDown,
    MessageGone,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    RightMissing,
)


@pytest.mark.parametrize(
    ("code", "status", "effect", "error"),
    [
        ("ratelimited", 429, Effect.CREATES, RetryLater),
        ("", 429, Effect.CREATES, RetryLater),
        ("service_unavailable", 200, Effect.CREATES, RetryLater),
        ("internal_error", 200, Effect.CREATES, OutcomeUnknown),
        ("fatal_error", 200, Effect.IDEMPOTENT, RetryLater),
        ("", 500, Effect.CREATES, OutcomeUnknown),
        ("", 503, Effect.IDEMPOTENT, RetryLater),
        ("", 200, Effect.CREATES, OutcomeUnknown),
        ("", 403, Effect.CREATES, RetryLater),
        ("token_revoked", 200, Effect.CREATES, AccountDown),
        ("missing_scope", 200, Effect.CREATES, AccountDown),
        ("not_in_channel", 200, Effect.CREATES, ChatDown),
        ("msg_too_long", 200, Effect.CREATES, Rejected),
        ("something_new", 200, Effect.CREATES, Rejected),
    ],
)
def test_answers(code: str, status: int, effect: Effect, error: type[Exception]) -> None:
    found = classify("chat.postMessage", code, status=status, effect=effect, headers={"Retry-After": "3"})
    assert type(found) is error
    if isinstance(found, RetryLater) and status == 429:
        assert (found.after_s, found.rate_limited) == (3.0, True)


@pytest.mark.parametrize("method", ["reactions.add", "reactions.remove", "pins.add", "pins.remove"])
def test_a_policy_beside_messages_holds_no_message_up(method: str) -> None:
    assert type(classify(method, "restricted_action")) is Rejected
    assert type(classify("chat.postMessage", "restricted_action")) is ChatDown
    assert type(classify(method, "not_in_channel")) is ChatDown


def test_a_scope_that_only_one_operation_needs() -> None:
    found = classify("reactions.add", "missing_scope", needed_scope="reactions:write")
    assert isinstance(found, MissingScope)
    assert "reactions:write" in found.reason
    assert "already_reacted" in SUCCESS


@pytest.mark.parametrize(
    ("method", "code", "error"),
    [
        ("chat.update", "edit_window_closed", ChangeRefused),
        ("chat.update", "cant_update_message", ChangeRefused),
        ("chat.delete", "cant_delete_message", ChangeRefused),
        ("chat.delete", "compliance_exports_prevent_deletion", ChangeRefused),
        ("chat.update", "restricted_action", RightMissing),
        ("chat.delete", "restricted_action", RightMissing),
        ("chat.update", "is_inactive", ChatDown),
        ("chat.delete", "not_in_channel", ChatDown),
        ("chat.update", "message_not_found", MessageGone),
        ("chat.update", "msg_too_long", Rejected),
    ],
)
def test_changes_that_are_refused(method: str, code: str, error: type[Exception]) -> None:
    assert type(classify(method, code)) is error
