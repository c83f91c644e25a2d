"""Slack's errors to the bridge's, as a table. Called by `transport` for every failed call.

Source: docs.slack.dev method pages and slack_sdk.errors; read 2026-11. What is not in the table is `Rejected` with Slack's own
code, since an unknown refusal is still a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.common.http_errors import Effect, classify_page, classify_status, may_be_done, retry_after_s
from bridge.model.errors import (
    AccountDown,
    BridgeError,
    ChangeRefused,
    ChatDown,
    FileRejected,
    MessageGone,
    Rejected,
    RetryLater,
    RightMissing,
    Scope,
)


class MissingScope(Rejected):
    """An operation that the app's scopes do not allow; the account works on without it."""


SUCCESS: frozenset[str] = frozenset({"already_reacted", "no_reaction", "already_pinned", "not_pinned", "no_pin"})
"""Refusals that say: it is as you want it."""

_RETRY: Mapping[str, float | None] = {
    "ratelimited": None,
    "rate_limited": None,
    "service_unavailable": None,
    "request_timeout": None,
    "update_failed": None,
    "external_channel_migrating": 60.0,
    "team_added_to_org": 300.0,
}
_MAYBE_DONE = frozenset({"internal_error", "fatal_error"})

_ACCOUNT: Mapping[str, str] = {
    "invalid_auth": "check bot_token: Slack does not accept it",
    "not_authed": "set bot_token",
    "token_revoked": "reinstall the app to the workspace and put the new bot token into bridge.yaml",
    "token_expired": "turn token rotation off for the app, reinstall it and put the new bot token into bridge.yaml",
    "account_inactive": "reinstall the app: its bot user or the workspace was deactivated",
    "no_permission": "reinstall the app with the scopes of adapters/slack/README.md",
    "missing_scope": "add the scope under OAuth & Permissions and reinstall the app",
    "not_allowed_token_type": "use the bot token (xoxb-...) as bot_token and the app-level token (xapp-...) as app_token",
    "org_login_required": "wait until the workspace has been moved to its organisation, then reinstall the app",
    "accesslimited": "ask a workspace admin to allow this network",
    "ekm_access_denied": "ask a workspace admin: posting is suspended by key management",
    "enterprise_is_restricted": "install the app in the workspace itself",
    "two_factor_setup_required": "set up two-factor authentication for the installing account",
    "app_access_restricted": "ask a workspace admin to approve the app",
    "team_access_not_granted": "install the app in this workspace",
    "message_limit_exceeded": "the workspace has reached the message limit of its plan",
}

OPENS_SOCKET = "apps.connections.open"
"""Its token is another one than messages are sent with: where it is refused, those still go out."""
_APP_TOKEN_ACTION = "check app_token: an app-level token (xapp-...) with connections:write, and Socket Mode switched on"  # noqa: S105

_OF_OPERATION = frozenset(
    {"ekm_access_denied", "enterprise_is_restricted", "no_permission", "not_allowed_token_type", "team_access_not_granted"}
)
"""What a method answers that this app may not use: only for the essential ones the account is of no use then."""

_ESSENTIAL = ("chat.", "apps.", "auth.")
"""Methods without which the account is of no use; a scope missing for another one concerns that operation only."""

_CHAT: Mapping[str, str] = {
    "channel_not_found": "invite the bot to the channel, or correct the channel in bridge.yaml",
    "not_in_channel": "invite the bot to the channel: /invite @<the bot>",
    "is_inactive": "unarchive the channel, or take it out of bridge.yaml",
    "is_archived": "unarchive the channel, or take it out of bridge.yaml",
    "restricted_action": "a workspace policy keeps the bot from posting: ask a workspace admin",
    "restricted_action_read_only_channel": "let the bot post in this channel: it is read-only",
}

_BESIDE_MESSAGES = ("reactions.", "pins.", "conversations.rename")
"""Methods that a workspace can keep from the bot while it may post."""

_CHANGES = ("chat.update", "chat.delete")
"""Methods that a workspace's policies keep from the bot by themselves."""
_UNCHANGEABLE = frozenset(
    {"edit_window_closed", "cant_update_message", "cant_delete_message", "compliance_exports_prevent_deletion"}
)
"""Refusals of changes that nobody can help: a bot changes its own messages only, and not for ever."""

