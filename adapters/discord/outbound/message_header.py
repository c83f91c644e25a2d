"""The lines above a copy's text for what Discord itself does not show: the author's name, and what the message replies to. Called
by `sender`. Fetches the text of that message when the core does not know it."""

from __future__ import annotations

from adapters.discord import wire
from adapters.discord.directory import Directory
from adapters.discord.errors import Refused
from adapters.discord.inbound.decode_content import excerpt, without_reply_line
from adapters.discord.inbound.decode_text import decode_text
from adapters.discord.lenient import mapping, text
from adapters.discord.outbound.header import NO_HEADER, Header, jump_url
from adapters.discord.transport import Route, Transport
from bridge.model.adapter import Outbound, OutboundEdit, Reply
from bridge.model.errors import DeliveryError
from bridge.model.rich_text import to_plain


class Headers:
    def __init__(self, transport: Transport, directory: Directory) -> None:
        self._transport = transport
        self._directory = directory

    async def of(self, chat_id: str, outbound: Outbound | OutboundEdit, *, as_bot: bool = False, named: bool = False) -> Header:
        """`as_bot`: the bot posts, whose replies are native; `named`: the webhook shows a name that is not the author's."""
        name = outbound.sender.name if outbound.sender is not None and (as_bot or named) else ""
        reply = outbound.reply
        if reply is None or (as_bot and reply.message_id) or not (reply.author_name or reply.excerpt):
            return Header(name) if name else NO_HEADER  # a reply without any words marks a further part: the first one has the line
        if not reply.message_id:
            return Header(name, reply)
        place = outbound.copy.thread_id if isinstance(outbound, OutboundEdit) else outbound.thread_id
        if reply.message_id == place:  # the thread begins with it, and Discord shows that
            return Header(name) if name else NO_HEADER
        channel_id = reply.thread_id or chat_id
        if not reply.excerpt:
            reply = await self._with_excerpt(reply, channel_id)
        return Header(name, reply, jump_url(await self._guild_of(chat_id), channel_id, reply.message_id))

    async def _with_excerpt(self, reply: Reply, channel_id: str) -> Reply:
        """A line without the words is better than none: a failure is no failure of the send."""
        path = f"/channels/{channel_id}/messages"
        try:
            message: wire.Message = mapping(await self._transport.call(Route("GET", f"{path}/{reply.message_id}", f"{path}/")))
        except (Refused, DeliveryError):
            return reply
        return Reply(
            message_id=reply.message_id, thread_id=reply.thread_id, author_name=reply.author_name, excerpt=_words_of(message)
        )

    async def _guild_of(self, chat_id: str) -> str:
        try:
            return (await self._directory.channel(chat_id)).guild_id
        except Refused as refused:
            raise refused.error from None


def _words_of(message: wire.Message) -> str:
    """The beginning of a message, without the line that says what it answers itself."""
    return excerpt(to_plain(decode_text(without_reply_line(text(message.get("content"))))))
