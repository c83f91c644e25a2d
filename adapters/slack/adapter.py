"""One Slack account: its life, and the contract's methods. Everything else is in the modules it puts together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

import structlog

from adapters.common.platform_time import Attempts
from adapters.slack import probe
from adapters.slack.capabilities import capabilities
from adapters.slack.channels import Channels
from adapters.slack.directory import Directory
from adapters.slack.emoji_names import to_name
from adapters.slack.enums import Events
from adapters.slack.errors import SUCCESS, MissingScope
from adapters.slack.inbound.account_events import AccountEvents
from adapters.slack.inbound.backlog import Backlog
from adapters.slack.inbound.catch_up import CatchUp
from adapters.slack.inbound.connections import Connections, Readers
from adapters.slack.inbound.decode_context import Identity
from adapters.slack.inbound.decode_files import unpack_file_id
from adapters.slack.inbound.downloads import Downloads
from adapters.slack.inbound.receiver import Receiver
from adapters.slack.inbound.reorder import LateEvents
from adapters.slack.inbound.socket_mode import Hello, SocketMode
from adapters.slack.names import Wanted
from adapters.slack.outbound.encode_text import measure
from adapters.slack.outbound.reconcile import NAMED, Window, find_delivery
from adapters.slack.outbound.sender import MessageSender
from adapters.slack.threads import Threads
from adapters.slack.transport import Transport
from adapters.slack.uploads import Uploads
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
from bridge.model.errors import AccountDown, BridgeError, ConnectionLost, DeliveryError, Rejected, RetryLater
from bridge.model.events import Attachment, Author, ChatEvent, MessageCreated
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName
from bridge.model.rich_text import RichText

if TYPE_CHECKING:
    from adapters.slack.config import SlackOptions

log = structlog.get_logger("slack")

_CHECK_EVERY_S = 300.0
_KNOWN_IDS = 1000
"""How many of a channel's latest messages are known when one without a mark is looked for."""


