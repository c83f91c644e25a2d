"""Native refusals to ours: by the dialect's error codes first, then by HTTP status. Pure; `transport` raises what this makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adapters.common.http_errors import Effect, classify_status, retry_after_s
from adapters.common.queries import find, find_text
from bridge.model.errors import (
    AccountDown,
    BridgeError,
    ChangeRefused,
    ChatDown,
    FileRejected,
    MessageGone,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    RightMissing,
    Scope,
)

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.model import Dialect

CHECK_KEY = "check api_key (and the account's rights) in the messenger; the bridge tries again by itself"
CHECK_CHAT = "add the bot to the chat and give it the right to write there, or correct the chat in bridge.yaml"
GIVE_RIGHT = "let the bot edit and delete its own posts, and react to posts, in that chat"
CHECK_WEBHOOK = "check the chat's incoming_webhook in bridge.yaml: the messenger does not know it (any more), or may not post there"
IF_OTHERS_TOO = "if the chat takes no other message either, its incoming_webhook is gone"
CHECK_SERVER = "check server (and the dialect's base) in bridge.yaml"
CHECK_HISTORY = "check the dialect's operation history against the server's reference"
USE_ID = "put the chat's id into bridge.yaml; if it is the id, add the bot to the chat"
USE_ID_OR_ALLOW = f"let the bot list the chats it is in, or {USE_ID}"
_LONGEST_MESSAGE = 200


class Gone(MessageGone):
    """The message to change is no longer there."""


class TooFar(Gone):
    """It was not met on a long way back: what is older is further."""


class ThreadGone(Rejected):
    """The thread to post into is not there (any more), and nothing was posted."""


_OF_ONE_MESSAGE = ("edit", "delete", "react", "unreact")
_OF_A_CHAT = ("send", "webhook_send", "history", "chats", "direct_chats", "users", "me", "list_webhooks")
"""Operations that name no message, file or webhook: what is not found or not allowed there is the chat, or more."""


def refusal(
    dialect: Dialect,
    operation: str,
    effect: Effect,
    status: int,
    headers: Mapping[str, str],
    payload: Any,
    *,
    hidden: tuple[str, ...] = (),
) -> BridgeError:
    """The error for an answer that is no success. `hidden` are secrets that a server might repeat in its message."""
    errors = dialect.errors
    code = find_text(errors.code, payload)
    message = _without(hidden, " ".join(find_text(errors.message, payload).split()))[:_LONGEST_MESSAGE]
    reason = ": ".join(part for part in (f"{operation}: HTTP {status}", _without(hidden, code), message) if part)
    by_webhook = operation == "webhook_send"
    after_s = _wait_s(dialect, headers, payload)
    if status == 429:
        return RetryLater(reason, after_s=after_s, scope=Scope.ACCOUNT, rate_limited=True)
    if operation == "member" and status == 404:
        return Gone(reason)
    if code and code in errors.thread_codes:
        return ThreadGone(reason)
    if code and code in errors.file_codes:
        return FileRejected(reason)
    if code in errors.message_codes:
        return Rejected(reason)
    if code in errors.gone_codes:
        return Gone(reason)
    if by_webhook and status == 400 and code in errors.chat_codes:
        return RetryLater(f"{reason} ({IF_OTHERS_TOO})", scope=Scope.CHAT)  # of a webhook that is gone, and of one bad message
    if by_webhook and (status in (401, 403, 404, 410, 501) or (status < 500 and code in errors.chat_codes)):
        return ChatDown(reason, action=CHECK_WEBHOOK)
    if code in errors.unchangeable_codes:
        return ChangeRefused(reason)
    if code in errors.right_codes and operation in _OF_ONE_MESSAGE:
        return RightMissing(reason, action=GIVE_RIGHT)
    if (code in errors.chat_codes and not by_webhook) or code in errors.right_codes:
        return ChatDown(reason, action=CHECK_CHAT)
    if status == 401 or code in errors.account_codes:
        return AccountDown(reason, action=CHECK_KEY)
    if status == 403 and operation in _OF_ONE_MESSAGE:
        return RightMissing(reason, action=GIVE_RIGHT)
    return _by_status(operation, reason, effect, status, after_s)


def _without(secrets: tuple[str, ...], text: str) -> str:
    """The whole text without them: one that is cut first is not found any more."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def is_forbidden(error: BridgeError) -> bool:
    """Whether the server knows what was asked, and does not let us."""
    return ": HTTP 403" in error.reason or ": HTTP 401" in error.reason


def is_temporary(error: BridgeError) -> bool:
    """Whether nothing is known to be wrong: the server is away, or asks to try later."""
    return isinstance(error, RetryLater | OutcomeUnknown)


def _by_status(operation: str, reason: str, effect: Effect, status: int, after_s: float | None) -> BridgeError:
    if status != 501 and (found := classify_status(status, effect=effect, reason=reason, after_s=after_s)):
        return found
    if status < 400:
        return AccountDown(f"{reason}: neither success nor an error", action=CHECK_SERVER)
    if status in (403, 404, 410) and operation in _OF_A_CHAT:
        return ChatDown(reason, action=CHECK_CHAT)
    if status in (404, 410):
        return Gone(reason)
    return Rejected(reason)


def _wait_s(dialect: Dialect, headers: Mapping[str, str], payload: Any) -> float | None:
    stated = find(dialect.errors.retry_after_s, payload)
    if isinstance(stated, int | float) and stated >= 0:
        return float(stated)
    return retry_after_s(headers, dialect.errors.retry_after_header)
