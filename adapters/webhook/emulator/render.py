"""A message as a person sees it, by the emulator's own reading, independent of the adapter's encoder. Pure."""

from __future__ import annotations

from html import escape

from adapters.common.emulation.contract import SeenMessage, SeenReaction
from adapters.webhook.emulator.reading import html_of
from adapters.webhook.emulator.records import Message


def seen(message: Message) -> SeenMessage:
    return SeenMessage(
        message_id=message.message_id,
        chat_id=message.chat_id,
        author_name=message.author,
        author_id=message.author,
        author_avatar_url=message.avatar_url,
        is_bot=message.is_bot,
        text=message.text,
        html=html_of(message.markdown) if message.markdown else escape(message.text).replace("\n", "<br>"),
        files=message.files,
        reply_to=message.reply_to,
        reply_quote=message.quote,
        reactions=tuple(SeenReaction(emoji=emoji, by=("bridge",)) for emoji in sorted(message.reactions)),
        pinned=message.pinned,
        edited=message.edited,
        deleted=message.deleted,
        sent_at=message.sent_at,
    )
