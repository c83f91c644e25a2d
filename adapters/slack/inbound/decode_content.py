"""What a Slack message says and who says it: text, files, shared messages, the thread it answers. Pure. Called by `decode`."""

from __future__ import annotations

import msgspec

from adapters.slack.inbound.decode_attachments import decode_attachments, is_preview, last_resort
from adapters.slack.inbound.decode_context import Context, Parent
from adapters.slack.inbound.decode_files import decode_files, emoji_pictures
from adapters.slack.inbound.decode_mrkdwn import decode_mrkdwn
from adapters.slack.inbound.decode_text import decode_text
from adapters.slack.names import Names
from adapters.slack.timestamps import thread_of
from adapters.slack.wire import Message
from bridge.model.events import Author, Content, ReplyTo
from bridge.model.rich_text import Mark, Text, concat, map_inlines


def author_of(message: Message, names: Names) -> Author:
    """Who is shown as the author: an app's custom name, the person, the app's own name; never an id where a name is to be had."""
    is_bot = bool(message.bot_id or message.subtype == "bot_message")
    user_id, bot_id = message.user or "", message.bot_id or ""
    if message.username:
        icons = message.icons
        avatar = (icons.image_72 or icons.image_64 or icons.image_48 or icons.image_36 or "") if icons else ""
        return Author(user_id=bot_id or user_id, name=message.username, avatar_url=avatar, is_bot=is_bot)
    known = names.users.get(user_id)
    if known is not None:
        return msgspec.structs.replace(known, is_bot=known.is_bot or is_bot)
    profile = message.user_profile
    name = (profile.display_name or profile.real_name or profile.name) if profile else None
    app_name = (message.bot_profile.name if message.bot_profile else None) or names.bots.get(bot_id)
    if user_id:
        name = (app_name or name) if is_bot else name
        return Author(user_id=user_id, name=name or names.user(user_id), avatar_url=_icon(message), is_bot=is_bot)
    return Author(user_id=bot_id, name=app_name or name or "app", avatar_url=_icon(message), is_bot=True)


def _icon(message: Message) -> str:
    icons = message.bot_profile.icons if message.bot_profile else None
    return (icons.image_72 or icons.image_48 or icons.image_36 or "") if icons else ""


def content_of(message: Message, channel: str, context: Context) -> Content:
    """Everything a person sees of the message."""
    attached = message.attachments or []
    text = decode_text(message.text, message.blocks, context.names, marked=message.mrkdwn)
    if message.subtype == "me_message":
        text = map_inlines(text, lambda run: Text(run.text, run.marks | Mark.ITALIC, run.link) if isinstance(run, Text) else run)
    shared_files = [file for attachment in attached if not is_preview(attachment) for file in attachment.files or ()]
    files, links = decode_files([*(message.files or ()), *shared_files], context.names)
    below, forward = decode_attachments(attached, context.names, from_app=bool(message.bot_id))
    shown = concat(text, links, below)
    if not shown and not files:
        shown = last_resort(attached, context.names) or decode_mrkdwn(message.text or "", context.names)
    return Content(
        text=shown,
        attachments=files,
        reply_to=_reply_to(message, channel, context),
        forwarded_from=forward,
        pictures=() if files or forward else emoji_pictures(shown, context.names),
    )


def _reply_to(message: Message, channel: str, context: Context) -> ReplyTo | None:
    thread_ts = thread_of(message.thread_ts, message.ts)
    if thread_ts is None:
        return None
    parent = context.parents.get((channel, thread_ts), Parent("", ""))
    author = parent.author_name or (context.names.author(message.parent_user_id).name if message.parent_user_id else "")
    return ReplyTo(message_id=thread_ts, author_name=author, excerpt=parent.excerpt, author_id=message.parent_user_id or "")
