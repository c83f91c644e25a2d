"""The checks of `check --online` and of the running bridge: whether an end exists, is enabled, and has an address that may be
posted to. The receiver is not called, since every call would be a message."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.webhook.directory import Directory
from adapters.webhook.outbound.endpoint_state import EndpointStates
from adapters.webhook.transport import Transport
from bridge.model.adapter import ProbeItem
from bridge.model.errors import ChatDown, RetryLater


class Probe:
    """Of one account."""

    def __init__(self, directory: Directory, transport: Transport, states: EndpointStates) -> None:
        self._directory = directory
        self._transport = transport
        self._states = states

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        return [item for chat_id in chat_ids for item in await self.look_at(chat_id)]

    async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
        name = f"end {chat_id}"
        try:
            await self._look(chat_id)
        except ChatDown as error:
            return [_wrong(name, error, chat_id)]
        except RetryLater as error:
            return [ProbeItem(name=name, ok=False, detail=error.reason, chat_id=chat_id, temporary=True)]
        return [ProbeItem(name=name, ok=True, chat_id=chat_id)]

    async def _look(self, chat_id: str) -> None:
        """Raises ChatDown, RetryLater."""
        url = self._directory.end(chat_id).url
        if url is None:
            return
        off = await self._states.why_off(chat_id, url)
        if off is not None:
            raise off
        await self._transport.look(url)


def _wrong(name: str, error: ChatDown, chat_id: str) -> ProbeItem:
    return ProbeItem(name=name, ok=False, detail=error.reason, action=error.action, chat_id=chat_id, whole_chat=True)
