"""Changes of a message that was sent: its text is edited, all its parts are deleted. Used by `adapter`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from adapters.common.queries import find_text
from adapters.teamspirit.client import Client
from adapters.teamspirit.errors import Gone
from adapters.teamspirit.outbound.encode import Encoder, Values
from adapters.teamspirit.outbound.mentions import Mentions
from adapters.teamspirit.outbound.sender import QUOTED
from bridge.model.adapter import OutboundDelete, OutboundEdit, Receipt
from bridge.model.errors import ChangeRefused, ChatDown, Rejected
from bridge.model.pauses import beside_if
from bridge.model.rich_text import is_long

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import Operations


class Changes:
    """Each method needs its operation in the dialect. Raises DeliveryError, AccountDown."""

    def __init__(self, operations: Operations, encoder: Encoder, client: Client, mentions: Mentions) -> None:
        self._operations = operations
        self._encoder = encoder
        self._client = client
        self._mentions = mentions

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        call = self._operations.edit
        assert call is not None
        outbound = msgspec.structs.replace(outbound, text=await self._mentions.resolved(outbound.text))
        encode = partial(self._encoder.edit_values, outbound, quoted=outbound.copy.adapter_data == QUOTED)
        values = await beside_if(is_long(outbound.text), encode)
        await self._client.call("edit", call, values)
        return Receipt(
            message_ids=outbound.copy.message_ids, thread_id=outbound.copy.thread_id, adapter_data=outbound.copy.adapter_data
        )

    async def delete(self, outbound: OutboundDelete) -> None:
        call = self._operations.delete
        assert call is not None
        if not outbound.copy.message_ids:
            raise ChangeRefused("it cannot be deleted: which message it became was never told")
        for message_id in outbound.copy.message_ids:
            values: Values = {"chat": self._encoder.chat(outbound.copy.chat_id), "message": {"id": message_id}}
            try:
                await self._client.call("delete", call, values)
            except Gone:
                continue

    async def rename_chat(self, chat_id: str, name: str) -> str:
        """See `bridge.model.abilities.RenamesChats`."""
        call = self._operations.rename_chat
        assert call is not None
        try:
            answer = await self._client.call("rename_chat", call, {"chat": self._encoder.chat(chat_id), "new_name": name})
        except ChatDown as error:  # messages go on without the right
            raise Rejected(error.reason) from None
        return find_text(call.answer.name, answer) or name
