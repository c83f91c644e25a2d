"""What a receiver's refusal means. Source: standard-webhooks/standard-webhooks, spec/standard-webhooks.md, read 2026-11-26."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.common.http_errors import Effect, classify_status, retry_after_s
from bridge.model.errors import BridgeError, ChatDown, Rejected, Scope

CHECK_URL = "check url of the end in bridge.yaml, and what its receiver wants to be shown"


def refusal(status: int, headers: Mapping[str, str], payload: Any, *, doing: str, effect: Effect) -> BridgeError:
    """The error for an answer that is no success."""
    reason = f"{doing}: HTTP {status}"
    if status in (401, 403, 404, 410):
        return ChatDown(reason, action=CHECK_URL)
    classified = classify_status(status, effect=effect, reason=reason, after_s=retry_after_s(headers), scope=Scope.CHAT)
    return classified or Rejected(reason)
