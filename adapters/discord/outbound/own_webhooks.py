"""The ids of the webhooks we post through, known before anything is read or posted: a message from them is ours, whatever it
contains.

Discord names our application on such messages; a server that speaks its API may not, and then the copies would come back as new
messages. The ids are stored before a webhook is first used. Called by `adapter`."""

from __future__ import annotations

import asyncio

import structlog

from adapters.discord.errors import Refused
from adapters.discord.identity import Identity
from adapters.discord.outbound.webhooks import ChannelWebhooks
from bridge.model.adapter import Cursor, Intake
from bridge.model.errors import BridgeError

log = structlog.get_logger("discord")

CURSOR = "webhooks"
IDS_KEPT = 2000
CHANNELS_AT_ONCE = 8


class OwnWebhooks:
    def __init__(self, identity: Identity, webhooks: ChannelWebhooks) -> None:
        self._identity = identity
        self._webhooks = webhooks
        webhooks.on_use = self.use
        self._intake: Intake | None = None
        self._stored: dict[str, None] = {}

    async def begin(self, intake: Intake) -> None:
        """Call before events are read. What an earlier process used is stored; where nothing is, the channels are asked."""
        self._intake = intake
        stored = await intake.cursor(CURSOR)
        self._stored.update(dict.fromkeys(one for one in (stored or "").split(",") if one))
        self._identity.webhooks.update(self._stored)
        is_complete = stored is not None or await self._ask(sorted(intake.routed_chats()))
        if is_complete and (stored is None or self._identity.webhooks - self._stored.keys()):
            await self._store()

    async def use(self, webhook_id: str) -> None:
        """Call before a webhook is posted through; returns once its id is on disk."""
        self._identity.webhooks.add(webhook_id)
        if webhook_id not in self._stored and self._intake is not None:
            await self._store()

    async def _store(self) -> None:
        assert self._intake is not None
        self._stored.update(dict.fromkeys(sorted(self._identity.webhooks - self._stored.keys())))
        for old in list(self._stored)[:-IDS_KEPT]:
            del self._stored[old]
        await self._intake.accept([], cursors=[Cursor(name=CURSOR, value=",".join(self._stored))])

    async def _ask(self, channel_ids: list[str]) -> bool:
        """Whether every channel could be asked, or said that the bot may not."""
        at_once = asyncio.Semaphore(CHANNELS_AT_ONCE)

        async def one(channel_id: str) -> bool:
            async with at_once:
                try:
                    found = await self._webhooks.ours_in(channel_id)
                except Refused:
                    return True
                except BridgeError as error:
                    log.info("webhooks cannot be listed", account=self._identity.account, channel=channel_id, reason=error.reason)
                    return False
                self._identity.webhooks.update(found)
                return True

        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(one(channel_id), name=f"webhooks of {channel_id}") for channel_id in channel_ids]
        return all(task.result() for task in asked)
