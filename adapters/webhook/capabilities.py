"""What a webhook account can do. Sources: the Standard Webhooks specification 1.0 (standard-webhooks/standard-webhooks,
spec/standard-webhooks.md: retries, size of a payload) and Slack's "Sending messages using incoming webhooks" (no edits, 1 message a
second, 40,000 characters of which 4,000 are advised), read 2026-11-26.

What goes out is a plain text, and with the style `standard` a record of who said it, and of what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.model.capabilities import Capabilities, Capability, Feature, Limits, Rates, RetrySchedule, Support, Window, features
from bridge.model.templates import template

if TYPE_CHECKING:
    from adapters.webhook.config import WebhookOptions

_PLAIN = Capability(Support.DROPPED, "the text is sent without it")
_ONCE = Capability(Support.DROPPED, "the style has no form for it: what was posted stays as it is")
_AS_AN_EVENT = Capability(Support.PARTIAL, "told as an event; what the receiver makes of it is its matter")

_A_LINE = Capability(Support.CONVERTED, "a line with its name and size")

_COMMON = {
    **dict.fromkeys((Feature.PHOTO, Feature.VIDEO, Feature.AUDIO, Feature.VOICE, Feature.DOCUMENT, Feature.ANIMATION), _A_LINE),
    Feature.STICKER: _A_LINE,
    **dict.fromkeys((Feature.BOLD, Feature.ITALIC, Feature.UNDERLINE, Feature.STRIKE, Feature.CODE), _PLAIN),
    Feature.LINK: Capability(Support.CONVERTED, "the address behind its words"),
    Feature.LIST: Capability(Support.CONVERTED, "lines of text"),
    Feature.QUOTE: Capability(Support.CONVERTED, "lines with > signs"),
    Feature.MENTION: Capability(Support.CONVERTED, "a name"),
    Feature.SEES_EDITS: Capability(Support.PARTIAL, "a sender's own id, sent again with other words"),
}
_QUOTED = {Feature.REPLY: Capability(Support.CONVERTED, "a quoted line")}
_NAMED = {Feature.SENDER_NAME: Capability(Support.FULL), Feature.SENDER_AVATAR: Capability(Support.PARTIAL, "its address")}

STANDARD = features(
    {
        **_COMMON,
        **dict.fromkeys((Feature.EDIT, Feature.DELETE, Feature.REACT, Feature.PIN, Feature.REPLY), _AS_AN_EVENT),
        **_NAMED,
    }
)
SLACK = features({**_COMMON, **_QUOTED, **dict.fromkeys((Feature.EDIT, Feature.DELETE, Feature.REACT, Feature.PIN), _ONCE)})
TEMPLATE = features({**SLACK, **_NAMED})

RETRY = RetrySchedule(waits_s=tuple(hours * 3600.0 for hours in (5 / 3600, 5 / 60, 0.5, 2, 5, 10, 14, 20, 24)), jitter=0.1)
"""75 h 35 min. Source: spec/standard-webhooks.md, "Deliverability and reliability"."""

_STANDARD_BYTES = 14_000
"""Of a text as JSON, so that a body is below 20 kB with the author, a quotation and a picture's address."""


def capabilities(options: WebhookOptions | None) -> Capabilities:
    style = "standard" if options is None else options.style
    if style == "slack":
        limits = Limits(text_length=4000, caption_length=0, upload_bytes=0)
        rates = Rates(per_chat=(Window(messages=60, span_s=60.0, burst=10),))
        return Capabilities(features=SLACK, limits=limits, rates=rates, retry=RETRY)
    limits = Limits(text_length=_STANDARD_BYTES, caption_length=0, upload_bytes=0, sender_name_length=200)
    if options is not None and style == "template":
        table = TEMPLATE if shows_author(options.body) else SLACK
        return Capabilities(features=table, limits=limits, retry=RETRY)
    return Capabilities(features=STANDARD, limits=limits, retry=RETRY, knows_repeats=True)


def shows_author(tree: object) -> bool:
    """Whether a body of templates says who wrote; else the text does."""
    if isinstance(tree, str):
        return any(name == "author" or name.startswith("author.") for name in template(tree).names)
    children = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return any(shows_author(child) for child in children)


def deaf_after_s(options: WebhookOptions) -> float | None:
    """It is called by others: silence says nothing."""
    return None
