"""Changes of copies: edits, deletes, removed files, pins. As the webhook that posted the copy, or as the bot.

Repeating any of them does no harm. Called by `adapter`; bodies come from `encode`, I/O is `transport`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from adapters.discord.errors import CHAT_ACTIONS, MISSING_PERMISSIONS, UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, Refused
from adapters.discord.inbound.last_seen import LastSeen
from adapters.discord.outbound import bodies, encode
from adapters.discord.outbound.archived_threads import Threads
from adapters.discord.outbound.chats import rename_chat
from adapters.discord.outbound.message_header import Headers
from adapters.discord.outbound.polls import close_poll
from adapters.discord.outbound.posted_as import poster_of
from adapters.discord.outbound.webhooks import ChannelWebhooks, Hook, is_webhook_gone
from adapters.discord.transport import Route, Transport
from bridge.model.adapter import Copy, OutboundDelete, OutboundEdit, Receipt
from bridge.model.errors import ChangeRefused, DeliveryError, Rejected, RetryLater, RightMissing
from bridge.model.pauses import beside_if
from bridge.model.rich_text import is_long


class Changes:
    def __init__(self, transport: Transport, webhooks: ChannelWebhooks, headers: Headers, threads: Threads, seen: LastSeen) -> None:
        self._seen = seen
        self._transport = transport
        self._webhooks = webhooks
        self._headers = headers
        self._threads = threads

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        copy = outbound.copy
        hook, is_named = await self._hook_of(copy)
        if poster_of(copy).webhook_id and hook is None:
            raise _webhook_gone()
        header = await self._headers.of(copy.chat_id, outbound, as_bot=hook is None, named=is_named)
        body = await beside_if(is_long(outbound.text), partial(encode.edited_message, outbound, header))
        await self._change("PATCH", copy, copy.message_ids[0], hook, json=body)
        return Receipt(message_ids=copy.message_ids, thread_id=copy.thread_id, adapter_data=copy.adapter_data)

    async def remove_files(self, copy: Copy, indexes: Sequence[int]) -> Receipt:
        """An edit that names the files to keep; which the message has is asked first, since a copy does not know their ids."""
        hook, _ = await self._hook_of(copy)
        if poster_of(copy).webhook_id and hook is None:
            raise _webhook_gone()
        try:
            message = await self._change("GET", copy, copy.message_ids[0], hook)
        except Refused as refused:
            raise refused.error from None
        kept: list[bodies.AttachmentBody] = [
            {"id": str(file["id"])} for index, file in enumerate(message.get("attachments") or ()) if index not in indexes
        ]
        body: bodies.MessageBody = {"attachments": kept, "allowed_mentions": {"parse": []}}
        await self._change("PATCH", copy, copy.message_ids[0], hook, json=body)
        return Receipt(message_ids=copy.message_ids, thread_id=copy.thread_id, adapter_data=copy.adapter_data)

    async def close_poll(self, copy: Copy) -> None:
        await close_poll(self._transport, copy)

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
        poster = poster_of(copy)
        if not poster.webhook_id:
            return None, False
        try:
            return await self._webhooks.by_id(poster.webhook_id), poster.is_named
        except Refused as refused:
            raise refused.error from None

    async def _change(
        self, method: str, copy: Copy, message_id: str, hook: Hook | None, *, json: bodies.MessageBody | None = None
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
            if hook is None or not is_webhook_gone(refused):
                raise (refused if method == "DELETE" else refused.error) from None
            self._webhooks.forget(hook)
            if method == "DELETE":
                return await self._change(method, copy, message_id, None)
            renewed, _ = await self._hook_of(copy)
            if renewed is None:
                raise _webhook_gone() from None
            raise RetryLater("the webhook's token has changed", after_s=0.0) from None

    async def pin(self, copy: Copy, pinned: bool) -> None:
        channel_id, message_id = copy.thread_id or copy.chat_id, copy.message_ids[0]
        path = f"/channels/{channel_id}/messages/pins"
        was_pinned = not pinned and self._seen.note_pin(copy.chat_id, message_id, pinned=False)  # what is told of it is our own
        try:
            await self._transport.call(Route("PUT" if pinned else "DELETE", f"{path}/{message_id}", path))
        except (Refused, DeliveryError) as error:
            if was_pinned:
                self._seen.note_pin(copy.chat_id, message_id, pinned=True)
            if not isinstance(error, Refused):
                raise
            if error.code == MISSING_PERMISSIONS:  # messages go on without it
                raise Rejected("the bot lacks Pin Messages there") from None
            raise error.error from None

    async def rename_chat(self, chat_id: str, name: str) -> str:
        return await rename_chat(self._transport, chat_id, name)


def _webhook_gone() -> ChangeRefused:
    return ChangeRefused("the webhook that posted the copy is gone, so the copy can no longer be edited")
