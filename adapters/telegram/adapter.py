"""The Telegram account: the contract's methods, each delegated to the part that does it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

from adapters.common.delegating import ByNewThreads, ByThreadChanges
from adapters.telegram.capabilities import capabilities
from adapters.telegram.directory import Directory
from adapters.telegram.inbound.decode import DOWNLOAD_BYTES, Decoder
from adapters.telegram.inbound.downloads import Downloads
from adapters.telegram.inbound.receiver import AccountState, Receiver
from adapters.telegram.links import link_to_message
from adapters.telegram.outbound.chats import rename_chat
from adapters.telegram.outbound.encode import GENERAL_TOPIC
from adapters.telegram.outbound.encode_text import measure
from adapters.telegram.outbound.new_threads import NewThreads
from adapters.telegram.outbound.reactions import react
from adapters.telegram.outbound.sender import Sender
from adapters.telegram.outbound.topic_changes import TopicChanges
from adapters.telegram.probe import look_at, probe
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call
from bridge.model.adapter import Intake
from bridge.model.capabilities import Capabilities
from bridge.model.errors import ConnectionLost, DeliveryError
from bridge.model.events import Attachment
from bridge.model.outbound import Copy, FileStream, Outbound, OutboundDelete, OutboundEdit, OutboundReaction, ProbeItem, Receipt
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName
from bridge.model.rich_text import RichText

if TYPE_CHECKING:
    from adapters.telegram.config import TelegramOptions


class TelegramAdapter(ByNewThreads, ByThreadChanges):
    """See `bridge.model.adapter.Adapter`, and the abilities there. What a copy's `adapter_data` is: `outbound.sender`."""

    main_thread_id = GENERAL_TOPIC

    def __init__(self, context: AdapterContext) -> None:
        options: TelegramOptions = context.options
        self.account: AccountName = context.account
        self._alive = context.alive
        self._clock = context.clock
        self._options = options
        self._capabilities = capabilities(options)
        self._transport = Transport(options)
        self._directory = Directory(self._transport)
        self._state = AccountState(context.clock, context.store)
        self._sender = Sender(self._transport, self._capabilities.limits.upload_bytes, self._state.polls, context.clock)
        self._downloads = Downloads(self._transport, options)
        self._thread_changes = TopicChanges(self._transport)
        self.rename_chat = partial(rename_chat, self._transport)
        self._new_threads = NewThreads(self._transport, context.clock, self._state.topics, lambda: self._state.heard_s)

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def measure(self, text: RichText, *, caption: bool = False) -> int:
        return measure(text)

    async def resolve(self, address: str) -> str:
        return await self._directory.resolve(address)

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        return await probe(self._transport, chat_ids)

    async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
        return await look_at(self._transport, chat_id, self._state.sees_all, self._directory.learn)

    async def run(self, intake: Intake) -> None:
        me = await self._directory.me()
        if self._options.take_over_webhook:
            try:
                await self._transport.call(Call("DeleteWebhook", {}))
            except DeliveryError as error:
                raise ConnectionLost(error.reason) from None
        decoder = Decoder(
            account=self.account,
            bot_id=me.user_id,
            download_bytes=None if self._options.local_server else DOWNLOAD_BYTES,
            custom_emoji=self._state.custom_emoji.known,
            pictures=self._state.custom_emoji.pictures,
            learn=self._directory.learn,
            topic_name=self._state.topics.name,
        )
        intake.may_send()
        await intake.set_own_names(list(me.names))
        self._state.sees_all = me.sees_all
        parts = (self._transport, decoder, self._options, intake)
        await Receiver(*parts, clock=self._clock, alive=self._alive, state=self._state).run()

    async def close(self) -> None:
        await self._transport.close()

    async def send(self, outbound: Outbound) -> Receipt:
        return await self._sender.send(outbound)

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        return await self._sender.edit(outbound)

    async def delete(self, outbound: OutboundDelete) -> None:
        await self._sender.delete(outbound)

    async def react(self, outbound: OutboundReaction) -> Sequence[str]:
        return await react(self._transport, outbound)

    async def close_poll(self, copy: Copy) -> None:
        await self._sender.close_poll(copy)

    def open_file(self, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
        return self._downloads.open_file(attachment.file_id)

    async def show_typing(self, chat_id: str, thread_id: str | None) -> None:
        params: dict[str, Any] = {"chat_id": chat_id, "action": "typing"}
        if thread_id and thread_id != GENERAL_TOPIC:
            params["message_thread_id"] = int(thread_id)
        await self._transport.call(Call("SendChatAction", params))

    async def face(self, user_id: str) -> Attachment | None:
        return await self._directory.face(user_id)

    async def chat_name(self, chat_id: str) -> str:
        return await self._directory.chat_name(chat_id)

    def chat_named(self, name: str) -> str:
        return self._directory.chat_named(name)

    def message_link(self, copy: Copy) -> str:
        return link_to_message(copy.chat_id, copy.message_ids[0], copy.thread_id)

    async def pin(self, copy: Copy, pinned: bool) -> None:
        params = {"chat_id": copy.chat_id, "message_id": int(copy.message_ids[0])}
        if pinned:
            params["disable_notification"] = True
        await self._transport.call(Call("PinChatMessage" if pinned else "UnpinChatMessage", params))


def build(context: AdapterContext) -> TelegramAdapter:
    """What the registry looks for."""
    return TelegramAdapter(context)
