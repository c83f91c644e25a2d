"""One Discord bot as the core sees it: lifecycle and the contract's methods. I/O is in `transport`, `gateway`; forms in `encode`.

Sends go through the channel's webhook, so that copies carry their author's name and avatar; where there is none, and for lines of
the bridge itself, the bot posts. `Receipt.via` says which: `webhook:<id>` or `bot`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from adapters.discord import encode
from adapters.discord.capabilities import capabilities, upload_bytes
from adapters.discord.config import DiscordOptions
from adapters.discord.decode import Context
from adapters.discord.decode_content import author_of
from adapters.discord.downloads import Downloads
from adapters.discord.encode import NO_HEAD, Head, jump_url
from adapters.discord.errors import Refused
from adapters.discord.history import UNREADABLE, History
from adapters.discord.markup import encode_text
from adapters.discord.probe import probe
from adapters.discord.receiver import Receiver
from adapters.discord.transport import Route, Transport, path_part
from adapters.discord.webhooks import ChannelWebhooks, Denial, Hook
from bridge.capabilities import Capabilities
from bridge.contract import (
    AdapterContext,
    Copy,
    FileStream,
    Intake,
    Outbound,
    OutboundDelete,
    OutboundEdit,
    OutboundReaction,
    ProbeItem,
    Receipt,
)
from bridge.errors import ChatDown, ConnectionLost, DeliveryError, Rejected, RetryLater
from bridge.events import Attachment, Author, ChatEvent
from bridge.text import RichText

UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
UNKNOWN_EMOJI = 10014
UNKNOWN_WEBHOOK = 10015
INVALID_WEBHOOK_TOKEN = 50027
INVALID_FORM = 50035
CANNOT_REPLY = 160002
OWN_IDS_KEPT = 500
WEBHOOK = "webhook:"
BOT = "bot"


class DiscordAdapter:
    def __init__(self, context: AdapterContext) -> None:
        self.account = context.account
        self._options: DiscordOptions = context.options
        self._transport = Transport(self._options)
        self._context = Context(account=context.account, cdn_url=self._options.cdn_url)
        self._webhooks = ChannelWebhooks(self._transport, self._options.webhook_name)
        self._history = History(self._transport, self._context)
        self._downloads = Downloads(self._transport, self._options.cdn_url)
        self._identifying = asyncio.Lock()
        self._intake: Intake | None = None
        self._own_ids: deque[str] = deque(maxlen=OWN_IDS_KEPT)

    # -- what it can do -------------------------------------------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        boost = self._context.places.lowest_boost()
        return capabilities(self._options, upload_bytes=upload_bytes(boost or 0))

    def measure(self, text: RichText, *, caption: bool = False) -> int:
        return len(encode_text(text, mass_mentions=True))

    # -- lifecycle ------------------------------------------------------------------------------------------------------------

    async def run(self, intake: Intake) -> None:
        self._intake = intake
        try:
            await self._identify()
        except DeliveryError as error:
            raise ConnectionLost(error.reason) from None
        await Receiver(self._options, self._transport, self._context, self._history, intake).run()

    async def close(self) -> None:
        await self._transport.close()

    async def _identify(self) -> None:
        """Who the token belongs to; asked once. Raises AccountDown or a DeliveryError."""
        if self._context.application_id:
            return
        async with self._identifying:
            if self._context.application_id:
                return
            user = await self._call(Route("GET", "/users/@me", "users/@me"))
            application = await self._call(Route("GET", "/oauth2/applications/@me", "oauth2/applications/@me"))
            self._context.user_id, self._context.application_id = str(user["id"]), str(application["id"])

    async def _call(self, route: Route, **kwargs: Any) -> Any:
        """A call whose refusals nobody mends. Raises the bridge's errors only."""
        try:
            return await self._transport.call(route, **kwargs)
        except Refused as refused:
            raise refused.error from None

    # -- addresses ------------------------------------------------------------------------------------------------------------

    async def resolve(self, address: str) -> str:
        if address.isdecimal():
            place = self._context.places.get(address)
            if place is not None and place.is_thread and place.parent_id is not None:
                raise ChatDown(f"{address} is a thread", action=f"write it as {place.parent_id}/{address} in bridge.yaml")
            return address
        await self._identify()
        found = self._context.places.named(address)
        if not found:
            try:
                await self._context.places.load(self._transport, self._context.user_id)
            except Refused as refused:
                raise refused.error from None
            found = self._context.places.named(address)
        if not found:
            raise ChatDown(f"the bot sees no channel named {address}", action="invite the bot, or write the channel's id instead")
        if len(found) > 1:
            raise ChatDown(f"{len(found)} channels are named {address}", action="write the channel's id instead of its name")
        return found[0].id

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        return await probe(self._transport, self._options, self._context.places, chat_ids)

    async def person(self, user_id: str) -> Author | None:
        if not user_id.isdecimal():
            return None
        try:
            user = await self._transport.call(Route("GET", f"/users/{user_id}", "users"))
        except Refused:
            return None
        return author_of({"author": user}, self._options.cdn_url)

    # -- sending --------------------------------------------------------------------------------------------------------------

    async def send(self, outbound: Outbound) -> Receipt:
        await self._identify()
        hook = await self._hook_for(outbound)
        try:
            if hook is not None:
                return await self._send_as_webhook(hook, outbound)
            return await self._send_as_bot(outbound)
        except Refused as refused:
            if refused.code == UNKNOWN_CHANNEL and outbound.thread_id is not None:
                raise Rejected("the thread no longer exists on Discord") from None
            raise refused.error from None

    async def _hook_for(self, outbound: Outbound) -> Hook | None:
        """The webhook to post through; None if the bot itself is to post."""
        if outbound.sender is None or self._options.post_as == "bot":
            return None
        try:
            found = await self._webhooks.of(outbound.chat_id, self._context.application_id)
        except Refused as refused:
            raise refused.error from None
        if isinstance(found, Denial):
            if self._intake is not None:
                self._intake.notice(f"{found.reason}: the bot posts by itself", found.action, chat_id=outbound.chat_id)
            return None
        return found

    async def _send_as_webhook(self, hook: Hook, outbound: Outbound) -> Receipt:
        """One attempt. What a refusal says to mend (webhook gone, name refused) is mended and tried at once: nothing was sent."""
        head = await self._head(outbound.chat_id, outbound)
        body = encode.webhook_message(outbound, head)
        via = WEBHOOK + hook.id
        for is_last in (False, True):
            query = {"wait": "true", **({"thread_id": outbound.thread_id} if outbound.thread_id else {})}
            try:
                answer = await self._transport.call(hook.route("POST"), json=body, query=query, files=outbound.files, changes=True)
                return self._receipt(answer, outbound, via)
            except Refused as refused:
                if refused.code in (UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN) or refused.refusal.status == 401:
                    self._webhooks.forget(hook)
                    if is_last:
                        raise RetryLater("the channel's webhook keeps disappearing") from None
                    renewed = await self._hook_for(outbound)
                    if renewed is None:
                        return await self._send_as_bot(outbound)
                    hook, via = renewed, WEBHOOK + renewed.id
                elif refused.code == INVALID_FORM and "username" in refused.refusal.fields and not is_last:
                    named = Head(outbound.sender.name if outbound.sender else "", head.reply, head.reply_url)
                    body = encode.webhook_message(outbound, named, with_name=False)
                    via = f"{WEBHOOK}{hook.id}:named"
                else:
                    raise
        raise AssertionError("unreachable")

    async def _send_as_bot(self, outbound: Outbound) -> Receipt:
        head = await self._head(outbound.chat_id, outbound, as_bot=True)
        channel_id = outbound.thread_id or outbound.chat_id
        route = Route("POST", f"/channels/{channel_id}/messages", f"channels/{channel_id}/messages")
        try:
            answer = await self._transport.call(route, json=encode.bot_message(outbound, head), files=outbound.files, changes=True)
        except Refused as refused:
            if refused.code != CANNOT_REPLY and "message_reference" not in refused.refusal.fields:
                raise
            plain = encode.bot_message(outbound, head, as_reply=False)
            answer = await self._transport.call(route, json=plain, files=outbound.files, changes=True)
        return self._receipt(answer, outbound, BOT)

    def _receipt(self, answer: Any, outbound: Outbound, via: str) -> Receipt:
        message_id = str(answer["id"])
        self._own_ids.append(message_id)
        return Receipt(message_ids=(message_id,), thread_id=outbound.thread_id, via=via)

    async def _head(self, chat_id: str, outbound: Outbound | OutboundEdit, *, as_bot: bool = False, named: bool = False) -> Head:
        """What must stand above the text: the name where Discord does not show it, the answered message where we cannot reply."""
        name = outbound.sender.name if outbound.sender is not None and (as_bot or named) else ""
        reply = outbound.reply
        if reply is None or (as_bot and reply.message_id):
            return Head(name) if name else NO_HEAD
        url = ""
        if reply.message_id:
            url = jump_url(await self._guild_of(chat_id), reply.thread_id or chat_id, reply.message_id)
        return Head(name, reply, url)

    async def _guild_of(self, chat_id: str) -> str:
        place = self._context.places.get(chat_id)
        if place is None:
            try:
                place = await self._context.places.load_one(self._transport, chat_id)
            except Refused as refused:
                raise refused.error from None
        return place.guild_id

    # -- changing -------------------------------------------------------------------------------------------------------------

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        copy = outbound.copy
        hook, named = await self._hook_of(copy)
        if copy.via.startswith(WEBHOOK) and hook is None:
            raise Rejected("the webhook that posted the copy is gone, so the copy can no longer be edited")
        head = await self._head(copy.chat_id, outbound, as_bot=hook is None, named=named)
        body = encode.edited_message(outbound, head)
        await self._change("PATCH", copy, copy.message_ids[0], hook, json=body)
        return Receipt(message_ids=copy.message_ids, thread_id=copy.thread_id, via=copy.via)

    async def delete(self, outbound: OutboundDelete) -> None:
        hook, _ = await self._hook_of(outbound.copy)
        for message_id in outbound.copy.message_ids:
            try:
                await self._change("DELETE", outbound.copy, message_id, hook, gone_is_fine=True)
            except ChatDown as down:
                if hook is None and self._context.places.get(outbound.copy.chat_id) is not None:
                    raise Rejected(f"{down.reason}; deleting others' messages needs Manage Messages") from None
                raise

    async def _hook_of(self, copy: Copy) -> tuple[Hook | None, bool]:
        """The webhook that posted a copy, if it still exists, and whether the name stands in the copy's text."""
        if not copy.via.startswith(WEBHOOK):
            return None, False
        webhook_id, _, mode = copy.via.removeprefix(WEBHOOK).partition(":")
        try:
            return await self._webhooks.by_id(webhook_id), mode == "named"
        except Refused as refused:
            raise refused.error from None

    async def _change(
        self,
        method: str,
        copy: Copy,
        message_id: str,
        hook: Hook | None,
        *,
        json: dict[str, Any] | None = None,
        gone_is_fine: bool = False,
    ) -> None:
        """Edit or delete one message, as the webhook that posted it or as the bot. Repeating it does no harm."""
        channel_id = copy.thread_id or copy.chat_id
        query: dict[str, str] | None = None
        if hook is not None:
            route = hook.route(method, f"/messages/{message_id}", f"/messages {method}")
            query = {"thread_id": copy.thread_id} if copy.thread_id else None
        else:
            path = f"/channels/{channel_id}/messages/{message_id}"
            route = Route(method, path, f"channels/{channel_id}/messages {method}")
        try:
            await self._transport.call(route, json=json, query=query)
        except Refused as refused:
            if gone_is_fine and refused.code in (UNKNOWN_MESSAGE, UNKNOWN_CHANNEL):
                return
            if hook is None or (refused.code not in (UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN) and refused.refusal.status != 401):
                raise refused.error from None
            self._webhooks.forget(hook)
            if method == "DELETE":
                await self._change(method, copy, message_id, None, gone_is_fine=gone_is_fine)
                return
            renewed, _ = await self._hook_of(copy)
            if renewed is None:
                raise Rejected("the webhook that posted the copy is gone, so the copy can no longer be edited") from None
            raise RetryLater("the webhook's token has changed", after_s=0.0) from None

    async def react(self, outbound: OutboundReaction) -> None:
        copy = outbound.copy
        channel_id = copy.thread_id or copy.chat_id
        path = f"/channels/{channel_id}/messages/{copy.message_ids[0]}/reactions"
        unknown: list[str] = []
        changes = [("DELETE", e) for e in outbound.removed if e not in outbound.wanted]
        changes += [("PUT", e) for e in outbound.added]
        for method, shown in changes:
            emoji = self._native_emoji(shown)
            if emoji is None:
                unknown.append(shown)
                continue
            route = Route(method, f"{path}/{path_part(emoji)}/@me", f"channels/{channel_id}/reactions")
            try:
                await self._transport.call(route)
            except Refused as refused:
                if refused.code == UNKNOWN_EMOJI:
                    unknown.append(shown)
                elif method == "PUT" or refused.code != UNKNOWN_MESSAGE:
                    raise refused.error from None
        if unknown:
            raise Rejected(f"Discord has no emoji {', '.join(unknown)} here")

    def _native_emoji(self, shown: str) -> str | None:
        if shown.startswith(":") and shown.endswith(":") and len(shown) > 2:
            return self._context.places.emoji(shown.strip(":"))
        return shown

    async def pin(self, copy: Copy, pinned: bool) -> None:
        channel_id = copy.thread_id or copy.chat_id
        path = f"/channels/{channel_id}/messages/pins"
        await self._call(Route("PUT" if pinned else "DELETE", f"{path}/{copy.message_ids[0]}", path))

    async def show_typing(self, chat_id: str, thread_id: str | None) -> None:
        channel_id = thread_id or chat_id
        await self._call(Route("POST", f"/channels/{channel_id}/typing", f"channels/{channel_id}/typing"))

    # -- reading --------------------------------------------------------------------------------------------------------------

    def open_file(self, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
        return self._downloads.open(attachment)

    async def history(self, chat_id: str, since: str) -> AsyncIterator[ChatEvent]:
        await self._identify()
        try:
            async for events in self._history.events(chat_id, since):
                for event in events:
                    yield event
        except Refused as refused:
            raise refused.error from None

    async def reconcile(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        """Reads back what was posted since and looks for our own message with this text, name and files."""
        await self._identify()
        known = set(self._own_ids)
        if self._intake is not None:
            known.update(await self._intake.message_ids(outbound.chat_id, 100))
        try:
            for name, body in await self._possible_forms(outbound):
                found = await self._history.find(
                    outbound.thread_id or outbound.chat_id,
                    sent_after,
                    name=name,
                    content=str(body["content"]),
                    sizes=[file.size_bytes for file in outbound.files],
                    not_ids=frozenset(known),
                )
                if found is not None:
                    message_id, webhook_id = found
                    self._own_ids.append(message_id)
                    via = BOT if webhook_id is None else WEBHOOK + webhook_id
                    return Receipt(message_ids=(message_id,), thread_id=outbound.thread_id, via=via)
        except Refused as refused:
            raise RetryLater(f"cannot be read back: {refused}") from None
        except UNREADABLE as error:
            raise RetryLater(f"history is not as expected: {type(error).__name__}") from None
        return None

    async def _possible_forms(self, outbound: Outbound) -> list[tuple[str | None, dict[str, Any]]]:
        """How the message may have been posted: through the webhook under a name, or by the bot (no name)."""
        forms: list[tuple[str | None, dict[str, Any]]] = []
        if outbound.sender is not None and self._options.post_as == "webhook":
            head = await self._head(outbound.chat_id, outbound)
            forms.append((encode.webhook_name(outbound.sender.name), encode.webhook_message(outbound, head)))
        head = await self._head(outbound.chat_id, outbound, as_bot=True)
        forms.append((None, encode.bot_message(outbound, head)))
        return forms
