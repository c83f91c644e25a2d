"""What a Slack message says and who says it: text, files, shared messages, the thread it answers. Pure. Called by `decode`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from adapters.slack.decode_context import Context, Parent, thread_of
from adapters.slack.decode_files import decode_files
from adapters.slack.decode_text import decode_text
from adapters.slack.names import Names
from adapters.slack.payloads import LegacyAttachment, Message
from bridge.events import Author, Content, Forward, ReplyTo
from bridge.text import Mark, Paragraph, Quote, RichText, Text, concat, map_inlines, plain


def author_of(message: Message, names: Names) -> Author:
    """Who is shown as the author: an app's custom name, the person, or the app's own name."""
    is_bot = bool(message.bot_id or message.subtype == "bot_message")
    if message.username:
        icons = message.icons
        avatar = (icons.image_72 or icons.image_64 or icons.image_48 or icons.image_36 or "") if icons else ""
        return Author(user_id=message.bot_id or message.user or "", name=message.username, avatar_url=avatar, is_bot=is_bot)
    if message.user:
        known = names.users.get(message.user)
        if known is not None:
            return msgspec.structs.replace(known, is_bot=known.is_bot or is_bot)
        profile = message.user_profile
        name = (profile.display_name or profile.real_name) if profile else None
        return Author(user_id=message.user, name=name or message.user, is_bot=is_bot)
    profile_name = message.bot_profile.name if message.bot_profile else None
    return Author(user_id=message.bot_id or "", name=profile_name or message.bot_id or "app", is_bot=True)


def content_of(message: Message, channel: str, context: Context) -> Content:
    """Everything a person sees of the message."""
    text = decode_text(message.text, message.blocks, context.names)
    if message.subtype == "me_message":
        text = map_inlines(text, lambda run: Text(run.text, run.marks | Mark.ITALIC, run.link) if isinstance(run, Text) else run)
    attachments, links = decode_files(message.files or ())
    shared, forward = _legacy(message.attachments or (), context.names)
    return Content(
        text=concat(text, links, shared),
        attachments=attachments,
        reply_to=_reply_to(message, channel, context),
        forwarded_from=forward,
    )


def _reply_to(message: Message, channel: str, context: Context) -> ReplyTo | None:
    thread_ts = thread_of(message.thread_ts, message.ts)
    if thread_ts is None:
        return None
    parent = context.parents.get((channel, thread_ts), Parent("", ""))
    author = parent.author_name or (context.names.author(message.parent_user_id).name if message.parent_user_id else "")
    return ReplyTo(message_id=thread_ts, author_name=author, excerpt=parent.excerpt)


def _legacy(attachments: Sequence[LegacyAttachment], names: Names) -> tuple[RichText, Forward | None]:
    """Text of shared messages and of integrations' boxes; link previews are left out, since the link itself is there."""
    parts: list[RichText] = []
    forward: Forward | None = None
    for attachment in attachments:
        if attachment.is_share or attachment.is_msg_unfurl:
            forward = forward or Forward(author_name=attachment.author_name or "")
            parts.append(_quoted(_box(attachment, names)))
        elif not attachment.from_url:
            parts.append(_box(attachment, names))
    return concat(*parts), forward


def _box(attachment: LegacyAttachment, names: Names) -> RichText:
    parts = [decode_text(attachment.pretext, b"", names)]
    if attachment.title:
        parts.append(RichText((Paragraph((Text(attachment.title, Mark.BOLD, attachment.title_link or None),)),)))
    parts.append(decode_text(attachment.text, b"", names))
    for entry in attachment.fields or ():
        parts.append(RichText((Paragraph((Text(f"{entry.title or ''}: ", Mark.BOLD),)),)) if entry.title else RichText())
        parts.append(decode_text(entry.value, b"", names))
    shown = concat(*parts)
    return shown if shown else plain(attachment.fallback or "")


def _quoted(rich: RichText) -> RichText:
    inner = tuple(block for block in rich.blocks if not isinstance(block, Quote))
    return RichText((Quote(inner),)) if inner else RichText()
