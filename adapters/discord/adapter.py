"""One Discord bot as the core sees it: lifecycle and the contract's methods. I/O is in `transport`, `gateway`; forms in `encode`.

Posting is in `sender`, receiving in `receiver`; here is what holds them together, and the calls that are one request each.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from adapters.common.platform_time import Attempts
from adapters.discord import wire
from adapters.discord.capabilities import capabilities, upload_bytes
from adapters.discord.directory import CHANNELS, OUR_APPLICATION, OURSELVES
from adapters.discord.errors import UNKNOWN_MESSAGE, Refused
from adapters.discord.inbound.decode import Context
from adapters.discord.inbound.decode_content import author_of, names_of
from adapters.discord.inbound.downloads import Downloads
from adapters.discord.inbound.history import UNREADABLE, History
from adapters.discord.inbound.receiver import Receiver
from adapters.discord.lenient import mapping, text
from adapters.discord.outbound.archived_threads import Threads
from adapters.discord.outbound.encode_text import encode_text
from adapters.discord.outbound.own_webhooks import OwnWebhooks
from adapters.discord.outbound.pings import pings_of
from adapters.discord.outbound.sender import BOT, WEBHOOK, Posting
from adapters.discord.probe import look_at, probe
from adapters.discord.snowflakes import moment_of, snowflake_at
from adapters.discord.transport import Route, Transport, path_part
from bridge.model.adapter import (
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
from bridge.model.capabilities import Capabilities
from bridge.model.errors import ChatDown, ConnectionLost, DeliveryError, Rejected, RetryLater
from bridge.model.events import Attachment, Author, ChatEvent
from bridge.model.platform import AdapterContext
from bridge.model.rich_text import RichText

if TYPE_CHECKING:
    from adapters.discord.config import DiscordOptions

UNKNOWN_EMOJI = 10014
MISSING_PERMISSIONS = 50013
OWN_IDS_KEPT = 500
KNOWN_IDS = 1000
"""How many of a chat's messages the journal is asked for, to tell them from one that is looked for."""
CLOCK_SET_BY = timedelta(days=3)
FURTHEST_BACK = timedelta(days=14)
"""Where to begin looking for a message that an earlier process sent at an impossible time."""
INVITE_OR_ID = "invite the bot, or write the channel's id instead"
LOOK_AGAIN_S = 20.0
"""How long the list of channels is trusted when a name is not in it."""


