"""Maintenance of a journal in use: old entries are removed, by a clock that is not trusted at once. One per bridge; the app
runs it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bridge.journal.contract import Figures, Journal, JournalError
from bridge.model.clock import Clock
from bridge.policy.echo import Tokens, journal_id_from, mark_from
from bridge.policy.retention import TrustedNow

log = structlog.get_logger("app")

INTERVAL_S = 60.0
_TRUSTED_NOW = "trusted now"
_JOURNAL_ID = "journal id"


async def journal_id(journal: Journal) -> str:
    """A random name of this journal, so that two bridges never take each other's messages for their own. Raises JournalError."""
    known = await journal.note(_JOURNAL_ID)
    if known is None:
        known = journal_id_from(secrets.token_bytes(16))
        await journal.set_note(_JOURNAL_ID, known)
    return known


async def begin_tokens(journal: Journal) -> Tokens:
    """The tokens of this run of the bridge; call once, before anything is accepted. On a disk that is full the last run's mark goes
    on: what waits can be delivered all the same. Raises JournalError."""
    name = await journal_id(journal)
    try:
        generations = await journal.begin_generation(mark_from(secrets.token_bytes(16)))
    except JournalError as error:
        log.warning("generation not begun", reason=str(error))
        generations = await journal.generations()
    return Tokens(name, [(generation.first_delivery, generation.mark) for generation in generations])


class Maintenance:
    """`keep_days` says for how long entries are kept; `on_figures` gets the journal's figures, at the start and once per
    interval."""

    def __init__(
        self, journal: Journal, clock: Clock, *, keep_days: Callable[[], float], on_figures: Callable[[Figures], None]
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._keep_days = keep_days
        self._on_figures = on_figures
        self._trusted = self._from(None)

    async def begin(self) -> None:
        """As far as the last run came; the first one leaves at once what the next is to go on from. Raises JournalError."""
        known = await self._journal.note(_TRUSTED_NOW)
        self._trusted = self._from(datetime.fromisoformat(known) if known else None)
        if known is None:
            await self._keep(self._moment())
        await self._tell_figures()

    def stamp(self) -> datetime:
        """When something that comes now is said to have come."""
        return self._trusted.stamp(self._clock.now(), self._clock.monotonic_s())

    async def run(self) -> None:
        while True:
            await self._clock.sleep(INTERVAL_S)
            moment = self._moment()
            before = moment - timedelta(days=self._keep_days())
            try:
                await self._keep(moment)
                while await self._journal.prune(before=before):
                    await self._clock.sleep(0)
            except JournalError as error:
                log.error("journal maintenance failed", reason=str(error))
            await self._tell_figures()

    async def _tell_figures(self) -> None:
        try:
            self._on_figures(await self._journal.figures())
        except JournalError as error:
            log.error("journal unavailable", reason=str(error))

    def _from(self, known: datetime | None) -> TrustedNow:
        return TrustedNow(known, self._clock.now(), self._clock.monotonic_s())

    def _moment(self) -> datetime:
        return self._trusted.moment(self._clock.now(), self._clock.monotonic_s())

    async def _keep(self, moment: datetime) -> None:
        await self._journal.set_note(_TRUSTED_NOW, moment.isoformat())
