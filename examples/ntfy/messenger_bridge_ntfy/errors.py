"""ntfy's refusals to the bridge's errors, by its codes first. Source: server/errors.go of binwiederhier/ntfy, read 2026-11-26."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.common.http_errors import Effect, classify_status, retry_after_s
from bridge.model.errors import AccountDown, BridgeError, ChatDown, FileRejected, Rejected, Scope

CHECK_LOGIN = "check token, or username and password, of the account in bridge.yaml"
CHECK_TOPIC = "let the account's user read and write the topic (ntfy access), or correct the topic in bridge.yaml"
CHECK_SERVER = "check server of the account in bridge.yaml: it is not the base URL of an ntfy server"
_FILE_CODES = (40014, 41301)
"""Attachments are switched off; one is too large, or the user's space is used up."""


def refusal(status: int, headers: Mapping[str, str], payload: Any, *, doing: str, effect: Effect) -> BridgeError:
    """The error for a failed response. ntfy's own have `code`, `http`, `error` and mostly `link`."""
    body = payload if isinstance(payload, dict) else {}
    code = body.get("code")
    reason = f"{doing}: HTTP {status}" + (f", {code} {str(body.get('error'))[:200]}" if code else "")
    if status == 401:
        return AccountDown(reason, action=CHECK_LOGIN)
    if status in (403, 404):
        return ChatDown(reason, action=CHECK_TOPIC if status == 403 else CHECK_SERVER)
    if code in _FILE_CODES or status == 413:
        return FileRejected(reason)
    classified = classify_status(status, effect=effect, reason=reason, after_s=retry_after_s(headers), scope=Scope.ACCOUNT)
    return classified or Rejected(reason)