_WORDS: Mapping[str, str] = {
    "compliance_exports_prevent_deletion": "the workspace keeps every message for compliance exports",
    "restricted_action": "a workspace policy keeps the bot from it",
    "msg_too_long": "the text is too long for Slack",
    "msg_blocks_too_long": "the text is too long for Slack",
    "edit_window_closed": "the workspace no longer allows this message to be edited",
    "cant_update_message": "the message is not ours, so it cannot be edited",
    "cant_delete_message": "the message is not ours, so it cannot be deleted",
    "message_not_found": "the message is gone",
    "thread_not_found": "the thread is gone",
    "file_not_found": "Slack does not show it to the bot",
    "file_deleted": "deleted in Slack",
    "invalid_name": "Slack has no emoji of that name",
    "too_many_emoji": "the message has the most different reactions Slack allows",
    "too_many_reactions": "the message has the most reactions Slack allows",
    "storage_limit_reached": "the workspace has no file storage left",
    "file_upload_size_restricted": "the workspace does not take files of this size",
    "file_uploads_disabled": "the workspace does not take files",
    "file_uploads_except_images_disabled": "the workspace takes images only",
    "metadata_too_large": "our own mark is too large for Slack",
}


_UPLOADS = ("files.getUploadURLExternal", "files.completeUploadExternal")
_FILE_WORDS = ("file", "snippet", "storage", "canvas")
"""In codes about a file: file_uploads_disabled, slack_connect_blocked_file_type, storage_limit_reached and their like."""
_FILE_STATUSES: Mapping[int, str] = {
    400: "not as announced",
    403: "not allowed",
    411: "without a length",
    413: "too large",
    415: "its type is not allowed",
    422: "not usable",
    451: "not allowed",
    501: "uploads are switched off",
    507: "no storage left",
}


def classify(
    method: str,
    code: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    effect: Effect = Effect.CREATES,
    needed_scope: str = "",
) -> BridgeError:
    """The error for Slack's answer to `method`: HTTP `status`, `headers` and error `code` (empty where there was none)."""
    after_s = retry_after_s(headers or {})
    if code in ("ratelimited", "rate_limited"):
        return RetryLater(f"{method}: Slack's rate limit", after_s=after_s, scope=Scope.CHAT, rate_limited=True)
    if not code:
        return classify_page(status, effect=effect, reason=f"{method}: no usable answer (HTTP {status})", after_s=after_s)
    if code in _MAYBE_DONE:
        return may_be_done(f"{method}: Slack failed ({code})", effect)
    if found := classify_status(status, effect=effect, reason=f"{method}: Slack failed ({code}, HTTP {status})", after_s=after_s):
        return found
    if code in _RETRY:
        return RetryLater(f"{method}: {code}", after_s=_RETRY[code])
    if code == "missing_scope" and not method.startswith(_ESSENTIAL):
        return MissingScope(f"{method}: the app lacks the scope {needed_scope or 'for it'}; add it and reinstall the app")
    if code in _OF_OPERATION and not method.startswith(_ESSENTIAL):
        return Rejected(f"{method}: the app may not do this ({code})")
    if code in _ACCOUNT:
        scope = f" {needed_scope}" if needed_scope else ""
        action = _ACCOUNT[code].replace("the scope under", f"the scope{scope} under") if scope else _ACCOUNT[code]
        if method == OPENS_SOCKET:
            return AccountDown(f"{method}: {code}{scope}", action=_APP_TOKEN_ACTION, sends=True)
        return AccountDown(f"{method}: {code}{scope}", action=action)
    if code == "restricted_action" and method in _CHANGES:
        return RightMissing(f"{method}: {_WORDS[code]} ({code})", action="ask a workspace admin to allow it")
    if code in _CHAT and not (code == "restricted_action" and method.startswith(_BESIDE_MESSAGES)):
        return ChatDown(f"{method}: {code}", action=_CHAT[code])
    reason = f"{method}: {_WORDS.get(code, 'Slack refused it')} ({code})"
    if code == "message_not_found":
        return MessageGone(reason)
    if code in _UNCHANGEABLE:
        return ChangeRefused(reason)
    is_about_file = method.startswith(_UPLOADS) and any(word in code for word in _FILE_WORDS)
    return FileRejected(reason) if is_about_file else Rejected(reason)


def classify_upload(status: int, headers: Mapping[str, str]) -> BridgeError:
    """The error for an answer of an upload address. Nothing is visible yet, so what is not about the file may be tried again."""
    if status in _FILE_STATUSES:
        return FileRejected(f"file upload: Slack refused the file ({_FILE_STATUSES[status]}, HTTP {status})")
    return classify_bytes("file upload", status, headers)


def classify_bytes(doing: str, status: int, headers: Mapping[str, str]) -> RetryLater:
    """The error for an answer of an address of files that is about no file: it holds no other message up."""
    return RetryLater(f"{doing}: HTTP {status}", after_s=retry_after_s(headers))
