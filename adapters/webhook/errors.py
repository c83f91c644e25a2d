"""The meaning of a receiver's response. Source: standard-webhooks/standard-webhooks, spec/standard-webhooks.md ("Deliverability and
reliability"), and Svix's "Stopping retries from the receiver" (`webhook-delivery`), read 2026-11-26."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from adapters.common.http_errors import Effect, classify_status, may_be_done, retry_after_s
from bridge.model.errors import BridgeError, ChatDown, Rejected, RetryLater

if TYPE_CHECKING:
    from adapters.webhook.config import WebhookOptions

CHECK_URL = "check url of the end in bridge.yaml, and what its receiver wants to be shown"
GONE = "the receiver says that it is gone (HTTP 410)"
UNWANTED = "the receiver asks for no more messages (webhook-delivery: disable)"

Wish = Literal["", "disable", "abort-message"]


def wish_of(status: int, headers: Mapping[str, str]) -> Wish:
    """The receiver's request about further attempts: no more messages at all, or not this one again."""
    stated = str(headers.get("webhook-delivery") or "").strip().lower()
    if status == 410 or stated == "disable":
        return "disable"
    return "abort-message" if stated == "abort-message" else ""


def refusal(status: int, headers: Mapping[str, str], *, doing: str, effect: Effect) -> BridgeError:
    """The error for a failed response without such a request."""
    reason = f"{doing}: HTTP {status}"
    after_s = retry_after_s(headers)
    if 300 <= status < 400:
        return RetryLater(f"{reason}; redirects are not followed: set url to where it leads", after_s=after_s)
    if status in (401, 403, 404, 405):
        return ChatDown(reason, action=CHECK_URL)
    if status == 413:
        return Rejected(f"{reason}: too large for the receiver")
    if status < 200:
        return may_be_done(reason, effect)
    classified = classify_status(status, effect=effect, reason=reason, after_s=after_s)
    if classified is not None:
        return classified
    # a receiver that fails on a message may be mended before the schedule ends; where nothing tells a repeated message, it is final
    return RetryLater(reason, after_s=after_s) if effect is Effect.IDEMPOTENT else Rejected(reason)


def effect_of(options: WebhookOptions) -> Effect:
    """Whether the receiver recognises a repeated message, by its `webhook-id`."""
    return Effect.IDEMPOTENT if options.style == "standard" else Effect.CREATES
