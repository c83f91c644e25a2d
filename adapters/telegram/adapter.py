"""The Telegram account: lifecycle and the contract's methods. Calls are made in `transport`, what they say is decided in `encode`.

One attempt per method. Where Telegram refuses a message with certainty (nothing was sent), the next best form is tried at once: a
picture as a document, a text without its formatting.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

from adapters.common.http_errors import Effect
from adapters.common.lenient import words
from adapters.telegram import errors
from adapters.telegram.capabilities import capabilities
from adapters.telegram.errors import Refused
from adapters.telegram.inbound.decode import DOWNLOAD_BYTES, Decoder
from adapters.telegram.inbound.obstacles import Conflicts, Looks
from adapters.telegram.inbound.receiver import Receiver
from adapters.telegram.outbound.encode import GENERAL_TOPIC, WITHOUT_CAPTION, Call, edit_call, send_call, thread_of
from adapters.telegram.outbound.encode_text import measure
from adapters.telegram.outbound.reactions import settable
from adapters.telegram.probe import look_at, probe
from adapters.telegram.transport import Transport
from adapters.telegram.wire import full_name
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
from bridge.model.errors import ChatDown, ConnectionLost, DeliveryError, FileRejected, MessageGone, OutcomeUnknown, Rejected
from bridge.model.events import Attachment
from bridge.model.outcomes import Loss, LossNote, LossOf
from bridge.model.pauses import beside_if
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName
from bridge.model.rich_text import RichText, is_long

if TYPE_CHECKING:
    from adapters.telegram.config import TelegramOptions

_AS_FILE = LossOf(Loss.FILE_AS_OTHER_KIND, "sent as a file: Telegram refused it as what it was")
_CANDIDATES = 3
"""Reactions tried in a chat that allows only some."""


class TelegramAdapter:
    """See `bridge.model.adapter.Adapter`. A copy's `adapter_data` is `<text|caption|none>:<message id>`: where its words are."""

    def __init__(self, context: AdapterContext) -> None:
        options: TelegramOptions = context.options
        self.account: AccountName = context.account
        self._alive = context.alive
        self._clock = context.clock
        self._sees_all = True
        self._options = options
        self._transport = Transport(options)
        self._conflicts = Conflicts(context.clock.monotonic_s)
        self._failed: Counter[str] = Counter()
        self._looks = Looks(context.clock.monotonic_s)
        self._capabilities = capabilities(options)

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def measure(self, text: RichText, *, caption: bool = False) -> int:
        return measure(text)

    async def resolve(self, address: str) -> str:
        if re.fullmatch(r"-?\d+", address):
            return address
        try:
            chat = await self._transport.call(Call("GetChat", {"chat_id": address}))
        except Refused as refusal:
            raise ChatDown(refusal.reason, action="check the chat's name in bridge.yaml") from None
        return str(chat["id"])

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        return await probe(self._transport, chat_ids)

    async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
        return await look_at(self._transport, chat_id, self._sees_all)

    async def run(self, intake: Intake) -> None:
        try:
            me = await self._transport.call(Call("GetMe", {}))
            if self._options.take_over_webhook:
                await self._transport.call(Call("DeleteWebhook", {}))
        except DeliveryError as error:
            raise ConnectionLost(error.reason) from None
        if not isinstance(me, dict) or not words(me.get("id")):
            raise ConnectionLost("the server does not say who the bot is: it is no Bot API server")
        decoder = Decoder(
            account=self.account,
            bot_id=words(me["id"]),
            download_bytes=None if self._options.local_server else DOWNLOAD_BYTES,
        )
        intake.may_send()
        await intake.set_own_names([full_name(me), words(me.get("username"))])
        sees_all = self._sees_all = me.get("can_read_all_group_messages") is True
        receiver = Receiver(
            self._transport,
            decoder,
            self._options,
            intake,
            self._alive,
            clock=self._clock,
            conflicts=self._conflicts,
            failed=self._failed,
            looks=self._looks,
            sees_all=sees_all,
        )
        await receiver.run()

    async def close(self) -> None:
        await self._transport.close()

    # -- messages -----------------------------------------------------------------------------------------------------------

    async def send(self, outbound: Outbound) -> Receipt:
        self._check_sizes(outbound)
        try:
            return await self._send(outbound)
        except Refused as refusal:
            if refusal.says(*errors.TEXT_REFUSED):
                return await self._send(outbound, plain_text=True, loss=Loss.FORMATTING_REFUSED)
            if not outbound.files:
                raise
            if not refusal.says(*errors.PHOTO_REFUSED):
                raise errors.file_fault(refusal, len(outbound.files)) or refusal from None
        try:
            return await self._send(outbound, as_documents=True, loss=_AS_FILE)
        except Refused as refusal:
            raise errors.file_fault(refusal, len(outbound.files)) or refusal from None

    def _check_sizes(self, outbound: Outbound) -> None:
        """What is known to be refused is not sent. Raises FileRejected."""
        limit = self._capabilities.limits.upload_bytes
        if empty := tuple(place for place, file in enumerate(outbound.files) if not file.size_bytes):
            raise FileRejected("Telegram takes no empty files", places=empty)
        if large := tuple(place for place, file in enumerate(outbound.files) if file.size_bytes > limit):
            raise FileRejected(f"Telegram takes files of up to {limit // 1024**2} MB", places=large)

    async def _send(
        self, outbound: Outbound, *, as_documents: bool = False, plain_text: bool = False, loss: LossNote | None = None
    ) -> Receipt:
        encode = partial(send_call, outbound, as_documents=as_documents, plain_text=plain_text)
        call = await beside_if(is_long(outbound.text), encode)
        result = await self._transport.call(call, effect=Effect.CREATES)
        messages = result if isinstance(result, list) else [result]
        try:
            ids = tuple(str(message["message_id"]) for message in messages)
            first = ids[0]
        except (KeyError, TypeError, IndexError):
            raise OutcomeUnknown("Telegram took the message, and its answer does not say which it became") from None
        losses: list[LossNote] = [loss] if loss else []
        if "reply_parameters" in call.params and "reply_to_message" not in messages[0]:
            losses.append(Loss.REPLY_GONE)
        where = "text" if not outbound.files else "none" if call.method in WITHOUT_CAPTION else "caption"
        return Receipt(message_ids=ids, thread_id=thread_of(outbound), adapter_data=f"{where}:{first}", losses=tuple(losses))

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        where, message_id = _words_of(outbound.copy, outbound.has_files)
        if where == "none":
            raise Rejected("Telegram has no text on this kind of file to edit")
        try:
            await self._edit(outbound, where, message_id)
        except Refused as refusal:
            if not refusal.says(*errors.TEXT_REFUSED):
                raise
            await self._edit(outbound, where, message_id, plain_text=True)
        return Receipt(
            message_ids=outbound.copy.message_ids, thread_id=outbound.copy.thread_id, adapter_data=outbound.copy.adapter_data
        )

    async def _edit(self, outbound: OutboundEdit, where: str, message_id: str, *, plain_text: bool = False) -> None:
        encode = partial(edit_call, outbound, message_id=message_id, caption=where == "caption", plain_text=plain_text)
        call = await beside_if(is_long(outbound.text), encode)
        try:
            await self._transport.call(call)
        except Refused as refusal:
            if refusal.says(errors.EDITED_IS_GONE):
                raise MessageGone(refusal.reason) from None
            if not refusal.says(errors.NOT_MODIFIED):
                raise errors.change_fault(refusal) from None

    async def delete(self, outbound: OutboundDelete) -> None:
        copy = outbound.copy
        numbers = [int(message_id) for message_id in copy.message_ids]
        try:
            if len(numbers) == 1:
                await self._transport.call(Call("DeleteMessage", {"chat_id": copy.chat_id, "message_id": numbers[0]}))
            else:
                await self._transport.call(Call("DeleteMessages", {"chat_id": copy.chat_id, "message_ids": numbers}))
        except Refused as refusal:
            if not refusal.says(*errors.GONE):
                raise errors.change_fault(refusal) from None

    async def react(self, outbound: OutboundReaction) -> None:
        """The latest of the wanted reactions that a bot can set and that the chat allows."""
        wanted = [native for emoji in outbound.wanted if (native := settable(emoji)) is not None]
        candidates = list(dict.fromkeys(wanted))[:_CANDIDATES]
        for emoji in candidates:
            try:
                await self._react(outbound.copy, [{"type": "emoji", "emoji": emoji}])
                return
            except Refused as refusal:
                if not refusal.says(*errors.REACTION_REFUSED):
                    raise
        await self._react(outbound.copy, [])
        if outbound.wanted:
            raise Rejected(f"Telegram does not let bots react with {' '.join(outbound.wanted[:_CANDIDATES])} here")

    async def _react(self, copy: Copy, reaction: list[dict[str, str]]) -> None:
        params = {"chat_id": copy.chat_id, "message_id": int(copy.message_ids[0]), "reaction": reaction}
        await self._transport.call(Call("SetMessageReaction", params))

    # -- other abilities ----------------------------------------------------------------------------------------------------

    def open_file(self, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
        return self._transport.open_file(attachment.file_id)

    async def show_typing(self, chat_id: str, thread_id: str | None) -> None:
        params: dict[str, Any] = {"chat_id": chat_id, "action": "typing"}
        if thread_id and thread_id != GENERAL_TOPIC:
            params["message_thread_id"] = int(thread_id)
        await self._transport.call(Call("SendChatAction", params))

    async def pin(self, copy: Copy, pinned: bool) -> None:
        params = {"chat_id": copy.chat_id, "message_id": int(copy.message_ids[0])}
        if pinned:
            params["disable_notification"] = True
        await self._transport.call(Call("PinChatMessage" if pinned else "UnpinChatMessage", params))


def _words_of(copy: Copy, has_files: bool) -> tuple[str, str]:
    """Which message of a copy carries its words, and how."""
    where, _, message_id = copy.adapter_data.partition(":")
    if message_id:
        return where, message_id if message_id in copy.message_ids else copy.message_ids[0]  # a file may have left its album
    return "caption" if has_files else "text", copy.message_ids[0]


def build(context: AdapterContext) -> TelegramAdapter:
    """What the registry looks for."""
    return TelegramAdapter(context)
