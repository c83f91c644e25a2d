"""What `check --online` asks. An end is where it is said to be; nobody is called, since a call would be a message."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.webhook.directory import Directory
from bridge.model.adapter import ProbeItem
from bridge.model.errors import ChatDown


async def probe(directory: Directory, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
    return [item for chat_id in chat_ids for item in await look_at(directory, chat_id)]


async def look_at(directory: Directory, chat_id: str) -> Sequence[ProbeItem]:
    name = f"end {chat_id}"
    try:
        directory.end(chat_id)
    except ChatDown as error:
        return [ProbeItem(name=name, ok=False, detail=error.reason, action=error.action, chat_id=chat_id, dead=True)]
    return [ProbeItem(name=name, ok=True, chat_id=chat_id)]
