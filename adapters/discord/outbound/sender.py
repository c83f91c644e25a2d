"""Posting, editing and deleting copies: as the channel's webhook, so that they carry their author's name and avatar, or as the bot.

One attempt per call. What a refusal says to mend (webhook gone, name refused, reply not allowed) is mended and tried at once, since
a refused request has done nothing. `Receipt.adapter_data` says who posted: `webhook:<id>`, `webhook:<id>:named` (name in the
text) or `bot`. Called by `adapter`; forms come from `encode`, I/O is `transport`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from adapters.common.http_errors import Effect
from adapters.discord import wire
from adapters.discord.directory import ATTACH_FILES, SEND_MESSAGES
from adapters.discord.errors import CHAT_ACTIONS, INVALID_FORM, POST_ACTION, UNKNOWN_MESSAGE, Refused, file_fault, is_about_size
from adapters.discord.inbound.decode import Context
from adapters.discord.outbound import encode
from adapters.discord.outbound.archived_threads import Threads
from adapters.discord.outbound.encode import Head
from adapters.discord.outbound.message_header import Heads
from adapters.discord.outbound.webhooks import ChannelWebhooks, Denial, Hook
from adapters.discord.transport import Route, Transport
from bridge.model.adapter import Copy, Outbound, OutboundDelete, OutboundEdit, Receipt
from bridge.model.errors import BridgeError, ChangeRefused, ChatDown, FileRejected, Rejected, RetryLater, RightMissing
from bridge.model.pauses import beside_if
from bridge.model.rich_text import is_long

if TYPE_CHECKING:
    from adapters.discord.config import DiscordOptions

UNKNOWN_CHANNEL = 10003
UNKNOWN_WEBHOOK = 10015
INVALID_WEBHOOK_TOKEN = 50027
MISSING_PERMISSIONS = 50013
CANNOT_REPLY = 160002
PERSONA = frozenset({"username", "avatar_url"})
WEBHOOK = "webhook:"
NAMED = "named"
BOT = "bot"

Notice = Callable[[str, str, str], None]
"""Reason, action, chat id."""


class Posting:
    """All of one account. The context must know who we are before anything is posted."""

    def __init__(
        self,
        transport: Transport,
        options: DiscordOptions,
        context: Context,
        notice: Notice,
        on_webhook: Callable[[str], Awaitable[None]],
    ) -> None:
        """`on_webhook`: see `ChannelWebhooks`."""
        self._transport = transport
        self._options = options
        self._context = context
        self._notice = notice
        self.webhooks = ChannelWebhooks(transport, options.webhook_name, on_use=on_webhook, now=context.clock.monotonic_s)
        self._heads = Heads(transport, context.places)
        self._threads = Threads(transport)

    def channel_changed(self, chat_id: str) -> None:
        """Its rights may be others now: a webhook that was refused is asked for again."""
        self.webhooks.forget_denial(chat_id)

    async def send(self, outbound: Outbound) -> Receipt:
        self._check(outbound)
        hook = await self._hook_for(outbound)
        try:
            if hook is not None:
                return await self._send_as_webhook(hook, outbound)
            return await self._send_as_bot(outbound)
        except Refused as refused:
            if refused.code == UNKNOWN_CHANNEL and outbound.thread_id is not None:
                raise Rejected("the thread no longer exists on Discord") from None
            raise self._meaning(refused, outbound) from None

    def _check(self, outbound: Outbound) -> None:
        """What is known to be refused is not sent. Raises FileRejected or ChatDown."""
        place = self._context.places.get(outbound.chat_id)
        if place is not None and place.is_forum and outbound.thread_id is None:
            raise ChatDown(f"#{place.name} is a forum", action=POST_ACTION)
        empty = tuple(number for number, file in enumerate(outbound.files) if not file.size_bytes)
        if empty:
            raise FileRejected("Discord takes no empty files", places=empty)

    def _meaning(self, refused: Refused, outbound: Outbound) -> BridgeError:
        """A refusal of files is no refusal of the words beside them."""
        if not outbound.files:
            return refused.error
        if fault := file_fault(refused.refusal):
            return _of_the_largest(fault, outbound) if is_about_size(refused.refusal) and not fault.places else fault
        bits = self._context.places.permissions(outbound.chat_id, self._context.user_id)
        if refused.code == MISSING_PERMISSIONS and bits is not None and bits & SEND_MESSAGES and not bits & ATTACH_FILES:
            return FileRejected("the bot lacks Attach Files in the channel")
        return refused.error

    async def _hook_for(self, outbound: Outbound) -> Hook | None:
        """The webhook to post through; None if the bot itself is to post."""
        if outbound.sender is None or self._options.post_as == "bot":
            return None
        try:
            found = await self.webhooks.of(outbound.chat_id, self._context)
        except Refused as refused:
            raise refused.error from None
        if isinstance(found, Denial):
            self._notice(f"{found.reason}: the bot posts by itself", found.action, outbound.chat_id)
            return None
        return found

    async def _send_as_webhook(self, hook: Hook, outbound: Outbound) -> Receipt:
        head = await self._heads.of(outbound.chat_id, outbound)
        body = await _encoded(outbound, partial(encode.webhook_message, outbound, head))
        query = {"wait": "true", **({"thread_id": outbound.thread_id} if outbound.thread_id else {})}
        via = WEBHOOK + hook.id
        for is_last in (False, True):
            try:
                answer = await self._transport.call(
                    hook.route("POST"), json=body, query=query, files=outbound.files, effect=Effect.CREATES
                )
                return _receipt(answer, outbound, via)
            except Refused as refused:
                if _is_webhook_gone(refused):
                    self.webhooks.forget(hook)
                    if is_last:
                        raise RetryLater("the channel's webhook keeps disappearing") from None
                    renewed = await self._hook_for(outbound)
                    if renewed is None:
                        return await self._send_as_bot(outbound)
                    hook, via = renewed, WEBHOOK + renewed.id
                elif refused.code == INVALID_FORM and PERSONA.intersection(refused.refusal.fields) and not is_last:
                    is_named = "username" in refused.refusal.fields
                    if is_named:
                        head = Head(outbound.sender.name if outbound.sender else "", head.reply, head.reply_url)
                        via = f"{WEBHOOK}{hook.id}:{NAMED}"
                    body = await _encoded(
                        outbound, partial(encode.webhook_message, outbound, head, with_name=not is_named, with_avatar=False)
                    )
                else:
                    raise
        raise AssertionError("unreachable")

    async def _send_as_bot(self, outbound: Outbound) -> Receipt:
        head = await self._heads.of(outbound.chat_id, outbound, as_bot=True)
        channel_id = outbound.thread_id or outbound.chat_id
        route = Route("POST", f"/channels/{channel_id}/messages", f"channels/{channel_id}/messages")
        body = await _encoded(outbound, partial(encode.bot_message, outbound, head))
        try:
            answer = await self._transport.call(route, json=body, files=outbound.files, effect=Effect.CREATES)
        except Refused as refused:
            if refused.code != CANNOT_REPLY and "message_reference" not in refused.refusal.fields:
                raise
            plain = await _encoded(outbound, partial(encode.bot_message, outbound, head, as_reply=False))
            answer = await self._transport.call(route, json=plain, files=outbound.files, effect=Effect.CREATES)
        return _receipt(answer, outbound, BOT)

    async def possible_forms(self, outbound: Outbound) -> list[tuple[str | None, wire.MessageBody]]:
        """How a message may have been posted: through the webhook under a name, or by the bot (no name)."""
        forms: list[tuple[str | None, wire.MessageBody]] = []
        if outbound.sender is not None and self._options.post_as == "webhook":
            head = await self._heads.of(outbound.chat_id, outbound)
            forms.append((encode.webhook_name(outbound.sender.name), encode.webhook_message(outbound, head)))
        head = await self._heads.of(outbound.chat_id, outbound, as_bot=True)
        forms.append((None, encode.bot_message(outbound, head)))
        return forms

    # -- changing -------------------------------------------------------------------------------------------------------------

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        copy = outbound.copy
        hook, is_named = await self._hook_of(copy)
        if copy.adapter_data.startswith(WEBHOOK) and hook is None:
            raise _webhook_gone()
        head = await self._heads.of(copy.chat_id, outbound, as_bot=hook is None, named=is_named)
        body = await _encoded(outbound, partial(encode.edited_message, outbound, head))
        await self._change("PATCH", copy, copy.message_ids[0], hook, json=body)
        return Receipt(message_ids=copy.message_ids, thread_id=copy.thread_id, adapter_data=copy.adapter_data)

    async def remove_files(self, copy: Copy, places: Sequence[int]) -> Receipt:
        """An edit that names the files to keep; which the message has is asked first, since a copy does not know their ids."""
        hook, _ = await self._hook_of(copy)
        if copy.adapter_data.startswith(WEBHOOK) and hook is None:
            raise _webhook_gone()
        try:
            message = await self._change("GET", copy, copy.message_ids[0], hook)
        except Refused as refused:
            raise refused.error from None
        kept: list[wire.AttachmentBody] = [
            {"id": str(file["id"])} for place, file in enumerate(message.get("attachments") or ()) if place not in places
        ]
        body: wire.MessageBody = {"attachments": kept, "allowed_mentions": {"parse": []}}
        await self._change("PATCH", copy, copy.message_ids[0], hook, json=body)
        return Receipt(message_ids=copy.message_ids, thread_id=copy.thread_id, adapter_data=copy.adapter_data)

    async def delete(self, outbound: OutboundDelete) -> None:
        """A copy of ours, or (for a moderator elsewhere) somebody's original, which needs Manage Messages."""
        hook, _ = await self._hook_of(outbound.copy)
        for message_id in outbound.copy.message_ids:
            try:
                await self._change("DELETE", outbound.copy, message_id, hook)
            except Refused as refused:
                if refused.code == MISSING_PERMISSIONS:
                    reason = "the bot may not delete others' messages: it lacks Manage Messages in the channel"
                    raise RightMissing(reason, action="give it Manage Messages there") from None
                raise refused.error from None

    async def _hook_of(self, copy: Copy) -> tuple[Hook | None, bool]:
        """The webhook that posted a copy, if it still exists, and whether the name stands in the copy's text."""
        if not copy.adapter_data.startswith(WEBHOOK):
            return None, False
        webhook_id, _, mode = copy.adapter_data.removeprefix(WEBHOOK).partition(":")
        try:
            return await self.webhooks.by_id(webhook_id), mode == NAMED
        except Refused as refused:
            raise refused.error from None

    async def _change(
        self, method: str, copy: Copy, message_id: str, hook: Hook | None, *, json: wire.MessageBody | None = None
    ) -> Any:
        """Read, edit or delete one message, as the webhook that posted it or as the bot. Repeating it does no harm.

        Deleting what is gone succeeds. Raises the bridge's errors; for a delete as the bot, `Refused`."""
        channel_id = copy.thread_id or copy.chat_id
        query = {"thread_id": copy.thread_id} if hook is not None and copy.thread_id else None
        if hook is not None:
            route = hook.route(method, f"/messages/{message_id}", f"/messages {method}")
        else:
            path = f"/channels/{channel_id}/messages"
            route = Route(method, f"{path}/{message_id}", f"{path} {method}")
        try:
            return await self._threads.awake(copy.thread_id, lambda: self._transport.call(route, json=json, query=query))
        except Refused as refused:
            if method == "DELETE" and refused.code in (UNKNOWN_MESSAGE, UNKNOWN_CHANNEL):
                return None
            if method == "PATCH" and refused.code == MISSING_PERMISSIONS:  # messages go on without it
                raise RightMissing(str(refused.refusal), action=CHAT_ACTIONS[MISSING_PERMISSIONS]) from None
            if hook is None or not _is_webhook_gone(refused):
                raise (refused if method == "DELETE" else refused.error) from None
            self.webhooks.forget(hook)
            if method == "DELETE":
                return await self._change(method, copy, message_id, None)
            renewed, _ = await self._hook_of(copy)
            if renewed is None:
                raise _webhook_gone() from None
            raise RetryLater("the webhook's token has changed", after_s=0.0) from None


def _of_the_largest(fault: FileRejected, outbound: Outbound) -> FileRejected:
    """Nobody tells which file was too large: the largest was; if the others are too large as well, that is told next."""
    largest = max(range(len(outbound.files)), key=lambda number: outbound.files[number].size_bytes)
    return FileRejected(fault.reason, places=(largest,))


async def _encoded(outbound: Outbound | OutboundEdit, encode: Callable[[], wire.MessageBody]) -> wire.MessageBody:
    return await beside_if(is_long(outbound.text), encode)


def _receipt(answer: Any, outbound: Outbound, via: str) -> Receipt:
    return Receipt(message_ids=(str(answer["id"]),), thread_id=outbound.thread_id, adapter_data=via)


def _is_webhook_gone(refused: Refused) -> bool:
    return refused.code in (UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN) or refused.refusal.status == 401


def _webhook_gone() -> ChangeRefused:
    return ChangeRefused("the webhook that posted the copy is gone, so the copy can no longer be edited")
