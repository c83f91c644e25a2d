"""Sending copies: as the channel's webhook, so that they carry their author's name and avatar, or as the bot.

One attempt per call. A cause that can be fixed (webhook gone, name refused, reply not allowed) is fixed and the send is tried again
at once, since a refused request has had no effect. Called by `adapter`; forms come from `encode`, I/O is `transport`'s."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from adapters.common.http_errors import Effect
from adapters.discord import wire
from adapters.discord.errors import (
    CANNOT_REPLY,
    INVALID_FORM,
    MISSING_PERMISSIONS,
    POST_ACTION,
    UNKNOWN_CHANNEL,
    Refused,
    file_fault,
    is_about_size,
    is_voice_refused,
)
from adapters.discord.guild_cache import GuildCache
from adapters.discord.identity import Identity
from adapters.discord.outbound import bodies, encode
from adapters.discord.outbound.header import Header
from adapters.discord.outbound.message_header import Headers
from adapters.discord.outbound.polls import SEND_POLLS, is_about_poll, poll_body
from adapters.discord.outbound.posted_as import Poster
from adapters.discord.outbound.sent_messages import SentMessages
from adapters.discord.outbound.webhooks import ChannelWebhooks, Denial, Hook, is_webhook_gone
from adapters.discord.permissions import ATTACH_FILES, SEND_MESSAGES
from adapters.discord.transport import Route, Transport
from bridge.model.adapter import Intake, Outbound, Receipt
from bridge.model.errors import BridgeError, ChatDown, FileRejected, PollRejected, RetryLater, ThreadDown, ThreadGone
from bridge.model.events import AttachmentKind, Poll
from bridge.model.outcomes import Loss, LossOf
from bridge.model.pauses import beside_if
from bridge.model.rich_text import is_long, plain, to_plain

if TYPE_CHECKING:
    from adapters.discord.config import DiscordOptions

_VOICE_AS_AUDIO = LossOf(Loss.FILE_AS_OTHER_KIND, "voice sent as audio: Discord took no voice message there")
PERSONA = frozenset({"username", "avatar_url"})


class Sender:
    """All of one account. The identity must be known before anything is posted."""

    def __init__(
        self,
        transport: Transport,
        options: DiscordOptions,
        identity: Identity,
        guilds: GuildCache,
        webhooks: ChannelWebhooks,
        headers: Headers,
        sent: SentMessages,
    ) -> None:
        self._transport = transport
        self._options = options
        self._identity = identity
        self._guilds = guilds
        self._webhooks = webhooks
        self._headers = headers
        self._sent = sent
        self._intake: Intake | None = None

    def begin(self, intake: Intake) -> None:
        self._intake = intake

    def tell(self, reason: str, action: str, chat_id: str) -> None:
        """A problem of that channel for a human."""
        if self._intake is not None:
            self._intake.notice(reason, action, chat_id=chat_id)

    async def send(self, outbound: Outbound) -> Receipt:
        self._sent.begin(outbound.token)
        receipt = await self._post(outbound)
        self._sent.note(receipt)
        return receipt

    async def show_typing(self, channel_id: str) -> None:
        try:
            await self._transport.call(Route("POST", f"/channels/{channel_id}/typing", f"channels/{channel_id}/typing"))
        except Refused as refused:
            raise refused.error from None

    async def _post(self, outbound: Outbound) -> Receipt:
        self._check(outbound)
        if outbound.poll is not None:
            return await self._post_poll(outbound, outbound.poll)
        hook = await self._hook_for(outbound)
        try:
            try:
                return await self._post_by(hook, outbound)
            except Refused as refused:
                if encode.is_voice(outbound) and is_voice_refused(refused):
                    receipt = await self._post_by(hook, _as_audio(outbound))
                    return msgspec.structs.replace(receipt, losses=(*receipt.losses, _VOICE_AS_AUDIO))
                words = plain(to_plain(outbound.text))
                if refused.code != INVALID_FORM or "content" not in refused.refusal.fields or words == outbound.text:
                    raise
            # what Discord dislikes in the content may be the formatting: the words alone are tried once
            receipt = await self._post_by(hook, msgspec.structs.replace(outbound, text=words))
            return msgspec.structs.replace(receipt, losses=(*receipt.losses, Loss.FORMATTING_REFUSED))
        except Refused as refused:
            raise self._of_place(refused, outbound) from None

    async def _post_poll(self, outbound: Outbound, poll: Poll) -> Receipt:
        """As the bot, which alone can end it. Raises PollRejected for what is no poll there."""
        bits = self._guilds.permissions(outbound.chat_id, self._identity.user_id)
        if bits is not None and not bits & SEND_POLLS:
            raise PollRejected("the bot lacks Create Polls in the channel")
        try:
            return await self._send_as_bot(outbound, poll_body(poll, self._transport.time.now()))
        except Refused as refused:
            if is_about_poll(refused):
                raise PollRejected(str(refused)) from None
            raise self._of_place(refused, outbound) from None

    async def _post_by(self, hook: Hook | None, outbound: Outbound) -> Receipt:
        return await (self._send_as_bot(outbound) if hook is None else self._send_as_webhook(hook, outbound))

    def _check(self, outbound: Outbound) -> None:
        """What is known to be refused is not sent. Raises FileRejected or ChatDown."""
        channel = self._guilds.get(outbound.chat_id)
        if channel is not None and channel.is_forum and outbound.thread_id is None:
            raise ChatDown(f"#{channel.name} is a forum", action=POST_ACTION)
        empty = tuple(number for number, file in enumerate(outbound.files) if not file.size_bytes)
        if empty:
            raise FileRejected("Discord takes no empty files", indexes=empty)

    def _of_place(self, refused: Refused, outbound: Outbound) -> BridgeError:
        """What keeps messages out of a thread may not keep them out of its channel."""
        if refused.code == UNKNOWN_CHANNEL and outbound.thread_id is not None:
            return ThreadGone("the thread no longer exists on Discord")
        error = self._meaning(refused, outbound)
        if outbound.thread_id is None or not isinstance(error, ChatDown):
            return error
        return ThreadDown(error.reason, action=error.action)

    def _meaning(self, refused: Refused, outbound: Outbound) -> BridgeError:
        """A refusal of files is no refusal of the words beside them."""
        if not outbound.files:
            return refused.error
        if fault := file_fault(refused.refusal):
            return _of_the_largest(fault, outbound) if is_about_size(refused.refusal) and not fault.indexes else fault
        bits = self._guilds.permissions(outbound.chat_id, self._identity.user_id)
        if refused.code == MISSING_PERMISSIONS and bits is not None and bits & SEND_MESSAGES and not bits & ATTACH_FILES:
            return FileRejected("the bot lacks Attach Files in the channel")
        return refused.error

    async def _hook_for(self, outbound: Outbound) -> Hook | None:
        """The webhook to post through; None if the bot itself is to post."""
        if outbound.sender is None or self._options.post_as == "bot":
            return None
        try:
            found = await self._webhooks.of(outbound.chat_id)
        except Refused as refused:
            raise refused.error from None
        if isinstance(found, Denial):
            self.tell(f"{found.reason}: the bot posts by itself", found.action, outbound.chat_id)
            return None
        return found

    async def _send_as_webhook(self, hook: Hook, outbound: Outbound) -> Receipt:
        header = await self._headers.of(outbound.chat_id, outbound)
        body = await _encoded(outbound, partial(encode.webhook_message, outbound, header))
        query = {"wait": "true", **({"thread_id": outbound.thread_id} if outbound.thread_id else {})}
        poster = Poster(hook.id)
        for is_last in (False, True):
            try:
                answer = await self._transport.call(
                    hook.route("POST"), json=body, query=query, files=outbound.files, effect=Effect.CREATES
                )
                return _receipt(answer, outbound, poster)
            except Refused as refused:
                if is_webhook_gone(refused):
                    self._webhooks.forget(hook)
                    if is_last:
                        raise RetryLater("the channel's webhook keeps disappearing") from None
                    renewed = await self._hook_for(outbound)
                    if renewed is None:
                        return await self._send_as_bot(outbound)
                    hook, poster = renewed, Poster(renewed.id)
                elif refused.code == INVALID_FORM and PERSONA.intersection(refused.refusal.fields) and not is_last:
                    is_named = "username" in refused.refusal.fields
                    if is_named:
                        header = Header(outbound.sender.name if outbound.sender else "", header.reply, header.reply_url)
                        poster = Poster(hook.id, is_named=True)
                    body = await _encoded(
                        outbound, partial(encode.webhook_message, outbound, header, with_name=not is_named, with_avatar=False)
                    )
                else:
                    raise
        raise AssertionError("unreachable")

    async def _send_as_bot(self, outbound: Outbound, poll: bodies.PollBody | None = None) -> Receipt:
        header = await self._headers.of(outbound.chat_id, outbound, as_bot=True)
        channel_id = outbound.thread_id or outbound.chat_id
        route = Route("POST", f"/channels/{channel_id}/messages", f"channels/{channel_id}/messages")
        body = await _encoded(outbound, partial(encode.bot_message, outbound, header, poll=poll))
        try:
            answer = await self._transport.call(route, json=body, files=outbound.files, effect=Effect.CREATES)
        except Refused as refused:
            if refused.code != CANNOT_REPLY and "message_reference" not in refused.refusal.fields:
                raise
            plain = await _encoded(outbound, partial(encode.bot_message, outbound, header, poll=poll, as_reply=False))
            answer = await self._transport.call(route, json=plain, files=outbound.files, effect=Effect.CREATES)
        return _receipt(answer, outbound, Poster())


def _as_audio(outbound: Outbound) -> Outbound:
    """Its voice message as an audio file, which needs another right."""
    replace, file = msgspec.structs.replace, outbound.files[0]
    return replace(outbound, files=(replace(file, attachment=replace(file.attachment, kind=AttachmentKind.AUDIO)),))


def _of_the_largest(fault: FileRejected, outbound: Outbound) -> FileRejected:
    """Discord does not say which file was too large: the largest was; if others are too large as well, the next refusal says so."""
    largest = max(range(len(outbound.files)), key=lambda number: outbound.files[number].size_bytes)
    return FileRejected(fault.reason, indexes=(largest,))


async def _encoded(outbound: Outbound, encode: Callable[[], bodies.MessageBody]) -> bodies.MessageBody:
    return await beside_if(is_long(outbound.text), encode)


def _receipt(answer: wire.Message, outbound: Outbound, poster: Poster) -> Receipt:
    return Receipt(message_ids=(str(answer["id"]),), thread_id=outbound.thread_id, adapter_data=str(poster))
