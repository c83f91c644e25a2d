"""History of a chat on request, as new messages, oldest first. What the account itself reads is `catch_up`. Used by `adapter`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from adapters.common.queries import find_text
from adapters.teamspirit.directory import Directory
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.wire import Undecodable
from bridge.model.clock import Clock
from bridge.model.events import ChatEvent

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import Operations


class HistoryOnRequest:
    def __init__(self, operations: Operations, directory: Directory, decoder: Decoder, clock: Clock) -> None:
        self._operations = operations
        self._directory = directory
        self._decoder = decoder
        self._clock = clock

    async def history(self, chat_id: str, since: str) -> AsyncIterator[ChatEvent]:
        call = self._operations.history
        assert call is not None
        fields = self._decoder.dialect.message_fields
        while True:
            items = await self._directory.page(chat_id, since, None)
            # the last item is a place to read on from, whether it can be read or not
            last = next((one for item in reversed(items) if (one := find_text(fields.message_id, item))), since)
            for item in items:
                try:
                    message = self._decoder.message(item, chat_id)
                except Undecodable:
                    continue  # the poller, which keeps such items, meets it too
                if not message.deleted and not message.system:
                    yield self._decoder.created(message, self._clock.now())
            if len(items) < call.page_size or last == since:
                return
            since = last