class DiscordAdapter:
    def __init__(self, context: AdapterContext) -> None:
        self.account = context.account
        self._alive = context.alive
        self._options: DiscordOptions = context.options
        self._transport = Transport(self._options, context.clock)
        self._context = Context(account=context.account, cdn_url=self._options.cdn_url, clock=context.clock)
        self._own_webhooks = OwnWebhooks(self._context, lambda: self._posting.webhooks)
        self._posting = Posting(self._transport, self._options, self._context, self._notice, self._own_webhooks.use)
        self._history = History(self._transport, self._context)
        self._threads = Threads(self._transport)
        self._downloads = Downloads(self._transport, self._options.cdn_url)
        self._identifying = asyncio.Lock()
        self._looking_around = asyncio.Lock()
        self._look_again_at_s = 0.0
        self._intake: Intake | None = None
        self._attempts = Attempts(self._transport.time)
        self._own_ids: deque[str] = deque(maxlen=OWN_IDS_KEPT)
        self._capabilities: dict[int, Capabilities] = {}
        """By the servers' lowest boost level: asked for with every message."""

    # -- what it can do -------------------------------------------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        boost = self._context.places.lowest_boost() or 0
        if boost not in self._capabilities:
            self._capabilities[boost] = capabilities(self._options, upload_bytes=upload_bytes(boost))
        return self._capabilities[boost]

    def measure(self, text: RichText, *, caption: bool = False) -> int:
        length = len(encode_text(text))
        pings = pings_of(text)
        return max(length, len(encode_text(text, mass_mentions=True))) if pings.everyone or pings.roles else length

    # -- lifecycle ------------------------------------------------------------------------------------------------------------

    async def run(self, intake: Intake) -> None:
        self._intake = intake
        self._context.is_end = intake.is_end
        try:
            await self._identify()
        except DeliveryError as error:
            raise ConnectionLost(error.reason) from None
        await self._own_webhooks.begin(intake)
        intake.may_send()  # REST serves it, whatever the gateway does
        receiver = Receiver(
            self._options,
            self._transport,
            self._context,
            self._history,
            intake,
            on_restored=self._posting.channel_changed,
            alive=self._alive,
        )
        await receiver.run()

    async def close(self) -> None:
        await self._transport.close()

    async def _identify(self) -> None:
        """Who the token belongs to; asked once. Raises AccountDown or a DeliveryError."""
        if self._context.user_id:
            return
        async with self._identifying:
            if self._context.user_id:
                return
            user: wire.User = mapping(await self._call(OURSELVES))
            if not text(user.get("id")):
                raise RetryLater("Discord does not say who the token belongs to")
            self._context.application_id = await self._application_id()
            self._context.own_names = names_of(user)
            self._context.user_id = text(user["id"])

    async def _application_id(self) -> str:
        """Empty where a server that speaks Discord's API does not know of applications: webhooks' ids mark what is ours, too."""
        try:
            application: wire.Application = mapping(await self._transport.call(OUR_APPLICATION))
        except Refused as refused:
            if refused.refusal.status in (404, 405, 501):
                return ""
            raise refused.error from None
        return text(application.get("id"))

    def _notice(self, reason: str, action: str, chat_id: str) -> None:
        if self._intake is not None:
            self._intake.notice(reason, action, chat_id=chat_id)

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
        not_seen = "" if found else await self._look_around()
        found = found or self._context.places.named(address)
        if not found and not_seen:
            raise RetryLater(f"whether there is a channel named {address} cannot be told: {not_seen}")
        if not found:
            hidden = [s.name for s in self._context.places.servers.values() if CHANNELS in s.unknown]
            action = f"write its id: the channels of {', '.join(hidden)} cannot be listed" if hidden else INVITE_OR_ID
            raise ChatDown(f"the bot sees no channel named {address}", action=action)
        if len(found) > 1:
            raise ChatDown(f"{len(found)} channels are named {address}", action="write the channel's id instead of its name")
        return found[0].id

    async def _look_around(self) -> str:
        """Load the servers, unless that was done a moment ago. Returns what could not be looked up now."""
        async with self._looking_around:
            if self._context.clock.monotonic_s() < self._look_again_at_s:
                return ""
            try:
                failed = await self._context.places.load(self._transport, self._context.user_id)
            except Refused as refused:
                raise refused.error from None
            passing = [error.reason for error in failed.values() if isinstance(error, RetryLater)]
            passing += [f"the channels of {s.name}" for s in self._context.places.servers.values() if s.unknown.get(CHANNELS)]
            if not passing:
                self._look_again_at_s = self._context.clock.monotonic_s() + LOOK_AGAIN_S
            return "; ".join(passing[:3])

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        return await probe(self._transport, self._options, self._context.places, chat_ids)

    async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
        return await look_at(self._transport, self._options, self._context.places, chat_id, self._context.user_id)

    async def person(self, user_id: str) -> Author | None:
        if not user_id.isdecimal():
            return None
        try:
            user = await self._transport.call(Route("GET", f"/users/{user_id}", "users"))
            return author_of({"author": user}, self._options.cdn_url)
        except (Refused, *UNREADABLE):
            return None

    # -- sending and changing -------------------------------------------------------------------------------------------------

    async def send(self, outbound: Outbound) -> Receipt:
        await self._identify()
        self._attempts.begin(outbound.token)
        receipt = await self._posting.send(outbound)
        self._own_ids.extend(receipt.message_ids)
        if not self._transport.time.is_known:  # something on the way takes the `Date` out of answers
            self._transport.time.learn_moment(moment_of(receipt.message_ids[0]))
        return receipt

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        return await self._posting.edit(outbound)

    async def delete(self, outbound: OutboundDelete) -> None:
        await self._posting.delete(outbound)

    async def remove_files(self, copy: Copy, places: Sequence[int]) -> Receipt:
        return await self._posting.remove_files(copy, places)

    async def react(self, outbound: OutboundReaction) -> None:
        copy = outbound.copy
        channel_id = copy.thread_id or copy.chat_id
        path = f"/channels/{channel_id}/messages/{copy.message_ids[0]}/reactions"
        unknown: list[str] = []
        not_taken: list[str] = []
        changes = [("DELETE", e) for e in outbound.removed if e not in outbound.wanted]
        changes += [("PUT", e) for e in outbound.added]
        for method, shown in changes:
            emoji = self._native_emoji(shown)
            if emoji is None:
                unknown.append(shown)
                continue
            route = Route(method, f"{path}/{path_part(emoji)}/@me", f"channels/{channel_id}/reactions")
            try:
                await self._threads.awake(copy.thread_id, partial(self._transport.call, route))
            except Refused as refused:
                if refused.code == UNKNOWN_EMOJI:
                    unknown.append(shown)
                elif refused.code == MISSING_PERMISSIONS:  # messages go on without it
                    not_taken.append("the bot lacks Add Reactions or Read Message History there")
                elif method == "PUT" or refused.code != UNKNOWN_MESSAGE:
                    raise refused.error from None
        if unknown:
            not_taken.append(f"Discord has no emoji {', '.join(unknown)} here")
        if not_taken:
            raise Rejected("; ".join(dict.fromkeys(not_taken)))

    def _native_emoji(self, shown: str) -> str | None:
        if shown.startswith(":") and shown.endswith(":") and len(shown) > 2:
            return self._context.places.emoji(shown.strip(":"))
        return shown

    async def pin(self, copy: Copy, pinned: bool) -> None:
        channel_id = copy.thread_id or copy.chat_id
        path = f"/channels/{channel_id}/messages/pins"
        try:
            await self._transport.call(Route("PUT" if pinned else "DELETE", f"{path}/{copy.message_ids[0]}", path))
        except Refused as refused:
            if refused.code == MISSING_PERMISSIONS:  # messages go on without it
                raise Rejected("the bot lacks Pin Messages there") from None
            raise refused.error from None

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
        """Reads back what was posted since and looks for our own message with this text, name and files. Where the bot may not read
        history Discord shows an empty one, so there is nothing to go by."""
        await self._identify()
        if not self._context.may_read_history(outbound.chat_id):
            self._notice("sends of unknown outcome cannot be checked", "give the bot Read Message History", outbound.chat_id)
            return None
        latest = [] if self._intake is None else await self._intake.message_ids(outbound.chat_id, KNOWN_IDS)
        known = frozenset({*self._own_ids, *latest})
        after = self._begin_of(outbound.token, sent_after, latest)
        try:
            for name, body in await self._posting.possible_forms(outbound):
                found = await self._history.find(
                    outbound.thread_id or outbound.chat_id,
                    after,
                    name=name,
                    content=str(body["content"]),
                    sizes=[file.size_bytes for file in outbound.files],
                    not_ids=known,
                )
                if found is not None:
                    message_id, webhook_id = found
                    self._own_ids.append(message_id)
                    via = BOT if webhook_id is None else WEBHOOK + webhook_id
                    return Receipt(message_ids=(message_id,), thread_id=outbound.thread_id, adapter_data=via)
        except Refused as refused:
            raise RetryLater(f"cannot be read back: {refused}") from None
        except UNREADABLE as error:
            raise RetryLater(f"history is not as expected: {type(error).__name__}") from None
        return None

    def _begin_of(self, token: str, sent_after: datetime, latest: Sequence[str]) -> int:
        """The id behind which a message can be that was first tried then, told by Discord's clock where this process tried it.

        Of an earlier process only a reading of this machine's clock is left, which may have been set since: then the search goes
        back further, but not beyond what the journal can tell apart."""
        time = self._transport.time
        since = self._attempts.since(token, sent_after, margin=CLOCK_SET_BY) or time.now() - FURTHEST_BACK
        oldest_known = min((int(i) for i in latest if i.isdecimal()), default=0) if len(latest) >= KNOWN_IDS else 0
        return max(int(snowflake_at(since)), oldest_known)


def build(context: AdapterContext) -> DiscordAdapter:
    """What the registry looks for."""
    return DiscordAdapter(context)
