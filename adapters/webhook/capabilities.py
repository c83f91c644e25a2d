"""What a webhook account can do. Sources: the Standard Webhooks specification 1.0 (standard-webhooks/standard-webhooks,
spec/standard-webhooks.md) and Slack's "Sending messages using incoming webhooks", read 2026-11-26.

What goes out is a text of Markdown and a record of what happened: a receiver has no other form to show it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.model.capabilities import Capabilities, Capability, Feature, Limits, Support, features

if TYPE_CHECKING:
    from adapters.webhook.config import WebhookOptions

_PLAIN = Capability(Support.DROPPED, "the text is sent without it")

FEATURES = features(
    {
        **dict.fromkeys((Feature.BOLD, Feature.ITALIC, Feature.UNDERLINE, Feature.STRIKE, Feature.CODE), _PLAIN),
        Feature.LINK: Capability(Support.CONVERTED, "the address behind its words"),
        Feature.LIST: Capability(Support.CONVERTED, "lines of text"),
        Feature.QUOTE: Capability(Support.CONVERTED, "lines with > signs"),
        Feature.MENTION: Capability(Support.CONVERTED, "a name"),
        Feature.REPLY: Capability(Support.CONVERTED, "a quoted line"),
        Feature.SEES_EDITS: Capability(Support.PARTIAL, "a sender's own id, sent again with other words"),
    }
)


def capabilities(options: WebhookOptions | None) -> Capabilities:
    return Capabilities(features=FEATURES, limits=Limits(text_length=16_000, caption_length=0, upload_bytes=0))


def deaf_after_s(options: WebhookOptions) -> float | None:
    """It is called by others: silence says nothing."""
    return None