class SlackAdapter:
    """See `bridge.model.adapter.Adapter`. Built inside the running loop; no I/O until a method is called."""

    def __init__(self, context: AdapterContext) -> None:
        options: SlackOptions = context.options
        self.account: AccountName = context.account
        self._options = options
        self._web = context.web
        self._alive = context.alive
        self._clock = context.clock
        self._transport = Transport(options)
        self._directory = Directory(self._transport, context.clock.monotonic_s)
        self._channels = Channels(self._transport, context.clock)
        self._threads = Threads(self._transport)
        self._late = LateEvents()
        self._uploads = Uploads(self._transport)
        self._downloads = Downloads(self._transport, context.clock.monotonic_s)
        self._sender = MessageSender(self._transport, self._uploads, self._threads, options, context.clock)
        self._identity = Identity(context.account)
        self._catch_up = CatchUp(
            self._transport,
            self._directory,
            self._threads,
            lambda: self._identity,
            max_messages=options.catch_up_messages,
            late=self._late,
            clock=context.clock,
        )
        self._can_read_history = True
        self._attempts = Attempts(self._transport.time)
        self._intake: Intake | None = None
        self._connections = Connections(context.clock.monotonic_s)
        self._saw_strangers = False
        self._own_names: set[str] = set()
        self._capabilities: dict[tuple[bool, bool], Capabilities] = {}
        """By what is known of the app's scopes: asked for with every message."""

    @property
    def capabilities(self) -> Capabilities:
        known = (self._sender.can_customize, self._can_read_history)
        if known not in self._capabilities:
            self._capabilities[known] = capabilities(self._options, can_customize=known[0], can_read_history=known[1])
        return self._capabilities[known]

    def measure(self, text: RichText, *, caption: bool = False) -> int:
        return measure(text)

    async def resolve(self, address: str) -> str:
        return await self._channels.resolve(address)

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        return await probe.probe(self._transport, self._options, self._connections, chat_ids)

    async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
        return [await probe.channel_item(self._transport, chat_id)]

    async def person(self, user_id: str) -> Author | None:
        return await self._directory.person(user_id)

    async def close(self) -> None:
        await self._transport.close()

    # -- receiving ------------------------------------------------------------------------------------------------------------

    async def run(self, intake: Intake) -> None:
        self._intake = intake
        try:
            await self._introduce()
            await intake.set_own_names(self._own_names)
            intake.may_send()  # the Web API serves it, whatever becomes of the events
            await self._receive(intake)
        except BaseExceptionGroup as group:
            _raise_one(group)
        except DeliveryError as error:
            raise ConnectionLost(error.reason) from error

    async def _introduce(self) -> None:
        """Who we are, and what we may do. Raises AccountDown for a wrong token."""
        answer, scopes = await self._transport.scopes()
        self._identity = Identity(
            self.account,
            bot_id=str(answer.get("bot_id") or ""),
            user_id=str(answer.get("user_id") or ""),
            app_id=self._identity.app_id,
        )
        self._own_names.add(str(answer.get("user") or ""))
        self._sender.can_customize = not scopes or "chat:write.customize" in scopes
        self._can_read_history = not scopes or "channels:history" in scopes

    async def _learn_names(self, intake: Intake) -> None:
        """Those of the workspace's people, and what they call us. Nothing waits for it; until then our user name has to do."""
        await self._directory.preload()
        own = (await self._directory.names(Wanted(users=frozenset({self._identity.user_id})))).users.get(self._identity.user_id)
        if own is not None:
            self._own_names = {own.name, own.username}
            await intake.set_own_names(self._own_names)

    async def _receive(self, intake: Intake) -> None:
        backlog: Backlog | None = None

        def joined(chat_id: str) -> None:
            if backlog is not None:
                backlog.again(chat_id)

        control = AccountEvents(intake, self._directory, self._channels, lambda: self._identity, joined)
        receiver = Receiver(
            clock=self._clock,
            intake=intake,
            directory=self._directory,
            threads=self._threads,
            late=self._late,
            identity=lambda: self._identity,
            on_control=control.handle,
            on_own_message=self._own_message,
        )
        if self._options.catch_up_messages:
            backlog = Backlog(self._catch_up, receiver, intake, self._transport.time, self._clock)
            backlog.begin()
        async with asyncio.TaskGroup() as group:
            ready = asyncio.Event()
            group.create_task(receiver.run(), name=f"slack receiver {self.account}")
            group.create_task(self._listen(receiver, intake, ready), name=f"slack stream {self.account}")
            await ready.wait()
            intake.connected()
            group.create_task(self._learn_names(intake), name=f"slack names {self.account}")
            if backlog is not None:
                await backlog.run()

    async def _listen(self, receiver: Receiver, intake: Intake, ready: asyncio.Event) -> None:
        if self._options.events is Events.HTTP:
            await self._listen_http(receiver, ready)
            return

        def hello(told: Hello) -> None:
            self._identity = replace(self._identity, app_id=told.app_id or self._identity.app_id)
            self._look_at(told.readers, intake)
            ready.set()

        async def unreadable(raw: bytes, reason: str) -> None:
            await intake.undecodable(raw, reason)

        await SocketMode(
            self._transport,
            sink=receiver.put,
            on_hello=hello,
            on_unreadable=unreadable,
            alive=self._alive,
            connections=self._connections,
            clock=self._clock,
        ).run()

    def _look_at(self, readers: Readers, intake: Intake) -> None:
        """Another program on the same app takes its share of the events, and neither it nor we notice by what arrives."""
        if readers.strangers:
            reason = f"another program reads this app: {readers}; each event goes to only one of them"
            intake.notice(reason, "stop the other program, or give each its own Slack app")
        elif self._saw_strangers:
            intake.chat_restored("")
        self._saw_strangers = bool(readers.strangers)

    async def _listen_http(self, receiver: Receiver, ready: asyncio.Event) -> None:
        """Requests come in by the public listener; the token is checked now and then, since no connection would tell."""
        from adapters.slack.inbound.http_events import MOUNT_NAME, HttpEvents  # aiohttp's server comes with it

        assert self._options.signing_secret is not None, "checked by the options"
        handler = HttpEvents(self._options.signing_secret.get_secret_value(), receiver.put, self._transport.time)
        path = self._web.mount(MOUNT_NAME, handler.handle)
        log.info("events are expected by HTTP", account=self.account, request_url=f"{self._web.public_url}{path}")
        try:
            ready.set()
            while True:
                await self._clock.sleep(_CHECK_EVERY_S)
                try:
                    await self._introduce()
                except DeliveryError as error:
                    log.info("token not checked", account=self.account, reason=error.reason)
        finally:
            self._web.unmount(MOUNT_NAME)

    def _own_message(self, event: MessageCreated) -> None:
        for attachment in event.content.attachments:
            self._uploads.seen(unpack_file_id(attachment.file_id)[0], event.message_id)

    # -- sending --------------------------------------------------------------------------------------------------------------

    async def send(self, outbound: Outbound) -> Receipt:
        self._attempts.begin(outbound.token)
        return await self._sender.send(outbound)

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        return await self._sender.edit(outbound)

    async def delete(self, outbound: OutboundDelete) -> None:
        copy = outbound.copy
        for ts in copy.message_ids:
            await self._transport.call("chat.delete", {"channel": copy.chat_id, "ts": ts}, tolerate=("message_not_found",))
        for file_id in copy.adapter_data.split():
            if file_id != NAMED:
                await self._delete_file(file_id)

    async def remove_files(self, copy: Copy, places: Sequence[int]) -> Receipt:
        """Deleting our file takes it out of the message; Slack leaves a note in its place."""
        notes = copy.adapter_data.split()
        files = [note for note in notes if note != NAMED]
        goes = [file_id for place, file_id in enumerate(files) if place in places]
        if len(goes) < len(places):
            raise Rejected("it is not known which of Slack's files it is")
        for file_id in goes:
            await self._transport.call("files.delete", {"file": file_id}, tolerate=("file_not_found", "file_deleted"))
        via = " ".join(note for note in notes if note not in goes)
        return Receipt(message_ids=copy.message_ids, thread_id=copy.thread_id, adapter_data=via)

    async def _delete_file(self, file_id: str) -> None:
        """A deleted message leaves its files behind. Nobody sees them any more, so a refusal changes nothing for the message."""
        try:
            await self._transport.call("files.delete", {"file": file_id}, tolerate=("file_not_found", "file_deleted"))
        except Rejected as error:
            log.warning("file of a deleted message stays in Slack", account=self.account, file=file_id, reason=error.reason)

    async def react(self, outbound: OutboundReaction) -> None:
        failures: list[str] = []
        for method, changed in (("reactions.add", outbound.added), ("reactions.remove", outbound.removed)):
            for emoji in changed:
                name = to_name(emoji) or emoji.strip(":")
                arguments = {"channel": outbound.copy.chat_id, "timestamp": outbound.copy.message_ids[0], "name": name}
                try:
                    await self._transport.call(method, arguments, tolerate=SUCCESS)
                except Rejected as error:
                    failures.append(error.reason)
        if failures:
            raise Rejected("; ".join(failures))

    async def pin(self, copy: Copy, pinned: bool) -> None:
        arguments = {"channel": copy.chat_id, "timestamp": copy.message_ids[0]}
        await self._transport.call("pins.add" if pinned else "pins.remove", arguments, tolerate=SUCCESS)

    # -- reading back ---------------------------------------------------------------------------------------------------------

    async def reconcile(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        try:
            if not self._identity.is_known or not self._transport.time.is_known:
                await self._introduce()  # whose messages are ours, and what time it is at Slack
            window = Window.of(self._attempts, outbound.token, sent_after)
            known_ids = await self._intake.message_ids(outbound.chat_id, _KNOWN_IDS) if self._intake is not None else ()
            return await find_delivery(self._transport, self._identity, outbound, window, known_ids, self._clock)
        except MissingScope as error:
            # from now on the capabilities say so, and the route's policy decides
            self._can_read_history = False
            raise RetryLater(error.reason, after_s=0.0) from error

    def history(self, chat_id: str, since: str) -> AsyncIterator[ChatEvent]:
        return self._catch_up.since(chat_id, since)

    def open_file(self, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
        return self._downloads.open(attachment)


def _raise_one(group: BaseExceptionGroup[BaseException]) -> NoReturn:
    """What the tasks failed with, as the one error that says most."""
    leaves = list(_leaves(group))
    for kind in (AccountDown, ConnectionLost):
        for leaf in leaves:
            if isinstance(leaf, kind):
                raise leaf from None
    for leaf in leaves:
        if isinstance(leaf, BridgeError):
            raise ConnectionLost(leaf.reason) from leaf
    raise leaves[0]


def _leaves(group: BaseExceptionGroup[BaseException]) -> Sequence[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def build(context: AdapterContext) -> SlackAdapter:
    """What the registry looks for."""
    return SlackAdapter(context)
