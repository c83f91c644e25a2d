"""What a webhook account can do. Sources: the Standard Webhooks specification 1.0 (standard-webhooks/standard-webhooks,
spec/standard-webhooks.md: retries, size of a payload) and Slack's "Sending messages using incoming webhooks" (no edits, 1 message a
second, 40,000 characters of which 4,000 are advised), read 2026-11-26.

What goes out is a plain text, and with the style `standard` the same with its marks, a record of who said it, and of what became of
it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from adapters.webhook.outbound.encode_text import TEXT_BYTES
from bridge.model.capabilities import Capabilities, Capability, Feature, Limits, Rates, RetrySchedule, Support, Window, features
from bridge.model.templates import template

if TYPE_CHECKING:
    from adapters.webhook.config import WebhookOptions

_MARKDOWN = Capability(Support.PARTIAL, "in markdown; text is plain")
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
    Feature.TABLE: Capability(Support.CONVERTED, "columns of text"),
    **dict.fromkeys((Feature.QUOTE, Feature.NESTED_QUOTE), Capability(Support.CONVERTED, "lines with > signs")),
    Feature.MENTION: Capability(Support.CONVERTED, "a name"),
    Feature.SEES_EDITS: Capability(Support.PARTIAL, "a sender's own id, sent again with other words"),
}
_MARKED = {
    **dict.fromkeys(
        (Feature.BOLD, Feature.ITALIC, Feature.STRIKE, Feature.CODE, Feature.CODE_BLOCK, Feature.CODE_LANGUAGE), _MARKDOWN
    ),
    **dict.fromkeys((Feature.LINK, Feature.LIST, Feature.QUOTE, Feature.NESTED_QUOTE, Feature.HEADING), _MARKDOWN),
    Feature.UNDERLINE: Capability(Support.CONVERTED, "italic in markdown"),
    **dict.fromkeys(
        (Feature.LOCATION, Feature.CONTACT, Feature.POLL), Capability(Support.CONVERTED, "lines of text, and an entry of its own")
    ),
}
"""Where the receiver gets `markdown`."""
_QUOTED = {Feature.REPLY: Capability(Support.CONVERTED, "a quoted line")}
_NAMED = {Feature.SENDER_NAME: Capability(Support.FULL), Feature.SENDER_AVATAR: Capability(Support.PARTIAL, "its address")}

_ANEW = Capability(Support.PARTIAL, "the message once more, with the same id")

STANDARD = features(
    {
        **_COMMON,
        **_MARKED,
        **dict.fromkeys((Feature.EDIT, Feature.DELETE, Feature.REACT, Feature.PIN, Feature.REPLY), _AS_AN_EVENT),
        **_NAMED,
    }
)
SLACK = features({**_COMMON, **_QUOTED, **dict.fromkeys((Feature.EDIT, Feature.DELETE, Feature.REACT, Feature.PIN), _ONCE)})
MATTERBRIDGE = features(
    {
        **_COMMON,
        **_NAMED,
        Feature.REPLY: Capability(Support.PARTIAL, "the id of what is answered, and its words behind the text"),
        Feature.EDIT: _ANEW,
        Feature.DELETE: _AS_AN_EVENT,
        Feature.SEES_EDITS: Capability(Support.PARTIAL, "the id that a post was answered, sent again with other words"),
        Feature.SEES_DELETES: Capability(Support.PARTIAL, "msg_delete with the id that a post was answered"),
        **dict.fromkeys((Feature.REACT, Feature.PIN), _ONCE),
    }
)
"""Source of what there is: 42wim/matterbridge, bridge/config/config.go (`Message`), read 2026-11-27."""
RETRY = RetrySchedule(waits_s=tuple(hours * 3600.0 for hours in (5 / 3600, 5 / 60, 0.5, 2, 5, 10, 14, 20, 24)), jitter=0.1)
"""75 h 35 min. Source: spec/standard-webhooks.md, "Deliverability and reliability"."""

_TEMPLATE_BYTES = 14_000
"""Of a text as JSON."""


def capabilities(options: WebhookOptions | None) -> Capabilities:
    style = "standard" if options is None else options.style
    if style == "slack":
        limits = Limits(text_length=4000, caption_length=0, upload_bytes=0)
        rates = Rates(per_chat=(Window(messages=60, span_s=60.0, burst=10),))
        return Capabilities(features=SLACK, limits=limits, rates=rates, retry=RETRY)
    if style == "matterbridge":
        table = MATTERBRIDGE if options is None else _with_files(options.file_data_mb)
        limits = Limits(
            text_length=TEXT_BYTES,
            caption_length=TEXT_BYTES,
            upload_bytes=0 if options is None else int(options.file_data_mb * 1_000_000),
            sender_name_length=200,
        )
        return Capabilities(features=table, limits=limits, retry=RETRY, knows_repeats=True, takes_data=True)
    if options is not None and style == "template":
        limits = Limits(text_length=_TEMPLATE_BYTES, caption_length=0, upload_bytes=0, sender_name_length=200)
        shown = names_in(options.body)
        table = {**SLACK, **(_NAMED if "author" in shown else {}), **(_MARKED if "markdown" in shown else {})}
        return Capabilities(features=features(table), limits=limits, retry=RETRY, takes_data=True)
    limits = Limits(text_length=TEXT_BYTES, caption_length=0, upload_bytes=0, sender_name_length=200)
    return Capabilities(features=STANDARD, limits=limits, retry=RETRY, knows_repeats=True, takes_data=True)


def _with_files(most_mb: float) -> Mapping[Feature, Capability]:
    """One file a message: see `matterbridge_api.message`."""
    if not most_mb:
        return MATTERBRIDGE
    in_extra = Capability(Support.PARTIAL, f"in Extra, up to {most_mb:g} MB; larger ones are lines")
    kinds = (Feature.PHOTO, Feature.VIDEO, Feature.AUDIO, Feature.VOICE, Feature.DOCUMENT, Feature.ANIMATION)
    as_files = Capability(Support.CONVERTED, f"a file, up to {most_mb:g} MB; larger ones are lines")
    return features({**MATTERBRIDGE, **dict.fromkeys(kinds, in_extra), Feature.STICKER: as_files})


def names_in(tree: object) -> frozenset[str]:
    """The variables that a body of templates shows."""
    if isinstance(tree, str):
        return frozenset(name.partition(".")[0] for name in template(tree).names)
    children = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return frozenset[str]().union(*map(names_in, children))


def deaf_after_s(options: WebhookOptions) -> float | None:
    """It is called by others: silence says nothing."""
    return None
