"""All dead letters of some routes are retried, in their order, once: what a moderator asks for in a chat. The bounds are those of
the dashboard's replay."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bridge.journal.contract import DeadLetterStore, DeliveryStatus
from bridge.journal.dead_letters import AT_ONCE, MOST, marks


@dataclass(slots=True)
class Retried:
    count: int = 0
    held: int = 0
    """Left out: nobody knows whether they arrived, so that a human decides about each."""
    over: int = 0
    """Left out: more than are retried at once."""

    def __str__(self) -> str:
        return f"{self.count} retried, {self.held} held ones and {self.over} more left out"

    def words(self, retry: str) -> str:
        """For the chat; `retry` is the command."""
        if not (self.count or self.held):
            return "No copy of this chat's routes failed."
        said = [f"{self.count} failed copies of this chat's routes are sent again."]
        if self.over:
            said.append(f"{self.over} are left out: {MOST} are retried at once. Say {retry} again for the next.")
        if self.held:
            said.append(
                f"{self.held} are left out since they may have arrived: say {retry} as a reply to the message that is meant."
            )
        return " ".join(said)


async def retry_routes(journal: DeadLetterStore, routes: Collection[str]) -> Retried:
    """Raises JournalError; what was retried before that stays so."""
    done, batch = Retried(), list[int]()
    async for mark in marks(journal):
        if mark.route not in routes:
            continue
        if mark.state is not DeliveryStatus.DEAD:
            done.held += 1
        elif done.count + len(batch) == MOST:
            done.over += 1
        else:
            batch.append(mark.delivery_id)
        if len(batch) == AT_ONCE:
            await _retry(journal, batch, done)
    await _retry(journal, batch, done)
    return done


async def _retry(journal: DeadLetterStore, batch: list[int], done: Retried) -> None:
    if batch:
        await journal.retry_dead(batch)
        done.count += len(batch)
        batch.clear()
