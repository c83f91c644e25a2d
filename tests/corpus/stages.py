"""A bridge for the cases of one origin, kept running from case to case. Used by the test and by `python -m tests.corpus`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.corpus.case import Case
from tests.corpus.playing import EVERYTHING, CorpusWorld, play, started

Json = dict[str, Any]


ALONE = frozenset({"account-over", "account-token-over", "session-ends-and-begins"})
"""After these the account has connected anew, and has read what is on its server: that must be of nobody else."""


class Stages:
    """Plays cases; those of one origin best one behind the other, since a bridge is started whenever the origin changes, and behind
    a case that failed. `cases`: all that may be played."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._cases = cases
        self._stage: _Stage | None = None

    async def play(self, case: Case) -> Json:
        """Raises AssertionError if something of it does not arrive."""
        is_alone = case.path.stem in ALONE
        if self._stage is not None and (self._stage.origin != case.origin or is_alone):
            await self.close()
        if self._stage is None:
            self._stage = _Stage([each for each in self._cases if each.origin == case.origin] or [case])
        try:
            played = await play(case, await self._stage.world)
        except BaseException:
            await self.close()
            raise
        if is_alone:
            await self.close()
        return played

    async def close(self) -> None:
        stage, self._stage = self._stage, None
        if stage is not None:
            await stage.close()


class _Stage:
    """One world, started and stopped by one task, whoever asks for it."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.origin = cases[0].origin
        self._cases = [replace(case, route=EVERYTHING | case.route) for case in cases]
        self._over = asyncio.Event()
        self.world: asyncio.Future[CorpusWorld] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep(), name=f"corpus {self.origin}")

    async def _keep(self) -> None:
        with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
            try:
                async with started(Path(folder), *self._cases) as world:
                    _announce_news(world)
                    self.world.set_result(world)
                    await self._over.wait()
            except BaseException as error:
                if self.world.done():
                    raise
                self.world.set_exception(error)

    async def close(self) -> None:
        self._over.set()
        await self._task


def _announce_news(world: CorpusWorld) -> None:
    """Discord tells joins and departures in the server's channel for news."""
    if world.origin == "discord":
        discord: Any = world.emulators["discord"]
        discord.set_system_channel(world.chats["discord"].chat_id)
        discord.operations.announce_guild()
