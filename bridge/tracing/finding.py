"""Looks a message up in the journal, as somebody named it, with what explains it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.config.model import Config
from bridge.journal.contract import AddressStore, TraceStore, WaitStore
from bridge.journal.tracing import Traced
from bridge.tracing.asking import Asked
from bridge.tracing.known import Known


class FindingStore(TraceStore, AddressStore, WaitStore, Protocol):
    pass


@dataclass(frozen=True, slots=True)
class Answer:
    found: list[Traced]
    known: Known
    """What bridge.yaml and the journal say about the chats."""

    def why_unknown(self, asked: int | list[Asked]) -> str:
        """One line, if nothing was found; else empty."""
        if self.found:
            return ""
        return f"there is no delivery {asked}" if isinstance(asked, int) else self.known.why_unknown(asked)


async def find(journal: FindingStore, asked: int | list[Asked], config: Config, *, now: datetime) -> Answer:
    """`asked`: the number of a delivery, or messages that may be meant. Raises JournalError."""
    native_ids = {account: await journal.native_ids(account) for account in config.accounts}
    waits = {name: wait.until for name, wait in (await journal.waits()).items()}
    known = Known(config, native_ids, waits, now)
    if isinstance(asked, int):
        traced = await journal.trace_delivery(asked)
        return Answer([traced] if traced else [], known)
    found: list[Traced] = []
    for one in asked:
        here = [traced for message in known.messages(one) for traced in await journal.trace(message)]
        if not here and one.is_unique:
            here = list(await journal.trace_anywhere(one.account, one.message_id))
        found += here
    return Answer(list({traced.event.event_seq: traced for traced in found}.values()), known)
