"""Looks a message up in the journal, as somebody named it, with what explains it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.config.model import Config
from bridge.journal.contract import AddressStore, TraceStore, WaitStore
from bridge.journal.tracing import Traced
from bridge.tracing.asking import Asked
from bridge.tracing.conditions import Conditions
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


@dataclass(frozen=True, slots=True)
class WordsAnswer:
    """Newest first."""

    found: list[Traced]
    known: Known
    looked_through: int
    is_all: bool
    """False: there are more than are shown, or than were looked through."""

    @property
    def unknown(self) -> str:
        """One line, if nothing was found; else empty."""
        if self.found:
            return ""
        return (
            f"no message with these words among the {self.looked_through} that the journal has the words of: those that wait or are"
            " dead, and the newest edits. Ask by a link, by ACCOUNT/CHAT#ID, or by the number of a delivery."
        )

    @property
    def note(self) -> str:
        return "" if self.is_all else f"there may be more: the newest {self.looked_through} messages were looked through"


async def known_of(journal: FindingStore, config: Config, *, now: datetime, conditions: Conditions | None = None) -> Known:
    """bridge.yaml with what the journal knows of its chats now. Raises JournalError."""
    native_ids = {account: await journal.native_ids(account) for account in config.accounts}
    waits = {name: wait.until for name, wait in (await journal.waits()).items()}
    # beside the loop: of ten thousand routes the table takes a tenth of a second
    return await asyncio.to_thread(Known, config, native_ids, waits, now, conditions)


async def find(
    journal: FindingStore, asked: int | list[Asked], config: Config, *, now: datetime, conditions: Conditions | None = None
) -> Answer:
    """`asked`: the number of a delivery, or messages that may be meant. `conditions`: of a running bridge. Raises JournalError."""
    known = await known_of(journal, config, now=now, conditions=conditions)
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


MOST_FOUND = 20
MOST_S = 5.0
_ROWS = 200


async def find_words(
    journal: FindingStore, words: str, config: Config, *, now: datetime, clock_s: Callable[[], float] = time.monotonic
) -> WordsAnswer:
    """The newest messages that contain the words, among those that the journal still has the words of: at most `MOST_FOUND`, in
    `MOST_S` seconds. Raises JournalError."""
    known = await known_of(journal, config, now=now)
    found: list[Traced] = []
    before, hits, looked_through, until_s = None, 0, 0, clock_s() + MOST_S
    while True:
        page = await journal.find_words(words, before=before, rows=_ROWS, most=MOST_FOUND - len(found))
        found += page.messages
        hits += page.hits
        looked_through += page.looked_through
        before = page.before
        if before is None or len(found) >= MOST_FOUND or clock_s() > until_s:
            break
    return WordsAnswer(found, known, looked_through, before is None and hits <= MOST_FOUND)
