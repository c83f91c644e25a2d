"""Makes probe items from requests that the platform answers or refuses."""

from __future__ import annotations

from collections.abc import Awaitable

from bridge.model.adapter import ProbeItem
from bridge.model.errors import BridgeError, ChatDown, OutcomeUnknown, RetryLater


async def asked(name: str, question: Awaitable[object], *, chat_id: str = "") -> ProbeItem:
    """The item for a request whose answer does not matter: its failure is reported, with the action of the error if it has one."""
    try:
        await question
    except BridgeError as error:
        return ProbeItem(
            name=name,
            ok=False,
            detail=error.reason,
            action=getattr(error, "action", ""),
            chat_id=chat_id,
            temporary=isinstance(error, RetryLater | OutcomeUnknown),
            dead=isinstance(error, ChatDown) and bool(chat_id),
        )
    return ProbeItem(name=name, ok=True, chat_id=chat_id)
