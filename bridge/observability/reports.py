"""How the bridge is: what `/health`, the control socket, metrics, the status line and the ops chat tell. Only reads.

`health` is made anew for each question: a reload changes accounts and routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.accounts.disk import Disks, Room, folders, with_disk
from bridge.accounts.health import HealthReport, without_journal
from bridge.accounts.supervisor import AccountSupervisor
from bridge.config.model import Config
from bridge.files.spool import Spool
from bridge.journal.contract import JournalError, Upkeep
from bridge.model.clock import Clock
from bridge.model.platform import Platform
from bridge.model.refs import AccountName
from bridge.observability.left_out import LeftOut, Omission
from bridge.policy.routing import RoutingTable


class Reports:
    """`config` and `table` are those in force; `started_with` says where journal and spool are."""

    def __init__(
        self,
        journal: Upkeep,
        clock: Clock,
        supervisors: Mapping[AccountName, AccountSupervisor],
        manifests: Callable[[str], Platform],
        started_with: Config,
        spool: Spool,
        *,
        config: Callable[[], Config],
        table: Callable[[], RoutingTable],
        left_out: LeftOut | None = None,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._supervisors = supervisors
        self._started_with = started_with
        self._config = config
        self._table = table
        self._manifests = manifests
        self._spool = spool
        self._left_out = left_out
        self._disks = Disks(folders(started_with.journal.path, started_with.media.spool))

    def on_omission(self, told: Callable[[Omission], None]) -> None:
        """`told` is called of everything that a rule leaves out."""
        if self._left_out is not None:
            self._left_out.on_omission = told

    def health(self) -> HealthReport:
        return HealthReport(self._supervisors, self._table(), self._deaf_after_s, self._clock)

    async def report(self) -> dict[str, Any]:
        """Every account and lane, what is wrong, and what a human should do."""
        try:
            bound_bytes = int(self._started_with.media.spool_mb * 1_000_000)
            held = {"held_bytes": self._spool.held_bytes, "bound_bytes": bound_bytes}
            left_out = self._left_out.lately() if self._left_out is not None else []
            report = self.health().data(await self._journal.figures()) | {"spool": held, "left_out": left_out}
        except JournalError as error:
            report = without_journal(str(error))
        return with_disk(report, await self.room())

    async def brief(self) -> dict[str, Any]:
        """The status line's part of it, whatever the number of routes. Raises JournalError."""
        figures = await self._journal.figures()
        faults = sum(len(one.chat_faults | one.end_faults) for one in self._supervisors.values())
        states = {str(name): supervisor.health.state.value for name, supervisor in self._supervisors.items()}
        return {"accounts": states, "dead": figures.dead, "ends_in_trouble": faults}

    async def room(self) -> dict[str, Room]:
        """Of the disks of the journal and of the spool."""
        return await self._disks.room()

    async def free_bytes(self) -> dict[str, int]:
        """Of the disks that answer."""
        return {name: one.free_bytes for name, one in (await self.room()).items() if not one.error}

    def _deaf_after_s(self, name: AccountName) -> float | None:
        configured = self._config().accounts.get(name)
        return None if configured is None else self._manifests(configured.platform).deaf_after_s(configured.options)
