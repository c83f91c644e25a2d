"""A process of its own that works on a journal, to be killed or starved:

    python -m tests.bridge.journal.journal_process WHAT JOURNAL [FIRST NUMBER]

It writes one line per thing that is on disk for sure."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

from bridge.journal.contract import AcceptResult, AttemptStarted, Delivered, JournalError
from bridge.journal.sqlite import SqliteJournal, upkeep, writer
from bridge.model.adapter import Cursor
from tests.bridge.journal.journal_makers import CHAT, A, B, at, created, entry, kill, sent


def say(*words: object) -> None:
    print(*words, flush=True)


async def accept_one(journal: SqliteJournal, number: int) -> AcceptResult:
    (accepted,) = await journal.accept(
        journal.lease(CHAT.account),
        [entry(created(f"{number}", text="x" * (number % 3000)), A)],
        [Cursor(name=f"lane{number % 8}", value=f"{number}")],
        received_at=at(0),
    )
    return accepted


async def write(journal: SqliteJournal, first: int) -> None:
    """Eight lanes at once, for ever. `accepted n`, `delivered n`: committed before it is said."""

    async def lane(number: int) -> None:
        while True:
            accepted = await accept_one(journal, number)
            say("accepted", number, accepted.event_seq, *accepted.delivery_ids)
            (delivery,) = accepted.delivery_ids
            await journal.record(journal.lease(A.account), [AttemptStarted(delivery_id=delivery, part=0, attempt=1, at=at(1))])
            say("attempted", number)
            if number % 5:
                await journal.record(
                    journal.lease(A.account),
                    [sent(delivery, accepted.event_seq, A, f"c{number}"), Delivered(delivery_id=delivery, at=at(2))],
                )
                say("delivered", number)
            number += 8

    async with asyncio.TaskGroup() as group:
        for offset in range(8):
            group.create_task(lane(first + offset), name=f"lane {offset}")


async def churn(journal: SqliteJournal, first: int) -> None:
    """Accept, deliver, prune, give space back and copy the log, all at once. `left n` is never delivered."""
    writer.CHECKPOINT_PAGES = 50
    upkeep.SHRINK_PAGES = 8
    for start in range(first, first + 10**6, 40):
        numbers = range(start, start + 40)
        accepted = await asyncio.gather(*(accept_one(journal, number) for number in numbers))
        for number in numbers:
            if number % 20 == 0:
                say("left", number)
        pruning = asyncio.ensure_future(journal.prune(before=at(1)))
        for number, one in zip(numbers, accepted, strict=True):
            if number % 20:
                (delivery,) = one.delivery_ids
                await journal.record(
                    journal.lease(A.account),
                    [sent(delivery, one.event_seq, A, f"c{number}"), Delivered(delivery_id=delivery, at=at(2))],
                )
        say("pruned", await pruning)


async def starve(journal: SqliteJournal, _first: int) -> None:
    """Write until the disk takes no more, then get space, and go on."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limit[1]))
    refused = 0
    for number in range(2000):
        try:
            await accept_one(journal, number)
            say("accepted", number)
            refused = 0
        except JournalError as error:
            say("refused", number, error)
            refused += 1
            if refused == 10:
                break
            await asyncio.sleep(0.01)
    numbers = range(3000, 3010)
    concurrent = await asyncio.gather(*(accept_one(journal, number) for number in numbers), return_exceptions=True)
    for number, outcome in zip(numbers, concurrent, strict=True):
        if isinstance(outcome, JournalError):
            say("refused", number, outcome)
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            say("accepted", number)
    say("known", len(await journal.pending(A, 0, 10_000)))  # reading goes on
    resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    await accept_one(journal, 9000)
    say("accepted", 9000)


async def serve(journal: SqliteJournal, _first: int) -> None:
    """A daemon that makes dead letters and delivers what is retried."""
    number = 0
    while True:
        (accepted,) = await journal.accept(journal.lease(CHAT.account), [entry(created(f"{number}"), A, B)], [], received_at=at(0))
        first, second = accepted.delivery_ids
        await journal.record(
            journal.lease(A.account), [sent(first, accepted.event_seq, A, f"c{number}"), Delivered(delivery_id=first, at=at(2))]
        )
        await kill(journal, second)
        say("dead", second)
        for pending in await journal.behind(B, 100):
            await journal.record(journal.lease(A.account), [Delivered(delivery_id=pending.delivery_id, at=at(2))])
            say("revived", pending.delivery_id)
        number += 1


async def main(what: str, path: str, first: str = "0") -> None:
    journal = SqliteJournal(Path(path))
    await journal.open()
    await {"write": write, "churn": churn, "starve": starve, "serve": serve}[what](journal, int(first))
    await journal.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
