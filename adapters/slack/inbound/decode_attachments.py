"""Slack's `attachments`: boxes of integrations, shared messages, link previews. Pure. Called by `decode_content`.

Everything a box shows is in its copy: author, title, fields, pictures and buttons as lines with their links, the small print below.
Link previews are left out, since the link itself is in the message. Source: docs.slack.dev, secondary message attachments, read
2026-11.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.slack.inbound.decode_blocks import decode_blocks
from adapters.slack.inbound.decode_elements import elements, is_url, line, lines, picture, text_object
from adapters.slack.inbound.decode_mrkdwn import decode_mrkdwn, plain_runs, unescape
from adapters.slack.inbound.decode_text import is_filler
from adapters.slack.lenient import number, objects, words
from adapters.slack.names import Names
from adapters.slack.wire import AttachmentField, LegacyAttachment
from bridge.model.events import Forward
from bridge.model.rich_text import EMPTY, Mark, Paragraph, RichText, Text, Timestamp, concat, quoted

_MOST = 100
"""Slack takes no more in a message."""


def decode_attachments(
    attachments: Sequence[LegacyAttachment], names: Names, *, from_app: bool = False
) -> tuple[RichText, Forward | None]:
    """What is shown below a message's own words, and whose message it shares, if it does. Apps write attachments themselves, and so
    whose they say they are: that id is believed from people's messages only, where Slack made the attachment."""
    parts: list[RichText] = []
    forward: Forward | None = None
    for attachment in attachments[:_MOST]:
        if is_share(attachment):
            author = _author_of(attachment, names)
            head = line(Text(f"{author}:", Mark.BOLD)) if forward is not None and author else EMPTY
            said_id = "" if from_app else attachment.author_id or ""
            forward = forward or Forward(author_name=author, author_id=said_id, chat_name=attachment.channel_name or "")
            parts.append(_quoted(concat(head, _shared(attachment, names))))
        elif not is_preview(attachment):
            parts.append(_box(attachment, names))
    return concat(*parts), forward


def last_resort(attachments: Sequence[LegacyAttachment], names: Names) -> RichText:
    """What a message of nothing else shows: its link previews, else what stands in place of boxes that cannot be shown."""
    parts = [_box(attachment, names) for attachment in attachments[:_MOST] if is_preview(attachment)]
    return concat(*parts) or concat(*(_fallback(attachment, names) for attachment in attachments[:_MOST]))


def is_share(attachment: LegacyAttachment) -> bool:
    return attachment.is_share or attachment.is_msg_unfurl


def is_preview(attachment: LegacyAttachment) -> bool:
    return bool(attachment.from_url or attachment.is_app_unfurl) and not is_share(attachment)


def _author_of(attachment: LegacyAttachment, names: Names) -> str:
    name = attachment.author_name or attachment.author_subname
    return name or (names.user(attachment.author_id) if attachment.author_id else "")


def _shared(attachment: LegacyAttachment, names: Names) -> RichText:
    """A shared message as it was shown: its blocks, else its text; and the boxes it had."""
    blocks = objects(attachment.blocks)
    for entry in objects(attachment.message_blocks):
        message = entry.get("message")
        blocks += objects(message.get("blocks")) if isinstance(message, dict) else []
    shown = decode_blocks(blocks, names)
    parts = [decode_mrkdwn(attachment.pretext or "", names), shown or decode_mrkdwn(attachment.text or "", names)]
    inner = concat(*parts, _rest(attachment, names))
    return inner or _fallback(attachment, names)


def _box(attachment: LegacyAttachment, names: Names) -> RichText:
    blocks = decode_blocks(objects(attachment.blocks), names)
    own = EMPTY if blocks else _words(attachment, names)
    shown = concat(decode_mrkdwn(attachment.pretext or "", names), own, blocks, _rest(attachment, names), _footer(attachment))
    return shown or (EMPTY if is_filler(attachment.fallback) else _fallback(attachment, names))


def _words(attachment: LegacyAttachment, names: Names) -> RichText:
    author, title = unescape(attachment.author_name or ""), unescape(attachment.title or "")
    return lines(
        [
            line(Text(author, 0, attachment.author_link if is_url(attachment.author_link or "") else None)),
            line(*(Text(run.text, Mark.BOLD, attachment.title_link or None) for run in plain_runs(title, unescaped=True))),
            decode_mrkdwn(attachment.text or "", names),
        ]
    )


def _rest(attachment: LegacyAttachment, names: Names) -> RichText:
    """Fields, picture and buttons."""
    image = unescape(attachment.image_url or "")
    thumbnail = "" if image else unescape(attachment.thumb_url or "")
    return lines(
        [
            *(_field(entry, names) for entry in attachment.fields or ()),
            picture(image, "") if image else EMPTY,
            picture(thumbnail, "", of="picture") if thumbnail else EMPTY,
            elements([_action(entry) for entry in objects(attachment.actions)], names),
        ]
    )


def _action(entry: dict[str, Any]) -> dict[str, Any]:
    """Actions are older than blocks: a menu is a `select`, and texts are no text objects."""
    return entry if words(entry.get("type")) != "select" else {**entry, "type": "static_select"}


def _field(entry: AttachmentField, names: Names) -> RichText:
    said = str(entry.value).lower() if isinstance(entry.value, bool) else words(entry.value)
    value = decode_mrkdwn(said, names)
    title = unescape(entry.title or "").strip()
    if not title:
        return value
    head = Text(f"{title.removesuffix(':')}: " if value else title, Mark.BOLD)
    if len(value.blocks) == 1 and isinstance(only := value.blocks[0], Paragraph):
        return line(head, *only.inlines)
    return concat(line(head), value)


def _footer(attachment: LegacyAttachment) -> RichText:
    """The small print, and the moment it tells beside."""
    footer = text_object(attachment.footer, Names()) if attachment.footer else EMPTY
    unix_s = number(attachment.ts, most=10**11)
    if not footer or not unix_s or is_share(attachment) or not isinstance(only := footer.blocks[-1], Paragraph):
        return footer
    return RichText((*footer.blocks[:-1], Paragraph((*only.inlines, Text(" | "), Timestamp(unix_s)))))


def _fallback(attachment: LegacyAttachment, names: Names) -> RichText:
    return decode_mrkdwn(attachment.fallback or "", names)


def _quoted(rich: RichText) -> RichText:
    return RichText(quoted(rich.blocks))
