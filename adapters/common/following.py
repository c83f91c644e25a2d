"""Receives from platforms that are read chat by chat: one task per routed chat, for as long as it is routed.

Used by an adapter's `run`, which says how one chat is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bridge.model.adapter import Intake
from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.errors import AccountDown, ChatDown, ConnectionLost, DeliveryError
from bridge.model.refs import AccountName

_LOOK_FOR_ROUTES_S = 0.25
_FIRST_WAIT_S = 30.0
_LONGEST_WAIT_S = 900.0


Follow = Callable[[str, Callable[[], None]], Awaitable[None]]
"""Reads one chat, given its id, until it is cancelled, and calls its second argument whenever the chat could be read. Raises
ChatDown when the chat cannot be read until a human acts, and anything else that ends the account's connection."""


async def follow_chats(intake: Intake, account: AccountName, follow: Follow, clock: Clock = SYSTEM_CLOCK) -> None:
    """Until cancelled. `intake.connected` is called once every chat that is routed at the beginning was heard, or is down. A chat
    that is down is reported, tried again after a growing wait, and reported when it is back. Raises ConnectionLost, AccountDown."""
    settled: set[str] = set()

    async def one(chat_id: str) -> None:
        refusals = 0

        def heard() -> None:
            nonlocal refusals
            settled.add(chat_id)
            if refusals:
                refusals = 0
                intake.chat_restored(chat_id)

        while True:
            try:
                await follow(chat_id, heard)
                raise ConnectionLost(f"the platform ended the stream of {chat_id}")
            except ChatDown as error:
                intake.notice(error.reason, error.action, chat_id=chat_id)
                settled.add(chat_id)
                await clock.sleep(min(_FIRST_WAIT_S * 2.0**refusals, _LONGEST_WAIT_S))
                refusals = min(refusals + 1, 10)

    running: dict[str, asyncio.Task[None]] = {}
    is_connected = False
    try:
        async with asyncio.TaskGroup() as tasks:
            while True:
                routed = intake.routed_chats()
                for chat_id in [chat_id for chat_id in running if chat_id not in routed]:
                    running.pop(chat_id).cancel()
                for chat_id in sorted(routed - running.keys()):
                    running[chat_id] = tasks.create_task(one(chat_id), name=f"adapter {account} {chat_id}")
                if not is_connected and routed <= settled:
                    is_connected = True
                    intake.connected()
                await clock.sleep(_LOOK_FOR_ROUTES_S)
    except BaseExceptionGroup as group:
        raise _most_telling(group) from None


def _most_telling(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The most telling of several tasks' errors: first that a human must act, then a lost connection, then anything else (a
    bug)."""
    leaves: list[BaseException] = []
    pending: list[BaseException] = [group]
    while pending:
        one = pending.pop()
        pending.extend(one.exceptions) if isinstance(one, BaseExceptionGroup) else leaves.append(one)
    for kind in (AccountDown, ConnectionLost, DeliveryError):
        for leaf in leaves:
            if isinstance(leaf, kind):
                return ConnectionLost(leaf.reason) if isinstance(leaf, DeliveryError) else leaf
    return leaves[0]
